/* SPDX-License-Identifier: MIT */
/*
 * Answers of a problem, by the two searches and some attempts before them. Where there is space the
 * search by PFs is good, where it is short the one by requests; neither can be foretold, so they
 * take turns.
 */
#include "place/place_priv.h"

#include <string.h>

uint32_t place_sooner(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* A search by PFs with at most so many more steps. */
static enum place_answer search_briefly(struct place_work *w, uint32_t steps)
{
	uint32_t stop = w->stop;
	enum place_answer a;

	w->stop = place_sooner(stop, w->steps + steps);
	a = place_search(w);
	w->stop = stop;
	return a;
}

/*
 * A turn of the search by requests. It begins with sets that waste little, if that may do; how many
 * these were says whether all sets are too many for the next turn.
 */
static enum place_answer cover_briefly(
	struct place_work *w, uint64_t slack, uint64_t *waste, bool first, uint32_t steps)
{
	uint32_t stop = w->stop;
	bool all = first || *waste >= slack;
	enum place_answer a;

	w->stop = place_sooner(stop, w->steps + steps);
	a = place_cover(w, all ? slack : *waste, first);
	w->stop = stop;
	if (all || a == PLACE_YES) {
		return a;
	}
	if (w->cover.fill_n == PLACE_FILLS_MAX) {
		*waste = *waste / 2 + 1;
	} else if (a == PLACE_NO) {
		*waste = w->cover.fill_n * slack / *waste < PLACE_FILLS_MAX ? slack : *waste * 2;
	}
	return PLACE_LIMIT;
}

enum place_answer place_solve(struct place_work *w, bool first, uint32_t turn)
{
	struct place_problem *p = &w->problem;
	uint64_t slack = p->cap_from[0] - w->units;
	uint32_t ratio = slack > 0 ? PLACE_COVER_TURN : PLACE_FULL_TURN;
	uint64_t waste = slack > p->pfs ? 3 * slack / p->pfs + 1 : slack;
	enum place_answer a = PLACE_LIMIT;

	if (p->cap_from[0] < w->units || p->vfs_from[0] < p->n) {
		return PLACE_NO;
	}
	for (; a == PLACE_LIMIT && w->steps < w->stop; turn *= 4) {
		w->first = true;
		a = search_briefly(w, turn);
		if (a == PLACE_LIMIT) {
			w->first = first;
			a = cover_briefly(w, slack, &waste, first, ratio * turn);
		}
	}
	return a;
}

/*
 * Attempts that are good at finding an answer and prove nothing: no PF may waste much more than its
 * share. What they learn holds for them alone, so each has a serial of its own.
 */
static bool try_fair(struct place_work *w)
{
	struct place_problem *p = &w->problem;
	uint32_t serial = w->serial;
	bool found = false;

	for (p->shares = 2; p->shares > 0 && !found; p->shares--) {
		w->serial = serial + p->shares;
		found = search_briefly(w, PLACE_TURN_STEPS) == PLACE_YES;
	}
	p->shares = 0;
	w->serial = serial;
	return found;
}

/*
 * The problem with PFs that differ by no more than `by` made identical, by less or by more of each.
 * That is a much easier problem. false: there are no such PFs.
 */
static bool even_out(struct place_work *w, uint64_t by, bool up)
{
	struct place_problem *p = &w->problem;
	bool changed = false;

	for (uint32_t from = 0, end; from < p->pfs; from = end) {
		uint32_t cap = p->cap[from], vfs = p->vfs[from];

		for (end = from + 1; end < p->pfs && p->cap[end] >= p->cap[from] &&
				     p->cap[end] - p->cap[from] <= by;
			end++) {
			bool same = p->cap[end] == cap && p->vfs[end] == vfs;

			changed = changed || !same;
			cap = up && p->cap[end] > cap ? p->cap[end] : cap;
			vfs = (p->vfs[end] > vfs) == up ? p->vfs[end] : vfs;
		}
		for (uint32_t at = from; at < end; at++) {
			p->cap[at] = cap;
			p->vfs[at] = vfs;
		}
	}
	place_derive(w, false);
	return changed;
}

static bool near(uint64_t a, uint64_t b, uint64_t by)
{
	return a > b ? a - b <= by : b - a <= by;
}

/*
 * With less of some PFs yes is yes, with more of some no is no; anything else means nothing, and
 * the problem is as before.
 */
static enum place_answer try_evened(struct place_work *w, bool up)
{
	struct place_problem *p = &w->problem;
	const struct place_problem copy = *p;
	uint64_t slack = p->cap_from[0] - w->units;
	uint32_t set[PLACE_PF_MAX], stop = w->stop;
	enum place_answer a = PLACE_LIMIT;

	if (even_out(w, slack / p->pfs, up) && near(p->cap_from[0], copy.cap_from[0], slack / 2)) {
		w->stop = place_sooner(stop, w->steps + PLACE_EVEN_STEPS);
		a = place_solve(w, false, PLACE_TURN_STEPS);
		w->stop = stop;
	}
	memcpy(set, p->set, sizeof(set));
	*p = copy;
	memcpy(p->set, set, sizeof(set));
	place_derive(w, false);
	return a == (up ? PLACE_NO : PLACE_YES) ? a : PLACE_LIMIT;
}

enum place_answer place_solve_any(struct place_work *w)
{
	struct place_problem *p = &w->problem;
	enum place_answer a;

	w->steps += p->n;
	if (place_greedy(p)) {
		return PLACE_YES;
	}
	if (p->cap_from[0] <= w->units) {
		return place_solve(w, false, 6 * PLACE_TURN_STEPS);
	}
	a = search_briefly(w, PLACE_BRIEF_STEPS);
	if (a == PLACE_LIMIT && try_fair(w)) {
		return PLACE_YES;
	}
	a = a == PLACE_LIMIT ? try_evened(w, false) : a;
	a = a == PLACE_LIMIT ? try_evened(w, true) : a;
	return a == PLACE_LIMIT ? place_solve(w, false, PLACE_TURN_STEPS) : a;
}
