/* SPDX-License-Identifier: MIT */
/* Every setting of one VF and its interface that lending it to a pod may change. */
#ifndef SRIOV_SAVED_H
#define SRIOV_SAVED_H

#include "nl/link.h"
#include "nl/vf.h"
#include "sriov/model.h"

#define SRIOV_ALTNAMES_MAX NL_ALTNAMES_MAX

/* Which of the settings below are known; what is not is left alone. */
enum sriov_saved_has {
	SRIOV_HAS_ADMIN_MAC = 1 << 0,
	SRIOV_HAS_MAC = 1 << 1,
	SRIOV_HAS_VLAN = 1 << 2, /* vlan, qos, vlan_proto */
	SRIOV_HAS_MIN_RATE = 1 << 3,
	SRIOV_HAS_MAX_RATE = 1 << 4,
	SRIOV_HAS_SPOOFCHK = 1 << 5,
	SRIOV_HAS_TRUST = 1 << 6,
	SRIOV_HAS_LINK_STATE = 1 << 7,
	SRIOV_HAS_NODE_GUID = 1 << 8,
	SRIOV_HAS_PORT_GUID = 1 << 9,
	SRIOV_HAS_NETDEV = 1 << 10, /* netdev, altnames, mtu, up, promisc, allmulti */
};

/* About 2.3 KiB. */
struct sriov_saved {
	uint32_t has;              /* enum sriov_saved_has */
	char netdev[IFNAMSIZ];     /* the interface's name */
	char rdma[SRIOV_NAME_MAX]; /* of its RDMA device; empty: none */
	size_t altname_n;
	char altname[SRIOV_ALTNAMES_MAX][NL_ALTNAME_CAP];
	uint8_t admin_mac[6]; /* what the PF has for the VF */
	uint8_t mac[6];       /* of the interface */
	uint32_t vlan, qos;
	uint16_t vlan_proto; /* NL_VLAN_* */
	uint32_t min_tx_rate, max_tx_rate;
	bool spoofchk, trust;
	enum nl_vf_link link_state;
	uint64_t node_guid, port_guid; /* host byte order */
	uint32_t mtu;
	bool up, promisc, allmulti;
};

/* sriov_saved_name: the word for one setting in messages: "VLAN", "trust". */
const char *sriov_saved_name(uint32_t setting);

/*
 * sriov_saved_diff: whether now differs from want in one of the settings in mask that both know;
 * altnames and the RDMA device are not compared, the name only where want.netdev is not empty.
 * True: which is the first, with both values, in text[cap], such as "VLAN is 0, not 100".
 */
bool sriov_saved_diff(const struct sriov_saved *want, const struct sriov_saved *now, uint32_t mask,
	char *text, size_t cap);

#endif
