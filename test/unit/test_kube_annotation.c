/* SPDX-License-Identifier: MIT */
/* kube/annotation.h: what is accepted, what is not and why, and what a node answers to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>

#include "base/file.h"
#include "guard.h"
#include "json/value.h"
#include "kube/annotation.h"

static _Alignas(16) char memory[KUBE_ANNOTATION_ARENA];
static _Alignas(16) char table_memory[64 << 10];
static char table[64 << 10];
static struct place_work work;

/* Parsed from memory that ends at a page no one may read. */
static int parse(struct str text, struct kube_annotation *out, struct err *e)
{
	struct guard g = guard_copy(text);
	struct arena a;
	int r;

	arena_init(&a, memory, sizeof(memory));
	r = kube_annotation_parse(g.s, &a, out, e);
	assert_int_equal(a.used, 0);
	guard_free(&g);
	return r;
}

/* The answer of a node with two empty PFs, as test/data/annotations.json names it. */
static const char *verdict(struct str text)
{
	static const struct place_pf pf[] = {{120, 100000}, {120, 100000}};
	struct kube_annotation want;
	struct place_out out;
	struct err e = ERR_INIT;

	if (parse(text, &want, &e) < 0) {
		assert_int_equal(e.code, EINVAL);
		return "malformed";
	}
	return place_fits(&(struct place_in){pf, 2, want.req, want.n, 0}, &work, &out, &e) ==
			       PLACE_YES
		       ? "pass"
		       : "not enough";
}

/* Element number n of a list. */
static struct json_val element(struct json_val list, size_t n)
{
	struct json_iter it = json_iter(list);
	struct json_val val = JSON_VAL_NONE;

	for (size_t i = 0; i <= n; i++) {
		if (!json_next(&it, NULL, &val)) {
			return JSON_VAL_NONE;
		}
	}
	return val;
}

static void test_verdicts(void **state)
{
	struct json_doc d;
	struct arena a;
	struct err e = ERR_INIT;
	ssize_t n = file_read(AT_FDCWD, "test/data/annotations.json", table, sizeof(table), &e);
	struct json_val rows, row;
	struct json_iter it;
	size_t rows_n = 0;

	(void)state;
	assert_true(n > 0);
	arena_init(&a, table_memory, sizeof(table_memory));
	assert_int_equal(json_parse(&d, (struct str){table, (size_t)n}, &a, 0, &e), 0);
	rows = json_get(json_root(&d), "rows");
	it = json_iter(rows);
	while (json_next(&it, NULL, &row)) {
		const char *wanted;
		struct str text;

		assert_int_equal(json_cstr(element(row, 0), &a, &wanted, &e), 0);
		assert_int_equal(json_str(element(row, 1), &a, &text, &e), 0);
		if (strcmp(verdict(text), wanted) != 0) {
			fail_msg("%.*s: %s, wanted is %s", STR_ARG(text), verdict(text), wanted);
		}
		rows_n++;
	}
	assert_int_equal(rows_n, 64);
}

struct accepted {
	const char *text;
	size_t n;
	struct place_request req[3];
};

static const struct accepted accepted[] = {
	{"", 0, {{0, 0}}},
	{"[]", 0, {{0, 0}}},
	{"null", 0, {{0, 0}}},
	{"\n null\t", 0, {{0, 0}}},
	{"[{}]", 1, {{0, 0}}},
	{"[null]", 1, {{0, 0}}},
	{"[{}, null, {\"max_tx_rate\": 7}]", 3, {{0, 0}, {0, 0}, {0, 7}}},
	{"[{\"min_tx_rate\":15000,\"max_tx_rate\":20000}]", 1, {{15000, 20000}}},
	{"[{\"max_tx_rate\":20000,\"min_tx_rate\":15000}]", 1, {{15000, 20000}}},
	{"[{\"min_tx_rate\":5,\"max_tx_rate\":5}]", 1, {{5, 5}}},
	{"[{\"min_tx_rate\":5,\"max_tx_rate\":0}]", 1, {{5, 0}}},
	{"[{\"min_tx_rate\":5,\"max_tx_rate\":null}]", 1, {{5, 0}}},
	{"[{\"MIN_tx_RATE\":1},{\"Max_Tx_Rate\":2}]", 2, {{1, 0}, {0, 2}}},
	{"[{\"m\\u0049n\\u005ftx_rate\":1}]", 1, {{1, 0}}},
	{"[{\"min_tx_rate\":4294967294,\"max_tx_rate\":4294967294}]", 1,
		{{PLACE_RATE_MAX, 4294967294u}}},
	{"[{\"min_tx_rate\":4294967295}]", 1, {{PLACE_RATE_NEVER, 0}}},
	{"[{\"min_tx_rate\":4294967296}]", 1, {{PLACE_RATE_NEVER, 0}}},
	{"[{\"min_tx_rate\":18446744073709551615,\"max_tx_rate\":18446744073709551615}]", 1,
		{{PLACE_RATE_NEVER, UINT32_MAX}}},
	{"[{\"min_tx_rate\":1,\"max_tx_rate\":4294967297}]", 1, {{1, UINT32_MAX}}},
};

