/* SPDX-License-Identifier: MIT */
/* Reading a node: sysfs, rtnetlink, ethtool and RDMA netlink put together into the model. */
#ifndef SRIOV_NODE_H
#define SRIOV_NODE_H

#include "sriov/kernel.h"
#include "sriov/model.h"

/*
 * sriov_node_read: fill n with every SR-IOV capable PF (also those with no VF enabled) and the VFs
 * of each. Holders and configured speeds are not its business: holder is NULL, fixed_speed,
 * last_speed and headroom are 0 (see ledger/ and sriov/conf.h).
 * A PF that vanishes while it is read is left out; one whose VFs cannot be read, or that sysfs and
 * rtnetlink do not agree on, stays, with its problem filled. -errno only when nothing can be said
 * of the node at all.
 */
int sriov_node_read(struct sriov_kernel *k, struct sriov_node *n, struct err *e) MUST_CHECK;

/* sriov_pf_read: read one PF that sriov_sysfs_pf has found, and its VFs, at the end of n. */
int sriov_pf_read(struct sriov_kernel *k, struct sriov_node *n, const struct sriov_pf *found,
	struct err *e) MUST_CHECK;

#endif
