/* SPDX-License-Identifier: MIT */
/* json/read.h: what is accepted and what is not, bounds, iteration and look-up. */
#include "unit.h"

#include <errno.h>

#include "guard.h"
#include "json/read.h"
#include "json_cases.h"
#include "json_help.h"

static void test_accepts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(accepted); i++) {
		struct guard g = guard_copy((struct str){accepted[i].text, accepted[i].n});
		struct json_doc d;
		struct err e = ERR_INIT;

		if (parse_with(&d, g.s, 0, &e) != 0) {
			fail_msg("%s: %s: %s", accepted[i].name, accepted[i].text, e.msg);
		}
		assert_true(str_eq(json_raw(json_root(&d)), str_trim(g.s)));
		assert_int_equal(e.code, 0);
		guard_free(&g);
	}
}

static void test_rejects(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rejected); i++) {
		struct guard g = guard_copy((struct str){rejected[i].text, rejected[i].n});
		struct json_doc d;
		struct err e = ERR_INIT;
		int r = parse_with(&d, g.s, 0, &e);

		if (r != -EINVAL || e.code != EINVAL || strstr(e.msg, "line ") == NULL) {
			fail_msg("%s: %s: %d %s", rejected[i].name, rejected[i].text, r, e.msg);
		}
		guard_free(&g);
	}
}

/* A container or string that has lost its end is no JSON, wherever it is cut. */
static void test_rejects_every_cut(void **state)
{
	size_t cuts = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(accepted); i++) {
		struct str whole = str_trim((struct str){accepted[i].text, accepted[i].n});

		for (size_t n = 0; strchr("[{\"", whole.p[0]) != NULL && n < whole.n; n++) {
			struct guard g = guard_copy((struct str){whole.p, n});
			struct json_doc d;
			struct err e = ERR_INIT;

			if (parse_with(&d, g.s, 0, &e) != -EINVAL) {
				fail_msg("%s: accepted when cut to %zu", accepted[i].name, n);
			}
			cuts++;
			guard_free(&g);
		}
	}
	assert_true(cuts > 1000);
}

/* Whatever byte is put into the place of another: no crash, and the same answer every time. */
static void test_survives_every_byte(void **state)
{
	static const char text[] = "{\"a\\u00e9\":[1.5e3,true,null,\"\xc3\xa9\"],\"b\":{}}";
	struct guard g = guard_copy(STR(text));
	char *p = g.map + (g.s.p - g.map);
	size_t good = 0, bad = 0;

	(void)state;
	for (size_t i = 0; i < g.s.n; i++) {
		char kept = p[i];

		for (int c = 0; c < 256; c++) {
			struct json_doc d;
			struct err e = ERR_INIT;
			int r;

			p[i] = (char)c;
			r = parse_with(&d, g.s, 0, &e);
			assert_true(r == 0 || r == -EINVAL);
			good += r == 0;
			bad += r != 0;
		}
		p[i] = kept;
	}
	assert_true(good > g.s.n && bad > good);
	guard_free(&g);
}

