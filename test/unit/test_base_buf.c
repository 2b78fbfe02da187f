/* SPDX-License-Identifier: MIT */
/* base/buf.h: appending within bounds, and the flag that sticks. */
#include "unit.h"

#include "base/buf.h"
#include "guard.h"

static void test_appends(void **state)
{
	char mem[64];
	struct buf b;

	(void)state;
	buf_init(&b, mem, sizeof(mem));
	buf_add(&b, STR("ab"));
	buf_add(&b, (struct str)STR_INIT);
	buf_add_c(&b, "cd");
	buf_add_c(&b, NULL);
	buf_add_chr(&b, '\0');
	buf_printf(&b, "%d-%s", 5, "x");
	assert_true(buf_ok(&b));
	assert_true(str_eq(buf_str(&b), STR("abcd\0"
					    "5-x")));
	assert_int_equal(buf_room(&b), sizeof(mem) - 8);
	buf_reset(&b);
	assert_int_equal(b.n, 0);
	assert_int_equal(buf_room(&b), sizeof(mem));
}

static void check_number(int64_t v, const char *expected)
{
	char mem[20];
	struct buf b;
	size_t n = strlen(expected);

	buf_init(&b, mem, n);
	buf_add_i64(&b, v);
	assert_true(buf_ok(&b));
	assert_true(str_eq_c(buf_str(&b), expected));
	buf_init(&b, mem, n - 1);
	buf_add_i64(&b, v);
	assert_false(buf_ok(&b));
	assert_int_equal(b.n, 0);
}

static void test_numbers(void **state)
{
	char mem[20];
	struct buf b;

	(void)state;
	check_number(0, "0");
	check_number(7, "7");
	check_number(10, "10");
	check_number(-1, "-1");
	check_number(INT64_MAX, "9223372036854775807");
	check_number(INT64_MIN, "-9223372036854775808");
	buf_init(&b, mem, sizeof(mem));
	buf_add_u64(&b, UINT64_MAX);
	assert_true(str_eq_c(buf_str(&b), "18446744073709551615"));
	assert_true(buf_ok(&b));
	assert_int_equal(buf_room(&b), 0);
}

static void test_overflow_sticks(void **state)
{
	struct guard g = guard_copy(STR("????"));
	struct buf b;

	(void)state;
	buf_init(&b, (char *)g.s.p, g.s.n);
	buf_add_c(&b, "abc");
	buf_add_c(&b, "de");
	assert_false(buf_ok(&b));
	assert_int_equal(buf_room(&b), 0);
	/* There is a byte left, but what follows would be a text with a hole. */
	buf_add_chr(&b, 'f');
	buf_add_u64(&b, 1);
	buf_printf(&b, "%s", "");
	buf_add(&b, STR(""));
	assert_false(buf_ok(&b));
	assert_true(str_eq_c(buf_str(&b), "abc"));
	buf_reset(&b);
	buf_add_c(&b, "wxyz");
	assert_true(buf_ok(&b));
	assert_true(str_eq_c(buf_str(&b), "wxyz"));
	buf_add_chr(&b, '!');
	assert_false(buf_ok(&b));
	guard_free(&g);
}

static void test_printf_bounds(void **state)
{
	struct guard g = guard_copy(STR("????"));
	struct buf b;

	(void)state;
	buf_init(&b, (char *)g.s.p, g.s.n);
	buf_printf(&b, "%s", "abc");
	assert_true(buf_ok(&b));
	buf_printf(&b, "%s", "de");
	assert_false(buf_ok(&b));
	assert_true(str_eq_c(buf_str(&b), "abc"));
	guard_free(&g);
	buf_init(&b, NULL, 0);
	buf_printf(&b, "%s", "");
	assert_false(buf_ok(&b));
}

static void test_no_memory(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, NULL, 0);
	buf_add(&b, STR(""));
	assert_true(buf_ok(&b));
	buf_add_chr(&b, 'a');
	assert_false(buf_ok(&b));
	assert_int_equal(buf_str(&b).n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_appends),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_overflow_sticks),
		cmocka_unit_test(test_printf_bounds),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
