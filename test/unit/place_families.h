/* SPDX-License-Identifier: MIT */
/* Instances of placement that are built to hurt, for tests and for measuring. */
#ifndef TEST_PLACE_FAMILIES_H
#define TEST_PLACE_FAMILIES_H

#include "place_help.h"

struct family {
	const char *name;
	/* Fill x with instance number seed. */
	void (*make)(struct instance *x, uint32_t seed);
	int answer;     /* of place_fits, where it is the same for all seeds, else -1 */
	bool no_limit;  /* place_fits always knows */
	bool proved;    /* place_assign always finds the rule's assignment */
	uint32_t steps; /* it takes at most, with seeds 1 to 50 */
};

static inline void same_pfs(struct instance *x, uint32_t n, uint32_t vfs, uint32_t mbps)
{
	for (uint32_t i = 0; i < n; i++) {
		x->pf[i] = (struct place_pf){vfs, mbps};
	}
	x->in.pf_n = n;
}

/* n requests of min, min + step, min + 2 * step, ... */
static inline void requests(struct instance *x, uint32_t n, uint32_t min, uint32_t step)
{
	for (uint32_t i = 0; i < n; i++) {
		x->req[x->in.req_n++].min = min + i * step;
	}
}

/* What nodes and pods look like. */
static inline void make_everyday(struct instance *x, uint32_t seed)
{
	instance_init(x, 0, 0);
	same_pfs(x, 2, 100, 100000);
	x->pf[seed % 2].mbps -= 1000 * (seed % 37);
	requests(x, 3, 10000, 5000);
}

static inline void make_document(struct instance *x, uint32_t seed)
{
	instance_init(x, 0, 0);
	same_pfs(x, 8, 120, 100000 + seed % 5000);
	requests(x, 17, 40000, 0);
}

static inline void make_near_equal(struct instance *x, uint32_t seed)
{
	instance_init(x, 0, 0);
	same_pfs(x, 8, 120, 100000 + seed % 5000);
	requests(x, 17, 40000, 1);
}

static inline void make_near_equal_full(struct instance *x, uint32_t seed)
{
	instance_init(x, 0, 0);
	same_pfs(x, 8, 120, 100000 + seed % 5000);
	requests(x, 16, 40000, 7);
}

static inline void make_thirds_over(struct instance *x, uint32_t seed)
{
	instance_init(x, 0, 0);
	same_pfs(x, 15, 120, 100000);
	requests(x, 31, 33334, 1 + seed % 50);
}

static inline void make_thirds_under(struct instance *x, uint32_t seed)
{
	instance_init(x, 0, 0);
	same_pfs(x, 11, 120, 100000 + seed % 10);
	requests(x, 32, 33300, 1);
}

static inline void make_halves_over(struct instance *x, uint32_t seed)
{
	instance_init(x, 0, 0);
	same_pfs(x, 16, 120, 100000);
	requests(x, 17, 50001, 1 + seed % 50);
	requests(x, 15, 1000, 1);
}

/* Sizes around a half, a third and a sixth that just do not make a whole together. */
static inline void make_half_third_sixth(struct instance *x, uint32_t seed)
{
	instance_init(x, 0, 0);
	same_pfs(x, 11, 120, 100000);
	requests(x, 11, 50001 + seed % 7, 1);
	requests(x, 10, 33334, 1);
	requests(x, 11, 16600, 1);
}

/* Different PFs; each request is just too big to share a PF with two others. */
static inline void make_stairs(struct instance *x, uint32_t seed)
{
	instance_init(x, 16, 0);
	for (uint32_t i = 0; i < 16; i++) {
		x->pf[i] = (struct place_pf){120, 100000 + 137 * i};
	}
	requests(x, 32, 34100 + seed % 30, 11);
}

/*
 * Random sizes in PFs that an assignment with each PF full but for slack was cut from: whether
 * there is another way is the hard question. VFs are plenty.
 */
