/* SPDX-License-Identifier: MIT */
/* Placement: which PF carries which interface of a pod. Exact, deterministic, bounded. */
#ifndef PLACE_PLACE_H
#define PLACE_PLACE_H

#include <stdint.h>

#include "base/err.h"
#include "place/limits.h"
#include "place/work.h"

/* One interface: Mb/s to be reserved, and a cap (0: none) that placement does not look at. */
struct place_request {
	uint32_t min, max;
};

/* What is free on a PF: VFs and Mb/s. The caller makes 0 of what is used beyond capacity. */
struct place_pf {
	uint32_t vfs, mbps;
};

struct place_in {
	const struct place_pf *pf;
	size_t pf_n;
	const struct place_request *req;
	size_t req_n;
	uint32_t steps_max; /* a work limit for yes or no below PLACE_STEPS_MAX, or 0 for that */
};

enum place_answer {
	PLACE_NO,    /* no assignment exists */
	PLACE_YES,   /* one exists; from place_assign: this is the one the rule names */
	PLACE_ANY,   /* from place_assign: one, perhaps not the one the rule names */
	PLACE_LIMIT, /* work limit reached: the steps were not enough to know */
};

enum place_why {
	PLACE_WHY_NONE,    /* the answer is not no */
	PLACE_WHY_VFS,     /* fewer free VFs than requests */
	PLACE_WHY_REQUEST, /* request number req is too big for every PF with a free VF */
	PLACE_WHY_SUM,     /* the minimums together are more than is free */
	PLACE_WHY_SPLIT,   /* enough is free in total, but not in pieces that fit */
};

#define PLACE_PF_NONE UINT8_MAX

struct place_out {
	enum place_why why;
	uint32_t req;   /* with PLACE_WHY_REQUEST */
	uint32_t steps; /* work done; the same for the same input, on every machine */

	/* From place_assign with YES or ANY: */
	uint8_t pf[PLACE_REQ_MAX]; /* the PF of each request, in the order of the input */
	uint8_t hole_pf;           /* the PF with a free VF that has most left, or PLACE_PF_NONE */
	uint32_t hole_mbps;        /* what is left there */
};

/*
 * An assignment gives each request one PF, so that on no PF the requests are more than its free VFs
 * or their minimums more than its free bandwidth. A request with minimum 0 needs a VF only.
 *
 * place_fits: whether an assignment exists.
 * place_assign: the assignment that this rule names (docs/placement.md explains it).
 *	1. The hole: the largest bandwidth that an assignment can leave free on a single PF which
 *	   also keeps a free VF; without a VF nobody could use it. If several PFs can be left with
 *	   as much, the last of them has the hole. Bandwidth and VF of the hole are set aside. There
 *	   is none when the requests need every VF.
 *	2. Best fit: the PFs take requests in turn, the one with the least free bandwidth first
 *	   (equal: the one with fewer free VFs; equal: as given), the one with the hole last. Each
 *	   goes through the requests left, the largest minimum first (equal: as given), and takes
 *	   each one that it can take so that the others still can be placed.
 * Neither allocates, waits nor recurses; w is scratch memory without any meaning between calls.
 *
 * Both return an enum place_answer, or -E2BIG for more than PLACE_REQ_MAX requests or PLACE_PF_MAX
 * PFs. Whether the answer is no is exact in both. For the few inputs where a proof of the rule
 * would take too long place_assign returns PLACE_ANY and the best assignment it has met.
 */
int place_fits(const struct place_in *in, struct place_work *w, struct place_out *out,
	struct err *e) MUST_CHECK;
int place_assign(const struct place_in *in, struct place_work *w, struct place_out *out,
	struct err *e) MUST_CHECK;

/* place_why_text: half a sentence for messages, as "the minimums together are more than is free" */
const char *place_why_text(enum place_why why);

#endif
