/* SPDX-License-Identifier: MIT */
/* base/arena.h: alignment, zeroing, bounds. */
#include "unit.h"

#include <stdalign.h>

#include "base/arena.h"
#include "guard.h"

static void test_aligned_and_zeroed(void **state)
{
	char mem[256];
	struct arena a;

	(void)state;
	for (size_t shift = 0; shift < 16; shift++) {
		memset(mem, 0xff, sizeof(mem));
		arena_init(&a, mem + shift, sizeof(mem) - shift);
		for (size_t size = 1; size < 20; size += 5) {
			char *p = arena_alloc(&a, 1, size);

			assert_non_null(p);
			assert_int_equal((uintptr_t)p % alignof(max_align_t), 0);
			for (size_t i = 0; i < size; i++) {
				assert_int_equal(p[i], 0);
			}
			memset(p, 0xff, size);
		}
	}
}

static void test_bounds(void **state)
{
	static alignas(16) char mem[64];
	struct arena a;

	(void)state;
	arena_init(&a, mem, sizeof(mem));
	assert_null(arena_alloc(&a, 1, 65));
	assert_null(arena_alloc(&a, SIZE_MAX, 1));
	assert_null(arena_alloc(&a, SIZE_MAX, SIZE_MAX));
	assert_null(arena_alloc(&a, SIZE_MAX / 2 + 1, 2));
	assert_null(arena_alloc(&a, 1, SIZE_MAX - 8));
	assert_int_equal(a.used, 0);
	assert_non_null(arena_alloc(&a, 4, 16));
	assert_null(arena_alloc(&a, 1, 1));
	arena_reset(&a);
	assert_ptr_equal(arena_alloc(&a, 1, 49), mem);
	/* 15 bytes are left, but none of them is aligned; then fewer than aligning takes. */
	assert_null(arena_alloc(&a, 1, 1));
	arena_init(&a, mem, 60);
	assert_non_null(arena_alloc(&a, 1, 49));
	assert_null(arena_alloc(&a, 1, 1));
	assert_int_equal(a.used, 49);
}

static void test_last_byte(void **state)
{
	struct guard g = guard_copy(STR("0123456789abcdef0123456789abcdef"));
	struct arena a;

	(void)state;
	arena_init(&a, (char *)g.s.p, g.s.n);
	assert_non_null(arena_alloc(&a, 32, 1));
	assert_int_equal(g.s.p[31], 0);
	guard_free(&g);
}

static void test_dup(void **state)
{
	static alignas(16) char mem[32];
	struct arena a;
	char *p;

	(void)state;
	arena_init(&a, mem, 4);
	assert_null(arena_dup(&a, STR("abcd")));
	assert_null(arena_dup(&a, (struct str){"x", SIZE_MAX}));
	p = arena_dup(&a, STR("abc"));
	assert_non_null(p);
	assert_string_equal(p, "abc");
	arena_init(&a, mem, sizeof(mem));
	p = arena_dup(&a, (struct str)STR_INIT);
	assert_non_null(p);
	assert_string_equal(p, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_aligned_and_zeroed),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_last_byte),
		cmocka_unit_test(test_dup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
