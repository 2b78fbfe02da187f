/* SPDX-License-Identifier: MIT */
/* The neighbour table, as far as it makes the kernel say something. */
#ifndef NL_NEIGH_H
#define NL_NEIGH_H

#include "base/err.h"
#include "nl/addr.h"

/*
 * nl_neigh_announce: have the kernel broadcast a gratuitous ARP request (RFC 5227 3) for ip, an
 * IPv4 address of interface ifindex, the first of its subnet there: it is told to find ip's
 * neighbour (NTF_USE), for which it asks at once and with ip as the sender, and to forget it again.
 * Unlike an AF_PACKET socket, whose closing waits for an RCU grace period (10 to 20 ms), this costs
 * two requests. -EINVAL: not IPv4.
 */
int nl_neigh_announce(
	struct nl_sock *s, uint32_t ifindex, const struct nl_ip *ip, struct err *e) MUST_CHECK;

#endif
