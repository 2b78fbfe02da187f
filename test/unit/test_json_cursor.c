/* SPDX-License-Identifier: MIT */
/* The cursor takes exactly what the reader with an index takes, and walks as told. */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "json/cursor.h"

static _Alignas(16) char mem[1 << 20];

static bool cursor_takes(const char *text, size_t n)
{
	char *copy = malloc(n > 0 ? n : 1); /* so that reading beyond it is noticed */
	struct err e = ERR_INIT;
	struct json_cur c;
	bool ok;

	assert_non_null(copy);
	memcpy(copy, text, n);
	json_cur_init(&c, (struct str){copy, n}, &e);
	ok = json_cur_skip(&c, NULL) == 0 && json_cur_end(&c) == 0;
	assert_true(ok || e.msg[0] != '\0');
	free(copy);
	return ok;
}

static bool reader_takes(const char *text, size_t n)
{
	struct json_doc d;
	struct err e;
	struct arena a;

	arena_init(&a, mem, sizeof(mem));
	return json_parse(&d, (struct str){text, n}, &a, JSON_LAST_WINS, &e) == 0;
}

static const char *const good[] = {"{}", "[]", " [ ] ", "0", "-0.5e+3", "\"\"", "null", "true",
	"[1,2,[3,{\"a\":[]}],\"x\"]", "{\"a\":{\"b\":{}},\"c\":[[],[]]}", "\"\\u00e9\\n\\\"\"",
	"\"0123456789abcdef\\\\0123456789\"", "{\"a\":1,\"a\":2}",
	"\"\xc3\xa9 and more than eight\"",
	"{\"a\":\"x\",\"b\":10,\"c\":true,\"d\":[1,20],\"e\":null}",
	"[0,12,false,\"\",true,null,1.5,7]", "{ \"a\": 1, \"b\" :2 ,\"c\":-3,\"d\":1e3}",
	"[\"\xc3\xa9\",1,\"\\n\",2,null]", "[true]", "[false,{\"long enough\":false}]"};

static const char *const bad[] = {"", " ", "{", "}", "[", "]", "[1,]", "[,1]", "[1 2]", "{,}",
	"{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{\"a\" 1}", "{1:2}", "{\"a\":1 \"b\":2}", "[}", "{]",
	"[1}", "{\"a\":1]", "01", "1.", "1e", "-", "+1", ".5", "nul", "nulll", "tru", "TRUE", "NaN",
	"\"", "\"a", "\"\\", "\"\\x\"", "\"\\u12G4\"", "\"\\u12", "\"\x01\"", "\"\t\"", "\"\xff\"",
	"\"0123456789\x1f\"", "\"0123456789\xc3\"", "[] []", "{}x", "'a'", "[1]]",
	"\"\xed\xa0\x80\"", "[1,2,03]", "[1,2,3}", "{\"a\":1,\"b\":nul}", "{\"a\":1,\"b\"2}",
	"[1,truefalse,2]", "[1,\"a\"\"b\"]", "{\"a\":1,2}", "[1,,2]", "[1,12"};

static void takes_what_the_reader_takes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		if (!cursor_takes(good[i], strlen(good[i]))) {
			fail_msg("refused: %s", good[i]);
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		if (cursor_takes(bad[i], strlen(bad[i]))) {
			fail_msg("taken: %s", bad[i]);
		}
	}
}

/* Every text above with one byte changed, in every place: both must agree. */
static void agrees_on_every_mutation(void **state)
{
	static const char with[] = "{}[],:\"\\0e-.u \x01\xc3";

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		char text[64];
		size_t n = strlen(good[i]);

		for (size_t at = 0; at < n; at++) {
			for (size_t b = 0; b < sizeof(with); b++) {
				memcpy(text, good[i], n);
				text[at] = with[b];
				assert_int_equal(cursor_takes(text, n), reader_takes(text, n));
			}
		}
	}
}

