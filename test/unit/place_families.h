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

/*
 * PFs cut to the last Mb/s into 32 requests, in whole units: each PF of mbps[seed's choice], of
 * which there are kinds. Then all are given spare more.
 */
static inline void make_pieces(struct instance *x, uint32_t seed, uint32_t pf_n, uint32_t kinds,
	uint32_t unit, uint32_t spare)
{
	static const uint32_t mbps[] = {100000, 25000, 200000, 50000};
	uint64_t rng = seed;
	uint32_t left[PLACE_PF_MAX], pieces[PLACE_PF_MAX] = {0};

	instance_init(x, pf_n, 0);
	for (uint32_t i = 0; i < PLACE_REQ_MAX; i++) {
		pieces[i < pf_n ? i : random_below(&rng, pf_n)]++;
	}
	for (uint32_t i = 0; i < pf_n; i++) {
		x->pf[i] = (struct place_pf){PLACE_REQ_MAX, mbps[random_below(&rng, kinds)]};
		left[i] = x->pf[i].mbps / unit;
		for (; pieces[i] > 0; pieces[i]--) {
			uint32_t most = left[i] - (pieces[i] - 1), fair = 2 * left[i] / pieces[i];
			uint32_t piece = 1 + random_below(&rng, fair < most ? fair : most);

			piece = pieces[i] == 1 ? left[i] : piece;
			x->req[x->in.req_n++].min = piece * unit;
			left[i] -= piece;
		}
		x->pf[i].mbps += spare;
	}
}

/*
 * Random rates, in whole units, on PFs that have together what they need and as equal as they can
 * be, and then spare more each.
 */
static inline void make_rates(
	struct instance *x, uint32_t seed, uint32_t pf_n, uint32_t unit, uint32_t spare)
{
	uint64_t rng = seed;
	uint32_t sum = 0;

	instance_init(x, pf_n, PLACE_REQ_MAX);
	for (uint32_t i = 0; i < PLACE_REQ_MAX; i++) {
		x->req[i].min = (5000 / unit + random_below(&rng, 50000 / unit)) * unit;
		sum += x->req[i].min;
	}
	for (uint32_t i = 0; i < pf_n; i++) {
		uint32_t units = sum / unit / pf_n + (i < sum / unit % pf_n);

		x->pf[i] = (struct place_pf){PLACE_REQ_MAX, units * unit + spare};
	}
}

/*
 * Three requests on each PF, all of them one more than a multiple of four: what three of them leave
 * of a multiple of four is 1, 5, ... With less to spare than 1 on each PF no assignment exists, and
 * no sum or count shows it. If fits is set there is just 1 each.
 */
static inline void make_remainder(struct instance *x, uint32_t seed, uint32_t pf_n, bool fits)
{
	uint64_t rng = seed;

	instance_init(x, 0, 0);
	same_pfs(x, pf_n, PLACE_REQ_MAX, 100000);
	for (uint32_t i = 0; i < pf_n; i++) {
		uint32_t a = 26001 + 4 * random_below(&rng, 3000);
		uint32_t b = 26001 + 4 * random_below(&rng, 3000);

		x->req[x->in.req_n++].min = a;
		x->req[x->in.req_n++].min = b;
		x->req[x->in.req_n++].min = 99999 - a - b;
	}
	x->req[0].min += fits ? 0 : 4;
}

#define PIECES_FAMILY(name, pf_n, kinds, unit, spare)                                              \
	static inline void make_##name(struct instance *x, uint32_t seed)                          \
	{                                                                                          \
		make_pieces(x, seed, pf_n, kinds, unit, spare);                                    \
	}
#define RATES_FAMILY(name, pf_n, unit, spare)                                                      \
	static inline void make_##name(struct instance *x, uint32_t seed)                          \
	{                                                                                          \
		make_rates(x, seed, pf_n, unit, spare);                                            \
	}
#define REMAINDER_FAMILY(name, pf_n, fits)                                                         \
	static inline void make_##name(struct instance *x, uint32_t seed)                          \
	{                                                                                          \
		make_remainder(x, seed, pf_n, fits);                                               \
	}

