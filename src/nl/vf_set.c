/* SPDX-License-Identifier: MIT */
/* See vf.h: the setters. */
#include "nl/vf.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "nl/link_priv.h"

/* One setting of one VF: attribute type with value of n bytes, alone in its message. */
struct setting {
	const char *name;
	uint16_t type;
	const void *value;
	size_t n;
};

static int set(
	struct nl_sock *s, uint32_t ifindex, uint32_t vf, const struct setting *v, struct err *e)
{
	struct nlattr *list, *info, *vlans = NULL;
	struct nl_req q;
	char what[64];
	int r = link_index_check(ifindex, e);

	if (r < 0) {
		return r;
	}
	(void)snprintf(what, sizeof(what), "set %s of VF %u", v->name, vf);
	link_req(&q, RTM_SETLINK, 0, ifindex);
	list = nl_req_nest(&q, IFLA_VFINFO_LIST);
	info = nl_req_nest(&q, IFLA_VF_INFO);
	if (v->type == IFLA_VF_VLAN_LIST) {
		vlans = nl_req_nest(&q, IFLA_VF_VLAN_LIST);
		nl_req_put(&q, IFLA_VF_VLAN_INFO, v->value, v->n);
		nl_req_nest_end(&q, vlans);
	} else {
		nl_req_put(&q, v->type, v->value, v->n);
	}
	nl_req_nest_end(&q, info);
	nl_req_nest_end(&q, list);
	return nl_request(s, &q.u.h, NULL, what, e);
}

static int set_number(struct nl_sock *s, uint32_t ifindex, uint32_t vf, const char *name,
	uint16_t type, uint32_t number, struct err *e)
{
	/* struct ifla_vf_trust, ifla_vf_spoofchk, ifla_vf_link_state are all these two */
	uint32_t value[2] = {vf, number};
	struct setting v = {name, type, value, sizeof(value)};

	return set(s, ifindex, vf, &v, e);
}

int nl_vf_set_mac(struct nl_sock *s, uint32_t ifindex, uint32_t vf, const uint8_t *mac,
	size_t mac_n, struct err *e)
{
	struct ifla_vf_mac value = {.vf = vf};
	struct setting v = {"MAC address", IFLA_VF_MAC, &value, sizeof(value)};

	if (mac_n == 0 || mac_n > sizeof(value.mac)) {
		return err_set(e, EINVAL, "a VF's hardware address cannot have %zu bytes", mac_n);
	}
	memcpy(value.mac, mac, mac_n);
	return set(s, ifindex, vf, &v, e);
}

int nl_vf_set_trust(struct nl_sock *s, uint32_t ifindex, uint32_t vf, bool on, struct err *e)
{
	return set_number(s, ifindex, vf, "trust", IFLA_VF_TRUST, on, e);
}

int nl_vf_set_spoofchk(struct nl_sock *s, uint32_t ifindex, uint32_t vf, bool on, struct err *e)
{
	return set_number(s, ifindex, vf, "spoof check", IFLA_VF_SPOOFCHK, on, e);
}

int nl_vf_set_rate(struct nl_sock *s, uint32_t ifindex, uint32_t vf, uint32_t min_mbps,
	uint32_t max_mbps, struct err *e)
{
	struct ifla_vf_rate value = {vf, min_mbps, max_mbps};
	struct setting v = {"rates", IFLA_VF_RATE, &value, sizeof(value)};

	if (max_mbps != 0 && max_mbps < min_mbps) {
		return err_set(e, EINVAL, "VF %u: minimum rate %u Mb/s is above the maximum %u", vf,
			min_mbps, max_mbps);
	}
	return set(s, ifindex, vf, &v, e);
}

int nl_vf_set_vlan(struct nl_sock *s, uint32_t ifindex, uint32_t vf, uint32_t vlan, uint32_t qos,
	uint16_t proto, struct err *e)
{
	struct ifla_vf_vlan plain = {vf, vlan, qos};
	struct ifla_vf_vlan_info info = {.vf = vf, .vlan = vlan, .qos = qos};
	struct setting v = {"VLAN", IFLA_VF_VLAN, &plain, sizeof(plain)};

	if (vlan > 4094 || qos > 7) {
		return err_set(e, EINVAL, "VF %u: VLAN %u with priority %u is out of range", vf,
			vlan, qos);
	}
	if (proto == NL_VLAN_8021AD) {
		info.vlan_proto = htobe16(proto);
		v = (struct setting){"VLAN", IFLA_VF_VLAN_LIST, &info, sizeof(info)};
	} else if (proto != NL_VLAN_8021Q) {
		return err_set(e, EINVAL, "VF %u: 0x%04x is no VLAN protocol", vf, proto);
	}
	return set(s, ifindex, vf, &v, e);
}

int nl_vf_set_link_state(
	struct nl_sock *s, uint32_t ifindex, uint32_t vf, enum nl_vf_link state, struct err *e)
{
	return set_number(s, ifindex, vf, "link state", IFLA_VF_LINK_STATE, (uint32_t)state, e);
}

static int set_guid(struct nl_sock *s, uint32_t ifindex, uint32_t vf, uint16_t type, uint64_t guid,
	struct err *e)
{
	const char *name = type == IFLA_VF_IB_NODE_GUID ? "node GUID" : "port GUID";
	struct ifla_vf_guid value;
	struct setting v = {name, type, &value, sizeof(value)};

	memset(&value, 0, sizeof(value)); /* the padding goes to the kernel too */
	value.vf = vf;
	value.guid = guid;
	return set(s, ifindex, vf, &v, e);
}

int nl_vf_set_node_guid(
	struct nl_sock *s, uint32_t ifindex, uint32_t vf, uint64_t guid, struct err *e)
{
	return set_guid(s, ifindex, vf, IFLA_VF_IB_NODE_GUID, guid, e);
}

int nl_vf_set_port_guid(
	struct nl_sock *s, uint32_t ifindex, uint32_t vf, uint64_t guid, struct err *e)
{
	return set_guid(s, ifindex, vf, IFLA_VF_IB_PORT_GUID, guid, e);
}
