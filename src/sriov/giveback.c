/* SPDX-License-Identifier: MIT */
/* A VF back from a pod: see sriov_vf_return in attach.h. */
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "sriov/attach_priv.h"
#include "sriov/sysfs.h"

#define UNBOUND_MS 2000 /* somebody may just be binding it; the kernel has done so at once */

/* One return. */
struct giveback {
	struct sriov_mover *m;
	const struct sriov_ref *ref;
	struct sriov_saved to; /* what is put back */
	struct sriov_returned *out;
	bool probed; /* the kernel was asked to find the VF a driver */
	int64_t probed_ms;
};

static int refused(void *arg, uint32_t setting, struct err *e)
{
	struct giveback *g = arg;

	if (e->code == ENODEV) {
		return -ENODEV; /* gone, not refused */
	}
	/* What a driver cannot set it cannot have changed. */
	if (e->code != EOPNOTSUPP) {
		log_warn("%s, PF %s, VF %u: the %s cannot be put back: %s", g->ref->pf_driver,
			g->ref->pf, g->ref->vf, sriov_saved_name(setting & (~setting + 1)), e->msg);
		g->out->refused |= setting;
	}
	return 0;
}

/* From the pod's namespace, if it is there. */
static int fetch(struct giveback *g, struct sriov_pod *pod, struct err *e)
{
	struct nl_link l;
	int r = attach_find_pod(pod, g->ref, &l, e);

	if (r > 0) {
		r = attach_carry(g->m, g->ref, &pod->route, &l, g->m->home.fd, e);
	}
	if (r == 0 && g->m->rdma_exclusive && g->to.rdma[0] != '\0') {
		r = attach_move_rdma(g->m, &pod->rdma, g->to.rdma, g->m->home.fd, e);
	}
	return r < 0 ? r : 0;
}

/* -EBUSY while it may still get a driver. */
static int unbound(struct giveback *g, struct err *e)
{
	int64_t now = clock_ms();
	struct err ignored;

	if (!g->probed) {
		g->probed = true;
		g->probed_ms = now;
		/* Whether it helped is seen in what follows. */
		(void)!sriov_sysfs_probe(g->m->k->sysfs, &g->ref->pci, &ignored);
	}
	return err_set(e,
		now - g->probed_ms < UNBOUND_MS && now < g->m->deadline_ms ? EBUSY : ENXIO,
		"VF %u of %s has no driver", g->ref->vf, g->ref->pf);
}

/* Why the interface is not there, as the result of a wait that is not over. */
static int absent(struct giveback *g, const struct sriov_vf *vf, struct err *e)
{
	const struct sriov_ref *ref = g->ref;

	switch (vf->state) {
	case SRIOV_VF_VFIO:
	case SRIOV_VF_OTHER:
		return err_set(e, ENXIO, "VF %u of %s is bound to driver %s", ref->vf, ref->pf,
			vf->driver);
	case SRIOV_VF_NO_DRIVER:
		return unbound(g, e);
	default:
		return err_set(e, EBUSY,
			"the interface of VF %u of %s is in another network "
			"namespace",
			ref->vf, ref->pf);
	}
}

/* The interface in the host namespace, as soon as the kernel has brought it there. */
static int await(struct giveback *g, struct nl_link *l, struct err *e)
{
	struct attach_retry t = attach_retry(g->m);
	struct sriov_vf vf;
	int r;

	do {
		r = attach_find_host(g->m, g->ref, &vf, l, e);
		if (r == 0) {
			r = absent(g, &vf, e);
		}
	} while (attach_again(&t, r));
	return r < 0 ? r : 0;
}

static int settings(struct giveback *g, const struct nl_link *l, struct err *e)
{
	const struct attach_setter s = {g->m, g->ref, refused, g};
	struct sriov_saved now = {.has = 0};
	int r = attach_read_pf(g->m, g->ref, &now, e);

	if (r == 0) {
		r = attach_set(&s, &g->to, attach_differ(&g->to, &now, ATTACH_PF_SETS), e);
	}
	return r == 0 ? attach_set_netdev(&s, l, &g->to, e) : r;
}

