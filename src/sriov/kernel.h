/* SPDX-License-Identifier: MIT */
/* The doors to the kernel that every reading and every change of the hardware goes through. */
#ifndef SRIOV_KERNEL_H
#define SRIOV_KERNEL_H

#include "nl/ethtool.h"
#include "nl/sock.h"

/* Zero-initialise with SRIOV_KERNEL_INIT, then sriov_kernel_open. */
struct sriov_kernel {
	int sysfs; /* the sysfs root, normally /sys */
	struct nl_sock route;
	struct nl_sock genl; /* closed where ethtool netlink is missing (before Linux 5.6) */
	struct nl_ethtool ethtool;
	struct nl_sock rdma; /* closed while the kernel has no RDMA */
};

#define SRIOV_KERNEL_INIT                                                                          \
	{                                                                                          \
		.sysfs = -1, .route = NL_SOCK_INIT, .genl = NL_SOCK_INIT, .rdma = NL_SOCK_INIT     \
	}

/* sriov_kernel_open: open everything for the caller's network namespace. Needs no privilege. */
int sriov_kernel_open(struct sriov_kernel *k, const char *sysfs, struct err *e) MUST_CHECK;
void sriov_kernel_close(struct sriov_kernel *k);

#endif
