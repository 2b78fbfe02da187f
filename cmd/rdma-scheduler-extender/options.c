/* SPDX-License-Identifier: MIT */
/* See options.h. */
#include "options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "json/limits.h"

#define MAX_BODY_MB (JSON_TEXT_MAX >> 20)

static int read_argv(struct ext_opts *o, int argc, char **argv, struct err *e)
{
	const struct opt table[] = {
		{"listen", OPT_LIST, &o->listen.opt, 0, 0, "[ADDR:]PORT",
			"where to listen, repeatable (default $PORT, else :8888)"},
		{"node-port", OPT_U32, &o->node_port, 1, 65535, "PORT",
			"where rdma-ds listens on nodes (default 54005)"},
		{"node-timeout", OPT_U32, &o->node_timeout_ms, 10, 60000, "MS",
			"how long a node's whole answer may take (default 1500)"},
		{"claim-ttl", OPT_U32, &o->claim_ttl_s, 1, 3600, "S",
			"how long a promise to a pod lasts (default 30)"},
		{"forget-after", OPT_U32, &o->forget_after_s, 10, 86400, "S",
			"drop nodes not asked about for so long (default 600)"},
		{"narrow", OPT_U32, &o->narrow, 0, 1000000, "N",
			"let at most the N best nodes pass (default 0: all that fit)"},
		{"strategy", OPT_STR, &o->strategy, 0, 0, "pack|spread",
			"which nodes are best (default pack)"},
		{"max-body", OPT_U32, &o->max_body_mb, 1, MAX_BODY_MB, "MB",
			"largest request in MiB (default 256)"},
		COMMAND_LOG_LEVEL(&o->command),
		COMMAND_CHECK_CONFIG(&o->command, "options"),
		COMMAND_VERSION(&o->command),
		COMMAND_HELP(&o->command),
	};

	return command_parse(&o->command, table, ARRAY_LEN(table), argc, argv, STDOUT_FILENO, e);
}

static int check_values(struct ext_opts *o, struct err *e)
{
	if (command_log_level(&o->command, e) < 0) {
		return -e->code;
	}
	o->spread = strcmp(o->strategy, "spread") == 0;
	if (!o->spread && strcmp(o->strategy, "pack") != 0) {
		return err_set(
			e, EINVAL, "--strategy: '%s' is neither pack nor spread", o->strategy);
	}
	if (o->forget_after_s <= o->claim_ttl_s) {
		return err_set(e, EINVAL, "--forget-after must be longer than --claim-ttl");
	}
	return 0;
}

int ext_opts_parse(struct ext_opts *o, int argc, char **argv, struct err *e)
{
	const char *port = getenv("PORT");
	int r;

	*o = (struct ext_opts){.command.name = "rdma-scheduler-extender",
		.listen = HTTP_LISTEN_INIT(&o->listen),
		.strategy = "pack",
		.node_port = 54005,
		.node_timeout_ms = 1500,
		.claim_ttl_s = 30,
		.forget_after_s = 600,
		.max_body_mb = MAX_BODY_MB};
	r = read_argv(o, argc, argv, e);
	if (r != 0) {
		return r;
	}
	r = http_listen_parse(&o->listen, port != NULL ? port : ":8888",
		port != NULL ? "environment variable PORT" : "the default", e);
	if (r < 0) {
		return r;
	}
	return check_values(o, e);
}
