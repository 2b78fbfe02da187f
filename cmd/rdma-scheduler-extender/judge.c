/* SPDX-License-Identifier: MIT */
/* Decisions and answers to them: see calls_priv.h. */
#include "calls_priv.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

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

void call_answer_error(struct calls *c, struct call *call, struct http_resp *resp, bool is_json)
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

void call_answer(struct calls *c, struct call *call, struct http_resp *resp)
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

static int by_value(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return left < right ? -1 : left > right;
}

/* Whoever is named twice makes room once. */
static size_t unique(uint64_t *v, size_t n)
{
	size_t kept = 0;

	qsort(v, n, sizeof(*v), by_value);
	for (size_t i = 0; i < n; i++) {
		if (kept == 0 || v[kept - 1] != v[i]) {
			v[kept++] = v[i];
		}
	}
	return kept;
}

static uint8_t judge_candidate(struct calls *c, const struct call *call, size_t i)
{
	static uint64_t gone[VICTIMS_MAX]; /* scratch */
	const struct sched_ask ask = ask_of(call);
	struct kube_victims v;
	struct str uid;
	size_t n = 0;

	if (call->node[i] == SCHED_NONE) {
		return KUBE_UNKNOWN;
	}
	kube_victims_init(&v, &call->args.item[i]);
	while (n < VICTIMS_MAX && kube_victims_next(&v, &uid)) {
		gone[n++] = sched_uid_hash(uid);
	}
	return verdict_of(sched_judge_without(
		c->sched, &ask, call->node[i], gone, unique(gone, n), &c->steps));
}

int call_decide(struct calls *c, struct call *call, struct err *e)
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
	c->steps = 0;
	for (size_t i = 0; i < call->args.n; i++) {
		call->verdict[i] = judge_candidate(c, call, i);
	}
	return 0;
}
