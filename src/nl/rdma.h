/* SPDX-License-Identifier: MIT */
/* RDMA devices, their ports, and the network interfaces behind them, over RDMA netlink. */
#ifndef NL_RDMA_H
#define NL_RDMA_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "nl/sock.h"

#define NL_RDMA_NAME_CAP     64 /* IB_DEVICE_NAME_MAX */
#define NL_RDMA_PROTOCOL_CAP 16
#define NL_RDMA_FW_CAP       32 /* IB_FW_VERSION_NAME_MAX */
#define NL_RDMA_NDEV_CAP     16 /* IFNAMSIZ */

/* One RDMA device. What the kernel did not send is zero or empty. */
struct nl_rdma_dev {
	uint32_t index;
	uint32_t ports_n; /* ports are numbered from 1 to this */
	uint8_t node_type;
	uint64_t node_guid;      /* host byte order, 0 unknown */
	uint64_t sys_image_guid; /* the same */
	char name[NL_RDMA_NAME_CAP];
	char protocol[NL_RDMA_PROTOCOL_CAP]; /* "ib", "roce", "iw" */
	char fw_version[NL_RDMA_FW_CAP];
};

/*
 * One port of one. ndev_ifindex is 0 when no interface of the socket's network namespace is
 * behind it (InfiniBand ports name theirs only in some kernels).
 */
struct nl_rdma_port {
	uint32_t dev_index;
	uint32_t port; /* from 1 */
	uint32_t ndev_ifindex;
	char ndev_name[NL_RDMA_NDEV_CAP];
	uint8_t state;      /* IB_PORT_ACTIVE 4; 0 unknown */
	uint8_t phys_state; /* IB_PORT_PHYS_STATE_LINK_UP 5; 0 unknown */
};

/*
 * nl_rdma_open: open s for RDMA netlink. A kernel without RDMA (protocol not supported, module
 * not loaded and not to be had) is not an error: 0, s stays closed, and the lists below give
 * nothing on a closed s. 1: open. RDMA may be loaded later; call again to look.
 */
int nl_rdma_open(struct nl_sock *s, int timeout_ms, struct err *e) MUST_CHECK;

/*
 * nl_rdma_dev_list, nl_rdma_port_list: the devices visible in the socket's network namespace; the
 * ports of one of them. *n of them in out. -EMSGSIZE: more than cap. A device that vanishes
 * between the two has no ports.
 */
int nl_rdma_dev_list(struct nl_sock *s, struct nl_rdma_dev *out, size_t cap, size_t *n,
	struct err *e) MUST_CHECK;
int nl_rdma_port_list(struct nl_sock *s, uint32_t dev_index, struct nl_rdma_port *out, size_t cap,
	size_t *n, struct err *e) MUST_CHECK;

/*
 * nl_rdma_exclusive: 1 when RDMA devices belong to one network namespace each (rdma system netns
 * exclusive), 0 when all are visible everywhere, which is the default, or s is closed. The mode is
 * the whole system's.
 */
int nl_rdma_exclusive(struct nl_sock *s, struct err *e) MUST_CHECK;

/*
 * nl_rdma_set_netns: move a device of the socket's namespace to the namespace netns_fd. The device
 * index stays. -EOPNOTSUPP: not in exclusive mode, or its driver cannot (drivers/infiniband/core
 * nldev.c: needs disassociate_ucontext). Needs CAP_NET_ADMIN of the initial user namespace.
 */
int nl_rdma_set_netns(
	struct nl_sock *s, uint32_t dev_index, int netns_fd, struct err *e) MUST_CHECK;

/* The pure halves: one message of such a dump, of nlh->nlmsg_len readable bytes. -EBADMSG. */
int nl_rdma_dev_parse(
	const struct nlmsghdr *nlh, struct nl_rdma_dev *out, struct err *e) MUST_CHECK;
int nl_rdma_port_parse(
	const struct nlmsghdr *nlh, struct nl_rdma_port *out, struct err *e) MUST_CHECK;

#endif
