/* SPDX-License-Identifier: MIT */
/* See release.h. */
#include "release.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "ipam.h"
#include "ledger/copy.h"
#include "recover.h"
#include "take.h"

/* One call a process; static because of their size. */
static struct ledger_entry entry;
static struct ledger records;
static struct ledger_rec rec[LEDGER_MAX];
static char strings[LEDGER_MEM];
static char ids[LEDGER_EACH_MEM];

/* 1 loaded, 0 there is none. */
static int load(struct call *c, const char *container_id, const char *ifname)
{
	int r = ledger_load(
		&c->store, str_from(container_id), str_from(ifname), &entry, &c->fail.e);

	if (r == 0) {
		return 1;
	}
	if (r == -ENOENT) {
		c->fail = (struct cni_fail)CNI_FAIL_INIT;
		return 0;
	}
	if (r != -EINVAL && r != -ENOTSUP) {
		return call_code(c, CNI_ERR_IO);
	}
	/* Damaged, while we hold the VF's lock: not the time for taking the node's. */
	return call_code(c, CNI_ERR_LATER);
}

int release_load(
	struct call *c, struct str container_id, struct str ifname, struct ledger_entry *out)
{
	struct err why = ERR_INIT;
	int r = ledger_load(&c->store, container_id, ifname, out, &why);

	if (r != -EINVAL && r != -ENOTSUP) {
		c->fail.e = r == -ENOENT ? c->fail.e : why;
		return r == 0 ? 1 : r == -ENOENT ? 0 : call_code(c, CNI_ERR_IO);
	}
	ledger_init(&records, rec, strings, sizeof(strings));
	return recover_record(c, container_id, ifname, why.msg, &records, out);
}

/* The VFs whose names are on record, or on a copy of one: see sriov_vf_return. */
static bool is_lent(void *arg, const struct pci_addr *vf)
{
	const struct call *c = arg;

	return ledger_held(&records, vf) || ledger_copy_is(&c->store, vf);
}

static int read_records(struct call *c)
{
	ledger_init(&records, rec, strings, sizeof(strings));
	if (ledger_read(&records, c->node.state_dir, &c->fail.e) < 0) {
		return call_code(c, CNI_ERR_IO);
	}
	return 0;
}

/* Of another boot: what the record says of the VF was true of a machine that is gone. */
static bool of_this_boot(void)
{
	return entry.boot_id[0] == '\0' || records.boot_id[0] == '\0' ||
	       strcmp(records.boot_id, entry.boot_id) == 0;
}

/*
 * The pod's namespace if it is still the one that was recorded, by the path of the ADD, or by the
 * one of this call: runtimes may bind a namespace to another place. 1 open, 0 gone.
 */
static int open_pod(struct call *c, struct sriov_pod *pod)
{
	struct sandbox_netns ns = SANDBOX_NETNS_INIT;
	int r = sandbox_netns_reopen(&ns, entry.netns, entry.netns_inode, &c->fail.e);

	if (r == 0 && sandbox_netns_reopen(&ns, c->env.netns, entry.netns_inode, &c->fail.e) > 0) {
		r = 1;
	}
	if (r <= 0) {
		return r < 0 ? call_code(c, CNI_ERR_NETNS) : 0;
	}
	if (sriov_pod_open(pod, &c->mover, &ns, &c->fail.e) < 0) {
		return call_code(c, CNI_ERR_NETNS);
	}
	return 1;
}

/* 1: the VF is as it was before, or gone. 0: it is there, and not all of it can be put back. */
static int returned(struct call *c, int r, const struct sriov_returned *how)
{
	if (r == 0) {
		log_info("VF %u of %s is back as %s", (unsigned)entry.vf, entry.pf, how->netdev);
		return how->refused == 0 ? 1 : 0;
	}
	if (r != -ENODEV && r != -ENXIO) {
		return call_code(c, CNI_ERR_DEVICE);
	}
	log_warn("VF %u of %s %s: %s", (unsigned)entry.vf, entry.pf,
		r == -ENODEV ? "is not there any more" : "cannot be put back", c->fail.e.msg);
	c->fail = (struct cni_fail)CNI_FAIL_INIT;
	return r == -ENODEV ? 1 : 0;
}

