/* SPDX-License-Identifier: MIT */
/* Options of rdma-dummy-dp. */
#ifndef RDMA_DUMMY_DP_OPTIONS_H
#define RDMA_DUMMY_DP_OPTIONS_H

#include "base/command.h"
#include "http/listen.h"

struct options {
	struct command command;
	const char *plugin_dir, *socket, *resource, *dev_dir, *mode, *permissions;
	uint32_t count;
	bool directory;            /* --mode=directory */
	struct http_listen listen; /* nowhere by default */
};

/*
 * options_parse: read and check everything, set the log level, and print what --help and --version
 * ask for, then command_over. -EINVAL: a message for people that names the option.
 */
int options_parse(struct options *o, int argc, char **argv, struct err *e) MUST_CHECK;

/* options_resource: a name that a kubelet accepts; the reason if it is none. */
int options_resource(const char *name, struct err *e) MUST_CHECK;

#endif
