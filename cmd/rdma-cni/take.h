/* SPDX-License-Identifier: MIT */
/* Taking VFs: from the inventory, under the ledger's lock, by placement, on record. */
#ifndef RDMA_CNI_TAKE_H
#define RDMA_CNI_TAKE_H

#include "call.h"
#include "wants.h"

#define TAKE_SICK_MAX 32 /* a node with more of them needs a hand, not a search */

/* One VF with its record. */
struct taken_vf {
	struct ledger_entry entry;
	struct sriov_ref ref;
	struct sriov_saved now; /* as it was read */
	bool alone;             /* ours is the VF's second copy, which there is only once */
};

/* The interfaces of one ADD. Large: static storage. */
struct taken {
	size_t n;
	struct taken_vf vf[PLACE_REQ_MAX];
	size_t failed; /* the one that c->sick_vf is about */
	/* VFs that cannot be used, whatever they look like: passed over. */
	size_t sick_n;
	struct pci_addr sick[TAKE_SICK_MAX];
};

/*
 * take_vfs: fill t with a VF for each request of w, named by name, recorded as planned. The node's
 * lock is held only meanwhile. Nothing of the kernel's state is changed. On failure no record
 * stays. CNI_ERR_FULL: the node cannot hold them, with what is missing. If c->sick_vf, it failed
 * over the VF of t->vf[t->failed].
 */
typedef bool take_name_fn(const struct call *c, size_t i, char out[IFNAMSIZ]);
int take_vfs(struct call *c, const struct wants *w, take_name_fn *name,
	const struct sandbox_netns *ns, struct taken *t) MUST_CHECK;

/*
 * take_check_alone: under the VF's lock, before the VF is touched: no other record means the VF of
 * t. Costs nothing where t->alone; else, as after a user that did not give the VF back, the ledger
 * is read. On failure c->sick_vf: another VF will do.
 */
int take_check_alone(struct call *c, const struct taken_vf *t) MUST_CHECK;

/*
 * take_entry: what this call says of an interface that is the VF ref, in the namespace with that
 * inode: all but its name, rates and settings.
 */
void take_entry(const struct call *c, const char *boot_id, uint64_t inode,
	const struct sriov_ref *ref, struct ledger_entry *en);

/* take_node: the node's hardware less what ledger and configuration take away. */
int take_node(struct call *c, struct sriov_node **node, struct ledger **ledger) MUST_CHECK;

/* take_usable: a VF that may be given to a pod now. */
bool take_usable(const struct sriov_vf *vf);

#endif
