/* SPDX-License-Identifier: MIT */
/*
 * The search where space is short: all sets that may fill a PF are listed once (fills.c), and a
 * choice of them must cover each request once. Each step looks at the largest request left, or at
 * the one PF for which fewer sets are left, and tries the sets it could have; those that conflict
 * with the choice, or waste more than is left to spare, leave the list. A request without a set
 * ends a branch at once. The list is a word of bits after the other, and so are the sets with a
 * certain request, so that a choice is a few operations on words.
 *
 * Left out, as in level.c, are sets with room for a request that is left, or in which a request can
 * give way to a larger one. A state that failed is remembered by what is left: requests and PFs.
 * Of sets with the same request, one tried before is not used after it: that was tried then.
 */
#include "place/place_priv.h"

#include <string.h>

#define BY_REQUEST UINT8_MAX

/* The guard bits of the kinds that v has any of. */
static uint64_t kinds_in(const struct place_cover *c, uint64_t v)
{
	return ((v | c->guard) - c->ones) & c->guard;
}

static uint32_t pfs_like(const struct place_problem *p, uint32_t at)
{
	uint32_t end = p->same_end[at];

	return (uint32_t)((((uint64_t)1 << end) - 1) & ~(((uint64_t)1 << at) - 1));
}

static struct place_failed *failed_slot(struct place_cover *c, const struct place_node *n)
{
	uint64_t hash = (n->rest ^ (uint64_t)n->pfs << 29) * UINT64_C(0x9e3779b97f4a7c15);

	return &c->failed[(hash >> 40) & (PLACE_FAILED_MAX - 1)];
}

static bool has_failed(struct place_cover *c, const struct place_node *n)
{
	const struct place_failed *f = failed_slot(c, n);

	return f->rest == n->rest && f->pfs == n->pfs && f->serial == c->serial;
}

static void set_failed(struct place_cover *c, const struct place_node *n)
{
	*failed_slot(c, n) = (struct place_failed){n->rest, n->pfs, c->serial};
}

/* The bits of word number i that are of fills from number `from` to before number `to`. */
static uint64_t range(uint32_t i, uint32_t from, uint32_t to)
{
	uint64_t bits = i < from / 64 || i * 64 >= to ? 0 : UINT64_MAX;

	bits &= i == from / 64 ? UINT64_MAX << from % 64 : UINT64_MAX;
	bits &= i == to / 64 ? ~(UINT64_MAX << to % 64) : UINT64_MAX;
	return bits;
}

/* The fills of a node for the request, or for the PF, that is its turn. */
struct picks {
	const uint64_t *of; /* all of these, or NULL */
	uint32_t from, to;
};

static struct picks picks_by(const struct place_cover *c, uint32_t kind, uint32_t by)
{
	if (by == BY_REQUEST) {
		return (struct picks){c->with[c->first[kind]], 0, c->fill_n};
	}
	return (struct picks){NULL, c->group_from[by], c->group_to[by]};
}

/* Those in word number j of the node's list. */
static uint64_t picks_in(const struct place_node *n, const struct picks *k, uint32_t j)
{
	uint32_t i = n->at[j];

	return n->fills[j] & (k->of != NULL ? k->of[i] : range(i, k->from, k->to));
}

/* Is there any, and in which word is the first? */
static bool any_pick(const struct place_node *n, const struct picks *k, uint32_t *j)
{
	while (*j < n->words && picks_in(n, k, *j) == 0) {
		++*j;
	}
	return *j < n->words;
}

/* How many, or stop + 1 if more than stop. */
static uint32_t count_picks(const struct place_node *n, const struct picks *k, uint32_t stop)
{
	uint32_t count = 0;

	for (uint32_t j = 0; j < n->words; j++) {
		for (uint64_t word = picks_in(n, k, j); word != 0; word &= word - 1) {
			if (++count > stop) {
				return count;
			}
		}
	}
	return count;
}

/* Take the next fill off the list of those whose turn it is; false if there is none. */
static bool next_pick(const struct place_cover *c, struct place_node *n)
{
	struct picks k = picks_by(c, n->kind, n->by);
	uint32_t bit;

	if (!any_pick(n, &k, &n->next)) {
		return false;
	}
	bit = (uint32_t)__builtin_ctzll(picks_in(n, &k, n->next));
	n->fills[n->next] &= ~((uint64_t)1 << bit);
	n->pick = n->at[n->next] * 64u + bit;
	return true;
}

static uint32_t kind_of(const struct place_cover *c, uint64_t guard_bit)
{
	return c->kind_at[__builtin_ctzll(guard_bit)];
}

