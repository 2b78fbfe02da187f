/* SPDX-License-Identifier: MIT */
/*
 * See calls.h. A request is read in place; nodes whose state is not current are asked, all at once;
 * when the last of them has answered or run into the timeout the decision is made for all nodes
 * together, so that it rests on one moment's knowledge.
 */
#include "calls_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "base/log.h"
#include "json/cursor.h"

#define CALL_GRACE_MS 50 /* beyond the deadlines of links, which normally end a wait */

static void *map(size_t n)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		-1, 0);

	return p == MAP_FAILED ? NULL : p;
}

int calls_init(struct calls *c, const struct ext_opts *o, struct sched *s, struct watch *w,
	struct bodies *b, struct err *e)
{
	*c = (struct calls){.opts = o, .sched = s, .watch = w, .bodies = b};
	c->text = map(KUBE_ANNOTATION_MAX + 1);
	c->arena = map(KUBE_ANNOTATION_ARENA);
	return c->text == NULL || c->arena == NULL
		       ? err_set(e, ENOMEM, "no address space for requests")
		       : 0;
}

/* --- Places for requests */

static struct call *call_take(struct calls *c)
{
	for (size_t i = 0; i < CALLS_MAX; i++) {
		struct call *call = &c->call[i];

		if (call->used) {
			continue;
		}
		if (call->item == NULL) {
			call->item = map(KUBE_ITEMS_MAX * sizeof(*call->item));
			call->node = map(KUBE_ITEMS_MAX * sizeof(*call->node));
			call->verdict = map(KUBE_ITEMS_MAX);
		}
		if (call->item == NULL || call->node == NULL || call->verdict == NULL) {
			return NULL;
		}
		call->used = true;
		call->calls = c;
		return call;
	}
	return NULL;
}

void call_give(struct call *call)
{
	if (call->args.n > 8192) {
		(void)madvise(call->item, KUBE_ITEMS_MAX * sizeof(*call->item), MADV_DONTNEED);
		(void)madvise(call->node, KUBE_ITEMS_MAX * sizeof(*call->node), MADV_DONTNEED);
	}
	if (call->body != NULL) {
		bodies_answered(call->body);
	}
	call->used = false;
	call->conn = NULL;
}

void calls_free(struct calls *c)
{
	for (size_t i = 0; i < CALLS_MAX; i++) {
		struct call *call = &c->call[i];

		if (call->item != NULL) {
			(void)munmap(call->item, KUBE_ITEMS_MAX * sizeof(*call->item));
			(void)munmap(call->node, KUBE_ITEMS_MAX * sizeof(*call->node));
			(void)munmap(call->verdict, KUBE_ITEMS_MAX);
		}
	}
}

static void finish(struct calls *c, struct call *call, struct http_resp *resp)
{
	struct err e;

	if (call_decide(c, call, &e) < 0) {
		memcpy(call->why, e.msg, sizeof(call->why) - 1);
		call_answer_error(c, call, resp, true);
		return;
	}
	call_answer(c, call, resp);
}

/* --- Waiting for nodes */

/* The slots of the request's nodes stay theirs until the decision. */
static void pin(struct calls *c, struct call *call, bool on)
{
	for (size_t i = 0; i < call->args.n; i++) {
		if (call->node[i] != SCHED_NONE) {
			c->sched->node[call->node[i]].pins += on ? 1 : UINT32_MAX;
		}
	}
}

/* The connection that waits for the answer. */
static struct http_conn *end_wait(struct calls *c, struct call *call)
{
	uint64_t bit = (uint64_t)1 << (call - c->call);
	struct http_conn *conn = call->conn;

	loop_timer_del(c->watch->loop, &call->timer);
	for (size_t i = 0; i < call->args.n && call->pending > 0; i++) {
		if (call->node[i] != SCHED_NONE) {
			c->watch->link[call->node[i]].waiters &= ~bit;
		}
	}
	pin(c, call, false);
	call->pending = 0;
	call->conn = NULL;
	c->waiting--;
	return conn;
}

/* Nothing is decided: why says so. */
static void give_up(struct calls *c, struct call *call, const char *why)
{
	struct http_conn *conn = end_wait(c, call);
	struct http_resp resp;

	(void)snprintf(call->why, sizeof(call->why), "%s", why);
	http_later_begin(conn, &resp);
	call_answer_error(c, call, &resp, true);
	http_later_send(conn, &resp);
}

static void end_call(struct calls *c, struct call *call)
{
	struct http_conn *conn;
	struct http_resp resp;

	if (http_later_gone(call->conn)) {
		give_up(c, call, "the client has gone");
		return;
	}
	conn = end_wait(c, call);
	http_later_begin(conn, &resp);
	finish(c, call, &resp);
	http_later_send(conn, &resp);
}

