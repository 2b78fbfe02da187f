/* SPDX-License-Identifier: MIT */
/* base/str.h: slices and character classes. */
#include "unit.h"

#include "base/str.h"
#include "guard.h"

static void test_from(void **state)
{
	(void)state;
	assert_int_equal(str_from(NULL).n, 0);
	assert_int_equal(str_from("").n, 0);
	assert_int_equal(str_from("abc").n, 3);
	assert_int_equal(STR("a\0b").n, 3);
}

static void test_eq(void **state)
{
	(void)state;
	assert_true(str_eq(STR("ab"), STR("ab")));
	assert_true(str_eq(STR(""), (struct str)STR_INIT));
	assert_true(str_eq_c(STR("ab"), "ab"));
	assert_false(str_eq(STR("ab"), STR("aB")));
	assert_false(str_eq(STR("ab"), STR("abc")));
	assert_false(str_eq(STR("abc"), STR("ab")));
	assert_false(str_eq(STR("a\0b"), STR("a\0c")));
	assert_false(str_eq_c(STR("a\0"), "a"));
	assert_false(str_eq_c(STR("a"), ""));
}

static void test_ieq(void **state)
{
	(void)state;
	assert_true(str_ieq(STR("Content-Length"), STR("content-LENGTH")));
	assert_true(str_ieq(STR(""), STR("")));
	assert_false(str_ieq(STR("a"), STR("")));
	assert_false(str_ieq(STR("a"), STR("ab")));
	/* Neighbours of the letters, and bytes that a locale would call letters. */
	assert_false(str_ieq(STR("@"), STR("`")));
	assert_false(str_ieq(STR("["), STR("{")));
	assert_false(str_ieq(STR("\xc4"), STR("\xe4")));
}

static void test_starts(void **state)
{
	(void)state;
	assert_true(str_starts(STR("abc"), STR("ab")));
	assert_true(str_starts(STR("abc"), STR("abc")));
	assert_true(str_starts(STR("abc"), STR("")));
	assert_true(str_starts((struct str)STR_INIT, (struct str)STR_INIT));
	assert_false(str_starts(STR("abc"), STR("b")));
	assert_false(str_starts(STR("ab"), STR("abc")));
	assert_false(str_starts((struct str)STR_INIT, STR("a")));
}

static void test_skip(void **state)
{
	(void)state;
	assert_true(str_eq_c(str_skip(STR("abc"), 1), "bc"));
	assert_true(str_eq_c(str_skip(STR("abc"), 0), "abc"));
	assert_int_equal(str_skip(STR("abc"), 3).n, 0);
	assert_int_equal(str_skip(STR("abc"), 4).n, 0);
	assert_int_equal(str_skip(STR("abc"), SIZE_MAX).n, 0);
	assert_int_equal(str_skip((struct str)STR_INIT, 5).n, 0);
}

static void test_trim(void **state)
{
	struct guard g = guard_copy(STR(" \t\r\n a b \n"));

	(void)state;
	assert_true(str_eq_c(str_trim(g.s), "a b"));
	guard_free(&g);
	assert_int_equal(str_trim(STR(" \t\r\n")).n, 0);
	assert_int_equal(str_trim(STR("")).n, 0);
	assert_int_equal(str_trim((struct str)STR_INIT).n, 0);
	assert_int_equal(str_trim(STR("\v\f")).n, 2);
	assert_int_equal(str_trim(STR("\xa0")).n, 1);
	assert_int_equal(str_trim(STR("\0 ")).n, 1);
}

static void test_cut(void **state)
{
	struct str head = STR("kept"), tail = STR("kept");

	(void)state;
	assert_false(str_cut(STR("abc"), '=', &head, &tail));
	assert_false(str_cut(STR(""), '=', &head, &tail));
	assert_false(str_cut((struct str)STR_INIT, '\0', &head, &tail));
	assert_true(str_eq_c(head, "kept") && str_eq_c(tail, "kept"));
	assert_true(str_cut(STR("k=v=w"), '=', &head, &tail));
	assert_true(str_eq_c(head, "k") && str_eq_c(tail, "v=w"));
	assert_true(str_cut(STR("="), '=', &head, &tail));
	assert_int_equal(head.n + tail.n, 0);
	/* In and out may be the same. */
	tail = STR("a:b:c");
	assert_true(str_cut(tail, ':', &head, &tail));
	assert_true(str_eq_c(head, "a") && str_eq_c(tail, "b:c"));
}

static void test_copy(void **state)
{
	char dst[4] = "old";

	(void)state;
	assert_false(str_copy(STR("abcd"), dst, sizeof(dst)));
	assert_false(str_copy(STR("a\0b"), dst, sizeof(dst)));
	assert_false(str_copy(STR("\0"), dst, sizeof(dst)));
	assert_false(str_copy(STR(""), dst, 0));
	assert_string_equal(dst, "old");
	assert_true(str_copy(STR("abc"), dst, sizeof(dst)));
	assert_string_equal(dst, "abc");
	assert_true(str_copy((struct str)STR_INIT, dst, sizeof(dst)));
	assert_string_equal(dst, "");
}

/* Every byte, so also those that are negative as char. */
static void test_classes(void **state)
{
	(void)state;
	for (int i = 0; i < 256; i++) {
		char c = (char)i;
		bool digit = i >= '0' && i <= '9';
		bool alpha = (i >= 'a' && i <= 'z') || (i >= 'A' && i <= 'Z');

		assert_int_equal(chr_digit(c), digit);
		assert_int_equal(chr_alpha(c), alpha);
		assert_int_equal(chr_alnum(c), alpha || digit);
	}
	assert_int_equal(chr_hex('0'), 0);
	assert_int_equal(chr_hex('9'), 9);
	assert_int_equal(chr_hex('a'), 10);
	assert_int_equal(chr_hex('F'), 15);
	assert_int_equal(chr_hex('g'), -1);
	assert_int_equal(chr_hex('/'), -1);
	assert_int_equal(chr_hex(':'), -1);
	assert_int_equal(chr_hex('@'), -1);
	assert_int_equal(chr_hex('`'), -1);
	assert_int_equal(chr_hex('\0'), -1);
	assert_int_equal(chr_hex((char)0xe6), -1);
	assert_int_equal(chr_lower('A'), 'a');
	assert_int_equal(chr_lower('Z'), 'z');
	assert_int_equal(chr_lower('['), '[');
	assert_int_equal(chr_lower((char)0xc4), (char)0xc4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_from),
		cmocka_unit_test(test_eq),
		cmocka_unit_test(test_ieq),
		cmocka_unit_test(test_starts),
		cmocka_unit_test(test_skip),
		cmocka_unit_test(test_trim),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_classes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
