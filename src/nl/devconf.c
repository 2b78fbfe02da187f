/* SPDX-License-Identifier: MIT */
/* See devconf.h. */
#include "nl/devconf.h"

#include <errno.h>
#include <stdio.h>
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
