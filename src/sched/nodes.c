/* SPDX-License-Identifier: MIT */
/* The table of nodes: see sched.h. Slots, PF places and chunks are never given back to the kernel;
 * they are as many as there were nodes at one time. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "sched/sched_priv.h"

#define BUCKETS (2u * SCHED_NODES_MAX) /* a power of two */

_Static_assert((BUCKETS & (BUCKETS - 1)) == 0, "buckets are chosen by a bit mask");

void *sched_map(size_t n)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		-1, 0);

	return p == MAP_FAILED ? NULL : p;
}

void sched_unmap(void *p, size_t n)
{
	if (p != NULL) {
		(void)munmap(p, n); /* cannot fail for a mapping of our own */
	}
}

int sched_init(struct sched *s, int64_t ttl_ms, struct err *e)
{
	*s = (struct sched){.ttl_ms = ttl_ms,
		.free_node = SCHED_NONE,
		.free_more = SCHED_NONE,
		.free_chunk = SCHED_NONE};
	hash_key_random(&s->key);
	s->node = sched_map(SCHED_NODES_MAX * sizeof(*s->node));
	s->bucket = sched_map(BUCKETS * sizeof(*s->bucket));
	s->more = sched_map(SCHED_NODES_MAX * sizeof(*s->more));
	s->chunk = sched_map(SCHED_CHUNKS_MAX * sizeof(*s->chunk));
	s->claim = sched_map(SCHED_CLAIMS_MAX * sizeof(*s->claim));
	s->work = sched_map(sizeof(*s->work));
	s->kept = sched_map(2 * SCHED_KEPT * sizeof(*s->kept));
	s->order = sched_map(SCHED_KEPT * sizeof(*s->order));
	if (s->node == NULL || s->bucket == NULL || s->more == NULL || s->chunk == NULL ||
		s->claim == NULL || s->work == NULL || s->kept == NULL || s->order == NULL) {
		sched_free(s);
		return err_set(e, ENOMEM, "no address space for the table of nodes");
	}
	for (uint32_t i = SCHED_CLAIMS_MAX; i > 0; i--) {
		s->claim[i - 1].newer = s->free_claim;
		s->free_claim = &s->claim[i - 1];
	}
	return 0;
}

void sched_free(struct sched *s)
{
	while (s->oldest != NULL) {
		sched_claim_drop(s, s->oldest);
	}
	sched_unmap(s->node, SCHED_NODES_MAX * sizeof(*s->node));
	sched_unmap(s->bucket, BUCKETS * sizeof(*s->bucket));
	sched_unmap(s->more, SCHED_NODES_MAX * sizeof(*s->more));
	sched_unmap(s->chunk, SCHED_CHUNKS_MAX * sizeof(*s->chunk));
	sched_unmap(s->claim, SCHED_CLAIMS_MAX * sizeof(*s->claim));
	sched_unmap(s->work, sizeof(*s->work));
	sched_unmap(s->kept, 2 * SCHED_KEPT * sizeof(*s->kept));
	sched_unmap(s->order, SCHED_KEPT * sizeof(*s->order));
	memset(s, 0, sizeof(*s));
}

struct sched_pf *sched_pfs(struct sched *s, uint32_t i)
{
	struct sched_node *n = &s->node[i];

	return n->more == SCHED_NONE ? n->few : s->more[n->more];
}

const struct sched_pf *sched_pfs_const(const struct sched *s, uint32_t i)
{
	const struct sched_node *n = &s->node[i];

	return n->more == SCHED_NONE ? n->few : s->more[n->more];
}

/* --- Names. A bucket holds the index of its first node plus one: untouched memory is empty. */

uint32_t sched_node_find(const struct sched *s, struct str name)
{
	uint64_t hash = hash_str(&s->key, name);
	uint32_t at = s->bucket[hash & (BUCKETS - 1)];

	while (at != 0) {
		const struct sched_node *n = &s->node[at - 1];

		if (n->hash == hash && n->name_n == name.n &&
			memcmp(n->name, name.p, name.n) == 0) {
			return at - 1;
		}
		at = n->next;
	}
	return SCHED_NONE;
}

