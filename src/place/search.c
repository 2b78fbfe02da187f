/* SPDX-License-Identifier: MIT */
/*
 * The exact search. PFs are filled one after the other, the smallest first, each with the sets that
 * level.c gives; the first answer met is the first in order. What is left after a PF (its number
 * and the set of requests left) is all that the rest depends on, so a state that failed once is not
 * entered again. The memory of failed states is bounded: what it forgets costs time only.
 *
 * On identical PFs a state may fail only because an earlier PF's set rules its answers out. It is
 * remembered nevertheless: then exchanging the PFs gives an answer that comes earlier, so the
 * search would have ended there.
 */
#include "place/place_priv.h"

#include <string.h>

static struct place_memo *memo_slot(struct place_work *w, uint32_t at, uint32_t mask)
{
	uint64_t hash = ((uint64_t)mask << 6 | at) * UINT64_C(0x9e3779b97f4a7c15);

	return &w->memo[(hash >> 40) & (PLACE_MEMO_MAX - 1)];
}

static void memo_add(struct place_work *w, uint32_t at, uint32_t mask)
{
	*memo_slot(w, at, mask) = (struct place_memo){mask, w->serial << 6 | at};
}

static bool memo_has(struct place_work *w, uint32_t at, uint32_t mask)
{
	const struct place_memo *m = memo_slot(w, at, mask);

	return m->mask == mask && m->tag == (w->serial << 6 | at);
}

/* Enter PF number at with mask left, unless that is known or found to be hopeless. */
static bool enter(struct place_work *w, uint32_t at, uint32_t mask)
{
	if (memo_has(w, at, mask)) {
		return false;
	}
	w->steps++;
	if (!place_level_enter(&w->level[at], &w->problem, at, mask)) {
		memo_add(w, at, mask);
		return false;
	}
	return true;
}

enum place_answer place_search(struct place_work *w)
{
	struct place_problem *p = &w->problem;
	uint32_t left = p->n == 32 ? UINT32_MAX : ((uint32_t)1 << p->n) - 1;
	uint32_t at = 0;

	memset(p->set, 0, sizeof(p->set));
	if (left == 0) {
		return PLACE_YES;
	}
	if (!w->memo_ready) {
		memset(w->memo, 0, sizeof(w->memo));
		w->memo_ready = true;
	}
	if (p->pfs == 0 || !enter(w, 0, left)) {
		return PLACE_NO;
	}
	for (;;) {
		switch (place_level_next(w, at)) {
		case LEVEL_LIMIT:
			return PLACE_LIMIT;
		case LEVEL_DONE:
			memo_add(w, at, w->level[at].mask);
			p->set[at] = 0;
			if (at == 0) {
				return PLACE_NO;
			}
			at--;
			continue;
		case LEVEL_SET:
			break;
		}
		left = w->level[at].mask & ~p->set[at];
		if (left == 0) {
			return PLACE_YES;
		}
		if (at + 1 < p->pfs && enter(w, at + 1, left)) {
			at++;
		}
	}
}
