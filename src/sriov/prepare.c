/* SPDX-License-Identifier: MIT */
/* A VF as a pod is to get it: see sriov_vf_prepare in attach.h. */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "sriov/attach_priv.h"
#include "sriov/plan.h"
#include "sriov/vfid.h"

/* What is known of drivers' rates (Linux 6.12: their ndo_set_vf_rate), for who has to fix it. */
static const char *rate_limits(const char *driver)
{
	static const struct {
		const char *driver, *limits;
	} table[] = {
		{"igb", "no minimum; a maximum on 82576 only, with the link up and at most its "
			"speed"},
		{"ixgbe", "no minimum; a maximum of 11 to 10000 Mb/s, with the link up at 10 Gb/s"},
		{"i40e", "no minimum; a maximum in steps of 50 Mb/s"},
		{"ice", "a minimum only without DCB, and minima up to the link speed together"},
		{"mlx5_core", "a minimum needs firmware support; switchdev mode wants devlink"},
		{"bnxt_en", "with the link up and at most its speed"},
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		if (strcmp(table[i].driver, driver) == 0) {
			return table[i].limits;
		}
	}
	return NULL;
}

struct preparation {
	struct sriov_mover *m;
	const struct sriov_ref *ref;
	const struct sriov_want *want;
	uint32_t asked; /* settings that the pod's owner asked for */
};

/* A driver's no to what is asked for is for all its VFs; one that is busy may be broken. */
static bool for_all(const struct preparation *p, uint32_t setting, int code)
{
	const uint32_t rates = SRIOV_HAS_MIN_RATE | SRIOV_HAS_MAX_RATE;

	if ((setting & p->asked) == 0 || code == EBUSY || code == EAGAIN || code == ENODEV) {
		return false;
	}
	return (setting & rates) != 0 || code == EOPNOTSUPP || code == EINVAL || code == ERANGE ||
	       code == EPERM;
}

static int refused(void *arg, uint32_t setting, struct err *e)
{
	const struct preparation *p = arg;
	const uint32_t rates = SRIOV_HAS_MIN_RATE | SRIOV_HAS_MAX_RATE;
	const char *limits = (setting & rates) != 0 ? rate_limits(p->ref->pf_driver) : NULL;

	/* A VF may not be able to have an MTU as large as its PF's. */
	if ((setting & p->asked) == 0 &&
		(e->code == EOPNOTSUPP || (setting == SRIOV_HAS_NETDEV && e->code == EINVAL))) {
		log_debug("%s, PF %s: %s", p->ref->pf_driver, p->ref->pf, e->msg);
		return 0;
	}
	p->m->asked_too_much = for_all(p, setting, e->code);
	if (limits != NULL) {
		struct err why = *e;

		(void)err_set(e, why.code,
			"%s, PF %s, VF %u, rates %u to %u Mb/s: %s (the driver takes: %s)",
			p->ref->pf_driver, p->ref->pf, p->ref->vf,
			p->want->account_min ? 0 : p->want->min_tx_rate, p->want->max_tx_rate,
			strerror(why.code), limits);
		return -why.code;
	}
	return err_wrap(e, "%s, PF %s, VF %u", p->ref->pf_driver, p->ref->pf, p->ref->vf);
}

/* m->pf is the PF as it was read last, of this VF or another one's. */
static int need_pf(struct sriov_mover *m, const struct sriov_ref *ref, struct err *e)
{
	return m->pf.ifindex == ref->pf_ifindex
		       ? 0
		       : nl_link_get(&m->k->route, ref->pf_ifindex, &m->pf, e);
}

static void choose_mac(struct sriov_mover *m, const struct sriov_ref *ref,
	const struct sriov_saved *now, const struct sriov_want *want, uint8_t mac[static 6])
{
	struct sriov_origin origin;

	if (want->has_mac) {
		memcpy(mac, want->mac, ATTACH_MAC_LEN);
	} else if (!mac_is_zero(now->admin_mac)) {
		memcpy(mac, now->admin_mac, ATTACH_MAC_LEN);
	} else if ((now->has & SRIOV_HAS_MAC) != 0 && !mac_is_zero(now->mac)) {
		memcpy(mac, now->mac, ATTACH_MAC_LEN);
	} else {
		sriov_origin_of(&m->pf, &origin);
		sriov_vfid_mac(origin.addr, ref->vf, mac);
	}
}

