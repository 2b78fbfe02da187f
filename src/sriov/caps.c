/* SPDX-License-Identifier: MIT */
/* See caps.h. */
#include "sriov/caps.h"

#include <string.h>

static const struct driver_caps {
	const char *driver;
	struct sriov_caps caps; /* min_rate, max_rate, trust, spoofchk, link_state */
} drivers[] = {
	{"bnxt_en", {SRIOV_YES, SRIOV_YES, SRIOV_YES, SRIOV_YES, SRIOV_YES}},
	{"i40e", {SRIOV_NO, SRIOV_YES, SRIOV_YES, SRIOV_YES, SRIOV_YES}},
	{"ice", {SRIOV_YES, SRIOV_YES, SRIOV_YES, SRIOV_YES, SRIOV_YES}},
	{"igb", {SRIOV_NO, SRIOV_YES, SRIOV_YES, SRIOV_YES, SRIOV_NO}},
	{"ixgbe", {SRIOV_NO, SRIOV_YES, SRIOV_YES, SRIOV_YES, SRIOV_YES}},
	/* mlx5: minimum rates are relative weights in firmware; the driver takes them as Mb/s. */
	{"mlx5_core", {SRIOV_YES, SRIOV_YES, SRIOV_YES, SRIOV_YES, SRIOV_YES}},
	{"netdevsim", {SRIOV_YES, SRIOV_YES, SRIOV_YES, SRIOV_YES, SRIOV_YES}},
};

void sriov_caps_guess(struct sriov_pf *pf)
{
	memset(&pf->caps, 0, sizeof(pf->caps));
	if (pf->infiniband) {
		pf->caps = (struct sriov_caps){SRIOV_NO, SRIOV_NO, SRIOV_NO, SRIOV_NO, SRIOV_YES};
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(drivers); i++) {
		if (strcmp(pf->driver, drivers[i].driver) == 0) {
			pf->caps = drivers[i].caps;
		}
	}
}

static enum sriov_support observed(enum nl_vf_tri tri)
{
	return tri == NL_VF_UNSUPPORTED ? SRIOV_NO : SRIOV_YES;
}

void sriov_caps_observe(const struct sriov_node *n, struct sriov_pf *pf)
{
	for (size_t i = 0; i < pf->vf_n; i++) {
		const struct nl_vf *k = &n->vf[pf->vf_first + i].kernel;

		if ((k->has & NL_VF_PRESENT) == 0) {
			continue;
		}
		pf->caps.trust = observed(k->trust);
		pf->caps.spoofchk = observed(k->spoofchk);
		if (k->min_tx_rate != 0) {
			pf->caps.min_rate = SRIOV_YES;
		}
		if (k->max_tx_rate != 0) {
			pf->caps.max_rate = SRIOV_YES;
		}
	}
}

const char *sriov_support_name(enum sriov_support s)
{
	return s == SRIOV_YES ? "yes" : s == SRIOV_NO ? "no" : "unknown";
}
