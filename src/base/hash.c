/* SPDX-License-Identifier: MIT */
/* See hash.h. */
#include "base/hash.h"

#include <string.h>
#include <sys/random.h>

#include "base/attr.h"

void hash_key_random(struct hash_key *key)
{
	/* 16 bytes come whole, and only before the kernel's pool is ready does this wait. */
	ASSERT(getrandom(key, sizeof(*key), 0) == (ssize_t)sizeof(*key));
}

static uint64_t rotate(uint64_t x, unsigned n)
{
	return x << n | x >> (64 - n);
}

static void round_of(uint64_t v[static 4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

static uint64_t word(const char *p, size_t n)
{
	uint64_t w = 0;

	for (size_t i = 0; i < n; i++) {
		w |= (uint64_t)(unsigned char)p[i] << 8 * i;
	}
	return w;
}

uint64_t hash_str(const struct hash_key *key, struct str s)
{
	uint64_t v[4] = {key->k0 ^ 0x736f6d6570736575u, key->k1 ^ 0x646f72616e646f6du,
		key->k0 ^ 0x6c7967656e657261u, key->k1 ^ 0x7465646279746573u};
	uint64_t m;
	size_t i;

	for (i = 0; s.n - i >= 8; i += 8) {
		m = word(s.p + i, 8);
		v[3] ^= m;
		round_of(v);
		v[0] ^= m;
	}
	m = word(s.p + i, s.n - i) | (uint64_t)s.n << 56;
	v[3] ^= m;
	round_of(v);
	v[0] ^= m;
	v[2] ^= 0xff;
	round_of(v);
	round_of(v);
	round_of(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t hash_fnv(uint64_t h, const void *p, size_t n)
{
	const unsigned char *byte = p;

	for (size_t i = 0; i < n; i++) {
		h = (h ^ byte[i]) * 0x100000001b3u;
	}
	return h;
}
