/* SPDX-License-Identifier: MIT */
/* json/read.h: depth, size, memory, and texts that take minutes if a step is quadratic. */
#include "unit.h"

#include <errno.h>

#include "guard.h"
#include "json/read.h"
#include "json_help.h"

#define BIG 400000 /* items in texts that would take minutes if any step were quadratic */

/* open, n times, then middle, then close, n times. */
static struct str nested(const char *open, const char *middle, const char *close, size_t n)
{
	size_t open_n = strlen(open), middle_n = strlen(middle), close_n = strlen(close);
	struct str s = {NULL, n * (open_n + close_n) + middle_n};
	char *p = malloc(s.n), *at = p;

	assert_non_null(p);
	for (size_t i = 0; i < n; i++, at += open_n) {
		memcpy(at, open, open_n);
	}
	memcpy(at, middle, middle_n);
	at += middle_n;
	for (size_t i = 0; i < n; i++, at += close_n) {
		memcpy(at, close, close_n);
	}
	s.p = p;
	return s;
}

static int parse_nested(const char *open, const char *middle, const char *close, size_t n)
{
	struct str s = nested(open, middle, close, n);
	struct guard g = guard_copy(s);
	struct json_doc d;
	struct err e = ERR_INIT;
	int r = parse_with(&d, g.s, 0, &e);

	if (r == -E2BIG) {
		assert_non_null(strstr(e.msg, "nested deeper than 64"));
	}
	guard_free(&g);
	free((char *)s.p);
	return r;
}

static void test_depth(void **state)
{
	(void)state;
	assert_int_equal(JSON_DEPTH_MAX, 64);
	assert_int_equal(parse_nested("[", "", "]", 64), 0);
	assert_int_equal(parse_nested("[", "", "]", 65), -E2BIG);
	assert_int_equal(parse_nested("[", "1", "]", 64), 0);
	assert_int_equal(parse_nested("[", "{}", "]", 63), 0);
	assert_int_equal(parse_nested("[", "{}", "]", 64), -E2BIG);
	assert_int_equal(parse_nested("{\"a\":", "1", "}", 64), 0);
	assert_int_equal(parse_nested("{\"a\":", "1", "}", 65), -E2BIG);
	assert_int_equal(parse_nested("{\"a\":[", "", "]}", 32), 0);
	assert_int_equal(parse_nested("{\"a\":[", "", "]}", 33), -E2BIG);
	assert_int_equal(parse_nested(" [ ", " ", " ] ", 64), 0);
	/* Brackets in strings are no depth, and closed ones are none any more. */
	assert_int_equal(parse_nested("",
				 "\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
				 "[[[[[[[[[[[[[[[[[[[[[[[[\"",
				 "", 1),
		0);
	assert_int_equal(parse_nested("[", "[1],[2],{\"a\":[3]}", "]", 62), 0);
	/* Too deep is said before anything behind it is looked at. */
	assert_int_equal(parse_nested("[", "", "", 65), -E2BIG);
	assert_int_equal(parse_nested("[", "", "}", 64), -EINVAL);
	assert_int_equal(parse_nested("[", "", "]", BIG), -E2BIG);
	assert_int_equal(parse_nested("{\"\":", "", "", BIG), -E2BIG);
}

/* "[" item "," item ... "]", n items; "%" in item stands for seven digits that count up. */
static struct str repeated(const char *open, const char *item, const char *close, size_t n)
{
	size_t room = n * (strlen(item) + 8) + strlen(open) + strlen(close) + 1;
	char *p = malloc(room);
	struct buf b;

	assert_non_null(p);
	buf_init(&b, p, room);
	buf_add_c(&b, open);
	for (size_t i = 0; i < n; i++) {
		struct str head = str_from(item), tail = STR_INIT;

		if (i > 0) {
			buf_add_chr(&b, ',');
		}
		if (str_cut(head, '%', &head, &tail)) {
			buf_add(&b, head);
			buf_printf(&b, "%07zu", i);
			head = tail;
		}
		buf_add(&b, head);
	}
	buf_add_c(&b, close);
	assert_true(buf_ok(&b));
	return buf_str(&b);
}

