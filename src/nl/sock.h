/* SPDX-License-Identifier: MIT */
/* A netlink socket and the one function that sends a request and checks every reply. */
#ifndef NL_SOCK_H
#define NL_SOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct nlmsghdr; /* linux/netlink.h */

/*
 * Receive memory of one socket: mapped when the socket is opened, costs resident memory only as
 * far as replies reach into it. 1024 VFs of 236 bytes each (every attribute, no statistics) with
 * the rest of a link reply fit with room to spare.
 */
#define NL_RX_CAP_BYTES ((size_t)512 * 1024)

/* Requests are built in memory of this size on the stack; no request comes near it. */
#define NL_REQ_CAP_BYTES 512

/* A dump that the kernel marks as inconsistent (NLM_F_DUMP_INTR) is asked for this many times. */
#define NL_DUMP_TRIES         3

#define NL_TIMEOUT_MS_DEFAULT 5000

/*
 * protocol is NETLINK_ROUTE, NETLINK_GENERIC or NETLINK_RDMA. Not to be used by two threads, nor
 * from within one of its own callbacks.
 */
struct nl_sock {
	int fd; /* -1: closed */
	int protocol;
	int timeout_ms;
	uint32_t portid;
	uint32_t seq;
	bool stale; /* the last request failed midway: answers to it may still be queued */
	uint8_t *rx;
};

#define NL_SOCK_INIT                                                                               \
	{                                                                                          \
		.fd = -1                                                                           \
	}

/*
 * nl_sock_open: open and bind s (close-on-exec) in the caller's network namespace, with extended
 * ACKs, and strict checking of dump requests where the kernel has it. timeout_ms bounds the
 * waiting of each later request; <= 0 takes NL_TIMEOUT_MS_DEFAULT.
 * 0, or -errno with s closed: -EPROTONOSUPPORT when the kernel has no such protocol.
 */
int nl_sock_open(struct nl_sock *s, int protocol, int timeout_ms, struct err *e) MUST_CHECK;

/*
 * nl_sock_adopt: the same with a netlink socket that the caller has made, perhaps in another
 * network namespace, for whose objects s then is. Takes fd over, also when it fails.
 */
int nl_sock_adopt(
	struct nl_sock *s, int fd, int protocol, int timeout_ms, struct err *e) MUST_CHECK;

/* nl_sock_close: close s and unmap its memory. s may be NL_SOCK_INIT or closed already. */
void nl_sock_close(struct nl_sock *s);

/*
 * What to do with the data messages that answer a request. msg gets one message, whose header and
 * length have been checked and which is valid during the call only; it returns >= 0, or -errno
 * with e filled, which fails the request. restart is called when a dump has to begin again and
 * must forget all that msg has gathered; it may be NULL for requests that are no dumps.
 */
struct nl_reader {
	int (*msg)(const struct nlmsghdr *nlh, void *arg, struct err *e);
	void (*restart)(void *arg);
	void *arg;
};

/*
 * nl_request: send req (which nl_request completes: sequence number, port id, NLM_F_ACK unless it
 * is a dump) and hand the replies to r until the kernel has acknowledged the request or finished
 * the dump. r may be NULL when only the acknowledgement matters. Waits for replies at most
 * timeout_ms; the kernel itself may hold a request up for longer, until it gets the RTNL lock.
 *
 * 0, or -errno with e filled, e->msg beginning with what (such as "set MAC of VF 3"):
 *   the kernel's own error, with the text of its extended ACK and the type of the attribute that
 *   it complains of; -ETIMEDOUT no complete answer in time; -EMSGSIZE the reply is larger than
 *   NL_RX_CAP_BYTES; -EBADMSG malformed reply; -EINTR dump inconsistent NL_DUMP_TRIES times;
 *   -ENOBUFS the kernel dropped messages.
 * After a failure s can be used again: what is still queued for it is thrown away first.
 */
int nl_request(struct nl_sock *s, struct nlmsghdr *req, const struct nl_reader *r, const char *what,
	struct err *e) MUST_CHECK;

#endif
