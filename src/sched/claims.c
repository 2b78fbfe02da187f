/* SPDX-License-Identifier: MIT */
/* Promises to pods: see sched.h. */
#include <string.h>

#include "sched/sched_priv.h"

/* --- Entries: one node of a claim */

unsigned char *sched_entry(const struct sched_claim *c, uint32_t k)
{
	return c->run + k * c->stride;
}

uint32_t sched_entry_node(const unsigned char *entry)
{
	uint32_t node;

	memcpy(&node, entry, sizeof(node));
	return node;
}

static uint8_t *pfs_of(unsigned char *entry)
{
	return entry + sizeof(uint32_t);
}

unsigned char *sched_entry_find(const struct sched_claim *c, uint32_t node)
{
	uint32_t low = 0, high = c->entry_n;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (sched_entry_node(sched_entry(c, mid)) < node) {
			low = mid + 1;
		} else {
			high = mid;
		}
	}
	if (low == c->entry_n || sched_entry_node(sched_entry(c, low)) != node ||
		pfs_of(sched_entry(c, low))[0] == SCHED_PF_GONE) {
		return NULL;
	}
	return sched_entry(c, low);
}

const uint8_t *sched_claim_on(const struct sched_claim *c, uint32_t node)
{
	unsigned char *entry = sched_entry_find(c, node);

	return entry == NULL ? NULL : pfs_of(entry);
}

void sched_take(struct sched_pf *at, const uint8_t *pf, const struct place_request *req, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		at[pf[i]].free.vfs--;
		at[pf[i]].free.mbps -= req[i].min;
	}
}

void sched_give(struct sched_pf *at, const uint8_t *pf, const struct place_request *req, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		at[pf[i]].free.vfs++;
		at[pf[i]].free.mbps += req[i].min;
	}
}

/* --- Placing and removing */

void sched_replace(struct sched *s, uint32_t i)
{
	struct sched_node *n = &s->node[i];
	struct sched_pf *pf = sched_pfs(s, i);
	struct place_pf free[PLACE_PF_MAX];
	struct place_out out;
	uint64_t steps = 0;

	n->broken = false;
	for (uint32_t k = 0; k < n->pf_n; k++) {
		pf[k].free = pf[k].base;
	}
	for (struct sched_claim *c = s->oldest; c != NULL && n->claims > 0; c = c->newer) {
		unsigned char *entry = sched_entry_find(c, i);
		size_t pf_n;

		if (entry == NULL) {
			continue;
		}
		pf_n = sched_copy_free(s, i, free);
		if (sched_place(s, free, pf_n, c->req, c->req_n, &out, &steps) == PLACE_YES) {
			memcpy(pfs_of(entry), out.pf, c->req_n);
			sched_take(pf, out.pf, c->req, c->req_n);
		} else {
			memset(pfs_of(entry), SCHED_PF_LOST, c->req_n);
			n->broken = true;
		}
	}
}

void sched_unclaim(struct sched *s, struct sched_claim *c, uint32_t i)
{
	unsigned char *entry = sched_entry_find(c, i);

	if (entry != NULL) {
		memset(pfs_of(entry), SCHED_PF_GONE, c->req_n);
		s->node[i].claims--;
		c->live_n--;
	}
}

/* Remove entry k, unless it is gone, and let others have what it took. */
static void release(struct sched *s, struct sched_claim *c, uint32_t k)
{
	unsigned char *entry = sched_entry(c, k);
	uint32_t i = sched_entry_node(entry);
	uint8_t pf[PLACE_REQ_MAX];

	memcpy(pf, pfs_of(entry), c->req_n);
	if (pf[0] == SCHED_PF_GONE) {
		return;
	}
	memset(pfs_of(entry), SCHED_PF_GONE, c->req_n);
	s->node[i].claims--;
	c->live_n--;
	if (s->node[i].broken) {
		sched_replace(s, i);
	} else {
		sched_give(sched_pfs(s, i), pf, c->req, c->req_n);
	}
}

