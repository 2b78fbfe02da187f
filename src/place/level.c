/* SPDX-License-Identifier: MIT */
/*
 * The sets of requests that one PF can take, in order, without those that cannot be the first in
 * order of an answer.
 *
 * Sets are compared by their requests from the largest down: the set that has the first request
 * which is not in both comes first. What is left out, and why no first answer is lost:
 * - A set that wastes more bandwidth, or more VFs, than there are to spare.
 * - A set with room for another request, or in which a request can give way to a larger one that
 *   still fits (or two to one at least as large as both): exchanging them in an answer gives an
 *   answer that comes earlier. Two for one puts a request more on the other PF, so it counts only
 *   where VFs limit no PF.
 * - On a PF identical to the one before it, a set that comes before that one's: exchanging the PFs
 *   gives an answer that comes earlier. Sets of two PFs have no request in common, so their first
 *   requests decide, and what is larger than a set's first request goes to PFs that differ.
 * - A request skipped stands for all of the same size.
 */
#include "place/place_priv.h"

static uint32_t bit(uint32_t i)
{
	return (uint32_t)1 << i;
}

static uint32_t lowest(uint32_t set)
{
	return (uint32_t)__builtin_ctz(set);
}

static uint32_t highest(uint32_t set)
{
	return 31 - (uint32_t)__builtin_clz(set);
}

/*
 * For each number k: the k largest requests must fit onto the PFs left, if only counted (how many
 * of the smallest of the k a PF holds), and if only added up (over the PFs that hold any of them).
 */
static bool counts_suffice(const struct place_level *l, const struct place_problem *p, uint32_t at)
{
	for (uint32_t k = 1; k <= l->n; k++) {
		uint64_t count = 0, room = 0;
		uint32_t t = 0;

		if (k < l->n && l->size[k] == l->size[k - 1]) {
			continue;
		}
		for (uint32_t i = at; i < p->pfs; i++) {
			while (t < k && l->sum_from[k - t - 1] - l->sum_from[k] <= p->cap[i]) {
				t++;
			}
			count += t < p->vfs[i] ? t : p->vfs[i];
			room += t > 0 ? p->cap[i] : 0;
		}
		if (count < k || room < l->sum_from[0] - l->sum_from[k]) {
			return false;
		}
	}
	return true;
}

static void list_requests(struct place_level *l, const struct place_problem *p, uint32_t mask)
{
	l->mask = mask;
	l->n = 0;
	for (; mask != 0; mask &= mask - 1) {
		uint32_t i = l->n++;

		l->item[i] = (uint8_t)lowest(mask);
		l->size[i] = p->size[l->item[i]];
		l->run[i] = (uint8_t)i;
		if (i > 0 && l->size[i] == l->size[i - 1]) {
			l->run[i] = l->run[i - 1];
		}
	}
	l->sum_from[l->n] = 0;
	for (uint32_t i = l->n; i-- > 0;) {
		bool same = i + 1 < l->n && l->size[i] == l->size[i + 1];

		l->sum_from[i] = l->sum_from[i + 1] + l->size[i];
		l->after[i] = same ? l->after[i + 1] : (uint8_t)(i + 1);
	}
}

bool place_level_enter(
	struct place_level *l, const struct place_problem *p, uint32_t at, uint32_t mask)
{
	int64_t spare;

	list_requests(l, p, mask);
	if (l->sum_from[0] > p->cap_from[at] || l->n > p->vfs_from[at] ||
		!counts_suffice(l, p, at)) {
		return false;
	}
	l->cap = p->cap[at];
	l->vfs = p->vfs[at];
	spare = (int64_t)(p->cap_from[at] - l->sum_from[0]);
	if (p->shares > 0) {
		spare = spare * p->shares / (p->pfs - at);
	}
	l->low = (int64_t)l->cap - spare;
	l->least = p->vfs_from[at] - l->n < l->vfs ? l->vfs - (p->vfs_from[at] - l->n) : 0;
	l->start = 0;
	if (p->same_prev[at] && at > 0) {
		uint32_t before = p->set[at - 1];

		while (l->start < l->n && (before == 0 || l->item[l->start] < lowest(before))) {
			l->start++;
		}
	}
	l->merge = !p->counted;
	l->beyond = p->cap_from[p->same_end[at]];
	l->started = false;
	l->taken = 0;
	l->depth = 0;
	l->sum = 0;
	return true;
}

/* Room for another request? */
static bool can_add(const struct place_level *l, uint32_t left)
{
	return left != 0 && l->depth < l->vfs && l->size[highest(left)] <= l->cap - l->sum;
}

