/* SPDX-License-Identifier: MIT */
/* json/write.h: commas, escapes, overflow, misuse, and output that reads back. */
#include "unit.h"

#include "guard.h"
#include "json/value.h"
#include "json/write.h"
#include "json_help.h"

static char out[4096];

static void start(struct json_writer *w, struct buf *b)
{
	buf_init(b, out, sizeof(out));
	json_writer_init(w, b);
}

static void check_output(const struct json_writer *w, const char *expected)
{
	struct str got = buf_str(w->b);

	assert_true(json_writer_done(w));
	if (!str_eq_c(got, expected)) {
		fail_msg("%.*s instead of %s", STR_ARG(got), expected);
	}
}

static void test_everything(void **state)
{
	struct json_writer w;
	struct buf b;

	(void)state;
	start(&w, &b);
	json_put_object(&w, NULL);
	json_put_cstr(&w, "name", "enp4s0f0");
	json_put_array(&w, "vfs");
	json_put_object(&w, NULL);
	json_put_u64(&w, "vf", 0);
	json_put_bool(&w, "trust", true);
	json_put_end_object(&w);
	json_put_object(&w, NULL);
	json_put_end_object(&w);
	json_put_array(&w, NULL);
	json_put_end_array(&w);
	json_put_i64(&w, NULL, INT64_MIN);
	json_put_u64(&w, NULL, UINT64_MAX);
	json_put_null(&w, NULL);
	json_put_bool(&w, NULL, false);
	json_put_str(&w, NULL, STR("x"));
	json_put_raw(&w, NULL, STR("{\"r\":1}"));
	json_put_end_array(&w);
	json_put_null(&w, "none");
	json_put_i64(&w, "i", 0);
	json_put_raw(&w, "raw", STR("[1]"));
	json_put_key(&w, (struct str){"n\0k", 3});
	json_put_object(&w, NULL);
	json_put_end_object(&w);
	json_put_raw_key(&w, STR("\"\\u0041\""));
	json_put_u64(&w, NULL, 1);
	json_put_str(&w, "", STR(""));
	json_put_cstr(&w, "nil", NULL);
	json_put_end_object(&w);
	check_output(&w,
		"{\"name\":\"enp4s0f0\",\"vfs\":[{\"vf\":0,\"trust\":true},{},[],"
		"-9223372036854775808,18446744073709551615,null,false,\"x\",{\"r\":1}],"
		"\"none\":null,\"i\":0,\"raw\":[1],\"n\\u0000k\":{},\"\\u0041\":1,\"\":\"\","
		"\"nil\":\"\"}");
}

static void test_value_alone(void **state)
{
	struct json_writer w;
	struct buf b;

	(void)state;
	start(&w, &b);
	json_put_u64(&w, NULL, 7);
	check_output(&w, "7");
	start(&w, &b);
	json_put_cstr(&w, NULL, "a");
	check_output(&w, "\"a\"");
	start(&w, &b);
	json_put_array(&w, NULL);
	json_put_end_array(&w);
	check_output(&w, "[]");
}

static void test_depth(void **state)
{
	struct json_writer w;
	struct json_doc d;
	struct buf b;
	struct err e = ERR_INIT;

	(void)state;
	start(&w, &b);
	for (int i = 0; i < JSON_DEPTH_MAX / 2; i++) {
		json_put_array(&w, NULL);
		json_put_object(&w, NULL);
		json_put_u64(&w, "before", 1);
		json_put_key(&w, STR("k"));
	}
	json_put_u64(&w, NULL, 1);
	for (int i = 0; i < JSON_DEPTH_MAX / 2; i++) {
		json_put_null(&w, "behind");
		json_put_end_object(&w);
		json_put_bool(&w, NULL, true);
		json_put_end_array(&w);
	}
	assert_true(json_writer_done(&w));
	assert_int_equal(parse_with(&d, buf_str(&b), 0, &e), 0);
}

static void check_text(struct str in, const char *expected)
{
	struct guard g = guard_copy(in);
	struct json_writer w;
	struct buf b;

	start(&w, &b);
	json_put_str(&w, NULL, g.s);
	check_output(&w, expected);
	start(&w, &b);
	json_put_object(&w, NULL);
	json_put_key(&w, g.s);
	json_put_u64(&w, NULL, 1);
	json_put_end_object(&w);
	assert_true(json_writer_done(&w));
	assert_int_equal(b.n, strlen(expected) + 4);
	assert_memory_equal(out + 1, expected, strlen(expected));
	guard_free(&g);
}

