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
 * descend by minimum, PFs ascend by free bandwidth, both in units; a set of requests is a word with
 * bit i for request i.
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
	bool wraps;     /* sums are counted modulo the bits of a row */
	uint32_t words; /* of a row, in use */
	uint32_t from;  /* the first request that has a row */
	uint64_t sums[PLACE_REACH_ROWS][PLACE_REACH_WORDS];
};

struct place_memo {
	uint32_t mask;
	uint32_t tag; /* number of the problem and of the PF */
};

/* A set of requests for one PF; see fills.c. */
struct place_fill {
	uint64_t need;  /* which requests: counts of kinds */
	uint32_t waste; /* bandwidth it leaves */
	uint8_t group;  /* the first of the identical PFs it is for */
	uint8_t idle;   /* VFs it leaves */
};

/* What is left to cover after some choices. */
struct place_node {
	uint64_t rest;  /* requests */
	uint64_t slack; /* bandwidth that may be wasted */
	uint32_t pfs;
	uint32_t idle; /* VFs that may be wasted */
	uint32_t kind; /* the largest of the requests */
	uint32_t pick; /* the choice */
	uint8_t by;    /* the group of PFs whose turn it is, or the request's */
	/* The fills that can still be chosen: words of bits, but for those that are 0. */
	uint32_t words;
	uint32_t next; /* the word with the next choice */
	uint8_t at[PLACE_FILL_WORDS];
	uint64_t fills[PLACE_FILL_WORDS];
};

struct place_failed {
	uint64_t rest;
	uint32_t pfs, serial;
};

/* See cover.c. */
struct place_cover {
	uint32_t kinds; /* of requests, the smallest first */
	uint32_t size[PLACE_REQ_MAX];
	uint8_t first[PLACE_REQ_MAX]; /* the first request of a kind */
	uint64_t bit[PLACE_REQ_MAX];  /* the guard bit of a kind */
	uint8_t kind_at[64];          /* the kind whose field or guard bit is there */
	uint64_t one[PLACE_REQ_MAX];  /* a request */
	uint8_t end[PLACE_REQ_MAX];   /* the first request of a smaller kind */
	uint64_t guard, ones, all;    /* all guard bits; one of each kind; all requests */
	uint32_t looks;               /* not yet in steps */
	uint32_t problem;             /* number of the one for which all fills are listed, or 0 */
	uint32_t taught;              /* serial of the problem failed states are of, or 0 */
	uint64_t waste, limit;        /* that they may leave, as asked and as listed */
	uint32_t fill_n, words;       /* words for a bit each */
	struct place_fill fill[PLACE_FILLS_MAX];
	uint32_t group_from[PLACE_PF_MAX], group_to[PLACE_PF_MAX]; /* the fills of a group */
	/* Fills with request i and all of its kind before it; that waste, or idle, more than i. */
	uint64_t with[PLACE_REQ_MAX][PLACE_FILL_WORDS];
	uint64_t wasting[PLACE_WASTE_ROWS][PLACE_FILL_WORDS];
	uint64_t idling[PLACE_IDLE_ROWS][PLACE_FILL_WORDS];
	struct place_node node[PLACE_PF_MAX + 1];
	bool ready; /* failed was cleared since the call began */
	uint32_t serial;
	struct place_failed failed[PLACE_FAILED_MAX];
};

struct place_work {
	/* the input: requests in descending order, those without a minimum at the end */
	uint32_t req_n, sized_n;
	uint8_t order[PLACE_REQ_MAX];
	uint64_t size_sum; /* Mb/s */
	uint32_t unit; /* Mb/s: greatest common divisor of the minimums; what follows is in units */
	uint64_t units;   /* sum of the sizes */
	uint32_t largest; /* of the free bandwidths, and not more than units */
	uint32_t size[PLACE_REQ_MAX];
	uint32_t steps, stop, limit;
	uint32_t posed; /* problems so far */
	bool only;      /* the hole being tried is the only one that can be */
	bool first;     /* the problem's answer is the first one in order */
	bool done;      /* and so is the assignment given out, with the hole it has */
	struct place_problem problem;
	struct place_level level[PLACE_PF_MAX];
	uint32_t serial; /* of the problem */
	bool memo_ready; /* cleared since the call began */
	struct place_memo memo[PLACE_MEMO_MAX];
	struct place_reach reach; /* made when it is needed */
	struct place_cover cover;
};

#endif
