/* SPDX-License-Identifier: MIT */
/* Memory of one request: carved from a fixed block, given back all at once. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/str.h"

struct arena {
	char *p;
	size_t used;
	size_t cap;
};

void arena_init(struct arena *a, void *mem, size_t cap);
void arena_reset(struct arena *a);

/*
 * arena_alloc: n * size zeroed bytes, aligned for any object; NULL when n * size overflows or
 * does not fit (callers turn that into -ENOMEM). Valid until arena_reset.
 */
void *arena_alloc(struct arena *a, size_t n, size_t size) MUST_CHECK;

/* arena_dup: a NUL-terminated copy of s, or NULL when it does not fit. */
char *arena_dup(struct arena *a, struct str s) MUST_CHECK;

#endif
