/* SPDX-License-Identifier: MIT */
/* See addr.h. */
#include "nl/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <linux/if_addr.h>

#include "nl/link_priv.h"

#define IP_TEXT_CAP (INET6_ADDRSTRLEN + 4) /* "/128" */

static size_t ip_bytes(const struct nl_ip *ip)
{
	return ip->family == AF_INET ? 4 : 16;
}

static int ip_check(const struct nl_ip *ip, struct err *e)
{
	if (ip->family != AF_INET && ip->family != AF_INET6) {
		return err_set(e, EINVAL, "%u is no family of IP addresses", ip->family);
	}
	if (ip->prefix > 8 * ip_bytes(ip)) {
		return err_set(e, EINVAL, "an IPv%d address cannot have a prefix of %u bits",
			ip->family == AF_INET ? 4 : 6, ip->prefix);
	}
	return 0;
}

/* "10.0.0.1/24", for messages. */
static void ip_text(const struct nl_ip *ip, char out[static IP_TEXT_CAP])
{
	char text[INET6_ADDRSTRLEN];

	if (inet_ntop(ip->family, ip->ip, text, sizeof(text)) == NULL) {
		text[0] = '\0'; /* cannot be: family and size are right */
	}
	(void)snprintf(out, IP_TEXT_CAP, "%s/%u", text, ip->prefix);
}

static void ip_broadcast(const struct nl_ip *ip, uint8_t out[static 4])
{
	for (unsigned i = 0; i < 4; i++) {
		unsigned bits = ip->prefix > 8 * i ? ip->prefix - 8 * i : 0;

		out[i] = (uint8_t)(ip->ip[i] | (bits >= 8 ? 0 : 0xff >> bits));
	}
}

static int change_addr(
	struct nl_sock *s, uint16_t type, uint32_t ifindex, const struct nl_ip *ip, struct err *e)
{
	struct ifaddrmsg ifa = {.ifa_family = ip->family, .ifa_index = ifindex};
	bool add = type == RTM_NEWADDR;
	char text[IP_TEXT_CAP], what[IP_TEXT_CAP + 48];
	uint8_t broadcast[4];
	struct nl_req q;
	int r = ip_check(ip, e);

	if (r == 0) {
		r = link_index_check(ifindex, e);
	}
	if (r < 0) {
		return r;
	}
	ifa.ifa_prefixlen = ip->prefix;
	ifa.ifa_flags = add && ip->family == AF_INET6 ? IFA_F_NODAD : 0;
	ip_text(ip, text);
	(void)snprintf(what, sizeof(what), "%s address %s %s interface %u", add ? "add" : "remove",
		text, add ? "to" : "from", ifindex);
	nl_req_init(&q, type, add ? NLM_F_CREATE | NLM_F_EXCL : 0, &ifa, sizeof(ifa));
	nl_req_put(&q, IFA_LOCAL, ip->ip, ip_bytes(ip));
	nl_req_put(&q, IFA_ADDRESS, ip->ip, ip_bytes(ip));
	if (add && ip->family == AF_INET && ip->prefix < 31) {
		ip_broadcast(ip, broadcast);
		nl_req_put(&q, IFA_BROADCAST, broadcast, sizeof(broadcast));
	}
	return nl_request(s, &q.u.h, NULL, what, e);
}

int nl_addr_add(struct nl_sock *s, uint32_t ifindex, const struct nl_ip *ip, struct err *e)
{
	return change_addr(s, RTM_NEWADDR, ifindex, ip, e);
}

int nl_addr_del(struct nl_sock *s, uint32_t ifindex, const struct nl_ip *ip, struct err *e)
{
	return change_addr(s, RTM_DELADDR, ifindex, ip, e);
}

/* A walk over the addresses of one interface. */
struct addr_walk {
	const struct nl_addr_visitor *v;
	uint32_t ifindex; /* 0: all */
};

static int read_addr(
	const struct nlmsghdr *nlh, struct ifaddrmsg *ifa, struct nl_ip *ip, struct err *e)
{
	const struct nlattr *a;
	struct attr_walk w;
	bool local = false;
	size_t n = 0;
	int r;

	if (nlh->nlmsg_type != RTM_NEWADDR || !attr_walk_msg(nlh, sizeof(*ifa), &w)) {
		return err_set(e, EBADMSG, "address message: type %u with %u bytes",
			nlh->nlmsg_type, nlh->nlmsg_len);
	}
	memcpy(ifa, (const uint8_t *)nlh + MSG_HDR_BYTES, sizeof(*ifa));
	memset(ip, 0, sizeof(*ip));
	ip->family = ifa->ifa_family;
	ip->prefix = ifa->ifa_prefixlen;
	while ((r = attr_next(&w, &a)) > 0) {
		/* On a point-to-point link IFA_ADDRESS is the peer's. */
		if (attr_type(a) == IFA_LOCAL || (attr_type(a) == IFA_ADDRESS && !local)) {
			local = local || attr_type(a) == IFA_LOCAL;
			if (!attr_bytes(a, ip->ip, sizeof(ip->ip), &n)) {
				return attr_bad(a, "address message", e);
			}
		}
	}
	if (r < 0 || ip_check(ip, e) < 0 || n != ip_bytes(ip)) {
		return err_set(e, EBADMSG, "address message: malformed");
	}
	return 0;
}

static int visit_addr(const struct nlmsghdr *nlh, void *arg, struct err *e)
{
	const struct addr_walk *walk = arg;
	struct ifaddrmsg ifa;
	struct nl_ip ip;
	int r = read_addr(nlh, &ifa, &ip, e);

	/* Kernels before 4.20 ignore the filter of the request. */
	if (r < 0 || (walk->ifindex != 0 && ifa.ifa_index != walk->ifindex)) {
		return r;
	}
	return walk->v->addr(ifa.ifa_index, &ip, walk->v->arg, e);
}

