/* SPDX-License-Identifier: MIT */
/* Reading one VF: see sriov_vf_read in attach.h. */
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include <linux/if_arp.h>

#include "sriov/attach_priv.h"

/* What the PF's driver told of the VF; an InfiniBand PF has no MAC, VLAN, trust for its VFs. */
static void take_kernel(const struct nl_vf *k, bool infiniband, struct sriov_saved *out)
{
	if (!infiniband && (k->has & NL_VF_MAC) != 0) {
		out->has |= SRIOV_HAS_ADMIN_MAC;
		memcpy(out->admin_mac, k->mac, ATTACH_MAC_LEN);
	}
	if (!infiniband && (k->has & NL_VF_VLAN) != 0) {
		out->has |= SRIOV_HAS_VLAN;
		out->vlan = k->vlan;
		out->qos = k->qos;
		out->vlan_proto = k->proto;
	}
	if ((k->has & NL_VF_RATE) != 0) {
		out->has |= SRIOV_HAS_MAX_RATE;
		out->max_tx_rate = k->max_tx_rate;
	}
	if ((k->has & NL_VF_MIN_RATE) != 0) {
		out->has |= SRIOV_HAS_MIN_RATE;
		out->min_tx_rate = k->min_tx_rate;
	}
	if (k->spoofchk != NL_VF_UNSUPPORTED) {
		out->has |= SRIOV_HAS_SPOOFCHK;
		out->spoofchk = k->spoofchk == NL_VF_ON;
	}
	if (k->trust != NL_VF_UNSUPPORTED) {
		out->has |= SRIOV_HAS_TRUST;
		out->trust = k->trust == NL_VF_ON;
	}
	if ((k->has & NL_VF_LINK_STATE) != 0) {
		out->has |= SRIOV_HAS_LINK_STATE;
		out->link_state = k->link_state;
	}
	if ((k->has & NL_VF_NODE_GUID) != 0) {
		out->has |= SRIOV_HAS_NODE_GUID;
		out->node_guid = k->node_guid;
	}
	if ((k->has & NL_VF_PORT_GUID) != 0) {
		out->has |= SRIOV_HAS_PORT_GUID;
		out->port_guid = k->port_guid;
	}
}

int attach_read_pf(
	struct sriov_mover *m, const struct sriov_ref *ref, struct sriov_saved *out, struct err *e)
{
	const struct nl_vf *vf = &m->k->vf[ref->vf];
	size_t n;
	int r;

	if (ref->pf[0] == '\0') {
		return 0;
	}
	r = nl_vf_list_link(
		&m->k->route, ref->pf_ifindex, &m->pf, m->k->vf, SRIOV_PF_VF_MAX, &n, e);
	if (r < 0) {
		return err_wrap(e, "VF %u of %s", ref->vf, ref->pf);
	}
	if (ref->vf >= n || (vf->has & NL_VF_PRESENT) == 0) {
		return err_set(e, ENODEV, "%s, PF %s: the driver does not describe VF %u",
			ref->pf_driver, ref->pf, ref->vf);
	}
	take_kernel(vf, m->pf.arphrd == ARPHRD_INFINIBAND, out);
	return 0;
}

static void take_link(const struct nl_link *l, struct sriov_saved *out)
{
	bool fits = str_copy(str_from(l->name), out->netdev, sizeof(out->netdev));

	ASSERT(fits); /* same size */
	/* No node gives an interface that many: a pod did, and nobody wants the rest back. */
	out->altname_n = l->altname_n < SRIOV_ALTNAMES_MAX ? l->altname_n : SRIOV_ALTNAMES_MAX;
	out->has |= SRIOV_HAS_NETDEV;
	memcpy(out->altname, l->altname, sizeof(out->altname));
	out->mtu = l->mtu;
	out->up = (l->flags & IFF_UP) != 0;
	out->promisc = (l->flags & IFF_PROMISC) != 0;
	out->allmulti = (l->flags & IFF_ALLMULTI) != 0;
	if (l->addr_n == ATTACH_MAC_LEN) {
		out->has |= SRIOV_HAS_MAC;
		memcpy(out->mac, l->addr, ATTACH_MAC_LEN);
	}
}

/* An interface cannot be called what is one of its own altnames. */
static void drop_altname(struct sriov_saved *s, const char *name)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->altname_n; i++) {
		if (strcmp(s->altname[i], name) == 0) {
			continue;
		}
		if (kept != i) {
			memcpy(s->altname[kept], s->altname[i], sizeof(s->altname[i]));
		}
		kept++;
	}
	s->altname_n = kept;
}

/* Of an interface in the host namespace: the name to go back to. */
static int mend_name(
	struct sriov_mover *m, const struct sriov_ref *ref, struct sriov_saved *out, struct err *e)
{
	char stable[IFNAMSIZ];
	struct nl_link taken;
	int r;

	if (!attach_name_is_stray(out->netdev) || !attach_stable_name(ref, stable)) {
		return 0;
	}
	r = nl_link_get_name(&m->k->route, stable, &taken, e);
	if (r == -ENODEV || (r == 0 && attach_is_at(&taken, &ref->pci))) {
		memcpy(out->netdev, stable, sizeof(stable));
		drop_altname(out, stable);
		return 0;
	}
	return r;
}

int sriov_vf_read(struct sriov_mover *m, const struct sriov_ref *ref, struct sriov_pod *pod,
	struct sriov_saved *out, struct err *e)
{
	struct sriov_vf vf = {.has_pci = false};
	struct nl_link l;
	int r;

	memset(out, 0, sizeof(*out));
	r = attach_read_pf(m, ref, out, e);
	if (r < 0) {
		return r;
	}
	r = pod != NULL ? attach_find_pod(pod, ref, &l, e) : attach_find_host(m, ref, &vf, &l, e);
	if (r <= 0) {
		return r;
	}
	memcpy(out->rdma, vf.rdma, sizeof(out->rdma));
	take_link(&l, out);
	return pod == NULL ? mend_name(m, ref, out, e) : 0;
}

int sriov_vf_read_seen(struct sriov_mover *m, const struct sriov_ref *ref,
	const struct sriov_vf *vf, struct sriov_saved *out, struct err *e)
{
	struct nl_link l;
	int r;

	memset(out, 0, sizeof(*out));
	r = attach_read_pf(m, ref, out, e);
	r = r < 0 ? r : nl_link_get_name(&m->k->route, vf->netdev, &l, e);
	if (r == -ENODEV || (r == 0 && l.parent_dev[0] != '\0' && !attach_is_at(&l, &ref->pci))) {
		return 0; /* just renamed or moved */
	}
	if (r < 0) {
		return r;
	}
	memcpy(out->rdma, vf->rdma, sizeof(out->rdma));
	take_link(&l, out);
	return mend_name(m, ref, out, e);
}
