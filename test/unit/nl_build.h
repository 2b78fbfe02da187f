/* SPDX-License-Identifier: MIT */
/* Netlink messages as the kernel builds them, byte by byte, for tests and their data. */
#ifndef TEST_NL_BUILD_H
#define TEST_NL_BUILD_H

#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A row of messages; the last one is under construction. */
struct mb {
	uint8_t p[512 * 1024];
	size_t n;
	size_t start; /* of the last message */
};

static inline void mb_raw(struct mb *m, const void *p, size_t n)
{
	if (n > sizeof(m->p) - 4 - m->n) {
		abort();
	}
	if (n > 0) {
		memcpy(m->p + m->n, p, n);
	}
	m->n += n;
	while (m->n % 4 != 0) {
		m->p[m->n++] = 0;
	}
}

static inline struct nlmsghdr *mb_hdr(struct mb *m)
{
	return (struct nlmsghdr *)(void *)(m->p + m->start);
}

/* Call after every change of a message: stores its length. */
static inline struct nlmsghdr *mb_end(struct mb *m)
{
	mb_hdr(m)->nlmsg_len = (uint32_t)(m->n - m->start);
	return mb_hdr(m);
}

static inline void mb_msg(struct mb *m, uint16_t type, uint16_t flags, const void *fixed, size_t n)
{
	struct nlmsghdr h = {.nlmsg_type = type, .nlmsg_flags = flags};

	m->start = m->n;
	mb_raw(m, &h, sizeof(h));
	mb_raw(m, fixed, n);
	mb_end(m);
}

static inline void mb_attr(struct mb *m, uint16_t type, const void *p, size_t n)
{
	struct nlattr a = {.nla_len = (uint16_t)(sizeof(a) + n), .nla_type = type};

	mb_raw(m, &a, sizeof(a));
	mb_raw(m, p, n);
	mb_end(m);
}

static inline void mb_u8(struct mb *m, uint16_t type, uint8_t v)
{
	mb_attr(m, type, &v, sizeof(v));
}

static inline void mb_u16(struct mb *m, uint16_t type, uint16_t v)
{
	mb_attr(m, type, &v, sizeof(v));
}

static inline void mb_u32(struct mb *m, uint16_t type, uint32_t v)
{
	mb_attr(m, type, &v, sizeof(v));
}

static inline void mb_str(struct mb *m, uint16_t type, const char *s)
{
	mb_attr(m, type, s, strlen(s) + 1);
}

static inline size_t mb_nest(struct mb *m, uint16_t type)
{
	size_t at = m->n;

	mb_attr(m, type, NULL, 0);
	return at;
}

/* As nla_nest_end(): what does not fit into 16 bits is lost. */
static inline void mb_nest_end(struct mb *m, size_t at)
{
	uint16_t len = (uint16_t)(m->n - at);

	memcpy(m->p + at, &len, sizeof(len));
	mb_end(m);
}

static inline void mb_link(struct mb *m, int ifindex, const char *name)
{
	struct ifinfomsg ifi = {.ifi_type = 1, .ifi_index = ifindex, .ifi_flags = 0x1043};

	mb_msg(m, RTM_NEWLINK, 0, &ifi, sizeof(ifi));
	mb_str(m, IFLA_IFNAME, name);
}

