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
 * Steps: a request tried on a PF, a set or a bound looked at; some 30 ns each. What nodes and pods
 * look like takes less than a hundred, instances built to hurt some ten thousands.
 * STEPS_MAX: to know whether there is an assignment.
 * RULE_STEPS_MAX: more, to know which one the rule means. It must not hold up a pod that fits.
 */
#define PLACE_STEPS_MAX      400000u
#define PLACE_RULE_STEPS_MAX 25000u

/*
 * Steps of an attempt, as measured to be best for the families of the tests. BRIEF: of the first
 * one. TURN: of each that proves nothing, and of the first turn of the search by PFs; that by
 * requests has COVER_TURN times as many, or FULL_TURN times where nothing is to spare. EVEN: with
 * PFs made identical that nearly are.
 */
#define PLACE_BRIEF_STEPS 250u
#define PLACE_TURN_STEPS  2000u
#define PLACE_COVER_TURN  8u
#define PLACE_FULL_TURN   2u
#define PLACE_EVEN_STEPS  60000u

/* Failed states remembered, a power of two: 8 bytes each; an older one gives way to a newer. */
#define PLACE_MEMO_MAX 4096u

/*
 * Sums of requests: words of 64 bits for the sums that the smallest ROWS - 1 requests can make. The
 * table is made only after so many steps of the search by PFs: it costs as much as a thousand.
 */
#define PLACE_REACH_WORDS 1024u
#define PLACE_REACH_ROWS  20u
#define PLACE_REACH_STEPS 2000u

/*
 * Where space is short: sets that may fill a PF; with more than these it is not short. They leave
 * the list in so many classes of bandwidth and VFs wasted.
 */
#define PLACE_FILLS_MAX  8192u
#define PLACE_FILL_WORDS (PLACE_FILLS_MAX / 64)
#define PLACE_WASTE_ROWS 32u
#define PLACE_IDLE_ROWS  8u

/* Failed states of that search, a power of two. */
#define PLACE_FAILED_MAX 2048u

/* What a step is, in requests tried while sets are listed, and in words of the list. */
#define PLACE_LOOKS_STEP 2u
#define PLACE_SCAN_STEP  4u

_Static_assert(PLACE_REQ_MAX <= 32, "a set of requests is a uint32_t");
_Static_assert(PLACE_PF_MAX <= 32, "a set of PFs is a uint32_t");
_Static_assert(PLACE_FILL_WORDS <= 256, "a word of the list is a uint8_t");
_Static_assert((PLACE_FAILED_MAX & (PLACE_FAILED_MAX - 1)) == 0, "slots are chosen by a mask");
_Static_assert((PLACE_MEMO_MAX & (PLACE_MEMO_MAX - 1)) == 0, "slots are chosen by a mask");

#endif
