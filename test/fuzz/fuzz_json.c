/* SPDX-License-Identifier: MIT */
/*
 * Any bytes into the JSON reader. What it accepts is walked, read in every way and written again;
 * the result must be accepted, have as many values, and come out the same when written once more.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "json/value.h"
#include "json/write.h"

#define TEXT_CAP ((size_t)4 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static _Alignas(16) char tokens[2][(size_t)8 << 20];
static char strings[TEXT_CAP];
static char written[2][TEXT_CAP];

#define CHECK(cond)                                                                                \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

static void put_key(struct json_writer *w, struct json_val key)
{
	struct err e = ERR_INIT;
	struct arena a;
	struct str s;

	if (json_type(key) == JSON_NONE) {
		return;
	}
	arena_init(&a, strings, sizeof(strings));
	json_put_key(w, json_str(key, &a, &s, &e) == 0 ? s : STR("half a pair"));
}

static void put_string(struct json_writer *w, struct json_val v)
{
	struct err e = ERR_INIT;
	struct arena a;
	const char *p;
	struct str s;
	char few[8];

	arena_init(&a, strings, sizeof(strings));
	if (json_str(v, &a, &s, &e) < 0) {
		json_put_raw(w, NULL, json_raw(v));
		return;
	}
	CHECK(json_text_eq(v, s) && json_text_ieq(v, s));
	json_put_str(w, NULL, s);
	if (json_cstr(v, &a, &p, &e) == 0) {
		CHECK(str_eq_c(s, p));
		CHECK((json_copy(v, few, sizeof(few), &e) == 0) == (s.n < sizeof(few)));
	}
}

static void put_number(struct json_writer *w, struct json_val v)
{
	struct err e = ERR_INIT;
	uint64_t u;
	int64_t i;

	if (json_u64(v, 0, UINT64_MAX, &u, &e) == 0) {
		json_put_u64(w, NULL, u);
	} else if (json_i64(v, INT64_MIN, INT64_MAX, &i, &e) == 0) {
		json_put_i64(w, NULL, i);
	} else {
		json_put_raw(w, NULL, json_raw(v));
	}
}

static void put_scalar(struct json_writer *w, struct json_val v)
{
	struct err e = ERR_INIT;
	bool b;

	switch (json_type(v)) {
	case JSON_STRING:
		put_string(w, v);
		break;
	case JSON_NUMBER:
		put_number(w, v);
		break;
	case JSON_BOOL:
		CHECK(json_bool(v, &b, &e) == 0);
		json_put_bool(w, NULL, b);
		break;
	default:
		CHECK(json_type(v) == JSON_NULL);
		json_put_null(w, NULL);
	}
}

static bool opens(struct json_writer *w, struct json_val v)
{
	if (json_type(v) == JSON_OBJECT) {
		json_put_object(w, NULL);
		return true;
	}
	if (json_type(v) == JSON_ARRAY) {
		json_put_array(w, NULL);
		return true;
	}
	put_scalar(w, v);
	return false;
}

static struct str rewrite(const struct json_doc *d, char *mem)
{
	struct json_iter open[JSON_DEPTH_MAX];
	struct json_val key, val = json_root(d);
	struct json_writer w;
	size_t depth = 0;
	struct buf b;

	buf_init(&b, mem, TEXT_CAP);
	json_writer_init(&w, &b);
	if (opens(&w, val)) {
		open[depth++] = json_iter(val);
	}
	while (depth > 0) {
		struct json_iter *it = &open[depth - 1];

		if (json_next(it, &key, &val)) {
			put_key(&w, key);
			if (opens(&w, val)) {
				CHECK(depth < JSON_DEPTH_MAX);
				open[depth++] = json_iter(val);
			}
		} else {
			if (it->members) {
				json_put_end_object(&w);
			} else {
				json_put_end_array(&w);
			}
			depth--;
		}
	}
	CHECK(json_writer_done(&w));
	return buf_str(&b);
}

/* Look-up and errors, for the members of the top only: both walk from there. */
static void look_up(const struct json_doc *d, bool unique)
{
	struct json_iter it = json_iter(json_root(d));
	struct err e = ERR_INIT;
	struct json_val key, val;

	for (int n = 0; n < 20 && json_next(&it, &key, &val); n++) {
		const struct json_field none = {"", JSON_FIELD_VAL, &val, 0, 0, true};
		struct arena a;
		const char *name;

		CHECK(json_fail(val, &e, 1, "%s", "reason") == -1);
		CHECK(strstr(e.msg, "reason") != NULL);
		arena_init(&a, strings, sizeof(strings));
		(void)!json_fields(val, &none, 1, &a, &e);
		if (json_type(key) != JSON_NONE && json_cstr(key, &a, &name, &e) == 0) {
			CHECK(json_type(json_iget(json_root(d), name)) != JSON_NONE);
			CHECK(!unique || json_get(json_root(d), name).at == key.at + 1);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = {(const char *)data, size};
	struct json_doc first, second, strict;
	struct err e = ERR_INIT;
	struct arena a;
	struct str out;
	int r;

	if (size > TEXT_CAP / 8) {
		return 0;
	}
	arena_init(&a, tokens[1], sizeof(tokens[1]));
	r = json_parse(&strict, text, &a, 0, &e);
	CHECK(r == 0 || (r == -e.code && e.msg[0] != '\0'));
	arena_init(&a, tokens[0], sizeof(tokens[0]));
	if (json_parse(&first, text, &a, JSON_LAST_WINS, &e) < 0) {
		CHECK(r < 0);
		return 0;
	}
	look_up(&first, r == 0);
	out = rewrite(&first, written[0]);
	arena_init(&a, tokens[1], sizeof(tokens[1]));
	CHECK(json_parse(&second, out, &a, JSON_LAST_WINS, &e) == 0);
	CHECK(second.n == first.n);
	CHECK(str_eq(rewrite(&second, written[1]), out));
	return 0;
}