static void walk_big(const char *open, const char *item, const char *close, unsigned flags)
{
	struct str text = repeated(open, item, close, BIG);
	struct json_doc d;
	struct err e = ERR_INIT;
	struct json_iter it;
	struct json_val val;
	size_t n = 0;

	if (parse_with(&d, text, flags, &e) != 0) {
		fail_msg("%s: %s", item, e.msg);
	}
	it = json_iter(json_root(&d));
	while (json_next(&it, NULL, &val)) {
		n++;
	}
	assert_int_equal(n, BIG);
	assert_int_equal(json_count(json_root(&d)), BIG);
	free((char *)text.p);
}

static void test_big_texts(void **state)
{
	(void)state;
	walk_big("[", "1", "]", 0);
	walk_big("[", "[]", "]", 0);
	walk_big("[", "{}", "]", 0);
	walk_big("[", "\"node-%\"", "]", 0);
	walk_big("[", "{\"n\":\"node-%\"}", "]", 0);
	walk_big("{", "\"key-%\":1", "}", 0);
	walk_big("{", "\"\\u006bey-%\":{}", "}", 0);
	walk_big("{", "\"%-a-rather-long-common-tail\":null", "}", 0);
	walk_big("{", "\"same\":1", "}", JSON_LAST_WINS);
	walk_big("  [", "  1  ", "]  ", 0);
}

/* One duplicate among very many keys is found, wherever it stands. */
static void test_big_duplicates(void **state)
{
	static const char *const items[] = {
		"{\"key-0000000\":0,", "{\"key-0399999\":0,", "{\"\\u006bey-0200000\":0,"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(items); i++) {
		struct str text = repeated(items[i], "\"key-%\":1", "}", BIG);
		struct json_doc d;
		struct err e = ERR_INIT;

		assert_int_equal(parse_with(&d, text, 0, &e), -EINVAL);
		assert_non_null(strstr(e.msg, "this key is given twice"));
		free((char *)text.p);
	}
}

static void test_too_long(void **state)
{
	struct json_doc d;
	struct err e = ERR_INIT;

	(void)state;
	/* Refused by its length alone: nothing of it is read. */
	assert_int_equal(
		parse_with(&d, (struct str){"1", (size_t)JSON_TEXT_MAX + 1}, 0, &e), -E2BIG);
	assert_int_equal(parse_with(&d, (struct str){"1", SIZE_MAX}, 0, &e), -E2BIG);
	assert_int_equal(parse_with(&d, (struct str){NULL, 0}, 0, &e), -EINVAL);
}

/* With every amount of memory: -ENOMEM with nothing taken, or success; and enough is enough. */
static void check_memory(struct str text)
{
	static _Alignas(16) char block[8192];
	size_t worst = JSON_ARENA_WORST(text.n);
	bool fitted = false;

	assert_true(worst <= sizeof(block));
	for (size_t cap = 0; cap <= worst; cap++) {
		struct json_doc d;
		struct err e = ERR_INIT;
		struct arena a;
		int r;

		arena_init(&a, block + 1, cap);
		r = json_parse(&d, text, &a, 0, &e);
		assert_true(r == 0 || (r == -ENOMEM && e.code == ENOMEM));
		assert_true(r == 0 || !fitted);
		fitted = r == 0;
		assert_true(r == 0 ? a.used > 0 : a.used == 0);
	}
	assert_true(fitted);
}

static void test_memory(void **state)
{
	(void)state;
	check_memory(STR("1"));
	check_memory(STR("[]"));
	check_memory(STR("{\"\":\"\"}"));
	check_memory(STR("[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]"));
	check_memory(STR("[[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[]]"));
	check_memory(STR("{\"\":1,\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,"
			 "\"i\":1}"));
	check_memory(STR("{\"x\":{\"\":1,\"a\":1,\"b\":1},\"y\":{\"c\":1,\"d\":1,\"e\":1}}"));
}

static void test_failure_gives_memory_back(void **state)
{
	static const char *const texts[] = {"{\"a\":1,\"a\":2}", "[1 2]", "[1,2", "[[1],{\"a\"}]"};
	static _Alignas(16) char block[1024];
	struct arena a;

	(void)state;
	arena_init(&a, block, sizeof(block));
	assert_non_null(arena_alloc(&a, 1, 16));
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct json_doc d;
		struct err e = ERR_INIT;

		assert_int_equal(json_parse(&d, str_from(texts[i]), &a, 0, &e), -EINVAL);
		assert_int_equal(a.used, 16);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_big_texts),
		cmocka_unit_test(test_big_duplicates),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_failure_gives_memory_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
