/* SPDX-License-Identifier: MIT */
/* JSON documents: parse exactly RFC 8259, then look at them through handles. */
#ifndef JSON_READ_H
#define JSON_READ_H

#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "json/limits.h"

/* A parsed text. Valid as long as the text and the arena; everything in it is private. */
struct json_doc {
	struct str text;
	const void *tok;
	uint32_t n;
};

/*
 * A handle of one value, cheap to copy. The zero value (JSON_VAL_NONE) means "no such value": every
 * function below takes it, so that look-ups can be chained and checked once.
 */
struct json_val {
	const struct json_doc *d;
	uint32_t at;
};

#define JSON_VAL_NONE ((struct json_val){NULL, 0})

enum json_type {
	JSON_NONE, /* the handle is JSON_VAL_NONE */
	JSON_NULL,
	JSON_BOOL,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
};

/*
 * json_parse: check text and index it. Accepted is exactly what RFC 8259 accepts, any value at the
 * top, in valid UTF-8, with these bounds: at most JSON_DEPTH_MAX containers within each other,
 * no NUL byte, at most JSON_TEXT_MAX bytes. A lone surrogate escape ("\ud800") is grammatical and
 * accepted; reading that string as text fails. Time is linear in the text, but for n log n in the
 * keys of one object when duplicates are looked for; memory is JSON_TOKEN_BYTES of a for each value
 * and key, and temporarily 4 bytes for each key of the largest object.
 *
 * Keys that are equal after unescaping make the text invalid unless flags has JSON_LAST_WINS, for
 * texts of Go programs, whose decoder lets the last one win; json_get then finds the last one, too,
 * and json_next shows all.
 *
 * -EINVAL: not JSON; the message has line, column, byte and what was expected there. -E2BIG: longer
 * than JSON_TEXT_MAX or too deep. -ENOMEM: the arena is too small; what was taken from it is given
 * back. Neither text nor the arena's memory may move while d is in use.
 */
#define JSON_LAST_WINS 1u

int json_parse(struct json_doc *d, struct str text, struct arena *a, unsigned flags,
	struct err *e) MUST_CHECK;

struct json_val json_root(const struct json_doc *d);
enum json_type json_type(struct json_val v);
const char *json_type_name(enum json_type t); /* "a string", "null", ...; for messages */

/* json_raw: the bytes of a value as they stand in the text, quotes included; empty for none. */
struct str json_raw(struct json_val v);

/*
 * Iteration, in the order of the text, over the elements of an array or the members of an object;
 * over nothing for any other value. key is a JSON_STRING handle for members and none for elements;
 * it may be NULL.
 *
 *	struct json_iter it = json_iter(list);
 *	while (json_next(&it, NULL, &val)) { ... }
 */
struct json_iter {
	const struct json_doc *d;
	uint32_t at, end;
	bool members;
};

struct json_iter json_iter(struct json_val v);
bool json_next(struct json_iter *it, struct json_val *key, struct json_val *val) MUST_CHECK;
size_t json_count(struct json_val v); /* elements or members; 0 for any other value */

/*
 * json_get: the member with this key after unescaping; the last one if there are several; none if
 * there is none or v is no object. json_iget: ASCII case does not matter, as for Go's decoder.
 * Both walk the members: fine for a fixed set of keys; to use an object as a map, iterate.
 */
struct json_val json_get(struct json_val v, const char *key);
struct json_val json_iget(struct json_val v, const char *key);

/* json_text_eq: v is a string and its text, unescaped, is s. json_text_ieq: but for ASCII case. */
bool json_text_eq(struct json_val v, struct str s);
bool json_text_ieq(struct json_val v, struct str s);

/* json_place: where v stands, counted from 1; columns count characters. */
void json_place(struct json_val v, uint32_t *line, uint32_t *column);

/* json_path: "vf_policy.trust", "pfs[2].name", "" for the root; cut with "..." when b is full. */
void json_path(struct json_val v, struct buf *b);

#endif
