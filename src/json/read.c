/* SPDX-License-Identifier: MIT */
/*
 * Tokens stand in the order of the text: a container, then what it contains; a key, then its value.
 * Once the tokeniser is done, its parent links have served, and the field holds the index of the
 * first token that is not inside this one. So going to the next element costs one step, however
 * large the one before is.
 */
#include "json/read.h"

#include <errno.h>
#include <string.h>

#include "json/jsmn_priv.h"
#include "json/scan_priv.h"
#include "json/text_priv.h"
#include "json/value.h"

_Static_assert(sizeof(jsmntok_t) == JSON_TOKEN_BYTES, "callers size their arenas with it");

static const jsmntok_t *tok(const struct json_doc *d, uint32_t at)
{
	ASSERT(at < d->n);
	return (const jsmntok_t *)d->tok + at;
}

static uint32_t after(const struct json_doc *d, uint32_t at)
{
	return (uint32_t)tok(d, at)->parent;
}

static bool is_container(const jsmntok_t *t)
{
	return t->type == JSMN_OBJECT || t->type == JSMN_ARRAY;
}

/* What stands between the quotes of a string, or a whole value of another type. */
static struct str inner(const struct json_doc *d, uint32_t at)
{
	const jsmntok_t *t = tok(d, at);

	return (struct str){d->text.p + t->start, (size_t)(t->end - t->start)};
}

static bool has_escapes(struct str raw)
{
	return raw.n > 0 && memchr(raw.p, '\\', raw.n) != NULL;
}

static void tokenise(struct str text, jsmntok_t *t, uint32_t n)
{
	struct str body = str_trim(text);
	jsmn_parser p;
	int r;

	if (strchr("{[\"", body.p[0]) == NULL) {
		/* Strict jsmn wants something to follow a number or a word, even at the top. */
		int start = (int)(body.p - text.p);

		*t = (jsmntok_t){JSMN_PRIMITIVE, start, start + (int)body.n, 0, -1};
		return;
	}
	jsmn_init(&p);
	r = jsmn_parse(&p, text.p, text.n, t, n);
	ASSERT(r >= 0 && (uint32_t)r == n);
}

static void link_tokens(jsmntok_t *t, uint32_t n)
{
	uint32_t open[JSON_DEPTH_MAX];
	size_t depth = 0;

	for (uint32_t i = 0; i < n; i++) {
		while (depth > 0 && t[open[depth - 1]].end <= t[i].start) {
			t[open[--depth]].parent = (int)i;
		}
		t[i].parent = (int)i + 1;
		if (is_container(&t[i])) {
			ASSERT(depth < JSON_DEPTH_MAX);
			open[depth++] = i;
		}
	}
	while (depth > 0) {
		t[open[--depth]].parent = (int)n;
	}
}

static int key_cmp(const struct json_doc *d, uint32_t a, uint32_t b)
{
	struct str x = inner(d, a), y = inner(d, b);
	int32_t c1, c2;
	int r;

	/* The order of UTF-8's bytes is that of code points. */
	if (!has_escapes(x) && !has_escapes(y)) {
		size_t n = x.n < y.n ? x.n : y.n;

		r = n > 0 ? memcmp(x.p, y.p, n) : 0;
		return r != 0 ? r : x.n < y.n ? -1 : x.n > y.n;
	}
	do {
		c1 = text_next(&x);
		c2 = text_next(&y);
	} while (c1 == c2 && c1 != TEXT_END);
	return c1 < c2 ? -1 : c1 > c2;
}

static void sift(const struct json_doc *d, uint32_t *keys, size_t i, size_t n)
{
	uint32_t moving = keys[i];

	for (size_t kid = 2 * i + 1; kid < n; kid = 2 * i + 1) {
		if (kid + 1 < n && key_cmp(d, keys[kid + 1], keys[kid]) > 0) {
			kid++;
		}
		if (key_cmp(d, keys[kid], moving) <= 0) {
			break;
		}
		keys[i] = keys[kid];
		i = kid;
	}
	keys[i] = moving;
}

/* Heap sort: n log n whatever keys a peer chooses, in place, no recursion. */
static void sort_keys(const struct json_doc *d, uint32_t *keys, size_t n)
{
	for (size_t i = n / 2; i > 0; i--) {
		sift(d, keys, i - 1, n);
	}
	for (size_t left = n; left > 1; left--) {
		uint32_t top = keys[0];

		keys[0] = keys[left - 1];
		keys[left - 1] = top;
		sift(d, keys, 0, left - 1);
	}
}

static int check_object(const struct json_doc *d, uint32_t at, struct arena scratch, struct err *e)
{
	struct json_iter it = json_iter((struct json_val){d, at});
	size_t want = (size_t)tok(d, at)->size, n = 0;
	uint32_t *keys = arena_alloc(&scratch, want, sizeof(*keys));
	struct json_val key, val;

	if (keys == NULL) {
		return err_set(e, ENOMEM, "JSON text: no memory to compare %zu keys", want);
	}
	while (json_next(&it, &key, &val)) {
		ASSERT(n < want);
		keys[n++] = key.at;
	}
	sort_keys(d, keys, n);
	for (size_t i = 1; i < n; i++) {
		if (key_cmp(d, keys[i - 1], keys[i]) == 0) {
			key.at = keys[i - 1] > keys[i] ? keys[i - 1] : keys[i];
			return json_fail(key, e, EINVAL, "this key is given twice");
		}
	}
	return 0;
}

