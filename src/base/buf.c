/* SPDX-License-Identifier: MIT */
/* See buf.h. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void buf_init(struct buf *b, void *mem, size_t cap)
{
	*b = (struct buf){mem, 0, cap, false};
}

void buf_reset(struct buf *b)
{
	b->n = 0;
	b->overflow = false;
}

bool buf_ok(const struct buf *b)
{
	return !b->overflow;
}

struct str buf_str(const struct buf *b)
{
	return (struct str){b->p, b->n};
}

size_t buf_room(const struct buf *b)
{
	return b->overflow ? 0 : b->cap - b->n;
}

void buf_add(struct buf *b, struct str s)
{
	if (s.n > buf_room(b)) {
		b->overflow = true;
		return;
	}
	if (s.n > 0) {
		memcpy(b->p + b->n, s.p, s.n);
		b->n += s.n;
	}
}

void buf_add_c(struct buf *b, const char *cstr)
{
	buf_add(b, str_from(cstr));
}

void buf_add_chr(struct buf *b, char c)
{
	buf_add(b, (struct str){&c, 1});
}

static void add_decimal(struct buf *b, bool minus, uint64_t v)
{
	char digits[21];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v != 0);
	if (minus) {
		digits[--at] = '-';
	}
	buf_add(b, (struct str){digits + at, sizeof(digits) - at});
}

void buf_add_u64(struct buf *b, uint64_t v)
{
	add_decimal(b, false, v);
}

void buf_add_i64(struct buf *b, int64_t v)
{
	add_decimal(b, v < 0, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	size_t room = buf_room(b);
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(room > 0 ? b->p + b->n : NULL, room, fmt, ap);
	va_end(ap);
	/* vsnprintf needs a byte for its NUL, so an exact fit counts as an overflow here. */
	if (n < 0 || (size_t)n >= room) {
		b->overflow = true;
		return;
	}
	b->n += (size_t)n;
}
