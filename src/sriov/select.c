/* SPDX-License-Identifier: MIT */
/* See select.h. */
#include "sriov/select.h"

#include <errno.h>
#include <string.h>

#include "sriov/sysfs.h"

static void add(struct sriov_choice *out, const char *name)
{
	ASSERT(out->n < SRIOV_PF_MAX);
	/* It is the name of a PF, which fits. */
	(void)!str_copy(str_from(name), out->name[out->n], sizeof(out->name[0]));
	out->n++;
}

static bool allowed(const struct sriov_conf *c, const char *name)
{
	return !c->pfs_given || sriov_conf_pf(c, name) != NULL;
}

static bool chosen(const struct sriov_choice *out, const char *name)
{
	for (size_t i = 0; i < out->n; i++) {
		if (strcmp(out->name[i], name) == 0) {
			return true;
		}
	}
	return false;
}

int sriov_choose_named(int sysfs, const struct sriov_conf *c, const char *const *names, size_t n,
	struct sriov_choice *out, struct err *e)
{
	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < n; i++) {
		struct sriov_pf pf;
		int r = sriov_sysfs_pf(sysfs, names[i], &pf, e);

		if (r < 0) {
			return r;
		}
		if (pf.total_vfs == 0 && pf.num_vfs == 0) {
			return err_set(
				e, ENOTSUP, "%s: not SR-IOV capable: no sriov_totalvfs", names[i]);
		}
		if (!allowed(c, names[i])) {
			return err_set(e, EINVAL,
				"%s: the node configuration does not allow it: "
				"it is not in \"pfs\"",
				names[i]);
		}
		if (chosen(out, names[i])) {
			continue;
		}
		if (out->n == SRIOV_PF_MAX) {
			return err_set(e, E2BIG, "more than %d physical functions", SRIOV_PF_MAX);
		}
		add(out, names[i]);
	}
	return 0;
}

void sriov_choose(
	const struct sriov_node *n, const struct sriov_conf *c, bool all, struct sriov_choice *out)
{
	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < n->pf_n; i++) {
		const struct sriov_pf *pf = &n->pf[i];

		if (pf->total_vfs == 0) {
			continue;
		}
		if (!allowed(c, pf->name)) {
			out->forbidden++;
		} else if (!all && pf->rdma[0] == '\0') {
			out->without_rdma++;
		} else {
			add(out, pf->name);
		}
	}
}
