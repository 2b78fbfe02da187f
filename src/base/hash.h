/* SPDX-License-Identifier: MIT */
/* A keyed hash for tables whose keys strangers choose. */
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

#endif
