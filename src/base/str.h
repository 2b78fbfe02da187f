/* SPDX-License-Identifier: MIT */
/* Borrowed byte slices and locale-free character classes. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

/* A borrowed slice: valid as long as the buffer it points into, not NUL-terminated. */
struct str {
	const char *p;
	size_t n;
};

#define STR_INIT                                                                                   \
	{                                                                                          \
		NULL, 0                                                                            \
	}
#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})

/* For printf's "%.*s": printf("%.*s", STR_ARG(s)). Slices are bounded far below INT_MAX. */
#define STR_ARG(s) (int)(s).n, (s).p

struct str str_from(const char *cstr);      /* strlen(cstr) bytes; NULL gives none */
bool str_eq(struct str a, struct str b);    /* same bytes */
bool str_eq_c(struct str a, const char *b); /* same bytes as the C string b */
bool str_ieq(struct str a, struct str b);   /* ASCII case does not matter */
bool str_starts(struct str s, struct str prefix);
struct str str_skip(struct str s, size_t n); /* without its first n bytes (at most all) */
struct str str_trim(struct str s);           /* without blanks, tabs, CR, LF at both ends */

/*
 * str_cut: split s at the first byte c. true: *head is what stands before, *tail what follows
 * it. false (no such byte): outputs untouched.
 */
bool str_cut(struct str s, char c, struct str *head, struct str *tail);

/*
 * str_copy: copy s into dst[cap] as a C string. false, dst untouched: s with its NUL does not
 * fit, or s contains a NUL byte (the copy would silently mean something else).
 */
bool str_copy(struct str s, char *dst, size_t cap) MUST_CHECK;

/* ASCII classes; <ctype.h> depends on the locale and is undefined for negative char. */
bool chr_digit(char c);
bool chr_alpha(char c);
bool chr_alnum(char c);
int chr_hex(char c); /* 0..15, -1 if c is no hexadecimal digit */
char chr_lower(char c);

#endif
