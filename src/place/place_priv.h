/* SPDX-License-Identifier: MIT */
/* The parts of placement, for each other. */
#ifndef PLACE_PLACE_PRIV_H
#define PLACE_PLACE_PRIV_H

#include "place/place.h"

/* problem.c: the input in order. place_begin sorts the requests and forgets older problems. */
void place_begin(struct place_work *w, const struct place_in *in);

/* place_free_mbps: what is free on a PF, PLACE_RATE_MAX at most. */
uint32_t place_free_mbps(const struct place_in *in, uint32_t pf);

/*
 * place_pose: the problem with hole_mbps and one VF of PF hole set aside (PLACE_PF_NONE: nothing),
 * which must be free there. The hole's PF is the last one. What the last problem taught is used
 * again if harder is set: this one must be the same but for a larger hole.
 */
void place_pose(struct place_work *w, const struct place_in *in, uint8_t hole, uint32_t hole_mbps,
	bool harder);

/* place_derive: what follows from cap and vfs of the PFs, after a change. */
void place_derive(struct place_work *w, bool harder);

/* place_greedy: best fit, largest request first, once; true if that already is an answer. */
bool place_greedy(struct place_problem *p);

/* level.c */
enum level_next {
	LEVEL_SET,   /* there is another set; the problem has it */
	LEVEL_DONE,  /* there is none */
	LEVEL_LIMIT, /* steps reached stop */
};

/*
 * place_level_enter: l is the turn of PF number at with the requests of mask left, before its first
 * set. false: these requests cannot go to this PF and those after it.
 */
bool place_level_enter(
	struct place_level *l, const struct place_problem *p, uint32_t at, uint32_t mask);
enum level_next place_level_next(struct place_work *w, uint32_t at);

/*
 * reach.c: place_reach_build makes the table for the requests of w. place_reach_any: can some of
 * the requests from number `from` on make a sum from low to high? A wrong yes is possible, a wrong
 * no is not.
 */
void place_reach_build(struct place_work *w);
bool place_reach_any(const struct place_reach *r, uint32_t from, uint64_t low, uint64_t high);

/* search.c: answer the problem; on PLACE_YES its sets are the first ones in order. */
enum place_answer place_search(struct place_work *w);

/*
 * fills.c: list the sets that may fill a PF and leave no more bandwidth than waste and no more VFs
 * than idle. false: they are too many, or steps reached stop.
 */
bool place_fills(struct place_work *w, uint64_t waste, uint32_t idle);

/*
 * cover.c: answer the problem with sets that each leave no more bandwidth than waste; with less
 * than the problem can spare, no means nothing. On PLACE_YES its sets are an answer, and if first
 * is set they are the first ones in order.
 */
enum place_answer place_cover(struct place_work *w, uint64_t waste, bool first);

/*
 * solve.c: answer the problem; w->first says whether an answer is the first one in order, which it
 * is if first is set. turn: steps of the first turn. place_solve_any: any answer, easy ones first.
 */
enum place_answer place_solve(struct place_work *w, bool first, uint32_t turn);
enum place_answer place_solve_any(struct place_work *w);
uint32_t place_sooner(uint32_t a, uint32_t b);

#endif
