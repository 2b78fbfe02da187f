/* SPDX-License-Identifier: MIT */
/* place/place.h on instances that are built to hurt: exact answers within counted work. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "place_families.h"

#define SEEDS 50

static int fits(const struct place_in *in, struct place_out *out)
{
	struct err e = ERR_INIT;
	int r = place_fits(in, &work, out, &e);

	assert_true(r >= 0);
	return r;
}

static void check_family(const struct family *f)
{
	struct instance x;
	struct place_out out;
	uint32_t most = 0;

	for (uint32_t seed = 1; seed <= SEEDS; seed++) {
		int r;

		f->make(&x, seed);
		r = fits(&x.in, &out);
		most = out.steps > most ? out.steps : most;
		if ((f->answer >= 0 && r != f->answer) || (f->no_limit && r == PLACE_LIMIT)) {
			fail_msg("%s, seed %u: answer %d", f->name, seed, r);
		}
		if (r == PLACE_YES) {
			struct err e = ERR_INIT;

			r = place_assign(&x.in, &work, &out, &e);
			if ((r != PLACE_YES && (r != PLACE_ANY || f->proved)) ||
				!assignment_holds(&x.in, &out)) {
				fail_msg("%s, seed %u: assign %d", f->name, seed, r);
			}
		}
	}
	if (most > f->steps) {
		fail_msg("%s: %u steps, allowed are %u", f->name, most, f->steps);
	}
}

static void test_families(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		check_family(&families[i]);
	}
}

/* What a pod and a node look like: the rule's answer, with next to no work. */
static void test_everyday(void **state)
{
	struct place_out out;
	struct instance x;
	struct err e = ERR_INIT;

	(void)state;
	for (uint32_t n = 1; n <= 8; n++) {
		instance_init(&x, 0, 0);
		same_pfs(&x, 8, 120, 100000);
		requests(&x, n, 10000, 5000);
		assert_int_equal(place_assign(&x.in, &work, &out, &e), PLACE_YES);
		assert_true(assignment_holds(&x.in, &out));
		assert_int_equal(out.hole_pf, 7);
		assert_int_equal(out.hole_mbps, 100000);
		assert_true(out.steps < 100);
		assert_int_equal(fits(&x.in, &out), PLACE_YES);
		assert_true(out.steps <= n);
	}
}

/* The same input gives the same output and work, whatever the scratch memory held before. */
static void test_deterministic(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		struct instance x;
		struct place_out a, b;
		struct err e = ERR_INIT;
		int r;

		families[i].make(&x, 3);
		memset(&work, 0, sizeof(work));
		r = place_assign(&x.in, &work, &a, &e);
		memset(&work, 0xff, sizeof(work));
		assert_int_equal(place_assign(&x.in, &work, &b, &e), r);
		assert_memory_equal(&a, &b, sizeof(a));
	}
}

/* A lower limit is kept, is never a wrong answer, and never hides an assignment that is known. */
static void test_limit(void **state)
{
	const uint32_t limits[] = {1, 50, 1000, 20000};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		for (size_t j = 0; j < ARRAY_LEN(limits); j++) {
			struct instance x;
			struct place_out out;
			int right, r;

			families[i].make(&x, 7);
			right = fits(&x.in, &out);
			x.in.steps_max = limits[j];
			r = fits(&x.in, &out);
			assert_true(r == PLACE_LIMIT || r == right);
			assert_true(out.steps <= limits[j] + 64);
		}
	}
}

static void test_limit_is_met(void **state)
{
	struct place_out out;
	struct instance x;
	struct err e = ERR_INIT;

	(void)state;
	make_equal6(&x, 1);
	x.in.steps_max = 3000;
	assert_int_equal(fits(&x.in, &out), PLACE_LIMIT);
	assert_int_equal(out.why, PLACE_WHY_NONE);
	assert_int_equal(place_assign(&x.in, &work, &out, &e), PLACE_LIMIT);
	x.in.steps_max = UINT32_MAX;
	assert_int_equal(fits(&x.in, &out), PLACE_NO);
	assert_int_equal(out.why, PLACE_WHY_SPLIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_families),
		cmocka_unit_test(test_everyday),
		cmocka_unit_test(test_deterministic),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_limit_is_met),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
