/* SPDX-License-Identifier: MIT */
/* See init_options.h. */
#include "init_options.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/num.h"
#include "common.h"
#include "sriov/plan.h"

#define TIMEOUT_S_DEFAULT   120
#define TIMEOUT_S_MAX       3600
#define SPEED_OWNER_DEFAULT 65532 /* "nonroot": the user of an unprivileged rdma-ds serve */

static int parse(struct init_opts *o, int argc, char **argv, struct err *e)
{
	const struct opt table[] = {
		{"pf", OPT_LIST, &o->pf, 0, 0, "NAME",
			"bring up this PF, repeatable (default: every one with an RDMA device)"},
		{"all-sriov", OPT_FLAG, &o->all_sriov, 0, 0, NULL,
			"bring up PFs without an RDMA device, too"},
		{"num-vfs", OPT_STR, &o->num_text, 0, 0, "N|max",
			"VFs of each PF (default: numVfs, else those there, else max)"},
		{"trust", OPT_ONOFF, &o->trust, 0, 0, "on|off",
			"trust of VFs (default: vf.trust of the configuration, else on)"},
		{"spoofchk", OPT_ONOFF, &o->spoofchk, 0, 0, "on|off",
			"spoof check of VFs (default: vf.spoofCheck, else off)"},
		{"timeout", OPT_U32, &o->timeout_s, 1, TIMEOUT_S_MAX, "S",
			"seconds that each PF may take (default 120)"},
		{"require", OPT_FLAG, &o->require, 0, 0, NULL,
			"having no such PF is an error, not a warning"},
		DS_CONFIG(o),
		DS_STATE_DIR(o),
		{"speed-owner", OPT_U32, &o->speed_owner, 0, INT32_MAX, "UID",
			"user that rdma-ds serve runs as and keeps link speeds (default 65532)"},
		DS_SYSFS(o),
		COMMAND_LOG_LEVEL(&o->command),
		COMMAND_CHECK_CONFIG(&o->command, "options and configuration"),
		COMMAND_HELP(&o->command),
	};

	o->pf.n = 0;
	return command_parse(&o->command, table, ARRAY_LEN(table), argc, argv, STDOUT_FILENO, e);
}

static int check_values(struct init_opts *o, struct err *e)
{
	o->num_vfs = o->num_text == NULL ? SRIOV_NUM_DEFAULT : SRIOV_VFS_MAX_WORD;
	if (o->num_text != NULL && strcmp(o->num_text, "max") != 0 &&
		!num_u32(str_from(o->num_text), SRIOV_PF_VF_MAX, &o->num_vfs)) {
		return err_set(e, EINVAL,
			"--num-vfs: '%s' is neither 'max' nor a number from 0 to %d", o->num_text,
			SRIOV_PF_VF_MAX);
	}
	return ds_opts_apply(&o->command, o->state_dir, &o->conf, e);
}

int init_opts_parse(struct init_opts *o, int argc, char **argv, struct err *e)
{
	int r;

	*o = (struct init_opts){.command.name = "rdma-ds init",
		.pf = {.v = o->pf_v, .cap = ARRAY_LEN(o->pf_v)},
		.sysfs = "/sys",
		.timeout_s = TIMEOUT_S_DEFAULT,
		.speed_owner = SPEED_OWNER_DEFAULT};
	r = parse(o, argc, argv, e);
	if (r != 0) {
		return r;
	}
	r = ds_conf_load(&o->conf, o->config, e);
	if (r < 0) {
		return r;
	}
	/* A second time, over what the configuration says: an option wins. */
	o->trust = o->conf.trust;
	o->spoofchk = o->conf.spoofchk;
	r = parse(o, argc, argv, e);
	return r != 0 ? r : check_values(o, e);
}
