/* SPDX-License-Identifier: MIT */
/* Records that cannot be read, made anew. */
#ifndef RDMA_CNI_RECOVER_H
#define RDMA_CNI_RECOVER_H

#include "call.h"

/*
 * recover_record: the record of that name was refused because of why. Make it anew, in phase
 * "attaching", from its second copy (ledger/copy.h), or else from the interface of that name in
 * CNI_NETNS, if that is a VF's. Nothing is made when a record that can be read has that VF. What
 * was there is kept in the folder of damaged records either way. records is read again. 1: *en is
 * the new record, 0: there is none any more.
 */
int recover_record(struct call *c, struct str container_id, struct str ifname, const char *why,
	struct ledger *records, struct ledger_entry *en) MUST_CHECK;

#endif
