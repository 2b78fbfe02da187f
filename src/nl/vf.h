/* SPDX-License-Identifier: MIT */
/* SR-IOV virtual functions over rtnetlink, asked of and set through their physical function. */
#ifndef NL_VF_H
#define NL_VF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "nl/link.h"
#include "nl/sock.h"

#define NL_VF_ADDR_CAP 32
#define NL_VLAN_8021Q  0x8100
#define NL_VLAN_8021AD 0x88a8

/* Which fields of a struct nl_vf the kernel sent. */
enum nl_vf_has {
	NL_VF_PRESENT = 1 << 0, /* the driver described this VF at all */
	NL_VF_MAC = 1 << 1,
	NL_VF_VLAN = 1 << 2, /* vlan, qos, proto */
	NL_VF_RATE = 1 << 3, /* min and max; without NL_VF_MIN_RATE only max */
	NL_VF_MIN_RATE = 1 << 4,
	NL_VF_SPOOFCHK = 1 << 5,
	NL_VF_TRUST = 1 << 6,
	NL_VF_LINK_STATE = 1 << 7,
	NL_VF_RSS_QUERY = 1 << 8,
	NL_VF_NODE_GUID = 1 << 9,
	NL_VF_PORT_GUID = 1 << 10,
};

enum nl_vf_tri {
	NL_VF_UNSUPPORTED = -1, /* the driver says so (0xffffffff) or does not send the attribute */
	NL_VF_OFF = 0,
	NL_VF_ON = 1,
};

enum nl_vf_link { /* IFLA_VF_LINK_STATE_* */
	NL_VF_LINK_AUTO = 0,
	NL_VF_LINK_ENABLE = 1,
	NL_VF_LINK_DISABLE = 2,
};

/*
 * One VF. mac has 32 bytes in the message whatever the device: the first nl_link.addr_n of them
 * count (6 on Ethernet). Rates are Mb/s, 0 no limit. GUIDs are in host byte order.
 */
struct nl_vf {
	uint32_t index;
	uint32_t has; /* enum nl_vf_has */
	uint8_t mac[NL_VF_ADDR_CAP];
	uint32_t vlan;  /* 0 none, 1..4094 */
	uint32_t qos;   /* 0..7 */
	uint16_t proto; /* NL_VLAN_8021Q, also where a driver says 0; or NL_VLAN_8021AD */
	uint32_t min_tx_rate;
	uint32_t max_tx_rate; /* of a driver that sends only the older IFLA_VF_TX_RATE: that */
	enum nl_vf_tri spoofchk;
	enum nl_vf_tri trust;
	enum nl_vf_tri rss_query;
	enum nl_vf_link link_state;
	uint64_t node_guid;
	uint64_t port_guid;
};

/*
 * nl_vf_parse: read the VFs of one RTM_NEWLINK message of nlh->nlmsg_len readable bytes. Pure.
 * On success *n is the number of VFs that the device has (IFLA_NUM_VF) and out[i] is VF i, for i
 * below *n; the kernel leaves a VF out when its driver fails to describe it, and that out[i] has
 * only its index and no NL_VF_PRESENT.
 *
 * With more than 334 VFs the kernel's 16-bit length of the list overflows (277 with GUIDs); the
 * entries are then followed to the place where the length fits again, modulo 65536.
 *
 * -EBADMSG: malformed, VF index out of range or seen twice; -EMSGSIZE: more than cap VFs.
 */
int nl_vf_parse(const struct nlmsghdr *nlh, struct nl_vf *out, size_t cap, size_t *n,
	struct err *e) MUST_CHECK;

/*
 * nl_vf_list: ask the kernel for one PF with its VFs, without statistics, and parse the reply.
 * A device that is no PF has *n == 0. -ENODEV: no such interface.
 */
int nl_vf_list(struct nl_sock *s, uint32_t ifindex, struct nl_vf *out, size_t cap, size_t *n,
	struct err *e) MUST_CHECK;

/* nl_vf_list_link: the same, and the PF itself, from the one reply. */
int nl_vf_list_link(struct nl_sock *s, uint32_t ifindex, struct nl_link *pf, struct nl_vf *out,
	size_t cap, size_t *n, struct err *e) MUST_CHECK;

/* nl_vf_list_name: the same by the PF's name. -EINVAL: it cannot be one. */
int nl_vf_list_name(struct nl_sock *s, const char *name, struct nl_link *pf, struct nl_vf *out,
	size_t cap, size_t *n, struct err *e) MUST_CHECK;

/*
 * Setters: ifindex is the PF's. One message each, acknowledged, so that a failure is of this one
 * setting. Need CAP_NET_ADMIN (-EPERM). -EOPNOTSUPP: the driver cannot; -EINVAL: it refuses the
 * value, or there is no such VF; -EAGAIN, -EBUSY: worth trying again (i40e, ice while a VF
 * resets).
 *
 * nl_vf_set_mac: the administrative address; it does not always reach a VF netdev that exists
 * already. nl_vf_set_rate: sets both, in Mb/s, max 0 lifts the limit; some drivers want the link
 * up. nl_vf_set_vlan: vlan 0 removes the tag; proto is one of NL_VLAN_*. GUIDs: PFs of link type
 * InfiniBand only; the VF's driver must be bound afterwards to see them; each is a message of its
 * own because the kernel ignores whatever follows a node GUID in one VF's entry
 * (net/core/rtnetlink.c do_setvfinfo).
 */
int nl_vf_set_mac(struct nl_sock *s, uint32_t ifindex, uint32_t vf, const uint8_t *mac,
	size_t mac_n, struct err *e) MUST_CHECK;
int nl_vf_set_trust(
	struct nl_sock *s, uint32_t ifindex, uint32_t vf, bool on, struct err *e) MUST_CHECK;
int nl_vf_set_spoofchk(
	struct nl_sock *s, uint32_t ifindex, uint32_t vf, bool on, struct err *e) MUST_CHECK;
int nl_vf_set_rate(struct nl_sock *s, uint32_t ifindex, uint32_t vf, uint32_t min_mbps,
	uint32_t max_mbps, struct err *e) MUST_CHECK;
int nl_vf_set_vlan(struct nl_sock *s, uint32_t ifindex, uint32_t vf, uint32_t vlan, uint32_t qos,
	uint16_t proto, struct err *e) MUST_CHECK;
int nl_vf_set_link_state(struct nl_sock *s, uint32_t ifindex, uint32_t vf, enum nl_vf_link state,
	struct err *e) MUST_CHECK;
int nl_vf_set_node_guid(
	struct nl_sock *s, uint32_t ifindex, uint32_t vf, uint64_t guid, struct err *e) MUST_CHECK;
int nl_vf_set_port_guid(
	struct nl_sock *s, uint32_t ifindex, uint32_t vf, uint64_t guid, struct err *e) MUST_CHECK;

#endif