/* How many of its altnames, from the first, are as they were before. */
static size_t altnames_kept(const struct giveback *g, const struct nl_link *l)
{
	size_t n = 0;

	while (n < l->altname_n && n < NL_ALTNAMES_MAX && n < g->to.altname_n &&
		strcmp(l->altname[n], g->to.altname[n]) == 0) {
		n++;
	}
	return n;
}

/* From the first that is missing, so that their order is as it was, too. */
static int add_altnames(struct giveback *g, const struct nl_link *l, struct err *e)
{
	for (size_t i = l->altname_n; i < g->to.altname_n; i++) {
		struct attach_retry t = attach_retry(g->m);
		int r;

		do {
			r = nl_link_add_altname(&g->m->k->route, l->ifindex, g->to.altname[i], e);
		} while (attach_again(&t, r));
		/* Another interface has it by now, or udev was faster than we. */
		if (r == -EEXIST) {
			log_warn("VF %u of %s: alternative name %s is taken", g->ref->vf,
				g->ref->pf, g->to.altname[i]);
		} else if (r < 0) {
			return r;
		}
	}
	return 0;
}

/*
 * The interface that has our name may be another VF's that came back from a dead namespace under
 * it: then the name is not its own, and it gets one that is in nobody's way. True: tried.
 */
static bool evict(struct giveback *g, const char *name)
{
	struct sriov_mover *m = g->m;
	struct pci_addr pci;
	struct nl_link l;
	struct err e;
	char temp[IFNAMSIZ];

	if (m->lent == NULL || nl_link_get_name(&m->k->route, name, &l, &e) < 0 ||
		strcmp(l.name, name) != 0 || (l.flags & IFF_UP) != 0 ||
		!parse_pci(str_from(l.parent_dev), &pci) || !m->lent(m->arg, &pci)) {
		return false;
	}
	attach_temp_name(&pci, temp);
	return attach_rename(m, &m->k->route, &l, temp, &e) == 0;
}

static int name_again(struct giveback *g, struct nl_link *l, struct err *e)
{
	struct nl_sock *s = &g->m->k->route;
	char stable[IFNAMSIZ];
	int r = attach_rename(g->m, s, l, g->to.netdev, e);

	if (r == -EEXIST && evict(g, g->to.netdev)) {
		r = attach_rename(g->m, s, l, g->to.netdev, e);
	}
	if (r != -EEXIST) {
		return r;
	}
	g->out->renamed = true;
	if (attach_stable_name(g->ref, stable)) {
		r = attach_rename(g->m, s, l, stable, e);
	}
	if (r == -EEXIST && !attach_name_is_stray(l->name)) {
		attach_temp_name(&g->ref->pci, stable);
		r = attach_rename(g->m, s, l, stable, e);
	}
	if (r == 0 || r == -EEXIST) {
		log_warn("VF %u of %s: its old name %s is taken, it is called %s now", g->ref->vf,
			g->ref->pf, g->to.netdev, l->name);
		r = 0;
	}
	return r;
}

static int set_up(struct giveback *g, const struct nl_link *l, struct err *e)
{
	struct attach_retry t = attach_retry(g->m);
	int r;

	do {
		r = nl_link_set_up(&g->m->k->route, l->ifindex, true, e);
	} while (attach_again(&t, r));
	return r < 0 ? refused(g, SRIOV_HAS_NETDEV, e) : 0;
}

static bool is_whole(const struct giveback *g, const struct nl_link *l)
{
	bool same_mac = (g->to.has & SRIOV_HAS_MAC) == 0 || l->addr_n != ATTACH_MAC_LEN ||
			memcmp(g->to.mac, l->addr, ATTACH_MAC_LEN) == 0;

	return strcmp(l->name, g->to.netdev) == 0 && ((l->flags & IFF_UP) != 0) == g->to.up &&
	       same_mac;
}

