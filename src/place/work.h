/* SPDX-License-Identifier: MIT */
/* Scratch memory of placement: callers know its size alone. */
#ifndef PLACE_WORK_H
#define PLACE_WORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "place/limits.h"

/*
 * A question for the search: can these requests, all with a minimum, go to these PFs? Requests
 * descend by minimum, PFs ascend by free bandwidth; a set of requests is a word with bit i for
 * request i.
 */
struct place_problem {
	uint32_t n, pfs;
	bool counted;    /* VFs, not bandwidth, may be what limits some PF */
	uint32_t shares; /* of what is spare, that one PF may waste; 0: all of it */
	uint32_t size[PLACE_REQ_MAX];
	uint32_t cap[PLACE_PF_MAX];          /* never more than can be used */
	uint32_t vfs[PLACE_PF_MAX];          /* never more than bandwidth permits */
	uint64_t cap_from[PLACE_PF_MAX + 1]; /* sum of cap of this PF and all after it */
	uint32_t vfs_from[PLACE_PF_MAX + 1]; /* and of vfs */
	bool same_prev[PLACE_PF_MAX];        /* as the PF before it */
	uint8_t same_end[PLACE_PF_MAX];      /* the first PF after it that is not */
	uint8_t pf[PLACE_PF_MAX];            /* index in the input */
	uint32_t set[PLACE_PF_MAX];          /* the answer */
};

/* The sets that one PF can take of the requests left, one after the other. */
struct place_level {
	uint32_t mask; /* requests left */
	uint32_t n;    /* that many; position i of the arrays below is request item[i] */
	uint32_t cap, vfs;
	uint32_t least;  /* as many requests the set must have */
	uint64_t beyond; /* bandwidth of the PFs after those identical to this one */
	uint32_t start;  /* positions before it are for earlier, identical PFs */
	bool started;
	bool merge; /* VFs limit no PF: two requests may give way to one */
	uint8_t item[PLACE_REQ_MAX];
	uint8_t run[PLACE_REQ_MAX];   /* first position of the same size */
	uint8_t after[PLACE_REQ_MAX]; /* first position of a smaller size */
	uint32_t size[PLACE_REQ_MAX];
	uint64_t sum_from[PLACE_REQ_MAX + 1];
	/* the set being built */
	uint32_t taken; /* positions */
	uint32_t depth;
	uint8_t chosen[PLACE_REQ_MAX];
	int64_t low; /* sum the set must reach */
	int64_t low_at[PLACE_REQ_MAX];
	uint64_t sum;
};

/* Sums that requests can make; see reach.c. */
struct place_reach {
	bool ready;
	uint32_t quantum;
	uint64_t sums[PLACE_REQ_MAX + 1][PLACE_REACH_WORDS];
};

struct place_memo {
	uint32_t mask;
	uint32_t tag; /* number of the problem and of the PF */
};

struct place_work {
	/* the input: requests in descending order, those without a minimum at the end */
	uint32_t req_n, sized_n;
	uint32_t size[PLACE_REQ_MAX];
	uint8_t order[PLACE_REQ_MAX];
	uint64_t size_sum;
	uint32_t largest; /* of the free bandwidths */
	uint32_t unit;    /* greatest common divisor of the sizes */
	uint32_t steps, stop, limit;
	struct place_problem problem;
	struct place_level level[PLACE_PF_MAX];
	uint32_t serial; /* of the problem, or of several, each harder than the one before */
	bool memo_ready; /* cleared since the call began */
	struct place_memo memo[PLACE_MEMO_MAX];
	struct place_reach reach; /* made when it is needed */
};

#endif
