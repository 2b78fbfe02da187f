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
 * Steps (requests tried on PFs, sets and bounds looked at) one call may take: some 30 ms. What
 * nodes and pods look like takes hundreds, instances built to hurt some ten thousands.
 */
#define PLACE_STEPS_MAX 4000000u

/* Failed states remembered, a power of two: 8 bytes each; an older one gives way to a newer. */
#define PLACE_MEMO_MAX 4096u

_Static_assert(PLACE_REQ_MAX <= 32, "a set of requests is a uint32_t");
_Static_assert(PLACE_PF_MAX <= 32, "a set of PFs is a uint32_t");
_Static_assert((PLACE_MEMO_MAX & (PLACE_MEMO_MAX - 1)) == 0, "slots are chosen by a bit mask");

#endif
