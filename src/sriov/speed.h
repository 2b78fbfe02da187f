/* SPDX-License-Identifier: MIT */
/* The last known link speed of each PF, kept so that a link that is down keeps its capacity. */
#ifndef SRIOV_SPEED_H
#define SRIOV_SPEED_H

#include "base/err.h"
#include "sriov/model.h"

/*
 * sriov_speed_load: set last_speed of every PF of n from its file below state_dir, speed/<bus
 * address>: one decimal number, Mb/s, 1 to SRIOV_RATE_MAX; 0 where there is none. A file that
 * cannot be read or understood is as none: it costs a warning in the log, the first time only,
 * since this runs at every reading of the node.
 */
void sriov_speed_load(const char *state_dir, struct sriov_node *n);

/*
 * sriov_speed_store: make the file of pf say pf->speed, and pf->last_speed too, if the link is up
 * and they differ; call sriov_speed_load before. Creates state_dir (not its parents) and "speed".
 * -errno when that is not possible: -EROFS or -EACCES for a program that may only read the
 * directory; whether it matters is the caller's to say. -ERANGE: the speed is beyond
 * SRIOV_RATE_MAX.
 */
int sriov_speed_store(const char *state_dir, struct sriov_pf *pf, struct err *e) MUST_CHECK;

#endif
