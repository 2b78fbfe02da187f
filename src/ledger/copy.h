/* SPDX-License-Identifier: MIT */
/* Second copies of records, found by VF: what a VF was like when its record is lost or damaged. */
#ifndef LEDGER_COPY_H
#define LEDGER_COPY_H

#include "ledger/write.h"

/*
 * <stateDir>/lent/<PCI address of the VF> is a hard link to a record as it was stored first, as
 * "planned": later phases replace the record by a new file, the copy stays as it was. It is there
 * for as long as the VF is not known to be as it was before: longer than the record, when that was
 * lost, or the VF could not be put back. Copies are for repair: who holds a VF is what records say.
 */
#define LEDGER_LENT_DIR "lent"

/*
 * ledger_copy_keep: en has just been stored as planned, under ledger_lock. A copy that is there
 * stays: the VF was not put back since, and what en knows of it comes from there; but one of an
 * earlier boot (en->boot_id) goes. Without room there is no copy, and that is logged. True: the
 * copy is en's, which at most one record of a VF can have: the file system makes a link once.
 */
bool ledger_copy_keep(const struct ledger_store *s, const struct ledger_entry *en);

/*
 * ledger_copy_drop: the VF of en is as it was before, or is gone. Before the record is removed, and
 * while it holds the VF. If en is planned, nothing was touched: then only a copy of en itself goes.
 */
void ledger_copy_drop(const struct ledger_store *s, const struct ledger_entry *en);

/* ledger_copy_is: whether there is a copy for the VF. */
bool ledger_copy_is(const struct ledger_store *s, const struct pci_addr *vf);

/*
 * ledger_copy_load: the copy for a VF. 1: read; 0: there is none; -EINVAL, -ENOTSUP: it cannot be
 * read, other -errno as ledger_load.
 */
int ledger_copy_load(const struct ledger_store *s, const struct pci_addr *vf,
	struct ledger_entry *out, struct err *e) MUST_CHECK;

/*
 * ledger_copy_find: the copy of an attachment whose record cannot be read. 1: found, 0: none.
 * Copies that cannot be read are passed over.
 */
int ledger_copy_find(const struct ledger_store *s, struct str container_id, struct str ifname,
	struct ledger_entry *out, struct err *e) MUST_CHECK;

#endif
