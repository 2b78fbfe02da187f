/* SPDX-License-Identifier: MIT */
/* Options of rdma-dummy-dp. */
#ifndef RDMA_DUMMY_DP_OPTIONS_H
#define RDMA_DUMMY_DP_OPTIONS_H

#include "base/command.h"
#include "base/parse.h"
#include "http/limits.h"

struct options {
	struct command command;
	const char *plugin_dir, *socket, *resource, *dev_dir, *mode, *permissions;
	uint32_t count;
	bool directory; /* --mode=directory */
	struct opt_list listen;
	const char *listen_v[HTTP_LISTEN_MAX];
	struct sock_addr addr[HTTP_LISTEN_MAX]; /* listen.n of them */
};

/*
 * options_parse: read and check everything, set the log level, and print what --help and --version
 * ask for, then command_over. -EINVAL: a message for people that names the option.
 */
int options_parse(struct options *o, int argc, char **argv, struct err *e) MUST_CHECK;

/* options_resource: a name that a kubelet accepts; the reason if it is none. */
int options_resource(const char *name, struct err *e) MUST_CHECK;

#endif
