/* SPDX-License-Identifier: MIT */
/* A whole ledger entry with every field set, for the tests of its format and its files. */
#ifndef TEST_LEDGER_SAMPLE_H
#define TEST_LEDGER_SAMPLE_H

#include <stdio.h>
#include <string.h>

#include "ledger/entry.h"

static inline void sample_saved(struct sriov_saved *s)
{
	static const uint8_t admin[6] = {2, 0, 0, 0, 0, 3}, mac[6] = {2, 0, 0, 0, 0, 4};

	memset(s, 0, sizeof(*s));
	s->has = 2 * SRIOV_HAS_NETDEV - 1;
	(void)snprintf(s->netdev, sizeof(s->netdev), "enp4s0f0v3");
	(void)snprintf(s->rdma, sizeof(s->rdma), "rocep4s0f0v3");
	s->altname_n = 2;
	(void)snprintf(s->altname[0], sizeof(s->altname[0]), "ens1f0v3");
	(void)snprintf(s->altname[1], sizeof(s->altname[1]), "a \"quoted\" name");
	memcpy(s->admin_mac, admin, 6);
	memcpy(s->mac, mac, 6);
	s->vlan = 100;
	s->qos = 3;
	s->vlan_proto = NL_VLAN_8021AD;
	s->min_tx_rate = 10;
	s->max_tx_rate = 4294967295u;
	s->spoofchk = true;
	s->link_state = NL_VF_LINK_DISABLE;
	s->node_guid = 0x0200000000000003;
	s->port_guid = 0xffeeddccbbaa9988;
	s->mtu = 9000;
	s->up = s->allmulti = true;
}

static inline void sample_entry(struct ledger_entry *en)
{
	memset(en, 0, sizeof(*en));
	en->phase = LEDGER_ATTACHED;
	(void)snprintf(en->container_id, sizeof(en->container_id), "0a1b2c");
	(void)snprintf(en->ifname, sizeof(en->ifname), "eth1");
	(void)snprintf(en->request, sizeof(en->request), "eth0");
	(void)snprintf(en->network, sizeof(en->network), "rdma");
	(void)snprintf(en->ipam, sizeof(en->ipam), "host-local");
	(void)snprintf(en->pod_namespace, sizeof(en->pod_namespace), "default");
	(void)snprintf(en->pod_name, sizeof(en->pod_name), "web-0");
	(void)snprintf(en->pod_uid, sizeof(en->pod_uid), "5f0e9a3c-0d6e-4a35-9a3f-1c1f3a2b4c5d");
	(void)snprintf(en->netns, sizeof(en->netns), "/var/run/netns/cni-1");
	en->netns_inode = UINT64_MAX;
	(void)snprintf(en->boot_id, sizeof(en->boot_id), "8b7c0d5e-3f43-4a8a-9c55-1b9b8d0c6e21");
	(void)snprintf(en->pf, sizeof(en->pf), "enp4s0f0");
	en->vf = 3;
	en->has_pci = true;
	en->pci = (struct pci_addr){.domain = 0x10000, .bus = 4, .dev = 0x10, .fn = 3};
	en->min_tx_rate = 1000;
	en->max_tx_rate = 2000;
	en->addr_n = 2;
	(void)snprintf(en->addr[0], sizeof(en->addr[0]), "10.56.0.7/24");
	(void)snprintf(en->addr[1], sizeof(en->addr[1]), "fd00::7/64");
	en->request_n = 2;
	(void)snprintf(en->cni_version, sizeof(en->cni_version), "1.0.0");
	en->route_n = 2;
	(void)snprintf(en->route[0].dst, sizeof(en->route[0].dst), "0.0.0.0/0");
	(void)snprintf(en->route[0].gw, sizeof(en->route[0].gw), "10.56.0.1");
	en->route[0].metric = 4097;
	(void)snprintf(en->route[1].dst, sizeof(en->route[1].dst), "fd01::/64");
	en->route[1].table = UINT32_MAX;
	en->has_restore = en->has_applied = true;
	sample_saved(&en->restore);
	sample_saved(&en->applied);
	en->applied.altname_n = 0;
	memset(en->applied.altname, 0, sizeof(en->applied.altname));
	memset(en->applied.netdev, 0, sizeof(en->applied.netdev));
	(void)snprintf(en->applied.netdev, sizeof(en->applied.netdev), "%s", "eth1");
}

#endif
