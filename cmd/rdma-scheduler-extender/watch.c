/* SPDX-License-Identifier: MIT */
/*
 * See watch.h. A link is idle, waits for an address or for a descriptor, fetches (a question that
 * must be answered within the timeout), or follows (a question that is answered when something
 * changes). What a node said is current while it is followed; a node that speaks only the
 * document's protocol is asked in every call.
 *
 * A node is asked for /v1/node first and, if it does not know that, for /getpfs, within the same
 * timeout. After a failure it is not asked again before retry_ms, by nobody: one dead node must not
 * cost each pod the timeout. Retries go on in the background.
 *
 * There may be fewer descriptors than nodes. Then kept_max nodes are followed; the others share
 * what is left, their connections are closed behind each answer, and they are polled: asked every
 * WATCH_POLL_MS in the background, and believed for WATCH_VALID_MS. That is safe for nodes that
 * tell who holds what: a claim there lasts until the node has said something later than its end.
 */
#include "watch_priv.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/num.h"

#define POLL_TICK_MS 100

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
		.answer_mem = link_reply_mem,
		.answer_grow = link_reply_grow,
		.done = on_done,
		.arg = k};
	return http_client_call(&k->client, &k->call, e);
}

static void end_fetch(struct link *k)
{
	uint64_t waiters = k->waiters;

	k->waiters = 0;
	if (waiters != 0) {
		the_watch->done(the_watch->arg, link_index(k), waiters);
	}
}

/* A node that comes and goes all the time is told of now and then. */
static void tell_failure(struct link *k, const char *why)
{
	struct watch *w = the_watch;
	int64_t now = clock_ms();

	if (k->told || now < k->quiet_ms) {
		return;
	}
	k->told = true;
	k->quiet_ms = now + WATCH_QUIET_MS;
	if (w->logged++ < WATCH_LOGGED) {
		log_warn("node %s: %s", w->sched->node[link_index(k)].name, why);
	}
}

void link_failed(struct link *k, const char *why)
{
	struct watch *w = the_watch;
	uint32_t i = link_index(k);
	int64_t wait = WATCH_BACKOFF_MS;

	w->failures++;
	link_wait_end(k);
	link_slot_give(k);
	link_reply_give(k);
	k->state = LINK_IDLE;
	k->kind = LINK_NEW; /* perhaps another program will be there */
	tell_failure(k, why);
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

	if (k->kind == LINK_PLAIN && clock_ms() - k->plain_ms >= WATCH_PLAIN_MS) {
		k->kind = LINK_NEW; /* it may have learnt to */
	}
	k->sent_ms = clock_ms();
	buf_init(&b, k->path, sizeof(k->path));
	buf_add_c(&b, k->kind == LINK_PLAIN ? "/getpfs" : "/v1/node?vfs=used&after=0&timeout_s=0");
	buf_add_chr(&b, '\0');
	k->deadline_ms = deadline_ms;
	k->state = LINK_FETCH;
	the_watch->fetches++;
	if (send_call(k, &e) < 0) {
		link_failed(k, e.msg);
		return false;
	}
	return true;
}

/* There are more nodes than descriptors. */
static void poll_soon(struct watch *w)
{
	if (w->poll.slot == 0) {
		loop_timer_set(w->loop, &w->poll, clock_ms() + POLL_TICK_MS);
	}
}

/* A descriptor for the question, now or when there is one. false: it failed at once. */
bool link_ask(struct link *k)
{
	char why[128];

	if (!where_owns(k, why, sizeof(why))) {
		link_failed(k, why);
		return false;
	}
	if (link_slot_take(k)) {
		return fetch(k, k->deadline_ms);
	}
	link_wait(k, LINK_SLOT);
	poll_soon(the_watch);
	return true;
}

/* Ask the node, for its address first where that must be looked up. false: it failed at once. */
bool link_start(struct link *k, int64_t deadline_ms)
{
	k->deadline_ms = deadline_ms;
	if (k->ready && (!k->named || k->fails == 0)) {
		return link_ask(k);
	}
	link_wait(k, LINK_NAME);
	where_ask();
	return k->state != LINK_IDLE;
}