/* A request that is not taken and at least as large as two that are, in whose place it fits? */
static bool can_swap_two(const struct place_level *l, uint32_t left)
{
	uint64_t room = l->cap - l->sum;

	for (uint32_t i = 0; i + 1 < l->depth; i++) {
		for (uint32_t j = i + 1; j < l->depth; j++) {
			uint64_t both = (uint64_t)l->size[l->chosen[i]] + l->size[l->chosen[j]];
			uint32_t larger = left & (bit(l->chosen[i]) - 1);

			while (larger != 0 && l->size[highest(larger)] < both) {
				larger &= ~bit(highest(larger));
			}
			if (larger != 0 && l->size[highest(larger)] - both <= room) {
				return true;
			}
		}
	}
	return false;
}

/*
 * The first position from pos on whose request fits, together with as many of the smallest as the
 * set then still lacks; n if there is none.
 */
static uint32_t first_fitting(const struct place_level *l, uint32_t pos)
{
	uint64_t room = l->cap - l->sum;
	uint32_t end = l->n;

	if (l->least > l->depth + 1) {
		uint32_t lacks = l->least - l->depth - 1;

		if (lacks >= l->n - pos || l->sum_from[l->n - lacks] > room) {
			return l->n;
		}
		room -= l->sum_from[l->n - lacks];
	}
	while (pos < end) {
		uint32_t mid = (pos + end) / 2;

		if (l->size[mid] > room) {
			pos = mid + 1;
		} else {
			end = mid;
		}
	}
	return pos;
}

static void raise_low(struct place_level *l, int64_t low)
{
	l->low = l->low < low ? low : l->low;
}

/* Take requests from position pos on, as long as they fit and the sum can still be reached. */
static void take(struct place_level *l, const struct place_reach *r, uint32_t pos, uint32_t *steps)
{
	while (l->depth < l->vfs && (pos = first_fitting(l, pos)) < l->n) {
		int64_t missing = l->low - (int64_t)l->sum;
		uint32_t larger = ~l->taken & (bit(l->run[pos]) - 1);

		if (missing > (int64_t)l->sum_from[pos] ||
			missing > (int64_t)l->size[pos] * (l->vfs - l->depth)) {
			return;
		}
		if (r->ready && missing > 0 &&
			!place_reach_any(r, l->item[pos], (uint64_t)missing, l->cap - l->sum)) {
			return;
		}
		l->low_at[l->depth] = l->low;
		l->chosen[l->depth++] = (uint8_t)pos;
		l->taken |= bit(pos);
		l->sum += l->size[pos];
		if (larger != 0) {
			/* It must not be able to give way to the next larger one in the end. */
			raise_low(l, (int64_t)l->cap + l->size[pos] - l->size[highest(larger)] + 1);
		}
		pos++;
		++*steps;
	}
}

/* May the set begin at position pos? What comes before is not for PFs identical to this one. */
static bool may_begin(const struct place_level *l, uint32_t pos)
{
	return l->sum_from[0] - l->sum_from[pos] <= l->beyond;
}

/* Give the smallest request back and skip it; false if that leaves no set. */
static bool skip(struct place_level *l, uint32_t *pos)
{
	uint32_t last;

	do {
		if (l->depth == 0) {
			return false;
		}
		last = l->chosen[--l->depth];
		l->taken &= ~bit(last);
		l->sum -= l->size[last];
		l->low = l->low_at[l->depth];
		/* With room for one request only, a smaller one could give way to this one. */
	} while (l->cap - l->sum < 2 * (uint64_t)l->size[l->n - 1]);
	/* If it fits in the end, there is room for it, or a smaller one can give way to it. */
	raise_low(l, (int64_t)l->cap - l->size[last] + 1);
	*pos = l->after[last];
	return l->depth > 0 || may_begin(l, *pos);
}

enum level_next place_level_next(struct place_work *w, uint32_t at)
{
	struct place_level *l = &w->level[at];
	uint32_t all = l->n == 32 ? UINT32_MAX : bit(l->n) - 1;
	uint32_t pos = l->start;

	for (;;) {
		if (l->started ? !skip(l, &pos) : !may_begin(l, pos)) {
			return LEVEL_DONE;
		}
		if (++w->steps >= w->stop) {
			return LEVEL_LIMIT;
		}
		if (!w->reach.ready && w->steps > PLACE_REACH_STEPS) {
			place_reach_build(w);
		}
		l->started = true;
		take(l, &w->reach, pos, &w->steps);
		if ((int64_t)l->sum < l->low || l->depth < l->least ||
			can_add(l, all & ~l->taken) ||
			(l->merge && can_swap_two(l, all & ~l->taken))) {
			continue;
		}
		w->problem.set[at] = 0;
		for (uint32_t i = 0; i < l->depth; i++) {
			w->problem.set[at] |= bit(l->item[l->chosen[i]]);
		}
		return LEVEL_SET;
	}
}
