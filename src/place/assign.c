/* SPDX-License-Identifier: MIT */
/* The two questions of place.h, in terms of problems and their answers. */
#include "place/place_priv.h"

#include <errno.h>
#include <string.h>

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

static int begin(
	const struct place_in *in, struct place_work *w, struct place_out *out, struct err *e)
{
	if (in->req_n > PLACE_REQ_MAX) {
		return err_set(e, E2BIG, "%zu interfaces wanted, at most %d can be placed",
			in->req_n, PLACE_REQ_MAX);
	}
	if (in->pf_n > PLACE_PF_MAX) {
		return err_set(
			e, E2BIG, "%zu PFs, at most %d can be considered", in->pf_n, PLACE_PF_MAX);
	}
	memset(out, 0, sizeof(*out));
	out->hole_pf = PLACE_PF_NONE;
	place_begin(w, in);
	w->limit =
		in->steps_max > 0 ? place_sooner(in->steps_max, PLACE_STEPS_MAX) : PLACE_STEPS_MAX;
	w->stop = w->limit;
	return 0;
}

/* The reasons for no that need no problem. vfs is the sum of free VFs. */
static enum place_why obvious(const struct place_in *in, const struct place_work *w, uint64_t *vfs)
{
	uint64_t sum = 0;
	uint32_t most = 0;

	*vfs = 0;
	for (uint32_t i = 0; i < in->pf_n; i++) {
		*vfs += in->pf[i].vfs;
		if (in->pf[i].vfs > 0) {
			uint32_t mbps = place_free_mbps(in, i);

			sum += mbps;
			most = mbps > most ? mbps : most;
		}
	}
	if (*vfs < w->req_n) {
		return PLACE_WHY_VFS;
	}
	if (w->req_n > 0 && (uint64_t)w->size[0] * w->unit > most) {
		return PLACE_WHY_REQUEST;
	}
	return w->size_sum > sum ? PLACE_WHY_SUM : PLACE_WHY_NONE;
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
	place_pose(w, in, PLACE_PF_NONE, 0, false);
	r = (int)place_solve_any(w);
	out->why = r == PLACE_NO ? PLACE_WHY_SPLIT : PLACE_WHY_NONE;
	return r;
}

int place_fits(
	const struct place_in *in, struct place_work *w, struct place_out *out, struct err *e)
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
 * the first PFs of the same order, so that a hole, which is on the last one, keeps its VF.
 */
static void keep_answer(
	const struct place_work *w, const struct place_in *in, struct place_out *out)
{
	const struct place_problem *p = &w->problem;
	uint32_t next = w->sized_n;

	for (uint32_t at = 0; at < p->pfs; at++) {
		uint32_t vfs = in->pf[p->pf[at]].vfs;

		for (uint32_t set = p->set[at]; set != 0; set &= set - 1) {
			out->pf[w->order[__builtin_ctz(set)]] = p->pf[at];
			vfs--;
		}
		for (; vfs > 0 && next < w->req_n; vfs--) {
			out->pf[w->order[next++]] = p->pf[at];
		}
	}
}

/* What an assignment leaves free on each PF; -1 where it leaves no VF. */
static void leftover(
	const struct place_in *in, const struct place_out *out, int64_t left[static PLACE_PF_MAX])
{
	uint32_t vfs[PLACE_PF_MAX] = {0};

	for (uint32_t i = 0; i < in->pf_n; i++) {
		left[i] = place_free_mbps(in, i);
		vfs[i] = in->pf[i].vfs;
	}
	for (uint32_t i = 0; i < in->req_n; i++) {
		left[out->pf[i]] -= in->req[i].min;
		vfs[out->pf[i]]--;
	}
	for (uint32_t i = 0; i < in->pf_n; i++) {
		left[i] = vfs[i] > 0 ? left[i] : -1;
	}
}

/* Can PF pf keep mbps free? On yes, out has such an assignment and what it leaves there. */
static enum place_answer try_hole(struct place_work *w, const struct place_in *in, uint8_t pf,
	uint32_t mbps, bool harder, struct place_out *out)
{
	int64_t left[PLACE_PF_MAX];
	enum place_answer a;

	place_pose(w, in, pf, mbps, harder);
	a = place_solve(w, w->only, (w->only ? 6 : 3) * PLACE_TURN_STEPS);
	if (a == PLACE_YES) {
		w->done = w->first;
		keep_answer(w, in, out);
		leftover(in, out, left);
		out->hole_pf = pf;
		out->hole_mbps = (uint32_t)left[pf];
	}
	return a;
}

/*
 * Give out the largest hole PF pf can have, if that is at least `least`. It cannot be more than
 * `most`; both leave a multiple of the unit for requests. The largest one comes first, because it
 * is mostly possible and where it is not that is mostly soon known; to find out, some of the steps
 * must do.
 */