/* Links have their deadlines; this one holds whatever they do. */
static void on_late(struct loop *l, struct loop_timer *t)
{
	struct call *call = CONTAINER_OF(t, struct call, timer);

	(void)l;
	end_call(call->calls, call);
}

static void wait_for_nodes(struct calls *c, struct call *call, struct http_resp *resp)
{
	if (c->waiting == CALLS_MAX - 1) {
		struct call *oldest = NULL;

		for (size_t i = 0; i < CALLS_MAX; i++) {
			struct call *other = &c->call[i];

			if (other->conn != NULL &&
				(oldest == NULL || other->begun_us < oldest->begun_us)) {
				oldest = other;
			}
		}
		ASSERT(oldest != NULL); /* so many wait */
		end_call(c, oldest);    /* with what is known by now */
	}
	c->waiting++;
	pin(c, call, true);
	call->timer.fn = on_late;
	loop_timer_set(c->watch->loop, &call->timer,
		clock_ms() + c->opts->node_timeout_ms + CALL_GRACE_MS);
	call->conn = http_resp_later(resp);
}

/*
 * A scheduler that asks again does not wait for its first question any more: that must not put old
 * claims in place of newer ones.
 */
static void end_older(struct calls *c, const struct call *call)
{
	for (size_t i = 0; i < CALLS_MAX; i++) {
		struct call *other = &c->call[i];

		if (other->conn != NULL && other != call && other->verb == CALL_FILTER &&
			str_eq((struct str){other->key, other->key_n},
				(struct str){call->key, call->key_n})) {
			give_up(c, other, "superseded by a newer request for the same pod");
		}
	}
}

static void count_no_place(struct calls *c, int64_t now)
{
	c->no_place++;
	if (now >= c->quiet_until_ms) {
		c->quiet_until_ms = now + WATCH_QUIET_MS;
		log_warn("the table of nodes is full: %d names were asked about within the last "
			 "%u s; new ones are not known until some of these are forgotten",
			SCHED_NODES_MAX, (unsigned)c->opts->forget_after_s);
	}
}

/* All are asked about before the first is asked: that decides which name has an address. */
static void find_nodes(struct calls *c, struct call *call)
{
	int64_t now = clock_ms();

	for (size_t i = 0; i < call->args.n; i++) {
		struct str name = call->args.item[i].name;

		call->node[i] = call->verb == CALL_PRIORITIZE ? sched_node_find(c->sched, name)
							      : sched_node_add(c->sched, name, now);
		if (call->node[i] == SCHED_NONE && call->verb != CALL_PRIORITIZE &&
			c->sched->nodes == SCHED_NODES_MAX) {
			count_no_place(c, now);
		}
	}
}

/* The nodes of the request, and questions to those that are not followed. */
static void ask_nodes(struct calls *c, struct call *call)
{
	unsigned bit = (unsigned)(call - c->call);

	find_nodes(c, call);
	for (size_t i = 0; i < call->args.n && call->verb != CALL_PRIORITIZE; i++) {
		const struct kube_item *item = &call->args.item[i];
		uint32_t node = call->node[i];
		struct link *link;

		if (node == SCHED_NONE) {
			continue;
		}
		link = &c->watch->link[node];
		if (item->ip.n == 0 || !watch_address(c->watch, node, item->ip)) {
			if (item->dns.n > 0) {
				watch_name(c->watch, node, item->dns);
			} else if (!call->args.has_nodes && !link->ready && !link->named) {
				watch_name(c->watch, node, item->name); /* all that is known */
			}
		}
		if ((link->waiters >> bit & 1) == 0 && watch_ask(c->watch, node, bit)) {
			call->pending++;
		}
	}
}

/* --- Requests */

static int set_names(struct call *call, struct err *e)
{
	const struct kube_pod *pod = &call->args.pod;
	struct buf b;

	buf_init(&b, call->name, sizeof(call->name));
	buf_add(&b, pod->namespace);
	buf_add_chr(&b, '/');
	buf_add(&b, pod->name);
	call->name_n = b.n;
	if (!buf_ok(&b)) {
		return err_set(e, EPROTO, "the pod's name is too long");
	}
	buf_init(&b, call->key, sizeof(call->key));
	buf_add(&b, pod->uid.n > 0 ? pod->uid : (struct str){call->name, call->name_n});
	call->key_n = b.n;
	return buf_ok(&b) ? 0 : err_set(e, EPROTO, "the pod's uid is too long");
}

