/* SPDX-License-Identifier: MIT */
/* A reading of the node for who takes a few VFs: its cost does not grow with VFs or netdevs. */
#ifndef SRIOV_SURVEY_H
#define SRIOV_SURVEY_H

#include "sriov/kernel.h"
#include "sriov/model.h"

/*
 * Theory of operation
 *
 * sriov_node_read finds the PFs among all netdevs of the node, and asks sysfs of each VF where its
 * interface is. Here the PFs are those of an earlier such reading, remembered in <state>/pfs and
 * each confirmed; its driver tells of all VFs of a PF in one reply; the PCI addresses of the VFs
 * are an arithmetic series (PCIe SR-IOV 2.1.2). Where an interface is, is asked of the few VFs that
 * the caller is about to take. For each PF: five links of sysfs read, one request for it and its
 * VFs, one for its speed.
 *
 * Whoever does not find what is wanted this way reads the node whole, and has that remembered: a
 * PF that came since is found then.
 */

/*
 * sriov_survey_read: fill n with the remembered PFs and their VFs. 1: done. 0: nothing is
 * remembered, or something is not as it was, or cannot be read: a whole reading is due. Differs
 * from what sriov_node_read fills in: rdma, numa_node, total_vfs and caps of PFs are not set; of
 * VFs only index, pci and kernel are known, and state is what the caller can only hope for:
 * SRIOV_VF_FREE (SRIOV_VF_VIRTUAL for those that have no function).
 */
int sriov_survey_read(struct sriov_kernel *k, int state, struct sriov_node *n) MUST_CHECK;

/*
 * sriov_survey_remember: n is a whole reading. Failure costs a warning and the next one's time.
 * With a PF whose VFs could not be read nothing is remembered: a survey would not see why.
 */
void sriov_survey_remember(int state, const struct sriov_node *n);

/* sriov_survey_forget: the next one reads the node whole. */
void sriov_survey_forget(int state);

/* sriov_survey_look: the state of a VF of pf, its netdev, driver and RDMA device as they are now. A
 * VF that is gone has SRIOV_VF_NO_DRIVER. */
void sriov_survey_look(struct sriov_kernel *k, const struct sriov_pf *pf, struct sriov_vf *vf);

#endif
