/* SPDX-License-Identifier: MIT */
/* json/value.h: values as C values, strings unescaped, strict objects, and what errors say. */
#include "unit.h"

#include <errno.h>

#include "guard.h"
#include "json/value.h"
#include "json_help.h"

static void test_u64(void **state)
{
	static const struct {
		const char *text;
		uint64_t min, max, value;
		bool ok;
	} cases[] = {
		{"0", 0, UINT64_MAX, 0, true},
		{"1", 1, 1, 1, true},
		{"18446744073709551615", 0, UINT64_MAX, UINT64_MAX, true},
		{"18446744073709551616", 0, UINT64_MAX, 0, false},
		{"99999999999999999999999999", 0, UINT64_MAX, 0, false},
		{"0", 1, 5, 0, false},
		{"5", 1, 5, 5, true},
		{"6", 1, 5, 0, false},
		{"-0", 0, 5, 0, false},
		{"-1", 0, 5, 0, false},
		{"1.0", 0, 5, 0, false},
		{"1e0", 0, 5, 0, false},
		{"10E-1", 0, 5, 0, false},
		{"\"1\"", 0, 5, 0, false},
		{"\"\"", 0, 5, 0, false},
		{"true", 0, 5, 0, false},
		{"null", 0, 5, 0, false},
		{"[1]", 0, 5, 0, false},
		{"{\"1\":1}", 0, 5, 0, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct json_doc d;
		struct err e = ERR_INIT;
		uint64_t out = 77;
		int r = json_u64(parsed(&d, cases[i].text), cases[i].min, cases[i].max, &out, &e);

		assert_int_equal(r, cases[i].ok ? 0 : -EINVAL);
		assert_int_equal(out, cases[i].ok ? cases[i].value : 77);
		assert_int_equal(e.msg[0] == '\0', cases[i].ok);
	}
}

static void test_u32(void **state)
{
	struct json_doc d;
	struct err e = ERR_INIT;
	uint32_t out = 77;

	(void)state;
	assert_int_equal(json_u32(parsed(&d, "4294967296"), 0, UINT32_MAX, &out, &e), -EINVAL);
	assert_int_equal(json_u32(parsed(&d, "-1"), 0, UINT32_MAX, &out, &e), -EINVAL);
	assert_int_equal(out, 77);
	assert_int_equal(json_u32(parsed(&d, "4294967295"), 0, UINT32_MAX, &out, &e), 0);
	assert_int_equal(out, UINT32_MAX);
}

static void test_i64(void **state)
{
	static const struct {
		const char *text;
		int64_t min, max, value;
		bool ok;
	} cases[] = {
		{"0", INT64_MIN, INT64_MAX, 0, true},
		{"-0", INT64_MIN, INT64_MAX, 0, true},
		{"-9223372036854775808", INT64_MIN, INT64_MAX, INT64_MIN, true},
		{"9223372036854775807", INT64_MIN, INT64_MAX, INT64_MAX, true},
		{"-9223372036854775809", INT64_MIN, INT64_MAX, 0, false},
		{"9223372036854775808", INT64_MIN, INT64_MAX, 0, false},
		{"-5", -5, 5, -5, true},
		{"-6", -5, 5, 0, false},
		{"6", -5, 5, 0, false},
		{"1.5", -5, 5, 0, false},
		{"1e0", -5, 5, 0, false},
		{"\"1\"", -5, 5, 0, false},
		{"null", -5, 5, 0, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct json_doc d;
		struct err e = ERR_INIT;
		int64_t out = 77;
		int r = json_i64(parsed(&d, cases[i].text), cases[i].min, cases[i].max, &out, &e);

		assert_int_equal(r, cases[i].ok ? 0 : -EINVAL);
		assert_int_equal(out, cases[i].ok ? cases[i].value : 77);
	}
}

static void test_bool(void **state)
{
	static const char *const bad[] = {"0", "1", "null", "\"true\"", "[true]", "{}", "\"\""};
	struct json_doc d;
	struct err e = ERR_INIT;
	bool out = false;

	(void)state;
	assert_int_equal(json_bool(parsed(&d, "true"), &out, &e), 0);
	assert_true(out);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(json_bool(parsed(&d, bad[i]), &out, &e), -EINVAL);
		assert_true(out);
	}
	assert_int_equal(json_bool(parsed(&d, "false"), &out, &e), 0);
	assert_false(out);
}

struct text_case {
	const char *json;
	struct str text;
};

static const struct text_case texts[] = {
	{"\"\"", {"", 0}},
	{"\"a\"", {"a", 1}},
	{"\"a/b\"", {"a/b", 3}},
	{"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", {"\"\\/\b\f\n\r\t", 8}},
	{"\"\\u0041\\u00e9\\u20ac\"", {"A\xc3\xa9\xe2\x82\xac", 6}},
	{"\"\\u007f\\u0080\\u07ff\\u0800\"", {"\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80", 8}},
	{"\"\\ud7ff\\ue000\\uffff\"", {"\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf", 9}},
	{"\"\\ud800\\udc00\\udbff\\udfff\"", {"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", 8}},
	{"\"\\uD834\\uDD1E\"", {"\xf0\x9d\x84\x9e", 4}},
	{"\"x\\ud83d\\ude00y\"", {"x\xf0\x9f\x98\x80y", 6}},
	{"\"\\u003cb\\u003e \\u0026 \\u2028\"", {"<b> & \xe2\x80\xa8", 9}},
	{"\"\xc3\xa9\xf0\x9f\x98\x80\"", {"\xc3\xa9\xf0\x9f\x98\x80", 6}},
	{"\"\\\\u0041\"", {"\\u0041", 6}},
	{"\"\\\\\\u0041\"", {"\\A", 2}},
	{"\"\\u005cu0041\"", {"\\u0041", 6}},
	{"\"\x7f\"", {"\x7f", 1}},
	{"\"[{\\\"min_tx_rate\\\":100}]\"", {"[{\"min_tx_rate\":100}]", 21}},
};

static const struct text_case nul_texts[] = {
	{"\"\\u0000\"", {"\0", 1}},
	{"\"a\\u0000b\"", {"a\0b", 3}},
	{"\"ab\\u0000\"", {"ab\0", 3}},
};

static const char *const no_texts[] = {
	"\"\\ud800\"",
	"\"\\udbff\"",
	"\"\\udc00\"",
	"\"\\udfff\"",
	"\"a\\ud834\"",
	"\"\\ud834b\"",
	"\"\\ud834\\n\"",
	"\"\\ud834\\u0041\"",
	"\"\\ud834\\ud834\\udd1e\"",
	"\"\\udd1e\\ud834\"",
	"\"\\ud834\\\\udd1e\"",
	"1",
	"true",
	"null",
	"[\"a\"]",
	"{\"a\":\"a\"}",
};

/* All three ways to read a string, with exactly the memory they need and with one byte less. */
static void check_text(const struct text_case *c, bool c_string)
{
	struct json_doc d;
	struct json_val v = parsed(&d, c->json);
	struct err e = ERR_INIT;
	struct str s = STR_INIT;
	const char *p = NULL;
	char dst[64] = "kept";
	_Alignas(16) char block[64];
	struct arena a;

	arena_init(&a, block, c->text.n);
	assert_int_equal(json_str(v, &a, &s, &e), 0);
	assert_true(str_eq(s, c->text));
	arena_init(&a, block, c->text.n + 1);
	assert_int_equal(json_cstr(v, &a, &p, &e), c_string ? 0 : -EINVAL);
	assert_int_equal(json_copy(v, dst, c->text.n + 1, &e), c_string ? 0 : -EINVAL);
	if (!c_string) {
		assert_null(p);
		assert_string_equal(dst, "kept");
		assert_non_null(strstr(e.msg, "NUL character"));
		return;
	}
	assert_string_equal(p, c->text.p);
	assert_string_equal(dst, c->text.p);
	p = NULL;
	arena_init(&a, block, c->text.n);
	assert_int_equal(json_cstr(v, &a, &p, &e), -ENOMEM);
	assert_null(p);
	assert_int_equal(json_copy(v, dst, c->text.n, &e), -ENAMETOOLONG);
	assert_string_equal(dst, c->text.p);
}

static void test_strings(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		check_text(&texts[i], true);
	}
	for (size_t i = 0; i < ARRAY_LEN(nul_texts); i++) {
		check_text(&nul_texts[i], false);
	}
}

