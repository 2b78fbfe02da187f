/* SPDX-License-Identifier: MIT */
/* Options of rdma-scheduler-extender: command line over environment over defaults. */
#ifndef EXTENDER_OPTIONS_H
#define EXTENDER_OPTIONS_H

#include "base/command.h"
#include "http/listen.h"

struct ext_opts {
	struct command command;
	struct http_listen listen;
	const char *strategy;
	uint32_t node_port, node_timeout_ms, claim_ttl_s, forget_after_s, narrow, max_body_mb;
	bool spread;
};

/*
 * ext_opts_parse: read and check; print what --help and --version ask for, then command_over.
 * -EINVAL with a reason.
 */
int ext_opts_parse(struct ext_opts *o, int argc, char **argv, struct err *e) MUST_CHECK;

#endif
