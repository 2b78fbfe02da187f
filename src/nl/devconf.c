/* SPDX-License-Identifier: MIT */
/* See devconf.h. */
#include "nl/devconf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "nl/link_priv.h"
#include "nl/msg_priv.h"

int nl_devconf_set(
	struct nl_sock *s, uint32_t ifindex, const struct nl_devconf *conf, size_t n, struct err *e)
{
	struct ifinfomsg ifi = {.ifi_family = AF_UNSPEC, .ifi_index = (int)ifindex};
	struct nlattr *spec, *inet, *list;
	struct nl_req q;
	char what[48];
	int r = link_index_check(ifindex, e);

	if (r < 0) {
		return r;
	}
	ASSERT(n <= NL_DEVCONF_MAX);
	(void)snprintf(what, sizeof(what), "set IPv4 settings of interface %u", ifindex);
	nl_req_init(&q, RTM_SETLINK, 0, &ifi, sizeof(ifi));
	spec = nl_req_nest(&q, IFLA_AF_SPEC);
	inet = nl_req_nest(&q, AF_INET);
	list = nl_req_nest(&q, IFLA_INET_CONF);
	for (size_t i = 0; i < n; i++) {
		nl_req_put_u32(&q, conf[i].number, conf[i].value);
	}
	nl_req_nest_end(&q, list);
	nl_req_nest_end(&q, inet);
	nl_req_nest_end(&q, spec);
	return nl_request(s, &q.u.h, NULL, what, e);
}

struct wanted {
	struct nl_devconf *conf;
	size_t n;
	bool seen;
};

/* IFLA_INET_CONF: all settings in a row, that of number 1 first (net/ipv4/devinet.c). */
static int take_values(const struct nlattr *a, struct wanted *w, struct err *e)
{
	struct attr_walk in;

	attr_walk_nest(a, &in);
	for (size_t i = 0; i < w->n; i++) {
		size_t at = ((size_t)w->conf[i].number - 1) * sizeof(uint32_t);

		if (w->conf[i].number == 0 || in.n < at + sizeof(uint32_t)) {
			return err_set(e, ENODATA, "the kernel does not tell IPv4 setting %u",
				w->conf[i].number);
		}
		memcpy(&w->conf[i].value, in.p + at, sizeof(uint32_t));
	}
	w->seen = true;
	return 0;
}

/* The attribute of that type among those in w: 1 and *out, 0 none, -EBADMSG. */
static int find(struct attr_walk *w, uint16_t type, const struct nlattr **out, struct err *e)
{
	int r;

	while ((r = attr_next(w, out)) > 0) {
		if (attr_type(*out) == type) {
			return 1;
		}
	}
	return r < 0 ? err_set(e, EBADMSG, "IPv4 settings: malformed") : 0;
}

static int read_values(const struct nlmsghdr *nlh, void *arg, struct err *e)
{
	static const uint16_t path[] = {AF_INET, IFLA_INET_CONF};
	struct link_attr top;
	struct ifinfomsg ifi;
	struct attr_walk w;
	int r = link_attrs(nlh, &ifi, &w, e);

	while (r >= 0 && (r = link_attr_next(&w, &top, e)) > 0) {
		const struct nlattr *a = top.a;

		if (top.type != IFLA_AF_SPEC) {
			continue;
		}
		for (size_t i = 0; r > 0 && i < ARRAY_LEN(path); i++) {
			struct attr_walk in;

			attr_walk_nest(a, &in);
			r = find(&in, path[i], &a, e);
		}
		return r > 0 ? take_values(a, arg, e) : r;
	}
	return r;
}

int nl_devconf_get(
	struct nl_sock *s, uint32_t ifindex, struct nl_devconf *conf, size_t n, struct err *e)
{
	struct wanted w = {.conf = conf, .n = n};
	struct nl_reader reader = {.msg = read_values, .arg = &w};
	struct nl_req q;
	char what[48];
	int r = link_index_check(ifindex, e);

	if (r < 0) {
		return r;
	}
	(void)snprintf(what, sizeof(what), "read IPv4 settings of interface %u", ifindex);
	link_req(&q, RTM_GETLINK, 0, ifindex);
	r = nl_request(s, &q.u.h, &reader, what, e);
	return r < 0 || w.seen ? r : err_set(e, ENODATA, "interface %u has no IPv4", ifindex);
}
