/* SPDX-License-Identifier: MIT */
/* Writing the ledger: records stored, loaded, listed, removed, set aside. */
#ifndef LEDGER_WRITE_H
#define LEDGER_WRITE_H

#include "ledger/entry.h"
#include "ledger/lock.h"
#include "ledger/read.h"

#define LEDGER_DAMAGED_DIR "damaged"

/* The open state directory. */
struct ledger_store {
	int state; /* for ledger_lock; -1: closed */
	int dir;   /* of the records */
};

#define LEDGER_STORE_INIT                                                                          \
	{                                                                                          \
		.state = -1, .dir = -1                                                             \
	}

/*
 * ledger_open: for writing; makes the directories that are missing (the parent of path must exist).
 * ledger_open_existing: makes nothing; 0 when there are no records: then nothing was ever attached
 * (DEL, GC); s->state is open all the same if the state directory is there, which has more than
 * records. 1: open. Errors name path and reason (-EROFS, -EACCES, -ENOTDIR, -ENOENT).
 */
int ledger_open(struct ledger_store *s, const char *path, struct err *e) MUST_CHECK;
int ledger_open_existing(struct ledger_store *s, const char *path, struct err *e) MUST_CHECK;
void ledger_close(struct ledger_store *s);

/*
 * ledger_store_entry: make en the record of its attachment, new or replaced, and safe on the medium
 * before this returns. -ENOSPC, -EROFS, -EACCES, ...: the record is what it was before. A new
 * record is stored under ledger_lock, a later phase of it under the VF's lock.
 */
int ledger_store_entry(
	const struct ledger_store *s, const struct ledger_entry *en, struct err *e) MUST_CHECK;

/*
 * ledger_load: the whole record of one attachment. -ENOENT: there is none (and e says so).
 * -EINVAL: damaged, -ENOTSUP: another version: see ledger_set_aside.
 */
int ledger_load(const struct ledger_store *s, struct str container_id, struct str ifname,
	struct ledger_entry *en, struct err *e) MUST_CHECK;

/*
 * ledger_confirm: check, under the VF's lock, that the record of en is on disk as it was stored as
 * planned: nobody has taken it back since, and nobody else made another one. now: memory for the
 * record on disk. -ESTALE: it is gone or another one; then neither VF nor record is to be touched.
 * Other -errno: as ledger_load.
 */
int ledger_confirm(const struct ledger_store *s, const struct ledger_entry *en,
	struct ledger_entry *now, struct err *e) MUST_CHECK;

/* ledger_remove: the record is gone for good then; none is success. Under the VF's lock. */
int ledger_remove(const struct ledger_store *s, struct str container_id, struct str ifname,
	struct err *e) MUST_CHECK;

/*
 * ledger_each: call fn for each record's file, in order of container id, then interface, of the
 * container container_id only unless it is empty. fn may store and remove; it returns 0 to go on,
 * anything else stops and is returned. ids: the caller's memory of LEDGER_EACH_MEM bytes.
 * -E2BIG: more than LEDGER_MAX records. What processes that were killed left half written, of any
 * container, is removed on the way.
 */
typedef int ledger_each_fn(void *arg, struct str container_id, struct str ifname, struct err *e);
#define LEDGER_EACH_MEM (LEDGER_MAX * (size_t)LEDGER_NAME_CAP)

int ledger_each(const struct ledger_store *s, struct str container_id, void *mem,
	ledger_each_fn *fn, void *arg, struct err *e) MUST_CHECK;

/*
 * ledger_set_aside: move, or if stay link, the record into <stateDir>/damaged, where no program
 * takes it for one, and log a warning with why. What it said may be found again: ledger/copy.h. 0
 * also when it is gone.
 */
int ledger_set_aside(const struct ledger_store *s, struct str container_id, struct str ifname,
	bool stay, const char *why, struct err *e) MUST_CHECK;

/*
 * ledger_owns: check, in records that ledger_read has just read, that the VF of en is en's. 0: its
 * record is there and no other one means the same VF. 1: there is another one, too, which e names:
 * then the VF is en's only if its interface is in en's namespace. -ESTALE: no record gives it to
 * en; then neither VF nor its settings are to be touched.
 */
int ledger_owns(const struct ledger *l, const struct ledger_entry *en, struct err *e) MUST_CHECK;

#endif
