/* SPDX-License-Identifier: MIT */
/* Network namespaces named by a path: opened safely, told apart, and sockets made inside them. */
#ifndef SANDBOX_NETNS_H
#define SANDBOX_NETNS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* A network namespace, kept alive by fd. Device and inode are what tells namespaces apart. */
struct sandbox_netns {
	int fd; /* -1: closed */
	uint64_t dev, inode;
};

#define SANDBOX_NETNS_INIT                                                                         \
	{                                                                                          \
		.fd = -1                                                                           \
	}

/* sandbox_netns_self: the caller's own. */
int sandbox_netns_self(struct sandbox_netns *ns, struct err *e) MUST_CHECK;

/*
 * sandbox_netns_open: the one at path (CNI_NETNS). -ENOENT: nothing is there; -EINVAL: what is
 * there is no network namespace (a file that a removed bind mount left, a FIFO, another kind of
 * namespace). May be the caller's own: compare with sandbox_netns_same. Does not block.
 */
int sandbox_netns_open(struct sandbox_netns *ns, const char *path, struct err *e) MUST_CHECK;

/*
 * sandbox_netns_reopen: for a path that was recorded with its inode: 1 opened, 0 it is not there
 * any more: nothing, no namespace, or another one is at path, or path is empty. -errno when that
 * cannot be told.
 */
int sandbox_netns_reopen(
	struct sandbox_netns *ns, const char *path, uint64_t inode, struct err *e) MUST_CHECK;

void sandbox_netns_close(struct sandbox_netns *ns); /* also of a closed one */
bool sandbox_netns_same(const struct sandbox_netns *a, const struct sandbox_netns *b);

/*
 * sandbox_netns_socket: socket(2) inside ns; home is where the caller is and is back in when this
 * returns: the process ends (ASSERT) when it cannot get back, for whatever it did then would go
 * to the wrong place. Close-on-exec is added to type. Needs CAP_SYS_ADMIN. The socket or -errno.
 */
int sandbox_netns_socket(const struct sandbox_netns *ns, const struct sandbox_netns *home,
	int domain, int type, int protocol, struct err *e) MUST_CHECK;

#endif
