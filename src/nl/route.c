/* SPDX-License-Identifier: MIT */
/* Listing routes: see addr.h. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "nl/addr.h"
#include "nl/link_priv.h"

/* A walk over the routes through one interface. */
struct route_walk {
	const struct nl_route_visitor *v;
	uint32_t ifindex;
};

static bool take_ip(const struct nlattr *a, uint8_t family, struct nl_ip *out)
{
	size_t n = 0;

	out->family = family;
	return attr_bytes(a, out->ip, sizeof(out->ip), &n) && n == (family == AF_INET ? 4u : 16u);
}

static int take_attr(const struct nlattr *a, struct nl_route *r, struct err *e)
{
	uint8_t family = r->dst.family;
	bool ok = true;

	switch (attr_type(a)) {
	case RTA_DST:
		ok = take_ip(a, family, &r->dst);
		break;
	case RTA_GATEWAY:
		r->has_gw = ok = take_ip(a, family, &r->gw);
		break;
	case RTA_OIF:
		ok = attr_u32(a, &r->ifindex);
		break;
	case RTA_PRIORITY:
		ok = attr_u32(a, &r->metric);
		break;
	case RTA_TABLE:
		ok = attr_u32(a, &r->table);
		break;
	default:
		break;
	}
	return ok ? 0 : attr_bad(a, "route message", e);
}

static int read_route(const struct nlmsghdr *nlh, struct nl_route *out, struct err *e)
{
	const struct nlattr *a;
	struct attr_walk w;
	struct rtmsg rtm;
	int r, bad = 0;

	if (nlh->nlmsg_type != RTM_NEWROUTE || !attr_walk_msg(nlh, sizeof(rtm), &w)) {
		return err_set(e, EBADMSG, "route message: type %u with %u bytes", nlh->nlmsg_type,
			nlh->nlmsg_len);
	}
	memcpy(&rtm, (const uint8_t *)nlh + MSG_HDR_BYTES, sizeof(rtm));
	*out = (struct nl_route){.table = rtm.rtm_table, .has_scope = true, .scope = rtm.rtm_scope};
	out->dst.family = rtm.rtm_family;
	out->dst.prefix = rtm.rtm_dst_len;
	while (bad == 0 && (r = attr_next(&w, &a)) > 0) {
		bad = take_attr(a, out, e);
	}
	if (bad < 0) {
		return bad;
	}
	if (r < 0 || (rtm.rtm_family != AF_INET && rtm.rtm_family != AF_INET6) ||
		rtm.rtm_dst_len > (rtm.rtm_family == AF_INET ? 32 : 128)) {
		return err_set(e, EBADMSG, "route message: malformed");
	}
	return 0;
}

static int visit_route(const struct nlmsghdr *nlh, void *arg, struct err *e)
{
	const struct route_walk *walk = arg;
	struct nl_route route;
	int r = read_route(nlh, &route, e);

	/* Kernels before 4.20 ignore the filter of the request. */
	if (r < 0 || route.ifindex != walk->ifindex) {
		return r;
	}
	return walk->v->route(&route, walk->v->arg, e);
}

static void visit_again(void *arg)
{
	const struct route_walk *walk = arg;

	walk->v->restart(walk->v->arg);
}

int nl_route_list(struct nl_sock *s, uint8_t family, uint32_t ifindex,
	const struct nl_route_visitor *v, struct err *e)
{
	struct rtmsg rtm = {.rtm_family = family};
	struct route_walk walk = {v, ifindex};
	struct nl_reader reader = {.msg = visit_route, .restart = visit_again, .arg = &walk};
	struct nl_req q;
	int r = link_index_check(ifindex, e);

	ASSERT(v->route != NULL && v->restart != NULL);
	ASSERT(family == AF_INET || family == AF_INET6);
	if (r < 0) {
		return r;
	}
	nl_req_init(&q, RTM_GETROUTE, NLM_F_DUMP, &rtm, sizeof(rtm));
	nl_req_put_u32(&q, RTA_OIF, ifindex);
	return nl_request(s, &q.u.h, &reader, "list routes", e);
}
