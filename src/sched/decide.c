/* SPDX-License-Identifier: MIT */
/*
 * The filter decision. Clusters are made of like nodes, and placement is a function of what is free
 * alone, so answers are kept, by what was free, while one question lasts.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sched/score_priv.h"

#define KEPT SCHED_KEPT

/* One question. The table is large for the stack and has no meaning between questions. */
struct question {
	struct sched *s;
	const struct sched_ask *ask;
	uint64_t steps;
	struct sched_claim *claim; /* being made */
};

/* Steps that one placement may take, of those left for the question. 0: there are none. */
static uint32_t steps_left(uint64_t steps)
{
	uint64_t left = steps < SCHED_STEPS_MAX ? SCHED_STEPS_MAX - steps : 0;

	return left < PLACE_STEPS_MAX ? (uint32_t)left : PLACE_STEPS_MAX;
}

enum place_answer sched_place(struct sched *s, const struct place_pf *pf, size_t pf_n,
	const struct place_request *req, uint32_t req_n, struct place_out *out, uint64_t *steps)
{
	const struct place_in in = {pf, pf_n, req, req_n, steps_left(*steps)};
	struct err e;
	int r;

	if (in.steps_max == 0) {
		return PLACE_LIMIT;
	}
	r = place_assign(&in, s->work, out, &e);
	ASSERT(r >= 0); /* annotations and states have no more requests and PFs than it takes */
	*steps += out->steps;
	return r == PLACE_ANY ? PLACE_YES : (enum place_answer)r;
}

static struct sched_kept *look_up(
	struct sched_kept *table, uint32_t serial, const struct place_pf *pf, size_t n, bool *found)
{
	struct sched_kept *k;
	uint64_t h;

	if (n > SCHED_PF_FEW) {
		return NULL;
	}
	h = sched_uid_hash((struct str){(const char *)pf, n * sizeof(*pf)});
	k = &table[(h ^ h >> 32) & (KEPT - 1)];
	*found = k->serial == serial && k->pf_n == n && memcmp(k->pf, pf, n * sizeof(*pf)) == 0;
	if (!*found) {
		k->serial = serial;
		k->pf_n = (uint32_t)n;
		memcpy(k->pf, pf, n * sizeof(*pf));
	}
	return k;
}

/* Where the interfaces go with this much free. */
static enum place_answer place(struct question *q, const struct place_pf *pf, size_t n, uint8_t *at)
{
	struct place_out out;
	bool found = false;
	struct sched_kept *k = look_up(q->s->kept, q->s->serial, pf, n, &found);
	enum place_answer r;

	if (found) {
		memcpy(at, k->at, q->ask->req_n);
		return (enum place_answer)k->answer;
	}
	r = sched_place(q->s, pf, n, q->ask->req, q->ask->req_n, &out, &q->steps);
	if (r == PLACE_YES) {
		memcpy(at, out.pf, q->ask->req_n);
	}
	if (k != NULL) {
		k->answer = (uint8_t)r;
		memcpy(k->at, out.pf, r == PLACE_YES ? q->ask->req_n : 0);
	}
	return r;
}

/* Whether the pod would fit if the node were empty; true where that is not known. */
static bool fits_whole(struct question *q, uint32_t i)
{
	const struct sched_pf *pf = sched_pfs_const(q->s, i);
	struct place_pf whole[PLACE_PF_MAX];
	struct place_in in = {
		whole, q->s->node[i].pf_n, q->ask->req, q->ask->req_n, steps_left(q->steps)};
	struct place_out out;
	bool found = false;
	struct sched_kept *k;
	struct err e;
	int r;

	for (size_t p = 0; p < in.pf_n; p++) {
		whole[p] = (struct place_pf){pf[p].is.vfs, pf[p].is.mbps};
	}
	k = look_up(q->s->kept + KEPT, q->s->serial, whole, in.pf_n, &found);
	if (found) {
		return k->answer != PLACE_NO;
	}
	if (in.steps_max == 0) {
		return true;
	}
	r = place_fits(&in, q->s->work, &out, &e);
	ASSERT(r >= 0); /* as above */
	q->steps += out.steps;
	if (k != NULL) {
		k->answer = (uint8_t)r;
	}
	return r != PLACE_NO;
}

static uint8_t judge(struct question *q, uint32_t i)
{
	struct sched_node *n = &q->s->node[i];
	struct place_pf free[PLACE_PF_MAX];
	uint8_t at[PLACE_REQ_MAX];
	struct sched_claim *c = q->claim;
	enum place_answer r;
	unsigned char *entry;

	if (!n->known) {
		return SCHED_UNKNOWN;
	}
	r = n->broken ? PLACE_NO : place(q, free, sched_copy_free(q->s, i, free), at);
	if (r == PLACE_LIMIT) {
		return SCHED_UNDECIDED;
	}
	if (r == PLACE_NO || !sched_any_order(q->s, i, q->ask->req, q->ask->req_n, &q->steps)) {
		return fits_whole(q, i) ? SCHED_NO_ROOM : SCHED_NEVER;
	}
	entry = sched_entry(c, c->entry_n++);
	memcpy(entry, &i, sizeof(i));
	memcpy(sched_entry_pfs(entry), at, q->ask->req_n);
	return SCHED_PASS;
}