#define FFFD "\xef\xbf\xbd"

static void test_escapes(void **state)
{
	(void)state;
	check_text(STR("\"\\/"), "\"\\\"\\\\/\"");
	check_text(STR("\b\f\n\r\t"), "\"\\b\\f\\n\\r\\t\"");
	check_text(
		STR("\x01\x02\x07\x0b\x0e\x1f"), "\"\\u0001\\u0002\\u0007\\u000b\\u000e\\u001f\"");
	check_text((struct str){"a\0b", 3}, "\"a\\u0000b\"");
	check_text(STR(" \x7f'<>&"), "\" \x7f'<>&\"");
	check_text(STR("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"),
		"\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"");
	check_text(STR("\xef\xbf\xbf\xf4\x8f\xbf\xbf"), "\"\xef\xbf\xbf\xf4\x8f\xbf\xbf\"");
	check_text(STR(""), "\"\"");
}

static void test_invalid_utf8_is_replaced(void **state)
{
	(void)state;
	check_text(STR("a\xff"), "\"a" FFFD "\"");
	check_text(STR("\xc3"), "\"" FFFD "\"");
	check_text(STR("\xc3(x"), "\"" FFFD "(x\"");
	check_text(STR("\xc0\xaf"), "\"" FFFD FFFD "\"");
	check_text(STR("\xe2\x82"), "\"" FFFD FFFD "\"");
	check_text(STR("\xe2\x82\xac\x80"), "\"\xe2\x82\xac" FFFD "\"");
	check_text(STR("\xed\xa0\x80"), "\"" FFFD FFFD FFFD "\"");
	check_text(STR("\xf4\x90\x80\x80"), "\"" FFFD FFFD FFFD FFFD "\"");
	check_text(STR("\xf0\x9f\x98"), "\"" FFFD FFFD FFFD "\"");
	check_text(STR("Fehler: ung\xfcltig\n"), "\"Fehler: ung" FFFD "ltig\\n\"");
}

/* Every byte, and every pair of bytes, comes out as JSON; what was valid reads back as it was. */
static void test_every_pair_of_bytes(void **state)
{
	size_t same = 0;

	(void)state;
	for (unsigned i = 0; i < 0x10000; i++) {
		char in[2] = {(char)(i >> 8), (char)(i & 0xff)};
		char text[16];
		_Alignas(16) char block[512];
		struct str s;
		struct json_writer w;
		struct json_doc d;
		struct err e = ERR_INIT;
		struct arena a;
		struct buf b;

		buf_init(&b, text, sizeof(text));
		json_writer_init(&w, &b);
		json_put_str(&w, NULL, (struct str){in, 2});
		assert_true(json_writer_done(&w));
		arena_init(&a, block, sizeof(block));
		assert_int_equal(json_parse(&d, buf_str(&b), &a, 0, &e), 0);
		assert_int_equal(json_str(json_root(&d), &a, &s, &e), 0);
		if (str_eq(s, (struct str){in, 2})) {
			same++;
		} else {
			assert_true(in[0] < 0 || in[1] < 0);
			assert_true(s.n >= 4);
		}
	}
	/* 128 * 128 pairs of ASCII, and the two-byte sequences C2 80 to DF BF. */
	assert_int_equal(same, 128 * 128 + 30 * 64);
}

/* A document read and written again value by value; see the fuzz target for any document. */
static void test_round_trip(void **state)
{
	static const char text[] =
		"{\"a\\u0041\":[1,-2,true,false,null,\"\\ud83d\\ude00\\n\"],\"\":{}}";
	struct json_doc d;
	struct json_val root = parsed(&d, text), key, val;
	struct json_iter members = json_iter(root), elements;
	struct json_writer w;
	struct err e = ERR_INIT;
	struct arena a;
	struct buf b;
	struct str s;
	char block[64];

	(void)state;
	arena_init(&a, block, sizeof(block));
	start(&w, &b);
	json_put_object(&w, NULL);
	assert_true(json_next(&members, &key, &val));
	assert_int_equal(json_str(key, &a, &s, &e), 0);
	json_put_key(&w, s);
	json_put_array(&w, NULL);
	elements = json_iter(val);
	while (json_next(&elements, NULL, &val)) {
		if (json_type(val) == JSON_STRING) {
			assert_int_equal(json_str(val, &a, &s, &e), 0);
			json_put_str(&w, NULL, s);
		} else {
			json_put_raw(&w, NULL, json_raw(val));
		}
	}
	json_put_end_array(&w);
	assert_true(json_next(&members, &key, &val));
	json_put_raw(&w, "", json_raw(val));
	json_put_end_object(&w);
	check_output(&w, "{\"aA\":[1,-2,true,false,null,\"\xf0\x9f\x98\x80\\n\"],\"\":{}}");
}

/* With every size of buffer: either all of it or the flag, and never a byte beyond. */
static void test_overflow(void **state)
{
	static const char expected[] = "{\"a\":[1,\"x\\n\",null],\"b\":-5}";
	size_t n = sizeof(expected) - 1;

	(void)state;
	for (size_t cap = 0; cap <= n + 1; cap++) {
		struct guard g = guard_copy((struct str){out, cap});
		struct json_writer w;
		struct buf b;

		buf_init(&b, (char *)g.s.p, cap);
		json_writer_init(&w, &b);
		json_put_object(&w, NULL);
		json_put_array(&w, "a");
		json_put_u64(&w, NULL, 1);
		json_put_cstr(&w, NULL, "x\n");
		json_put_null(&w, NULL);
		json_put_end_array(&w);
		json_put_i64(&w, "b", -5);
		json_put_end_object(&w);
		assert_int_equal(json_writer_done(&w), cap >= n);
		assert_memory_equal(g.s.p, expected, b.n);
		guard_free(&g);
	}
}

static void key_in_array(void *w)
{
	json_put_array(w, NULL);
	json_put_u64(w, "k", 1);
}

static void no_key_in_object(void *w)
{
	json_put_object(w, NULL);
	json_put_u64(w, NULL, 1);
}

static void key_at_the_top(void *w)
{
	json_put_u64(w, "k", 1);
}

static void two_keys(void *w)
{
	json_put_object(w, NULL);
	json_put_key(w, STR("a"));
	json_put_u64(w, "b", 1);
}

static void key_without_value(void *w)
{
	json_put_object(w, NULL);
	json_put_key(w, STR("a"));
	json_put_end_object(w);
}

static void two_values(void *w)
{
	json_put_u64(w, NULL, 1);
	json_put_u64(w, NULL, 2);
}

static void two_containers(void *w)
{
	json_put_array(w, NULL);
	json_put_end_array(w);
	json_put_array(w, NULL);
}

static void wrong_end(void *w)
{
	json_put_array(w, NULL);
	json_put_end_object(w);
}

static void wrong_end_of_object(void *w)
{
	json_put_object(w, NULL);
	json_put_end_array(w);
}

static void end_of_nothing(void *w)
{
	json_put_end_array(w);
}

static void too_deep(void *w)
{
	for (int i = 0; i <= JSON_DEPTH_MAX; i++) {
		json_put_array(w, NULL);
	}
}

static void empty_raw(void *w)
{
	json_put_raw(w, NULL, STR(""));
}

static void nothing_written(void *w)
{
	(void)!json_writer_done(w);
}

static void not_closed(void *w)
{
	json_put_array(w, NULL);
	json_put_u64(w, NULL, 1);
	(void)!json_writer_done(w);
}

static void deep_enough(void *w)
{
	for (int i = 0; i < JSON_DEPTH_MAX; i++) {
		json_put_array(w, NULL);
	}
}

static void test_misuse_aborts(void **state)
{
	static void (*const misuses[])(void *) = {key_in_array, no_key_in_object, key_at_the_top,
		two_keys, key_without_value, two_values, two_containers, wrong_end,
		wrong_end_of_object, end_of_nothing, too_deep, empty_raw, nothing_written,
		not_closed};
	struct json_writer w;
	struct buf b;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(misuses); i++) {
		start(&w, &b);
		if (!guard_aborts(misuses[i], &w)) {
			fail_msg("misuse %zu went through", i);
		}
	}
	start(&w, &b);
	assert_false(guard_aborts(deep_enough, &w));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything),
		cmocka_unit_test(test_value_alone),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_invalid_utf8_is_replaced),
		cmocka_unit_test(test_every_pair_of_bytes),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_overflow),
		cmocka_unit_test(test_misuse_aborts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
