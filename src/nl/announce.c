/* SPDX-License-Identifier: MIT */
/* See announce.h. */
#include "nl/announce.h"

#include <errno.h>
#include <net/ethernet.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/if_packet.h>

#define ARP_BYTES 42 /* Ethernet header and ARP of IPv4 over Ethernet */
#define IP6_AT    14
#define ICMP_AT   (IP6_AT + 40)
#define NA_BYTES  32 /* ICMPv6 header, target, option with the link address */

static void put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)(v & 0xff);
}

static void put_ether(uint8_t *f, const uint8_t *to, const uint8_t *from, uint16_t type)
{
	memcpy(f, to, 6);
	memcpy(f + 6, from, 6);
	put16(f + 12, type);
}

/* RFC 5227 1.1: an ARP request whose sender and target are both the address. */
static int build_arp(const struct nl_ip *ip, const uint8_t *mac, uint8_t *f)
{
	static const uint8_t all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

	put_ether(f, all, mac, ETHERTYPE_ARP);
	put16(f + 14, 1); /* Ethernet */
	put16(f + 16, ETHERTYPE_IP);
	f[18] = 6;
	f[19] = 4;
	put16(f + 20, 1); /* request */
	memcpy(f + 22, mac, 6);
	memcpy(f + 28, ip->ip, 4);
	memset(f + 32, 0, 6);
	memcpy(f + 38, ip->ip, 4);
	return ARP_BYTES;
}

static uint32_t sum16(uint32_t sum, const uint8_t *p, size_t n) /* n even */
{
	for (size_t i = 0; i < n; i += 2) {
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	}
	return sum;
}

/* RFC 4861 4.4, 7.2.6: to all nodes, override set, solicited clear, with the link address. */
static int build_na(const struct nl_ip *ip, const uint8_t *mac, uint8_t *f)
{
	static const uint8_t ether_all[6] = {0x33, 0x33, 0, 0, 0, 1};
	static const uint8_t ip_all[16] = {0xff, 2, [15] = 1};
	uint8_t *ip6 = f + IP6_AT, *na = f + ICMP_AT;
	uint32_t sum;

	put_ether(f, ether_all, mac, ETHERTYPE_IPV6);
	memset(ip6, 0, 40 + NA_BYTES);
	ip6[0] = 6 << 4;
	put16(ip6 + 4, NA_BYTES);
	ip6[6] = 58;  /* ICMPv6 */
	ip6[7] = 255; /* receivers drop it otherwise */
	memcpy(ip6 + 8, ip->ip, 16);
	memcpy(ip6 + 24, ip_all, 16);
	na[0] = 136; /* neighbour advertisement */
	na[4] = 0x20;
	memcpy(na + 8, ip->ip, 16);
	na[24] = 2; /* target link-layer address */
	na[25] = 1;
	memcpy(na + 26, mac, 6);
	/* RFC 8200 8.1: the pseudo-header is both addresses, length and protocol. */
	sum = sum16(NA_BYTES + 58, ip6 + 8, 32);
	sum = sum16(sum, na, NA_BYTES);
	while (sum >> 16 != 0) {
		sum = (sum & 0xffff) + (sum >> 16);
	}
	put16(na + 2, (uint16_t)(~sum & 0xffff));
	return ICMP_AT + NA_BYTES;
}

int nl_announce_build(const struct nl_ip *ip, const uint8_t mac[static 6],
	uint8_t frame[static NL_ANNOUNCE_CAP], struct err *e)
{
	_Static_assert(NL_ANNOUNCE_CAP == ICMP_AT + NA_BYTES, "the larger one");
	if (ip->family == AF_INET) {
		return build_arp(ip, mac, frame);
	}
	if (ip->family == AF_INET6) {
		return build_na(ip, mac, frame);
	}
	return err_set(e, EINVAL, "%u is no family of IP addresses", ip->family);
}

int nl_announce(int fd, uint32_t ifindex, const struct nl_ip *ip, const uint8_t mac[static 6],
	struct err *e)
{
	uint8_t frame[NL_ANNOUNCE_CAP];
	struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_halen = 6};
	int n = nl_announce_build(ip, mac, frame, e);
	ssize_t sent;

	if (n < 0) {
		return n;
	}
	to.sll_ifindex = (int)ifindex;
	memcpy(to.sll_addr, frame, 6);
	memcpy(&to.sll_protocol, frame + 12, sizeof(to.sll_protocol));
	do {
		sent = sendto(fd, frame, (size_t)n, MSG_DONTWAIT, (const void *)&to, sizeof(to));
	} while (sent < 0 && errno == EINTR);
	return sent < 0 ? err_sys(e, errno, "announce an address on interface %u", ifindex) : 0;
}
