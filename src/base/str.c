/* SPDX-License-Identifier: MIT */
/* See str.h. */
#include "base/str.h"

#include <string.h>

struct str str_from(const char *cstr)
{
	return (struct str){cstr, cstr ? strlen(cstr) : 0};
}

bool str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool str_eq_c(struct str a, const char *b)
{
	return str_eq(a, str_from(b));
}

bool str_ieq(struct str a, struct str b)
{
	if (a.n != b.n) {
		return false;
	}
	for (size_t i = 0; i < a.n; i++) {
		if (chr_lower(a.p[i]) != chr_lower(b.p[i])) {
			return false;
		}
	}
	return true;
}

bool str_starts(struct str s, struct str prefix)
{
	return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

struct str str_skip(struct str s, size_t n)
{
	if (n > s.n) {
		n = s.n;
	}
	return (struct str){n == 0 ? s.p : s.p + n, s.n - n};
}

static bool chr_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim(struct str s)
{
	while (s.n > 0 && chr_space(s.p[0])) {
		s = str_skip(s, 1);
	}
	while (s.n > 0 && chr_space(s.p[s.n - 1])) {
		s.n--;
	}
	return s;
}

bool str_cut(struct str s, char c, struct str *head, struct str *tail)
{
	const char *at = s.n > 0 ? memchr(s.p, c, s.n) : NULL;
	size_t n;

	if (at == NULL) {
		return false;
	}
	n = (size_t)(at - s.p);
	*head = (struct str){s.p, n};
	*tail = str_skip(s, n + 1);
	return true;
}

bool str_copy(struct str s, char *dst, size_t cap)
{
	if (s.n >= cap || (s.n > 0 && memchr(s.p, '\0', s.n) != NULL)) {
		return false;
	}
	if (s.n > 0) {
		memcpy(dst, s.p, s.n);
	}
	dst[s.n] = '\0';
	return true;
}

bool chr_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool chr_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool chr_alnum(char c)
{
	return chr_digit(c) || chr_alpha(c);
}

int chr_hex(char c)
{
	if (chr_digit(c)) {
		return c - '0';
	}
	c = chr_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

char chr_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}
