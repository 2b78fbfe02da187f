/* SPDX-License-Identifier: MIT */
/* What the two readings of a node share: node.c, survey.c. */
#ifndef SRIOV_NODE_PRIV_H
#define SRIOV_NODE_PRIV_H

#include "nl/link.h"
#include "sriov/node.h"

/* node_take_link: what the kernel says of the PF's interface, and its speed if the link is up. */
void node_take_link(struct sriov_kernel *k, struct sriov_pf *pf, const struct nl_link *link);

#endif