static void test_no_strings(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(no_texts); i++) {
		struct json_doc d;
		struct json_val v = parsed(&d, no_texts[i]);
		struct err e = ERR_INIT;
		struct str s = STR("kept");
		const char *p = "kept";
		char block[64], dst[64] = "kept";
		struct arena a;

		arena_init(&a, block, sizeof(block));
		assert_int_equal(json_str(v, &a, &s, &e), -EINVAL);
		assert_int_equal(json_cstr(v, &a, &p, &e), -EINVAL);
		assert_int_equal(json_copy(v, dst, sizeof(dst), &e), -EINVAL);
		assert_true(str_eq_c(s, "kept"));
		assert_string_equal(p, "kept");
		assert_string_equal(dst, "kept");
		assert_int_equal(a.used, 0);
	}
}

static void test_plain_strings_are_borrowed(void **state)
{
	static const char text[] = "[\"plain\",\"esc\\u0061ped\"]";
	struct json_doc d;
	struct json_iter it = json_iter(parsed(&d, text));
	struct json_val v;
	struct err e = ERR_INIT;
	struct arena none;
	struct str s = STR_INIT;

	(void)state;
	arena_init(&none, NULL, 0);
	assert_true(json_next(&it, NULL, &v));
	assert_int_equal(json_str(v, &none, &s, &e), 0);
	assert_ptr_equal(s.p, text + 2);
	assert_int_equal(s.n, 5);
	assert_true(json_next(&it, NULL, &v));
	assert_int_equal(json_str(v, &none, &s, &e), -ENOMEM);
	assert_ptr_equal(s.p, text + 2);
}

