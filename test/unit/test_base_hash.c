/* SPDX-License-Identifier: MIT */
/* base/hash.h against values of another implementation (CPython's hash of bytes without a seed). */
#include "unit.h"

#include "base/hash.h"

static const char text[] = "abcdefghijklmnopqrstuvwxyz";

static void known_values(void **state)
{
	static const struct {
		size_t n;
		uint64_t hash;
	} want[] = {
		{1, 0x407448d2b89b1813u},
		{7, 0x6db12aae9070f506u},
		{8, 0x3f7b849c0b8e35eau},
		{9, 0xf89b34a3d11eb6e5u},
		{15, 0x1fd27a29b0e9dc7au},
		{16, 0x94f60d3d29e6a312u},
		{26, 0x323ccd2fd30709dfu},
	};
	const struct hash_key zero = {0, 0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		assert_true(hash_str(&zero, (struct str){text, want[i].n}) == want[i].hash);
	}
}

static void keys_and_lengths_count(void **state)
{
	const struct hash_key a = {1, 2}, b = {1, 3}, c = {2, 2};
	struct hash_key random[2];

	(void)state;
	for (size_t n = 0; n < sizeof(text); n++) {
		struct str s = {text, n};

		assert_true(hash_str(&a, s) != hash_str(&b, s));
		assert_true(hash_str(&a, s) != hash_str(&c, s));
		assert_true(n == 0 || hash_str(&a, s) != hash_str(&a, (struct str){text, n - 1}));
	}
	assert_true(hash_str(&a, STR("\0")) != hash_str(&a, (struct str){"", 0}));
	hash_key_random(&random[0]);
	hash_key_random(&random[1]);
	assert_true(random[0].k0 != random[1].k0 || random[0].k1 != random[1].k1);
}

/* The vectors of draft-eastlake-fnv. */
static void fnv_known_values(void **state)
{
	(void)state;
	assert_true(hash_fnv(HASH_FNV_BASIS, "", 0) == HASH_FNV_BASIS);
	assert_true(hash_fnv(HASH_FNV_BASIS, "a", 1) == 0xaf63dc4c8601ec8cu);
	assert_true(hash_fnv(HASH_FNV_BASIS, "foobar", 6) == 0x85944171f73967e8u);
	assert_true(hash_fnv(hash_fnv(HASH_FNV_BASIS, "foo", 3), "bar", 3) == 0x85944171f73967e8u);
	assert_true(hash_fnv(HASH_FNV_BASIS, "\xff", 1) == 0xaf64724c8602eb6eu);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_values),
		cmocka_unit_test(fnv_known_values),
		cmocka_unit_test(keys_and_lengths_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
