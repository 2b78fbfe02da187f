/* SPDX-License-Identifier: MIT */
/* Options of "rdma-ds serve": command line over environment over configuration over defaults. */
#ifndef RDMA_DS_OPTIONS_H
#define RDMA_DS_OPTIONS_H

#include "base/command.h"
#include "http/listen.h"
#include "sriov/conf.h"

struct serve_opts {
	struct command command;
	const char *config, *state_dir, *sysfs;
	uint32_t max_age_ms;
	struct http_listen listen;
	struct sriov_conf conf; /* with what options and environment change already put in */
};

/*
 * serve_opts_parse: read and check everything, set the log level, and print the help text if that
 * was asked for, then command_over. -EINVAL and the like: a message for people, naming option,
 * variable or key.
 */
int serve_opts_parse(struct serve_opts *o, int argc, char **argv, struct err *e) MUST_CHECK;

#endif
