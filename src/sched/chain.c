/* SPDX-License-Identifier: MIT */
/*
 * The claims on each node, oldest first: a chain through their entries there. A link is the index
 * of a claim plus one, so that it holds when entries move; which entry of that claim it means is
 * found by the node. Clusters of like nodes make claims of like entries, so that it mostly is where
 * it was in the claim before.
 */
#include <string.h>

#include "sched/sched_priv.h"

enum { NEWER = 4, OLDER = 8 }; /* where the links are in an entry */

static uint32_t get(const unsigned char *entry, size_t at)
{
	uint32_t link;

	memcpy(&link, entry + at, sizeof(link));
	return link;
}

static void set(unsigned char *entry, size_t at, uint32_t link)
{
	memcpy(entry + at, &link, sizeof(link));
}

static uint32_t index_of(const struct sched_claim *c, const unsigned char *entry)
{
	return (uint32_t)((size_t)(entry - c->run) / c->stride);
}

/* The entry on that node, perhaps number k. It is there, since the claim is in the node's chain. */
static unsigned char *find(const struct sched_claim *c, uint32_t node, uint32_t k)
{
	unsigned char *entry = k < c->entry_n ? sched_entry(c, k) : NULL;

	if (entry == NULL || sched_entry_node(entry) != node) {
		entry = sched_entry_find(c, node);
	}
	ASSERT(entry != NULL);
	return entry;
}

void sched_link(struct sched *s, struct sched_claim *c, uint32_t k)
{
	unsigned char *entry = sched_entry(c, k);
	struct sched_node *n = &s->node[sched_entry_node(entry)];
	uint32_t me = (uint32_t)(c - s->claim) + 1;

	set(entry, NEWER, 0);
	set(entry, OLDER, n->newest_on);
	if (n->newest_on != 0) {
		set(find(&s->claim[n->newest_on - 1], sched_entry_node(entry), k), NEWER, me);
	} else {
		n->oldest_on = me;
	}
	n->newest_on = me;
	n->claims++;
	c->live_n++;
}

void sched_unlink(struct sched *s, struct sched_claim *c, unsigned char *entry)
{
	uint32_t i = sched_entry_node(entry), k = index_of(c, entry);
	uint32_t newer = get(entry, NEWER), older = get(entry, OLDER);
	struct sched_node *n = &s->node[i];

	if (older != 0) {
		set(find(&s->claim[older - 1], i, k), NEWER, newer);
	} else {
		n->oldest_on = newer;
	}
	if (newer != 0) {
		set(find(&s->claim[newer - 1], i, k), OLDER, older);
	} else {
		n->newest_on = older;
	}
	memset(sched_entry_pfs(entry), SCHED_PF_GONE, c->req_n);
	n->claims--;
	c->live_n--;
}

struct sched_on sched_on(const struct sched *s, uint32_t i)
{
	return (struct sched_on){.node = i, .next = s->node[i].oldest_on};
}

bool sched_on_next(struct sched *s, struct sched_on *on)
{
	if (on->next == 0) {
		return false;
	}
	s->looks++;
	on->c = &s->claim[on->next - 1];
	on->entry = find(on->c, on->node, on->k);
	on->k = index_of(on->c, on->entry);
	on->next = get(on->entry, NEWER);
	return true;
}
