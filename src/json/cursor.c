/* SPDX-License-Identifier: MIT */
/*
 * See cursor.h. Most bytes of large documents are in strings, so those are passed over eight bytes
 * at a time: a word is plain if none of its bytes is a quote, a backslash, a control character or
 * beyond ASCII. What the slower path takes is exactly what scan.c takes; a fuzz target compares.
 */
#include "json/cursor.h"

#include <errno.h>
#include <string.h>

#include "json/text_priv.h"

#define ONES  (~(uint64_t)0 / 255) /* 0x01 in each byte */
#define HIGHS (ONES << 7)

/* A byte's top bit is set where it equals b; bytes above such a one may be wrong; none is missed */
#define HAS_BYTE(w, b)      ((((w) ^ (ONES * (b))) - ONES) & ~((w) ^ (ONES * (b))) & HIGHS)

#define LITTLE_ENDIAN_WORDS (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)

_Static_assert(JSON_DEPTH_MAX == 64, "one bit of json_cur.objects for each depth, and a message");

void json_cur_init(struct json_cur *c, struct str text, struct err *e)
{
	*c = (struct json_cur){.begin = text.p, .p = text.p, .end = text.p, .e = e};
	if (text.n > 0) {
		c->end += text.n; /* p may be NULL otherwise */
	}
}

static int fail(const struct json_cur *c, int code, const char *what)
{
	return err_set(c->e, code, "byte %zu: %s", (size_t)(c->p - c->begin), what);
}

static const char *blanks_end(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')) {
		p++;
	}
	return p;
}

static void skip_blanks(struct json_cur *c)
{
	c->p = blanks_end(c->p, c->end);
}

/* To the first byte that is not plain. Its mark is right, for only marks above it may be wrong. */
static inline const char *skip_plain(const char *p, const char *end)
{
	while (LITTLE_ENDIAN_WORDS && end - p >= 8) {
		uint64_t w, stop;

		memcpy(&w, p, 8);
		/* Below 0x20: the top bit borrows, unless it was set, which counts anyway. */
		stop = (w | (w - ONES * 0x20) | HAS_BYTE(w, 0x22) | HAS_BYTE(w, 0x5c)) & HIGHS;
		if (stop != 0) {
			return p + __builtin_ctzll(stop) / 8;
		}
		p += 8;
	}
	while (p < end && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20 &&
		(unsigned char)*p < 0x80) {
		p++;
	}
	return p;
}

static int skip_escape(struct json_cur *c)
{
	if (c->end - c->p < 2) {
		return fail(c, EINVAL, "a string without its closing quote");
	}
	if (c->p[1] != 'u') {
		if (c->p[1] == '\0' || strchr("\"\\/bfnrt", c->p[1]) == NULL) {
			return fail(c, EINVAL, "no such escape");
		}
		c->p += 2;
		return 0;
	}
	c->p += 2;
	for (int i = 0; i < 4; i++, c->p++) {
		if (c->p == c->end || chr_hex(*c->p) < 0) {
			return fail(c, EINVAL, "expected four hexadecimal digits after \\u");
		}
	}
	return 0;
}

/* p stands at the opening quote, and then behind the closing one. */
static int skip_string(struct json_cur *c)
{
	struct str rest;

	c->p++;
	for (;;) {
		c->p = skip_plain(c->p, c->end);
		if (c->p == c->end) {
			return fail(c, EINVAL, "a string without its closing quote");
		}
		if (*c->p == '"') {
			c->p++;
			return 0;
		}
		if (*c->p == '\\') {
			if (skip_escape(c) < 0) {
				return -c->e->code;
			}
			continue;
		}
		rest = (struct str){c->p, (size_t)(c->end - c->p)};
		if ((unsigned char)*c->p < 0x20) {
			return fail(c, EINVAL, "control characters in strings must be escaped");
		}
		if (text_utf8(&rest) < 0) {
			return fail(c, EINVAL, "the text is not valid UTF-8");
		}
		c->p = rest.p;
	}
}

static bool digits(struct json_cur *c)
{
	const char *from = c->p;

	while (c->p < c->end && chr_digit(*c->p)) {
		c->p++;
	}
	return c->p > from;
}

