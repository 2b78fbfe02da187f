/* SPDX-License-Identifier: MIT */
/* Which PFs of a node are meant: those named, or those that suit RDMA. */
#ifndef SRIOV_SELECT_H
#define SRIOV_SELECT_H

#include "sriov/conf.h"
#include "sriov/model.h"

struct sriov_choice {
	char name[SRIOV_PF_MAX][IFNAMSIZ];
	size_t n;
	size_t without_rdma; /* PFs passed over because they have no RDMA device */
	size_t forbidden;    /* PFs passed over because the configuration does not name them */
};

/*
 * sriov_choose_named: those of the given names, each once, in the order given. -ENODEV: no such
 * interface; -EINVAL: a VF, a representor, or not allowed by the configuration; -ENOTSUP: not
 * SR-IOV capable (a device that does not say how many VFs it can have must have some already);
 * -E2BIG: more than SRIOV_PF_MAX.
 */
int sriov_choose_named(int sysfs, const struct sriov_conf *c, const char *const *names, size_t n,
	struct sriov_choice *out, struct err *e) MUST_CHECK;

/*
 * sriov_choose: those of n that are SR-IOV capable, allowed by the configuration, and have an RDMA
 * device (unless all).
 */
void sriov_choose(
	const struct sriov_node *n, const struct sriov_conf *c, bool all, struct sriov_choice *out);

#endif