static bool is_in(struct call *c, struct sriov_pod *pod, const struct sriov_ref *ref)
{
	static struct sriov_saved now; /* one call a process; static because of its size */
	struct err e;

	return sriov_vf_read(&c->mover, ref, pod, &now, &e) == 0 &&
	       (now.has & SRIOV_HAS_NETDEV) != 0;
}

/* shared: another record means the same VF, too; then it is ours only if it is in our pod. */
static int bring_back(struct call *c, bool shared)
{
	struct sriov_pod pod = SRIOV_POD_INIT;
	struct sriov_returned how = {.refused = 0};
	struct sriov_ref ref;
	int r;

	if (call_mover(c) < 0) {
		return -c->fail.e.code;
	}
	c->mover.deadline_ms = call_until(c, CALL_KERNEL_MS);
	c->mover.lent = is_lent;
	c->mover.arg = c;
	r = sriov_ref_find(&c->mover, &entry.pci, &ref, &c->fail.e);
	if (r < 0) {
		return returned(c, r, &how);
	}
	r = open_pod(c, &pod);
	if (r >= 0 && shared && (r == 0 || !is_in(c, &pod, &ref))) {
		log_warn("%s: VF %u of %s is not touched", entry.ifname, (unsigned)entry.vf,
			entry.pf);
		r = 0;
	} else if (r >= 0) {
		r = sriov_vf_return(
			&c->mover, &ref, &entry.restore, r == 1 ? &pod : NULL, &how, &c->fail.e);
		r = returned(c, r, &how);
	}
	sriov_pod_close(&pod);
	return r;
}

static int release_device(struct call *c)
{
	int r = read_records(c), owned;

	if (r < 0) {
		return r;
	}
	if (!of_this_boot()) {
		log_info("VF %u of %s: the record is of an earlier boot", (unsigned)entry.vf,
			entry.pf);
		return 0;
	}
	if (!entry.has_pci) {
		return 0; /* we never lend such a VF */
	}
	owned = ledger_owns(&records, &entry, &c->fail.e);
	if (owned != 0) {
		log_warn("%s: %s", entry.ifname, c->fail.e.msg);
		c->fail = (struct cni_fail)CNI_FAIL_INIT;
	}
	if (owned < 0) {
		return 0;
	}
	r = bring_back(c, owned == 1);
	if (r > 0) {
		ledger_copy_drop(&c->store, &entry);
	}
	return r < 0 ? r : 0;
}

/* What became of release_device, if it was done while IPAM ran. */
struct device_work {
	struct call *c;
	bool done;
	int r;
	struct cni_fail fail;
};

static void device_meanwhile(void *arg)
{
	struct device_work *w = arg;

	w->r = release_device(w->c);
	w->done = true;
	w->fail = w->c->fail;
	w->c->fail = (struct cni_fail)CNI_FAIL_INIT;
}

/* w may be NULL. */
static int release_addrs(struct call *c, struct device_work *w)
{
	const struct ipam_for who = {.type = entry.ipam,
		.container_id = entry.container_id,
		.ifname = entry.ifname,
		.netns = c->env.netns,
		.meanwhile = w != NULL && ipam_apart(entry.ipam) ? device_meanwhile : NULL,
		.arg = w};

	if (entry.ipam[0] == '\0' || ipam_del(c, &who, entry.network, entry.cni_version) == 0) {
		return 0;
	}
	if (c->fail.code != CNI_ERR_VERSION || entry.addr_n > 0) {
		return -c->fail.e.code;
	}
	/*
	 * It says that it does not speak the version in which it was asked for an address, and no
	 * address is on record: it gave none, and would say the same for ever.
	 */
	log_warn("nothing to release: %s", c->fail.e.msg);
	c->fail = (struct cni_fail)CNI_FAIL_INIT;
	return 0;
}

static void enter(struct call *c, enum ledger_phase phase)
{
	entry.phase = phase;
	if (ledger_store_entry(&c->store, &entry, &c->fail.e) < 0) {
		/* A full disk: what is removed afterwards needs no room. */
		log_warn("%s", c->fail.e.msg);
		c->fail = (struct cni_fail)CNI_FAIL_INIT;
	}
}