static bool take(struct json_cur *c, char a, char b)
{
	if (c->p < c->end && (*c->p == a || *c->p == b)) {
		c->p++;
		return true;
	}
	return false;
}

/* RFC 8259 6 */
static int skip_number(struct json_cur *c)
{
	bool ok;

	(void)take(c, '-', '-'); /* a sign is optional */
	ok = take(c, '0', '0') || digits(c);
	if (ok && take(c, '.', '.')) {
		ok = digits(c);
	}
	if (ok && take(c, 'e', 'E')) {
		(void)take(c, '+', '-'); /* and so it is here */
		ok = digits(c);
	}
	if (!ok) {
		return fail(c, EINVAL, "expected a digit");
	}
	return c->p < c->end && chr_digit(*c->p) ? fail(c, EINVAL, "numbers have no leading zeros")
						 : 0;
}

static int skip_word(struct json_cur *c, struct str word)
{
	if (!str_starts((struct str){c->p, (size_t)(c->end - c->p)}, word)) {
		return fail(c, EINVAL, "expected a value");
	}
	c->p += word.n;
	return 0;
}

enum json_type json_cur_type(struct json_cur *c)
{
	skip_blanks(c);
	if (c->p == c->end) {
		return JSON_NONE;
	}
	switch (*c->p) {
	case '{':
		return JSON_OBJECT;
	case '[':
		return JSON_ARRAY;
	case '"':
		return JSON_STRING;
	case 't':
	case 'f':
		return JSON_BOOL;
	case 'n':
		return JSON_NULL;
	default:
		return *c->p == '-' || chr_digit(*c->p) ? JSON_NUMBER : JSON_NONE;
	}
}

static int skip_scalar(struct json_cur *c, enum json_type type)
{
	switch (type) {
	case JSON_STRING:
		return skip_string(c);
	case JSON_NUMBER:
		return skip_number(c);
	case JSON_NULL:
		return skip_word(c, STR("null"));
	case JSON_BOOL:
		return skip_word(c, *c->p == 't' ? STR("true") : STR("false"));
	default:
		return fail(c, EINVAL, "expected a value");
	}
}

int json_cur_open(struct json_cur *c, enum json_type type)
{
	if (json_cur_type(c) != type) {
		return fail(c, EINVAL, type == JSON_OBJECT ? "expected '{'" : "expected '['");
	}
	if (c->depth == JSON_DEPTH_MAX) {
		return fail(c, E2BIG, "nested deeper than 64");
	}
	c->objects &= ~((uint64_t)1 << c->depth);
	c->objects |= (uint64_t)(type == JSON_OBJECT) << c->depth;
	c->depth++;
	c->fresh = true;
	c->p++;
	return 0;
}

/* The comma before the next member or element: 1; or the end of the container: 0. */
static int next(struct json_cur *c, char close)
{
	bool first = c->fresh;

	c->fresh = false;
	skip_blanks(c);
	if (c->p < c->end && *c->p == close) {
		c->p++;
		c->depth--;
		return 0;
	}
	if (!first && !take(c, ',', ',')) {
		return fail(
			c, EINVAL, close == '}' ? "expected ',' or '}'" : "expected ',' or ']'");
	}
	return 1;
}

int json_cur_element(struct json_cur *c)
{
	return next(c, ']');
}

int json_cur_member(struct json_cur *c, struct str *key)
{
	const char *from;
	int r = next(c, '}');

	if (r <= 0) {
		return r;
	}
	skip_blanks(c);
	if (c->p == c->end || *c->p != '"') {
		return fail(c, EINVAL, "expected a key");
	}
	from = c->p + 1;
	r = skip_string(c);
	if (r < 0) {
		return r;
	}
	*key = (struct str){from, (size_t)(c->p - from) - 1};
	skip_blanks(c);
	if (!take(c, ':', ':')) {
		return fail(c, EINVAL, "expected ':' after a key");
	}
	return 1;
}

/* One step within the innermost container: the next value begins (1) or a container ended (0). */
static int step(struct json_cur *c)
{
	struct str key;

	return (c->objects >> (c->depth - 1) & 1) != 0 ? json_cur_member(c, &key)
						       : json_cur_element(c);
}