PIECES_FAMILY(pieces4, 4, 1, 1, 0)
PIECES_FAMILY(pieces6, 6, 1, 1, 0)
PIECES_FAMILY(pieces8, 8, 1, 100, 0)
PIECES_FAMILY(pieces16, 16, 1, 100, 0)
PIECES_FAMILY(pieces12_1000, 12, 4, 1000, 0)
PIECES_FAMILY(pieces10_mixed, 10, 4, 100, 0)
PIECES_FAMILY(pieces16_mixed, 16, 4, 500, 0)
PIECES_FAMILY(pieces16_spare, 16, 4, 100, 1000)
RATES_FAMILY(rates9, 9, 1, 110)
RATES_FAMILY(rates10, 10, 1, 100)
RATES_FAMILY(rates11, 11, 1, 90)
RATES_FAMILY(rates12, 12, 1, 500)
RATES_FAMILY(rates13, 13, 1, 500)
RATES_FAMILY(rates11_100, 11, 100, 100)
RATES_FAMILY(rates11_500, 11, 500, 500)
RATES_FAMILY(rates13_1000, 13, 1000, 1000)
REMAINDER_FAMILY(remainder6, 6, false)
REMAINDER_FAMILY(remainder10, 10, false)
REMAINDER_FAMILY(remainder10_fits, 10, true)

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
	{"32 cut from 2 PFs", make_cut2, PLACE_YES, true, true, 3000},
	{"32 cut from 4 PFs", make_cut4, PLACE_YES, true, false, 15000},
	{"32 cut from 5 PFs", make_cut5, PLACE_YES, true, false, 75000},
	{"32 cut from 6 PFs", make_cut6, PLACE_YES, true, false, 75000},
	{"32 cut from 8 PFs", make_cut8, PLACE_YES, true, false, 15000},
	{"32 cut from 11 PFs", make_cut11, PLACE_YES, true, true, 3000},
	{"32 cut from 16 PFs", make_cut16, PLACE_YES, true, true, 2000},
	{"32 cut from 6 PFs, 5 spare", make_cut6_slack, PLACE_YES, true, false, 100000},
	{"32 cut from 8 PFs, 50 spare", make_cut8_slack, PLACE_YES, true, false, 3000},
	{"32 cut from 16 PFs, 500 spare", make_cut16_slack, PLACE_YES, true, false, 3000},
	{"32 filling 3 equal PFs", make_equal3, -1, true, true, 5000},
	{"32 filling 4 equal PFs", make_equal4, -1, true, false, 10000},
	{"32 filling 5 equal PFs", make_equal5, -1, true, false, 30000},
	{"32 filling 6 equal PFs", make_equal6, -1, true, true, 20000},
	{"32 filling 8 equal PFs", make_equal8, -1, true, true, 10000},
	{"32 filling 11 equal PFs", make_equal11, -1, true, true, 3000},
	{"32 on 6 equal PFs, 5 spare", make_equal6_slack, -1, true, false, 20000},
	{"32 on 8 equal PFs, 50 spare", make_equal8_slack, -1, true, false, 20000},
	{"32 on 8 equal PFs, 500 spare", make_equal8_wide, -1, true, false, 1000},
	{"32 on 11 equal PFs, 500 spare", make_equal11_slack, -1, false, false,
		PLACE_STEPS_MAX + 100},
	{"32 on 8 PFs of 4 VFs, 500 spare", make_few_vfs, -1, true, false, 1000},
	{"32 cut from 4 PFs of 100000", make_pieces4, PLACE_YES, true, true, 10000},
	{"32 cut from 6 PFs of 100000", make_pieces6, PLACE_YES, true, true, 10000},
	{"32 of 100s fill 8 PFs", make_pieces8, PLACE_YES, true, true, 10000},
	{"32 of 100s fill 16 PFs", make_pieces16, PLACE_YES, true, true, 300},
	{"32 of 1000s fill 12 unlike PFs", make_pieces12_1000, PLACE_YES, true, true, 100000},
	{"32 of 100s fill 10 unlike PFs", make_pieces10_mixed, PLACE_YES, true, false, 200000},
	{"32 of 500s fill 16 unlike PFs", make_pieces16_mixed, PLACE_YES, true, true, 5000},
	{"32 of 100s, 16 unlike, 1000 spare", make_pieces16_spare, PLACE_YES, true, false, 75000},
	{"32 on 9 near-equal PFs, 110 spare", make_rates9, -1, true, false, 75000},
	{"32 on 10 near-equal PFs, 100 spare", make_rates10, -1, true, false, 100000},
	{"32 on 11 near-equal PFs, 90 spare", make_rates11, -1, true, true, 30000},
	{"32 on 12 near-equal PFs, 500 spare", make_rates12, -1, true, false, 100000},
	{"32 on 13 near-equal PFs, 500 spare", make_rates13, -1, true, false, 20000},
	{"32 of 100s on 11 near-equal PFs", make_rates11_100, -1, true, false, 100000},
	{"32 of 500s on 11 near-equal PFs", make_rates11_500, -1, false, false,
		PLACE_STEPS_MAX + 100},
	{"32 of 1000s on 13 near-equal PFs", make_rates13_1000, -1, true, false, 50000},
	{"remainders, 18 on 6 PFs", make_remainder6, PLACE_NO, true, true, 100},
	{"remainders, 30 on 10 PFs", make_remainder10, PLACE_NO, true, true, 300},
	{"remainders that fit, 10 PFs", make_remainder10_fits, PLACE_YES, true, true, 300},
};

#endif
