/* SPDX-License-Identifier: MIT */
/* A parsed document, read in every way and written again: for fuzz target and oracle test. */
#ifndef TEST_JSON_REWRITE_H
#define TEST_JSON_REWRITE_H

#include <stdlib.h>

#include "json/value.h"
#include "json/write.h"

#define TEXT_CAP ((size_t)4 << 20)

static char strings[TEXT_CAP];

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

/* rewrite: d as a text in mem[TEXT_CAP]; strings that are no text are kept as they stand. */
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

#endif
