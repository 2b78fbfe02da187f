/* SPDX-License-Identifier: MIT */
/* Sizes of the node model, each with its reason. */
#ifndef SRIOV_LIMITS_H
#define SRIOV_LIMITS_H

#define SRIOV_PF_MAX    32      /* SR-IOV network ports of one node; the densest servers have 16 */
#define SRIOV_VF_MAX    4096    /* VFs of all PFs together; memory is touched only as VFs exist */
#define SRIOV_PF_VF_MAX 2048    /* VFs of one PF: PCIe allows 65535, network cards stop at 1024 */
#define SRIOV_NAME_MAX  64      /* driver and RDMA device names (IB_DEVICE_NAME_MAX is 64) */
#define SRIOV_RATE_MAX  4000000 /* Mb/s: four times the fastest port on sale; more is nonsense */

_Static_assert(SRIOV_PF_VF_MAX <= SRIOV_VF_MAX, "one PF must fit");

#endif
