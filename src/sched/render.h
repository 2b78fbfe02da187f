/* SPDX-License-Identifier: MIT */
/* What the extender believes, as JSON and in numbers. */
#ifndef SCHED_RENDER_H
#define SCHED_RENDER_H

#include "base/buf.h"
#include "sched/sched.h"

/* How a node is watched: a word, and why its state is not known or NULL. */
typedef const char *sched_watch_fn(void *arg, uint32_t node, const char **why);

/* Bytes that are always enough for sched_render. */
size_t sched_render_cap(const struct sched *s);

#define SCHED_RENDER_ON 32 /* nodes listed for each claim */

/*
 * sched_render: {"nodes": [...], "claims": [...]}, documented in the extender's README.md. false:
 * b was too small.
 */
bool sched_render(struct buf *b, const struct sched *s, sched_watch_fn *watch, void *arg,
	int64_t now_ms) MUST_CHECK;

struct sched_totals {
	uint64_t known, unknown, broken;                   /* nodes */
	uint64_t mbps, used_mbps, claimed_mbps, free_mbps; /* of known nodes */
	uint64_t vfs, used_vfs, claimed_vfs, free_vfs;
	uint64_t attachments;
};

void sched_total(const struct sched *s, struct sched_totals *t);

#endif
