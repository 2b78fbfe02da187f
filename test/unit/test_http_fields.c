/* SPDX-License-Identifier: MIT */
/* http/parse.h: what may be put on the wire. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/parse.h"

#define LEN(s) ((struct str){(s), sizeof(s) - 1})

static void test_host(void **state)
{
	static const char *const hosts[] = {
		"a", "a.b:80", "10.0.0.1:54005", "[::1]", "[fe80::1]:80", "a:", "node_1"};
	static const char *const no_hosts[] = {"", ":80", "a b", "a/b", "a\r\nX: y", "[::1", "a:b",
		"u@h", "[]", "a,b", "\x80", "[1]2"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
		assert_true(http_is_host(str_from(hosts[i])));
	}
	for (size_t i = 0; i < ARRAY_LEN(no_hosts); i++) {
		assert_false(http_is_host(str_from(no_hosts[i])));
	}
	assert_false(http_is_host(LEN("a\0b")));
}

static void test_token(void **state)
{
	(void)state;
	assert_true(http_is_token(STR("X-Test")));
	assert_false(http_is_token(STR("")));
	assert_false(http_is_token(STR("a b")));
	assert_false(http_is_token(STR("a:")));
	assert_false(http_is_token(LEN("a\0")));
}

static void test_value(void **state)
{
	(void)state;
	assert_true(http_is_value(STR("")));
	assert_true(http_is_value(STR("a \t\xc3\xa4")));
	assert_false(http_is_value(STR("a\r\nSet-Cookie: x")));
	assert_false(http_is_value(STR("a\n")));
	assert_false(http_is_value(LEN("a\0")));
}

static void test_path(void **state)
{
	(void)state;
	assert_true(http_is_path(STR("/a?b=c")));
	assert_false(http_is_path(STR("")));
	assert_false(http_is_path(STR("a")));
	assert_false(http_is_path(STR("/a b")));
	assert_false(http_is_path(STR("/a\r\n")));
	assert_false(http_is_path(STR("/a#b")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_host),
		cmocka_unit_test(test_token),
		cmocka_unit_test(test_value),
		cmocka_unit_test(test_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