/* Everything about an interface that is in the host namespace. */
static int restore(struct giveback *g, struct nl_link *l, struct err *e)
{
	bool whole = is_whole(g, l); /* it never left: leave it up while settings are put back */
	int r = 0;

	if (!whole) {
		r = attach_down(g->m, &g->m->k->route, l, e);
	}
	r = r == 0 ? settings(g, l, e) : r;
	/* Those that were not there before go first: one of them may be the name to have. */
	if (r == 0) {
		r = attach_drop_altnames(g->m, &g->m->k->route, l, altnames_kept(g, l), e);
	}
	r = r == 0 ? name_again(g, l, e) : r;
	r = r == 0 ? add_altnames(g, l, e) : r;
	return r == 0 && !whole && g->to.up ? set_up(g, l, e) : r;
}

/* What is put back where nobody knows what was. */
static void defaults(struct giveback *g)
{
	const struct nl_vf *k = &g->m->k->vf[g->ref->vf];
	struct sriov_saved *to = &g->to;

	to->has = ATTACH_PF_SETS &
		  ~(uint32_t)(SRIOV_HAS_ADMIN_MAC | SRIOV_HAS_NODE_GUID | SRIOV_HAS_PORT_GUID);
	to->vlan_proto = NL_VLAN_8021Q;
	to->trust = g->m->trust;
	to->spoofchk = g->m->spoofchk;
	to->link_state = NL_VF_LINK_AUTO;
	to->mtu = g->m->pf.mtu;
	if ((k->has & NL_VF_MAC) != 0 && !mac_is_zero(k->mac)) {
		to->has |= SRIOV_HAS_MAC;
		memcpy(to->mac, k->mac, ATTACH_MAC_LEN);
	}
}

static int decide(struct giveback *g, const struct sriov_saved *old, struct err *e)
{
	struct sriov_saved now = {.has = 0};
	int r = 0;

	g->to = *old;
	if (old->has == 0) {
		r = attach_read_pf(g->m, g->ref, &now, e);
		if (r == 0 && g->ref->pf[0] != '\0') {
			defaults(g);
		}
	}
	/* Without a PF in sight, or with a long name, only the temporary name is left. */
	if (g->to.netdev[0] == '\0' && !attach_stable_name(g->ref, g->to.netdev)) {
		attach_temp_name(&g->ref->pci, g->to.netdev);
	}
	return r;
}

/* An interface that went away may come again, unless its device has gone, too. */
static bool comes_again(struct giveback *g)
{
	struct sriov_vf vf;
	struct err ignored;

	return sriov_sysfs_vf_at(g->m->k->sysfs, &g->ref->pci, &vf, &ignored) == 0;
}

int sriov_vf_return(struct sriov_mover *m, const struct sriov_ref *ref,
	const struct sriov_saved *old, struct sriov_pod *pod, struct sriov_returned *out,
	struct err *e)
{
	struct giveback g = {.m = m, .ref = ref, .out = out};
	struct attach_retry t = attach_retry(m);
	struct nl_link l;
	int r;

	*out = (struct sriov_returned){.refused = 0};
	do {
		r = decide(&g, old, e);
		r = r == 0 && pod != NULL ? fetch(&g, pod, e) : r;
		r = r == 0 ? await(&g, &l, e) : r;
		r = r == 0 ? restore(&g, &l, e) : r;
		/* Drivers may make the interface anew, udev may rename it under our hands. */
	} while (attach_again(&t, r == -ENODEV && comes_again(&g) ? -EAGAIN : r));
	if (r == 0) {
		memcpy(out->netdev, l.name, sizeof(out->netdev));
	}
	/* What is gone is not the VF: its interface, or the driver's knowledge of it. */
	if (r == -ENODEV && comes_again(&g)) {
		e->code = ENXIO;
	}
	return r < 0 ? -e->code : 0;
}
