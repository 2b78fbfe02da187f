/* SPDX-License-Identifier: MIT */
/* Memory of large requests and the answers made in it: mapped as needed, given back soon. */
#ifndef EXTENDER_BODIES_H
#define EXTENDER_BODIES_H

#include "http/server.h"

struct bodies {
	struct loop *loop;
	struct http_server *server;
	size_t max;  /* bytes of large requests that are held at one time, together */
	size_t held; /* bytes that have arrived: what clients only announce costs nothing */
	struct body *first;
	struct body *kept; /* the one used last, for the next request, for BODIES_KEEP_MS */
	struct loop_timer timer;
};

#define BODIES_KEEP_MS 2000
#define BODIES_SMALL   (1u << 20) /* requests up to this are always taken, and not counted */

void bodies_init(struct bodies *b, struct loop *loop, struct http_server *server, size_t max);
void bodies_free(struct bodies *b);

/*
 * bodies_get: address space for n bytes, with KUBE_REPLY_HEAD bytes before them, or NULL.
 * bodies_put takes it back.
 */
void *bodies_get(struct bodies *b, size_t n);
void bodies_put(struct bodies *b, void *mem);

/*
 * bodies_grow: n bytes have arrived in it. When more are held than may be, clients that are slower
 * than this one lose their places, the slowest first: those whose body is still arriving, and those
 * that do not read their answer, whose connection is closed. false: there are none.
 */
bool bodies_grow(struct bodies *b, void *mem, size_t n) MUST_CHECK;

/*
 * bodies_busy: all of it has arrived and is being worked on: it keeps its place. bodies_answered:
 * the answer is on its way; from now on the client's time to read it counts.
 */
void bodies_busy(void *mem);
void bodies_answered(void *mem);

/* bodies_slack: what follows the n bytes of a request at mem, for the answer. */
char *bodies_slack(void *mem, size_t n, size_t *slack_n);

#endif
