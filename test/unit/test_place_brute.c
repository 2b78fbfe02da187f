/* SPDX-License-Identifier: MIT */
/* place/place.h against trying everything: all small instances, and many random ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "place_help.h"
#include "place_brute.h"

static unsigned counted[2]; /* instances that do not fit, and that do */

static void compare(const struct place_in *in)
{
	struct err e = ERR_INIT;
	struct place_out fits, out;
	struct brute b;
	int yes = place_fits(in, &work, &fits, &e);
	int r = place_assign(in, &work, &out, &e);

	brute_assign(in, &b);
	counted[b.fits]++;
	if (yes != (b.fits ? PLACE_YES : PLACE_NO) || r != yes) {
		fail_msg("%s: fits %d, assign %d, right is %d", instance_text(in), yes, r, b.fits);
	}
	if ((out.why == PLACE_WHY_NONE) != b.fits || fits.why != out.why) {
		fail_msg("%s: reasons %d and %d", instance_text(in), fits.why, out.why);
	}
	if (!b.fits) {
		return;
	}
	if (out.hole_pf != b.hole_pf || out.hole_mbps != b.hole_mbps) {
		fail_msg("%s: hole %u on PF %u, right is %u on PF %u", instance_text(in),
			out.hole_mbps, out.hole_pf, b.hole_mbps, b.hole_pf);
	}
	for (size_t i = 0; i < in->req_n; i++) {
		if (out.pf[i] != b.pf[i]) {
			fail_msg("%s: request %zu on PF %u, right is %u", instance_text(in), i,
				out.pf[i], b.pf[i]);
		}
	}
	if (!assignment_holds(in, &out)) {
		fail_msg("%s: the assignment does not hold", instance_text(in));
	}
}

/* The next combination of n digits below base; false after the last. */
static bool count_up(uint8_t *digit, size_t n, uint8_t base)
{
	for (size_t i = 0; i < n; i++) {
		if (++digit[i] < base) {
			return true;
		}
		digit[i] = 0;
	}
	return false;
}

/*
 * All instances with pf_n PFs of less than vfs VFs and mbps Mb/s free, and req_n requests of less
 * than min Mb/s, in every order.
 */
static void compare_all(size_t pf_n, uint8_t vfs, uint8_t mbps, size_t req_n, uint8_t min)
{
	struct instance x;
	uint8_t pf[PLACE_PF_MAX] = {0};

	instance_init(&x, pf_n, req_n);
	do {
		uint8_t req[PLACE_REQ_MAX] = {0};

		for (size_t i = 0; i < pf_n; i++) {
			x.pf[i] = (struct place_pf){pf[i] % vfs, pf[i] / vfs};
		}
		do {
			for (size_t i = 0; i < req_n; i++) {
				x.req[i].min = req[i];
			}
			compare(&x.in);
		} while (count_up(req, req_n, min));
	} while (count_up(pf, pf_n, (uint8_t)(vfs * mbps)));
}

static void test_all_small(void **state)
{
	(void)state;
	counted[0] = counted[1] = 0;
	for (size_t n = 0; n <= 4; n++) {
		compare_all(0, 1, 1, n, 3);
		compare_all(1, 6, 9, n, 5);
		compare_all(2, 4, 6, n, n < 4 ? 6 : 5);
	}
	compare_all(3, 3, 4, 2, 5);
	compare_all(3, 3, 4, 3, 4);
	compare_all(3, 2, 5, 3, 4);
	compare_all(4, 2, 3, 3, 3);
	assert_true(counted[0] > 100000 && counted[1] > 100000);
}

/*
 * A random instance near the border between yes and no, mostly: few or many different sizes, PFs
 * that are empty, equal, or cut to what a hidden assignment needs.
 */
static void make_random(struct instance *x, uint64_t *rng)
{
	uint32_t pf_n = 1 + random_below(rng, 4);
	uint32_t req_n = random_below(rng, pf_n == 4 ? 6 : 8);
	uint32_t range = (uint32_t)1 << (1 + random_below(rng, 7));
	uint32_t zero = random_below(rng, 4);
	uint32_t slack = random_below(rng, 3);
	bool cut = random_below(rng, 3) != 0;
	bool few_vfs = random_below(rng, 2) != 0;

	instance_init(x, pf_n, req_n);
	for (uint32_t i = 0; i < pf_n; i++) {
		x->pf[i].vfs = few_vfs ? random_below(rng, 4) : 9;
		x->pf[i].mbps = cut ? random_below(rng, slack + 1) : random_below(rng, 3 * range);
		if (!cut && i > 0 && random_below(rng, 3) == 0) {
			x->pf[i] = x->pf[i - 1];
		}
	}
	for (uint32_t i = 0; i < req_n; i++) {
		uint32_t pf = random_below(rng, pf_n);

		x->req[i].min = random_below(rng, 8) < zero ? 0 : 1 + random_below(rng, range);
		if (cut) {
			x->pf[pf].mbps += x->req[i].min;
			x->pf[pf].vfs += random_below(rng, 2);
		}
	}
	if (cut && random_below(rng, 2) != 0 && x->pf[0].mbps > 0) {
		x->pf[0].mbps--;
	}
}

