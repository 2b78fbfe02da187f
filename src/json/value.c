/* SPDX-License-Identifier: MIT */
/* See value.h. */
#include "json/value.h"

#include <errno.h>
#include <stdio.h>

#include "base/num.h"
#include "json/text_priv.h"

#define SHOWN_MAX 40 /* bytes of a wrong value that a message repeats */

int json_wrong(struct json_val v, struct err *e, const char *fmt, ...)
{
	struct str raw = json_raw(v);
	enum json_type t = json_type(v);
	char expected[80];
	va_list ap;

	va_start(ap, fmt);
	if (vsnprintf(expected, sizeof(expected), fmt, ap) < 0) {
		expected[0] = '\0';
	}
	va_end(ap);
	if (t == JSON_NONE) {
		return json_fail(v, e, EINVAL, "expected %s", expected);
	}
	if (t != JSON_ARRAY && t != JSON_OBJECT && raw.n <= SHOWN_MAX) {
		return json_fail(v, e, EINVAL, "expected %s, got %.*s", expected, STR_ARG(raw));
	}
	return json_fail(v, e, EINVAL, "expected %s, got %s", expected, json_type_name(t));
}

int json_need(struct json_val v, const char *key, enum json_type want, struct json_val *out,
	struct err *e)
{
	struct json_val found = json_get(v, key);

	if (json_type(v) != JSON_OBJECT) {
		return json_wrong(v, e, "an object");
	}
	if (found.d == NULL) {
		return json_fail(v, e, EINVAL, "key \"%s\" is missing", key);
	}
	if (json_type(found) != want) {
		return json_wrong(found, e, "%s", json_type_name(want));
	}
	*out = found;
	return 0;
}

int json_u64(struct json_val v, uint64_t min, uint64_t max, uint64_t *out, struct err *e)
{
	uint64_t n;

	if (json_type(v) != JSON_NUMBER || !num_u64(json_raw(v), max, &n) || n < min) {
		return json_wrong(v, e, "a whole number from %llu to %llu", (unsigned long long)min,
			(unsigned long long)max);
	}
	*out = n;
	return 0;
}

int json_u32(struct json_val v, uint32_t min, uint32_t max, uint32_t *out, struct err *e)
{
	uint64_t n;
	int r = json_u64(v, min, max, &n, e);

	if (r == 0) {
		*out = (uint32_t)n;
	}
	return r;
}

int json_i64(struct json_val v, int64_t min, int64_t max, int64_t *out, struct err *e)
{
	int64_t n;

	if (json_type(v) != JSON_NUMBER || !num_i64(json_raw(v), &n) || n < min || n > max) {
		return json_wrong(
			v, e, "a whole number from %lld to %lld", (long long)min, (long long)max);
	}
	*out = n;
	return 0;
}

int json_bool(struct json_val v, bool *out, struct err *e)
{
	if (json_type(v) != JSON_BOOL) {
		return json_wrong(v, e, "%s", json_type_name(JSON_BOOL));
	}
	*out = json_raw(v).p[0] == 't';
	return 0;
}

/* The literal between the quotes of v, and the length of its text. */
static int measure(struct json_val v, bool c_string, struct str *raw, size_t *n, struct err *e)
{
	struct str rest;
	int32_t cp;

	if (json_type(v) != JSON_STRING) {
		return json_wrong(v, e, "a string");
	}
	*raw = json_raw(v);
	*raw = (struct str){raw->p + 1, raw->n - 2};
	*n = 0;
	rest = *raw;
	while ((cp = text_next(&rest)) != TEXT_END) {
		char utf8[4];

		if (text_is_surrogate(cp)) {
			return json_fail(v, e, EINVAL,
				"the string has half a surrogate pair, \\u%04x", (unsigned)cp);
		}
		if (cp == 0 && c_string) {
			return json_fail(v, e, EINVAL, "the string has a NUL character");
		}
		*n += text_put(utf8, cp);
	}
	return 0;
}

static void unescape(struct str raw, char *dst)
{
	int32_t cp;

	while ((cp = text_next(&raw)) != TEXT_END) {
		char utf8[4];
		size_t n = text_put(utf8, cp);

		for (size_t i = 0; i < n; i++) {
			*dst++ = utf8[i];
		}
	}
}

int json_str(struct json_val v, struct arena *a, struct str *out, struct err *e)
{
	struct str raw;
	size_t n;
	char *p;
	int r = measure(v, false, &raw, &n, e);

	if (r < 0) {
		return r;
	}
	if (n == raw.n) {
		*out = raw; /* an escape is longer than what it stands for: there is none */
		return 0;
	}
	p = arena_alloc(a, n, 1);
	if (p == NULL) {
		return json_fail(v, e, ENOMEM, "no memory for a string of %zu bytes", n);
	}
	unescape(raw, p);
	*out = (struct str){p, n};
	return 0;
}

int json_cstr(struct json_val v, struct arena *a, const char **out, struct err *e)
{
	struct str raw;
	size_t n;
	char *p;
	int r = measure(v, true, &raw, &n, e);

	if (r < 0) {
		return r;
	}
	p = arena_alloc(a, n + 1, 1);
	if (p == NULL) {
		return json_fail(v, e, ENOMEM, "no memory for a string of %zu bytes", n);
	}
	unescape(raw, p);
	*out = p;
	return 0;
}

int json_copy(struct json_val v, char *dst, size_t cap, struct err *e)
{
	struct str raw;
	size_t n;
	int r = measure(v, true, &raw, &n, e);

	if (r < 0) {
		return r;
	}
	if (n >= cap) {
		return json_fail(v, e, ENAMETOOLONG, "a string of %zu bytes, at most %zu are taken",
			n, cap - 1);
	}
	unescape(raw, dst);
	dst[n] = '\0';
	return 0;
}