static inline bool is_digit(char c)
{
	return (unsigned char)(c - '0') <= 9;
}

/* Behind a plain string, a whole number or a word at p; NULL for anything else. */
static const char *flat_value(const char *p, const char *end)
{
	if (p == end) {
		return NULL;
	}
	if (*p == '"') {
		p = skip_plain(p + 1, end);
		return p < end && *p == '"' ? p + 1 : NULL;
	}
	if (*p == '0') {
		return p + 1;
	}
	if (is_digit(*p)) {
		while (p < end && is_digit(*p)) {
			p++;
		}
		return p;
	}
	if (end - p > 5 && (memcmp(p, "true", 4) == 0 || memcmp(p, "null", 4) == 0)) {
		return p + 4;
	}
	return end - p > 5 && memcmp(p, "false", 5) == 0 ? p + 5 : NULL;
}

/*
 * Pass over what most of a text is: members or elements without containers, escapes or blanks in
 * odd places. Stops behind the last value that is surely right; what follows is for step().
 */
static void skip_flat(struct json_cur *c)
{
	bool object = (c->objects >> (c->depth - 1) & 1) != 0;
	const char *p, *end = c->end;

	for (;;) {
		p = c->p;
		if (!c->fresh) {
			if (p == end || *p != ',') {
				return;
			}
			p++;
		}
		p = blanks_end(p, end);
		if (object) {
			if (p == end || *p != '"') {
				return;
			}
			p = skip_plain(p + 1, end);
			if (end - p < 2 || p[0] != '"' || p[1] != ':') {
				return;
			}
			p = blanks_end(p + 2, end);
		}
		p = flat_value(p, end);
		if (p == NULL || p == end || (*p != ',' && *p != '}' && *p != ']')) {
			return;
		}
		c->p = p;
		c->fresh = false;
	}
}

int json_cur_skip(struct json_cur *c, struct str *raw)
{
	uint32_t depth = c->depth;
	const char *from;
	int r;

	skip_blanks(c);
	from = c->p;
	do {
		enum json_type type = json_cur_type(c);

		if (type == JSON_OBJECT || type == JSON_ARRAY) {
			r = json_cur_open(c, type);
		} else {
			r = skip_scalar(c, type);
		}
		while (r >= 0 && c->depth > depth) {
			skip_flat(c);
			r = step(c);
			if (r != 0) {
				break;
			}
		}
	} while (r >= 0 && c->depth > depth);
	c->fresh = false;
	if (raw != NULL) {
		*raw = (struct str){from, (size_t)(c->p - from)};
	}
	return r < 0 ? r : 0;
}

int json_cur_end(struct json_cur *c)
{
	skip_blanks(c);
	return c->p < c->end ? fail(c, EINVAL, "expected the end after the value") : 0;
}

bool json_key_is(struct str key, const char *name)
{
	struct str want = str_from(name);

	/* Escapes are longer than what they stand for, so equal lengths are equal texts or none. */
	if (key.n <= want.n) {
		return key.n == want.n && str_ieq(key, want);
	}
	if (memchr(key.p, '\\', key.n) == NULL) {
		return false;
	}
	while (want.n > 0) {
		int32_t cp = text_next(&key);

		if (cp < 0 || cp > 0x7f || chr_lower((char)cp) != chr_lower(want.p[0])) {
			return false;
		}
		want = str_skip(want, 1);
	}
	return key.n == 0;
}

int json_raw_text(struct str raw, char *dst, size_t cap, size_t *n)
{
	size_t at = 0;

	if (raw.n < 2 || raw.p[0] != '"') {
		return -EINVAL;
	}
	raw = (struct str){raw.p + 1, raw.n - 2};
	while (raw.n > 0) {
		int32_t cp = text_next(&raw);
		char utf8[4];
		size_t len;

		if (cp <= 0 || text_is_surrogate(cp)) {
			return -EINVAL;
		}
		len = text_put(utf8, cp);
		if (cap - at <= len) {
			return -ENAMETOOLONG;
		}
		memcpy(dst + at, utf8, len);
		at += len;
	}
	if (cap == 0) {
		return -ENAMETOOLONG;
	}
	dst[at] = '\0';
	*n = at;
	return 0;
}
