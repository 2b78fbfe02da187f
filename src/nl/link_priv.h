/* SPDX-License-Identifier: MIT */
/* The top level of an RTM_NEWLINK message, for all who parse one. */
#ifndef NL_LINK_PRIV_H
#define NL_LINK_PRIV_H

#include <linux/rtnetlink.h>

#include "nl/msg_priv.h"

/*
 * One attribute of the top level. in is what it contains: its payload, except for a VF list whose
 * 16-bit length overflowed, where in covers the whole list.
 */
struct link_attr {
	const struct nlattr *a;
	uint16_t type;
	struct attr_walk in;
};

/* link_attrs: the fixed header of an RTM_NEWLINK message and the walk over its attributes. */
int link_attrs(const struct nlmsghdr *nlh, struct ifinfomsg *ifi, struct attr_walk *w,
	struct err *e) MUST_CHECK;

/* link_attr_next: 1 and *out, 0 at the end, -EBADMSG. */
int link_attr_next(struct attr_walk *w, struct link_attr *out, struct err *e) MUST_CHECK;

/* The start of a request about one interface. */
void link_req(struct nl_req *q, uint16_t type, uint16_t flags, uint32_t ifindex);

/* ifindex as the kernel's signed type; -EINVAL for what is no interface index. */
int link_index_check(uint32_t ifindex, struct err *e) MUST_CHECK;

#endif