static void follow(struct link *k)
{
	struct watch *w = the_watch;
	struct err e;
	struct buf b;

	buf_init(&b, k->path, sizeof(k->path));
	buf_add_c(&b, "/v1/node?vfs=used&after=");
	buf_add_u64(&b, w->sched->node[link_index(k)].revision);
	buf_printf(&b, "&timeout_s=%d", WATCH_POLL_S);
	buf_add_chr(&b, '\0');
	k->sent_ms = clock_ms();
	k->deadline_ms = k->sent_ms + WATCH_POLL_S * 1000 + w->timeout_ms;
	k->state = LINK_FOLLOW;
	if (send_call(k, &e) < 0) {
		link_failed(k, e.msg);
	}
}

static void on_pause(struct loop *l, struct loop_timer *t)
{
	(void)l;
	follow(CONTAINER_OF(t, struct link, pause));
}

/*
 * A node that always has something to say is not listened to without a break, and the longer the
 * more work that is. Meanwhile what it said counts as current.
 */
static void follow_later(struct link *k, size_t body_n, uint64_t steps)
{
	k->state = LINK_PAUSE;
	k->pause.fn = on_pause;
	loop_timer_set(the_watch->loop, &k->pause,
		clock_ms() + WATCH_PAUSE_MS + (int64_t)(body_n / WATCH_PAUSE_BYTES) +
			(int64_t)(steps / WATCH_PAUSE_STEPS));
}

/* --- Answers */

/*
 * When the answer was true. The node says how long after it had got the question it read itself, or
 * with a negative number before; the question was sent earlier than that, so no delay of the answer
 * counts. Without a word of that it was true when it was asked for.
 */
static int64_t true_at(const struct link *k, const struct http_result *res)
{
	int64_t most = clock_ms() - k->sent_ms, ms = 0;
	struct str v;

	if (!http_find(res->h, "Ferrule-Read-Ms", &v) || !num_i64(v, &ms)) {
		return k->sent_ms;
	}
	ms = ms < INT32_MIN ? INT32_MIN : ms;
	return k->sent_ms + (ms < most ? ms : most);
}

static void took_state(struct link *k, bool followed, int64_t as_of_ms, size_t body_n)
{
	struct watch *w = the_watch;
	uint32_t i = link_index(k);
	uint64_t steps = w->sched->steps;

	if (k->told && w->logged++ < WATCH_LOGGED) {
		log_info("node %s answers again", w->sched->node[i].name);
	}
	w->changes++;
	k->told = false;
	k->fails = 0;
	k->why[0] = '\0';
	k->kind = w->state->full && w->state->revision > 0 ? LINK_FULL : k->kind;
	sched_node_update(w->sched, i, w->state, as_of_ms);
	k->state = LINK_IDLE;
	if (!link_slot_keep(k)) {
		link_slot_give(k);
		poll_soon(w);
	} else if (k->kind == LINK_FULL && clock_ms() >= k->unfollowed_ms) {
		if (followed || k->again) {
			follow_later(k, body_n, w->sched->steps - steps);
		} else {
			follow(k);
		}
	}
	end_fetch(k);
}

/* The node does not know /v1/node, or not as we do: ask as the document has it. */
static void fall_back(struct link *k)
{
	int64_t latest = clock_ms() + the_watch->timeout_ms;

	k->kind = LINK_PLAIN;
	k->plain_ms = clock_ms();
	k->state = LINK_IDLE;
	/* The deadline of a node that was followed is far. */
	(void)fetch(k, k->deadline_ms < latest
			       ? k->deadline_ms
			       : latest); /* its failure is told to those who wait */
}

