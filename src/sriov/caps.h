/* SPDX-License-Identifier: MIT */
/* What a PF's driver can do for its VFs, from what is known of drivers and what it reports. */
#ifndef SRIOV_CAPS_H
#define SRIOV_CAPS_H

#include "sriov/model.h"

/*
 * sriov_caps_guess: fill pf->caps by driver name, from the kernel's sources (Linux 6.12: which of
 * ndo_set_vf_rate, ndo_set_vf_trust, ndo_set_vf_spoofchk and ndo_set_vf_link_state a driver has,
 * and whether its rate function takes a minimum). SRIOV_UNKNOWN for drivers not in the table.
 * An InfiniBand PF has link state only.
 */
void sriov_caps_guess(struct sriov_pf *pf);

/*
 * sriov_caps_observe: correct that by what the driver says of the VFs of pf in n: it reports
 * 0xffffffff for a spoof check or trust setting it does not have, and a rate that is set works.
 */
void sriov_caps_observe(const struct sriov_node *n, struct sriov_pf *pf);

const char *sriov_support_name(enum sriov_support s); /* "yes", "no", "unknown" */

#endif
