/* SPDX-License-Identifier: MIT */
/* See text_priv.h. */
#include "json/text_priv.h"

static int32_t take(struct str *s, size_t n, int32_t cp)
{
	*s = str_skip(*s, n);
	return cp;
}

int32_t text_utf8(struct str *s)
{
	static const int32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	int32_t c, cp;
	size_t n;

	if (s->n == 0) {
		return TEXT_END;
	}
	c = (unsigned char)s->p[0];
	if (c < 0x80) {
		return take(s, 1, c);
	}
	n = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
	if (c < 0xc2 || c > 0xf4 || s->n < n) {
		return TEXT_BAD;
	}
	cp = c & (0x7f >> n);
	for (size_t i = 1; i < n; i++) {
		c = (unsigned char)s->p[i];
		if ((c & 0xc0) != 0x80) {
			return TEXT_BAD;
		}
		cp = cp << 6 | (c & 0x3f);
	}
	if (cp < least[n] || cp > 0x10ffff || text_is_surrogate(cp)) {
		return TEXT_BAD;
	}
	return take(s, n, cp);
}

bool text_is_surrogate(int32_t cp)
{
	return cp >= 0xd800 && cp <= 0xdfff;
}

/* The four digits of "\uXXXX" at the front of s, or TEXT_BAD if that is not what stands there. */
static int32_t unit(struct str s)
{
	int32_t cp = 0;

	if (s.n < 6 || s.p[0] != '\\' || s.p[1] != 'u') {
		return TEXT_BAD;
	}
	for (size_t i = 2; i < 6; i++) {
		int d = chr_hex(s.p[i]);

		if (d < 0) {
			return TEXT_BAD;
		}
		cp = cp << 4 | d;
	}
	return cp;
}

static int32_t unit_or_pair(struct str *raw)
{
	int32_t high = unit(*raw), low;

	ASSERT(high >= 0);
	*raw = str_skip(*raw, 6);
	if (high < 0xd800 || high > 0xdbff) {
		return high;
	}
	low = unit(*raw);
	if (low < 0xdc00 || low > 0xdfff) {
		return high;
	}
	return take(raw, 6, 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00));
}

int32_t text_next(struct str *raw)
{
	int32_t cp;

	if (raw->n == 0 || raw->p[0] != '\\') {
		cp = text_utf8(raw);
		ASSERT(cp != TEXT_BAD);
		return cp;
	}
	ASSERT(raw->n >= 2);
	switch (raw->p[1]) {
	case 'b':
		return take(raw, 2, '\b');
	case 'f':
		return take(raw, 2, '\f');
	case 'n':
		return take(raw, 2, '\n');
	case 'r':
		return take(raw, 2, '\r');
	case 't':
		return take(raw, 2, '\t');
	case 'u':
		return unit_or_pair(raw);
	default:
		return take(raw, 2, raw->p[1]); /* a quote, a backslash or a slash */
	}
}

size_t text_put(char out[static 4], int32_t cp)
{
	static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
	size_t n = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;

	for (size_t i = n - 1; i > 0; i--) {
		out[i] = (char)(0x80 | (cp & 0x3f));
		cp >>= 6;
	}
	out[0] = (char)(lead[n] | cp);
	return n;
}

void text_place(struct str text, size_t at, uint32_t *line, uint32_t *column)
{
	*line = 1;
	*column = 1;
	for (size_t i = 0; i < at; i++) {
		if (text.p[i] == '\n') {
			*line += 1;
			*column = 1;
		} else if (((unsigned char)text.p[i] & 0xc0) != 0x80) {
			*column += 1;
		}
	}
}