/* Can a request that is left join the fill, or replace a smaller one in it? */
static bool can_improve(
	const struct place_cover *c, const struct place_node *n, const struct place_fill *f)
{
	uint64_t left = kinds_in(c, n->rest - f->need), in = kinds_in(c, f->need);
	uint32_t larger = 0; /* the smallest size so far that is left */

	for (uint32_t k = c->kinds; k-- > 0;) {
		if ((in & c->bit[k]) != 0 && larger > 0 && larger - c->size[k] <= f->waste) {
			return true;
		}
		larger = (left & c->bit[k]) != 0 ? c->size[k] : larger;
	}
	return larger > 0 && larger <= f->waste && f->idle > 0;
}

/*
 * Decide whose turn it is at the node. false: a request, or a PF that cannot be left empty, has no
 * fill.
 */
static bool survey(const struct place_work *w, struct place_node *n)
{
	const struct place_problem *p = &w->problem;
	const struct place_cover *c = &w->cover;
	struct picks k = {NULL, 0, 0};
	uint32_t fewest;

	for (uint64_t left = kinds_in(c, n->rest); left != 0; left &= left - 1) {
		uint32_t j = 0;

		n->kind = kind_of(c, left); /* the largest at last */
		k = picks_by(c, n->kind, BY_REQUEST);
		if (!any_pick(n, &k, &j)) {
			return false;
		}
	}
	n->by = BY_REQUEST;
	n->next = 0;
	fewest = count_picks(n, &k, UINT32_MAX - 1);
	for (uint32_t at = 0; at < p->pfs; at = p->same_end[at]) {
		uint32_t left = n->pfs & pfs_like(p, at), count;

		if (left == 0 || p->cap[at] <= n->slack) {
			continue;
		}
		k = picks_by(c, 0, at);
		count = count_picks(n, &k, (left & (left - 1)) == 0 ? fewest : 0);
		if (count == 0) {
			return false;
		}
		if ((left & (left - 1)) == 0 && count < fewest) {
			fewest = count;
			n->by = (uint8_t)at;
		}
	}
	return true;
}

/* The list of node n, without what cannot be chosen after fill f, becomes the list of node to. */
static void copy_list(struct place_work *w, const struct place_node *n, const struct place_fill *f,
	struct place_node *to)
{
	struct place_cover *c = &w->cover;
	const uint64_t *row[PLACE_REQ_MAX + 2];
	uint32_t rows = 0, from = 0, end = 0;

	for (uint64_t in = kinds_in(c, f->need); in != 0; in &= in - 1) {
		uint32_t first = c->first[kind_of(c, in)];

		row[rows++] = c->with[first + (to->rest & ((in & -in) - 1)) / c->one[first]];
	}
	if (to->slack < c->limit) {
		row[rows++] = c->wasting[to->slack * PLACE_WASTE_ROWS / (c->limit + 1)];
	}
	if (to->idle < PLACE_IDLE_ROWS) {
		row[rows++] = c->idling[to->idle];
	}
	if ((to->pfs & pfs_like(&w->problem, f->group)) == 0) {
		from = c->group_from[f->group];
		end = c->group_to[f->group];
	}
	to->words = 0;
	for (uint32_t j = 0; j < n->words; j++) {
		uint32_t i = n->at[j];
		uint64_t word = n->fills[j];

		if (j == n->next) {
			word |= (uint64_t)1 << n->pick % 64; /* again, for an identical PF */
		}
		for (uint32_t k = 0; k < rows && word != 0; k++) {
			word &= ~row[k][i];
		}
		word &= ~range(i, from, end);
		if (word != 0) {
			to->at[to->words] = (uint8_t)i;
			to->fills[to->words++] = word;
		}
	}
	w->steps += n->words / PLACE_SCAN_STEP;
}

enum step {
	STEP_DOWN, /* to the next node, which is ready */
	STEP_DEAD, /* nothing can come of it */
	STEP_DONE, /* nothing is left to cover */
};

/* Choose the fill that was picked at a node. */
static enum step choose(struct place_work *w, struct place_node *n)
{
	struct place_cover *c = &w->cover;
	const struct place_fill *f = &c->fill[n->pick];
	uint32_t pf = n->pfs & pfs_like(&w->problem, f->group);
	struct place_node *to = n + 1;

	w->steps++;
	if (f->waste > n->slack || f->idle > n->idle) {
		return STEP_DEAD;
	}
	to->rest = n->rest - f->need;
	to->slack = n->slack - f->waste;
	to->idle = n->idle - f->idle;
	to->pfs = n->pfs & ~(pf & -pf);
	if (to->rest == 0) {
		return STEP_DONE;
	}
	if (can_improve(c, n, f) || has_failed(c, to)) {
		return STEP_DEAD;
	}
	copy_list(w, n, f, to);
	if (!survey(w, to)) {
		set_failed(c, to);
		return STEP_DEAD;
	}
	return STEP_DOWN;
}

