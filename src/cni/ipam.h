/* SPDX-License-Identifier: MIT */
/* What an IPAM plugin answers, in the shape of any version of the specification. */
#ifndef CNI_IPAM_H
#define CNI_IPAM_H

#include "cni/limits.h"
#include "json/read.h"
#include "nl/addr.h"

struct cni_ip {
	struct nl_ip addr; /* with the prefix of its network */
	bool has_gw;
	struct nl_ip gw;
};

/* One route; the zero of a number means that it was not given. */
struct cni_route {
	struct nl_ip dst;
	bool has_gw, has_scope;
	struct nl_ip gw;
	uint32_t mtu, advmss, priority, table;
	uint8_t scope;
};

struct cni_ipam {
	struct cni_ip ip[CNI_IPS_MAX];
	size_t ip_n;
	struct cni_route route[CNI_ROUTES_MAX];
	size_t route_n;
	struct str dns; /* the object as it was, pointing into the text; empty: none or {} */
};

/*
 * cni_ipam_parse: text is a whole result of version 0.1.0 to 1.1.0; its shape tells them apart.
 * -EINVAL with place and reason: not JSON, a wrong type, an address that is none, a gateway or
 * route of another family than its address, no address at all, more than there is room for.
 */
int cni_ipam_parse(
	struct cni_ipam *out, struct str text, struct arena *a, struct err *e) MUST_CHECK;

/* cni_ipam_gw: the gateway of a route: its own, else that of the first address of its family. */
const struct nl_ip *cni_ipam_gw(const struct cni_ipam *r, const struct cni_route *route);

/*
 * cni_ipam_rank: routes of the interface number rank (0: they stay as they are) get metrics of
 * their own, worse than those of every interface before it that has the same given: 4096 + rank
 * for none, 4096 * (1 + rank) more than one that was given.
 */
void cni_ipam_rank(struct cni_ipam *r, uint32_t rank);

/* cni_ipam_connected: the route that the kernel makes for one of the addresses. */
bool cni_ipam_connected(const struct cni_ipam *r, const struct cni_route *route);

#endif
