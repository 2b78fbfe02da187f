/* SPDX-License-Identifier: MIT */
/* IP addresses and routes of network interfaces over rtnetlink. */
#ifndef NL_ADDR_H
#define NL_ADDR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "nl/sock.h"

/* An address with a prefix: family is AF_INET (4 bytes of ip count) or AF_INET6 (16). */
struct nl_ip {
	uint8_t family;
	uint8_t prefix; /* bits */
	uint8_t ip[16]; /* network order */
};

/*
 * nl_addr_add: give interface ifindex of the socket's namespace an address. IPv4 gets the
 * broadcast address of its prefix where it has one (prefix below 31). IPv6 is usable at once,
 * without duplicate address detection (IFA_F_NODAD), as IPAM has seen to it that it is unique.
 * -EEXIST: it has it already. nl_addr_del: -EADDRNOTAVAIL: it does not have it.
 * -EINVAL: impossible family or prefix.
 */
int nl_addr_add(
	struct nl_sock *s, uint32_t ifindex, const struct nl_ip *ip, struct err *e) MUST_CHECK;
int nl_addr_del(
	struct nl_sock *s, uint32_t ifindex, const struct nl_ip *ip, struct err *e) MUST_CHECK;

/*
 * nl_addr_list: visit the addresses of one interface (ifindex 0: of all). fn returns >= 0 to go
 * on, or -errno with e filled. restart: see struct nl_reader; required.
 */
struct nl_addr_visitor {
	int (*addr)(uint32_t ifindex, const struct nl_ip *ip, void *arg, struct err *e);
	void (*restart)(void *arg);
	void *arg;
};

int nl_addr_list(struct nl_sock *s, uint32_t ifindex, const struct nl_addr_visitor *v,
	struct err *e) MUST_CHECK;

/* nl_addr_flush: remove every address of one interface. At most NL_ADDR_FLUSH_MAX. */
#define NL_ADDR_FLUSH_MAX 64

int nl_addr_flush(struct nl_sock *s, uint32_t ifindex, struct err *e) MUST_CHECK;

/*
 * A route through ifindex. dst.prefix 0 is the default route. has_gw: via gw, which has the family
 * of dst (gw.prefix is not looked at). Zero leaves the kernel's default: metric (IPv4 0, IPv6
 * 1024), mtu, advmss, table (main). src, if has_src, is the preferred source address.
 */
struct nl_route {
	struct nl_ip dst;
	bool has_gw, has_src;
	struct nl_ip gw, src;
	uint32_t ifindex;
	uint32_t metric, mtu, advmss, table;
	bool has_scope; /* else: link without a gateway, global with one */
	uint8_t scope;  /* RT_SCOPE_* */
	bool onlink;    /* the gateway is reachable though no address of ours says so */
};

/*
 * nl_route_add: -EEXIST: there is such a route (same destination, metric, table). -ENETUNREACH:
 * the gateway is not reachable through the interface, or the interface is down.
 */
int nl_route_add(struct nl_sock *s, const struct nl_route *r, struct err *e) MUST_CHECK;
int nl_route_del(struct nl_sock *s, const struct nl_route *r, struct err *e) MUST_CHECK;

/*
 * nl_route_list: visit the routes of one family (AF_INET, AF_INET6) through interface ifindex, of
 * all tables; of each what says which it is: dst, gw, ifindex, metric, table, scope. Routes through
 * several interfaces at once (RTA_MULTIPATH) are passed over. Otherwise as nl_addr_list.
 */
struct nl_route_visitor {
	int (*route)(const struct nl_route *r, void *arg, struct err *e);
	void (*restart)(void *arg);
	void *arg;
};

int nl_route_list(struct nl_sock *s, uint8_t family, uint32_t ifindex,
	const struct nl_route_visitor *v, struct err *e) MUST_CHECK;

#endif
