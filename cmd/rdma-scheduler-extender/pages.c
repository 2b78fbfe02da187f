/* SPDX-License-Identifier: MIT */
/* See pages.h. A document is rendered for each request and lives until it has been taken. */
#include "pages.h"

#include <sys/mman.h>

#include "base/clock.h"
#include "base/version.h"
#include "sched/render.h"

#define METRICS_CAP (256 * 1024)
#define SHOWN       24 /* nodes with a problem on the summary */

/* What stands at the front of a document's mapping. */
struct doc {
	struct pages *pages;
	size_t mapped;
};

static void release(void *arg)
{
	struct doc *d = arg;

	d->pages->sent--;
	(void)munmap(d, d->mapped); /* cannot fail for a mapping of our own */
}

static struct doc *doc_take(struct pages *p, size_t cap, struct buf *b, struct http_resp *resp)
{
	struct doc *d = MAP_FAILED;

	if (p->sent < PAGES_MAX) {
		d = mmap(NULL, sizeof(*d) + cap, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	}
	if (d == MAP_FAILED) {
		http_resp_error(resp, 503, "no memory for an answer, try again");
		return NULL;
	}
	*d = (struct doc){p, sizeof(*d) + cap};
	p->sent++;
	buf_init(b, d + 1, cap);
	return d;
}

static void doc_send(struct doc *d, bool ok, const struct buf *b, struct http_resp *resp)
{
	if (!ok) {
		release(d);
		http_resp_error(resp, 500, "the answer is too large");
		return;
	}
	resp->body = (struct http_body){b->p, b->n, release, d};
}

static const char *word_of(void *arg, uint32_t node, const char **why)
{
	return watch_word(arg, node, why);
}

void pages_nodes(void *arg, const struct http_req *req, struct http_resp *resp)
{
	struct pages *p = arg;
	const struct sched *s = p->calls->sched;
	struct buf b;
	struct doc *d = doc_take(p, sched_render_cap(s), &b, resp);

	(void)req;
	if (d != NULL) {
		resp->type = "application/json";
		doc_send(d, sched_render(&b, s, word_of, p->calls->watch, clock_ms()), &b, resp);
	}
}

static void put_decisions(struct buf *b, const struct calls *c)
{
	static const char total[] = "ferrule_extender_decisions_total";
	static const char seconds[] = "ferrule_extender_decision_seconds";
	static const char nodes[] = "ferrule_extender_nodes_judged_total";
	static const char *const word[KUBE_VERDICTS] = {
		"pass", "no_room", "never", "unknown", "malformed", "narrowed", "undecided"};

	http_prom_family(b, total, "counter", "Requests of schedulers by what came of them");
	for (int v = 0; v < CALL_VERBS; v++) {
		for (int o = 0; o < CALL_OUTCOMES; o++) {
			struct http_label l[] = {
				{"verb", str_from(call_verb_name((enum call_verb)v))},
				{"outcome", str_from(call_outcome_name((enum call_outcome)o))}};

			http_prom_u64(b, total, l, ARRAY_LEN(l), c->outcome[v][o]);
		}
	}
	http_prom_family(b, seconds, "histogram", "Time from the whole request to the answer");
	for (int v = 0; v < CALL_VERBS; v++) {
		struct http_label l = {"verb", str_from(call_verb_name((enum call_verb)v))};

		http_prom_hist(b, seconds, &l, 1, &c->time[v]);
	}
	http_prom_family(b, nodes, "counter", "Nodes of filter and preempt by verdict");
	for (int v = 0; v < KUBE_VERDICTS; v++) {
		struct http_label l = {"verdict", str_from(word[v])};

		http_prom_u64(b, nodes, &l, 1, c->verdicts[v]);
	}
}

static void put_nodes(struct buf *b, const struct calls *c)
{
	static const char nodes[] = "ferrule_extender_nodes";
	static const char *const word[] = WATCH_WORDS;
	uint64_t count[ARRAY_LEN(word)] = {0};
	const struct sched *s = c->sched;

	for (uint32_t i = 0; i < s->node_n; i++) {
		const char *why, *is = s->node[i].used ? watch_word(c->watch, i, &why) : NULL;

		for (size_t k = 0; k < ARRAY_LEN(word) && is != NULL; k++) {
			count[k] += str_eq_c(str_from(is), word[k]) ? 1 : 0;
		}
	}
	http_prom_family(b, nodes, "gauge", "Nodes by how their state is known");
	for (size_t k = 0; k < ARRAY_LEN(word); k++) {
		struct http_label l = {"state", str_from(word[k])};

		http_prom_u64(b, nodes, &l, 1, count[k]);
	}
}

static void put_totals(struct buf *b, const struct calls *c)
{
	const struct sched *s = c->sched;
	struct sched_totals t;

	sched_total(s, &t);
	http_prom_one(b, "ferrule_extender_nodes_without_place_total", "counter",
		"Nodes of requests for which the table of nodes had no place", c->no_place);
	http_prom_one(b, "ferrule_extender_nodes_over_promised", "gauge",
		"Nodes on which claims do not fit any more", t.broken);
	http_prom_one(b, "ferrule_extender_claims", "gauge", "Pods between decision and attachment",
		s->claim_n);
	http_prom_one(b, "ferrule_extender_claims_expired_total", "counter",
		"Claims of pods that did not come in time", s->expired);
	http_prom_one(b, "ferrule_extender_claims_collapsed_total", "counter",
		"Claims of pods that were attached", s->collapsed);
	http_prom_one(
		b, "ferrule_extender_capacity_mbps", "gauge", "Mb/s of all known nodes", t.mbps);
	http_prom_one(b, "ferrule_extender_reserved_mbps", "gauge", "Mb/s in use as nodes say",
		t.used_mbps);
	http_prom_one(b, "ferrule_extender_claimed_mbps", "gauge",
		"Mb/s claimed, on every node that a pod may come to", t.claimed_mbps);
	http_prom_one(b, "ferrule_extender_free_mbps", "gauge", "Mb/s neither in use nor claimed",
		t.free_mbps);
	http_prom_one(b, "ferrule_extender_free_vfs", "gauge", "VFs neither in use nor claimed",
		t.free_vfs);
	http_prom_one(b, "ferrule_extender_attachments", "gauge", "Attachments that nodes tell of",
		t.attachments);
	http_prom_one(b, "ferrule_extender_node_connections", "gauge", "Open connections to nodes",
		c->watch->open);
	http_prom_one(b, "ferrule_extender_node_connections_limit", "gauge",
		"How many there may be: nodes beyond are polled", c->watch->open_max);
	http_prom_one(b, "ferrule_extender_node_questions_total", "counter",
		"Questions to nodes that were not followed", c->watch->fetches);
	http_prom_one(b, "ferrule_extender_node_failures_total", "counter",
		"Questions to nodes that failed", c->watch->failures);
	http_prom_one(b, "ferrule_extender_node_states_total", "counter", "States read from nodes",
		c->watch->changes);
}

void pages_metrics(void *arg, const struct http_req *req, struct http_resp *resp)
{
	struct pages *p = arg;
	struct buf b;
	struct doc *d = doc_take(p, METRICS_CAP, &b, resp);

	(void)req;
	if (d == NULL) {
		return;
	}
	http_prom_build(&b, "rdma-scheduler-extender");
	put_decisions(&b, p->calls);
	put_nodes(&b, p->calls);
	put_totals(&b, p->calls);
	http_prom_server(&b, p->server);
	resp->type = HTTP_PROM_TYPE;
	doc_send(d, buf_ok(&b), &b, resp);
}

static void put_problems(struct buf *b, const struct calls *c)
{
	const struct sched *s = c->sched;
	size_t shown = 0;

	for (uint32_t i = 0; i < s->node_n && shown < SHOWN; i++) {
		const char *why = NULL;

		if (!s->node[i].used) {
			continue;
		}
		(void)watch_word(c->watch, i, &why); /* why is all that is needed */
		if (why != NULL || s->node[i].broken) {
			buf_printf(b, "%s%.64s: %.100s\n",
				shown++ == 0 ? "\nnodes with a problem\n" : "", s->node[i].name,
				why != NULL ? why : "claims do not fit any more");
		}
	}
}

void pages_summary(void *arg, const struct http_req *req, struct http_resp *resp)
{
	struct pages *p = arg;
	const struct calls *c = p->calls;
	struct sched_totals t;
	struct buf *b = &resp->text;

	(void)req;
	sched_total(c->sched, &t);
	buf_printf(b, "rdma-scheduler-extender %s\n\n", ferrule_version());
	buf_printf(b, "nodes      %u, of which %llu known, %llu not known\n",
		(unsigned)c->sched->nodes, (unsigned long long)t.known,
		(unsigned long long)t.unknown);
	buf_printf(b, "bandwidth  %llu Mb/s: %llu in use, %llu claimed, %llu free\n",
		(unsigned long long)t.mbps, (unsigned long long)t.used_mbps,
		(unsigned long long)t.claimed_mbps, (unsigned long long)t.free_mbps);
	buf_printf(b, "VFs        %llu: %llu in use, %llu claimed, %llu free\n",
		(unsigned long long)t.vfs, (unsigned long long)t.used_vfs,
		(unsigned long long)t.claimed_vfs, (unsigned long long)t.free_vfs);
	buf_printf(b, "pods       %u between decision and attachment, %llu attachments\n",
		(unsigned)c->sched->claim_n, (unsigned long long)t.attachments);
	put_problems(b, c);
	buf_add_c(b, "\nPOST /scheduler/rdma_scheduling             filter (ExtenderArgs)\n"
		     "POST /scheduler/rdma_scheduling/prioritize  scores from 0 to 10\n"
		     "POST /scheduler/rdma_scheduling/preempt     candidates that would do\n"
		     "GET  /v1/nodes   what is believed of each node, and every claim (JSON)\n"
		     "GET  /metrics    numbers for Prometheus\n"
		     "GET  /healthz    200 while the program runs\n"
		     "GET  /readyz     200 while it answers schedulers\n");
}
