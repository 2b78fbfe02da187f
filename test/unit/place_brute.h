/* SPDX-License-Identifier: MIT */
/* Placement by trying everything, to compare with: the rule of place.h taken literally. */
#ifndef TEST_PLACE_BRUTE_H
#define TEST_PLACE_BRUTE_H

#include "place/place.h"

/* What trying all pf_n to the power of req_n assignments says. */
struct brute {
	bool fits;
	uint8_t pf[PLACE_REQ_MAX]; /* the rule's assignment */
	uint8_t hole_pf;
	uint32_t hole_mbps;
};

struct brute_state {
	uint8_t pf[PLACE_REQ_MAX];
	uint64_t mbps[PLACE_PF_MAX]; /* left free */
	int64_t vfs[PLACE_PF_MAX];
};

static inline bool brute_possible(const struct place_in *in, struct brute_state *s)
{
	for (size_t i = 0; i < in->pf_n; i++) {
		s->mbps[i] = in->pf[i].mbps;
		s->vfs[i] = in->pf[i].vfs;
	}
	for (size_t i = 0; i < in->req_n; i++) {
		uint8_t pf = s->pf[i];

		if (s->vfs[pf] == 0 || s->mbps[pf] < in->req[i].min) {
			return false;
		}
		s->vfs[pf]--;
		s->mbps[pf] -= in->req[i].min;
	}
	return true;
}

/* The next assignment, counting in base pf_n; false after the last. */
static inline bool brute_next(const struct place_in *in, struct brute_state *s)
{
	for (size_t i = 0; i < in->req_n; i++) {
		if (++s->pf[i] < in->pf_n) {
			return true;
		}
		s->pf[i] = 0;
	}
	return false;
}

/* Place of each request in descending order, and of each PF in ascending order. */
static inline void brute_ranks(
	const struct place_in *in, const struct brute *b, uint8_t *req_rank, uint8_t *pf_rank)
{
	for (size_t i = 0; i < in->req_n; i++) {
		req_rank[i] = 0;
		for (size_t j = 0; j < in->req_n; j++) {
			req_rank[i] += in->req[j].min > in->req[i].min ||
				       (in->req[j].min == in->req[i].min && j < i);
		}
	}
	for (size_t i = 0; i < in->pf_n; i++) {
		const struct place_pf *mine = &in->pf[i];

		pf_rank[i] = 0;
		for (size_t j = 0; j < in->pf_n; j++) {
			const struct place_pf *other = &in->pf[j];
			bool before = other->mbps < mine->mbps;

			if (other->mbps == mine->mbps) {
				before = other->vfs < mine->vfs ||
					 (other->vfs == mine->vfs && j < i);
			}
			pf_rank[i] += i == b->hole_pf ? j != i : j != b->hole_pf && before;
		}
	}
}

/* Rule 1: feasibility and the hole. */
static inline void brute_hole(const struct place_in *in, struct brute *b)
{
	struct brute_state s = {{0}, {0}, {0}};

	b->fits = false;
	b->hole_pf = PLACE_PF_NONE;
	b->hole_mbps = 0;
	do {
		if (!brute_possible(in, &s)) {
			continue;
		}
		b->fits = true;
		for (size_t i = 0; i < in->pf_n; i++) {
			bool better = b->hole_pf == PLACE_PF_NONE || s.mbps[i] > b->hole_mbps ||
				      (s.mbps[i] == b->hole_mbps && i > b->hole_pf);

			if (s.vfs[i] > 0 && better) {
				b->hole_pf = (uint8_t)i;
				b->hole_mbps = (uint32_t)s.mbps[i];
			}
		}
	} while (brute_next(in, &s));
}

/*
 * Rule 2: of the assignments that leave the hole, the one whose PFs, in order, have the first sets.
 * A bit for each PF and request, the more significant the earlier, makes that the largest number.
 */
static inline void brute_assign(const struct place_in *in, struct brute *b)
{
	struct brute_state s = {{0}, {0}, {0}};
	uint8_t req_rank[PLACE_REQ_MAX], pf_rank[PLACE_PF_MAX];
	uint64_t best = 0;
	bool any = false;

	brute_hole(in, b);
	if (!b->fits || in->req_n == 0) {
		return;
	}
	brute_ranks(in, b, req_rank, pf_rank);
	do {
		uint64_t key = 0;

		if (!brute_possible(in, &s)) {
			continue;
		}
		if (b->hole_pf != PLACE_PF_NONE &&
			(s.vfs[b->hole_pf] == 0 || s.mbps[b->hole_pf] < b->hole_mbps)) {
			continue;
		}
		for (size_t i = 0; i < in->req_n; i++) {
			size_t place = pf_rank[s.pf[i]] * in->req_n + req_rank[i];

			key |= (uint64_t)1 << (in->pf_n * in->req_n - 1 - place);
		}
		if (!any || key > best) {
			any = true;
			best = key;
			memcpy(b->pf, s.pf, sizeof(b->pf));
		}
	} while (brute_next(in, &s));
}

#endif