static void test_accepted(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(accepted); i++) {
		struct kube_annotation got;
		struct err e = ERR_INIT;

		memset(&got, 0xff, sizeof(got));
		if (parse(str_from(accepted[i].text), &got, &e) != 0 || got.n != accepted[i].n) {
			fail_msg("%s: %" PRIu32 " interfaces; %s", accepted[i].text, got.n, e.msg);
		}
		for (size_t j = 0; j < got.n; j++) {
			assert_int_equal(got.req[j].min, accepted[i].req[j].min);
			assert_int_equal(got.req[j].max, accepted[i].req[j].max);
		}
	}
}

struct refused {
	const char *text;
	const char *message; /* after the annotation's name and ": " */
};

static const struct refused refused[] = {
	{"{}", "line 1, column 1: expected a list of interfaces, got an object"},
	{"7", "line 1, column 1: expected a list of interfaces, got a number"},
	{"[{}, 7]", "[1] (line 1, column 6): expected an object with rates, got a number"},
	{"[[]]", "[0] (line 1, column 2): expected an object with rates, got an array"},
	{"[{\"min_tx_rate\":-1}]", "[0].min_tx_rate (line 1, column 17): expected a whole number "
				   "from 0 to 18446744073709551615, got -1"},
	{"[{\"min_tx_rate\":-0}]", "[0].min_tx_rate (line 1, column 17): expected a whole number "
				   "from 0 to 18446744073709551615, got -0"},
	{"[{},\n{\"max_tx_rate\":1e3}]", "[1].max_tx_rate (line 2, column 16): expected a whole "
					 "number from 0 to 18446744073709551615, got 1e3"},
	{"[{\"max_tx_rate\":18446744073709551616}]",
		"[0].max_tx_rate (line 1, column 17): expected a whole number from 0 to "
		"18446744073709551615, got 18446744073709551616"},
	{"[{\"min_tx_rate\":\"5\"}]", "[0].min_tx_rate (line 1, column 17): expected a whole "
				      "number from 0 to 18446744073709551615, got \"5\""},
	{"[{\"min_tx_rate\":2,\"max_tx_rate\":1}]",
		"[0] (line 1, column 2): max_tx_rate 1 is below min_tx_rate 2"},
	{"[{\"min_tx_rate\":4294967297,\"max_tx_rate\":4294967296}]",
		"[0] (line 1, column 2): max_tx_rate 4294967296 is below min_tx_rate 4294967297"},
	{"[{\"min_tx_rate\":1,\"min_tx_rate\":1}]",
		"[0] (line 1, column 2): min_tx_rate is there twice"},
	{"[{\"max_tx_rate\":1,\"MAX_tx_rate\":1}]",
		"[0] (line 1, column 2): max_tx_rate is there twice"},
	{"[{\"max_tx_rate\":null,\"MAX_tx_rate\":1}]",
		"[0] (line 1, column 2): max_tx_rate is there twice"},
	{"[{},{\"max_tx_rat\":1}]", "[1] (line 1, column 5): unknown key \"max_tx_rat\"; known are "
				    "min_tx_rate and max_tx_rate"},
	{"[{\"min_tx_rate \":1}]",
		"[0] (line 1, column 2): unknown key \"min_tx_rate \"; known are "
		"min_tx_rate and max_tx_rate"},
	{"[{\"\":1}]",
		"[0] (line 1, column 2): unknown key \"\"; known are min_tx_rate and max_tx_rate"},
	{"[{\"0123456789012345678901234567890123456789\":1}]",
		"[0] (line 1, column 2): unknown key of 40 bytes; known are min_tx_rate and "
		"max_tx_rate"},
};

