/* SPDX-License-Identifier: MIT */
/*
 * See watch.h. A link is idle, fetches (a question that must be answered within the timeout), or
 * follows (a question that is answered when something changes). What a node said is current while
 * it is followed; a node that speaks only the document's protocol is asked in every call.
 *
 * A node is asked for /v1/node first and, if it does not know that, for /getpfs, within the same
 * timeout. After a failure it is not asked again before retry_ms, by nobody: one dead node must not
 * cost each pod the timeout. Retries go on in the background.
 */
#include "watch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "base/log.h"

static struct watch *the_watch; /* callbacks of clients know their link alone */

static uint32_t index_of(const struct link *k)
{
	return (uint32_t)(k - the_watch->link);
}

/* --- Memory of answers */

static char *reply_mem(void *arg, size_t *cap)
{
	struct link *k = arg;
	struct watch *w = the_watch;
	void *p;

	if (w->keep_n > 0) {
		k->reply = w->keep[--w->keep_n];
	} else {
		p = mmap(NULL, WATCH_REPLY_MAX, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		k->reply = p == MAP_FAILED ? NULL : p;
	}
	*cap = k->reply == NULL ? 0 : WATCH_REPLY_MAX;
	return k->reply;
}

/* used: bytes that were written; much memory goes back to the kernel. */
static void reply_give(struct link *k, size_t used)
{
	struct watch *w = the_watch;

	if (k->reply == NULL) {
		return;
	}
	if (w->keep_n < WATCH_KEEP && used <= WATCH_KEEP_BYTES) {
		w->keep[w->keep_n++] = k->reply;
	} else {
		(void)munmap(k->reply, WATCH_REPLY_MAX); /* a mapping of our own */
	}
	k->reply = NULL;
}

/* --- Questions */

static void on_done(
	void *arg, struct http_client *c, const struct http_result *res, const struct err *e);

static int send_call(struct link *k, struct err *e)
{
	k->call = (struct http_call){.method = HTTP_GET,
		.path = str_from(k->path),
		.host = str_from(k->host),
		.deadline_ms = k->deadline_ms,
		.mem = k->head,
		.cap = sizeof(k->head),
		.answer_mem = reply_mem,
		.done = on_done,
		.arg = k};
	return http_client_call(&k->client, &k->call, e);
}

static void end_fetch(struct link *k)
{
	uint64_t waiters = k->waiters;

	k->waiters = 0;
	if (waiters != 0) {
		the_watch->done(the_watch->arg, index_of(k), waiters);
	}
}

static void failed(struct link *k, const char *why)
{
	struct watch *w = the_watch;
	uint32_t i = index_of(k);
	int64_t wait = WATCH_BACKOFF_MS;

	w->failures++;
	http_client_close(&k->client);
	reply_give(k, WATCH_REPLY_MAX);
	k->state = LINK_IDLE;
	if (k->fails == 0) {
		log_warn("node %s: %s", w->sched->node[i].name, why);
	}
	for (uint8_t f = 0; f < k->fails && wait < WATCH_BACKOFF_MAX; f++) {
		wait *= 2;
	}
	k->fails = k->fails < UINT8_MAX ? (uint8_t)(k->fails + 1) : k->fails;
	k->retry_ms = clock_ms() + wait;
	memset(k->why, 0, sizeof(k->why));
	memcpy(k->why, why, strnlen(why, sizeof(k->why) - 1));
	sched_node_lost(w->sched, i);
	end_fetch(k);
}

static bool fetch(struct link *k, int64_t deadline_ms)
{
	struct err e;
	struct buf b;

	buf_init(&b, k->path, sizeof(k->path));
	buf_add_c(&b, k->kind == LINK_PLAIN ? "/getpfs" : "/v1/node?vfs=used&after=0&timeout_s=0");
	buf_add_chr(&b, '\0');
	k->deadline_ms = deadline_ms;
	k->state = LINK_FETCH;
	the_watch->fetches++;
	if (send_call(k, &e) < 0) {
		failed(k, e.msg);
		return false;
	}
	return true;
}

static void follow(struct link *k)
{
	struct watch *w = the_watch;
	struct err e;
	struct buf b;

	buf_init(&b, k->path, sizeof(k->path));
	buf_add_c(&b, "/v1/node?vfs=used&after=");
	buf_add_u64(&b, w->sched->node[index_of(k)].revision);
	buf_printf(&b, "&timeout_s=%d", WATCH_POLL_S);
	buf_add_chr(&b, '\0');
	k->deadline_ms = clock_ms() + WATCH_POLL_S * 1000 + w->timeout_ms;
	k->state = LINK_FOLLOW;
	if (send_call(k, &e) < 0) {
		failed(k, e.msg);
	}
}

/* --- Answers */

static void took_state(struct link *k)
{
	struct watch *w = the_watch;
	uint32_t i = index_of(k);

	if (k->fails > 0) {
		log_info("node %s answers again", w->sched->node[i].name);
	}
	w->changes++;
	k->fails = 0;
	k->why[0] = '\0';
	k->kind = w->state->full && w->state->revision > 0 ? LINK_FULL : k->kind;
	sched_node_update(w->sched, i, w->state, clock_ms());
	k->state = LINK_IDLE;
	if (k->kind == LINK_FULL) {
		follow(k);
	}
	end_fetch(k);
}

/* The node does not know /v1/node, or not as we do: ask as the document has it. */
static void fall_back(struct link *k)
{
	k->kind = LINK_PLAIN;
	k->state = LINK_IDLE;
	(void)fetch(k, k->deadline_ms); /* its failure is told to those who wait */
}

static void on_answer(struct link *k, const struct http_result *res)
{
	bool plain = k->kind == LINK_PLAIN;
	struct err e;
	char why[64];
	struct buf b;
	int r;

	if (res->status == 204 && k->state == LINK_FOLLOW) {
		the_watch->sched->node[index_of(k)].known_ms = clock_ms();
		follow(k);
		return;
	}
	if (res->status != 200) {
		if (!plain && res->status >= 400 && res->status < 500) {
			fall_back(k);
			return;
		}
		buf_init(&b, why, sizeof(why));
		buf_printf(&b, "answered with status %d", res->status);
		buf_add_chr(&b, '\0');
		failed(k, why);
		return;
	}
	r = plain ? sched_state_getpfs(res->body, the_watch->state, &e)
		  : sched_state_node(res->body, the_watch->state, &e);
	reply_give(k, res->body.n);
	/* What cannot be followed is asked as the document has it. */
	if (r < 0 ? k->kind == LINK_NEW : !plain && the_watch->state->revision == 0) {
		fall_back(k);
	} else if (r < 0) {
		(void)err_wrap(&e, "answer cannot be believed");
		failed(k, e.msg);
	} else {
		took_state(k);
	}
}

static void on_done(
	void *arg, struct http_client *c, const struct http_result *res, const struct err *e)
{
	struct link *k = arg;
	bool followed = k->state == LINK_FOLLOW;

	(void)c;
	k->state = LINK_IDLE;
	if (res != NULL) {
		k->state = followed ? LINK_FOLLOW : LINK_FETCH;
		on_answer(k, res);
		reply_give(k, 0); /* a new question has no answer yet */
		return;
	}
	reply_give(k, WATCH_REPLY_MAX);
	if (followed) {
		/* Perhaps it only went away for a moment: ask at once, before anybody waits. */
		(void)fetch(k, clock_ms() + the_watch->timeout_ms); /* failures are kept */
		return;
	}
	failed(k, e->msg);
}

/* --- From outside */

static void close_link(struct link *k)
{
	if (k->ready) {
		http_client_close(&k->client);
		reply_give(k, WATCH_REPLY_MAX);
	}
	*k = (struct link){.state = LINK_IDLE};
}

static bool parse_ip(struct str ip, uint16_t port, struct sock_addr *a)
{
	char text[INET6_ADDRSTRLEN];

	memset(a, 0, sizeof(*a));
	if (!str_copy(ip, text, sizeof(text))) {
		return false;
	}
	if (inet_pton(AF_INET, text, &a->u.in.sin_addr) == 1) {
		a->u.in.sin_family = AF_INET;
		a->u.in.sin_port = htons(port);
		a->len = sizeof(a->u.in);
		return true;
	}
	if (inet_pton(AF_INET6, text, &a->u.in6.sin6_addr) == 1) {
		a->u.in6.sin6_family = AF_INET6;
		a->u.in6.sin6_port = htons(port);
		a->len = sizeof(a->u.in6);
		return true;
	}
	return false;
}

bool watch_address(struct watch *w, uint32_t i, struct str ip)
{
	struct link *k = &w->link[i];
	struct sock_addr addr;
	uint64_t waiters;
	struct buf b;

	if (!parse_ip(ip, w->port, &addr)) {
		return false;
	}
	if (k->ready && k->client.addr.len == addr.len &&
		memcmp(&k->client.addr.u, &addr.u, addr.len) == 0) {
		return true;
	}
	waiters = k->waiters;
	close_link(k);
	k->waiters = waiters;
	sched_node_lost(w->sched, i);
	http_client_init(&k->client, w->loop, &addr);
	k->ready = true;
	buf_init(&b, k->host, sizeof(k->host));
	buf_add_sock_addr(&b, &addr);
	buf_add_chr(&b, '\0');
	if (waiters != 0) {
		(void)fetch(
			k, clock_ms() + w->timeout_ms); /* failures are told to those who wait */
	}
	return true;
}

bool watch_ask(struct watch *w, uint32_t i, unsigned bit)
{
	struct link *k = &w->link[i];

	if (!k->ready || k->state == LINK_FOLLOW) {
		return false;
	}
	if (k->state == LINK_IDLE) {
		if (k->fails > 0 && w->loop->now_ms < k->retry_ms) {
			return false;
		}
		if (!fetch(k, clock_ms() + w->timeout_ms)) {
			return false;
		}
	}
	k->waiters |= (uint64_t)1 << bit;
	return true;
}

bool watch_current(const struct watch *w, uint32_t i)
{
	return w->link[i].state == LINK_FOLLOW;
}

/* Once a second: nodes to try again, nodes to forget. */
static void on_tick(struct loop *l, struct loop_timer *t)
{
	struct watch *w = CONTAINER_OF(t, struct watch, tick);
	int64_t now = l->now_ms;

	for (uint32_t i = 0; i < w->sched->node_n; i++) {
		struct link *k = &w->link[i];

		if (!w->sched->node[i].used || k->waiters != 0) {
			continue;
		}
		if (now - w->sched->node[i].asked_ms >= w->forget_ms) {
			close_link(k);
			sched_node_drop(w->sched, i);
		} else if (k->ready && k->state == LINK_IDLE && k->fails > 0 &&
			   now >= k->retry_ms) {
			(void)fetch(k, clock_ms() + w->timeout_ms); /* failures are kept */
		}
	}
	(void)sched_expire(w->sched, now);
	loop_timer_set(l, t, now + 1000);
}

int watch_init(struct watch *w, struct loop *loop, struct sched *s, struct err *e)
{
	w->loop = loop;
	w->sched = s;
	w->link = mmap(NULL, SCHED_NODES_MAX * sizeof(*w->link), PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	w->state = mmap(NULL, sizeof(*w->state), PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (w->link == MAP_FAILED || w->state == MAP_FAILED) {
		return err_sys(e, errno, "memory for connections to nodes");
	}
	the_watch = w;
	w->tick.fn = on_tick;
	loop_timer_set(loop, &w->tick, clock_ms() + 1000);
	return 0;
}

void watch_free(struct watch *w)
{
	loop_timer_del(w->loop, &w->tick);
	for (uint32_t i = 0; i < w->sched->node_n; i++) {
		close_link(&w->link[i]);
	}
	while (w->keep_n > 0) {
		(void)munmap(w->keep[--w->keep_n], WATCH_REPLY_MAX); /* our own mapping */
	}
}
