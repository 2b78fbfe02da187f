/* SPDX-License-Identifier: MIT */
/* See link.h: the setters. */
#include "nl/link.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "nl/link_priv.h"

int nl_link_set_flags(
	struct nl_sock *s, uint32_t ifindex, uint32_t flags, uint32_t mask, struct err *e)
{
	struct ifinfomsg ifi = {
		.ifi_family = AF_UNSPEC,
		.ifi_index = (int)ifindex,
		.ifi_flags = flags & mask,
		.ifi_change = mask,
	};
	struct nl_req q;
	char what[64];
	int r = link_index_check(ifindex, e);

	if (r < 0) {
		return r;
	}
	if (mask == IFF_UP) {
		(void)snprintf(what, sizeof(what), "set interface %u %s", ifindex,
			(flags & IFF_UP) != 0 ? "up" : "down");
	} else {
		(void)snprintf(what, sizeof(what), "set flags 0x%x of interface %u to 0x%x", mask,
			ifindex, flags & mask);
	}
	nl_req_init(&q, RTM_SETLINK, 0, &ifi, sizeof(ifi));
	return nl_request(s, &q.u.h, NULL, what, e);
}

int nl_link_set_up(struct nl_sock *s, uint32_t ifindex, bool up, struct err *e)
{
	return nl_link_set_flags(s, ifindex, up ? IFF_UP : 0, IFF_UP, e);
}

int nl_link_set_addr(
	struct nl_sock *s, uint32_t ifindex, const uint8_t *addr, size_t addr_n, struct err *e)
{
	struct nl_req q;
	char what[48];
	int r = link_index_check(ifindex, e);

	if (r < 0) {
		return r;
	}
	if (addr_n == 0 || addr_n > NL_ADDR_CAP) {
		return err_set(e, EINVAL, "a hardware address cannot have %zu bytes", addr_n);
	}
	(void)snprintf(what, sizeof(what), "set address of interface %u", ifindex);
	link_req(&q, RTM_SETLINK, 0, ifindex);
	nl_req_put(&q, IFLA_ADDRESS, addr, addr_n);
	return nl_request(s, &q.u.h, NULL, what, e);
}

int nl_link_set_name(struct nl_sock *s, uint32_t ifindex, const char *name, struct err *e)
{
	struct nl_req q;
	char what[48];
	int r = link_index_check(ifindex, e);

	if (r < 0) {
		return r;
	}
	if (!parse_ifname(str_from(name))) {
		return err_set(e, EINVAL, "\"%s\" cannot be the name of an interface", name);
	}
	(void)snprintf(what, sizeof(what), "rename interface %u to %s", ifindex, name);
	link_req(&q, RTM_SETLINK, 0, ifindex);
	nl_req_put_str(&q, IFLA_IFNAME, name);
	return nl_request(s, &q.u.h, NULL, what, e);
}

int nl_link_set_mtu(struct nl_sock *s, uint32_t ifindex, uint32_t mtu, struct err *e)
{
	struct nl_req q;
	char what[64];
	int r = link_index_check(ifindex, e);

	if (r < 0) {
		return r;
	}
	(void)snprintf(what, sizeof(what), "set MTU of interface %u to %u", ifindex, mtu);
	link_req(&q, RTM_SETLINK, 0, ifindex);
	nl_req_put_u32(&q, IFLA_MTU, mtu);
	return nl_request(s, &q.u.h, NULL, what, e);
}

int nl_link_move(struct nl_sock *s, uint32_t ifindex, int netns_fd, const char *name, struct err *e)
{
	struct nl_req q;
	char what[80];
	int r = link_index_check(ifindex, e);

	if (r < 0) {
		return r;
	}
	if (!parse_ifname(str_from(name))) {
		return err_set(e, EINVAL, "\"%s\" cannot be the name of an interface", name);
	}
	(void)snprintf(
		what, sizeof(what), "move interface %u to its namespace as %s", ifindex, name);
	link_req(&q, RTM_SETLINK, 0, ifindex);
	nl_req_put_u32(&q, IFLA_NET_NS_FD, (uint32_t)netns_fd);
	nl_req_put_str(&q, IFLA_IFNAME, name);
	return nl_request(s, &q.u.h, NULL, what, e);
}

static int change_altname(
	struct nl_sock *s, uint16_t type, uint32_t ifindex, const char *name, struct err *e)
{
	size_t n = strnlen(name, NL_ALTNAME_CAP);
	bool add = type == RTM_NEWLINKPROP;
	struct nlattr *list;
	struct nl_req q;
	char what[NL_ALTNAME_CAP + 64];
	int r = link_index_check(ifindex, e);

	if (r < 0) {
		return r;
	}
	if (n == 0 || n == NL_ALTNAME_CAP) {
		return err_set(e, EINVAL, "an alternative name has 1 to %d bytes, not \"%.*s\"",
			NL_ALTNAME_CAP - 1, (int)n, name);
	}
	(void)snprintf(what, sizeof(what), "%s alternative name %s %s interface %u",
		add ? "add" : "remove", name, add ? "to" : "from", ifindex);
	link_req(&q, type, add ? NLM_F_EXCL | NLM_F_CREATE | NLM_F_APPEND : 0, ifindex);
	list = nl_req_nest(&q, IFLA_PROP_LIST);
	nl_req_put_str(&q, IFLA_ALT_IFNAME, name);
	nl_req_nest_end(&q, list);
	return nl_request(s, &q.u.h, NULL, what, e);
}

int nl_link_add_altname(struct nl_sock *s, uint32_t ifindex, const char *name, struct err *e)
{
	return change_altname(s, RTM_NEWLINKPROP, ifindex, name, e);
}

int nl_link_del_altname(struct nl_sock *s, uint32_t ifindex, const char *name, struct err *e)
{
	return change_altname(s, RTM_DELLINKPROP, ifindex, name, e);
}
