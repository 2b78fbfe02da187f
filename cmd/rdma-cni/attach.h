/* SPDX-License-Identifier: MIT */
/* One taken VF becomes an interface of the pod. */
#ifndef RDMA_CNI_ATTACH_H
#define RDMA_CNI_ATTACH_H

#include "take.h"

/*
 * attach_one: everything between "planned" and "attached" for one record; out is what the result
 * says of it. rank is its number among the pod's interfaces: that of rank 0 gets its routes as IPAM
 * says, the others with metrics that lose (cni_ipam_rank). On failure the VF is
 * somewhere in between: release_one undoes it.
 */
int attach_one(struct call *c, struct sriov_pod *pod, struct taken_vf *vf, size_t rank,
	struct cni_iface *out) MUST_CHECK;

#endif
