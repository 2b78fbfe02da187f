/* SPDX-License-Identifier: MIT */
/*
 * What would fit if some pods went. Where none of them has anything, claims stay as they are
 * placed, so that a question about thousands of nodes costs one placement for each; else what stays
 * is placed anew.
 */
#include <stdlib.h>

#include "sched/sched_priv.h"

static int by_value(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return left < right ? -1 : left > right;
}

static bool goes(const struct sched_claim *c, const uint64_t *gone, size_t n)
{
	return n > 0 && bsearch(&c->uid_hash, gone, n, sizeof(*gone), by_value) != NULL;
}

static enum sched_verdict verdict_of(enum place_answer r)
{
	return r == PLACE_YES ? SCHED_PASS : r == PLACE_NO ? SCHED_NO_ROOM : SCHED_UNDECIDED;
}

/* What is free by the node's own word, with what is held there come back. */
static void without_held(
	const struct sched *s, uint32_t i, const struct place_pf *held, struct place_pf *free)
{
	const struct sched_pf *pf = sched_pfs_const(s, i);

	for (uint32_t p = 0; p < s->node[i].pf_n; p++) {
		const struct sched_pf_state *is = &pf[p].is;
		uint32_t used = is->used_mbps > held[p].mbps ? is->used_mbps - held[p].mbps : 0;
		uint32_t vfs = is->used_vfs > held[p].vfs ? is->used_vfs - held[p].vfs : 0;

		free[p] = (struct place_pf){is->vfs - vfs, used < is->mbps ? is->mbps - used : 0};
	}
}

/* Place what a claim has not got yet. */
static enum place_answer place_rest(
	struct sched *s, const struct sched_on *on, struct place_pf *free, uint64_t *steps)
{
	struct place_request rest[PLACE_REQ_MAX];
	uint8_t which[PLACE_REQ_MAX];
	struct place_out out;
	uint32_t n = sched_rest(on->c, sched_entry_pfs(on->entry), rest, which);
	enum place_answer r;

	if (n == 0) {
		return PLACE_YES;
	}
	r = sched_place(s, free, s->node[on->node].pf_n, rest, n, &out, steps);
	for (uint32_t k = 0; r == PLACE_YES && k < n; k++) {
		free[out.pf[k]].vfs--;
		free[out.pf[k]].mbps -= rest[k].min;
	}
	return r;
}

enum sched_verdict sched_judge_without(struct sched *s, const struct sched_ask *ask, uint32_t i,
	const uint64_t *gone, size_t gone_n, uint64_t *steps)
{
	struct place_pf free[PLACE_PF_MAX], held[PLACE_PF_MAX] = {{0}};
	uint64_t self = sched_uid_hash(ask->uid);
	const struct sched_claim *own = NULL;
	bool anew = s->node[i].broken;
	enum place_answer r = PLACE_YES;
	struct place_out out;
	struct sched_on on;

	if (!s->node[i].known) {
		return SCHED_UNKNOWN;
	}
	for (size_t g = 0; g < gone_n; g++) {
		anew = sched_holds(s, i, gone[g], held) > 0 || anew;
	}
	on = sched_on(s, i);
	while (sched_on_next(s, &on)) {
		own = on.c->uid_hash == self ? on.c : own;
		anew = anew || (on.c != own && goes(on.c, gone, gone_n));
	}
	if (anew) {
		without_held(s, i, held, free);
	} else {
		(void)sched_free_for(s, own, i, free);
	}
	on = sched_on(s, i);
	while (anew && r == PLACE_YES && sched_on_next(s, &on)) {
		if (on.c != own && !goes(on.c, gone, gone_n)) {
			r = place_rest(s, &on, free, steps);
		}
	}
	if (r == PLACE_YES) {
		r = sched_place(s, free, s->node[i].pf_n, ask->req, ask->req_n, &out, steps);
	}
	return verdict_of(r);
}
