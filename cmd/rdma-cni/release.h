/* SPDX-License-Identifier: MIT */
/* Taking back what a record says a pod has. */
#ifndef RDMA_CNI_RELEASE_H
#define RDMA_CNI_RELEASE_H

#include "call.h"

/*
 * release_one: give the VF and the addresses of one record back and remove it, whatever state they
 * are in: see ledger/entry.h for the phases. Nothing is touched when the VF is somebody else's by
 * now. A record that cannot be read is set aside. 0 also when there is no record. -errno with
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
