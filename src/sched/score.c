/* SPDX-License-Identifier: MIT */
/*
 * Scores. full: how much of the node is in use with the pod on it, the larger share of VFs and
 * bandwidth. whole: how much of the largest free piece of a PF is still in one piece then. pack is
 * the mean of both, spread what full leaves.
 */
#include "sched/score_priv.h"

#include <string.h>

static uint32_t share(uint64_t part, uint64_t all)
{
	return all == 0 ? 0 : (uint32_t)(part * SCORE_FINE / all);
}

/* The largest bandwidth that is free on a PF with a free VF. */
static uint32_t hole(const struct place_pf *pf, size_t n)
{
	uint32_t best = 0;

	for (size_t i = 0; i < n; i++) {
		if (pf[i].vfs > 0 && pf[i].mbps > best) {
			best = pf[i].mbps;
		}
	}
	return best;
}

static uint32_t score(const struct sched_pf *is, const struct place_pf *before, size_t n,
	const struct place_request *req, uint32_t req_n, const uint8_t *at, bool spread)
{
	struct place_pf after[PLACE_PF_MAX];
	uint64_t vfs = 0, mbps = 0, free_vfs = 0, free_mbps = 0;
	uint32_t full, whole, was = hole(before, n);

	memcpy(after, before, n * sizeof(*before));
	for (uint32_t i = 0; i < req_n; i++) {
		after[at[i]].vfs--;
		after[at[i]].mbps -= req[i].min;
	}
	for (size_t i = 0; i < n; i++) {
		vfs += is[i].is.vfs;
		mbps += is[i].is.mbps;
		free_vfs += after[i].vfs;
		free_mbps += after[i].mbps;
	}
	full = share(vfs - free_vfs, vfs);
	if (share(mbps - free_mbps, mbps) > full) {
		full = share(mbps - free_mbps, mbps);
	}
	whole = was == 0 ? SCORE_FINE : share(hole(after, n), was);
	return spread ? SCORE_FINE - full : (full + whole) / 2;
}

uint32_t score_entry(
	struct sched *s, const struct sched_claim *c, unsigned char *entry, bool spread)
{
	uint32_t i = sched_entry_node(entry);
	struct place_pf free[PLACE_PF_MAX];
	size_t n = sched_copy_free(s, i, free);

	return score(sched_pfs(s, i), free, n, c->req, c->req_n, sched_entry_pfs(entry), spread);
}

void sched_score(struct sched *s, const struct sched_ask *ask, const uint32_t *node, size_t n,
	bool spread, uint8_t *scores)
{
	const struct sched_claim *own = sched_claim_find(s, ask->uid);
	struct place_pf free[PLACE_PF_MAX], last[PLACE_PF_MAX];
	size_t last_n = 0;
	struct place_out placed;
	bool fits = false;
	uint64_t steps = 0;

	for (size_t k = 0; k < n; k++) {
		size_t pf_n;

		scores[k] = 0;
		if (node[k] == SCHED_NONE || !s->node[node[k]].known || s->node[node[k]].broken) {
			continue;
		}
		pf_n = sched_free_for(s, own, node[k], free);
		if (k == 0 || pf_n != last_n || memcmp(free, last, pf_n * sizeof(*free)) != 0) {
			memcpy(last, free, pf_n * sizeof(*free));
			last_n = pf_n;
			fits = sched_place(s, free, pf_n, ask->req, ask->req_n, &placed, &steps) ==
			       PLACE_YES;
		}
		if (fits) {
			scores[k] = (uint8_t)((score(sched_pfs(s, node[k]), free, pf_n, ask->req,
						       ask->req_n, placed.pf, spread) +
						      50) /
					      100);
		}
	}
}
