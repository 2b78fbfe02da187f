/* SPDX-License-Identifier: MIT */
/* place/place.h: the rule by example, reasons for no, and numbers at their ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "base/attr.h"
#include "place_help.h"

#define MOST 6

struct example {
	const char *what;
	struct place_pf pf[MOST]; /* up to the first with neither VFs nor bandwidth */
	uint32_t min[MOST];       /* n of them */
	size_t n;
	uint8_t to[MOST];
	uint8_t hole_pf;
	uint32_t hole_mbps;
};

static const struct example examples[] = {
	{"the first of equal PFs is used, the last has the hole", {{9, 100}, {9, 100}, {9, 100}},
		{10}, 1, {0}, 2, 100},
	{"a small request fills the used PF", {{9, 100}, {9, 100}, {9, 20}}, {10}, 1, {2}, 1, 100},
	{"the used PF that fits tightest", {{9, 100}, {9, 40}, {9, 30}}, {25}, 1, {2}, 0, 100},
	{"the largest first", {{9, 100}, {9, 60}, {9, 20}}, {20, 60}, 2, {2, 1}, 0, 100},
	{"look-ahead: the tight PF is left to others", {{9, 10}, {9, 12}}, {6, 4, 6, 6}, 4,
		{0, 0, 1, 1}, 1, 0},
	{"equal PFs: the one with fewer VFs first", {{9, 50}, {2, 50}, {9, 99}}, {5}, 1, {1}, 2,
		99},
	{"equal requests in the order given", {{9, 10}, {9, 20}, {9, 90}}, {10, 10, 10}, 3,
		{0, 1, 1}, 2, 90},
	{"no minimum: a VF of the used PF", {{9, 100}, {9, 7}}, {0}, 1, {1}, 0, 100},
	{"no minimum on a PF without bandwidth", {{9, 100}, {1, 0}}, {0, 0}, 2, {1, 0}, 0, 100},
	{"a hole needs a VF: the larger PF has only one", {{1, 100}, {9, 60}}, {50}, 1, {1}, 0,
		100},
	{"a hole needs a VF: it is the PF that keeps one", {{1, 100}, {2, 20}}, {70, 0}, 2, {0, 1},
		1, 20},
	{"no VF stays free: no hole", {{1, 100}, {1, 100}}, {10, 20}, 2, {1, 0}, PLACE_PF_NONE, 0},
	{"a PF without VFs is none", {{0, 900}, {9, 50}}, {40}, 1, {1}, 1, 10},
	{"no request", {{9, 30}, {9, 30}}, {0}, 0, {0}, 1, 30},
	{"no request and no PF", {{0, 0}}, {0}, 0, {0}, PLACE_PF_NONE, 0},
	{"the last Mb/s", {{2, 10}, {1, 7}}, {7, 6, 4}, 3, {1, 0, 0}, PLACE_PF_NONE, 0},
};

static void make_example(struct instance *x, const struct example *ex)
{
	instance_init(x, 0, ex->n);
	for (; x->in.pf_n < MOST; x->in.pf_n++) {
		x->pf[x->in.pf_n] = ex->pf[x->in.pf_n];
		if (ex->pf[x->in.pf_n].vfs == 0 && ex->pf[x->in.pf_n].mbps == 0) {
			break;
		}
	}
	for (size_t i = 0; i < ex->n; i++) {
		x->req[i].min = ex->min[i];
	}
}

static void test_examples(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(examples); i++) {
		const struct example *ex = &examples[i];
		struct instance x;
		struct place_out out;
		struct err e = ERR_INIT;

		make_example(&x, ex);
		if (place_assign(&x.in, &work, &out, &e) != PLACE_YES ||
			memcmp(out.pf, ex->to, ex->n) != 0 || out.hole_pf != ex->hole_pf ||
			out.hole_mbps != ex->hole_mbps) {
			fail_msg("%s: PFs %u %u %u %u, hole %u on %u", ex->what, out.pf[0],
				out.pf[1], out.pf[2], out.pf[3], out.hole_mbps, out.hole_pf);
		}
	}
}

struct refusal {
	struct place_pf pf[MOST];
	uint32_t min[MOST];
	size_t n;
	enum place_why why;
	uint32_t req;
};