static inline void make_cut(struct instance *x, uint32_t seed, uint32_t pf_n, uint32_t req_n,
	uint32_t range, uint32_t slack, bool equal)
{
	uint64_t rng = seed;
	uint64_t sum = 0;

	instance_init(x, pf_n, req_n);
	for (uint32_t i = 0; i < req_n; i++) {
		x->req[i].min = range / 10 + random_below(&rng, range);
		sum += x->req[i].min;
		x->pf[i < pf_n ? i : random_below(&rng, pf_n)].mbps += x->req[i].min;
	}
	for (uint32_t i = 0; i < pf_n; i++) {
		x->pf[i].vfs = 120;
		x->pf[i].mbps += slack;
		if (equal) {
			x->pf[i].mbps = (uint32_t)(sum / pf_n) + slack + (i < sum % pf_n);
		}
	}
}

#define CUT_FAMILY(name, pf_n, req_n, range, slack, equal)                                         \
	static inline void make_##name(struct instance *x, uint32_t seed)                          \
	{                                                                                          \
		make_cut(x, seed, pf_n, req_n, range, slack, equal);                               \
	}

CUT_FAMILY(cut2, 2, 32, 25000, 0, false)
CUT_FAMILY(cut4, 4, 32, 25000, 0, false)
CUT_FAMILY(cut5, 5, 32, 25000, 0, false)
CUT_FAMILY(cut6, 6, 32, 25000, 0, false)
CUT_FAMILY(cut8, 8, 32, 25000, 0, false)
CUT_FAMILY(cut11, 11, 32, 60000, 0, false)
CUT_FAMILY(cut16, 16, 32, 60000, 0, false)
CUT_FAMILY(cut6_slack, 6, 32, 25000, 5, false)
CUT_FAMILY(cut8_slack, 8, 32, 25000, 50, false)
CUT_FAMILY(cut16_slack, 16, 32, 60000, 500, false)
CUT_FAMILY(equal3, 3, 32, 25000, 0, true)
CUT_FAMILY(equal4, 4, 32, 25000, 0, true)
CUT_FAMILY(equal5, 5, 32, 25000, 0, true)
CUT_FAMILY(equal6, 6, 32, 25000, 0, true)
CUT_FAMILY(equal8, 8, 32, 25000, 0, true)
CUT_FAMILY(equal11, 11, 32, 50000, 0, true)
CUT_FAMILY(equal6_slack, 6, 32, 25000, 5, true)
CUT_FAMILY(equal8_slack, 8, 32, 25000, 50, true)
CUT_FAMILY(equal8_wide, 8, 32, 25000, 500, true)
CUT_FAMILY(equal11_slack, 11, 32, 50000, 500, true)

/* What users write: round rates on ports of which others have taken round shares, nearly full. */
static inline void make_round(struct instance *x, uint32_t seed, uint32_t pf_n, uint32_t unit)
{
	uint64_t rng = seed;
	uint64_t sum = 0, all = 0;

	instance_init(x, pf_n, 0);
	for (uint32_t i = 0; i < pf_n; i++) {
		x->pf[i].vfs = 8 + random_below(&rng, 8);
		x->pf[i].mbps = 100000 - unit * random_below(&rng, 70000 / unit);
		all += x->pf[i].mbps;
	}
	while (x->in.req_n < 32) {
		uint32_t min = unit * (1 + random_below(&rng, (uint32_t)(3 * all / 64 / unit)));

		sum += min;
		if (sum > all - all / 50) {
			break;
		}
		x->req[x->in.req_n++].min = min;
	}
}

static inline void make_round5000(struct instance *x, uint32_t seed)
{
	make_round(x, seed, 8, 5000);
}

static inline void make_round1000(struct instance *x, uint32_t seed)
{
	make_round(x, seed, 8, 1000);
}

static inline void make_round16(struct instance *x, uint32_t seed)
{
	make_round(x, seed, 16, 1000);
}