static void on_answer(struct link *k, const struct http_result *res)
{
	bool plain = k->kind == LINK_PLAIN, followed = k->state == LINK_FOLLOW;
	int64_t as_of_ms = true_at(k, res);
	struct err e;
	char why[64];
	struct buf b;
	int r;

	k->again = k->again && !followed;
	if (res->status == 204 && k->state == LINK_FOLLOW) {
		sched_node_still(the_watch->sched, link_index(k), as_of_ms);
		follow_later(k, 0, 0);
		return;
	}
	if (res->status != 200) {
		if (!plain && (res->status == 404 || res->status == 405 || res->status == 501)) {
			fall_back(k);
			return;
		}
		if (k->state == LINK_FOLLOW) {
			/* What it said stands; it will be asked in each call for a while. */
			k->state = LINK_IDLE;
			k->unfollowed_ms = clock_ms() + WATCH_REFUSED_MS;
			return;
		}
		buf_init(&b, why, sizeof(why));
		buf_printf(&b, "answered with status %d", res->status);
		buf_add_chr(&b, '\0');
		link_failed(k, why);
		return;
	}
	r = plain ? sched_state_getpfs(res->body, the_watch->state, &e)
		  : sched_state_node(res->body, the_watch->state, &e);
	link_reply_give(k);
	/* What cannot be followed is asked as the document has it. */
	if (r < 0 ? k->kind == LINK_NEW : !plain && the_watch->state->revision == 0) {
		fall_back(k);
	} else if (r < 0) {
		(void)err_wrap(&e, "answer cannot be believed");
		link_failed(k, e.msg);
	} else {
		took_state(k, followed, as_of_ms, res->body.n);
	}
}

static void on_done(
	void *arg, struct http_client *c, const struct http_result *res, const struct err *e)
{
	struct link *k = arg;
	bool followed = k->state == LINK_FOLLOW, cut = k->cut;

	(void)c;
	k->state = LINK_IDLE;
	if (res != NULL) {
		k->state = followed ? LINK_FOLLOW : LINK_FETCH;
		on_answer(k, res);
		link_reply_give(k); /* a new question has no answer yet */
		return;
	}
	link_reply_give(k);
	if (cut) {
		link_failed(k, "its answer was dropped: those of all nodes together were over "
			       "256 MiB, and it was the largest");
		return;
	}
	if (followed) {
		/* Perhaps it only went away for a moment: ask at once, before anybody waits. */
		k->again = true;
		(void)fetch(k, clock_ms() + the_watch->timeout_ms); /* failures are kept */
		return;
	}
	link_failed(k, e->msg);
}

/* --- From outside */

/* What a node said that cannot be followed, for want of descriptors, counts for a while. */
static bool is_polled(const struct watch *w, uint32_t i, int64_t now)
{
	const struct sched_node *n = &w->sched->node[i];

	return w->link[i].kind == LINK_FULL && !w->link[i].kept && n->known &&
	       now - n->known_ms < WATCH_VALID_MS;
}

bool watch_ask(struct watch *w, uint32_t i, unsigned bit)
{
	struct link *k = &w->link[i];

	if (k->state == LINK_FOLLOW || k->state == LINK_PAUSE || (!k->ready && !k->named)) {
		return false;
	}
	if (k->state == LINK_IDLE) {
		if ((k->fails > 0 && w->loop->now_ms < k->retry_ms) ||
			is_polled(w, i, w->loop->now_ms)) {
			return false;
		}
		if (!link_start(k, clock_ms() + w->timeout_ms)) {
			return false;
		}
	}
	k->waiters |= (uint64_t)1 << bit;
	return true;
}

const char *watch_word(const struct watch *w, uint32_t i, const char **why)
{
	const struct link *k = &w->link[i];

	*why = k->why[0] != '\0' ? k->why : !k->ready && !k->named ? "no address is known" : NULL;
	switch (k->state) {
	case LINK_FOLLOW:
	case LINK_PAUSE:
		return "followed";
	case LINK_IDLE:
		if (k->fails > 0 || !k->ready) {
			return "failed";
		}
		return k->kind == LINK_PLAIN || k->kept ? "asked-each-time" : "polled";
	default:
		return "asking";
	}
}

/* --- Timers */

/* A question that was not even sent: the node is not to blame. */
static void too_late(struct link *k)
{
	static const char why[] = "there was no descriptor for a connection in time";

	link_wait_end(k);
	memcpy(k->why, why, sizeof(why));
	sched_node_lost(the_watch->sched, link_index(k));
	end_fetch(k);
}