static void depth_is_bounded(void **state)
{
	char text[200];

	(void)state;
	for (size_t depth = 60; depth < 70; depth++) {
		memset(text, '[', depth);
		memset(text + depth, ']', depth);
		assert_int_equal(cursor_takes(text, 2 * depth), depth <= JSON_DEPTH_MAX);
	}
}

static void walks_members_and_elements(void **state)
{
	const char text[] = " { \"a\" : [ 1 , {\"x\":[]} ] , \"b\" : \"q\" } ";
	struct err e = ERR_INIT;
	struct json_cur c;
	struct str key, raw;

	(void)state;
	json_cur_init(&c, STR(text), &e);
	assert_int_equal(json_cur_type(&c), JSON_OBJECT);
	assert_int_equal(json_cur_open(&c, JSON_OBJECT), 0);
	assert_int_equal(json_cur_member(&c, &key), 1);
	assert_true(str_eq(key, STR("a")));
	assert_int_equal(json_cur_open(&c, JSON_ARRAY), 0);
	assert_int_equal(json_cur_element(&c), 1);
	assert_int_equal(json_cur_skip(&c, &raw), 0);
	assert_true(str_eq(raw, STR("1")));
	assert_int_equal(json_cur_element(&c), 1);
	assert_int_equal(json_cur_skip(&c, &raw), 0);
	assert_true(str_eq(raw, STR("{\"x\":[]}")));
	assert_int_equal(json_cur_element(&c), 0);
	assert_int_equal(json_cur_member(&c, &key), 1);
	assert_int_equal(json_cur_skip(&c, &raw), 0);
	assert_true(str_eq(raw, STR("\"q\"")));
	assert_int_equal(json_cur_member(&c, &key), 0);
	assert_int_equal(json_cur_end(&c), 0);
	json_cur_init(&c, STR("[]"), &e);
	assert_int_equal(json_cur_open(&c, JSON_OBJECT), -EINVAL);
}

static void keys_compare_as_go_does(void **state)
{
	(void)state;
	assert_true(json_key_is(STR("Nodes"), "nodes"));
	assert_true(json_key_is(STR("\\u004eodes"), "Nodes"));
	assert_true(json_key_is(STR(""), ""));
	assert_false(json_key_is(STR("Node"), "Nodes"));
	assert_false(json_key_is(STR("Nodess"), "Nodes"));
	assert_false(json_key_is(STR("Nod\\n"), "Nodn"));
	assert_false(json_key_is(STR("\\u00e9odes"), "Nodes"));
}

static void texts_are_unescaped_into_bounds(void **state)
{
	char out[8];
	size_t n;

	(void)state;
	assert_int_equal(json_raw_text(STR("\"a\\u00e9\\n\""), out, sizeof(out), &n), 0);
	assert_string_equal(out, "a\xc3\xa9\n");
	assert_int_equal(n, 4);
	assert_int_equal(json_raw_text(STR("\"1234567\""), out, sizeof(out), &n), 0);
	assert_int_equal(json_raw_text(STR("\"12345678\""), out, sizeof(out), &n), -ENAMETOOLONG);
	assert_int_equal(json_raw_text(STR("\"\""), out, 0, &n), -ENAMETOOLONG);
	assert_int_equal(json_raw_text(STR("\"\\u0000\""), out, sizeof(out), &n), -EINVAL);
	assert_int_equal(json_raw_text(STR("\"\\ud800\""), out, sizeof(out), &n), -EINVAL);
	assert_int_equal(json_raw_text(STR("12"), out, sizeof(out), &n), -EINVAL);
	assert_int_equal(json_raw_text(STR("null"), out, sizeof(out), &n), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_what_the_reader_takes),
		cmocka_unit_test(agrees_on_every_mutation),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(walks_members_and_elements),
		cmocka_unit_test(keys_compare_as_go_does),
		cmocka_unit_test(texts_are_unescaped_into_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