static int check_duplicates(const struct json_doc *d, const struct arena *a, struct err *e)
{
	for (uint32_t i = 0; i < d->n; i++) {
		if (tok(d, i)->type == JSMN_OBJECT && tok(d, i)->size > 1) {
			int r = check_object(d, i, *a, e);

			if (r < 0) {
				return r;
			}
		}
	}
	return 0;
}

int json_parse(struct json_doc *d, struct str text, struct arena *a, unsigned flags, struct err *e)
{
	struct arena before = *a;
	struct json_doc doc = {text, NULL, 0};
	jsmntok_t *t;
	int r = json_scan(text, &doc.n, e);

	if (r < 0) {
		return r;
	}
	t = arena_alloc(a, doc.n, sizeof(*t));
	if (t == NULL) {
		return err_set(e, ENOMEM, "JSON text of %zu bytes: no memory for its %u values",
			text.n, doc.n);
	}
	tokenise(text, t, doc.n);
	link_tokens(t, doc.n);
	doc.tok = t;
	r = (flags & JSON_LAST_WINS) != 0 ? 0 : check_duplicates(&doc, a, e);
	if (r < 0) {
		*a = before;
		return r;
	}
	*d = doc;
	return 0;
}

struct json_val json_root(const struct json_doc *d)
{
	return (struct json_val){d, 0};
}

enum json_type json_type(struct json_val v)
{
	const jsmntok_t *t = v.d != NULL ? tok(v.d, v.at) : NULL;

	if (t == NULL) {
		return JSON_NONE;
	}
	if (t->type == JSMN_OBJECT) {
		return JSON_OBJECT;
	}
	if (t->type == JSMN_ARRAY) {
		return JSON_ARRAY;
	}
	if (t->type == JSMN_STRING) {
		return JSON_STRING;
	}
	switch (v.d->text.p[t->start]) {
	case 'n':
		return JSON_NULL;
	case 't':
	case 'f':
		return JSON_BOOL;
	default:
		return JSON_NUMBER;
	}
}

const char *json_type_name(enum json_type t)
{
	static const char *const names[] = {"nothing", "null", "true or false", "a number",
		"a string", "an array", "an object"};

	return names[t];
}

struct str json_raw(struct json_val v)
{
	struct str s;

	if (v.d == NULL) {
		return (struct str)STR_INIT;
	}
	s = inner(v.d, v.at);
	return json_type(v) == JSON_STRING ? (struct str){s.p - 1, s.n + 2} : s;
}

struct json_iter json_iter(struct json_val v)
{
	struct json_iter it = {v.d, 0, 0, json_type(v) == JSON_OBJECT};

	if (it.members || json_type(v) == JSON_ARRAY) {
		it.at = v.at + 1;
		it.end = after(v.d, v.at);
	}
	return it;
}

bool json_next(struct json_iter *it, struct json_val *key, struct json_val *val)
{
	if (it->at >= it->end) {
		return false;
	}
	if (key != NULL) {
		*key = it->members ? (struct json_val){it->d, it->at} : JSON_VAL_NONE;
	}
	*val = (struct json_val){it->d, it->at + it->members};
	it->at = after(it->d, val->at);
	return true;
}

size_t json_count(struct json_val v)
{
	return v.d != NULL && is_container(tok(v.d, v.at)) ? (size_t)tok(v.d, v.at)->size : 0;
}

static bool text_same(struct json_val v, struct str s, bool fold)
{
	struct str raw;
	int32_t cp;

	if (json_type(v) != JSON_STRING) {
		return false;
	}
	raw = inner(v.d, v.at);
	if (!has_escapes(raw)) {
		return fold ? str_ieq(raw, s) : str_eq(raw, s);
	}
	while ((cp = text_next(&raw)) != TEXT_END) {
		char utf8[4];
		struct str c = {utf8, text_put(utf8, cp)}, head = {s.p, c.n};

		if (text_is_surrogate(cp) || s.n < c.n ||
			!(fold ? str_ieq(head, c) : str_eq(head, c))) {
			return false;
		}
		s = str_skip(s, c.n);
	}
	return s.n == 0;
}

bool json_text_eq(struct json_val v, struct str s)
{
	return text_same(v, s, false);
}

bool json_text_ieq(struct json_val v, struct str s)
{
	return text_same(v, s, true);
}

static struct json_val get(struct json_val v, struct str name, bool fold)
{
	struct json_val found = JSON_VAL_NONE, key, val;
	struct json_iter it = json_iter(v);

	while (it.members && json_next(&it, &key, &val)) {
		if (text_same(key, name, fold)) {
			found = val;
		}
	}
	return found;
}

struct json_val json_get(struct json_val v, const char *key)
{
	return get(v, str_from(key), false);
}

struct json_val json_iget(struct json_val v, const char *key)
{
	return get(v, str_from(key), true);
}
