/* SPDX-License-Identifier: MIT */
/* Options of "rdma-ds init": command line over configuration over defaults. */
#ifndef RDMA_DS_INIT_OPTIONS_H
#define RDMA_DS_INIT_OPTIONS_H

#include "base/command.h"
#include "sriov/conf.h"

struct init_opts {
	struct command command;
	struct opt_list pf;
	const char *pf_v[SRIOV_PF_MAX];
	const char *num_text, *config, *state_dir, *sysfs;
	bool all_sriov, trust, spoofchk, require;
	uint32_t timeout_s, speed_owner;
	uint32_t num_vfs;       /* of the command line, which wins; or SRIOV_NUM_DEFAULT */
	struct sriov_conf conf; /* with what options change already put in */
};

/*
 * init_opts_parse: read and check everything, set the log level, and print the help text if that
 * was asked for, then command_over. -EINVAL and the like: a message for people, naming option or
 * key.
 */
int init_opts_parse(struct init_opts *o, int argc, char **argv, struct err *e) MUST_CHECK;

#endif