static void test_need(void **state)
{
	struct json_doc d;
	struct json_val root = parsed(&d, "{\"a\":{\"b\":\"x\"},\"n\":null}"), v = JSON_VAL_NONE;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(json_need(root, "a", JSON_STRING, &v, &e), -EINVAL);
	assert_string_equal(e.msg, "a (line 1, column 6): expected a string, got an object");
	assert_int_equal(json_need(root, "n", JSON_STRING, &v, &e), -EINVAL);
	assert_string_equal(e.msg, "n (line 1, column 20): expected a string, got null");
	assert_int_equal(json_need(root, "c", JSON_STRING, &v, &e), -EINVAL);
	assert_string_equal(e.msg, "line 1, column 1: key \"c\" is missing");
	assert_int_equal(json_need(json_get(root, "a"), "c", JSON_BOOL, &v, &e), -EINVAL);
	assert_string_equal(e.msg, "a (line 1, column 6): key \"c\" is missing");
	assert_int_equal(json_need(json_get(root, "n"), "c", JSON_BOOL, &v, &e), -EINVAL);
	assert_string_equal(e.msg, "n (line 1, column 20): expected an object, got null");
	assert_int_equal(json_need(json_get(root, "zz"), "c", JSON_BOOL, &v, &e), -EINVAL);
	assert_string_equal(e.msg, "missing: expected an object");
	assert_int_equal(json_type(v), JSON_NONE);
	assert_int_equal(json_need(root, "a", JSON_OBJECT, &v, &e), 0);
	assert_true(str_eq_c(json_raw(v), "{\"b\":\"x\"}"));
}

