/* SPDX-License-Identifier: MIT */
/* See num.h. */
#include "base/num.h"

bool num_u64(struct str s, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (s.n == 0) {
		return false;
	}
	for (size_t i = 0; i < s.n; i++) {
		if (!chr_digit(s.p[i]) || __builtin_mul_overflow(v, (uint64_t)10, &v) ||
			__builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v)) {
			return false;
		}
	}
	if (v > max) {
		return false;
	}
	*out = v;
	return true;
}

bool num_u32(struct str s, uint32_t max, uint32_t *out)
{
	uint64_t v;

	if (!num_u64(s, max, &v)) {
		return false;
	}
	*out = (uint32_t)v;
	return true;
}

bool num_i64(struct str s, int64_t *out)
{
	uint64_t v;

	if (s.n > 0 && s.p[0] == '-') {
		if (!num_u64(str_skip(s, 1), (uint64_t)INT64_MAX + 1, &v)) {
			return false;
		}
		*out = v > INT64_MAX ? INT64_MIN : -(int64_t)v;
		return true;
	}
	if (!num_u64(s, INT64_MAX, &v)) {
		return false;
	}
	*out = (int64_t)v;
	return true;
}

bool num_hex(struct str s, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (s.n == 0 || s.n > 16) {
		return false;
	}
	for (size_t i = 0; i < s.n; i++) {
		int d = chr_hex(s.p[i]);

		if (d < 0) {
			return false;
		}
		v = v << 4 | (uint64_t)d;
	}
	if (v > max) {
		return false;
	}
	*out = v;
	return true;
}
