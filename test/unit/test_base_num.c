/* SPDX-License-Identifier: MIT */
/* base/num.h: the whole slice is a number in range, or nothing is. */
#include "unit.h"

#include "base/num.h"
#include "guard.h"

static const char *const no_numbers[] = {"", " ", "-", "+", "+1", " 1", "1 ", "1\n", "0x1", "1.0",
	"1e3", "1,000", "1_0", "a", "1a", "a1", "--1", "-+1", "- 1", "\xd9\xa1", "\xef\xbc\x91",
	"1/", "1:"};

static void test_rejects(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(no_numbers); i++) {
		struct guard g = guard_copy(str_from(no_numbers[i]));
		uint64_t u = 7;
		uint32_t w = 7;
		int64_t s = 7;

		assert_false(num_u64(g.s, UINT64_MAX, &u));
		assert_false(num_u32(g.s, UINT32_MAX, &w));
		assert_false(num_i64(g.s, &s));
		assert_true(u == 7 && w == 7 && s == 7);
		guard_free(&g);
	}
	assert_false(num_u64((struct str){"1\0", 2}, 9, &(uint64_t){0}));
	assert_false(num_i64((struct str){"\0", 1}, &(int64_t){0}));
}

static void test_u64(void **state)
{
	uint64_t v = 7;

	(void)state;
	assert_false(num_u64(STR("18446744073709551616"), UINT64_MAX, &v));
	assert_false(num_u64(STR("18446744073709551620"), UINT64_MAX, &v));
	assert_false(num_u64(STR("99999999999999999999999"), UINT64_MAX, &v));
	assert_false(num_u64(STR("11"), 10, &v));
	assert_false(num_u64(STR("1"), 0, &v));
	assert_false(num_u64(STR("-1"), UINT64_MAX, &v));
	assert_false(num_u64(STR("-0"), UINT64_MAX, &v));
	assert_int_equal(v, 7);
	assert_true(num_u64(STR("18446744073709551615"), UINT64_MAX, &v));
	assert_true(v == UINT64_MAX);
	assert_true(num_u64(STR("10"), 10, &v));
	assert_int_equal(v, 10);
	assert_true(num_u64(STR("0"), 0, &v));
	assert_int_equal(v, 0);
	assert_true(num_u64(STR("000000000000000000000000042"), 42, &v));
	assert_int_equal(v, 42);
}

static void test_u32(void **state)
{
	uint32_t v = 7;

	(void)state;
	assert_false(num_u32(STR("4294967296"), UINT32_MAX, &v));
	assert_false(num_u32(STR("65536"), 65535, &v));
	assert_false(num_u32(STR("-1"), UINT32_MAX, &v));
	assert_int_equal(v, 7);
	assert_true(num_u32(STR("4294967295"), UINT32_MAX, &v));
	assert_int_equal(v, UINT32_MAX);
}

static void test_i64(void **state)
{
	int64_t v = 7;

	(void)state;
	assert_false(num_i64(STR("9223372036854775808"), &v));
	assert_false(num_i64(STR("-9223372036854775809"), &v));
	assert_false(num_i64(STR("18446744073709551615"), &v));
	assert_int_equal(v, 7);
	assert_true(num_i64(STR("9223372036854775807"), &v));
	assert_true(v == INT64_MAX);
	assert_true(num_i64(STR("-9223372036854775808"), &v));
	assert_true(v == INT64_MIN);
	assert_true(num_i64(STR("-9223372036854775807"), &v));
	assert_true(v == -INT64_MAX);
	assert_true(num_i64(STR("-0"), &v));
	assert_int_equal(v, 0);
	assert_true(num_i64(STR("-12"), &v));
	assert_int_equal(v, -12);
}

static void test_hex(void **state)
{
	static const char *const bad[] = {"", "0x1", "g", " 1", "1 ", "-1", "+1",
		"12345678901234567", "00000000000000001", "1.", "\xe6"};
	uint64_t v = 7;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct guard g = guard_copy(str_from(bad[i]));

		assert_false(num_hex(g.s, UINT64_MAX, &v));
		guard_free(&g);
	}
	assert_false(num_hex(STR("100"), 0xff, &v));
	assert_int_equal(v, 7);
	assert_true(num_hex(STR("ff"), 0xff, &v));
	assert_int_equal(v, 0xff);
	assert_true(num_hex(STR("FFFFffffFFFFffff"), UINT64_MAX, &v));
	assert_true(v == UINT64_MAX);
	assert_true(num_hex(STR("0000000000000000"), 0, &v));
	assert_int_equal(v, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rejects),
		cmocka_unit_test(test_u64),
		cmocka_unit_test(test_u32),
		cmocka_unit_test(test_i64),
		cmocka_unit_test(test_hex),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
