/* SPDX-License-Identifier: MIT */
/* See common.h. */
#include "common.h"

#include <errno.h>

int ds_conf_load(struct sriov_conf *conf, const char *path, struct err *e)
{
	static char mem[SRIOV_CONF_MEM]; /* needed while the configuration is read */
	struct arena a;

	arena_init(&a, mem, sizeof(mem));
	return sriov_conf_load(conf, path, &a, e);
}

int ds_opts_apply(
	const struct command *c, const char *state_dir, struct sriov_conf *conf, struct err *e)
{
	if (command_log_level(c, e) < 0) {
		return -e->code;
	}
	if (state_dir != NULL &&
		(state_dir[0] != '/' ||
			!str_copy(str_from(state_dir), conf->state_dir, sizeof(conf->state_dir)))) {
		return err_set(e, EINVAL,
			"--state-dir: '%s' is not an absolute path of under %zu bytes", state_dir,
			sizeof(conf->state_dir));
	}
	return 0;
}
