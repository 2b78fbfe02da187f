/* SPDX-License-Identifier: MIT */
/* See common.h. */
#include "common.h"

#include <errno.h>
#include <stdio.h>

#include "base/log.h"

#define HELP_CAP 2048

int ds_opts_argv(const struct opt *table, size_t n, int argc, char **argv, const char *command,
	const bool *help, struct err *e)
{
	char text[HELP_CAP];
	struct buf b;
	int r = opts_parse(table, n, argc, argv, e);

	if (r < 0) {
		return r;
	}
	if (r < argc) {
		return err_set(e, EINVAL, "unexpected argument '%s'", argv[r]);
	}
	if (*help) {
		buf_init(&b, text, sizeof(text));
		opts_help(&b, table, n);
		ASSERT(buf_ok(&b));
		(void)!printf("usage: rdma-ds %s [OPTION]...\n%.*s", command, STR_ARG(buf_str(&b)));
	}
	return 0;
}

int ds_opts_apply(
	const char *log_level, const char *state_dir, struct sriov_conf *conf, struct err *e)
{
	enum log_level level = LOG_INFO;

	if (log_level != NULL && !log_parse_level(str_from(log_level), &level)) {
		return err_set(e, EINVAL, "--log-level: '%s' is not error, warn, info or debug",
			log_level);
	}
	log_set_level(level);
	if (state_dir != NULL &&
		(state_dir[0] != '/' ||
			!str_copy(str_from(state_dir), conf->state_dir, sizeof(conf->state_dir)))) {
		return err_set(e, EINVAL,
			"--state-dir: '%s' is not an absolute path of under %zu bytes", state_dir,
			sizeof(conf->state_dir));
	}
	return 0;
}