static void visit_again(void *arg)
{
	const struct addr_walk *walk = arg;

	walk->v->restart(walk->v->arg);
}

int nl_addr_list(
	struct nl_sock *s, uint32_t ifindex, const struct nl_addr_visitor *v, struct err *e)
{
	struct ifaddrmsg ifa = {.ifa_family = AF_UNSPEC, .ifa_index = ifindex};
	struct addr_walk walk = {v, ifindex};
	struct nl_reader r = {.msg = visit_addr, .restart = visit_again, .arg = &walk};
	struct nl_req q;

	ASSERT(v->addr != NULL && v->restart != NULL);
	nl_req_init(&q, RTM_GETADDR, NLM_F_DUMP, &ifa, sizeof(ifa));
	return nl_request(s, &q.u.h, &r, "list addresses", e);
}

struct flush {
	struct nl_ip ip[NL_ADDR_FLUSH_MAX];
	size_t n;
};

static int flush_add(uint32_t ifindex, const struct nl_ip *ip, void *arg, struct err *e)
{
	struct flush *f = arg;

	if (f->n == NL_ADDR_FLUSH_MAX) {
		return err_set(e, E2BIG, "interface %u has more than %d addresses", ifindex,
			NL_ADDR_FLUSH_MAX);
	}
	f->ip[f->n++] = *ip;
	return 0;
}

static void flush_again(void *arg)
{
	struct flush *f = arg;

	f->n = 0;
}

int nl_addr_flush(struct nl_sock *s, uint32_t ifindex, struct err *e)
{
	struct flush f = {.n = 0};
	const struct nl_addr_visitor v = {flush_add, flush_again, &f};
	int r = link_index_check(ifindex, e);

	if (r == 0) {
		r = nl_addr_list(s, ifindex, &v, e);
	}
	for (size_t i = 0; r == 0 && i < f.n; i++) {
		r = nl_addr_del(s, ifindex, &f.ip[i], e);
		/* A secondary address goes with its primary. */
		r = r == -EADDRNOTAVAIL ? 0 : r;
	}
	return r;
}

/* RTA_METRICS, if there are any. */
static void put_metrics(struct nl_req *q, const struct nl_route *r)
{
	struct nlattr *nest;

	if (r->mtu == 0 && r->advmss == 0) {
		return;
	}
	nest = nl_req_nest(q, RTA_METRICS);
	if (r->mtu != 0) {
		nl_req_put_u32(q, RTAX_MTU, r->mtu);
	}
	if (r->advmss != 0) {
		nl_req_put_u32(q, RTAX_ADVMSS, r->advmss);
	}
	nl_req_nest_end(q, nest);
}

static int change_route(struct nl_sock *s, uint16_t type, const struct nl_route *r, struct err *e)
{
	bool add = type == RTM_NEWROUTE;
	struct rtmsg rtm = {
		.rtm_family = r->dst.family,
		.rtm_dst_len = r->dst.prefix,
		.rtm_table = r->table != 0 && r->table < 256 ? (uint8_t)r->table : RT_TABLE_UNSPEC,
		.rtm_protocol = RTPROT_STATIC,
		.rtm_scope = r->has_gw ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK,
		.rtm_type = RTN_UNICAST,
		.rtm_flags = r->onlink ? RTNH_F_ONLINK : 0,
	};
	char text[IP_TEXT_CAP], what[IP_TEXT_CAP + 48];
	struct nl_req q;

	rtm.rtm_scope = r->has_scope ? r->scope : rtm.rtm_scope;
	ip_text(&r->dst, text);
	(void)snprintf(what, sizeof(what), "%s route to %s %s interface %u", add ? "add" : "remove",
		text, add ? "through" : "from", r->ifindex);
	nl_req_init(&q, type, add ? NLM_F_CREATE | NLM_F_EXCL : 0, &rtm, sizeof(rtm));
	if (r->dst.prefix > 0) {
		nl_req_put(&q, RTA_DST, r->dst.ip, ip_bytes(&r->dst));
	}
	nl_req_put_u32(&q, RTA_OIF, r->ifindex);
	nl_req_put_u32(&q, RTA_TABLE, r->table != 0 ? r->table : RT_TABLE_MAIN);
	if (r->has_gw) {
		nl_req_put(&q, RTA_GATEWAY, r->gw.ip, ip_bytes(&r->gw));
	}
	if (r->has_src) {
		nl_req_put(&q, RTA_PREFSRC, r->src.ip, ip_bytes(&r->src));
	}
	if (r->metric != 0) {
		nl_req_put_u32(&q, RTA_PRIORITY, r->metric);
	}
	put_metrics(&q, r);
	return nl_request(s, &q.u.h, NULL, what, e);
}

static int route_check(const struct nl_route *r, struct err *e)
{
	int rc = ip_check(&r->dst, e);

	if (rc == 0) {
		rc = link_index_check(r->ifindex, e);
	}
	if (rc < 0) {
		return rc;
	}
	if ((r->has_gw && r->gw.family != r->dst.family) ||
		(r->has_src && r->src.family != r->dst.family)) {
		return err_set(e, EINVAL,
			"a route's destination, gateway and source must be of "
			"one IP version");
	}
	return 0;
}

int nl_route_add(struct nl_sock *s, const struct nl_route *r, struct err *e)
{
	int rc = route_check(r, e);

	return rc < 0 ? rc : change_route(s, RTM_NEWROUTE, r, e);
}

int nl_route_del(struct nl_sock *s, const struct nl_route *r, struct err *e)
{
	int rc = route_check(r, e);

	return rc < 0 ? rc : change_route(s, RTM_DELROUTE, r, e);
}