static int forget(struct call *c)
{
	if (ledger_remove(&c->store, str_from(entry.container_id), str_from(entry.ifname),
		    &c->fail.e) < 0) {
		return call_code(c, CNI_ERR_IO);
	}
	return 0;
}

/* Addresses first, or at once with it; the VF goes back even if IPAM cannot be reached. */
static int release_both(struct call *c)
{
	struct device_work w = {.c = c};
	struct cni_fail ipam = CNI_FAIL_INIT;

	enter(c, LEDGER_RELEASING);
	if (release_addrs(c, &w) < 0) {
		ipam = c->fail;
		c->fail = (struct cni_fail)CNI_FAIL_INIT;
		log_error("%s: addresses are not released: %s", entry.ifname, ipam.e.msg);
	}
	if (!w.done) {
		device_meanwhile(&w);
	}
	c->fail = w.fail;
	if (w.r < 0 || ipam.e.code == 0) {
		return w.r;
	}
	enter(c, LEDGER_IPAM_PENDING);
	c->fail = ipam;
	return -ipam.e.code;
}

/* Under the VF's lock, the record just loaded. */
static int release_loaded(struct call *c)
{
	int r = 0;

	if (entry.phase == LEDGER_IPAM_PENDING) {
		r = release_addrs(c, NULL);
	} else if (entry.phase == LEDGER_PLANNED) {
		ledger_copy_drop(&c->store, &entry);
	} else {
		r = release_both(c);
	}
	return r < 0 ? r : forget(c);
}

int release_one(struct call *c, const char *container_id, const char *ifname)
{
	cleanup_fd int lock = -1;
	struct pci_addr pci;
	int r = release_load(c, str_from(container_id), str_from(ifname), &entry);

	if (r <= 0) {
		return r;
	}
	pci = entry.pci;
	lock = ledger_lock_vf(c->store.state, &pci, call_until(c, CALL_LOCK_MS), &c->fail.e);
	if (lock < 0) {
		return call_not_now(c, lock);
	}
	r = load(c, container_id, ifname);
	if (r > 0 && !pci_same(&pci, &entry.pci)) {
		return cni_fail_set(&c->fail, CNI_ERR_LATER, EAGAIN,
			"the record of %s has just changed", ifname);
	}
	return r <= 0 ? r : release_loaded(c);
}

/* The records of one attachment: their interfaces. */
struct found {
	struct call *c;
	const char *request;
	size_t n;
	char ifname[PLACE_REQ_MAX][IFNAMSIZ];
};

static int note(void *arg, struct str container_id, struct str ifname, struct err *e)
{
	struct found *f = arg;
	char id[LEDGER_ID_MAX + 1], name[IFNAMSIZ];
	int r;

	(void)e; /* what went wrong is in the call */
	if (!str_copy(container_id, id, sizeof(id)) || !str_copy(ifname, name, sizeof(name))) {
		return 0;
	}
	r = release_load(f->c, container_id, ifname, &entry);
	if (r > 0 && strcmp(entry.request, f->request) == 0 && f->n < PLACE_REQ_MAX) {
		memcpy(f->ifname[f->n++], name, sizeof(name));
	}
	return r < 0 ? r : 0;
}

int release_all(struct call *c, const char *container_id, const char *request, size_t *found)
{
	struct found f = {.c = c, .request = request};
	struct cni_fail first = CNI_FAIL_INIT;
	struct err e = ERR_INIT;

	*found = 0;
	if (ledger_each(&c->store, str_from(container_id), ids, note, &f, &e) < 0) {
		if (c->fail.e.code == 0) {
			c->fail.e = e;
		}
		return call_code(c, CNI_ERR_IO);
	}
	*found = f.n;
	while (f.n > 0) {
		const char *ifname = f.ifname[--f.n];

		if (release_one(c, container_id, ifname) < 0) {
			log_error("%s: %s", ifname, c->fail.e.msg);
			if (first.e.code == 0) {
				first = c->fail;
				(void)err_wrap(&first.e, "%s", ifname);
			}
			c->fail = (struct cni_fail)CNI_FAIL_INIT;
		}
	}
	c->fail = first;
	return first.e.code != 0 ? -first.e.code : 0;
}
