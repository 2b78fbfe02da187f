/* SPDX-License-Identifier: MIT */
/* See options.h. */
#include "options.h"

#include <stdlib.h>
#include <unistd.h>

#include "common.h"

#define MAX_AGE_UNSET UINT32_MAX

static int read_argv(struct serve_opts *o, int argc, char **argv, struct err *e)
{
	const struct opt table[] = {
		{"listen", OPT_LIST, &o->listen.opt, 0, 0, "[ADDR:]PORT",
			"where to listen, repeatable (default $PORT, else :54005)"},
		{"max-age-ms", OPT_U32, &o->max_age_ms, 0, SRIOV_MAX_AGE_MS, "MS",
			"how long one reading of the node is shared (default 100)"},
		DS_CONFIG(o),
		DS_STATE_DIR(o),
		DS_SYSFS(o),
		COMMAND_LOG_LEVEL(&o->command),
		COMMAND_CHECK_CONFIG(&o->command, "options and configuration"),
		COMMAND_HELP(&o->command),
	};

	return command_parse(&o->command, table, ARRAY_LEN(table), argc, argv, STDOUT_FILENO, e);
}

/* The command line, else $PORT (empty is as unset), else the configuration or its default. */
static int set_listen(struct serve_opts *o, struct err *e)
{
	const char *port = getenv("PORT");

	if (port != NULL && port[0] != '\0') {
		return http_listen_parse(&o->listen, port, "environment variable PORT", e);
	}
	return http_listen_parse(&o->listen, o->conf.listen, "listen of the node configuration", e);
}

int serve_opts_parse(struct serve_opts *o, int argc, char **argv, struct err *e)
{
	int r;

	*o = (struct serve_opts){.command.name = "rdma-ds serve",
		.sysfs = "/sys",
		.max_age_ms = MAX_AGE_UNSET,
		.listen = HTTP_LISTEN_INIT(&o->listen)};
	r = read_argv(o, argc, argv, e);
	if (r != 0) {
		return r;
	}
	r = ds_conf_load(&o->conf, o->config, e);
	if (r == 0) {
		r = ds_opts_apply(&o->command, o->state_dir, &o->conf, e);
	}
	if (r < 0) {
		return r;
	}
	if (o->max_age_ms != MAX_AGE_UNSET) {
		o->conf.max_age_ms = o->max_age_ms;
	}
	return set_listen(o, e);
}