static int by_node(const void *a, const void *b)
{
	uint32_t left = sched_entry_node(a), right = sched_entry_node(b);

	return left < right ? -1 : left > right;
}

static void sort_entries(struct sched_claim *c)
{
	for (uint32_t k = 1; k < c->entry_n; k++) {
		if (by_node(sched_entry(c, k - 1), sched_entry(c, k)) > 0) {
			qsort(c->run, c->entry_n, c->stride, by_node);
			return;
		}
	}
}

/* Only the best entries stay: a histogram of scores says from which one on. */
static void narrow_entries(struct question *q, uint32_t narrow, bool spread)
{
	struct sched_claim *c = q->claim;
	uint32_t count[SCORE_FINE + 1] = {0}, left = narrow, kept = 0, ties, floor = SCORE_FINE;

	for (uint32_t k = 0; k < c->entry_n; k++) {
		count[score_entry(q->s, c, sched_entry(c, k), spread)]++;
	}
	while (floor > 0 && count[floor] < left) {
		left -= count[floor--];
	}
	ties = left;
	for (uint32_t k = 0; k < c->entry_n; k++) {
		unsigned char *entry = sched_entry(c, k);
		uint32_t score = score_entry(q->s, c, entry, spread);

		if (score > floor || (score == floor && ties > 0)) {
			ties -= score == floor ? 1 : 0;
			memmove(sched_entry(c, kept++), entry, c->stride);
		} else {
			q->s->node[sched_entry_node(entry)].verdict = SCHED_NARROWED;
		}
	}
	c->entry_n = kept;
}

static struct sched_claim *begin_claim(struct question *q, size_t n, int64_t now_ms, struct err *e)
{
	struct sched *s = q->s;
	struct sched_claim *c = sched_claim_new(s, q->ask, now_ms);

	if (c == NULL) {
		(void)err_set(
			e, ENOSPC, "more than %d pods wait for their interfaces", SCHED_CLAIMS_MAX);
		return NULL;
	}
	q->claim = c;
	c->stride = SCHED_ENTRY_HEAD + (q->ask->req_n + 3) / 4 * 4;
	c->run_bytes = (n > 0 ? n : 1) * c->stride;
	if (s->entries + n <= SCHED_ENTRIES_MAX) {
		c->run = sched_map(c->run_bytes);
	}
	if (c->run == NULL) {
		c->run_bytes = 0;
		sched_claim_drop(s, c);
		(void)err_set(e, ENOSPC,
			s->entries + n > SCHED_ENTRIES_MAX
				? "waiting pods were promised too many nodes, all together"
				: "no memory for more claims");
		return NULL;
	}
	return c;
}

static void end_claim(struct question *q)
{
	struct sched *s = q->s;
	struct sched_claim *c = q->claim;

	sort_entries(c);
	for (uint32_t k = 0; k < c->entry_n; k++) {
		unsigned char *entry = sched_entry(c, k);
		uint32_t i = sched_entry_node(entry);

		sched_take(sched_pfs(s, i), sched_entry_pfs(entry), c->req, c->req_n);
		sched_link(s, c, k);
		c->by_name = c->by_name && !sched_shows_name(s, i, c->name_hash);
	}
	s->entries += c->entry_n;
	if (c->entry_n == 0) {
		sched_claim_drop(s, c);
	}
}

int sched_filter(struct sched *s, const struct sched_ask *ask, const uint32_t *node, size_t n,
	uint32_t narrow, bool spread, uint8_t *verdict, int64_t now_ms, struct err *e)
{
	struct question q = {.s = s, .ask = ask};
	struct sched_claim *old = sched_claim_find(s, ask->uid);

	if (n == 0) {
		return 0; /* nothing is decided, so nothing ends */
	}
	q.claim = begin_claim(&q, n, now_ms, e);
	if (q.claim == NULL) {
		return -ENOSPC;
	}
	if (old != NULL) {
		sched_claim_drop(s, old);
	}
	s->serial++;
	for (size_t k = 0; k < n; k++) {
		if (node[k] != SCHED_NONE && s->node[node[k]].serial != s->serial) {
			s->node[node[k]].serial = s->serial;
			s->node[node[k]].asked_ms = now_ms;
			s->node[node[k]].verdict = judge(&q, node[k]);
		}
	}
	if (narrow > 0 && q.claim->entry_n > narrow) {
		narrow_entries(&q, narrow, spread);
	}
	end_claim(&q);
	for (size_t k = 0; k < n; k++) {
		verdict[k] = node[k] == SCHED_NONE ? SCHED_UNKNOWN : s->node[node[k]].verdict;
	}
	return 0;
}