static void test_messages(void **state)
{
	struct json_doc d;
	struct json_val root = parsed(&d, "{\"a\":[{\"speed\":-7.5},\n \"x\"],\"long\":"
					  "1234567890123456789012345678901234567890123}");
	struct json_iter it = json_iter(json_get(root, "a"));
	struct json_val v;
	struct err e = ERR_INIT;
	uint32_t u;
	int64_t i;
	bool b;

	(void)state;
	assert_true(json_next(&it, NULL, &v));
	assert_int_equal(json_u32(json_get(v, "speed"), 1, 9, &u, &e), -EINVAL);
	assert_string_equal(e.msg, "a[0].speed (line 1, column 16): expected a whole number from 1 "
				   "to 9, got -7.5");
	assert_int_equal(json_i64(v, -3, 9, &i, &e), -EINVAL);
	assert_string_equal(e.msg, "a[0] (line 1, column 7): expected a whole number from -3 to 9, "
				   "got an object");
	assert_true(json_next(&it, NULL, &v));
	assert_int_equal(json_bool(v, &b, &e), -EINVAL);
	assert_string_equal(e.msg, "a[1] (line 2, column 2): expected true or false, got \"x\"");
	assert_int_equal(json_u32(json_get(root, "long"), 1, 9, &u, &e), -EINVAL);
	assert_non_null(strstr(e.msg, ", got a number"));
	assert_int_equal(json_u32(json_get(root, "none"), 1, 9, &u, &e), -EINVAL);
	assert_string_equal(e.msg, "missing: expected a whole number from 1 to 9");
	assert_int_equal(json_fail(v, &e, ERANGE, "%s", "odd"), -ERANGE);
	assert_int_equal(e.code, ERANGE);
	assert_string_equal(e.msg, "a[1] (line 2, column 2): odd");
	assert_int_equal(json_fail(root, &e, EINVAL, "odd"), -EINVAL);
	assert_string_equal(e.msg, "line 1, column 1: odd");
}

/* A key as long as its sender likes leaves room for place and reason. */
static void test_messages_with_long_keys(void **state)
{
	char text[3000];
	struct json_doc d;
	struct err e = ERR_INIT;
	uint32_t u;

	(void)state;
	memset(text, 'k', sizeof(text));
	memcpy(text, "{\"a\":{\"", 7);
	memcpy(text + sizeof(text) - 8, "\":\"x\"}}", 8);
	assert_int_equal(json_u32(json_get(parsed(&d, text), "a"), 1, 9, &u, &e), -EINVAL);
	assert_string_equal(e.msg, "a (line 1, column 6): expected a whole number from 1 to 9, got "
				   "an object");
	{
		struct json_iter it = json_iter(json_get(json_root(&d), "a"));
		struct json_val v;

		assert_true(json_next(&it, NULL, &v));
		assert_int_equal(json_u32(v, 1, 9, &u, &e), -EINVAL);
	}
	assert_string_equal(e.msg,
		"a... (line 1, column 2995): expected a whole number from 1 to 9, "
		"got \"x\"");
}

struct sample {
	bool on;
	uint32_t mbps;
	uint64_t bytes;
	const char *name;
	struct json_val rest;
};

static int read_sample(const char *text, struct sample *s, struct err *e)
{
	static char block[256];
	struct json_doc *d = malloc(sizeof(*d));
	struct arena a;
	int r;
	const struct json_field table[] = {
		{"on", JSON_FIELD_BOOL, &s->on, 0, 0, false},
		{"mbps", JSON_FIELD_U32, &s->mbps, 1, 800000, true},
		{"bytes", JSON_FIELD_U64, &s->bytes, 0, UINT64_MAX, false},
		{"name", JSON_FIELD_CSTR, &s->name, 1, 15, false},
		{"rest", JSON_FIELD_VAL, &s->rest, 0, 0, false},
	};

	*s = (struct sample){true, 5, 6, "default", JSON_VAL_NONE};
	arena_init(&a, block, sizeof(block));
	r = json_fields(parsed(d, text), table, ARRAY_LEN(table), &a, e);
	s->rest.d = NULL;
	free(d);
	return r;
}