static void test_says_where_and_what(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{"", "line 1, column 1 (byte 0): expected a value, got the end"},
		{"[1 2]", "line 1, column 4 (byte 3): expected ',' or ']', got '2'"},
		{"[1,]", "line 1, column 4 (byte 3): expected a value, got ']'"},
		{"[,1]", "line 1, column 2 (byte 1): expected a value or ']', got ','"},
		{"{\"a\"}", "line 1, column 5 (byte 4): expected ':' after a key, got '}'"},
		{"{\n\t\"a\": 1,\n\tb: 2\n}",
			"line 3, column 2 (byte 12): expected a key, got 'b'"},
		{"{\n  1", "line 2, column 3 (byte 4): expected a key or '}', got '1'"},
		{"{\"a\":1 \"b\"}", "line 1, column 8 (byte 7): expected ',' or '}', got '\"'"},
		{"[\"\xc3\xa9\", x]", "line 1, column 7 (byte 7): expected a value, got 'x'"},
		{"\"a", "line 1, column 3 (byte 2): expected the closing quote of a string, got "
			"the "
			"end"},
		{"\"\t\"", "line 1, column 2 (byte 1): control characters in strings must be "
			   "escaped, got byte 0x09"},
		{"\"\xff\"", "line 1, column 2 (byte 1): the text is not valid UTF-8, got byte "
			     "0xff"},
		{"[01]", "line 1, column 3 (byte 2): numbers have no leading zeros, got '1'"},
		{"[1.]", "line 1, column 4 (byte 3): expected a digit, got ']'"},
		{"[nul]", "line 1, column 2 (byte 1): expected a value (words are true, false and "
			  "null), got 'n'"},
		{"\"\\x\"", "line 1, column 3 (byte 2): expected an escape: one of \" \\ / b f n r "
			    "t u, got 'x'"},
		{"\"\\u12G4\"", "line 1, column 6 (byte 5): expected four hexadecimal digits after "
				"\\u, got 'G'"},
		{"{} {}", "line 1, column 4 (byte 3): expected the end after the value, got '{'"},
		{"{\"a\":{\"b\":[0,{\"c\":1,\n\"\\u0063\":2}]}}",
			"a.b[1].\\u0063 (line 2, column 1): this key is given twice"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct json_doc d;
		struct err e = ERR_INIT;

		assert_int_equal(parse_with(&d, str_from(cases[i].text), 0, &e), -EINVAL);
		assert_string_equal(e.msg, cases[i].message);
	}
}

static void test_last_wins(void **state)
{
	struct str text = STR("{\"a\":1,\"b\":2,\"\\u0061\":3,\"A\":4}");
	struct json_doc d;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(parse_with(&d, text, 0, &e), -EINVAL);
	assert_int_equal(parse_with(&d, text, JSON_LAST_WINS, &e), 0);
	assert_true(str_eq_c(json_raw(json_get(json_root(&d), "a")), "3"));
	assert_true(str_eq_c(json_raw(json_iget(json_root(&d), "a")), "4"));
	assert_true(str_eq_c(json_raw(json_get(json_root(&d), "b")), "2"));
	assert_int_equal(json_count(json_root(&d)), 4);
	/* The rest of the grammar does not change. */
	assert_int_equal(parse_with(&d, STR("{\"a\":1,}"), JSON_LAST_WINS, &e), -EINVAL);
}

static void test_types(void **state)
{
	static const struct {
		const char *text, *name;
		enum json_type type;
	} cases[] = {
		{"null", "null", JSON_NULL},
		{"true", "true or false", JSON_BOOL},
		{"false", "true or false", JSON_BOOL},
		{"0", "a number", JSON_NUMBER},
		{"-1.5e3", "a number", JSON_NUMBER},
		{"\"null\"", "a string", JSON_STRING},
		{"\"\"", "a string", JSON_STRING},
		{"[]", "an array", JSON_ARRAY},
		{"{}", "an object", JSON_OBJECT},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char list[32];
		struct json_doc d;
		struct json_val val;
		struct json_iter it;

		assert_int_equal(json_type(parsed(&d, cases[i].text)), cases[i].type);
		assert_string_equal(json_type_name(cases[i].type), cases[i].name);
		assert_true(str_eq_c(json_raw(json_root(&d)), cases[i].text));
		snprintf(list, sizeof(list), "[%s]", cases[i].text);
		it = json_iter(parsed(&d, list));
		assert_true(json_next(&it, NULL, &val));
		assert_int_equal(json_type(val), cases[i].type);
		assert_true(str_eq_c(json_raw(val), cases[i].text));
		assert_false(json_next(&it, NULL, &val));
	}
}

static void test_none(void **state)
{
	struct json_val none = JSON_VAL_NONE, val;
	struct json_iter it = json_iter(none);
	uint32_t line, column;
	struct buf b;
	char text[8];

	(void)state;
	assert_int_equal(json_type(none), JSON_NONE);
	assert_string_equal(json_type_name(JSON_NONE), "nothing");
	assert_int_equal(json_raw(none).n, 0);
	assert_false(json_next(&it, NULL, &val));
	assert_int_equal(json_count(none), 0);
	assert_int_equal(json_type(json_get(none, "a")), JSON_NONE);
	assert_int_equal(json_type(json_iget(none, "a")), JSON_NONE);
	assert_false(json_text_eq(none, STR("")));
	assert_false(json_text_ieq(none, STR("")));
	json_place(none, &line, &column);
	assert_int_equal(line, 0);
	assert_int_equal(column, 0);
	buf_init(&b, text, sizeof(text));
	json_path(none, &b);
	assert_int_equal(b.n, 0);
}