static int read_need(struct calls *c, struct call *call, struct err *e)
{
	const struct kube_pod *pod = &call->args.pod;
	struct arena a;
	size_t n = 0;
	int r = 0;

	call->malformed = NULL;
	call->need.n = 0;
	if (pod->required.p == NULL) {
		return 0;
	}
	arena_init(&a, c->arena, KUBE_ANNOTATION_ARENA);
	r = json_raw_text(pod->required, c->text, KUBE_ANNOTATION_MAX + 1, &n);
	if (r < 0) {
		(void)err_set(e, EINVAL, "not text, or too long");
	} else {
		r = kube_annotation_parse((struct str){c->text, n}, &a, &call->need, e);
	}
	if (r < 0) {
		memcpy(call->why, e->msg, sizeof(call->why) - 1);
		call->malformed = call->why;
		return 0;
	}
	if (call->need.n > 0 && pod->uid.n == 0 && pod->name.n == 0) {
		return err_set(e, EPROTO, "the pod has neither uid nor name");
	}
	return 0;
}

static int read_request(struct calls *c, struct call *call, struct str body, struct err *e)
{
	int r;

	call->args.item = call->item;
	call->args.cap = KUBE_ITEMS_MAX;
	call->name_n = call->key_n = 0;
	r = call->verb == CALL_PREEMPT ? kube_preempt_find(body, &call->args, e)
				       : kube_args_find(body, &call->args, e);
	if (r == 0) {
		r = set_names(call, e);
	}
	return r < 0 ? r : read_need(c, call, e);
}

static void handle(
	struct calls *c, enum call_verb verb, const struct http_req *req, struct http_resp *resp)
{
	struct call *call = call_take(c);
	struct err e;
	int r;

	if (call == NULL) {
		http_resp_error(resp, 503, "too many requests wait for nodes");
		return;
	}
	call->verb = (uint8_t)verb;
	call->begun_us = clock_us();
	call->body = (void *)req->body.p;
	call->body_n = req->body.n;
	if (call->body != NULL) {
		bodies_busy(call->body);
	}
	call->pending = 0;
	memset(call->why, 0, sizeof(call->why));
	if (req->body.n == 0) {
		r = err_set(&e, EINVAL, "the request has no body");
	} else {
		r = read_request(c, call, req->body, &e);
	}
	if (r < 0) {
		memcpy(call->why, e.msg, sizeof(call->why) - 1);
		call_answer_error(c, call, resp, r == -EPROTO);
		return;
	}
	if (call->malformed != NULL || call->need.n == 0) {
		memset(call->verdict,
			verb == CALL_PRIORITIZE   ? 0
			: call->malformed != NULL ? KUBE_MALFORMED
						  : KUBE_PASS,
			call->args.n);
		call_answer(c, call, resp);
		return;
	}
	if (verb == CALL_FILTER) {
		end_older(c, call);
	}
	ask_nodes(c, call);
	if (call->pending > 0) {
		wait_for_nodes(c, call, resp);
		return;
	}
	finish(c, call, resp);
}

void *calls_body_get(void *arg, size_t n)
{
	struct calls *c = arg;

	return bodies_get(c->bodies, n);
}

bool calls_body_grow(void *arg, void *mem, size_t n)
{
	struct calls *c = arg;

	return bodies_grow(c->bodies, mem, n);
}

void calls_body_put(void *arg, void *mem)
{
	struct calls *c = arg;

	bodies_put(c->bodies, mem);
}

void calls_filter(void *arg, const struct http_req *req, struct http_resp *resp)
{
	handle(arg, CALL_FILTER, req, resp);
}

void calls_prioritize(void *arg, const struct http_req *req, struct http_resp *resp)
{
	handle(arg, CALL_PRIORITIZE, req, resp);
}

void calls_preempt(void *arg, const struct http_req *req, struct http_resp *resp)
{
	handle(arg, CALL_PREEMPT, req, resp);
}

/* The scheduler shows Error in the pod's event, which it does not do with a status. */
void calls_bind(void *arg, const struct http_req *req, struct http_resp *resp)
{
	static const char why[] = "rdma-scheduler-extender does not bind pods: remove bindVerb "
				  "from this extender in the configuration of kube-scheduler";
	struct kube_binding b;
	struct err e;
	int r = req->body.n == 0 ? err_set(&e, EINVAL, "the request has no body")
				 : kube_binding_find(req->body, &b, &e);

	(void)arg;
	if (r < 0 && r != -EPROTO) {
		http_resp_error(resp, 400, e.msg);
		return;
	}
	log_warn("bind: %s", r == 0 ? why : e.msg);
	resp->type = "application/json";
	kube_binding_reply(&resp->text, r == 0 ? why : e.msg);
}

void calls_node_done(void *arg, uint32_t node, uint64_t waiters)
{
	struct calls *c = arg;

	(void)node;
	for (unsigned bit = 0; bit < CALLS_MAX; bit++) {
		struct call *call = &c->call[bit];

		if ((waiters >> bit & 1) != 0 && --call->pending == 0 && call->conn != NULL) {
			end_call(c, call);
		}
	}
}