/* What the VF is to be like, all in all. */
static void decide(struct sriov_mover *m, const struct sriov_ref *ref,
	const struct sriov_saved *now, const struct sriov_want *want, struct sriov_saved *to)
{
	*to = (struct sriov_saved){
		.has = now->has & ~(uint32_t)(SRIOV_HAS_NODE_GUID | SRIOV_HAS_PORT_GUID)};
	to->vlan = want->vlan;
	to->qos = want->qos;
	to->vlan_proto = want->vlan_proto != 0 ? want->vlan_proto : NL_VLAN_8021Q;
	to->min_tx_rate = want->account_min ? 0 : want->min_tx_rate;
	to->max_tx_rate = want->max_tx_rate;
	to->trust = m->trust;
	to->spoofchk = m->spoofchk;
	to->link_state = NL_VF_LINK_AUTO;
	to->mtu = want->mtu != 0 ? want->mtu : m->pf.mtu;
	if ((now->has & SRIOV_HAS_ADMIN_MAC) != 0 || want->has_mac) {
		choose_mac(m, ref, now, want, to->admin_mac);
		memcpy(to->mac, to->admin_mac, ATTACH_MAC_LEN);
	} else {
		to->has &= ~(uint32_t)SRIOV_HAS_MAC; /* no address of the PF's to go by */
	}
}

static uint32_t asked_for(const struct sriov_want *want)
{
	uint32_t asked = 0;

	asked |= want->vlan != 0 ? SRIOV_HAS_VLAN : 0;
	asked |= want->max_tx_rate != 0 ? SRIOV_HAS_MAX_RATE : 0;
	asked |= want->min_tx_rate != 0 && !want->account_min ? SRIOV_HAS_MIN_RATE : 0;
	asked |= want->has_mac ? SRIOV_HAS_ADMIN_MAC | SRIOV_HAS_MAC : 0;
	asked |= want->mtu != 0 ? SRIOV_HAS_NETDEV : 0;
	return asked;
}

/* The interface may be away for a moment: some drivers make it anew when the address changes. */
static int finish_netdev(const struct attach_setter *s, const struct sriov_saved *to, struct err *e)
{
	struct attach_retry t = attach_retry(s->m);
	struct nl_link l = {.ifindex = 0};
	int r;

	do {
		r = attach_find_host(s->m, s->ref, NULL, &l, e);
		if (r == 0) {
			r = err_set(e, EBUSY,
				"VF %u of %s: its interface is not in the host's "
				"network namespace",
				s->ref->vf, s->ref->pf);
		} else if (r > 0) {
			r = attach_down(s->m, &s->m->k->route, &l, e);
		}
		r = r == 0 ? attach_set_netdev(s, &l, to, e) : r;
	} while (attach_again(&t, r == -ENODEV ? -EAGAIN : r));
	s->m->seen = l;
	s->m->seen.ifindex = r == 0 ? l.ifindex : 0;
	s->m->seen_at = s->ref->pci;
	return r;
}

int sriov_vf_prepare(struct sriov_mover *m, const struct sriov_ref *ref,
	const struct sriov_saved *now, const struct sriov_want *want, struct err *e)
{
	struct preparation p = {.m = m, .ref = ref, .want = want, .asked = asked_for(want)};
	const struct attach_setter s = {m, ref, refused, &p};
	struct sriov_saved to;
	uint32_t todo;
	int r = need_pf(m, ref, e);

	m->asked_too_much = false;
	if (r < 0) {
		return r;
	}
	decide(m, ref, now, want, &to);
	/* A driver that does not describe a setting may take it: what is asked for is tried. */
	todo = attach_differ(&to, now, ATTACH_PF_SETS);
	todo |= p.asked & ~now->has & ATTACH_PF_SETS;
	r = attach_set(&s, &to, todo, e);
	return r < 0 ? r : finish_netdev(&s, &to, e);
}