struct sched_claim *sched_claim_find(const struct sched *s, struct str uid)
{
	uint64_t hash = sched_uid_hash(uid);

	for (struct sched_claim *c = s->oldest; c != NULL; c = c->newer) {
		if (c->uid_hash == hash && str_eq((struct str){c->uid, c->uid_n}, uid)) {
			return c;
		}
	}
	return NULL;
}

void sched_claim_drop(struct sched *s, struct sched_claim *c)
{
	struct sched_claim **at = &s->oldest, *before = NULL;

	for (uint32_t k = 0; k < c->entry_n; k++) {
		release(s, c, k);
	}
	while (*at != c) {
		ASSERT(*at != NULL); /* it is in the list */
		before = *at;
		at = &before->newer;
	}
	*at = c->newer;
	if (s->newest == c) {
		s->newest = before;
	}
	sched_unmap(c->run, c->run_bytes);
	s->entries -= c->entry_n;
	s->claim_n--;
	c->newer = s->free_claim;
	s->free_claim = c;
}

struct sched_claim *sched_claim_new(struct sched *s, const struct sched_ask *ask, int64_t now_ms)
{
	struct sched_claim *c = s->free_claim;

	if (c == NULL || ask->uid.n > sizeof(c->uid)) {
		return NULL;
	}
	s->free_claim = c->newer;
	c->newer = NULL;
	c->uid_hash = sched_uid_hash(ask->uid);
	c->at_ms = now_ms;
	c->uid_n = (uint16_t)ask->uid.n;
	memcpy(c->uid, ask->uid.p, ask->uid.n);
	c->name_n = (uint16_t)(ask->name.n < sizeof(c->name) ? ask->name.n : sizeof(c->name));
	memcpy(c->name, ask->name.p, c->name_n);
	c->req_n = ask->req_n;
	memcpy(c->req, ask->req, ask->req_n * sizeof(ask->req[0]));
	c->entry_n = c->live_n = 0;
	c->run = NULL;
	c->run_bytes = 0;
	if (s->newest != NULL) {
		s->newest->newer = c;
	} else {
		s->oldest = c;
	}
	s->newest = c;
	s->claim_n++;
	return c;
}

int64_t sched_expire(struct sched *s, int64_t now_ms)
{
	while (s->oldest != NULL && now_ms - s->oldest->at_ms >= s->ttl_ms) {
		const struct sched_claim *c = s->oldest;

		for (uint32_t k = 0; k < c->entry_n; k++) {
			s->node[sched_entry_node(sched_entry(c, k))].lapsed_ms = now_ms;
		}
		s->expired++;
		sched_claim_drop(s, s->oldest);
	}
	return s->oldest == NULL ? -1 : s->oldest->at_ms + s->ttl_ms - now_ms;
}

/* The pod is here: nowhere else can it come any more. */
static void collapse(struct sched *s, struct sched_claim *c, uint32_t i)
{
	for (uint32_t k = 0; k < c->entry_n && c->live_n > 1; k++) {
		if (sched_entry_node(sched_entry(c, k)) != i) {
			release(s, c, k);
		}
	}
}

void sched_settle(struct sched *s, uint32_t i)
{
	struct sched_claim *c, *newer;

	if (s->node[i].hold_n == 0) {
		return;
	}
	for (c = s->oldest; c != NULL; c = newer) {
		uint32_t held;

		newer = c->newer;
		held = sched_holds(s, i, c->uid_hash, NULL);
		if (held > 0) {
			if (held >= c->req_n) {
				s->collapsed++;
				sched_claim_drop(s, c);
			} else if (sched_entry_find(c, i) != NULL) {
				/* Not all of it yet: the whole claim stays, for a moment too much.
				 */
				collapse(s, c, i);
			}
		}
	}
}
