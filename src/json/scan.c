/* SPDX-License-Identifier: MIT */
/*
 * Theory of operation. The tokeniser finds where values begin and end but takes much that is no
 * JSON: missing and doubled commas, keys without values, "nul", control characters, two values; it
 * stops at a NUL byte and takes quadratic time on deep nesting. So the whole grammar is checked
 * here first, and the tokeniser only ever sees valid texts of bounded depth. A text is a row of
 * steps; what may come next is one of five states, and which kind of container is open at each
 * depth is one bit.
 */
#include "json/scan_priv.h"

#include <errno.h>
#include <stdio.h>

#include "json/limits.h"
#include "json/text_priv.h"

enum want {
	WANT_VALUE,
	WANT_VALUE_OR_END, /* after '[' */
	WANT_KEY,
	WANT_KEY_OR_END, /* after '{' */
	WANT_MORE,       /* after a value: ',' or the end of what is open */
};

struct scan {
	struct str text;
	size_t at;
	uint32_t tokens;
	uint32_t depth;
	uint64_t objects; /* bit i: the container at depth i + 1 is an object */
	struct err *e;
};

_Static_assert(JSON_DEPTH_MAX == 64, "one bit of scan.objects for each depth, and a message");
_Static_assert(JSON_TEXT_MAX <= INT32_MAX, "token offsets are int");

static int peek(const struct scan *s)
{
	return s->at < s->text.n ? (unsigned char)s->text.p[s->at] : TEXT_END;
}

static int fail(const struct scan *s, int code, const char *what)
{
	uint32_t line, column;
	char got[16] = "the end";
	int c = peek(s);

	if (c > 0x20 && c < 0x7f) {
		(void)snprintf(got, sizeof(got), "'%c'", c);
	} else if (c != TEXT_END) {
		(void)snprintf(got, sizeof(got), "byte 0x%02x", (unsigned)c);
	}
	text_place(s->text, s->at, &line, &column);
	return err_set(s->e, code, "line %u, column %u (byte %zu): %s, got %s", line, column, s->at,
		what, got);
}

static bool in_object(const struct scan *s)
{
	return s->depth > 0 && (s->objects >> (s->depth - 1) & 1) != 0;
}

static void skip_blanks(struct scan *s)
{
	for (;;) {
		int c = peek(s);

		if (c != ' ' && c != '\t' && c != '\n' && c != '\r') {
			return;
		}
		s->at++;
	}
}

static int scan_escape(struct scan *s)
{
	s->at++;
	switch (peek(s)) {
	case '"':
	case '\\':
	case '/':
	case 'b':
	case 'f':
	case 'n':
	case 'r':
	case 't':
		s->at++;
		return 0;
	case 'u':
		s->at++;
		for (int i = 0; i < 4; i++, s->at++) {
			if (peek(s) == TEXT_END || chr_hex((char)peek(s)) < 0) {
				return fail(
					s, EINVAL, "expected four hexadecimal digits after \\u");
			}
		}
		return 0;
	default:
		return fail(s, EINVAL, "expected an escape: one of \" \\ / b f n r t u");
	}
}

static int scan_string(struct scan *s)
{
	s->at++;
	for (;;) {
		int c = peek(s);
		struct str rest;

		if (c == '"') {
			s->at++;
			s->tokens++;
			return 0;
		}
		if (c == '\\') {
			int r = scan_escape(s);

			if (r < 0) {
				return r;
			}
			continue;
		}
		if (c == TEXT_END) {
			return fail(s, EINVAL, "expected the closing quote of a string");
		}
		if (c < 0x20) {
			return fail(s, EINVAL, "control characters in strings must be escaped");
		}
		rest = str_skip(s->text, s->at);
		if (c < 0x80) {
			s->at++;
		} else if (text_utf8(&rest) >= 0) {
			s->at = s->text.n - rest.n;
		} else {
			return fail(s, EINVAL, "the text is not valid UTF-8");
		}
	}
}

static int scan_digits(struct scan *s)
{
	if (peek(s) == TEXT_END || !chr_digit((char)peek(s))) {
		return fail(s, EINVAL, "expected a digit");
	}
	while (peek(s) != TEXT_END && chr_digit((char)peek(s))) {
		s->at++;
	}
	return 0;
}

