/* SPDX-License-Identifier: MIT */
/* Strict objects from a table; see value.h. */
#include <errno.h>
#include <string.h>

#include "json/value.h"

static int read_cstr(struct json_val v, const struct json_field *f, struct arena *a, struct err *e)
{
	const char *s;
	int r = json_cstr(v, a, &s, e);

	if (r < 0) {
		return r;
	}
	if (f->max > 0 && (strlen(s) < f->min || strlen(s) > f->max)) {
		return json_fail(v, e, EINVAL, "a string of %zu bytes, expected %llu to %llu",
			strlen(s), (unsigned long long)f->min, (unsigned long long)f->max);
	}
	*(const char **)f->out = s;
	return 0;
}

static int read_field(struct json_val v, const struct json_field *f, struct arena *a, struct err *e)
{
	switch (f->kind) {
	case JSON_FIELD_BOOL:
		return json_bool(v, f->out, e);
	case JSON_FIELD_U32:
		ASSERT(f->max <= UINT32_MAX);
		return json_u32(v, (uint32_t)f->min, (uint32_t)f->max, f->out, e);
	case JSON_FIELD_U64:
		return json_u64(v, f->min, f->max, f->out, e);
	case JSON_FIELD_CSTR:
		return read_cstr(v, f, a, e);
	case JSON_FIELD_VAL:
		break;
	}
	*(struct json_val *)f->out = v;
	return 0;
}

int json_fields(
	struct json_val v, const struct json_field *table, size_t n, struct arena *a, struct err *e)
{
	struct json_iter it = json_iter(v);
	struct json_val key, val;
	uint64_t given = 0;

	ASSERT(n <= JSON_FIELDS_MAX);
	if (json_type(v) != JSON_OBJECT) {
		return json_wrong(v, e, "an object");
	}
	while (json_next(&it, &key, &val)) {
		size_t i = 0;
		int r;

		while (i < n && !json_text_eq(key, str_from(table[i].key))) {
			i++;
		}
		if (i == n) {
			return json_fail(key, e, EINVAL, "unknown key");
		}
		r = read_field(val, &table[i], a, e);
		if (r < 0) {
			return r;
		}
		given |= (uint64_t)1 << i;
	}
	for (size_t i = 0; i < n; i++) {
		if (table[i].required && (given >> i & 1) == 0) {
			return json_fail(v, e, EINVAL, "key \"%s\" is missing", table[i].key);
		}
	}
	return 0;
}
