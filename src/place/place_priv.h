/* SPDX-License-Identifier: MIT */
/* The parts of placement, for each other. */
#ifndef PLACE_PLACE_PRIV_H
#define PLACE_PLACE_PRIV_H

#include "place/place.h"

/* problem.c: the input in order. place_begin sorts the requests and forgets older problems. */
void place_begin(struct place_work *w, const struct place_in *in);

/*
 * place_pose: the problem with hole_mbps and one VF of PF hole set aside (PLACE_PF_NONE: nothing),
 * which must be free there.
 */
void place_pose(
	struct place_work *w, const struct place_in *in, uint8_t hole, uint32_t hole_mbps);

/* place_greedy: best fit, largest request first, once; true if that already is an answer. */
bool place_greedy(struct place_problem *p);

/* level.c */
enum level_next {
	LEVEL_SET,   /* there is another set: set */
	LEVEL_DONE,  /* there is none */
	LEVEL_LIMIT, /* steps reached PLACE_STEPS_MAX */
};

/*
 * place_level_enter: l is the turn of PF number at with the requests of mask left, before its first
 * set. false: these requests cannot go to this PF and those after it.
 */
bool place_level_enter(
	struct place_level *l, const struct place_problem *p, uint32_t at, uint32_t mask);
enum level_next place_level_next(struct place_level *l, uint32_t *steps, uint32_t *set);

/* search.c: answer the problem; on PLACE_YES its sets are the first ones in order. */
enum place_answer place_search(struct place_work *w);

#endif
