/* SPDX-License-Identifier: MIT */
/* See render.h. */
#include "sched/render.h"

#include "json/write.h"
#include "sched/sched_priv.h"

/* Control characters become six bytes each. */
#define NODE_BYTES  (6 * (SCHED_NAME_MAX + 128) + 512)
#define PF_BYTES    (6 * SCHED_PF_NAME + 256)
#define CLAIM_BYTES (12 * SCHED_UID_MAX + 48 * PLACE_REQ_MAX + SCHED_RENDER_ON * 6 * 256 + 512)

size_t sched_render_cap(const struct sched *s)
{
	size_t cap = 4096;

	for (uint32_t i = 0; i < s->node_n; i++) {
		cap += s->node[i].used ? NODE_BYTES + s->node[i].pf_n * (size_t)PF_BYTES : 0;
	}
	return cap + s->claim_n * (size_t)CLAIM_BYTES;
}

static void put_pfs(struct json_writer *w, const struct sched *s, uint32_t i)
{
	const struct sched_pf *pf = sched_pfs_const(s, i);

	json_put_array(w, "pfs");
	for (uint32_t k = 0; k < s->node[i].pf_n; k++) {
		json_put_object(w, NULL);
		json_put_cstr(w, "name", pf[k].is.name);
		json_put_u64(w, "capacity_mbps", pf[k].is.mbps);
		json_put_u64(w, "reserved_mbps", pf[k].is.used_mbps);
		json_put_u64(w, "claimed_mbps", pf[k].base.mbps - pf[k].free.mbps);
		json_put_u64(w, "free_mbps", pf[k].free.mbps);
		json_put_u64(w, "num_vfs", pf[k].is.vfs);
		json_put_u64(w, "used_vfs", pf[k].is.used_vfs);
		json_put_u64(w, "claimed_vfs", pf[k].base.vfs - pf[k].free.vfs);
		json_put_u64(w, "free_vfs", pf[k].free.vfs);
		json_put_end_object(w);
	}
	json_put_end_array(w);
}

static void put_node(struct json_writer *w, const struct sched *s, uint32_t i,
	sched_watch_fn *watch, void *arg, int64_t now_ms)
{
	const struct sched_node *n = &s->node[i];
	const char *why = NULL;

	json_put_object(w, NULL);
	json_put_cstr(w, "name", n->name);
	json_put_cstr(w, "state", watch(arg, i, &why));
	json_put_bool(w, "known", n->known);
	if (why == NULL) {
		json_put_null(w, "problem");
	} else {
		json_put_cstr(w, "problem", why);
	}
	if (n->known_ms == 0) {
		json_put_null(w, "age_ms");
	} else {
		json_put_i64(w, "age_ms", now_ms - n->known_ms);
	}
	json_put_i64(w, "asked_ms_ago", now_ms - n->asked_ms);
	json_put_bool(w, "tells_holders", n->full);
	json_put_u64(w, "attachments", n->hold_n);
	json_put_u64(w, "claims", n->claims);
	json_put_bool(w, "over_promised", n->broken);
	put_pfs(w, s, i);
	json_put_end_object(w);
}

/* Interfaces that a node shows. A claim that one of them has ended everywhere else has one entry.
 */
static uint32_t attached(const struct sched_claim *c)
{
	const uint8_t *pf = !c->settled || c->live_n == 0
				    ? NULL
				    : sched_claim_on(c, sched_entry_node(sched_entry(c, 0)));
	uint32_t n = 0;

	for (uint32_t k = 0; pf != NULL && k < c->req_n; k++) {
		n += pf[k] == SCHED_PF_HELD ? 1 : 0;
	}
	return n;
}

static void put_claim(
	struct json_writer *w, const struct sched *s, const struct sched_claim *c, int64_t now_ms)
{
	uint32_t listed = 0;

	json_put_object(w, NULL);
	json_put_str(w, "pod", (struct str){c->name, c->name_n});
	json_put_str(w, "uid", (struct str){c->uid, c->uid_n});
	json_put_i64(w, "age_ms", now_ms - c->at_ms);
	json_put_array(w, "min_tx_rates");
	for (uint32_t k = 0; k < c->req_n; k++) {
		json_put_u64(w, NULL, c->req[k].min);
	}
	json_put_end_array(w);
	json_put_u64(w, "attached", attached(c));
	json_put_u64(w, "nodes", c->live_n);
	json_put_array(w, "on");
	for (uint32_t k = 0; k < c->entry_n && listed < SCHED_RENDER_ON; k++) {
		uint32_t node = sched_entry_node(sched_entry(c, k));

		if (sched_claim_on(c, node) != NULL) {
			json_put_cstr(w, NULL, s->node[node].name);
			listed++;
		}
	}
	json_put_end_array(w);
	json_put_end_object(w);
}

bool sched_render(
	struct buf *b, const struct sched *s, sched_watch_fn *watch, void *arg, int64_t now_ms)
{
	struct json_writer w;

	json_writer_init(&w, b);
	json_put_object(&w, NULL);
	json_put_array(&w, "nodes");
	for (uint32_t i = 0; i < s->node_n; i++) {
		if (s->node[i].used) {
			put_node(&w, s, i, watch, arg, now_ms);
		}
	}
	json_put_end_array(&w);
	json_put_array(&w, "claims");
	for (const struct sched_claim *c = s->oldest; c != NULL; c = c->newer) {
		put_claim(&w, s, c, now_ms);
	}
	json_put_end_array(&w);
	json_put_end_object(&w);
	return json_writer_done(&w);
}

void sched_total(const struct sched *s, struct sched_totals *t)
{
	*t = (struct sched_totals){.known = 0};
	for (uint32_t i = 0; i < s->node_n; i++) {
		const struct sched_node *n = &s->node[i];
		const struct sched_pf *pf = sched_pfs_const(s, i);

		if (!n->used || !n->known) {
			t->unknown += n->used ? 1 : 0;
			continue;
		}
		t->known++;
		t->broken += n->broken ? 1 : 0;
		t->attachments += n->hold_n;
		for (uint32_t k = 0; k < n->pf_n; k++) {
			t->mbps += pf[k].is.mbps;
			t->used_mbps += pf[k].is.used_mbps;
			t->claimed_mbps += pf[k].base.mbps - pf[k].free.mbps;
			t->free_mbps += pf[k].free.mbps;
			t->vfs += pf[k].is.vfs;
			t->used_vfs += pf[k].is.used_vfs;
			t->claimed_vfs += pf[k].base.vfs - pf[k].free.vfs;
			t->free_vfs += pf[k].free.vfs;
		}
	}
}
