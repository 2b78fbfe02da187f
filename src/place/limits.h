/* SPDX-License-Identifier: MIT */
/* Every bound of placement, with its reason. */
#ifndef PLACE_LIMITS_H
#define PLACE_LIMITS_H

/* Interfaces of one pod; a set of them is one 32-bit word. A server has 8 to 10 fast ports. */
#define PLACE_REQ_MAX 32

/* PFs of one node; the densest servers have 16 ports with SR-IOV. */
#define PLACE_PF_MAX 32

/*
 * Free bandwidth above this counts as this, so that one value is left that fits nowhere: what a
 * parser makes of a minimum that is too big for 32 bits.
 */
#define PLACE_RATE_MAX   (UINT32_MAX - 1)
#define PLACE_RATE_NEVER UINT32_MAX

/*
 * Steps (a request tried on a PF, a set or a bound looked at; some 20 ns each). What nodes and pods
 * look like takes less than a hundred, instances built to hurt some ten thousands.
 * STEPS_MAX: to know whether there is an assignment.
 * RULE_STEPS_MAX: more, to know which one the rule means. It must not hold up a pod that fits.
 * FAIR_STEPS_MAX: of each first attempt, which are good at finding an assignment and prove nothing.
 */
#define PLACE_STEPS_MAX      1000000u
#define PLACE_RULE_STEPS_MAX 25000u
#define PLACE_FAIR_STEPS_MAX 30000u

/* Failed states remembered, a power of two: 8 bytes each; an older one gives way to a newer. */
#define PLACE_MEMO_MAX 4096u

/*
 * Sums of requests that are told apart, in words of 64: with the divisor of the minimums as unit,
 * 128 Gb/s ports down to the single Mb/s. The table is made only after so many steps: it costs as
 * much as a few thousand.
 */
#define PLACE_REACH_WORDS 2048u
#define PLACE_REACH_STEPS 2000u

_Static_assert(PLACE_REQ_MAX <= 32, "a set of requests is a uint32_t");
_Static_assert(PLACE_PF_MAX <= 32, "a set of PFs is a uint32_t");
_Static_assert((PLACE_MEMO_MAX & (PLACE_MEMO_MAX - 1)) == 0, "slots are chosen by a bit mask");

#endif