/* Cover what is left at node number base, in any way; *depth is the node of the last choice. */
static enum place_answer search(struct place_work *w, uint32_t base, uint32_t *depth)
{
	struct place_cover *c = &w->cover;
	uint32_t d = base;

	for (;;) {
		struct place_node *n = &c->node[d];
		enum step s;

		if (w->steps >= w->stop) {
			return PLACE_LIMIT;
		}
		if (!next_pick(c, n)) {
			set_failed(c, n);
			if (d == base) {
				return PLACE_NO;
			}
			d--;
			continue;
		}
		s = choose(w, n);
		if (s == STEP_DONE) {
			*depth = d;
			return PLACE_YES;
		}
		d += s == STEP_DOWN;
	}
}

/* The choices of nodes 0 to depth as the problem's answer; of equal requests the first ones. */
static void give_answer(struct place_work *w, uint32_t depth)
{
	struct place_problem *p = &w->problem;
	const struct place_cover *c = &w->cover;
	uint32_t given = 0;

	memset(p->set, 0, sizeof(p->set));
	for (uint32_t d = 0; d <= depth; d++) {
		const struct place_node *n = &c->node[d];
		const struct place_fill *f = &c->fill[n->pick];
		uint32_t at = (uint32_t)__builtin_ctz(n->pfs & pfs_like(p, f->group));
		uint64_t need = f->need;

		for (uint32_t i = 0; i < p->n; i++) {
			uint64_t rest = need - c->one[i];

			if ((given >> i & 1) == 0 &&
				(((need | c->guard) - c->one[i]) & c->guard) == c->guard) {
				need = rest;
				p->set[at] |= (uint32_t)1 << i;
			}
		}
		given |= p->set[at];
	}
}

/*
 * The first answer in order: each PF in turn has the first set with which the others can still be
 * covered. Node number d has had d PFs served.
 */
static enum place_answer search_first(struct place_work *w)
{
	struct place_cover *c = &w->cover;
	const struct place_problem *p = &w->problem;
	uint32_t d = 0, group = 0, deep;

	for (uint32_t at = 0; at < p->pfs; at++) {
		struct place_node *n = &c->node[d];
		bool served = false;

		group = p->same_prev[at] ? group : at;
		n->by = (uint8_t)group;
		n->next = 0;
		while (!served && next_pick(c, n)) {
			enum step s = choose(w, n);
			enum place_answer a = PLACE_NO;

			if (s == STEP_DONE) {
				give_answer(w, d);
				return PLACE_YES;
			}
			if (s == STEP_DOWN) {
				a = search(w, d + 1, &deep);
			}
			if (a == PLACE_LIMIT) {
				return PLACE_LIMIT;
			}
			served = a == PLACE_YES;
		}
		if (served) {
			copy_list(w, n, &c->fill[n->pick], n + 1); /* as it was before the search */
			d++;
		} else {
			n->pfs &= ~((uint32_t)1 << at); /* it stays empty */
		}
	}
	return PLACE_NO;
}

enum place_answer place_cover(struct place_work *w, uint64_t waste, bool first)
{
	const struct place_problem *p = &w->problem;
	struct place_cover *c = &w->cover;
	struct place_node *n = &c->node[0];
	uint32_t depth = 0;
	enum place_answer a;

	n->slack = p->cap_from[0] - w->units;
	n->idle = p->vfs_from[0] - p->n;
	n->pfs = p->pfs == 32 ? UINT32_MAX : ((uint32_t)1 << p->pfs) - 1;
	if (!c->ready) {
		memset(c->failed, 0, sizeof(c->failed));
		c->serial = c->problem = c->taught = 0;
		c->ready = true;
	}
	if (c->problem != w->posed || c->waste != waste) {
		bool all = waste >= n->slack;

		c->problem = 0;
		c->serial += all && c->taught == w->serial ? 0 : 1;
		c->taught = all ? w->serial : 0;
		if (!place_fills(w, waste < n->slack ? waste : n->slack, n->idle)) {
			return PLACE_LIMIT;
		}
		c->problem = w->posed;
		c->waste = waste;
	}
	n->rest = c->all;
	n->words = c->words;
	for (uint32_t i = 0; i < n->words; i++) {
		n->at[i] = (uint8_t)i;
		n->fills[i] = range(i, 0, c->fill_n);
	}
	if (!survey(w, n)) {
		return PLACE_NO;
	}
	if (first) {
		return search_first(w);
	}
	a = search(w, 0, &depth);
	if (a == PLACE_YES) {
		give_answer(w, depth);
	}
	return a;
}
