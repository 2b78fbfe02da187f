/* SPDX-License-Identifier: MIT */
/* Setting one VF and its interface: see attach_priv.h. */
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "sriov/attach_priv.h"

static const uint32_t order[] = {
	SRIOV_HAS_TRUST, /* first: some drivers take an address only from a trusted VF */
	SRIOV_HAS_ADMIN_MAC,
	SRIOV_HAS_NODE_GUID,
	SRIOV_HAS_PORT_GUID,
	SRIOV_HAS_VLAN,
	SRIOV_HAS_MIN_RATE | SRIOV_HAS_MAX_RATE, /* one request */
	SRIOV_HAS_SPOOFCHK,
	SRIOV_HAS_LINK_STATE,
};

static int set_once(
	const struct attach_setter *s, const struct sriov_saved *to, uint32_t what, struct err *e)
{
	struct nl_sock *k = &s->m->k->route;
	uint32_t pf = s->ref->pf_ifindex, vf = s->ref->vf;

	switch (what) {
	case SRIOV_HAS_TRUST:
		return nl_vf_set_trust(k, pf, vf, to->trust, e);
	case SRIOV_HAS_ADMIN_MAC:
		return nl_vf_set_mac(k, pf, vf, to->admin_mac, ATTACH_MAC_LEN, e);
	case SRIOV_HAS_NODE_GUID:
		return nl_vf_set_node_guid(k, pf, vf, to->node_guid, e);
	case SRIOV_HAS_PORT_GUID:
		return nl_vf_set_port_guid(k, pf, vf, to->port_guid, e);
	case SRIOV_HAS_VLAN:
		return nl_vf_set_vlan(k, pf, vf, to->vlan, to->qos,
			to->vlan != 0 || to->qos != 0 ? to->vlan_proto : NL_VLAN_8021Q, e);
	case SRIOV_HAS_MIN_RATE | SRIOV_HAS_MAX_RATE:
		return nl_vf_set_rate(k, pf, vf, to->min_tx_rate, to->max_tx_rate, e);
	case SRIOV_HAS_SPOOFCHK:
		return nl_vf_set_spoofchk(k, pf, vf, to->spoofchk, e);
	case SRIOV_HAS_LINK_STATE:
		return nl_vf_set_link_state(k, pf, vf, to->link_state, e);
	default:
		ASSERT(false);
	}
}

int attach_set(
	const struct attach_setter *s, const struct sriov_saved *to, uint32_t todo, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		struct attach_retry t = attach_retry(s->m);
		int r;

		if ((todo & order[i]) == 0) {
			continue;
		}
		do {
			r = set_once(s, to, order[i], e);
		} while (attach_again(&t, r));
		if (r < 0) {
			r = s->refused(s->arg, todo & order[i], e);
		}
		if (r < 0) {
			return r;
		}
	}
	return 0;
}

static int set_mac(
	struct sriov_mover *m, const struct nl_link *l, const struct sriov_saved *to, struct err *e)
{
	struct attach_retry t = attach_retry(m);
	int r;

	do {
		r = nl_link_set_addr(&m->k->route, l->ifindex, to->mac, ATTACH_MAC_LEN, e);
	} while (attach_again(&t, r));
	return r;
}

/* Drivers refuse an untrusted VF another address than its PF's, some after each change of that. */
static int set_mac_trusted(const struct attach_setter *s, const struct nl_link *l,
	const struct sriov_saved *to, struct err *e)
{
	struct nl_sock *k = &s->m->k->route;
	uint32_t pf = s->ref->pf_ifindex, vf = s->ref->vf;
	struct err why;
	int r = set_mac(s->m, l, to, e);

	if (r == 0 || s->ref->pf[0] == '\0' || (to->has & SRIOV_HAS_TRUST) == 0 || to->trust ||
		nl_vf_set_trust(k, pf, vf, true, &why) < 0) {
		return r;
	}
	r = set_mac(s->m, l, to, e);
	if (nl_vf_set_trust(k, pf, vf, false, &why) < 0 && r == 0) {
		*e = why;
		r = -why.code;
	}
	return r;
}

static int set_mtu(
	struct sriov_mover *m, const struct nl_link *l, const struct sriov_saved *to, struct err *e)
{
	struct attach_retry t = attach_retry(m);
	int r;

	do {
		r = nl_link_set_mtu(&m->k->route, l->ifindex, to->mtu, e);
	} while (attach_again(&t, r));
	return r;
}

static int set_flags(
	struct sriov_mover *m, const struct nl_link *l, const struct sriov_saved *to, struct err *e)
{
	uint32_t flags = (to->promisc ? IFF_PROMISC : 0u) | (to->allmulti ? IFF_ALLMULTI : 0u);
	struct attach_retry t = attach_retry(m);
	int r;

	do {
		r = nl_link_set_flags(
			&m->k->route, l->ifindex, flags, IFF_PROMISC | IFF_ALLMULTI, e);
	} while (attach_again(&t, r));
	return r;
}

int attach_set_netdev(const struct attach_setter *s, const struct nl_link *l,
	const struct sriov_saved *to, struct err *e)
{
	bool promisc = (l->flags & IFF_PROMISC) != 0, allmulti = (l->flags & IFF_ALLMULTI) != 0;
	int r = 0;

	if ((to->has & SRIOV_HAS_MAC) != 0 && l->addr_n == ATTACH_MAC_LEN &&
		memcmp(l->addr, to->mac, ATTACH_MAC_LEN) != 0) {
		r = set_mac_trusted(s, l, to, e);
		r = r < 0 ? s->refused(s->arg, SRIOV_HAS_MAC, e) : 0;
	}
	if (r == 0 && to->mtu != 0 && to->mtu != l->mtu) {
		r = set_mtu(s->m, l, to, e);
		r = r < 0 ? s->refused(s->arg, SRIOV_HAS_NETDEV, e) : 0;
	}
	if (r == 0 && (promisc != to->promisc || allmulti != to->allmulti)) {
		r = set_flags(s->m, l, to, e);
		r = r < 0 ? s->refused(s->arg, SRIOV_HAS_NETDEV, e) : 0;
	}
	return r;
}
