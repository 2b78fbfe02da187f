/* SPDX-License-Identifier: MIT */
/* What a PF and its VFs need to be as the policy wants them: decisions only, no I/O. */
#ifndef SRIOV_PLAN_H
#define SRIOV_PLAN_H

#include "base/err.h"
#include "nl/link.h"
#include "sriov/model.h"

/* The settings of a VF that bringing it up may change; bits of a set, in the order of applying. */
enum sriov_set {
	SRIOV_SET_MAC = 1 << 0, /* the administrative address, through the PF */
	SRIOV_SET_NODE_GUID = 1 << 1,
	SRIOV_SET_PORT_GUID = 1 << 2,
	SRIOV_SET_LINK_STATE = 1 << 3, /* InfiniBand: follow the port */
	SRIOV_SET_TRUST = 1 << 4,
	SRIOV_SET_SPOOFCHK = 1 << 5,
	/* Last: some drivers take it only from a trusted VF. */
	SRIOV_SET_NETDEV_MAC = 1 << 6, /* the address of the VF's own interface */
};
#define SRIOV_SETS 7

/* The word for one setting in messages: "MAC address", "trust", ... */
const char *sriov_set_name(enum sriov_set s);

struct sriov_policy {
	bool trust, spoofchk;
};

/* What derived addresses are made from: the PF's permanent address. */
struct sriov_origin {
	bool infiniband;
	uint8_t addr[NL_ADDR_CAP];
	size_t addr_n;
};

/* sriov_origin_of: of the PF that is link; the current address where it has no permanent one. */
void sriov_origin_of(const struct nl_link *link, struct sriov_origin *out);

struct sriov_vf_plan {
	uint32_t set;         /* enum sriov_set: what differs and is to be set */
	uint32_t unsupported; /* what the policy wants and the driver does not report */
	uint8_t mac[6];
	bool trust, spoofchk;
	uint64_t node_guid, port_guid;
};

/*
 * sriov_plan_vf: vf is what the kernel says of a VF that is not in use, net its interface (NULL
 * when it has none). vf->kernel must have NL_VF_PRESENT.
 *
 * Ethernet: the address is the interface's own, else the administrative one, else a derived one
 * (vfid.h); both get it. InfiniBand: GUIDs that are there are kept, others derived; the link
 * follows the port; no MAC, trust or spoof check.
 */
void sriov_plan_vf(const struct sriov_vf *vf, const struct nl_link *net,
	const struct sriov_policy *policy, const struct sriov_origin *origin,
	struct sriov_vf_plan *out);

/*
 * sriov_plan_num: how many VFs pf is to have when want are asked for, or SRIOV_VFS_MAX_WORD: as
 * many as it can; or SRIOV_NUM_DEFAULT: those that are there, else as many as it can. -ERANGE:
 * more than it can have. -ENOTSUP: it can have none, or it does not say how many it could have and
 * has other than want.
 */
int sriov_plan_num(
	const struct sriov_pf *pf, uint32_t want, uint32_t *out, struct err *e) MUST_CHECK;

/* sriov_plan_holder: append who uses vf, as in "VF 3: default/pod-a ...". */
void sriov_plan_holder(struct buf *b, const struct sriov_vf *vf);

#endif
