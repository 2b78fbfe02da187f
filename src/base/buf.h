/* SPDX-License-Identifier: MIT */
/* A bounded writer over the caller's memory, with a sticky overflow flag. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdint.h>

#include "base/str.h"

/*
 * Append freely, test buf_ok() once at the end: an append that does not fit writes nothing and
 * sets the flag, after which every append is ignored. The memory belongs to the caller.
 */
struct buf {
	char *p;
	size_t n;
	size_t cap;
	bool overflow;
};

void buf_init(struct buf *b, void *mem, size_t cap);
void buf_reset(struct buf *b); /* empty, flag cleared, memory kept */
bool buf_ok(const struct buf *b) MUST_CHECK;
struct str buf_str(const struct buf *b); /* what was written, borrowed */
size_t buf_room(const struct buf *b);

void buf_add(struct buf *b, struct str s);
void buf_add_c(struct buf *b, const char *cstr);
void buf_add_chr(struct buf *b, char c);
void buf_add_u64(struct buf *b, uint64_t v); /* decimal */
void buf_add_i64(struct buf *b, int64_t v);  /* decimal */
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
