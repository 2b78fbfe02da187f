/* SPDX-License-Identifier: MIT */
/* Who may write: the node's lock for taking VFs, and one lock a VF for working on it. */
#ifndef LEDGER_LOCK_H
#define LEDGER_LOCK_H

#include <stdint.h>

#include "base/parse.h"

#define LEDGER_LOCK_FILE "lock"
#define LEDGER_BUSY_FILE "busy"

/*
 * Both locks end with the process, however it ends, and are not inherited by programs it executes.
 * Take the node's lock, or a VF's, never the node's while holding a VF's.
 */

/*
 * ledger_lock: be the only one on the node who reads the free VFs and takes some. Held for the
 * time of placing and storing, not for the work on the kernel. Waits until deadline_ms (clock_ms
 * time), then -ETIMEDOUT with the process id of the holder. state is the state directory's
 * descriptor. Returns the descriptor that holds the lock; closing it unlocks.
 */
int ledger_lock(int state, int64_t deadline_ms, struct err *e) MUST_CHECK;

/*
 * ledger_lock_vf: be the only one who changes this VF (ADD, DEL, GC). AFTER it, load the record
 * again: when it is gone or means another VF, somebody else has finished the work meanwhile and
 * the VF must not be touched. -ETIMEDOUT as above (the process id is that of the last holder).
 * Returns the descriptor that holds the lock.
 */
int ledger_lock_vf(
	int state, const struct pci_addr *vf, int64_t deadline_ms, struct err *e) MUST_CHECK;

#endif
