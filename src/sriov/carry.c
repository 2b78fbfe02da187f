/* SPDX-License-Identifier: MIT */
/* Moving a VF's interface and RDMA device between namespaces: see attach.h. */
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "sriov/attach_priv.h"
#include "sriov/sysfs.h"

#define ROUNDS_MORE 4 /* names that are added meanwhile, before we take it for malice */

int attach_down(struct sriov_mover *m, struct nl_sock *s, struct nl_link *l, struct err *e)
{
	struct attach_retry t = attach_retry(m);
	int r;

	if ((l->flags & IFF_UP) == 0) {
		return 0;
	}
	do {
		r = nl_link_set_up(s, l->ifindex, false, e);
	} while (attach_again(&t, r));
	if (r == 0) {
		l->flags &= ~(uint32_t)IFF_UP;
	}
	return r;
}

int attach_rename(struct sriov_mover *m, struct nl_sock *s, struct nl_link *l, const char *name,
	struct err *e)
{
	struct attach_retry t = attach_retry(m);
	bool fits;
	int r;

	if (strcmp(l->name, name) == 0) {
		return 0;
	}
	do {
		r = nl_link_set_name(s, l->ifindex, name, e);
	} while (attach_again(&t, r));
	if (r == 0) {
		fits = str_copy(str_from(name), l->name, sizeof(l->name));
		ASSERT(fits); /* else it had been refused */
	}
	return r;
}

static int drop_altname(
	struct sriov_mover *m, struct nl_sock *s, struct nl_link *l, size_t i, struct err *e)
{
	struct attach_retry t = attach_retry(m);
	int r;

	do {
		r = nl_link_del_altname(s, l->ifindex, l->altname[i], e);
	} while (attach_again(&t, r));
	return r == -ENOENT ? 0 : r;
}

int attach_drop_altnames(
	struct sriov_mover *m, struct nl_sock *s, struct nl_link *l, size_t keep, struct err *e)
{
	/* Those that are only counted are seen when the ones before them are gone. */
	size_t rounds = l->altname_n / NL_ALTNAMES_MAX + ROUNDS_MORE;
	int r = 0;

	keep = l->altname_n > NL_ALTNAMES_MAX ? 0 : keep;
	while (l->altname_n > keep && rounds-- > 0) {
		bool more = l->altname_n > NL_ALTNAMES_MAX;
		size_t n = more ? NL_ALTNAMES_MAX : l->altname_n;

		/* From the end: what a kill leaves of the list is its beginning, in order. */
		while (r == 0 && n > keep) {
			r = drop_altname(m, s, l, --n, e);
			l->altname_n = r == 0 ? n : l->altname_n;
		}
		r = r == 0 && more ? nl_link_get(s, l->ifindex, l, e) : r;
		if (r < 0) {
			return r;
		}
	}
	return l->altname_n > keep ? err_set(e, EBUSY, "somebody adds names to %s", l->name) : 0;
}

int attach_carry(struct sriov_mover *m, const struct sriov_ref *ref, struct nl_sock *from,
	struct nl_link *l, int to, struct err *e)
{
	struct attach_retry t = attach_retry(m);
	char temp[IFNAMSIZ];
	int r = attach_down(m, from, l, e);

	attach_temp_name(&ref->pci, temp);
	if (r == 0) {
		r = attach_rename(m, from, l, temp, e);
	}
	if (r == 0) {
		r = attach_drop_altnames(m, from, l, 0, e);
	}
	if (r < 0) {
		return r;
	}
	do {
		r = nl_link_move(from, l->ifindex, to, temp, e);
	} while (attach_again(&t, r));
	return r;
}

static int find_rdma(
	struct sriov_mover *m, struct nl_sock *s, const char *name, uint32_t *index, struct err *e)
{
	const struct nl_rdma_dev *dev = m->k->rdma_dev;
	size_t n;
	int r = nl_rdma_dev_list(s, m->k->rdma_dev, SRIOV_VF_MAX, &n, e);

	for (size_t i = 0; r == 0 && i < n; i++) {
		if (strcmp(dev[i].name, name) == 0) {
			*index = dev[i].index;
			return 1;
		}
	}
	return r;
}

int attach_move_rdma(
	struct sriov_mover *m, struct nl_sock *from, const char *name, int to, struct err *e)
{
	struct attach_retry t = attach_retry(m);
	uint32_t index = 0;
	int r = find_rdma(m, from, name, &index, e);

