/* SPDX-License-Identifier: MIT */
/* The parts of CHECK that stand alone. */
#ifndef RDMA_CNI_CHECK_H
#define RDMA_CNI_CHECK_H

#include "call.h"

/* check_routes: whether every route of the record is there, through that interface. */
int check_routes(struct call *c, struct sriov_pod *pod, uint32_t ifindex,
	const struct ledger_entry *en) MUST_CHECK;

/*
 * check_prev: whether prevResult, which is what the runtime believes of the pod, lists the
 * interface with its MAC, and its addresses.
 */
int check_prev(struct call *c, const struct ledger_entry *en) MUST_CHECK;

#endif
