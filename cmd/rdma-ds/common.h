/* SPDX-License-Identifier: MIT */
/* What the options of both commands have in common. */
#ifndef RDMA_DS_COMMON_H
#define RDMA_DS_COMMON_H

#include "base/command.h"
#include "sriov/conf.h"

/* Rows for a table of options; o has members config, state_dir and sysfs. */
#define DS_CONFIG(o)                                                                               \
	{                                                                                          \
		"config", OPT_STR, &(o)->config, 0, 0, "FILE",                                     \
			"node configuration (default " SRIOV_CONF_PATH ", if there)"               \
	}
#define DS_STATE_DIR(o)                                                                            \
	{                                                                                          \
		"state-dir", OPT_STR, &(o)->state_dir, 0, 0, "DIR",                                \
			"where the ledger is (default " SRIOV_STATE_DIR ")"                        \
	}
#define DS_SYSFS(o)                                                                                \
	{                                                                                          \
		"sysfs", OPT_STR, &(o)->sysfs, 0, 0, "DIR",                                        \
			"where sysfs is mounted (default /sys)"                                    \
	}

/* ds_conf_load: sriov_conf_load with memory of its own. */
int ds_conf_load(struct sriov_conf *conf, const char *path, struct err *e) MUST_CHECK;

/*
 * ds_opts_apply: set the log level, and put --state-dir (NULL: not given) over what the
 * configuration says. -EINVAL: a message that names the option.
 */
int ds_opts_apply(const struct command *c, const char *state_dir, struct sriov_conf *conf,
	struct err *e) MUST_CHECK;

#endif