static inline void make_round4(struct instance *x, uint32_t seed)
{
	make_round(x, seed, 4, 1000);
}

/* VFs, not bandwidth, decide how many requests a PF takes. */
static inline void make_few_vfs(struct instance *x, uint32_t seed)
{
	make_cut(x, seed, 8, 32, 25000, 3000, false);
	same_pfs(x, 8, 4, 0);
	make_cut(x, seed, 8, 32, 25000, 500, true);
	for (uint32_t i = 0; i < 8; i++) {
		x->pf[i].vfs = 4 + (i == 7);
	}
}

static const struct family families[] = {
	{"3 on 2 PFs, every day", make_everyday, PLACE_YES, true, true, 100},
	{"17 of 40000 on 8 equal PFs", make_document, PLACE_NO, true, true, 100},
	{"17 of 40000..40016 on 8 PFs", make_near_equal, PLACE_NO, true, true, 100},
	{"16 of 40000..40105 on 8 PFs", make_near_equal_full, PLACE_YES, true, true, 100},
	{"31 over a third on 15 PFs", make_thirds_over, PLACE_NO, true, true, 100},
	{"32 under a third on 11 PFs", make_thirds_under, PLACE_YES, true, true, 100},
	{"17 over a half on 16 PFs", make_halves_over, PLACE_NO, true, true, 100},
	{"half, third, sixth on 11 PFs", make_half_third_sixth, -1, true, true, 100},
	{"32 on 16 PFs in stairs", make_stairs, -1, true, true, 100},
	{"steps of 5000 on 8 PFs", make_round5000, -1, true, true, 100},
	{"steps of 1000 on 4 PFs", make_round4, -1, true, false, 100},
	{"steps of 1000 on 8 PFs", make_round1000, -1, true, true, 100},
	{"steps of 1000 on 16 PFs", make_round16, -1, true, false, 100},
	{"32 cut from 2 PFs", make_cut2, PLACE_YES, true, true, 5000},
	{"32 cut from 4 PFs", make_cut4, PLACE_YES, true, true, 20000},
	{"32 cut from 5 PFs", make_cut5, PLACE_YES, true, false, 100000},
	{"32 cut from 6 PFs", make_cut6, PLACE_YES, true, false, 50000},
	{"32 cut from 8 PFs", make_cut8, PLACE_YES, true, true, 10000},
	{"32 cut from 11 PFs", make_cut11, PLACE_YES, true, true, 5000},
	{"32 cut from 16 PFs", make_cut16, PLACE_YES, true, true, 5000},
	{"32 cut from 6 PFs, 5 spare", make_cut6_slack, PLACE_YES, true, false, 5000},
	{"32 cut from 8 PFs, 50 spare", make_cut8_slack, PLACE_YES, true, false, 5000},
	{"32 cut from 16 PFs, 500 spare", make_cut16_slack, PLACE_YES, true, false, 5000},
	{"32 filling 3 equal PFs", make_equal3, -1, true, true, 5000},
	{"32 filling 4 equal PFs", make_equal4, -1, true, true, 20000},
	{"32 filling 5 equal PFs", make_equal5, -1, true, false, 200000},
	{"32 filling 6 equal PFs", make_equal6, -1, true, true, 200000},
	{"32 filling 8 equal PFs", make_equal8, -1, true, true, 10000},
	{"32 filling 11 equal PFs", make_equal11, -1, true, true, 5000},
	{"32 on 6 equal PFs, 5 spare", make_equal6_slack, -1, true, false, 200000},
	{"32 on 8 equal PFs, 50 spare", make_equal8_slack, -1, true, false, 50000},
	{"32 on 8 equal PFs, 500 spare", make_equal8_wide, -1, true, false, 1000},
	{"32 on 11 equal PFs, 500 spare", make_equal11_slack, -1, false, false, 1000100},
	{"32 on 8 PFs of 4 VFs, 500 spare", make_few_vfs, -1, true, false, 1000},
};

#endif