static void test_random(void **state)
{
	uint64_t rng = 20260101;
	struct instance x;

	(void)state;
	counted[0] = counted[1] = 0;
	for (unsigned i = 0; i < 100000; i++) {
		make_random(&x, &rng);
		compare(&x.in);
	}
	assert_true(counted[0] > 25000 && counted[1] > 25000);
}

#define SUBSET_REQS 9

/* covered[m]: the requests of m can go to the PFs so far. Adds PF pf. */
static void cover(const struct place_in *in, size_t pf, const uint64_t *sum, bool *covered)
{
	uint32_t all = ((uint32_t)1 << in->req_n) - 1;

	/* Downwards: what is set now has one PF more, and must not be added to again. */
	for (uint32_t m = all + 1; m-- > 0;) {
		for (uint32_t s = m; s > 0 && !covered[m]; s = (s - 1) & m) {
			covered[m] = covered[m & ~s] && sum[s] <= in->pf[pf].mbps &&
				     (uint32_t)__builtin_popcount(s) <= in->pf[pf].vfs;
		}
	}
}

/* The hole of instances too large for trying everything, from the sets that the other PFs take. */
static void compare_hole(const struct place_in *in)
{
	static uint64_t sum[1 << SUBSET_REQS];
	static bool covered[1 << SUBSET_REQS];
	uint32_t all = ((uint32_t)1 << in->req_n) - 1;
	int64_t best = -1;
	uint8_t best_pf = PLACE_PF_NONE;
	bool fits = false;
	struct place_out out;
	struct err e = ERR_INIT;
	int r = place_assign(in, &work, &out, &e);

	for (uint32_t m = 1; m <= all; m++) {
		sum[m] = sum[m & (m - 1)] + in->req[__builtin_ctz(m)].min;
	}
	for (size_t hole = 0; hole < in->pf_n; hole++) {
		memset(covered, 0, sizeof(covered));
		covered[0] = true;
		for (size_t pf = 0; pf < in->pf_n; pf++) {
			if (pf != hole) {
				cover(in, pf, sum, covered);
			}
		}
		for (uint32_t m = 0; m <= all; m++) {
			int64_t left = (int64_t)in->pf[hole].mbps - (int64_t)sum[all & ~m];
			uint32_t vfs = (uint32_t)__builtin_popcount(all & ~m);

			if (!covered[m] || left < 0 || vfs > in->pf[hole].vfs) {
				continue;
			}
			fits = true;
			if (vfs < in->pf[hole].vfs && left >= best) {
				best = left;
				best_pf = (uint8_t)hole;
			}
		}
	}
	counted[fits]++;
	if (r != (fits ? PLACE_YES : PLACE_NO)) {
		fail_msg("%s: answer %d, right is %d", instance_text(in), r, fits);
	}
	if (fits && (!assignment_holds(in, &out) || out.hole_pf != best_pf ||
			    (best >= 0 && out.hole_mbps != best))) {
		fail_msg("%s: hole %u on PF %u, right is %d on PF %u", instance_text(in),
			out.hole_mbps, out.hole_pf, (int)best, best_pf);
	}
}

static void test_random_larger(void **state)
{
	uint64_t rng = 7;
	struct instance x;

	(void)state;
	counted[0] = counted[1] = 0;
	for (unsigned i = 0; i < 1500; i++) {
		uint32_t pf_n = 3 + random_below(&rng, 4);
		uint32_t vfs = 1 + random_below(&rng, 5);

		instance_init(&x, pf_n, SUBSET_REQS);
		for (uint32_t j = 0; j < SUBSET_REQS; j++) {
			x.req[j].min = 1 + random_below(&rng, 100);
			x.pf[random_below(&rng, pf_n)].mbps += x.req[j].min;
		}
		for (uint32_t j = 0; j < pf_n; j++) {
			x.pf[j].vfs = vfs + random_below(&rng, 3);
			x.pf[j].mbps += random_below(&rng, 6);
		}
		x.pf[0].mbps += random_below(&rng, 4) == 0 ? 50 : 0;
		compare_hole(&x.in);
	}
	assert_true(counted[0] > 200 && counted[1] > 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_larger),
		cmocka_unit_test(test_all_small),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
