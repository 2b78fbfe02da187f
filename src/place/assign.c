/* SPDX-License-Identifier: MIT */
/* The two questions of place.h, in terms of problems and their answers. */
#include "place/place_priv.h"

#include <errno.h>
#include <string.h>

static uint32_t free_mbps(const struct place_in *in, uint32_t pf)
{
	return in->pf[pf].mbps < PLACE_RATE_MAX ? in->pf[pf].mbps : PLACE_RATE_MAX;
}

const char *place_why_text(enum place_why why)
{
	switch (why) {
	case PLACE_WHY_NONE:
		break;
	case PLACE_WHY_VFS:
		return "fewer VFs are free than interfaces are wanted";
	case PLACE_WHY_REQUEST:
		return "the minimum of one interface is more than any PF has free";
	case PLACE_WHY_SUM:
		return "the minimums together are more than is free";
	case PLACE_WHY_SPLIT:
		return "what is free on each PF cannot be divided as wanted";
	}
	return "it fits";
}

static int begin(const struct place_in *in, struct place_work *w, struct place_out *out,
	struct err *e)
{
	if (in->req_n > PLACE_REQ_MAX) {
		return err_set(e, E2BIG, "%zu interfaces wanted, at most %d can be placed",
			in->req_n, PLACE_REQ_MAX);
	}
	if (in->pf_n > PLACE_PF_MAX) {
		return err_set(e, E2BIG, "%zu PFs, at most %d can be considered", in->pf_n,
			PLACE_PF_MAX);
	}
	memset(out, 0, sizeof(*out));
	out->hole_pf = PLACE_PF_NONE;
	place_begin(w, in);
	return 0;
}

/* The reasons for no that need no problem. vfs is the sum of free VFs. */
static enum place_why obvious(
	const struct place_in *in, const struct place_work *w, uint64_t *vfs)
{
	uint64_t sum = 0;
	uint32_t most = 0;

	*vfs = 0;
	for (uint32_t i = 0; i < in->pf_n; i++) {
		*vfs += in->pf[i].vfs;
		if (in->pf[i].vfs > 0) {
			uint32_t mbps = free_mbps(in, i);

			sum += mbps;
			most = mbps > most ? mbps : most;
		}
	}
	if (*vfs < w->req_n) {
		return PLACE_WHY_VFS;
	}
	if (w->req_n > 0 && w->size[0] > most) {
		return PLACE_WHY_REQUEST;
	}
	return w->size_sum > sum ? PLACE_WHY_SUM : PLACE_WHY_NONE;
}

/* Is there an assignment with this set aside? On yes, the problem has one of them. */
static enum place_answer possible(
	struct place_work *w, const struct place_in *in, uint8_t hole, uint32_t mbps)
{
	place_pose(w, in, hole, mbps);
	w->steps += w->problem.n;
	return place_greedy(&w->problem) ? PLACE_YES : place_search(w);
}

/* Begin, and find out whether there is any assignment. */
static int decide(const struct place_in *in, struct place_work *w, struct place_out *out,
	uint64_t *vfs, struct err *e)
{
	int r = begin(in, w, out, e);

	if (r < 0) {
		return r;
	}
	out->why = obvious(in, w, vfs);
	if (out->why != PLACE_WHY_NONE) {
		out->req = out->why == PLACE_WHY_REQUEST ? w->order[0] : 0;
		return PLACE_NO;
	}
	r = possible(w, in, PLACE_PF_NONE, 0);
	out->why = r == PLACE_NO ? PLACE_WHY_SPLIT : PLACE_WHY_NONE;
	return r;
}

int place_fits(const struct place_in *in, struct place_work *w, struct place_out *out,
	struct err *e)
{
	uint64_t vfs;
	int r = decide(in, w, out, &vfs, e);

	if (r >= 0) {
		out->steps = w->steps;
	}
	return r;
}

/*
 * The problem's answer as an assignment. Requests without a minimum take the VFs that are left, on
 * the first PFs of the same order; of the hole's PF one VF is set aside.
 */
static void keep_answer(const struct place_work *w, const struct place_in *in, uint8_t hole,
	struct place_out *out)
{
	const struct place_problem *p = &w->problem;
	uint32_t next = w->sized_n;

	for (uint32_t at = 0; at < p->pfs; at++) {
		uint32_t vfs = in->pf[p->pf[at]].vfs - (p->pf[at] == hole);

		for (uint32_t set = p->set[at]; set != 0; set &= set - 1) {
			out->pf[w->order[__builtin_ctz(set)]] = p->pf[at];
			vfs--;
		}
		for (; vfs > 0 && next < w->req_n; vfs--) {
			out->pf[w->order[next++]] = p->pf[at];
		}
	}
	out->assigned = true;
}

