/* SPDX-License-Identifier: MIT */
/* From input to problem: order, what can be used at all, and the first attempt. */
#include "place/place_priv.h"

#include <string.h>

static uint32_t divisor(uint32_t a, uint32_t b)
{
	while (b != 0) {
		uint32_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

uint32_t place_free_mbps(const struct place_in *in, uint32_t pf)
{
	return in->pf[pf].mbps < PLACE_RATE_MAX ? in->pf[pf].mbps : PLACE_RATE_MAX;
}

void place_begin(struct place_work *w, const struct place_in *in)
{
	w->req_n = (uint32_t)in->req_n;
	w->sized_n = 0;
	w->size_sum = 0;
	w->unit = 0;
	w->steps = 0;
	w->serial = 0;
	w->posed = 0;
	w->memo_ready = false;
	w->reach.ready = false;
	w->cover.ready = false;
	w->largest = 0;
	for (uint32_t i = 0; i < in->pf_n; i++) {
		uint32_t mbps = place_free_mbps(in, i);

		w->largest = mbps > w->largest ? mbps : w->largest;
	}
	for (uint32_t i = 0; i < w->req_n; i++) {
		uint32_t min = in->req[i].min;
		uint32_t at = i;

		for (; at > 0 && w->size[at - 1] < min; at--) {
			w->size[at] = w->size[at - 1];
			w->order[at] = w->order[at - 1];
		}
		w->size[at] = min;
		w->order[at] = (uint8_t)i;
		w->size_sum += min;
		w->sized_n += min > 0;
		w->unit = divisor(w->unit, min);
	}
	w->unit = w->unit > 0 ? w->unit : 1;
	for (uint32_t i = 0; i < w->sized_n; i++) {
		w->size[i] /= w->unit;
	}
	w->units = w->size_sum / w->unit;
	w->largest = w->largest / w->unit < w->units ? w->largest / w->unit : (uint32_t)w->units;
}

/* Does PF a come before PF b, which is given after it? */
static bool in_order(const struct place_in *in, uint32_t a, uint32_t b, uint8_t hole)
{
	if (a == hole || b == hole) {
		return b == hole;
	}
	if (in->pf[a].mbps != in->pf[b].mbps) {
		return in->pf[a].mbps < in->pf[b].mbps;
	}
	return in->pf[a].vfs <= in->pf[b].vfs;
}

/* PFs by free bandwidth, then free VFs, then as given; the hole's PF at the end. */
static void sort_pfs(struct place_problem *p, const struct place_in *in, uint8_t hole)
{
	p->pfs = (uint32_t)in->pf_n;
	for (uint32_t i = 0; i < p->pfs; i++) {
		uint32_t at = i;

		for (; at > 0 && !in_order(in, p->pf[at - 1], i, hole); at--) {
			p->pf[at] = p->pf[at - 1];
		}
		p->pf[at] = (uint8_t)i;
	}
}

/*
 * Make cap and vfs of PF number at what can be used at most. That changes no answer, but shows
 * that space is short, and makes PFs identical that only looked different.
 */
static void trim(struct place_problem *p, uint32_t at)
{
	uint64_t sum = 0;
	uint32_t most = 0; /* of the smallest requests */

	while (most < p->n && sum + p->size[p->n - 1 - most] <= p->cap[at]) {
		sum += p->size[p->n - 1 - most];
		most++;
	}
	if (p->vfs[at] < most) {
		p->counted = true;
		most = p->vfs[at];
	}
	p->vfs[at] = most;
	sum = 0;
	for (uint32_t i = 0; i < most; i++) {
		sum += p->size[i];
	}
	if (p->cap[at] > sum) {
		p->cap[at] = (uint32_t)sum;
	}
}

void place_derive(struct place_work *w, bool harder)
{
	struct place_problem *p = &w->problem;

	w->posed++;
	w->serial += harder ? 0 : 3; /* fair attempts have two of their own */
	p->cap_from[p->pfs] = 0;
	p->vfs_from[p->pfs] = 0;
	for (uint32_t at = p->pfs; at-- > 0;) {
		bool same = at + 1 < p->pfs && p->cap[at] == p->cap[at + 1] &&
			    p->vfs[at] == p->vfs[at + 1];

		p->cap_from[at] = p->cap_from[at + 1] + p->cap[at];
		p->vfs_from[at] = p->vfs_from[at + 1] + p->vfs[at];
		p->same_prev[at] = false;
		p->same_end[at] = (uint8_t)(at + 1);
		if (same) {
			p->same_prev[at + 1] = true;
			p->same_end[at] = p->same_end[at + 1];
		}
	}
}

void place_pose(struct place_work *w, const struct place_in *in, uint8_t hole, uint32_t hole_mbps,
	bool harder)
{
	struct place_problem *p = &w->problem;

	p->n = w->sized_n;
	p->counted = false;
	p->shares = 0;
	memcpy(p->size, w->size, sizeof(p->size));
	sort_pfs(p, in, hole);
	for (uint32_t at = 0; at < p->pfs; at++) {
		bool is_hole = p->pf[at] == hole;
		uint32_t mbps = place_free_mbps(in, p->pf[at]) - (is_hole ? hole_mbps : 0);

		p->cap[at] = mbps / w->unit;
		p->vfs[at] = in->pf[p->pf[at]].vfs - is_hole;
		trim(p, at);
	}
	place_derive(w, harder);
}

bool place_greedy(struct place_problem *p)
{
	uint32_t cap[PLACE_PF_MAX], vfs[PLACE_PF_MAX];

	memcpy(cap, p->cap, sizeof(cap));
	memcpy(vfs, p->vfs, sizeof(vfs));
	memset(p->set, 0, sizeof(p->set));
	for (uint32_t i = 0; i < p->n; i++) {
		uint32_t best = p->pfs;

		for (uint32_t at = 0; at < p->pfs; at++) {
			if (vfs[at] > 0 && cap[at] >= p->size[i] &&
				(best == p->pfs || cap[at] < cap[best])) {
				best = at;
			}
		}
		if (best == p->pfs) {
			return false;
		}
		cap[best] -= p->size[i];
		vfs[best]--;
		p->set[best] |= 1u << i;
	}
	return true;
}
