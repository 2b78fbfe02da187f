/* SPDX-License-Identifier: MIT */
/*
 * The two searches of placement against each other: by PFs (search.c) and by requests (cover.c).
 * They share nothing but the problem, so what both say of all kinds of problems is right; the rule
 * itself is compared with trying everything in test_place_brute.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "place/place_priv.h"
#include "place_families.h"

static unsigned counted[2]; /* problems without an answer, and with one */

static void pose(const struct place_in *in, uint8_t hole, uint32_t mbps)
{
	place_begin(&work, in);
	work.stop = PLACE_STEPS_MAX;
	place_pose(&work, in, hole, mbps, false);
}

/* Does the problem's answer place each request once, within cap and VFs? */
static bool answer_holds(const struct place_problem *p)
{
	uint32_t all = 0, n = 0;

	for (uint32_t at = 0; at < p->pfs; at++) {
		uint64_t sum = 0;
		uint32_t vfs = 0;

		for (uint32_t set = p->set[at]; set != 0; set &= set - 1) {
			sum += p->size[__builtin_ctz(set)];
			vfs++;
		}
		if ((all & p->set[at]) != 0 || sum > p->cap[at] || vfs > p->vfs[at]) {
			return false;
		}
		all |= p->set[at];
		n += vfs;
	}
	return n == p->n;
}

static void compare(const struct place_in *in, uint8_t hole, uint32_t mbps)
{
	const struct place_problem *p = &work.problem;
	uint32_t set[PLACE_PF_MAX];
	enum place_answer right, any, first;

	pose(in, hole, mbps);
	if (p->n == 0 || p->cap_from[0] < work.units || p->vfs_from[0] < p->n) {
		return;
	}
	right = place_search(&work);
	memcpy(set, p->set, sizeof(set));
	any = place_cover(&work, UINT64_MAX, false);
	if (any == PLACE_LIMIT && work.cover.fill_n == PLACE_FILLS_MAX) {
		return; /* there is too much space for this search */
	}
	if (any != right || (any == PLACE_YES && !answer_holds(p))) {
		fail_msg("%s: any %d, right is %d", instance_text(in), any, right);
	}
	first = place_cover(&work, UINT64_MAX, true);
	if (first != right ||
		(first == PLACE_YES && memcmp(set, p->set, p->pfs * sizeof(set[0])) != 0)) {
		fail_msg("%s: first %d, right is %d", instance_text(in), first, right);
	}
	assert_true(right == PLACE_YES || right == PLACE_NO);
	counted[right]++;
	if (place_cover(&work, random_below(&(uint64_t){p->n}, 4), false) == PLACE_YES) {
		assert_true(right == PLACE_YES && answer_holds(p));
	}
}

/* A random node that is nearly full: pieces cut from PFs, of which some are then changed. */
static void make(struct instance *x, uint64_t *rng)
{
	uint32_t pf_n = 1 + random_below(rng, 6), req_n = 1 + random_below(rng, 14);
	uint32_t range = 2 + random_below(rng, 60), equal = random_below(rng, 3);
	uint32_t slack = random_below(rng, 2) * random_below(rng, 1 + range / 2);
	uint32_t vfs = 1 + random_below(rng, 6);
	uint64_t sum = 0;

	instance_init(x, pf_n, req_n);
	for (uint32_t i = 0; i < req_n; i++) {
		x->req[i].min = 1 + random_below(rng, range);
		sum += x->req[i].min;
		x->pf[random_below(rng, pf_n)].mbps += x->req[i].min;
	}
	for (uint32_t i = 0; i < pf_n; i++) {
		if (equal > 0) {
			x->pf[i].mbps = (uint32_t)(sum / pf_n) + (equal == 2 ? i / 2 : 0);
		}
		x->pf[i].mbps += slack;
		x->pf[i].vfs = vfs + random_below(rng, 3);
	}
	if (random_below(rng, 4) == 0) {
		x->req[0].min += 1 + random_below(rng, 5);
	}
}

static void test_random(void **state)
{
	uint64_t rng = 11;
	struct instance x;

	(void)state;
	for (unsigned i = 0; i < 100000; i++) {
		uint8_t hole = PLACE_PF_NONE;
		uint32_t mbps = 0;

		make(&x, &rng);
		if (random_below(&rng, 2) == 0) {
			hole = (uint8_t)random_below(&rng, (uint32_t)x.in.pf_n);
			mbps = random_below(&rng, x.pf[hole].mbps + 1);
		}
		compare(&x.in, hole, mbps);
	}
	assert_true(counted[PLACE_NO] > 5000 && counted[PLACE_YES] > 20000);
}

/* Sums beyond the bits of a row are counted modulo their number: none is missed. */
static void test_large_numbers(void **state)
{
	uint64_t rng = 12;
	struct instance x;

	(void)state;
	counted[0] = counted[1] = 0;
	for (unsigned i = 0; i < 3000; i++) {
		uint32_t scale = 1 + random_below(&rng, 40000000);

		make(&x, &rng);
		for (size_t j = 0; j < x.in.req_n; j++) {
			x.req[j].min = x.req[j].min * scale + random_below(&rng, 3);
		}
		for (size_t j = 0; j < x.in.pf_n; j++) {
			x.pf[j].mbps = x.pf[j].mbps < UINT32_MAX / scale ? x.pf[j].mbps * scale + 4
									 : UINT32_MAX;
		}
		compare(&x.in, PLACE_PF_NONE, 0);
	}
	assert_true(counted[PLACE_NO] > 100 && counted[PLACE_YES] > 100);
}

/* Whatever way place_fits took, the search by requests alone says the same. */
static void test_families(void **state)
{
	unsigned known = 0, all = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		for (uint32_t seed = 101; seed <= 106; seed++) {
			struct place_out out;
			struct instance x;
			struct err e = ERR_INIT;
			enum place_answer a;
			int r;

			families[i].make(&x, seed);
			r = place_fits(&x.in, &work, &out, &e);
			all++;
			pose(&x.in, PLACE_PF_NONE, 0);
			if (r == PLACE_LIMIT || work.problem.cap_from[0] < work.units) {
				continue;
			}
			a = place_cover(&work, UINT64_MAX, false);
			if (a != PLACE_LIMIT && (int)a != r) {
				fail_msg("%s, seed %u: fits %d, cover %d", families[i].name, seed,
					r, a);
			}
			known += a != PLACE_LIMIT;
		}
	}
	assert_true(known > all / 3);
}

/* More sets than the list has room for, or steps that end, are the third answer. */
static void test_limits(void **state)
{
	struct instance x;

	(void)state;
	instance_init(&x, 2, PLACE_REQ_MAX);
	for (uint32_t i = 0; i < PLACE_REQ_MAX; i++) {
		x.req[i].min = 1000 + i;
	}
	x.pf[0] = x.pf[1] = (struct place_pf){PLACE_REQ_MAX, 16 * 1020};
	pose(&x.in, PLACE_PF_NONE, 0);
	assert_int_equal(place_cover(&work, UINT64_MAX, false), PLACE_LIMIT);
	assert_int_equal(work.cover.fill_n, PLACE_FILLS_MAX);
	x.pf[0].mbps = x.pf[1].mbps = 8 * 1000 + 28;
	x.in.req_n = 16;
	pose(&x.in, PLACE_PF_NONE, 0);
	work.stop = 3;
	assert_int_equal(place_cover(&work, UINT64_MAX, false), PLACE_LIMIT);
	work.stop = PLACE_STEPS_MAX;
	assert_int_equal(place_cover(&work, UINT64_MAX, false), place_search(&work));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_large_numbers),
		cmocka_unit_test(test_families),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