uint32_t sched_node_add(struct sched *s, struct str name, int64_t now_ms)
{
	uint32_t i = sched_node_find(s, name);
	struct sched_node *n;
	uint32_t *bucket;

	if (i != SCHED_NONE) {
		s->node[i].asked_ms = now_ms;
		return i;
	}
	if (name.n == 0 || name.n > SCHED_NAME_MAX) {
		return SCHED_NONE;
	}
	if (s->free_node != SCHED_NONE) {
		i = s->free_node;
		s->free_node = s->node[i].next;
	} else if (s->node_n < SCHED_NODES_MAX) {
		i = s->node_n++;
	} else {
		return SCHED_NONE;
	}
	n = &s->node[i];
	*n = (struct sched_node){.hash = hash_str(&s->key, name),
		.used = true,
		.name_n = (uint8_t)name.n,
		.holds = SCHED_NONE,
		.more = SCHED_NONE,
		.asked_ms = now_ms};
	memcpy(n->name, name.p, name.n);
	bucket = &s->bucket[n->hash & (BUCKETS - 1)];
	n->next = *bucket;
	*bucket = i + 1;
	s->nodes++;
	return i;
}

/* --- Attachments */

static void drop_holds(struct sched *s, struct sched_node *n)
{
	while (n->holds != SCHED_NONE) {
		struct sched_chunk *c = &s->chunk[n->holds];
		uint32_t next = c->next;

		c->next = s->free_chunk;
		s->free_chunk = n->holds;
		n->holds = next;
	}
	n->hold_n = n->nameless = 0;
}

static uint32_t take_chunk(struct sched *s)
{
	uint32_t i = s->free_chunk;

	ASSERT(s->chunk != NULL); /* sched_init made it */
	if (i != SCHED_NONE) {
		s->free_chunk = s->chunk[i].next;
	} else if (s->chunk_n < SCHED_CHUNKS_MAX) {
		i = s->chunk_n++;
	}
	return i;
}

/* Out of chunks, an attachment goes unnoticed: its claim lives until it expires. */
static void keep_holds(struct sched *s, struct sched_node *n, const struct sched_state *state)
{
	ASSERT(s->chunk != NULL); /* sched_init made it */
	drop_holds(s, n);
	for (uint32_t i = 0; i < state->hold_n; i++) {
		struct sched_chunk *c = n->holds == SCHED_NONE ? NULL : &s->chunk[n->holds];

		if (c == NULL || c->n == SCHED_HOLD_CHUNK) {
			uint32_t fresh = take_chunk(s);

			if (fresh == SCHED_NONE) {
				return;
			}
			c = &s->chunk[fresh];
			c->n = 0;
			c->next = n->holds;
			n->holds = fresh;
		}
		c->hold[c->n++] = state->hold[i];
		n->hold_n++;
		n->nameless += state->hold[i].by_name ? 1 : 0;
	}
}

uint32_t sched_holds(const struct sched *s, uint32_t i, uint64_t uid_hash, struct place_pf *held)
{
	uint32_t found = 0;

	for (uint32_t at = s->node[i].holds; at != SCHED_NONE; at = s->chunk[at].next) {
		const struct sched_chunk *c = &s->chunk[at];

		for (uint32_t k = 0; k < c->n; k++) {
			if (c->hold[k].uid == uid_hash) {
				found++;
				if (held != NULL) {
					held[c->hold[k].pf].vfs++;
					held[c->hold[k].pf].mbps += c->hold[k].mbps;
				}
			}
		}
	}
	return found;
}

