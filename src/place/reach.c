/* SPDX-License-Identifier: MIT */
/*
 * Which sums the smallest requests can have: for each request, a bit for each sum that it and those
 * after it can make. Where a row has fewer bits than the largest PF has units, sums are counted
 * modulo that number, so that none is missed. The largest requests have no rows: with so many to
 * follow every sum can be reached.
 */
#include "place/place_priv.h"

#include <string.h>

static uint64_t word_at(const struct place_reach *r, const uint64_t *row, int64_t i)
{
	return i >= 0 ? row[i] : r->wraps ? row[i + r->words] : 0;
}

/* The sums of row `from`, with and without a request. */
static void add_request(
	const struct place_reach *r, uint64_t *to, const uint64_t *from, uint32_t size)
{
	uint32_t by = r->wraps ? size % (r->words * 64) : size;
	uint32_t bits = by % 64;

	for (uint32_t i = 0; i < r->words; i++) {
		int64_t at = (int64_t)i - by / 64;

		to[i] = from[i] | word_at(r, from, at) << bits;
		if (bits > 0) {
			to[i] |= word_at(r, from, at - 1) >> (64 - bits);
		}
	}
}

void place_reach_build(struct place_work *w)
{
	struct place_reach *r = &w->reach;

	r->wraps = w->largest >= PLACE_REACH_WORDS * 64;
	r->words = r->wraps ? PLACE_REACH_WORDS : w->largest / 64 + 1;
	r->from = w->sized_n < PLACE_REACH_ROWS ? 0 : w->sized_n + 1 - PLACE_REACH_ROWS;
	memset(r->sums[w->sized_n - r->from], 0, r->words * sizeof(r->sums[0][0]));
	r->sums[w->sized_n - r->from][0] = 1;
	for (uint32_t i = w->sized_n - r->from; i-- > 0;) {
		add_request(r, r->sums[i], r->sums[i + 1], w->size[r->from + i]);
	}
	r->ready = true;
}

static bool any_bit(const uint64_t *row, uint64_t first, uint64_t last)
{
	for (uint64_t i = first / 64; i <= last / 64; i++) {
		uint64_t word = row[i];

		word &= i == first / 64 ? UINT64_MAX << first % 64 : UINT64_MAX;
		word &= i == last / 64 ? UINT64_MAX >> (63 - last % 64) : UINT64_MAX;
		if (word != 0) {
			return true;
		}
	}
	return false;
}

bool place_reach_any(const struct place_reach *r, uint32_t from, uint64_t low, uint64_t high)
{
	const uint64_t bits = (uint64_t)r->words * 64;
	const uint64_t *row;

	if (from < r->from || high - low >= bits) {
		return true;
	}
	row = r->sums[from - r->from];
	if (high < bits) {
		return any_bit(row, low, high);
	}
	if (!r->wraps) {
		return true;
	}
	low %= bits;
	high %= bits;
	return low <= high ? any_bit(row, low, high)
			   : any_bit(row, low, bits - 1) || any_bit(row, 0, high);
}
