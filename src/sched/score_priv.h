/* SPDX-License-Identifier: MIT */
/* How good a node is for a pod. For this folder only. */
#ifndef SCHED_SCORE_PRIV_H
#define SCHED_SCORE_PRIV_H

#include "sched/sched_priv.h"

#define SCORE_FINE 1000 /* the best score; schedulers get a hundredth of it */

/* score_entry: of an entry whose PFs are chosen but not taken yet: 0 to SCORE_FINE. */
uint32_t score_entry(
	struct sched *s, const struct sched_claim *c, unsigned char *entry, bool spread);

#endif
