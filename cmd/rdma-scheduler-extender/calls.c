/* SPDX-License-Identifier: MIT */
/*
 * See calls.h. A request is read in place; nodes whose state is not current are asked, all at once;
 * when the last of them has answered or run into the timeout the decision is made for all nodes
 * together, so that it rests on one moment's knowledge.
 */
#include "calls.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "base/log.h"
#include "json/cursor.h"

#define VICTIMS_MAX 512 /* of one candidate that are looked at: more than run on a node */

const char *call_verb_name(enum call_verb v)
{
	static const char *const name[] = {"filter", "prioritize", "preempt"};

	return name[v];
}

const char *call_outcome_name(enum call_outcome o)
{
	static const char *const name[] = {"some", "none", "no_rdma", "malformed", "error"};

	return name[o];
}

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
	return c->text == NULL || c->arena == NULL ? err_set(e, ENOMEM, "no memory for requests")
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
		return call;
	}
	return NULL;
}

static void call_give(struct call *call)
{
	if (call->args.n > 8192) {
		(void)madvise(call->item, KUBE_ITEMS_MAX * sizeof(*call->item), MADV_DONTNEED);
		(void)madvise(call->node, KUBE_ITEMS_MAX * sizeof(*call->node), MADV_DONTNEED);
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

/* --- Answers */

/* One line a decision, with how many nodes passed and failed for which reason. */
static void log_decision(struct calls *c, const struct call *call, int64_t us)
{
	static const char *const word[KUBE_VERDICTS] = {
		"", "without room", "too small", "unknown", "malformed", "left out", "undecided"};
	uint32_t count[KUBE_VERDICTS] = {0};
	char text[200];
	struct buf b;

	for (size_t i = 0; i < call->args.n; i++) {
		count[call->verdict[i]]++;
	}
	buf_init(&b, text, sizeof(text));
	for (size_t v = 0; v < KUBE_VERDICTS; v++) {
		c->verdicts[v] += count[v];
		if (v != KUBE_PASS && count[v] > 0) {
			buf_printf(&b, ", %u %s", (unsigned)count[v], word[v]);
		}
	}
	log_info("%s %.*s: %u of %zu nodes pass%.*s%s%s, %d.%03d ms", call_verb_name(call->verb),
		(int)call->name_n, call->name, (unsigned)count[KUBE_PASS], call->args.n,
		STR_ARG(buf_str(&b)), call->malformed != NULL ? ": " : "",
		call->malformed != NULL ? call->malformed : "", (int)(us / 1000), (int)(us % 1000));
}

static void count_outcome(struct calls *c, const struct call *call, enum call_outcome o)
{
	int64_t us = clock_us() - call->begun_us;

	c->outcome[call->verb][o]++;
	http_hist_add(&c->time[call->verb], us);
	if (o == CALL_ERROR) {
		log_warn("%s %.*s: %s", call_verb_name(call->verb), (int)call->name_n, call->name,
			call->why);
	} else if (call->verb != CALL_PRIORITIZE) {
		log_decision(c, call, us);
	} else {
		log_info("prioritize %.*s: %zu nodes, %d.%03d ms", (int)call->name_n, call->name,
			call->args.n, (int)(us / 1000), (int)(us % 1000));
	}
}

static void set_json(struct http_resp *resp, struct str text)
{
	resp->type = "application/json";
	resp->body = (struct http_body){text.p, text.n, NULL, NULL};
}

static void answer_error(struct calls *c, struct call *call, struct http_resp *resp, bool is_json)
{
	count_outcome(c, call, CALL_ERROR);
	if (!is_json) {
		http_resp_error(resp, 400, call->why);
	} else if (call->verb == CALL_FILTER) {
		resp->type = "application/json";
		kube_error_reply(&resp->text, call->why);
	} else {
		/* These answers have no place for an error: schedulers log the status. */
		http_resp_error(resp, 422, call->why);
	}
	call_give(call);
}

static enum call_outcome outcome_of(const struct call *call)
{
	if (call->malformed != NULL) {
		return CALL_MALFORMED;
	}
	if (call->need.n == 0) {
		return CALL_NO_RDMA;
	}
	for (size_t i = 0; i < call->args.n; i++) {
		if (call->verdict[i] == KUBE_PASS) {
			return CALL_SOME;
		}
	}
	return CALL_NONE;
}

static void answer(struct calls *c, struct call *call, struct http_resp *resp)
{
	struct str text = STR_INIT;
	size_t slack_n;
	char *slack = bodies_slack(call->body, call->body_n, &slack_n);
	enum call_outcome outcome;
	bool ok;

	if (call->verb == CALL_PRIORITIZE) {
		outcome = call->malformed != NULL ? CALL_MALFORMED
			  : call->need.n == 0     ? CALL_NO_RDMA
						  : CALL_SOME;
		ok = kube_score_reply(&call->args, call->verdict, slack, slack_n, &text);
	} else {
		outcome = outcome_of(call);
		ok = call->verb == CALL_FILTER
			     ? kube_filter_reply(&call->args, call->verdict, slack, slack_n, &text)
			     : kube_preempt_reply(
				       &call->args, call->verdict, slack, slack_n, &text);
	}
	ASSERT(ok); /* the slack is made for it */
	count_outcome(c, call, outcome);
	set_json(resp, text);
	call_give(call);
}

/* --- Decisions */

static struct sched_ask ask_of(const struct call *call)
{
	return (struct sched_ask){.uid = {call->key, call->key_n},
		.name = {call->name, call->name_n},
		.req = call->need.req,
		.req_n = call->need.n};
}

static uint8_t verdict_of(uint8_t v)
{
	switch (v) {
	case SCHED_PASS:
		return KUBE_PASS;
	case SCHED_NO_ROOM:
		return KUBE_NO_ROOM;
	case SCHED_NEVER:
		return KUBE_NEVER;
	case SCHED_NARROWED:
		return KUBE_NARROWED;
	case SCHED_UNDECIDED:
		return KUBE_UNDECIDED;
	default:
		return KUBE_UNKNOWN;
	}
}

static bool candidate_fits(struct calls *c, const struct call *call, size_t i)
{
	static uint64_t gone[VICTIMS_MAX]; /* scratch */
	const struct sched_ask ask = ask_of(call);
	struct kube_victims v;
	struct str uid;
	size_t n = 0;

	if (call->node[i] == SCHED_NONE) {
		return false;
	}
	kube_victims_init(&v, &call->args.item[i]);
	while (n < VICTIMS_MAX && kube_victims_next(&v, &uid)) {
		gone[n++] = sched_uid_hash(uid);
	}
	return sched_fits_without(c->sched, &ask, call->node[i], gone, n);
}

static int decide(struct calls *c, struct call *call, struct err *e)
{
	const struct sched_ask ask = ask_of(call);
	int64_t now = clock_ms();
	int r = 0;

	(void)sched_expire(c->sched, now);
	if (call->verb == CALL_FILTER) {
		r = sched_filter(c->sched, &ask, call->node, call->args.n, c->opts->narrow,
			c->opts->spread, call->verdict, now, e);
		for (size_t i = 0; i < call->args.n && r == 0; i++) {
			call->verdict[i] = verdict_of(call->verdict[i]);
		}
		return r;
	}
	if (call->verb == CALL_PRIORITIZE) {
		sched_score(
			c->sched, &ask, call->node, call->args.n, c->opts->spread, call->verdict);
		return 0;
	}
	for (size_t i = 0; i < call->args.n; i++) {
		call->verdict[i] = candidate_fits(c, call, i) ? KUBE_PASS : KUBE_NO_ROOM;
	}
	return 0;
}

static void finish(struct calls *c, struct call *call, struct http_resp *resp)
{
	struct err e;

	if (decide(c, call, &e) < 0) {
		memcpy(call->why, e.msg, sizeof(call->why) - 1);
		answer_error(c, call, resp, true);
		return;
	}
	answer(c, call, resp);
}

/* The nodes of the request, and questions to those that are not followed. */
static void ask_nodes(struct calls *c, struct call *call)
{
	unsigned bit = (unsigned)(call - c->call);
	int64_t now = clock_ms();

	for (size_t i = 0; i < call->args.n; i++) {
		const struct kube_item *item = &call->args.item[i];
		uint32_t node = call->verb == CALL_PRIORITIZE
					? sched_node_find(c->sched, item->name)
					: sched_node_add(c->sched, item->name, now);
		struct link *link;

		call->node[i] = node;
		if (node == SCHED_NONE || call->verb == CALL_PRIORITIZE) {
			continue;
		}
		link = &c->watch->link[node];
		if (item->ip.n == 0 || !watch_address(c->watch, node, item->ip)) {
			if (item->dns.n > 0) {
				watch_name(c->watch, node, item->dns);
			} else if (!call->args.has_nodes) {
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
	call->pending = 0;
	memset(call->why, 0, sizeof(call->why));
	if (req->body.n == 0) {
		r = err_set(&e, EINVAL, "the request has no body");
	} else {
		r = read_request(c, call, req->body, &e);
	}
	if (r < 0) {
		memcpy(call->why, e.msg, sizeof(call->why) - 1);
		answer_error(c, call, resp, r == -EPROTO);
		return;
	}
	if (call->malformed != NULL || call->need.n == 0) {
		memset(call->verdict,
			verb == CALL_PRIORITIZE   ? 0
			: call->malformed != NULL ? KUBE_MALFORMED
						  : KUBE_PASS,
			call->args.n);
		answer(c, call, resp);
		return;
	}
	ask_nodes(c, call);
	if (call->pending > 0) {
		call->conn = http_resp_later(resp);
		return;
	}
	finish(c, call, resp);
}

void *calls_body_get(void *arg, size_t n)
{
	struct calls *c = arg;

	return bodies_get(c->bodies, n);
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
		struct http_resp resp;
		struct http_conn *conn = call->conn;

		if ((waiters >> bit & 1) == 0 || --call->pending > 0 || conn == NULL) {
			continue;
		}
		http_later_begin(conn, &resp);
		finish(c, call, &resp);
		http_later_send(conn, &resp);
	}
}
