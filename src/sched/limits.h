/* SPDX-License-Identifier: MIT */
/* Bounds of what a scheduler extender knows, each with its reason. */
#ifndef SCHED_LIMITS_H
#define SCHED_LIMITS_H

#include "place/limits.h"

#define SCHED_NODES_MAX                                                                            \
	131072                  /* nodes known at one time; two clusters of the largest size tried \
				 */
#define SCHED_NAME_MAX    253   /* of a node: RFC 1123 subdomain */
#define SCHED_PF_FEW      4     /* PFs kept beside the node; more get a larger place */
#define SCHED_PF_NAME     16    /* IFNAMSIZ */
#define SCHED_VFS_MAX     65535 /* VFs of a PF: what PCI Express can number */
#define SCHED_MBPS_MAX    4000000 /* of a PF: four times the fastest port on sale; more is a lie */
#define SCHED_HOLDS_MAX   4096    /* attachments of one node: as many as the ledger can record */
#define SCHED_HOLD_CHUNK  31      /* attachments kept together */
#define SCHED_CHUNKS_MAX  (1u << 20)

#define SCHED_CLAIMS_MAX  16384 /* pods decided within a claim's life: a scheduler does 300/s */
#define SCHED_ENTRIES_MAX (16u << 20) /* nodes of all claims together: 16 to 44 bytes each */
#define SCHED_UID_MAX     320         /* "namespace/name" stands in where a pod has no uid */

/* Steps of placement that one question may cost for all its nodes together: some 0.1 s. */
#define SCHED_STEPS_MAX      (8 * (uint64_t)PLACE_STEPS_MAX)

#define SCHED_TTL_MS_DEFAULT 30000

#endif
