/* SPDX-License-Identifier: MIT */
/* Telling the neighbours that an address lives at another MAC now. */
#ifndef NL_ANNOUNCE_H
#define NL_ANNOUNCE_H

#include "base/err.h"
#include "nl/addr.h"

/* The largest of the two: Ethernet, IPv6, neighbour advertisement with one option. */
#define NL_ANNOUNCE_CAP 86

/*
 * nl_announce_build: the frame that says ip is at mac: a gratuitous ARP request (RFC 5227 3) or an
 * unsolicited neighbour advertisement to all nodes with the override flag (RFC 4861 7.2.6). Pure.
 * Returns its length. -EINVAL: neither IPv4 nor IPv6.
 */
int nl_announce_build(const struct nl_ip *ip, const uint8_t mac[static 6],
	uint8_t frame[static NL_ANNOUNCE_CAP], struct err *e) MUST_CHECK;

/*
 * nl_announce: send it out of ifindex through fd, an AF_PACKET socket of type SOCK_RAW and
 * protocol 0 in the interface's namespace (sandbox_netns_socket). Does not wait. -ENETDOWN: the
 * interface is down. Ethernet only.
 */
int nl_announce(int fd, uint32_t ifindex, const struct nl_ip *ip, const uint8_t mac[static 6],
	struct err *e) MUST_CHECK;

#endif
