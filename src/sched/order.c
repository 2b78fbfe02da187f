/* SPDX-License-Identifier: MIT */
/*
 * Kubelets attach pods in any order, and each attachment takes the PFs that are best at that
 * moment: what fits in the order of promises may be split in another way and fit no more. So a pod
 * passes a node with other promises only if they all can be placed in orders that are bad for large
 * pods, too.
 */
#include <stdlib.h>
#include <string.h>

#include "sched/sched_priv.h"

/* Pods on their way to one node that are looked at; of more, only the sum must fit. */
#define GROUPS 16

/* What one pod still has to get. */
struct group {
	struct place_request req[PLACE_REQ_MAX];
	uint32_t n;
	uint64_t mbps;
};

struct groups {
	struct group g[GROUPS];
	uint32_t n;
};

static void add(struct groups *all, const struct place_request *req, uint32_t n)
{
	struct group *g = &all->g[all->n++];

	memcpy(g->req, req, n * sizeof(*req));
	g->n = n;
	g->mbps = 0;
	for (uint32_t k = 0; k < n; k++) {
		g->mbps += req[k].min;
	}
}

/* false: there are more than GROUPS. */
static bool collect(struct sched *s, uint32_t i, struct groups *all)
{
	struct place_request rest[PLACE_REQ_MAX];
	struct sched_on on = sched_on(s, i);
	uint8_t which[PLACE_REQ_MAX];

	while (sched_on_next(s, &on)) {
		uint32_t n = sched_rest(on.c, sched_entry_pfs(on.entry), rest, which);

		if (n > 0) {
			if (all->n == GROUPS) {
				return false;
			}
			add(all, rest, n);
		}
	}
	return true;
}

/*
 * Whether no order can be bad. With the largest interface m, P PFs, F free and R asked for: when
 * one interface comes, some PF has at least (F - (R - m)) / P left, which is m or more if F - R is
 * at least (P - 1) * m. And interfaces that are all alike are in any order the same.
 */
static bool harmless(const struct sched *s, uint32_t i, const struct groups *all)
{
	const struct sched_pf *pf = sched_pfs_const(s, i);
	uint64_t free = 0, asked = 0, most = 0, least = UINT64_MAX, count = 0, vfs = UINT64_MAX;
	uint32_t pf_n = s->node[i].pf_n;

	for (uint32_t p = 0; p < pf_n; p++) {
		free += pf[p].base.mbps;
		vfs = pf[p].base.vfs < vfs ? pf[p].base.vfs : vfs;
	}
	for (uint32_t g = 0; g < all->n; g++) {
		asked += all->g[g].mbps;
		count += all->g[g].n;
		for (uint32_t k = 0; k < all->g[g].n; k++) {
			most = all->g[g].req[k].min > most ? all->g[g].req[k].min : most;
			least = all->g[g].req[k].min < least ? all->g[g].req[k].min : least;
		}
	}
	return most == least || pf_n < 2 || (vfs >= count && free >= asked + (pf_n - 1) * most);
}

static int smaller(const void *a, const void *b)
{
	const struct group *left = a, *right = b;

	return left->mbps < right->mbps ? -1 : left->mbps > right->mbps;
}

/* One after the other, forwards or backwards. */
static bool all_fit(
	struct sched *s, uint32_t i, const struct groups *all, bool backwards, uint64_t *steps)
{
	const struct sched_pf *pf = sched_pfs_const(s, i);
	struct place_pf free[PLACE_PF_MAX];
	struct place_out out;

	for (uint32_t p = 0; p < s->node[i].pf_n; p++) {
		free[p] = pf[p].base;
	}
	for (uint32_t k = 0; k < all->n; k++) {
		const struct group *g = &all->g[backwards ? all->n - 1 - k : k];

		if (sched_place(s, free, s->node[i].pf_n, g->req, g->n, &out, steps) != PLACE_YES) {
			return false;
		}
		for (uint32_t r = 0; r < g->n; r++) {
			free[out.pf[r]].vfs--;
			free[out.pf[r]].mbps -= g->req[r].min;
		}
	}
	return true;
}

/*
 * Everything that the answer depends on. The hash is keyed and of 64 bits, so that nobody can make
 * two cases meet.
 */
static uint64_t key_of(const struct sched *s, uint32_t i, const struct groups *all)
{
	uint32_t w[1 + 2 * PLACE_PF_MAX + GROUPS * (1 + PLACE_REQ_MAX)], n = 0;
	const struct sched_pf *pf = sched_pfs_const(s, i);

	w[n++] = s->node[i].pf_n;
	for (uint32_t p = 0; p < s->node[i].pf_n; p++) {
		w[n++] = pf[p].base.vfs;
		w[n++] = pf[p].base.mbps;
	}
	for (uint32_t g = 0; g < all->n; g++) {
		w[n++] = all->g[g].n;
		for (uint32_t k = 0; k < all->g[g].n; k++) {
			w[n++] = all->g[g].req[k].min;
		}
	}
	return hash_str(&s->key, (struct str){(const char *)w, n * sizeof(w[0])});
}

/* The new pod first, or last of all in reverse; then by size. */
static bool orders_fit(struct sched *s, uint32_t i, struct groups *all, uint64_t *steps)
{
	if (!all_fit(s, i, all, false, steps) || !all_fit(s, i, all, true, steps)) {
		return false;
	}
	qsort(all->g, all->n, sizeof(all->g[0]), smaller);
	return all_fit(s, i, all, false, steps) && all_fit(s, i, all, true, steps);
}

bool sched_any_order(
	struct sched *s, uint32_t i, const struct place_request *req, uint32_t n, uint64_t *steps)
{
	struct sched_order *known;
	struct groups all;
	uint64_t key;

	all.n = 0;
	add(&all, req, n);
	if (s->node[i].claims == 0 || !collect(s, i, &all) || all.n == 1 || harmless(s, i, &all)) {
		return true;
	}
	key = key_of(s, i, &all);
	known = &s->order[key & (SCHED_KEPT - 1)];
	if (known->serial != s->serial || known->key != key) {
		*known = (struct sched_order){key, s->serial, orders_fit(s, i, &all, steps)};
	}
	return known->fits;
}
