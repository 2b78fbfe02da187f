/* SPDX-License-Identifier: MIT */
/* Memory of large requests and the answers made in it: mapped as needed, given back soon. */
#ifndef EXTENDER_BODIES_H
#define EXTENDER_BODIES_H

#include "base/loop.h"

struct bodies {
	struct loop *loop;
	size_t max;  /* bytes of requests that are held at one time, together */
	size_t held; /* bytes that have arrived: what clients only announce costs nothing */
	struct body *first;
	struct body *kept; /* the one used last, for the next request, for BODIES_KEEP_MS */
	struct loop_timer timer;
};

#define BODIES_KEEP_MS 2000
#define BODIES_SMALL   (1u << 20) /* requests up to this are taken however much is held */

void bodies_init(struct bodies *b, struct loop *loop, size_t max);
void bodies_free(struct bodies *b);

/*
 * bodies_get: address space for n bytes, with KUBE_REPLY_HEAD bytes before them, or NULL.
 * bodies_put takes it back.
 */
void *bodies_get(struct bodies *b, size_t n);
void bodies_put(struct bodies *b, void *mem);

/*
 * bodies_grow: n bytes have arrived in it. When more are held than may be, the largest body that is
 * still arriving loses its place; false if that is this one.
 */
bool bodies_grow(struct bodies *b, void *mem, size_t n) MUST_CHECK;

/* bodies_busy: all of it has arrived and is being worked on: it keeps its place. */
void bodies_busy(void *mem);

/* bodies_slack: what follows the n bytes of a request at mem, for the answer. */
char *bodies_slack(void *mem, size_t n, size_t *slack_n);

#endif
