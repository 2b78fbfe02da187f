/* SPDX-License-Identifier: MIT */
/* Node configurations: whatever the text, what is taken keeps every promise of sriov/conf.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sriov/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char mem[SRIOV_CONF_MEM];
static struct sriov_conf conf;

static void must(bool promise)
{
	if (!promise) {
		abort();
	}
}

static void check_pf(size_t at)
{
	const struct sriov_conf_pf *pf = &conf.pf[at];

	must(parse_ifname(str_from(pf->name)));
	must(sriov_conf_pf(&conf, pf->name) == pf); /* the first of that name: no other one */
	must(pf->capacity <= SRIOV_RATE_MAX && pf->headroom <= SRIOV_RATE_MAX);
	must(pf->num_vfs == SRIOV_VFS_MAX_WORD || pf->num_vfs == SRIOV_NUM_DEFAULT ||
		(pf->num_vfs >= 1 && pf->num_vfs <= SRIOV_PF_VF_MAX));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = ERR_INIT;
	struct sock_addr addr;
	struct arena a;
	int r;

	if (size > SRIOV_CONF_CAP) {
		return 0;
	}
	arena_init(&a, mem, sizeof(mem));
	sriov_conf_default(&conf);
	r = sriov_conf_parse(&conf, (struct str){(const char *)data, size}, "f", &a, &e);
	must(a.used == 0);
	if (r != 0) {
		must(r == -EINVAL && e.code == EINVAL && strncmp(e.msg, "f: ", 3) == 0);
		return 0;
	}
	must(conf.state_dir[0] == '/' && conf.state_dir[1] != '\0');
	must(strstr(conf.state_dir, "/../") == NULL);
	must(parse_listen(str_from(conf.listen), &addr, &e) == 0);
	must(conf.max_age_ms <= SRIOV_MAX_AGE_MS && conf.headroom <= SRIOV_RATE_MAX);
	must(conf.pf_n <= SRIOV_PF_MAX && (conf.pfs_given || conf.pf_n == 0));
	for (size_t i = 0; i < conf.pf_n; i++) {
		check_pf(i);
	}
	return 0;
}
