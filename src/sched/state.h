/* SPDX-License-Identifier: MIT */
/* What a node says of itself, read from /v1/node or from the document's /getpfs. */
#ifndef SCHED_STATE_H
#define SCHED_STATE_H

#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "sched/limits.h"

struct sched_pf_state {
	char name[SCHED_PF_NAME];
	uint32_t vfs, used_vfs;   /* enabled; in use, or of no use to pods */
	uint32_t mbps, used_mbps; /* may be promised; is promised */
};

/* One attached interface. */
struct sched_hold {
	uint64_t uid; /* sched_uid_hash of the pod's uid, or else of "namespace/name" */
	uint32_t mbps;
	uint8_t pf;   /* index in pf */
	bool by_name; /* uid is of the name */
};

/* Large: static storage. */
struct sched_state {
	bool full;         /* from /v1/node: revision and hold are known */
	uint64_t revision; /* 0: the node does not tell */
	uint32_t pf_n, hold_n;
	struct sched_pf_state pf[PLACE_PF_MAX];
	struct sched_hold hold[SCHED_HOLDS_MAX];
};

/*
 * sched_state_node, sched_state_getpfs: read the body of /v1/node or /getpfs. -EINVAL and a reason
 * for anything that cannot be true: no JSON, wrong types, numbers that are negative, no whole
 * numbers or beyond what hardware has, more in use or free than there is of VFs, PFs that repeat.
 * More bandwidth in use than there is means none is free: a slower card was put in. A PF whose VFs
 * cannot be read, or that has none, is left out.
 */
int sched_state_node(struct str body, struct sched_state *out, struct err *e) MUST_CHECK;
int sched_state_getpfs(struct str body, struct sched_state *out, struct err *e) MUST_CHECK;

uint64_t sched_uid_hash(struct str uid); /* FNV-1a */

#endif