static void test_fields(void **state)
{
	struct sample s;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(read_sample("{\"mbps\":100}", &s, &e), 0);
	assert_true(s.on);
	assert_int_equal(s.mbps, 100);
	assert_int_equal(s.bytes, 6);
	assert_string_equal(s.name, "default");
	assert_int_equal(read_sample("{\"rest\":[{}],\"name\":\"eth0\",\"bytes\":"
				     "18446744073709551615,\"\\u006dbps\":800000,\"on\":false}",
				 &s, &e),
		0);
	assert_false(s.on);
	assert_int_equal(s.mbps, 800000);
	assert_int_equal(s.bytes, UINT64_MAX);
	assert_string_equal(s.name, "eth0");
	assert_int_equal(s.rest.at, 2);
}

static void test_fields_are_strict(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{"{}", "line 1, column 1: key \"mbps\" is missing"},
		{"[]", "line 1, column 1: expected an object, got an array"},
		{"null", "line 1, column 1: expected an object, got null"},
		{"{\"mbps\":1,\"speed\":2}", "speed (line 1, column 11): unknown key"},
		{"{\"mbps\":1,\n \"Mbps\":2}", "Mbps (line 2, column 2): unknown key"},
		{"{\"\":1}", "line 1, column 2: unknown key"},
		{"{\"mbps\":0}", "mbps (line 1, column 9): expected a whole number from 1 to "
				 "800000, got 0"},
		{"{\"mbps\":\"1\"}", "mbps (line 1, column 9): expected a whole number from 1 to "
				     "800000, got \"1\""},
		{"{\"mbps\":null}", "mbps (line 1, column 9): expected a whole number from 1 to "
				    "800000, got null"},
		{"{\"mbps\":1,\"on\":1}", "on (line 1, column 16): expected true or false, got 1"},
		{"{\"mbps\":1,\"on\":null}",
			"on (line 1, column 16): expected true or false, got null"},
		{"{\"mbps\":1,\"bytes\":-1}",
			"bytes (line 1, column 19): expected a whole number from 0 to "
			"18446744073709551615, got -1"},
		{"{\"mbps\":1,\"name\":\"\"}",
			"name (line 1, column 18): a string of 0 bytes, expected 1 to 15"},
		{"{\"mbps\":1,\"name\":\"1234567890123456\"}",
			"name (line 1, column 18): a string of 16 bytes, expected 1 to 15"},
		{"{\"mbps\":1,\"name\":\"a\\u0000\"}",
			"name (line 1, column 18): the string has a NUL character"},
		{"{\"mbps\":1,\"name\":\"\\uDC00\"}",
			"name (line 1, column 18): the string has half a surrogate pair, \\udc00"},
		{"{\"mbps\":1,\"name\":7}", "name (line 1, column 18): expected a string, got 7"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct sample s;
		struct err e = ERR_INIT;

		assert_int_equal(read_sample(cases[i].text, &s, &e), -EINVAL);
		assert_string_equal(e.msg, cases[i].message);
	}
}

static void test_fields_without_memory(void **state)
{
	const char *name = "kept";
	const struct json_field table[] = {{"name", JSON_FIELD_CSTR, &name, 0, 0, false}};
	struct json_doc d;
	struct err e = ERR_INIT;
	struct arena none;

	(void)state;
	arena_init(&none, NULL, 0);
	assert_int_equal(json_fields(parsed(&d, "{\"name\":\"a\"}"), table, 1, &none, &e), -ENOMEM);
	assert_string_equal(name, "kept");
	assert_int_equal(json_fields(parsed(&d, "{}"), table, 1, &none, &e), 0);
	assert_int_equal(json_fields(JSON_VAL_NONE, table, 1, &none, &e), -EINVAL);
	assert_string_equal(e.msg, "missing: expected an object");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_u64),
		cmocka_unit_test(test_u32),
		cmocka_unit_test(test_i64),
		cmocka_unit_test(test_bool),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_no_strings),
		cmocka_unit_test(test_plain_strings_are_borrowed),
		cmocka_unit_test(test_need),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_messages_with_long_keys),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_fields_are_strict),
		cmocka_unit_test(test_fields_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
