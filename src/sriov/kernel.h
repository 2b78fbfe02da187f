/* SPDX-License-Identifier: MIT */
/* The doors to the kernel that every reading and every change of the hardware goes through. */
#ifndef SRIOV_KERNEL_H
#define SRIOV_KERNEL_H

#include "nl/ethtool.h"
#include "nl/rdma.h"
#include "nl/sock.h"
#include "nl/vf.h"
#include "sriov/limits.h"

/*
 * Large, because it carries the memory that a reading needs: give it static storage. Fill it with
 * sriov_kernel_open.
 */
struct sriov_kernel {
	int sysfs; /* the sysfs root, normally /sys */
	struct nl_sock route;
	struct nl_sock genl; /* closed where ethtool netlink is missing (before Linux 5.6) */
	struct nl_ethtool ethtool;
	struct nl_sock rdma;                       /* closed while the kernel has no RDMA */
	struct nl_vf vf[SRIOV_PF_VF_MAX];          /* one PF's list while it is read */
	struct nl_rdma_dev rdma_dev[SRIOV_VF_MAX]; /* the RDMA devices while they are read */
};

/*
 * sriov_kernel_open: open everything for the caller's network namespace; sysfs is the directory
 * where it is mounted. Needs no privilege. On failure everything is closed again.
 */
int sriov_kernel_open(struct sriov_kernel *k, const char *sysfs, struct err *e) MUST_CHECK;
void sriov_kernel_close(struct sriov_kernel *k);

#endif
