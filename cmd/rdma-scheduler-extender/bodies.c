/* SPDX-License-Identifier: MIT */
/* See bodies.h. Only pages that are written become resident, so room for the worst answer costs
 * nothing but addresses. */
#include "bodies.h"

#include <sys/mman.h>

#include "kube/reply.h"

/* What stands at the front of each mapping. */
struct body {
	size_t mapped; /* bytes of the mapping */
	size_t cap;    /* largest request it serves */
	size_t n;      /* asked for now */
};

#define FRONT (sizeof(struct body) + KUBE_REPLY_HEAD)

static void drop_kept(struct bodies *b)
{
	if (b->kept != NULL) {
		(void)munmap(b->kept, b->kept->mapped); /* cannot fail for a mapping of our own */
		b->kept = NULL;
	}
}

static void on_timer(struct loop *l, struct loop_timer *t)
{
	(void)l;
	drop_kept(CONTAINER_OF(t, struct bodies, timer));
}

void bodies_init(struct bodies *b, struct loop *loop, size_t max)
{
	*b = (struct bodies){.loop = loop, .max = max, .timer.fn = on_timer};
}

void bodies_free(struct bodies *b)
{
	loop_timer_del(b->loop, &b->timer);
	drop_kept(b);
}

static struct body *map_body(size_t n)
{
	size_t mapped = FRONT + n + kube_reply_slack(n);
	struct body *body = mmap(NULL, mapped, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (body == MAP_FAILED) {
		return NULL;
	}
	body->mapped = mapped;
	body->cap = n;
	return body;
}

void *bodies_get(struct bodies *b, size_t n)
{
	struct body *body = b->kept;

	if (n > b->max - b->held) {
		return NULL;
	}
	if (body != NULL && n <= body->cap) {
		b->kept = NULL;
		loop_timer_del(b->loop, &b->timer);
	} else {
		body = map_body(n);
	}
	if (body == NULL) {
		return NULL;
	}
	body->n = n;
	b->held += n;
	return (char *)body + FRONT;
}

void bodies_put(struct bodies *b, void *mem)
{
	struct body *body = (void *)((char *)mem - FRONT);

	b->held -= body->n;
	if (b->kept == NULL || b->kept->cap < body->cap) {
		drop_kept(b);
		b->kept = body;
		loop_timer_set(b->loop, &b->timer, b->loop->now_ms + BODIES_KEEP_MS);
	} else {
		(void)munmap(body, body->mapped); /* cannot fail for a mapping of our own */
	}
}

char *bodies_slack(void *mem, size_t n, size_t *slack_n)
{
	struct body *body = (void *)((char *)mem - FRONT);

	*slack_n = body->mapped - FRONT - n;
	return (char *)mem + n;
}
