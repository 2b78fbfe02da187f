/* SPDX-License-Identifier: MIT */
/* Link speed and link state over ethtool's generic netlink family (Linux 5.6 and later). */
#ifndef NL_ETHTOOL_H
#define NL_ETHTOOL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "nl/sock.h"

/* family is the number that the kernel gave "ethtool"; the socket is NETLINK_GENERIC. */
struct nl_ethtool {
	struct nl_sock *sock; /* borrowed */
	uint16_t family;
};

/*
 * nl_genl_family: the number of a generic netlink family by name. -ENOENT: not in this kernel.
 * nl_genl_family_parse is the pure half: one CTRL_CMD_NEWFAMILY reply. -EBADMSG: malformed.
 */
int nl_genl_family(struct nl_sock *s, const char *name, uint16_t *id, struct err *e) MUST_CHECK;
int nl_genl_family_parse(const struct nlmsghdr *nlh, uint16_t *id, struct err *e) MUST_CHECK;

/* nl_ethtool_init: look the family up once on s, which must outlive eth. -ENOENT: none. */
int nl_ethtool_init(struct nl_ethtool *eth, struct nl_sock *s, struct err *e) MUST_CHECK;

/*
 * nl_ethtool_speed: the speed of the link in Mb/s. *known is false, *mbps 0 and the result 0 when
 * there is none to report: link down, or a driver without speeds. -ENODEV: no such interface.
 * nl_ethtool_link: whether the link is detected; *known as above.
 */
int nl_ethtool_speed(const struct nl_ethtool *eth, uint32_t ifindex, uint32_t *mbps, bool *known,
	struct err *e) MUST_CHECK;
int nl_ethtool_link(const struct nl_ethtool *eth, uint32_t ifindex, bool *up, bool *known,
	struct err *e) MUST_CHECK;

/* The pure halves of the two above: one reply of the family. -EBADMSG: malformed. */
int nl_ethtool_speed_parse(
	const struct nlmsghdr *nlh, uint32_t *mbps, bool *known, struct err *e) MUST_CHECK;
int nl_ethtool_link_parse(
	const struct nlmsghdr *nlh, bool *up, bool *known, struct err *e) MUST_CHECK;

#endif
