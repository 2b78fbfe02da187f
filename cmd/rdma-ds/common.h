/* SPDX-License-Identifier: MIT */
/* What the options of both commands have in common. */
#ifndef RDMA_DS_COMMON_H
#define RDMA_DS_COMMON_H

#include "base/command.h"
#include "sriov/conf.h"

/*
 * ds_opts_apply: set the log level, and put --state-dir (NULL: not given) over what the
 * configuration says. -EINVAL: a message that names the option.
 */
int ds_opts_apply(const struct command *c, const char *state_dir, struct sriov_conf *conf,
	struct err *e) MUST_CHECK;

#endif
