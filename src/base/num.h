/* SPDX-License-Identifier: MIT */
/* Numbers from text: the whole slice, range-checked, no signs or blanks slip through. */
#ifndef BASE_NUM_H
#define BASE_NUM_H

#include <stdint.h>

#include "base/str.h"

/*
 * All: true and *out set only if the WHOLE slice is one number (digits only; leading zeros are
 * accepted) and it is <= max. Outputs untouched on false. num_i64 also accepts one leading '-'.
 * num_hex takes 1..16 hexadecimal digits of either case, without "0x".
 */
bool num_u64(struct str s, uint64_t max, uint64_t *out) MUST_CHECK;
bool num_u32(struct str s, uint32_t max, uint32_t *out) MUST_CHECK;
bool num_i64(struct str s, int64_t *out) MUST_CHECK;
bool num_hex(struct str s, uint64_t max, uint64_t *out) MUST_CHECK;

#endif