static void test_iterates_in_order(void **state)
{
	static const char *const keys[] = {"\"z\"", "\"a\"", "\"\\u006d\"", "\"\""};
	static const char *const values[] = {
		"[1,[2,{\"q\":3}]]", "{\"a\":{\"a\":[]}}", "\"x\"", "0"};
	struct json_doc d;
	struct json_val root = parsed(&d, "{\"z\":[1,[2,{\"q\":3}]], \"a\":{\"a\":{\"a\":[]}} ,"
					  "\"\\u006d\":\"x\",\"\":0}");
	struct json_iter it = json_iter(root);
	struct json_val key, val;
	size_t n = 0;

	(void)state;
	while (json_next(&it, &key, &val)) {
		assert_true(n < ARRAY_LEN(keys));
		assert_int_equal(json_type(key), JSON_STRING);
		assert_true(str_eq_c(json_raw(key), keys[n]));
		assert_true(str_eq_c(json_raw(val), values[n]));
		n++;
	}
	assert_int_equal(n, ARRAY_LEN(keys));
	assert_int_equal(json_count(root), n);
	it = json_iter(json_get(root, "z"));
	assert_true(json_next(&it, &key, &val));
	assert_int_equal(json_type(key), JSON_NONE);
	assert_int_equal(json_type(val), JSON_NUMBER);
}

static void test_iterates_over_nothing(void **state)
{
	static const char *const texts[] = {"[]", "{}", "1", "\"ab\"", "null", "true"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct json_doc d;
		struct json_val root = parsed(&d, texts[i]), key, val;
		struct json_iter it = json_iter(root);

		assert_false(json_next(&it, &key, &val));
		assert_false(json_next(&it, &key, &val));
		assert_int_equal(json_count(root), 0);
		assert_int_equal(json_type(json_get(root, "ab")), JSON_NONE);
	}
}

