/* SPDX-License-Identifier: MIT */
/* See neigh.h. */
#include "nl/neigh.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#include <linux/neighbour.h>

#include "nl/link_priv.h"

static int change(struct nl_sock *s, uint16_t type, uint32_t ifindex, const struct nl_ip *ip,
	const char *what, struct err *e)
{
	bool add = type == RTM_NEWNEIGH;
	struct ndmsg ndm = {
		.ndm_family = AF_INET,
		.ndm_ifindex = (int)ifindex,
		.ndm_state = NUD_NONE,
		.ndm_flags = add ? NTF_USE : 0,
	};
	struct nl_req q;

	nl_req_init(&q, type, add ? NLM_F_CREATE : 0, &ndm, sizeof(ndm));
	nl_req_put(&q, NDA_DST, ip->ip, 4);
	return nl_request(s, &q.u.h, NULL, what, e);
}

int nl_neigh_announce(struct nl_sock *s, uint32_t ifindex, const struct nl_ip *ip, struct err *e)
{
	char what[64];
	int r = link_index_check(ifindex, e);

	if (r < 0) {
		return r;
	}
	if (ip->family != AF_INET) {
		return err_set(e, EINVAL, "ARP is for IPv4 addresses");
	}
	(void)snprintf(what, sizeof(what), "announce an address on interface %u", ifindex);
	r = change(s, RTM_NEWNEIGH, ifindex, ip, what, e);
	if (r == 0) {
		r = change(s, RTM_DELNEIGH, ifindex, ip, what, e);
		r = r == -ENOENT ? 0 : r;
	}
	return r;
}
