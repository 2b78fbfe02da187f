/* SPDX-License-Identifier: MIT */
/* JSON read from front to back without an index: for texts too large to hold one. */
#ifndef JSON_CURSOR_H
#define JSON_CURSOR_H

#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "json/limits.h"
#include "json/read.h"

/*
 * A place in a text. What is passed over is checked as json_parse checks it, duplicate keys aside;
 * nothing is kept, so memory does not grow with the text, and time is linear in it. The caller
 * walks the containers it cares about and skips the rest:
 *
 *	json_cur_init(&c, text, &e);
 *	json_cur_open(&c, JSON_OBJECT)
 *	while ((r = json_cur_member(&c, &key)) > 0) { json_cur_skip(&c, &raw) ... }
 *	json_cur_end(&c)
 *
 * Every int here is negative (-EINVAL, -E2BIG for depth and size) with e filled, once and for all:
 * the text is no JSON, and the message has the byte at which that showed.
 */
struct json_cur {
	const char *begin, *p, *end;
	uint64_t objects; /* bit i: the container at depth i is an object */
	uint32_t depth;   /* open containers, the caller's and those within a skip */
	bool fresh;       /* the innermost container was opened just now */
	struct err *e;
};

void json_cur_init(struct json_cur *c, struct str text, struct err *e);

/* json_cur_type: what comes next; JSON_NONE for the end and for what cannot begin a value. */
enum json_type json_cur_type(struct json_cur *c);

/* json_cur_open: enter what comes next, which is of type JSON_OBJECT or JSON_ARRAY. */
int json_cur_open(struct json_cur *c, enum json_type type) MUST_CHECK;

/*
 * json_cur_member: 1 and the next key, as it stands between its quotes (json_key_is compares it); 0
 * when the object has ended and is left. json_cur_element: the same for arrays.
 */
int json_cur_member(struct json_cur *c, struct str *key) MUST_CHECK;
int json_cur_element(struct json_cur *c) MUST_CHECK;

/* json_cur_skip: pass over one value; raw, if not NULL, is its bytes, quotes included. */
int json_cur_skip(struct json_cur *c, struct str *raw) MUST_CHECK;

/* json_cur_end: nothing but blanks is left. */
int json_cur_end(struct json_cur *c) MUST_CHECK;

/* json_key_is: the key, unescaped, is name but for ASCII case, as Go's decoder compares. */
bool json_key_is(struct str key, const char *name);

/*
 * json_raw_text: the text of a string literal with its quotes (from json_cur_skip), unescaped as a
 * C string in dst[cap]. -EINVAL for another value, \u0000 and lone surrogates; -ENAMETOOLONG.
 */
int json_raw_text(struct str raw, char *dst, size_t cap, size_t *n) MUST_CHECK;

#endif
