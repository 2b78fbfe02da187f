/* SPDX-License-Identifier: MIT */
/* A node as JSON: the /getpfs list that schedulers read, and everything known for /v1/node. */
#ifndef SRIOV_RENDER_H
#define SRIOV_RENDER_H

#include "base/buf.h"
#include "sriov/model.h"

/* Room that is always enough: asserted by test with every field at its widest. */
#define SRIOV_GETPFS_PF_BYTES 256
#define SRIOV_GETPFS_VF_BYTES 288
#define SRIOV_GETPFS_CAP                                                                           \
	(SRIOV_PF_MAX * SRIOV_GETPFS_PF_BYTES + SRIOV_VF_MAX * SRIOV_GETPFS_VF_BYTES + 16)

/*
 * sriov_getpfs: the list of PFs that have VFs, with the fields and spellings of the /getpfs
 * contract (cmd/rdma-ds/README.md). Rates are Mb/s. A PF whose VFs could not be read is left out: a
 * scheduler must not take it for empty. false: b was too small.
 */
bool sriov_getpfs(struct buf *b, const struct sriov_node *n) MUST_CHECK;

/* What /v1/node says besides the hardware. */
struct sriov_node_info {
	const char *hostname, *version;
	bool used_only;    /* leave out VFs that nobody uses */
	uint64_t revision; /* a number that changes when sriov_node_digest does */
	size_t ledger_records, ledger_damaged, ledger_clashes, ledger_unmatched;
	const char *ledger_problem, *ledger_clash; /* empty when there is none */
};

/* Control characters in pod names become six bytes each: hence twice the usual size. */
#define SRIOV_NODE_PF_BYTES 3072
#define SRIOV_NODE_VF_BYTES 3072
#define SRIOV_NODE_CAP                                                                             \
	(SRIOV_PF_MAX * SRIOV_NODE_PF_BYTES + SRIOV_VF_MAX * SRIOV_NODE_VF_BYTES + 4096)

/*
 * sriov_node_digest: a number that is the same as long as a scheduler sees the same node: PFs with
 * their capacity, use and readability, and who holds VFs of which.
 */
uint64_t sriov_node_digest(const struct sriov_node *n);

/* sriov_node_render: every PF and VF, documented field by field in cmd/rdma-ds/README.md. */
bool sriov_node_render(
	struct buf *b, const struct sriov_node *n, const struct sriov_node_info *i) MUST_CHECK;

/*
 * sriov_vf_drift: how ledger and kernel differ on a VF: "held-but-in-host" (a record, but the
 * netdev is here), "used-without-record" (nobody's record, but not free), "rates-differ" (the
 * kernel's rates are not those promised, as far as the card has them), "rate-left" (free, but a
 * minimum rate is still set); NULL when they agree.
 */
const char *sriov_vf_drift(const struct sriov_pf *pf, const struct sriov_vf *vf);

#endif
