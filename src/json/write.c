/* SPDX-License-Identifier: MIT */
/* See write.h. */
#include "json/write.h"

#include "base/attr.h"
#include "json/text_priv.h"

_Static_assert(JSON_DEPTH_MAX <= 64, "one bit of json_writer.objects for each depth");

void json_writer_init(struct json_writer *w, struct buf *b)
{
	*w = (struct json_writer){.b = b};
}

static bool in_object(const struct json_writer *w)
{
	return w->depth > 0 && (w->objects >> (w->depth - 1) & 1) != 0;
}

static void put_escape(struct buf *b, unsigned char c)
{
	static const char letters[] = "\b\f\n\r\t\"\\", names[] = "bfnrt\"\\",
			  hex[] = "0123456789abcdef";

	for (size_t i = 0; i < sizeof(letters) - 1; i++) {
		if ((unsigned char)letters[i] == c) {
			buf_add_chr(b, '\\');
			buf_add_chr(b, names[i]);
			return;
		}
	}
	buf_add_c(b, "\\u00");
	buf_add_chr(b, hex[c >> 4]);
	buf_add_chr(b, hex[c & 15]);
}

/* How many bytes of s stand for themselves: nearly all of nearly every text, copied at once. */
static size_t plain(struct str s)
{
	size_t n = 0;

	while (n < s.n && s.p[n] >= 0x20 && s.p[n] <= 0x7e && s.p[n] != '"' && s.p[n] != '\\') {
		n++;
	}
	return n;
}

static void put_text(struct buf *b, struct str s)
{
	static const struct str replacement = {"\xef\xbf\xbd", 3};

	buf_add_chr(b, '"');
	while (s.n > 0) {
		struct str rest = s;
		size_t n = plain(s);
		int32_t cp;

		if (n > 0) {
			buf_add(b, (struct str){s.p, n});
			s = str_skip(s, n);
			continue;
		}
		cp = text_utf8(&rest);
		if (cp == TEXT_BAD) {
			buf_add(b, replacement);
			rest = str_skip(s, 1);
		} else if (cp < 0x20 || cp == '"' || cp == '\\') {
			put_escape(b, (unsigned char)cp);
		} else {
			buf_add(b, (struct str){s.p, s.n - rest.n});
		}
		s = rest;
	}
	buf_add_chr(b, '"');
}

static void before_key(struct json_writer *w)
{
	ASSERT(in_object(w) && !w->keyed);
	if (w->comma) {
		buf_add_chr(w->b, ',');
	}
}

static void after_key(struct json_writer *w)
{
	buf_add_chr(w->b, ':');
	w->comma = false;
	w->keyed = true;
}

void json_put_key(struct json_writer *w, struct str key)
{
	before_key(w);
	put_text(w->b, key);
	after_key(w);
}

void json_put_raw_key(struct json_writer *w, struct str json)
{
	before_key(w);
	buf_add(w->b, json);
	after_key(w);
}

/* Whatever has to stand before a value. */
static void put_before(struct json_writer *w, const char *key)
{
	if (key != NULL) {
		json_put_key(w, str_from(key));
	}
	ASSERT(in_object(w) == w->keyed);
	ASSERT(w->depth > 0 || !w->comma); /* one value at the top */
	if (w->comma) {
		buf_add_chr(w->b, ',');
	}
	w->comma = true;
	w->keyed = false;
}

static void put_open(struct json_writer *w, const char *key, bool object)
{
	put_before(w, key);
	ASSERT(w->depth < JSON_DEPTH_MAX);
	w->objects &= ~((uint64_t)1 << w->depth);
	w->objects |= (uint64_t)object << w->depth;
	w->depth++;
	w->comma = false;
	buf_add_chr(w->b, object ? '{' : '[');
}

static void put_close(struct json_writer *w, bool object)
{
	ASSERT(w->depth > 0 && in_object(w) == object && !w->keyed);
	w->depth--;
	w->comma = true;
	buf_add_chr(w->b, object ? '}' : ']');
}

bool json_writer_done(const struct json_writer *w)
{
	ASSERT(w->depth == 0 && w->comma);
	return buf_ok(w->b);
}

void json_put_object(struct json_writer *w, const char *key)
{
	put_open(w, key, true);
}

void json_put_end_object(struct json_writer *w)
{
	put_close(w, true);
}

void json_put_array(struct json_writer *w, const char *key)
{
	put_open(w, key, false);
}

void json_put_end_array(struct json_writer *w)
{
	put_close(w, false);
}

void json_put_str(struct json_writer *w, const char *key, struct str s)
{
	put_before(w, key);
	put_text(w->b, s);
}

void json_put_cstr(struct json_writer *w, const char *key, const char *s)
{
	json_put_str(w, key, str_from(s));
}

void json_put_u64(struct json_writer *w, const char *key, uint64_t v)
{
	put_before(w, key);
	buf_add_u64(w->b, v);
}

void json_put_i64(struct json_writer *w, const char *key, int64_t v)
{
	put_before(w, key);
	buf_add_i64(w->b, v);
}

void json_put_bool(struct json_writer *w, const char *key, bool v)
{
	put_before(w, key);
	buf_add_c(w->b, v ? "true" : "false");
}

void json_put_null(struct json_writer *w, const char *key)
{
	put_before(w, key);
	buf_add_c(w->b, "null");
}

void json_put_raw(struct json_writer *w, const char *key, struct str json)
{
	put_before(w, key);
	ASSERT(json.n > 0);
	buf_add(w->b, json);
}
