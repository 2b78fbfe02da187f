/* SPDX-License-Identifier: MIT */
/*
 * Which sums the smallest requests can have: for each request, a bit for each sum that it and those
 * after it can make. Sums are counted in units of the requests' divisor; where that is not enough
 * for the largest PF, in larger units, and a sum that falls between two sets both bits, so that
 * none is missed.
 */
#include "place/place_priv.h"

#include <string.h>

#define WORDS PLACE_REACH_WORDS

/* to |= from << by; what leaves the array at the top is more than any PF has. */
static void add_shifted(uint64_t *to, const uint64_t *from, uint32_t by)
{
	uint32_t words = by / 64, bits = by % 64;

	for (uint32_t i = WORDS; i-- > words;) {
		uint64_t word = from[i - words] << bits;

		if (bits > 0 && i > words) {
			word |= from[i - words - 1] >> (64 - bits);
		}
		to[i] |= word;
	}
}

void place_reach_build(struct place_work *w)
{
	struct place_reach *r = &w->reach;

	r->quantum = w->unit * (w->largest / w->unit / (WORDS * 64) + 1);
	memset(r->sums[w->sized_n], 0, sizeof(r->sums[0]));
	r->sums[w->sized_n][0] = 1;
	for (uint32_t i = w->sized_n; i-- > 0;) {
		uint32_t by = w->size[i] / r->quantum;

		memcpy(r->sums[i], r->sums[i + 1], sizeof(r->sums[0]));
		add_shifted(r->sums[i], r->sums[i + 1], by);
		if (w->size[i] % r->quantum != 0) {
			add_shifted(r->sums[i], r->sums[i + 1], by + 1);
		}
	}
	r->ready = true;
}

bool place_reach_any(const struct place_reach *r, uint32_t from, uint64_t low, uint64_t high)
{
	const uint64_t *sums = r->sums[from];
	uint64_t first = low / r->quantum, last = high / r->quantum;

	if (last >= WORDS * 64) {
		return true;
	}
	for (uint64_t i = first / 64; i <= last / 64; i++) {
		uint64_t word = sums[i];

		word &= i == first / 64 ? UINT64_MAX << first % 64 : UINT64_MAX;
		word &= i == last / 64 ? UINT64_MAX >> (63 - last % 64) : UINT64_MAX;
		if (word != 0) {
			return true;
		}
	}
	return false;
}
