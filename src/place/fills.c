/* SPDX-License-Identifier: MIT */
/*
 * All sets of requests that may fill a PF in some assignment: those that waste no more bandwidth
 * and no more VFs than the problem can spare. Where space is short they are few.
 *
 * Requests of one size are one kind. A set is counts of kinds, packed into a word: for each kind a
 * field for its count and a guard bit above it, the largest kind in the highest field. Whether all
 * of b is in a is then one subtraction, and the larger word is the set that comes first in order.
 */
#include "place/place_priv.h"

#include <string.h>

/* The set being built. */
struct walk {
	uint32_t depth, pos;
	uint64_t sum, need;
	uint64_t low; /* sum it must reach */
	uint32_t cap, vfs, least;
	uint8_t chosen[PLACE_REQ_MAX];
};

static void pack_kinds(struct place_cover *c, const struct place_problem *p)
{
	uint32_t shift = 0, end = p->n;

	c->kinds = 0;
	c->guard = 0;
	c->ones = 0;
	c->all = 0;
	while (end > 0) {
		uint32_t from = end - 1, bits = 0;

		while (from > 0 && p->size[from - 1] == p->size[from]) {
			from--;
		}
		while ((end - from) >> bits != 0) {
			bits++;
		}
		for (uint32_t i = from; i < end; i++) {
			c->one[i] = (uint64_t)1 << shift;
			c->end[i] = (uint8_t)end;
		}
		c->ones |= (uint64_t)1 << shift;
		c->all += (uint64_t)(end - from) << shift;
		shift += bits;
		c->size[c->kinds] = p->size[from];
		c->first[c->kinds] = (uint8_t)from;
		c->bit[c->kinds] = (uint64_t)1 << shift;
		memset(c->kind_at + shift - bits, (int)c->kinds, bits + 1);
		c->guard |= c->bit[c->kinds++];
		shift++;
		end = from;
	}
}

/* Can requests from number i on make a sum that is enough and not too much? */
static bool in_reach(const struct place_work *w, const struct walk *k, uint32_t i, uint64_t sum)
{
	return sum >= k->low || place_reach_any(&w->reach, i, k->low - sum, k->cap - sum);
}

/* Take the next request with which the set can still become a fill; false if there is none. */
static bool take(struct place_work *w, struct walk *k)
{
	const struct place_problem *p = &w->problem;

	if (k->depth == k->vfs) {
		return false;
	}
	while (k->pos < p->n) {
		uint32_t i = k->pos;
		uint64_t sum = k->sum + p->size[i];

		if (sum <= k->cap) {
			w->cover.looks++;
			if (!in_reach(w, k, i, k->sum)) {
				return false;
			}
			if (in_reach(w, k, i + 1, sum)) {
				k->chosen[k->depth++] = (uint8_t)i;
				k->sum = sum;
				k->need += w->cover.one[i];
				k->pos = i + 1;
				return true;
			}
		}
		k->pos = w->cover.end[i];
	}
	return false;
}

/* The fills of PF number at and those like it; false if they are too many or take too long. */
static bool list_fills(struct place_work *w, uint32_t at, uint64_t waste, uint32_t idle)
{
	const struct place_problem *p = &w->problem;
	struct place_cover *c = &w->cover;
	struct walk k = {.cap = p->cap[at], .vfs = p->vfs[at]};

	k.low = k.cap > waste ? k.cap - waste : 0;
	k.least = k.vfs > idle ? k.vfs - idle : 0;
	for (;;) {
		uint32_t last;

		if (take(w, &k)) {
			continue;
		}
		if (k.depth == 0) {
			return true;
		}
		if (k.sum >= k.low && k.depth >= k.least) {
			if (c->fill_n == PLACE_FILLS_MAX) {
				return false;
			}
			c->fill[c->fill_n++] = (struct place_fill){k.need,
				(uint32_t)(k.cap - k.sum), (uint8_t)at, (uint8_t)(k.vfs - k.depth)};
		}
		if (c->looks >= PLACE_LOOKS_STEP) {
			c->looks -= PLACE_LOOKS_STEP;
			if (++w->steps >= w->stop) {
				return false;
			}
		}
		last = k.chosen[--k.depth];
		k.sum -= p->size[last];
		k.need -= c->one[last];
		k.pos = c->end[last];
	}
}

static void set_bit(uint64_t *row, uint32_t i)
{
	row[i / 64] |= (uint64_t)1 << i % 64;
}

/* Make n rows of what is more than 0, 1, 2, ... of what is exactly 1, 2, 3, ... and more. */
static void add_up(uint64_t (*row)[PLACE_FILL_WORDS], uint32_t n, uint32_t words)
{
	for (uint32_t i = n - 1; i-- > 0;) {
		for (uint32_t j = 0; j < words; j++) {
			row[i][j] |= row[i + 1][j];
		}
	}
}

static void add_to_rows(struct place_cover *c, uint32_t i)
{
	const struct place_fill *f = &c->fill[i];
	uint64_t waste = f->waste * (uint64_t)PLACE_WASTE_ROWS / (c->limit + 1);
	uint32_t idle = f->idle < PLACE_IDLE_ROWS ? f->idle : PLACE_IDLE_ROWS;
	uint64_t need = f->need;

	if (waste > 0) {
		set_bit(c->wasting[waste - 1], i);
	}
	if (idle > 0) {
		set_bit(c->idling[idle - 1], i);
	}
	while (need != 0) {
		uint32_t first = c->first[c->kind_at[63 - __builtin_clzll(need)]];

		for (uint64_t j = need / c->one[first]; j > 0; j--) {
			set_bit(c->with[first + j - 1], i);
		}
		need %= c->one[first];
	}
}

/* The rows of bits by which fills leave the list. */
static void make_rows(struct place_cover *c, uint32_t n)
{
	size_t size;

	c->words = (c->fill_n + 63) / 64;
	size = c->words * sizeof(c->with[0][0]);
	for (uint32_t i = 0; i < n; i++) {
		memset(c->with[i], 0, size);
	}
	for (uint32_t i = 0; i < PLACE_WASTE_ROWS; i++) {
		memset(c->wasting[i], 0, size);
	}
	for (uint32_t i = 0; i < PLACE_IDLE_ROWS; i++) {
		memset(c->idling[i], 0, size);
	}
	for (uint32_t i = 0; i < c->fill_n; i++) {
		add_to_rows(c, i);
	}
	add_up(c->wasting, PLACE_WASTE_ROWS, c->words);
	add_up(c->idling, PLACE_IDLE_ROWS, c->words);
}

bool place_fills(struct place_work *w, uint64_t waste, uint32_t idle)
{
	const struct place_problem *p = &w->problem;
	struct place_cover *c = &w->cover;

	if (!w->reach.ready) {
		place_reach_build(w);
	}
	pack_kinds(c, p);
	c->fill_n = 0;
	c->looks = 0;
	c->limit = waste;
	for (uint32_t at = 0; at < p->pfs; at = p->same_end[at]) {
		c->group_from[at] = c->fill_n;
		if (!list_fills(w, at, waste, idle)) {
			return false;
		}
		c->group_to[at] = c->fill_n;
	}
	make_rows(c, p->n);
	return true;
}