static void on_slot(struct loop *l, struct loop_timer *t)
{
	struct watch *w = the_watch;

	(void)t;
	while (w->for_slot.first != 0) {
		struct link *k = &w->link[w->for_slot.first - 1];

		/* A question without the time for an answer would be the node's failure. */
		if (k->deadline_ms - l->now_ms <= w->timeout_ms / 8) {
			too_late(k);
		} else if (link_slot_take(k)) {
			link_wait_end(k);
			(void)fetch(k, k->deadline_ms); /* failures are told to those who wait */
		} else {
			break;
		}
	}
	link_wait_arm(&w->for_slot);
}

static bool wants_poll(const struct watch *w, uint32_t i, int64_t now)
{
	const struct sched_node *n = &w->sched->node[i];
	const struct link *k = &w->link[i];

	return n->used && k->state == LINK_IDLE && (k->ready || k->named) && k->fails == 0 &&
	       k->kind != LINK_PLAIN && !k->kept && now - n->asked_ms < WATCH_ASKED_MS &&
	       (!n->known || now - n->known_ms >= WATCH_POLL_MS);
}

/* Nodes that cannot be followed are asked in turns, so that all of them are within WATCH_POLL_MS.
 */
static void on_poll(struct loop *l, struct loop_timer *t)
{
	struct watch *w = CONTAINER_OF(t, struct watch, poll);
	uint32_t n = w->sched->node_n, look = n / 20 + 64, asks = n / 100 + 16;

	for (; look > 0 && asks > 0 && w->for_slot.first == 0 && w->open < w->open_max; look--) {
		uint32_t i = w->poll_at++ % n;

		if (wants_poll(w, i, l->now_ms)) {
			asks--;
			(void)link_start(
				&w->link[i], clock_ms() + w->timeout_ms); /* failures are kept */
		}
	}
	if (n > w->kept_max) {
		loop_timer_set(l, t, l->now_ms + POLL_TICK_MS);
	}
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
		if (now - w->sched->node[i].asked_ms >= w->forget_ms &&
			w->sched->node[i].pins == 0) {
			link_close(k);
			sched_node_drop(w->sched, i);
		} else if (k->state == LINK_IDLE && k->fails > 0 && now >= k->retry_ms) {
			(void)link_start(k, clock_ms() + w->timeout_ms); /* failures are kept */
		}
	}
	if (w->logged > WATCH_LOGGED) {
		log_warn("%u more nodes began or ceased to answer",
			(unsigned)(w->logged - WATCH_LOGGED));
	}
	w->logged = 0;
	names_check(&w->names);
	where_ask();
	(void)sched_expire(w->sched, now);
	loop_timer_set(l, t, now + 1000);
}

static void *map(size_t n)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		-1, 0);

	return p == MAP_FAILED ? NULL : p;
}

int watch_init(struct watch *w, struct loop *loop, struct sched *s, uint32_t files, struct err *e)
{
	*w = (struct watch){.loop = loop, .sched = s, .open_max = files};
	w->kept_max = files - files / 8;
	w->link = map(SCHED_NODES_MAX * sizeof(*w->link));
	w->by_addr = map(WATCH_BUCKETS * sizeof(*w->by_addr));
	w->name = map(SCHED_NODES_MAX * sizeof(*w->name));
	w->state = map(sizeof(*w->state));
	if (w->link == NULL || w->by_addr == NULL || w->name == NULL || w->state == NULL) {
		return err_set(e, ENOMEM, "no address space for connections to nodes");
	}
	the_watch = w;
	names_init(&w->names, loop, where_found, w);
	w->for_name.timer.fn = where_late;
	w->for_slot.timer.fn = on_slot;
	w->poll.fn = on_poll;
	w->tick.fn = on_tick;
	loop_timer_set(loop, &w->tick, clock_ms() + 1000);
	return 0;
}

void watch_free(struct watch *w)
{
	loop_timer_del(w->loop, &w->tick);
	loop_timer_del(w->loop, &w->poll);
	names_free(&w->names);
	for (uint32_t i = 0; i < w->sched->node_n; i++) {
		link_close(&w->link[i]);
	}
	while (w->keep_n > 0) {
		(void)munmap(w->keep[--w->keep_n], WATCH_REPLY_MAX); /* our own mapping */
	}
}
