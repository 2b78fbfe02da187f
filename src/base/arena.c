/* SPDX-License-Identifier: MIT */
/* See arena.h. */
#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <string.h>

void arena_init(struct arena *a, void *mem, size_t cap)
{
	*a = (struct arena){mem, 0, cap};
}

void arena_reset(struct arena *a)
{
	a->used = 0;
}

void *arena_alloc(struct arena *a, size_t n, size_t size)
{
	uintptr_t at = (uintptr_t)a->p + a->used;
	size_t pad = (alignof(max_align_t) - at % alignof(max_align_t)) % alignof(max_align_t);
	size_t want;
	char *p;

	if (__builtin_mul_overflow(n, size, &want) || pad > a->cap - a->used ||
		want > a->cap - a->used - pad) {
		return NULL;
	}
	p = a->p + a->used + pad;
	a->used += pad + want;
	memset(p, 0, want);
	return p;
}

char *arena_dup(struct arena *a, struct str s)
{
	char *p = s.n < SIZE_MAX ? arena_alloc(a, s.n + 1, 1) : NULL;

	if (p != NULL && s.n > 0) {
		memcpy(p, s.p, s.n);
	}
	return p;
}
