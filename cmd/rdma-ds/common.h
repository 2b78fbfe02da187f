/* SPDX-License-Identifier: MIT */
/* What the options of both commands have in common. */
#ifndef RDMA_DS_COMMON_H
#define RDMA_DS_COMMON_H

#include "base/opts.h"
#include "sriov/conf.h"

/*
 * ds_opts_argv: read argv over the table, allow no operands, and print the help text of command
 * when *help came out true. -EINVAL: a message that names option or argument.
 */
int ds_opts_argv(const struct opt *table, size_t n, int argc, char **argv, const char *command,
	const bool *help, struct err *e) MUST_CHECK;

/*
 * ds_opts_apply: set the log level, and put --state-dir over what the configuration says. Either
 * may be NULL: not given. -EINVAL: a message that names the option.
 */
int ds_opts_apply(const char *log_level, const char *state_dir, struct sriov_conf *conf,
	struct err *e) MUST_CHECK;

#endif
