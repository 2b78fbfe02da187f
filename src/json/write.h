/* SPDX-License-Identifier: MIT */
/* JSON output into a struct buf: commas, escapes and nesting are taken care of. */
#ifndef JSON_WRITE_H
#define JSON_WRITE_H

#include <stdint.h>

#include "base/buf.h"
#include "json/limits.h"

/*
 * Every json_put_* writes one value. key is the member's name in an object and NULL in an array, at
 * the top and after json_put_key. Misuse (a key in an array, none in an object, an end that does
 * not match, more than JSON_DEPTH_MAX open, a second value at the top) is an ASSERT. Output that
 * does not fit sets the buf's overflow flag.
 *
 *	json_writer_init(&w, &b);
 *	json_put_object(&w, NULL);
 *	json_put_u64(&w, "vf", 3);
 *	json_put_end_object(&w);
 *	if (!json_writer_done(&w)) { the buf was too small }
 */
struct json_writer {
	struct buf *b;
	uint64_t objects; /* bit i: the container at depth i is an object */
	uint32_t depth;   /* open containers */
	bool comma;       /* something stands before the next value at this depth */
	bool keyed;       /* json_put_key has written the key */
};

void json_writer_init(struct json_writer *w, struct buf *b);

/* json_writer_done: ASSERTs that the value is complete; true when it fitted. */
bool json_writer_done(const struct json_writer *w) MUST_CHECK;

void json_put_object(struct json_writer *w, const char *key);
void json_put_end_object(struct json_writer *w);
void json_put_array(struct json_writer *w, const char *key);
void json_put_end_array(struct json_writer *w);

/*
 * Text: '"', '\' and everything below 0x20 escaped, the rest as it is; each byte that is not part
 * of valid UTF-8 becomes U+FFFD, so that the output is valid whatever comes in. A NULL C string is
 * written as "".
 */
void json_put_str(struct json_writer *w, const char *key, struct str s);
void json_put_cstr(struct json_writer *w, const char *key, const char *s);

void json_put_u64(struct json_writer *w, const char *key, uint64_t v);
void json_put_i64(struct json_writer *w, const char *key, int64_t v);
void json_put_bool(struct json_writer *w, const char *key, bool v);
void json_put_null(struct json_writer *w, const char *key);

/* json_put_raw: one value that is JSON already (json_raw of a parsed text); not checked. */
void json_put_raw(struct json_writer *w, const char *key, struct str json);

/* json_put_key: a key that is no C string; the next json_put_* has key NULL. */
void json_put_key(struct json_writer *w, struct str key);

/* json_put_raw_key: a key that is a JSON string already (json_raw of a parsed key); not checked. */
void json_put_raw_key(struct json_writer *w, struct str json);

#endif