static void test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct kube_annotation got, before;
		struct err e = ERR_INIT;
		struct str name = STR(KUBE_ANNOTATION_KEY ": ");

		memset(&before, 0xa5, sizeof(before));
		got = before;
		assert_int_equal(parse(str_from(refused[i].text), &got, &e), -EINVAL);
		assert_int_equal(e.code, EINVAL);
		assert_memory_equal(&got, &before, sizeof(got));
		if (!str_starts(str_from(e.msg), name) ||
			strcmp(e.msg + name.n, refused[i].message) != 0) {
			fail_msg("%s: %s", refused[i].text, e.msg);
		}
	}
}

/* Text of n times `part`, between brackets, with commas. */
static struct str repeated(const char *part, size_t n)
{
	static char text[512 << 10];
	size_t len = strlen(part), at = 0;

	text[at++] = '[';
	for (size_t i = 0; i < n; i++) {
		memcpy(text + at, part, len);
		at += len;
		text[at++] = i + 1 < n ? ',' : ']';
	}
	return (struct str){text, at};
}

static void test_counts(void **state)
{
	const char *full = "{\"min_tx_rate\":1,\"max_tx_rate\":2}";
	struct kube_annotation got;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(parse(repeated(full, 32), &got, &e), 0);
	assert_int_equal(got.n, 32);
	assert_int_equal(got.req[31].max, 2);
	assert_int_equal(parse(repeated(full, 33), &got, &e), -EINVAL);
	assert_non_null(strstr(e.msg, "33 interfaces, at most 32 are possible"));
	assert_int_equal(parse(repeated("{}", 33), &got, &e), -EINVAL);
	assert_int_equal(parse(repeated(full, 1000), &got, &e), -EINVAL);
	assert_non_null(strstr(e.msg, "more values than 32 interfaces can have"));
	assert_int_equal(parse(repeated("0", 120000), &got, &e), -EINVAL);
	assert_non_null(strstr(e.msg, "more values than"));
	assert_int_equal(parse(repeated("0", 200000), &got, &e), -EINVAL);
	assert_non_null(strstr(e.msg, "400001 bytes, at most 262144 are possible"));
}

/* As many bytes as Kubernetes allows, of blanks, of brackets, of one key. */
static void test_large(void **state)
{
	static char text[KUBE_ANNOTATION_MAX];
	struct kube_annotation got;
	struct err e = ERR_INIT;

	(void)state;
	memset(text, ' ', sizeof(text));
	memcpy(text, "[{}", 3);
	text[sizeof(text) - 1] = ']';
	assert_int_equal(parse((struct str){text, sizeof(text)}, &got, &e), 0);
	assert_int_equal(got.n, 1);
	memset(text, '[', sizeof(text));
	assert_int_equal(parse((struct str){text, sizeof(text)}, &got, &e), -EINVAL);
	assert_int_equal(e.code, EINVAL);
	memset(text, 'k', sizeof(text));
	memcpy(text, "[{\"", 3);
	memcpy(text + sizeof(text) - 5, "\":1}]", 5);
	assert_int_equal(parse((struct str){text, sizeof(text)}, &got, &e), -EINVAL);
	assert_non_null(strstr(e.msg, "unknown key of 262136 bytes"));
}

/* Text that has lost its end is malformed wherever it is cut, but for nothing at all. */
static void test_cuts(void **state)
{
	struct str whole = STR("[{\"min_tx_rate\":15000,\"max_tx_rate\":null},{}]");

	(void)state;
	for (size_t n = 0; n <= whole.n; n++) {
		struct kube_annotation got;
		struct err e = ERR_INIT;
		bool good = n == 0 || n == whole.n;

		assert_int_equal(parse((struct str){whole.p, n}, &got, &e), good ? 0 : -EINVAL);
	}
}

static void test_no_memory(void **state)
{
	struct kube_annotation got;
	struct err e = ERR_INIT;
	struct arena a;

	(void)state;
	arena_init(&a, memory, sizeof(memory) - 1);
	assert_int_equal(kube_annotation_parse(STR("[]"), &a, &got, &e), -ENOMEM);
	arena_init(&a, memory, sizeof(memory));
	assert_non_null(arena_alloc(&a, 1, 1));
	assert_int_equal(kube_annotation_parse(STR("[]"), &a, &got, &e), -ENOMEM);
	assert_int_equal(a.used, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_cuts),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