static const struct refusal refusals[] = {
	{{{0, 0}}, {0}, 1, PLACE_WHY_VFS, 0},
	{{{2, 100}}, {0, 0, 0}, 3, PLACE_WHY_VFS, 0},
	{{{0, 100}, {1, 100}}, {1, 1}, 2, PLACE_WHY_VFS, 0},
	{{{9, 100}}, {101}, 1, PLACE_WHY_REQUEST, 0},
	{{{9, 100}, {9, 90}}, {5, 0, 101}, 3, PLACE_WHY_REQUEST, 2},
	{{{0, 200}, {9, 100}}, {0, 101}, 2, PLACE_WHY_REQUEST, 1},
	{{{9, 0}}, {1}, 1, PLACE_WHY_REQUEST, 0},
	{{{9, 100}, {9, 90}}, {95, 96}, 2, PLACE_WHY_SUM, 0},
	{{{0, 100}, {9, 90}}, {50, 41}, 2, PLACE_WHY_SUM, 0},
	{{{9, 100}, {9, 100}}, {60, 60, 50}, 3, PLACE_WHY_SPLIT, 0},
	{{{1, 100}, {1, 40}}, {50, 50}, 2, PLACE_WHY_SPLIT, 0},
	{{{9, 8}, {9, 8}}, {5, 5, 5}, 3, PLACE_WHY_SPLIT, 0},
	{{{9, UINT32_MAX}}, {PLACE_RATE_NEVER}, 1, PLACE_WHY_REQUEST, 0},
	{{{9, UINT32_MAX}, {9, UINT32_MAX}}, {PLACE_RATE_MAX, PLACE_RATE_MAX, 1}, 3, PLACE_WHY_SUM,
		0},
	{{{9, UINT32_MAX}, {9, 1}, {9, 1}}, {2, PLACE_RATE_MAX, 0}, 3, PLACE_WHY_SPLIT, 0},
};

static void test_refusals(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		const struct refusal *ref = &refusals[i];
		struct example ex = {"", {{0, 0}}, {0}, ref->n, {0}, 0, 0};
		struct instance x;
		struct place_out out;
		struct err e = ERR_INIT;

		memcpy(ex.pf, ref->pf, sizeof(ex.pf));
		memcpy(ex.min, ref->min, sizeof(ex.min));
		make_example(&x, &ex);
		x.in.pf_n = i == 0 ? 1 : x.in.pf_n;
		assert_int_equal(place_fits(&x.in, &work, &out, &e), PLACE_NO);
		if (out.why != ref->why || out.req != ref->req) {
			fail_msg("%zu: %s (request %u)", i, place_why_text(out.why), out.req);
		}
		assert_int_equal(place_assign(&x.in, &work, &out, &e), PLACE_NO);
		assert_int_equal(out.why, ref->why);
		assert_int_equal(out.req, ref->req);
		assert_int_equal(out.hole_pf, PLACE_PF_NONE);
	}
}

/* Sums far beyond 32 bits do not wrap. */
static void test_big_numbers(void **state)
{
	struct instance x;
	struct place_out out;
	struct err e = ERR_INIT;

	(void)state;
	instance_init(&x, PLACE_PF_MAX, PLACE_REQ_MAX);
	for (size_t i = 0; i < PLACE_PF_MAX; i++) {
		x.pf[i] = (struct place_pf){UINT32_MAX, UINT32_MAX};
		x.req[i].min = PLACE_RATE_MAX;
	}
	assert_int_equal(place_assign(&x.in, &work, &out, &e), PLACE_YES);
	assert_true(assignment_holds(&x.in, &out));
	assert_int_equal(out.hole_mbps, 0);
	x.pf[31].mbps = PLACE_RATE_MAX - 1;
	assert_int_equal(place_assign(&x.in, &work, &out, &e), PLACE_NO);
	assert_int_equal(out.why, PLACE_WHY_SUM);
	x.req[3].min = 1;
	assert_int_equal(place_assign(&x.in, &work, &out, &e), PLACE_YES);
	assert_true(assignment_holds(&x.in, &out));
	assert_int_equal(out.pf[3], 31);
	assert_int_equal(out.hole_pf, 31);
	assert_int_equal(out.hole_mbps, PLACE_RATE_MAX - 2);
}

static void test_too_many(void **state)
{
	struct place_pf pf[PLACE_PF_MAX + 1] = {{1, 1}};
	struct place_request req[PLACE_REQ_MAX + 1] = {{1, 0}};
	struct place_in in = {pf, PLACE_PF_MAX, req, PLACE_REQ_MAX + 1, 0};
	struct place_out out;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(place_fits(&in, &work, &out, &e), -E2BIG);
	assert_string_equal(e.msg, "33 interfaces wanted, at most 32 can be placed");
	assert_int_equal(place_assign(&in, &work, &out, &e), -E2BIG);
	in.req_n = PLACE_REQ_MAX;
	in.pf_n++;
	assert_int_equal(place_fits(&in, &work, &out, &e), -E2BIG);
	assert_string_equal(e.msg, "33 PFs, at most 32 can be considered");
	assert_int_equal(place_assign(&in, &work, &out, &e), -E2BIG);
	in.pf_n--;
	assert_int_equal(place_assign(&in, &work, &out, &e), PLACE_NO);
}

/* The text of each reason is one of its own. */
static void test_why_text(void **state)
{
	(void)state;
	for (int i = PLACE_WHY_NONE; i <= PLACE_WHY_SPLIT; i++) {
		for (int j = PLACE_WHY_NONE; j < i; j++) {
			assert_string_not_equal(place_why_text((enum place_why)i),
				place_why_text((enum place_why)j));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_examples),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_big_numbers),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_why_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
