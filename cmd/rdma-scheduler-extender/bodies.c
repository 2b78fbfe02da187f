/* SPDX-License-Identifier: MIT */
/* See bodies.h. Only pages that are written become resident, so room for the worst answer costs
 * nothing but addresses. */
#include "bodies.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "kube/reply.h"

/* What stands at the front of each mapping. */
struct body {
	size_t mapped;    /* bytes of the mapping */
	size_t cap;       /* largest request it serves */
	size_t n;         /* bytes that have arrived, counted in held where they are many */
	int64_t since_ms; /* begin of its arrival, or of its answer */
	bool busy, answered, cut;
	struct body *next, **at; /* in the list of bodies in use */
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

void bodies_init(struct bodies *b, struct loop *loop, struct http_server *server, size_t max)
{
	*b = (struct bodies){.loop = loop, .server = server, .max = max, .timer.fn = on_timer};
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

static struct body *body_of(void *mem)
{
	return (void *)((char *)mem - FRONT);
}

void *bodies_get(struct bodies *b, size_t n)
{
	struct body *body = b->kept;

	if (body != NULL && n <= body->cap) {
		b->kept = NULL;
		loop_timer_del(b->loop, &b->timer);
	} else {
		body = map_body(n);
	}
	if (body == NULL) {
		return NULL;
	}
	body->n = 0;
	body->since_ms = clock_ms();
	body->busy = body->answered = body->cut = false;
	body->next = b->first;
	body->at = &b->first;
	if (body->next != NULL) {
		body->next->at = &body->next;
	}
	b->first = body;
	return (char *)body + FRONT;
}

/* What it counts for in held. */
static size_t weight(size_t n)
{
	return n > BODIES_SMALL ? n : 0;
}

/*
 * Its pages go at once. Whose body is arriving hears of it with the next byte, who does not read an
 * answer that is in these pages hears nothing more.
 */
static void cut(struct bodies *b, struct body *body)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	b->held -= weight(body->n);
	body->n = 0;
	body->cut = true;
	if (body->answered) {
		http_server_drop_body(b->server, (char *)body + FRONT); /* ends in bodies_put */
	} else {
		/* The first page has this struct. Fails only for what is no mapping of ours. */
		(void)madvise((char *)body + page, body->mapped - page, MADV_DONTNEED);
	}
}

/* Whether n bytes since x are less a millisecond than m since y. */
static bool is_slower(uint64_t n, int64_t x_ms, uint64_t m, int64_t y_ms)
{
	int64_t now = clock_ms();

	return n * (uint64_t)(now - y_ms + 1) < m * (uint64_t)(now - x_ms + 1);
}

/* The slowest client that can be cut; body itself, of n bytes by now, if no other is slower. */
static struct body *slowest(struct bodies *b, struct body *body, size_t n)
{
	struct body *slow = body;
	uint64_t slow_n = n;

	for (struct body *i = b->first; i != NULL; i = i->next) {
		uint64_t moved = i->n;

		if (i == body || weight(i->n) == 0 || (i->busy && !i->answered)) {
			continue;
		}
		if (i->answered) {
			moved = http_server_sent(b->server, (char *)i + FRONT);
		}
		if (is_slower(moved, i->since_ms, slow_n, slow->since_ms)) {
			slow = i;
			slow_n = moved;
		}
	}
	return slow;
}

bool bodies_grow(struct bodies *b, void *mem, size_t n)
{
	struct body *body = body_of(mem), *slow;

	if (body->cut) {
		return false;
	}
	while (weight(n) > 0 && b->held + (weight(n) - weight(body->n)) > b->max) {
		slow = slowest(b, body, n);
		if (slow == body) {
			return false;
		}
		cut(b, slow);
	}
	b->held += weight(n) - weight(body->n);
	body->n = n;
	return true;
}

void bodies_busy(void *mem)
{
	body_of(mem)->busy = true;
}

void bodies_answered(void *mem)
{
	body_of(mem)->answered = true;
	body_of(mem)->since_ms = clock_ms();
}

void bodies_put(struct bodies *b, void *mem)
{
	struct body *body = body_of(mem);

	b->held -= weight(body->n);
	*body->at = body->next;
	if (body->next != NULL) {
		body->next->at = body->at;
	}
	if (!body->cut && (b->kept == NULL || b->kept->cap < body->cap)) {
		drop_kept(b);
		b->kept = body;
		loop_timer_set(b->loop, &b->timer, b->loop->now_ms + BODIES_KEEP_MS);
	} else {
		(void)munmap(body, body->mapped); /* cannot fail for a mapping of our own */
	}
}

char *bodies_slack(void *mem, size_t n, size_t *slack_n)
{
	struct body *body = body_of(mem);

	*slack_n = body->mapped - FRONT - n;
	return (char *)mem + n;
}