static void test_get(void **state)
{
	struct json_doc d;
	struct json_val root = parsed(&d, "{\"Name\":1,\"name\":2,\"n\\u0061m\":3,\"\":4,\"a.b\":5,"
					  "\"\xc3\xa9\":6,\"sub\":{\"name\":{\"deep\":7}},"
					  "\"\\ud83d\\ude00\":8,\"\\ud800\":9,\"a\\u0000\":10}");
	static const struct {
		const char *key, *exact, *folded;
	} cases[] = {
		{"Name", "1", "2"},
		{"name", "2", "2"},
		{"NAME", "", "2"},
		{"nam", "3", "3"},
		{"NAM", "", "3"},
		{"names", "", ""},
		{"na", "", ""},
		{"", "4", "4"},
		{"a.b", "5", "5"},
		{"a", "", ""},
		{"n\\u0061m", "", ""},
		{"\xc3\xa9", "6", "6"},
		{"\xc3\x89", "", ""},
		{"deep", "", ""},
		{"\xf0\x9f\x98\x80", "8", "8"},
		{"\xed\xa0\x80", "", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_true(str_eq_c(json_raw(json_get(root, cases[i].key)), cases[i].exact));
		assert_true(str_eq_c(json_raw(json_iget(root, cases[i].key)), cases[i].folded));
	}
	assert_true(
		str_eq_c(json_raw(json_get(json_get(json_get(root, "sub"), "name"), "deep")), "7"));
	assert_int_equal(json_type(json_get(json_get(root, "name"), "deep")), JSON_NONE);
}

static void test_get_is_not_for_arrays(void **state)
{
	struct json_doc d;
	struct json_val root = parsed(&d, "[\"a\",1,{\"a\":2}]");

	(void)state;
	assert_int_equal(json_type(json_get(root, "a")), JSON_NONE);
	assert_int_equal(json_type(json_iget(root, "a")), JSON_NONE);
}

static void test_text_comparison(void **state)
{
	static const struct {
		const char *json;
		struct str text;
		bool exact, folded;
	} cases[] = {
		{"\"\"", {"", 0}, true, true},
		{"\"\"", {"a", 1}, false, false},
		{"\"a\"", {"", 0}, false, false},
		{"\"Pod\"", {"Pod", 3}, true, true},
		{"\"\\u0050od\"", {"Pod", 3}, true, true},
		{"\"\\u0050od\"", {"pOD", 3}, false, true},
		{"\"pod\"", {"Pod", 3}, false, true},
		{"\"Pod\"", {"Po", 2}, false, false},
		{"\"\\u0050od\"", {"Po", 2}, false, false},
		{"\"\\u0050o\"", {"Pod", 3}, false, false},
		{"\"a\\u0000b\"", {"a\0b", 3}, true, true},
		{"\"a\\u0000b\"", {"a\0B", 3}, false, true},
		{"\"a\\u0000b\"", {"a", 1}, false, false},
		{"\"\\u00e9\"", {"\xc3\xa9", 2}, true, true},
		{"\"\\u00e9\"", {"\xc3", 1}, false, false},
		{"\"\\ud834\\udd1e\"", {"\xf0\x9d\x84\x9e", 4}, true, true},
		{"\"\\ud834\"", {"\xed\xa0\xb4", 3}, false, false},
		{"1", {"1", 1}, false, false},
		{"null", {"null", 4}, false, false},
		{"[]", {"", 0}, false, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct json_doc d;
		struct json_val v = parsed(&d, cases[i].json);

		assert_int_equal(json_text_eq(v, cases[i].text), cases[i].exact);
		assert_int_equal(json_text_ieq(v, cases[i].text), cases[i].folded);
	}
}

static void check_path(struct json_val v, size_t room, const char *expected)
{
	char text[64];
	struct buf b;

	assert_true(room <= sizeof(text));
	buf_init(&b, text, room);
	json_path(v, &b);
	assert_true(buf_ok(&b));
	assert_true(str_eq_c(buf_str(&b), expected));
}

static void test_paths(void **state)
{
	struct json_doc d;
	struct json_val root = parsed(&d, "{\"pfs\":[{\"x\":0},{},{\"name\":\"eth\",\n \"vf\\\"s\":"
					  "[[1,2],[3,\n\t\"\xc3\xa9\", 4]]}],\"z\":1}");
	struct json_val pfs = json_get(root, "pfs"), pf, key, val;
	struct json_iter it = json_iter(pfs);
	uint32_t line, column;

	(void)state;
	check_path(root, 64, "");
	check_path(pfs, 64, "pfs");
	check_path(json_get(root, "z"), 64, "z");
	while (json_next(&it, NULL, &pf)) {
	}
	check_path(pf, 64, "pfs[2]");
	check_path(json_get(pf, "name"), 64, "pfs[2].name");
	it = json_iter(json_get(pf, "vf\"s"));
	assert_true(json_next(&it, NULL, &val));
	check_path(val, 64, "pfs[2].vf\\\"s[0]");
	assert_true(json_next(&it, NULL, &val));
	it = json_iter(val);
	while (json_next(&it, NULL, &val)) {
	}
	check_path(val, 64, "pfs[2].vf\\\"s[1][2]");
	json_place(val, &line, &column);
	assert_int_equal(line, 3);
	assert_int_equal(column, 7);
	it = json_iter(pf);
	assert_true(json_next(&it, &key, &val));
	check_path(key, 64, "pfs[2].name");
	json_place(key, &line, &column);
	assert_int_equal(line, 1);
	assert_int_equal(column, 21);
	/* Cut where there is no room, never in the middle of a piece. */
	check_path(val, 14, "pfs[2]...");
	check_path(val, 9, "pfs[2]...");
	check_path(val, 8, "pfs...");
	check_path(val, 7, "...");
	check_path(val, 4, "...");
	check_path(val, 2, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepts),
		cmocka_unit_test(test_rejects),
		cmocka_unit_test(test_rejects_every_cut),
		cmocka_unit_test(test_survives_every_byte),
		cmocka_unit_test(test_says_where_and_what),
		cmocka_unit_test(test_last_wins),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_iterates_in_order),
		cmocka_unit_test(test_iterates_over_nothing),
		cmocka_unit_test(test_get),
		cmocka_unit_test(test_get_is_not_for_arrays),
		cmocka_unit_test(test_text_comparison),
		cmocka_unit_test(test_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
