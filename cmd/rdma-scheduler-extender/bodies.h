/* SPDX-License-Identifier: MIT */
/* Memory of large requests and the answers made in it: mapped as needed, given back soon. */
#ifndef EXTENDER_BODIES_H
#define EXTENDER_BODIES_H

#include "base/loop.h"

struct bodies {
	struct loop *loop;
	size_t max; /* of requests whose bodies are held at one time, together */
	size_t held;
	struct body *kept; /* the one used last, for the next request, for BODIES_KEEP_MS */
	struct loop_timer timer;
};

#define BODIES_KEEP_MS 2000

void bodies_init(struct bodies *b, struct loop *loop, size_t max);
void bodies_free(struct bodies *b);

/*
 * bodies_get: memory for n bytes, with KUBE_REPLY_HEAD bytes before them; NULL when too much is in
 * use. bodies_put takes it back.
 */
void *bodies_get(struct bodies *b, size_t n);
void bodies_put(struct bodies *b, void *mem);

/* bodies_slack: what follows the n bytes of a request at mem, for the answer. */
char *bodies_slack(void *mem, size_t n, size_t *slack_n);

#endif