static enum place_answer widen(struct place_work *w, const struct place_in *in, uint8_t pf,
	uint32_t least, uint64_t most, struct place_out *out)
{
	uint32_t stop = w->stop;
	enum place_answer a;

	w->only = least == most;
	if (least < most) {
		w->stop = place_sooner(stop, w->steps + PLACE_RULE_STEPS_MAX / 2);
	}
	a = try_hole(w, in, pf, (uint32_t)most, false, out);
	w->stop = stop;
	if (a == PLACE_YES || least == most) {
		return a;
	}
	if (a == PLACE_NO) {
		most -= w->unit;
	}
	for (bool harder = false; least <= most; harder = true) {
		a = try_hole(w, in, pf, least, harder, out);
		if (a != PLACE_YES) {
			return a;
		}
		least = out->hole_mbps + w->unit;
	}
	return PLACE_YES;
}

/*
 * The PF not in done that could have the largest hole, the last one of several. For the search, all
 * PFs with the same free are one: the last.
 */
static uint8_t most_promising(const struct place_in *in, uint64_t spare, uint32_t done)
{
	uint8_t best = PLACE_PF_NONE;
	uint64_t best_mbps = 0;

	for (uint32_t i = 0; i < in->pf_n; i++) {
		bool skip = (done >> i & 1) != 0 || in->pf[i].vfs == 0;
		uint64_t mbps = place_free_mbps(in, i);

		for (uint32_t j = i + 1; j < in->pf_n && !skip; j++) {
			skip = in->pf[i].mbps == in->pf[j].mbps && in->pf[i].vfs == in->pf[j].vfs;
		}
		mbps = mbps < spare ? mbps : spare;
		if (!skip && (best == PLACE_PF_NONE || mbps >= best_mbps)) {
			best = (uint8_t)i;
			best_mbps = mbps;
		}
	}
	return best;
}

/* The smallest hole of PF pf, in whole units of requests, that is not smaller than mbps. */
static uint64_t whole_units(const struct place_work *w, uint32_t free_mbps, uint64_t mbps)
{
	return mbps > free_mbps ? mbps : free_mbps - (free_mbps - mbps) / w->unit * w->unit;
}

/* The rule's hole and assignment, from any assignment in out. */
static enum place_answer best_hole(
	struct place_work *w, const struct place_in *in, struct place_out *out)
{
	int64_t left[PLACE_PF_MAX];
	uint64_t spare = 0;
	uint32_t done = 0;
	uint8_t pf;

	leftover(in, out, left);
	for (uint32_t i = 0; i < in->pf_n; i++) {
		spare += in->pf[i].vfs > 0 ? place_free_mbps(in, i) : 0;
	}
	spare -= w->size_sum;
	while ((pf = most_promising(in, spare, done)) != PLACE_PF_NONE) {
		uint32_t mbps = place_free_mbps(in, pf);
		uint64_t least = 0, most = mbps;

		if (out->hole_pf != PLACE_PF_NONE) {
			least = (uint64_t)out->hole_mbps + (pf < out->hole_pf);
		}
		if (left[pf] > (int64_t)least) {
			least = (uint64_t)left[pf];
		}
		if (most > spare) {
			/* Not below 0: there is an assignment, and it leaves some multiple here. */
			most = mbps - (mbps - spare + w->unit - 1) / w->unit * w->unit;
		}
		least = whole_units(w, mbps, least);
		if (least <= most && widen(w, in, pf, (uint32_t)least, most, out) == PLACE_LIMIT) {
			return PLACE_LIMIT;
		}
		done |= (uint32_t)1 << pf;
	}
	return PLACE_YES;
}

/* The PF with a free VF that has most left, the last one of several. */
static void show_hole(const struct place_in *in, struct place_out *out)
{
	int64_t left[PLACE_PF_MAX], most = 0;

	leftover(in, out, left);
	out->hole_pf = PLACE_PF_NONE;
	for (uint32_t i = 0; i < in->pf_n; i++) {
		if (left[i] >= most) {
			most = left[i];
			out->hole_pf = (uint8_t)i;
		}
	}
	out->hole_mbps = (uint32_t)most;
}

/* From any assignment to the rule's, or one that is near. */
static enum place_answer follow_rule(
	struct place_work *w, const struct place_in *in, bool hole, struct place_out *out)
{
	enum place_answer a = PLACE_YES, b = PLACE_YES;

	w->stop = w->steps + PLACE_RULE_STEPS_MAX;
	w->done = false;
	if (hole) {
		a = best_hole(w, in, out);
		show_hole(in, out);
	}
	if (!w->done) {
		w->stop += PLACE_TURN_STEPS;
		place_pose(w, in, out->hole_pf, out->hole_mbps, false);
		b = place_solve(w, true, 6 * PLACE_TURN_STEPS);
	}
	if (b == PLACE_YES && !w->done) {
		keep_answer(w, in, out);
	}
	show_hole(in, out);
	return a == PLACE_YES && b == PLACE_YES ? PLACE_YES : PLACE_ANY;
}

int place_assign(
	const struct place_in *in, struct place_work *w, struct place_out *out, struct err *e)
{
	uint64_t vfs;
	int r = decide(in, w, out, &vfs, e);

	if (r == PLACE_YES) {
		keep_answer(w, in, out);
		r = (int)follow_rule(w, in, vfs > w->req_n, out);
	}
	if (r >= 0) {
		out->steps = w->steps;
	}
	return r;
}
