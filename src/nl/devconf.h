/* SPDX-License-Identifier: MIT */
/* Settings of IPv4 on one interface (what sysctl calls net.ipv4.conf), over rtnetlink. */
#ifndef NL_DEVCONF_H
#define NL_DEVCONF_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "nl/sock.h"

/* number: IPV4_DEVCONF_ARP_IGNORE and the like, linux/ip.h. */
struct nl_devconf {
	uint16_t number;
	uint32_t value;
};

#define NL_DEVCONF_MAX 8

/*
 * nl_devconf_set: give interface ifindex of the socket's namespace n (at most NL_DEVCONF_MAX)
 * settings in one message (net/ipv4/devinet.c inet_set_link_af). -EAFNOSUPPORT: the interface has
 * no IPv4. Needs CAP_NET_ADMIN.
 */
int nl_devconf_set(struct nl_sock *s, uint32_t ifindex, const struct nl_devconf *conf, size_t n,
	struct err *e) MUST_CHECK;

/*
 * nl_devconf_get: the present values of the n settings that conf numbers. -ENODATA: the kernel does
 * not tell one of them: the interface has no IPv4.
 */
int nl_devconf_get(struct nl_sock *s, uint32_t ifindex, struct nl_devconf *conf, size_t n,
	struct err *e) MUST_CHECK;

#endif