/* One IFLA_VF_INFO as net/core/rtnetlink.c rtnl_fill_vfinfo() of Linux 6.12 fills it. */
static inline void mb_vf(struct mb *m, uint32_t vf, bool guids)
{
	struct ifla_vf_mac mac = {.vf = vf, .mac = {2, 0, 0, 0, (uint8_t)(vf >> 8), (uint8_t)vf}};
	struct ifla_vf_broadcast bc = {{255, 255, 255, 255, 255, 255}};
	struct ifla_vf_vlan vlan = {vf, vf % 4095, vf % 8};
	struct ifla_vf_vlan_info info = {
		.vf = vf, .vlan = vf % 4095, .qos = vf % 8, .vlan_proto = 0x0081};
	struct ifla_vf_rate rate = {vf, 10, 1000 + vf};
	uint32_t tx[2] = {vf, 1000 + vf}, spoof[2] = {vf, 1}, state[2] = {vf, vf % 3};
	uint32_t rss[2] = {vf, UINT32_MAX}, trust[2] = {vf, vf % 2};
	struct ifla_vf_guid guid = {.vf = vf, .guid = 0x1122334455660000u + vf};
	size_t at = mb_nest(m, IFLA_VF_INFO), list;

	mb_attr(m, IFLA_VF_MAC, &mac, sizeof(mac));
	mb_attr(m, IFLA_VF_BROADCAST, &bc, sizeof(bc));
	mb_attr(m, IFLA_VF_VLAN, &vlan, sizeof(vlan));
	mb_attr(m, IFLA_VF_RATE, &rate, sizeof(rate));
	mb_attr(m, IFLA_VF_TX_RATE, tx, sizeof(tx));
	mb_attr(m, IFLA_VF_SPOOFCHK, spoof, sizeof(spoof));
	mb_attr(m, IFLA_VF_LINK_STATE, state, sizeof(state));
	mb_attr(m, IFLA_VF_RSS_QUERY_EN, rss, sizeof(rss));
	mb_attr(m, IFLA_VF_TRUST, trust, sizeof(trust));
	if (guids) {
		mb_attr(m, IFLA_VF_IB_NODE_GUID, &guid, sizeof(guid));
		guid.guid += 0x100000000u;
		mb_attr(m, IFLA_VF_IB_PORT_GUID, &guid, sizeof(guid));
	}
	list = mb_nest(m, IFLA_VF_VLAN_LIST);
	mb_attr(m, IFLA_VF_VLAN_INFO, &info, sizeof(info));
	mb_nest_end(m, list);
	mb_nest_end(m, at);
}

/* A whole reply: a PF with n VFs, and attributes behind the list as the kernel has them there. */
static inline struct nlmsghdr *mb_pf(struct mb *m, uint32_t n, bool guids)
{
	static const uint8_t mac[6] = {0x52, 0x54, 0, 0, 0, 1};
	size_t list, prop;

	mb_link(m, 7, "enp1s0f0");
	mb_u32(m, IFLA_MTU, 1500);
	mb_attr(m, IFLA_ADDRESS, mac, sizeof(mac));
	mb_u32(m, IFLA_NUM_VF, n);
	list = mb_nest(m, IFLA_VFINFO_LIST);
	for (uint32_t i = 0; i < n; i++) {
		mb_vf(m, i, guids);
	}
	mb_nest_end(m, list);
	prop = mb_nest(m, IFLA_PROP_LIST | NLA_F_NESTED);
	mb_str(m, IFLA_ALT_IFNAME, "enxaa");
	mb_nest_end(m, prop);
	mb_attr(m, IFLA_PERM_ADDRESS, mac, sizeof(mac));
	mb_str(m, IFLA_PARENT_DEV_NAME, "0000:01:00.0");
	mb_str(m, IFLA_PARENT_DEV_BUS_NAME, "pci");
	return mb_end(m);
}

/*
 * The first n bytes of a message, in memory that ends there, so that ASan sees a read behind
 * them; nlmsg_len says n. For the caller to free.
 */
static inline struct nlmsghdr *nl_cut(const struct nlmsghdr *nlh, size_t n)
{
	struct nlmsghdr *copy = malloc(n);
	uint32_t len = (uint32_t)n;

	if (copy == NULL || n < sizeof(*copy)) {
		abort();
	}
	memcpy(copy, nlh, n);
	memcpy(copy, &len, sizeof(len));
	return copy;
}

/* A message that a kernel sent, from a file of the tree; for the caller to free. */
static inline struct nlmsghdr *nl_recorded(const char *path)
{
	static uint8_t buf[512 * 1024] __attribute__((aligned(4)));
	FILE *f = fopen(path, "rb");
	struct nlmsghdr h;
	size_t n;

	if (f == NULL) {
		perror(path);
		abort();
	}
	n = fread(buf, 1, sizeof(buf), f);
	fclose(f);
	memcpy(&h, buf, sizeof(h));
	if (h.nlmsg_len != n) {
		fprintf(stderr, "%s: %zu bytes of a message of %u\n", path, n, h.nlmsg_len);
		abort();
	}
	return nl_cut((const void *)buf, n);
}

#endif
