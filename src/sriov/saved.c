/* SPDX-License-Identifier: MIT */
/* See saved.h. */
#include "sriov/saved.h"

#include <stdio.h>
#include <string.h>

#include "sriov/attach_priv.h"

static bool same_vlan(const struct sriov_saved *a, const struct sriov_saved *b)
{
	bool none = a->vlan == 0 && a->qos == 0;

	/* Without a tag its protocol means nothing; drivers report varying ones. */
	return a->vlan == b->vlan && a->qos == b->qos && (none || a->vlan_proto == b->vlan_proto);
}

static bool same(const struct sriov_saved *a, const struct sriov_saved *b, uint32_t setting)
{
	switch (setting) {
	case SRIOV_HAS_ADMIN_MAC:
		return memcmp(a->admin_mac, b->admin_mac, sizeof(a->admin_mac)) == 0;
	case SRIOV_HAS_MAC:
		return memcmp(a->mac, b->mac, sizeof(a->mac)) == 0;
	case SRIOV_HAS_VLAN:
		return same_vlan(a, b);
	case SRIOV_HAS_MIN_RATE:
		return a->min_tx_rate == b->min_tx_rate;
	case SRIOV_HAS_MAX_RATE:
		return a->max_tx_rate == b->max_tx_rate;
	case SRIOV_HAS_SPOOFCHK:
		return a->spoofchk == b->spoofchk;
	case SRIOV_HAS_TRUST:
		return a->trust == b->trust;
	case SRIOV_HAS_LINK_STATE:
		return a->link_state == b->link_state;
	case SRIOV_HAS_NODE_GUID:
		return a->node_guid == b->node_guid;
	case SRIOV_HAS_PORT_GUID:
		return a->port_guid == b->port_guid;
	default:
		ASSERT(false);
	}
}

uint32_t attach_differ(const struct sriov_saved *want, const struct sriov_saved *now, uint32_t mask)
{
	uint32_t differ = 0;

	for (uint32_t bit = 1; bit < SRIOV_HAS_NETDEV; bit <<= 1) {
		if ((mask & want->has & now->has & bit) != 0 && !same(want, now, bit)) {
			differ |= bit;
		}
	}
	return differ;
}

const char *sriov_saved_name(uint32_t setting)
{
	switch (setting) {
	case SRIOV_HAS_ADMIN_MAC:
		return "administrative MAC address";
	case SRIOV_HAS_MAC:
		return "MAC address of the interface";
	case SRIOV_HAS_VLAN:
		return "VLAN";
	case SRIOV_HAS_MIN_RATE:
		return "minimum rate";
	case SRIOV_HAS_MAX_RATE:
		return "maximum rate";
	case SRIOV_HAS_SPOOFCHK:
		return "spoof check";
	case SRIOV_HAS_TRUST:
		return "trust";
	case SRIOV_HAS_LINK_STATE:
		return "link state";
	case SRIOV_HAS_NODE_GUID:
		return "node GUID";
	case SRIOV_HAS_PORT_GUID:
		return "port GUID";
	case SRIOV_HAS_NETDEV:
		return "settings of the interface";
	default:
		ASSERT(false);
	}
}

static void add_vlan(struct buf *b, const struct sriov_saved *s)
{
	buf_add_u64(b, s->vlan);
	if (s->vlan != 0 || s->qos != 0) {
		buf_printf(b, " (priority %u, 802.1%s)", s->qos,
			s->vlan_proto == NL_VLAN_8021AD ? "ad" : "Q");
	}
}

static void add_value(struct buf *b, const struct sriov_saved *s, uint32_t setting)
{
	static const char *const states[] = {"auto", "enable", "disable"};

	switch (setting) {
	case SRIOV_HAS_ADMIN_MAC:
		buf_add_mac(b, s->admin_mac);
		break;
	case SRIOV_HAS_MAC:
		buf_add_mac(b, s->mac);
		break;
	case SRIOV_HAS_VLAN:
		add_vlan(b, s);
		break;
	case SRIOV_HAS_MIN_RATE:
		buf_add_u64(b, s->min_tx_rate);
		break;
	case SRIOV_HAS_MAX_RATE:
		buf_add_u64(b, s->max_tx_rate);
		break;
	case SRIOV_HAS_SPOOFCHK:
		buf_add_c(b, s->spoofchk ? "on" : "off");
		break;
	case SRIOV_HAS_TRUST:
		buf_add_c(b, s->trust ? "on" : "off");
		break;
	case SRIOV_HAS_LINK_STATE:
		buf_add_c(b, states[s->link_state]);
		break;
	case SRIOV_HAS_NODE_GUID:
		buf_printf(b, "%016llx", (unsigned long long)s->node_guid);
		break;
	case SRIOV_HAS_PORT_GUID:
		buf_printf(b, "%016llx", (unsigned long long)s->port_guid);
		break;
	default:
		ASSERT(false);
	}
}

/* The interface's own: name, MTU, flags. */
static bool netdev_differs(
	const struct sriov_saved *want, const struct sriov_saved *now, struct buf *b)
{
	const struct {
		const char *what;
		bool want, now;
	} flags[] = {
		{"state", want->up, now->up},
		{"promiscuous mode", want->promisc, now->promisc},
		{"allmulticast mode", want->allmulti, now->allmulti},
	};

	if (want->netdev[0] != '\0' && strcmp(want->netdev, now->netdev) != 0) {
		buf_printf(b, "name is %s, not %s", now->netdev, want->netdev);
		return true;
	}
	if (want->mtu != now->mtu) {
		buf_printf(b, "MTU is %u, not %u", now->mtu, want->mtu);
		return true;
	}
	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		if (flags[i].want != flags[i].now) {
			buf_printf(b, "%s is %s, not %s", flags[i].what,
				flags[i].now ? "on" : "off", flags[i].want ? "on" : "off");
			return true;
		}
	}
	return false;
}

bool sriov_saved_diff(const struct sriov_saved *want, const struct sriov_saved *now, uint32_t mask,
	char *text, size_t cap)
{
	uint32_t differ = attach_differ(want, now, mask);
	bool found = differ != 0;
	struct buf b;

	ASSERT(cap > 0);
	buf_init(&b, text, cap - 1);
	if (differ != 0) {
		uint32_t first = differ & (~differ + 1);

		buf_printf(&b, "%s is ", sriov_saved_name(first));
		add_value(&b, now, first);
		buf_add_c(&b, ", not ");
		add_value(&b, want, first);
	} else if ((mask & want->has & now->has & SRIOV_HAS_NETDEV) != 0) {
		found = netdev_differs(want, now, &b);
	}
	text[b.n] = '\0';
	return found;
}
