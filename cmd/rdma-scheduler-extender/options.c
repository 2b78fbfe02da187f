/* SPDX-License-Identifier: MIT */
/* See options.h. */
#include "options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/version.h"
#include "json/limits.h"

#define MAX_BODY_MB (JSON_TEXT_MAX >> 20)

static int read_argv(struct ext_opts *o, int argc, char **argv, struct err *e)
{
	const struct opt table[] = {
		{"listen", OPT_LIST, &o->listen, 0, 0, "[ADDR:]PORT",
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
		{"log-level", OPT_STR, &o->log_level, 0, 0, "LEVEL",
			"error, warn, info or debug (default info)"},
		{"check-config", OPT_FLAG, &o->check_config, 0, 0, NULL,
			"check options, then exit"},
		{"version", OPT_FLAG, &o->version, 0, 0, NULL, "print the version"},
		{"help", OPT_FLAG, &o->help, 0, 0, NULL, "this text"},
	};
	char text[2048];
	struct buf b;
	int n = opts_parse(table, ARRAY_LEN(table), argc, argv, e);

	if (n < 0) {
		return n;
	}
	if (n < argc) {
		return err_set(e, EINVAL, "unexpected argument '%s'", argv[n]);
	}
	if (o->help) {
		buf_init(&b, text, sizeof(text));
		opts_help(&b, table, ARRAY_LEN(table));
		ASSERT(buf_ok(&b));
		(void)!printf(
			"usage: rdma-scheduler-extender [OPTION]...\n%.*s", STR_ARG(buf_str(&b)));
	} else if (o->version) {
		(void)!printf("rdma-scheduler-extender %s\n", ferrule_version());
	}
	return 0;
}

static int check_values(struct ext_opts *o, struct err *e)
{
	enum log_level level = LOG_INFO;

	if (o->log_level != NULL && !log_parse_level(str_from(o->log_level), &level)) {
		return err_set(e, EINVAL, "--log-level: '%s' is not error, warn, info or debug",
			o->log_level);
	}
	log_set_level(level);
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
	const char *port = getenv("PORT"); /* empty as if it were not there: the document's way */
	bool from_port;
	int r;

	*o = (struct ext_opts){.listen = {.v = o->listen_v, .cap = HTTP_LISTEN_MAX},
		.strategy = "pack",
		.node_port = 54005,
		.node_timeout_ms = 1500,
		.claim_ttl_s = 30,
		.forget_after_s = 600,
		.max_body_mb = MAX_BODY_MB};
	r = read_argv(o, argc, argv, e);
	if (r < 0 || o->help || o->version) {
		return r;
	}
	from_port = o->listen.n == 0 && port != NULL && port[0] != '\0';
	if (o->listen.n == 0) {
		o->listen.v[o->listen.n++] = from_port ? port : ":8888";
	}
	for (size_t i = 0; i < o->listen.n; i++) {
		if (parse_listen(str_from(o->listen.v[i]), &o->addr[i], e) < 0) {
			return err_wrap(
				e, "%s", from_port ? "environment variable PORT" : "--listen");
		}
	}
	return check_values(o, e);
}
