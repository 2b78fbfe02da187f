/* SPDX-License-Identifier: MIT */
/* Network interfaces over rtnetlink: read one, read all, set name, address and up or down. */
#ifndef NL_LINK_H
#define NL_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "nl/sock.h"

#define NL_NAME_CAP       16  /* IFNAMSIZ */
#define NL_ADDR_CAP       32  /* MAX_ADDR_LEN: 6 bytes used on Ethernet, 20 on InfiniBand */
#define NL_ALTNAME_CAP    128 /* ALTIFNAMSIZ */
#define NL_ALTNAMES_MAX   16  /* udev gives an interface two or three */
#define NL_KIND_CAP       32
#define NL_PARENT_CAP     64 /* a PCI address has 12 to 16 bytes */
#define NL_PARENT_BUS_CAP 16
#define NL_SWITCH_ID_CAP  32 /* MAX_PHYS_ITEM_ID_LEN */

/*
 * One interface, as RTM_NEWLINK describes it (linux/if_link.h). What the kernel did not send is
 * zero or empty. A kind, parent or bus name that is too long for its field is left empty (no PCI
 * device has such a one); altnames beyond NL_ALTNAMES_MAX are only counted.
 */
struct nl_link {
	uint32_t ifindex;
	uint32_t flags;    /* IFF_UP, IFF_LOWER_UP, ... */
	uint16_t arphrd;   /* ARPHRD_ETHER 1, ARPHRD_INFINIBAND 32 */
	uint8_t operstate; /* IF_OPER_UP 6, ... */
	bool carrier;      /* IFLA_CARRIER */
	uint32_t mtu;
	uint32_t master;    /* ifindex of the bridge or bond, 0 none */
	uint32_t lower;     /* IFLA_LINK: ifindex of the device below or of the peer, 0 none */
	bool has_netnsid;   /* lower is in another network namespace ... */
	int32_t netnsid;    /* ... known here by this id */
	uint32_t promisc_n; /* how many users want promiscuous mode */
	uint32_t allmulti_n;
	uint32_t num_vf; /* only in replies to requests for VFs: see vf.h */
	size_t addr_n;
	uint8_t addr[NL_ADDR_CAP];
	size_t perm_addr_n;
	uint8_t perm_addr[NL_ADDR_CAP];
	size_t switch_id_n; /* > 0: member of a switch (representors, eswitch uplink) */
	uint8_t switch_id[NL_SWITCH_ID_CAP];
	char name[NL_NAME_CAP];
	char kind[NL_KIND_CAP];             /* "veth", "bridge"; empty for hardware */
	char parent_bus[NL_PARENT_BUS_CAP]; /* "pci" (Linux 5.14 and later) */
	char parent_dev[NL_PARENT_CAP];     /* "0000:01:00.0" */
	char phys_port_name[NL_NAME_CAP];   /* "p0", "pf0vf3" */
	size_t altname_n;                   /* all there are; min(altname_n, MAX) are in altname */
	char altname[NL_ALTNAMES_MAX][NL_ALTNAME_CAP];
};

/*
 * nl_link_parse: read one RTM_NEWLINK message of nlh->nlmsg_len readable bytes into *out. Pure.
 * A VF list in it is stepped over, also one whose length overflowed (see vf.h).
 * 0, or -EBADMSG (not such a message, cut off, an attribute too short or too long).
 */
int nl_link_parse(const struct nlmsghdr *nlh, struct nl_link *out, struct err *e) MUST_CHECK;

/*
 * nl_link_get, nl_link_get_name: one interface of the socket's namespace (NETLINK_ROUTE). Found by
 * name means the name or an altname. -ENODEV: there is none. -EINVAL: impossible name.
 */
int nl_link_get(struct nl_sock *s, uint32_t ifindex, struct nl_link *out, struct err *e) MUST_CHECK;
int nl_link_get_name(
	struct nl_sock *s, const char *name, struct nl_link *out, struct err *e) MUST_CHECK;

/*
 * nl_link_list: visit every interface of the socket's namespace. Never asks for VFs: on big nodes
 * that would hold the kernel's RTNL lock for hundreds of milliseconds. link returns >= 0, or
 * -errno with e filled to stop. restart: see struct nl_reader; required. No requests on s from
 * within. Errors as nl_request.
 */
struct nl_link_visitor {
	int (*link)(const struct nl_link *l, void *arg, struct err *e);
	void (*restart)(void *arg);
	void *arg;
};

int nl_link_list(struct nl_sock *s, const struct nl_link_visitor *v, struct err *e) MUST_CHECK;

/*
 * Setters need CAP_NET_ADMIN (-EPERM). -EBUSY from nl_link_set_name: the interface is up (older
 * kernels); -EEXIST: the name is taken; -EINVAL: impossible name or address length.
 */
int nl_link_set_up(struct nl_sock *s, uint32_t ifindex, bool up, struct err *e) MUST_CHECK;
int nl_link_set_addr(struct nl_sock *s, uint32_t ifindex, const uint8_t *addr, size_t addr_n,
	struct err *e) MUST_CHECK;
int nl_link_set_name(
	struct nl_sock *s, uint32_t ifindex, const char *name, struct err *e) MUST_CHECK;
int nl_link_set_mtu(struct nl_sock *s, uint32_t ifindex, uint32_t mtu, struct err *e) MUST_CHECK;

/*
 * nl_link_set_flags: give the flags in mask (IFF_UP, IFF_PROMISC, IFF_ALLMULTI, IFF_NOARP) the
 * values they have in flags, leave the others.
 */
int nl_link_set_flags(struct nl_sock *s, uint32_t ifindex, uint32_t flags, uint32_t mask,
	struct err *e) MUST_CHECK;

/*
 * nl_link_move: into the network namespace netns_fd, under the name it has or, when that is taken
 * there, under name (net/core/dev.c __dev_change_net_namespace). The kernel takes it down and
 * removes addresses and routes. ifindex stays unless it is taken there: look the interface up
 * again. -EEXIST: both names are taken there, or one of the altnames is, and nothing was moved; or
 * it HAS been moved and could not be renamed. Avoided by: name is the current one, made unique
 * before, and altnames removed before.
 */
int nl_link_move(struct nl_sock *s, uint32_t ifindex, int netns_fd, const char *name,
	struct err *e) MUST_CHECK;

/* Alternative names (Linux 5.5). -EEXIST: taken, by name or altname; -ENOENT: it has no such. */
int nl_link_add_altname(
	struct nl_sock *s, uint32_t ifindex, const char *name, struct err *e) MUST_CHECK;
int nl_link_del_altname(
	struct nl_sock *s, uint32_t ifindex, const char *name, struct err *e) MUST_CHECK;

#endif