	if (r <= 0) {
		return r;
	}
	do {
		r = nl_rdma_set_netns(from, index, to, e);
	} while (attach_again(&t, r));
	return r < 0 ? err_wrap(e, "RDMA device %s", name) : 1;
}

/* The pod must not have the name, by name or altname, unless it is this VF's interface. */
static int check_free_name(
	struct sriov_pod *pod, const struct sriov_ref *ref, const char *ifname, struct err *e)
{
	struct nl_link l;
	int r = nl_link_get_name(&pod->route, ifname, &l, e);

	if (r == -ENODEV) {
		return 0;
	}
	if (r == 0 && !attach_is_at(&l, &ref->pci)) {
		return err_set(e, EEXIST, "the pod already has an interface %s", ifname);
	}
	return r;
}

/* The one that was prepared: nobody has to look for it. False: it is not known, or not there. */
static bool carry_seen(struct sriov_mover *m, const struct sriov_ref *ref, struct sriov_pod *pod,
	int *r, struct err *e)
{
	struct nl_link seen = m->seen;

	m->seen.ifindex = 0;
	if (seen.ifindex == 0 || !pci_same(&m->seen_at, &ref->pci)) {
		return false;
	}
	*r = attach_carry(m, ref, &m->k->route, &seen, pod->ns.fd, e);
	return *r != -ENODEV;
}

/* The interface on the pod's side, carried there unless it is there already. */
static int bring_in(struct sriov_mover *m, const struct sriov_ref *ref, struct sriov_pod *pod,
	struct nl_link *l, struct err *e)
{
	char temp[IFNAMSIZ];
	int r;

	if (!carry_seen(m, ref, pod, &r, e)) {
		r = attach_find_host(m, ref, NULL, l, e);
		if (r == 0) {
			r = attach_find_pod(pod, ref, l, e);
			return r == 0 ? err_set(e, ENODEV, "its interface is in neither namespace")
				      : r;
		}
		r = r < 0 ? r : attach_carry(m, ref, &m->k->route, l, pod->ns.fd, e);
	}
	if (r < 0) {
		return r;
	}
	attach_temp_name(&ref->pci, temp);
	return nl_link_get_name(&pod->route, temp, l, e); /* it may have another index there */
}

/* The RDMA device on the pod's side; it may be on its way back from a namespace that died. */
static int bring_rdma(struct sriov_mover *m, struct sriov_pod *pod, const char *name, struct err *e)
{
	struct attach_retry t = attach_retry(m);
	uint32_t index;
	int r;

	do {
		r = attach_move_rdma(m, &m->k->rdma, name, pod->ns.fd, e);
		if (r == 0) {
			r = find_rdma(m, &pod->rdma, name, &index, e);
		}
		if (r == 0) {
			r = err_set(e, EBUSY, "RDMA device %s is in neither namespace", name);
		}
	} while (attach_again(&t, r));
	return r < 0 ? r : 0;
}

int sriov_vf_move_in(struct sriov_mover *m, const struct sriov_ref *ref,
	const struct sriov_saved *now, struct sriov_pod *pod, const char *ifname, uint32_t *ifindex,
	struct err *e)
{
	struct nl_link l = {.ifindex = 0};
	int r = check_free_name(pod, ref, ifname, e);

	m->asked_too_much = r < 0;
	if (r == 0) {
		r = bring_in(m, ref, pod, &l, e);
	}
	if (r >= 0) {
		r = attach_down(m, &pod->route, &l, e);
	}
	if (r == 0) {
		r = attach_rename(m, &pod->route, &l, ifname, e);
	}
	if (r == 0 && m->rdma_exclusive && now->rdma[0] != '\0') {
		r = bring_rdma(m, pod, now->rdma, e);
	}
	if (r < 0) {
		return err_wrap(e, "VF %u of %s to the pod's namespace", ref->vf, ref->pf);
	}
	*ifindex = l.ifindex;
	return 0;
}

int sriov_vf_rdma_there(struct sriov_mover *m, const struct sriov_ref *ref, struct sriov_pod *pod,
	const char *name, struct err *e)
{
	struct sriov_vf vf;
	uint32_t index;
	int r;

	if (m->rdma_exclusive) {
		return find_rdma(m, &pod->rdma, name, &index, e);
	}
	r = sriov_sysfs_vf_at(m->k->sysfs, &ref->pci, &vf, e);
	return r < 0 ? r : strcmp(vf.rdma, name) == 0;
}
