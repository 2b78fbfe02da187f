/* SPDX-License-Identifier: MIT */
/* Taking back what a record says a pod has. */
#ifndef RDMA_CNI_RELEASE_H
#define RDMA_CNI_RELEASE_H

#include "call.h"

/*
 * release_load: the record of an interface; one that cannot be read is set aside, and made anew if
 * possible (recover.h): then that. 1 loaded, 0 there is none.
 */
int release_load(struct call *c, struct str container_id, struct str ifname,
	struct ledger_entry *out) MUST_CHECK;

/*
 * release_one: give the VF and the addresses of one record back and remove it, whatever state they
 * are in: see ledger/entry.h for the phases. Nothing is touched when the VF is somebody else's by
 * now. A record that cannot be read is made anew if possible (recover.h). A VF that is gone, or
 * that no driver can put back, is given up. 0 also when there is no record. -errno with
 * c->fail: something is left to do; a later call does it. When only IPAM failed the record stays
 * as "ipam-pending", which does not hold the VF.
 */
int release_one(struct call *c, const char *container_id, const char *ifname) MUST_CHECK;

/*
 * release_all: every interface that the attachment (container_id, request) has, the last one
 * first. *found: how many records there were. The first failure is reported, the others logged.
 */
int release_all(
	struct call *c, const char *container_id, const char *request, size_t *found) MUST_CHECK;

#endif
