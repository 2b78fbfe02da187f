/* SPDX-License-Identifier: MIT */
/* The state directory that the programs of a node share: made and locked by rdma-ds init. */
#ifndef SRIOV_STATE_H
#define SRIOV_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

#define SRIOV_STATE_ATTACHMENTS "attachments" /* the ledger's records */
#define SRIOV_STATE_SPEED       "speed"       /* link speeds, the last known */
#define SRIOV_STATE_MADE        "made"        /* how many VFs drivers made when asked for all */
#define SRIOV_STATE_PFS         "pfs"         /* which PFs there are: survey.h */
#define SRIOV_STATE_INIT_LOCK   "init.lock"

/*
 * sriov_state_dir: open the directory name in at, made 0755 if it is missing; its parent must
 * exist. -ENOTDIR: something else has that name.
 */
int sriov_state_dir(int at, const char *name, struct err *e) MUST_CHECK;

/*
 * sriov_state_make: make dir (its parent must exist) and the directories in it that are missing,
 * 0755. What exists stays as it is; something else of that name is -ENOTDIR. Returns a descriptor
 * of dir.
 */
int sriov_state_make(const char *dir, struct err *e) MUST_CHECK;

/* sriov_state_give_speed: hand the directory of link speeds to a user. -EPERM without CAP_CHOWN. */
int sriov_state_give_speed(int state, uid_t owner, struct err *e) MUST_CHECK;

/*
 * A driver may make fewer VFs than its device could have. What it made is remembered (until the
 * node boots: state directories are), so that asking for all again does not remove them again.
 * sriov_state_made: whether the device at bus_id made `made` VFs when `asked` were asked for.
 */
bool sriov_state_made(int state, const char *bus_id, uint32_t asked, uint32_t made);
int sriov_state_keep_made(
	int state, const char *bus_id, uint32_t asked, uint32_t made, struct err *e) MUST_CHECK;

/*
 * sriov_state_lock: be the only rdma-ds init at work below state. Waits until deadline_ms (clock_ms
 * time), then -ETIMEDOUT naming the process that holds the lock. Returns the descriptor that holds
 * it.
 */
int sriov_state_lock(int state, int64_t deadline_ms, struct err *e) MUST_CHECK;

#endif
