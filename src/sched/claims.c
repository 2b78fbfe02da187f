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

uint8_t *sched_entry_pfs(unsigned char *entry)
{
	return entry + SCHED_ENTRY_HEAD;
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
		sched_entry_pfs(sched_entry(c, low))[0] == SCHED_PF_GONE) {
		return NULL;
	}
	return sched_entry(c, low);
}

const uint8_t *sched_claim_on(const struct sched_claim *c, uint32_t node)
{
	unsigned char *entry = sched_entry_find(c, node);

	return entry == NULL ? NULL : sched_entry_pfs(entry);
}

void sched_take(struct sched_pf *at, const uint8_t *pf, const struct place_request *req, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (pf[i] < PLACE_PF_MAX) {
			at[pf[i]].free.vfs--;
			at[pf[i]].free.mbps -= req[i].min;
		}
	}
}

void sched_give(struct sched_pf *at, const uint8_t *pf, const struct place_request *req, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (pf[i] < PLACE_PF_MAX) {
			at[pf[i]].free.vfs++;
			at[pf[i]].free.mbps += req[i].min;
		}
	}
}

uint32_t sched_rest(
	const struct sched_claim *c, const uint8_t *pf, struct place_request *rest, uint8_t *which)
{
	uint32_t n = 0;

	for (uint32_t k = 0; k < c->req_n; k++) {
		if (pf[k] != SCHED_PF_HELD) {
			which[n] = (uint8_t)k;
			rest[n++] = c->req[k];
		}
	}
	return n;
}

size_t sched_free_for(
	struct sched *s, const struct sched_claim *own, uint32_t i, struct place_pf *free)
{
	size_t n = sched_copy_free(s, i, free);
	const uint8_t *at = own == NULL ? NULL : sched_claim_on(own, i);

	for (uint32_t k = 0; at != NULL && k < own->req_n; k++) {
		if (at[k] < PLACE_PF_MAX) {
			free[at[k]].vfs++;
			free[at[k]].mbps += own->req[k].min;
		}
	}
	return n;
}

/* --- Placing and removing */

/* Place what the node does not show of the claim. false: it does not fit. */
static bool place_entry(
	struct sched *s, uint32_t i, const struct sched_claim *c, uint8_t *at, uint64_t *steps)
{
	struct place_request rest[PLACE_REQ_MAX];
	struct place_pf free[PLACE_PF_MAX];
	uint32_t held = sched_held(s, i, c), n;
	uint8_t which[PLACE_REQ_MAX];
	struct place_out out;
	bool fits;

	for (uint32_t k = 0; k < c->req_n; k++) {
		at[k] = held >> k & 1 ? SCHED_PF_HELD : SCHED_PF_LOST;
	}
	n = sched_rest(c, at, rest, which);
	if (n == 0) {
		return true;
	}
	fits = sched_place(s, free, sched_copy_free(s, i, free), rest, n, &out, steps) == PLACE_YES;
	for (uint32_t k = 0; k < n && fits; k++) {
		at[which[k]] = out.pf[k];
	}
	sched_take(sched_pfs(s, i), at, c->req, c->req_n);
	return fits;
}

void sched_replace(struct sched *s, uint32_t i)
{
	struct sched_node *n = &s->node[i];
	struct sched_pf *pf = sched_pfs(s, i);
	struct sched_on on = sched_on(s, i);
	uint64_t steps = 0;

	n->broken = false;
	for (uint32_t k = 0; k < n->pf_n; k++) {
		pf[k].free = pf[k].base;
	}
	while (sched_on_next(s, &on)) {
		if (!place_entry(s, i, on.c, sched_entry_pfs(on.entry), &steps)) {
			n->broken = true;
		}
	}
	s->steps += steps;
}

/* Remove entry k, unless it is gone, and let others have what it took. */
static void release(struct sched *s, struct sched_claim *c, uint32_t k)
{
	unsigned char *entry = sched_entry(c, k);
	uint32_t i = sched_entry_node(entry);
	uint8_t pf[PLACE_REQ_MAX];

	memcpy(pf, sched_entry_pfs(entry), c->req_n);
	if (pf[0] == SCHED_PF_GONE) {
		return;
	}
	sched_unlink(s, c, entry);
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
	if (s->young == c) {
		s->young = c->newer;
	}
	sched_unmap(c->run, c->run_bytes);
	s->entries -= c->entry_n;
	s->claim_n--;
	c->newer = s->free_claim;
	s->free_claim = c;
}

/* Another pod of the same name was promised its place a moment ago: a pod that was made anew. */
static bool is_namesake(const struct sched *s, const struct sched_claim *new)
{
	for (const struct sched_claim *c = s->oldest; c != NULL; c = c->newer) {
		if (c->name_hash == new->name_hash && c->uid_hash != new->uid_hash) {
			return true;
		}
	}
	return false;
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
	c->name_hash = sched_uid_hash(ask->name);
	c->late = c->settled = false;
	c->by_name = !is_namesake(s, c);
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
	s->young = s->young == NULL ? c : s->young;
	s->claim_n++;
	return c;
}

static bool has_spoken(const struct sched *s, const struct sched_claim *c, uint32_t i)
{
	/* Of a node that is not known, something later will be heard before anybody passes there.
	 */
	return !s->node[i].known || s->node[i].known_ms >= c->at_ms + s->ttl_ms;
}

int64_t sched_expire(struct sched *s, int64_t now_ms)
{
	while (s->young != NULL && now_ms - s->young->at_ms >= s->ttl_ms) {
		struct sched_claim *c = s->young;

		s->young = c->newer;
		c->late = true;
		s->expired += c->settled ? 0 : 1;
		for (uint32_t k = 0; k < c->entry_n; k++) {
			if (has_spoken(s, c, sched_entry_node(sched_entry(c, k)))) {
				release(s, c, k);
			}
		}
		if (c->live_n == 0) {
			sched_claim_drop(s, c);
		}
	}
	return s->young == NULL ? -1 : s->young->at_ms + s->ttl_ms - now_ms;
}

void sched_lapse(struct sched *s, uint32_t i, bool give)
{
	struct sched_on on = sched_on(s, i);

	while (sched_on_next(s, &on) && on.c->late) {
		if (!has_spoken(s, on.c, i)) {
			continue;
		}
		if (give) {
			release(s, on.c, on.k);
		} else {
			sched_unlink(s, on.c, on.entry);
		}
		if (on.c->live_n == 0) {
			sched_claim_drop(s, on.c);
		}
	}
}

#define PAGE (64u << 10) /* the largest there is: munmap wants whole ones */

/* The pod is where this entry says: nowhere else can it come any more. */
static void collapse(struct sched *s, struct sched_claim *c, const unsigned char *entry)
{
	for (uint32_t k = 0; k < c->entry_n && c->live_n > 1; k++) {
		if (sched_entry(c, k) != entry) {
			release(s, c, k);
		}
	}
	if (c->entry_n > 1) {
		memmove(c->run, entry, c->stride);
		s->entries -= c->entry_n - 1;
		c->entry_n = 1;
	}
	if (c->run_bytes > PAGE) {
		sched_unmap(c->run + PAGE, c->run_bytes - PAGE);
		c->run_bytes = PAGE;
	}
}

void sched_settle(struct sched *s, uint32_t i)
{
	struct sched_on on = sched_on(s, i);

	while (s->node[i].hold_n > 0 && sched_on_next(s, &on)) {
		if (sched_held(s, i, on.c) != 0) {
			s->collapsed += on.c->settled ? 0 : 1;
			on.c->settled = true;
			collapse(s, on.c, on.entry);
		}
	}
}