/* RFC 8259 6: [ "-" ] int [ "." digits ] [ e [ sign ] digits ]; a leading 0 stands alone. */
static int scan_number(struct scan *s)
{
	int r = 0;

	if (peek(s) == '-') {
		s->at++;
	}
	if (peek(s) == '0') {
		s->at++;
		if (peek(s) != TEXT_END && chr_digit((char)peek(s))) {
			return fail(s, EINVAL, "numbers have no leading zeros");
		}
	} else {
		r = scan_digits(s);
	}
	if (r == 0 && peek(s) == '.') {
		s->at++;
		r = scan_digits(s);
	}
	if (r == 0 && (peek(s) == 'e' || peek(s) == 'E')) {
		s->at++;
		if (peek(s) == '+' || peek(s) == '-') {
			s->at++;
		}
		r = scan_digits(s);
	}
	s->tokens++;
	return r;
}

static int scan_word(struct scan *s, struct str word)
{
	if (!str_starts(str_skip(s->text, s->at), word)) {
		return fail(s, EINVAL, "expected a value (words are true, false and null)");
	}
	s->at += word.n;
	s->tokens++;
	return 0;
}

static int scan_open(struct scan *s, bool object)
{
	if (s->depth == JSON_DEPTH_MAX) {
		return fail(s, E2BIG, "nested deeper than 64");
	}
	s->objects &= ~((uint64_t)1 << s->depth);
	s->objects |= (uint64_t)object << s->depth;
	s->depth++;
	s->tokens++;
	s->at++;
	return object ? WANT_KEY_OR_END : WANT_VALUE_OR_END;
}

/* These return the next state, or -errno. */
static int scan_value(struct scan *s, const char *expected)
{
	int c = peek(s), r;

	switch (c) {
	case '{':
	case '[':
		return scan_open(s, c == '{');
	case '"':
		r = scan_string(s);
		break;
	case 't':
		r = scan_word(s, STR("true"));
		break;
	case 'f':
		r = scan_word(s, STR("false"));
		break;
	case 'n':
		r = scan_word(s, STR("null"));
		break;
	default:
		if (c != '-' && (c == TEXT_END || !chr_digit((char)c))) {
			return fail(s, EINVAL, expected);
		}
		r = scan_number(s);
	}
	return r < 0 ? r : WANT_MORE;
}

static int scan_key(struct scan *s, const char *expected)
{
	int r;

	if (peek(s) != '"') {
		return fail(s, EINVAL, expected);
	}
	r = scan_string(s);
	if (r < 0) {
		return r;
	}
	skip_blanks(s);
	if (peek(s) != ':') {
		return fail(s, EINVAL, "expected ':' after a key");
	}
	s->at++;
	return WANT_VALUE;
}

static int scan_close(struct scan *s)
{
	s->depth--;
	s->at++;
	return WANT_MORE;
}

static int scan_more(struct scan *s)
{
	bool object = in_object(s);

	if (peek(s) == ',') {
		s->at++;
		return object ? WANT_KEY : WANT_VALUE;
	}
	if (peek(s) != (object ? '}' : ']')) {
		return fail(s, EINVAL, object ? "expected ',' or '}'" : "expected ',' or ']'");
	}
	return scan_close(s);
}

static int scan_step(struct scan *s, int want)
{
	switch (want) {
	case WANT_VALUE_OR_END:
		return peek(s) == ']' ? scan_close(s) : scan_value(s, "expected a value or ']'");
	case WANT_KEY_OR_END:
		return peek(s) == '}' ? scan_close(s) : scan_key(s, "expected a key or '}'");
	case WANT_KEY:
		return scan_key(s, "expected a key");
	case WANT_VALUE:
		return scan_value(s, "expected a value");
	default:
		return scan_more(s);
	}
}

int json_scan(struct str text, uint32_t *tokens, struct err *e)
{
	struct scan s = {.text = text, .e = e};
	int want = WANT_VALUE;

	if (text.n > JSON_TEXT_MAX) {
		return err_set(e, E2BIG, "JSON text of %zu bytes, at most %u are taken", text.n,
			JSON_TEXT_MAX);
	}
	do {
		skip_blanks(&s);
		want = scan_step(&s, want);
		if (want < 0) {
			return want;
		}
	} while (want != WANT_MORE || s.depth > 0);
	skip_blanks(&s);
	if (s.at < text.n) {
		return fail(&s, EINVAL, "expected the end after the value");
	}
	*tokens = s.tokens;
	return 0;
}
