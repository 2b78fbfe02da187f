/* SPDX-License-Identifier: MIT */
/* Values of a JSON document as C values, with errors that name key and place. */
#ifndef JSON_VALUE_H
#define JSON_VALUE_H

#include "json/read.h"

/*
 * Every function here returns 0, or -errno with a message that begins with the path of the value
 * and its place: "pfs[2].capacity_mbps (line 7, column 20): not a number from 1 to 800000". Outputs
 * are untouched on failure. A handle of none fails with "missing"; to name what is missing use
 * json_need.
 */

/* json_fail: err_set with path and place of v before the message; returns -code. */
int json_fail(struct json_val v, struct err *e, int code, const char *fmt, ...) PRINTF_LIKE(4, 5);

/*
 * json_wrong: json_fail with -EINVAL and "expected <fmt>, got <v>", where v is shown as it stands
 * in the text if it is short and no container.
 */
int json_wrong(struct json_val v, struct err *e, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* json_need: the member key of the object v, of type want; -EINVAL if absent or of another type. */
int json_need(struct json_val v, const char *key, enum json_type want, struct json_val *out,
	struct err *e) MUST_CHECK;

/* Whole numbers, written without fraction and exponent (as Go's decoder wants them), in range. */
int json_u64(
	struct json_val v, uint64_t min, uint64_t max, uint64_t *out, struct err *e) MUST_CHECK;
int json_u32(
	struct json_val v, uint32_t min, uint32_t max, uint32_t *out, struct err *e) MUST_CHECK;
int json_i64(struct json_val v, int64_t min, int64_t max, int64_t *out, struct err *e) MUST_CHECK;
int json_bool(struct json_val v, bool *out, struct err *e) MUST_CHECK;

/*
 * Text of a string, unescaped, as valid UTF-8. -EINVAL for another type and for lone surrogates.
 * json_str: borrowed from the document's text where there is nothing to unescape, else in a; it may
 *	contain NUL bytes.
 * json_cstr: a C string in a. \u0000 is refused with -EINVAL. -ENOMEM when a is full.
 * json_copy: a C string in dst[cap]; -ENAMETOOLONG when it does not fit.
 */
int json_str(struct json_val v, struct arena *a, struct str *out, struct err *e) MUST_CHECK;
int json_cstr(struct json_val v, struct arena *a, const char **out, struct err *e) MUST_CHECK;
int json_copy(struct json_val v, char *dst, size_t cap, struct err *e) MUST_CHECK;

/*
 * A strict object from a table, for configuration: a key that is not in the table is an error that
 * names key and place; an absent key leaves its output as it was (so that it holds the default),
 * unless required. null is no value of any kind but JSON_FIELD_VAL.
 */
enum json_field_kind {
	JSON_FIELD_BOOL, /* bool * */
	JSON_FIELD_U32,  /* uint32_t *: min..max */
	JSON_FIELD_U64,  /* uint64_t *: min..max */
	JSON_FIELD_CSTR, /* const char **: from the arena; min..max bytes if max > 0 */
	JSON_FIELD_VAL,  /* struct json_val *: any value, for the caller to read */
};

struct json_field {
	const char *key;
	enum json_field_kind kind;
	void *out;
	uint64_t min, max;
	bool required;
};

/* json_fields: read the object v. At most JSON_FIELDS_MAX entries in the table. */
#define JSON_FIELDS_MAX 64

int json_fields(struct json_val v, const struct json_field *table, size_t n, struct arena *a,
	struct err *e) MUST_CHECK;

#endif
