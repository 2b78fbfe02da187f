/* SPDX-License-Identifier: MIT */
/* A keyed hash for tables whose keys strangers choose, and a plain one for everything else. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stdint.h>

#include "base/str.h"

struct hash_key {
	uint64_t k0, k1;
};

/* hash_key_random: from the kernel; whoever cannot guess it cannot make keys collide. */
void hash_key_random(struct hash_key *key);

/* hash_str: SipHash-1-3 (Aumasson and Bernstein, 2012, with 1 and 3 rounds). */
uint64_t hash_str(const struct hash_key *key, struct str s);

/*
 * hash_fnv: FNV-1a of 64 bits (draft-eastlake-fnv), carried on from h by n more bytes; it begins
 * with HASH_FNV_BASIS. The same on every machine. Who chooses the bytes can make them collide.
 */
#define HASH_FNV_BASIS ((uint64_t)0xcbf29ce484222325u)

uint64_t hash_fnv(uint64_t h, const void *p, size_t n);

#endif
