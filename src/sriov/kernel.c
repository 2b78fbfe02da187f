/* SPDX-License-Identifier: MIT */
/* See kernel.h. */
#include "sriov/kernel.h"

#include <fcntl.h>
#include <linux/netlink.h>

#include "base/file.h"

int sriov_kernel_open(struct sriov_kernel *k, const char *sysfs, struct err *e)
{
	struct err ignored;
	int r;

	k->route = (struct nl_sock)NL_SOCK_INIT;
	k->genl = (struct nl_sock)NL_SOCK_INIT;
	k->rdma = (struct nl_sock)NL_SOCK_INIT;
	k->sysfs = file_open_dir(AT_FDCWD, sysfs, e);
	if (k->sysfs < 0) {
		return k->sysfs;
	}
	r = nl_sock_open(&k->route, NETLINK_ROUTE, 0, e);
	if (r == 0) {
		r = nl_rdma_open(&k->rdma, 0, e);
	}
	if (r < 0) {
		sriov_kernel_close(k);
		return r;
	}
	/* Before Linux 5.6 there is no ethtool family: speeds then come from sysfs alone. */
	if (nl_sock_open(&k->genl, NETLINK_GENERIC, 0, &ignored) == 0 &&
		nl_ethtool_init(&k->ethtool, &k->genl, &ignored) < 0) {
		nl_sock_close(&k->genl);
	}
	return 0;
}

void sriov_kernel_close(struct sriov_kernel *k)
{
	cleanup_fd_close(&k->sysfs);
	k->sysfs = -1;
	nl_sock_close(&k->route);
	nl_sock_close(&k->genl);
	nl_sock_close(&k->rdma);
}