bool sched_shows_name(const struct sched *s, uint32_t i, uint64_t name_hash)
{
	uint32_t at = s->node[i].nameless > 0 ? s->node[i].holds : SCHED_NONE;

	for (; at != SCHED_NONE; at = s->chunk[at].next) {
		for (uint32_t k = 0; k < s->chunk[at].n; k++) {
			const struct sched_hold *h = &s->chunk[at].hold[k];

			if (h->by_name && h->uid == name_hash) {
				return true;
			}
		}
	}
	return false;
}

uint32_t sched_held(const struct sched *s, uint32_t i, const struct sched_claim *c)
{
	uint32_t held = 0;

	for (uint32_t at = s->node[i].holds; at != SCHED_NONE; at = s->chunk[at].next) {
		for (uint32_t k = 0; k < s->chunk[at].n; k++) {
			const struct sched_hold *h = &s->chunk[at].hold[k];

			if (h->by_name ? !c->by_name || h->uid != c->name_hash
				       : h->uid != c->uid_hash) {
				continue;
			}
			for (uint32_t r = 0; r < c->req_n; r++) {
				if ((held >> r & 1) == 0 && c->req[r].min == h->mbps) {
					held |= 1u << r;
					break;
				}
			}
		}
	}
	return held;
}

/* --- What nodes say */

static void keep_pfs(struct sched *s, uint32_t i, const struct sched_state *state)
{
	struct sched_node *n = &s->node[i];
	struct sched_pf *pf;

	if (state->pf_n > SCHED_PF_FEW && n->more == SCHED_NONE) {
		/* There are as many places as nodes. */
		n->more = s->free_more != SCHED_NONE ? s->free_more : s->more_n++;
		if (n->more == s->free_more) {
			memcpy(&s->free_more, s->more[n->more], sizeof(s->free_more));
		}
	}
	n->pf_n = (uint8_t)state->pf_n;
	pf = sched_pfs(s, i);
	for (uint32_t k = 0; k < state->pf_n; k++) {
		const struct sched_pf_state *is = &state->pf[k];

		pf[k].is = *is;
		pf[k].base = (struct place_pf){is->vfs - is->used_vfs,
			is->used_mbps < is->mbps ? is->mbps - is->used_mbps : 0};
	}
}

void sched_node_update(
	struct sched *s, uint32_t i, const struct sched_state *state, int64_t as_of_ms)
{
	struct sched_node *n = &s->node[i];

	keep_holds(s, n, state);
	sched_settle(s, i);
	n->known = true;
	n->full = state->full;
	n->revision = state->revision;
	n->known_ms = as_of_ms;
	sched_lapse(s, i, false);
	keep_pfs(s, i, state);
	sched_replace(s, i);
}

void sched_node_still(struct sched *s, uint32_t i, int64_t as_of_ms)
{
	s->node[i].known_ms = as_of_ms;
	sched_lapse(s, i, true);
}

void sched_node_lost(struct sched *s, uint32_t i)
{
	s->node[i].known = false;
}

void sched_node_drop(struct sched *s, uint32_t i)
{
	struct sched_node *n = &s->node[i];
	uint32_t *at = &s->bucket[n->hash & (BUCKETS - 1)];
	struct sched_on on = sched_on(s, i);

	while (sched_on_next(s, &on)) {
		sched_unlink(s, on.c, on.entry);
		if (on.c->live_n == 0) {
			sched_claim_drop(s, on.c);
		}
	}
	while (*at != i + 1) {
		at = &s->node[*at - 1].next;
	}
	*at = n->next;
	drop_holds(s, n);
	if (n->more != SCHED_NONE) {
		memcpy(s->more[n->more], &s->free_more, sizeof(s->free_more));
		s->free_more = n->more;
	}
	n->used = n->known = false;
	n->next = s->free_node;
	s->free_node = i;
	s->nodes--;
}

size_t sched_copy_free(struct sched *s, uint32_t i, struct place_pf *out)
{
	const struct sched_pf *pf = sched_pfs(s, i);

	for (uint32_t k = 0; k < s->node[i].pf_n; k++) {
		out[k] = pf[k].free;
	}
	return s->node[i].pf_n;
}