/* What an assignment leaves free on each PF; 0 where it leaves no VF. */
static void leftover(const struct place_in *in, const struct place_out *out,
	uint32_t left[static PLACE_PF_MAX], bool usable[static PLACE_PF_MAX])
{
	uint32_t vfs[PLACE_PF_MAX];

	for (uint32_t i = 0; i < in->pf_n; i++) {
		left[i] = free_mbps(in, i);
		vfs[i] = in->pf[i].vfs;
	}
	for (uint32_t i = 0; i < in->req_n; i++) {
		left[out->pf[i]] -= in->req[i].min;
		vfs[out->pf[i]]--;
	}
	for (uint32_t i = 0; i < in->pf_n; i++) {
		usable[i] = vfs[i] > 0;
	}
}

/* The hole that the assignment has. */
static void find_hole(const struct place_in *in, struct place_out *out)
{
	uint32_t left[PLACE_PF_MAX];
	bool usable[PLACE_PF_MAX];

	leftover(in, out, left, usable);
	for (uint32_t i = 0; i < in->pf_n; i++) {
		if (usable[i] &&
			(out->hole_pf == PLACE_PF_NONE || left[i] >= left[out->hole_pf])) {
			out->hole_pf = (uint8_t)i;
		}
	}
	out->hole_mbps = out->hole_pf == PLACE_PF_NONE ? 0 : left[out->hole_pf];
}

/* Can PF pf keep mbps free? On yes, out has such an assignment and what it leaves there. */
static enum place_answer try_hole(struct place_work *w, const struct place_in *in, uint8_t pf,
	uint32_t mbps, struct place_out *out)
{
	uint32_t left[PLACE_PF_MAX];
	bool usable[PLACE_PF_MAX];
	enum place_answer a = possible(w, in, pf, mbps);

	if (a == PLACE_YES) {
		keep_answer(w, in, pf, out);
		leftover(in, out, left, usable);
		out->hole_pf = pf;
		out->hole_mbps = left[pf];
	}
	return a;
}

/* Make the hole as large as PF pf permits, if it permits at least `least`. most: it cannot more. */
static enum place_answer widen(struct place_work *w, const struct place_in *in, uint8_t pf,
	uint32_t least, uint32_t most, struct place_out *out)
{
	enum place_answer a = try_hole(w, in, pf, most, out);

	if (a != PLACE_NO || least == most) {
		return a;
	}
	a = try_hole(w, in, pf, least, out);
	if (a != PLACE_YES) {
		return a;
	}
	for (most--; out->hole_mbps < most;) {
		uint32_t mid = out->hole_mbps + (most - out->hole_mbps + 1) / 2;

		a = try_hole(w, in, pf, mid, out);
		if (a == PLACE_LIMIT) {
			return a;
		}
		most = a == PLACE_NO ? mid - 1 : most;
	}
	return PLACE_YES;
}

/* The PF not in done that could have the largest hole; the last one of several. */
static uint8_t most_promising(const struct place_in *in, uint32_t done)
{
	uint8_t best = PLACE_PF_NONE;

	for (uint32_t i = 0; i < in->pf_n; i++) {
		if ((done >> i & 1) == 0 && in->pf[i].vfs > 0 &&
			(best == PLACE_PF_NONE || free_mbps(in, i) >= free_mbps(in, best))) {
			best = (uint8_t)i;
		}
	}
	return best;
}

/* The rule's hole, from an assignment in out. No hole is larger than all that stays free. */
static enum place_answer best_hole(
	struct place_work *w, const struct place_in *in, struct place_out *out)
{
	uint64_t spare = 0;
	uint32_t done = 0;
	uint8_t pf;

	find_hole(in, out);
	for (uint32_t i = 0; i < in->pf_n; i++) {
		spare += in->pf[i].vfs > 0 ? free_mbps(in, i) : 0;
	}
	spare -= w->size_sum;
	while ((pf = most_promising(in, done)) != PLACE_PF_NONE) {
		uint32_t most = free_mbps(in, pf);
		uint64_t least = (uint64_t)out->hole_mbps + (pf <= out->hole_pf);

		most = most < spare ? most : (uint32_t)spare;
		if (least <= most &&
			widen(w, in, pf, (uint32_t)least, most, out) == PLACE_LIMIT) {
			return PLACE_LIMIT;
		}
		done |= (uint32_t)1 << pf;
	}
	return PLACE_YES;
}

int place_assign(const struct place_in *in, struct place_work *w, struct place_out *out,
	struct err *e)
{
	uint64_t vfs;
	int r = decide(in, w, out, &vfs, e);

	if (r == PLACE_YES) {
		keep_answer(w, in, PLACE_PF_NONE, out);
		if (vfs > w->req_n) {
			r = best_hole(w, in, out);
		}
	}
	if (r == PLACE_YES) {
		place_pose(w, in, out->hole_pf, out->hole_mbps);
		r = place_search(w);
		if (r == PLACE_YES) {
			keep_answer(w, in, out->hole_pf, out);
		}
	}
	if (r >= 0) {
		out->steps = w->steps;
	}
	return r;
}
