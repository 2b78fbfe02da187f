/* SPDX-License-Identifier: MIT */
/* See recover.h. */
#include "recover.h"

#include <string.h>

#include "base/log.h"
#include "ledger/copy.h"
#include "take.h"

/* The VF behind the interface of that name in the pod. */
static bool find_in_pod(struct call *c, const char *ifname, uint64_t *inode, struct sriov_ref *ref)
{
	struct sandbox_netns ns = SANDBOX_NETNS_INIT;
	struct sriov_pod pod = SRIOV_POD_INIT;
	struct pci_addr pci;
	struct nl_link l;
	bool found;
	struct err e;

	if (call_mover(c) < 0) {
		c->fail = (struct cni_fail)CNI_FAIL_INIT;
		return false;
	}
	if (c->env.netns[0] == '\0' || sandbox_netns_open(&ns, c->env.netns, &e) < 0) {
		return false;
	}
	*inode = ns.inode;
	found = sriov_pod_open(&pod, &c->mover, &ns, &e) == 0 &&
		nl_link_get_name(&pod.route, ifname, &l, &e) == 0 && strcmp(l.name, ifname) == 0 &&
		parse_pci(str_from(l.parent_dev), &pci) &&
		sriov_ref_find(&c->mover, &pci, ref, &e) == 0;
	sriov_pod_close(&pod);
	return found;
}

static bool from_pod(
	struct call *c, struct str ifname, const struct ledger *records, struct ledger_entry *en)
{
	static struct ledger_entry copy; /* one call a process; static because of its size */
	struct sriov_ref ref;
	uint64_t inode = 0;
	struct err e;
	char name[IFNAMSIZ];

	if (!str_copy(ifname, name, sizeof(name)) || !find_in_pod(c, name, &inode, &ref) ||
		!parse_ifname(str_from(ref.pf))) {
		return false;
	}
	take_entry(c, records->boot_id, inode, &ref, en);
	memcpy(en->ifname, name, sizeof(en->ifname));
	/* Of an earlier attachment that did not give it back, if there is one. */
	if (ledger_copy_load(&c->store, &en->pci, &copy, &e) == 1 && copy.has_restore) {
		en->restore = copy.restore;
		en->has_restore = true;
	}
	return true;
}

/* Under the lock that taking VFs needs: a VF that is found to be nobody's stays that. */
static int find(struct call *c, struct str container_id, struct str ifname, struct ledger *records,
	struct ledger_entry *en)
{
	int r = ledger_read(records, c->node.state_dir, &c->fail.e);

	r = r < 0 ? r : ledger_copy_find(&c->store, container_id, ifname, en, &c->fail.e);
	if (r < 0) {
		return call_code(c, CNI_ERR_IO);
	}
	if (r == 0 && str_eq_c(container_id, c->env.container_id)) {
		r = from_pod(c, ifname, records, en) ? 1 : 0;
	}
	if (r == 0) {
		return 0;
	}
	if (ledger_held(records, &en->pci)) {
		log_warn("VF %u of %s has another owner by now", (unsigned)en->vf, en->pf);
		return 0;
	}
	en->phase = LEDGER_ATTACHING;
	return 1;
}

int recover_record(struct call *c, struct str container_id, struct str ifname, const char *why,
	struct ledger *records, struct ledger_entry *en)
{
	cleanup_fd int lock = ledger_lock(c->store.state, call_until(c, CALL_LOCK_MS), &c->fail.e);
	int r;

	if (lock < 0) {
		return call_not_now(c, lock);
	}
	r = find(c, container_id, ifname, records, en);
	if (r < 0) {
		return r;
	}
	/* The new record replaces the damaged one: a kill in between loses neither. */
	if (ledger_set_aside(&c->store, container_id, ifname, r > 0, why, &c->fail.e) < 0 ||
		(r > 0 && ledger_store_entry(&c->store, en, &c->fail.e) < 0)) {
		return call_code(c, CNI_ERR_IO);
	}
	if (r > 0) {
		log_info("its record is made anew: VF %u of %s", (unsigned)en->vf, en->pf);
	}
	c->fail = (struct cni_fail)CNI_FAIL_INIT;
	return r;
}
