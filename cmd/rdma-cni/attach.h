/* SPDX-License-Identifier: MIT */
/* One taken VF becomes an interface of the pod. */
#ifndef RDMA_CNI_ATTACH_H
#define RDMA_CNI_ATTACH_H

#include "nl/devconf.h"
#include "take.h"

/*
 * Several interfaces on one subnet: each answers ARP for its own addresses alone, asks with them
 * alone, and takes packets that the routing table would send elsewhere (RFC 3704 loose).
 */
#define ATTACH_ARP_N 3
extern const struct nl_devconf attach_arp[ATTACH_ARP_N];

/*
 * attach_one: everything between "planned" and "attached" for one record; out is what the result
 * says of it. rank is its number among the pod's interfaces: that of rank 0 gets its routes as IPAM
 * says, the others with metrics that lose (cni_ipam_rank). On failure the VF is
 * somewhere in between: release_one undoes it.
 */
int attach_one(struct call *c, struct sriov_pod *pod, struct taken_vf *vf, size_t rank,
	struct cni_iface *out) MUST_CHECK;

#endif
