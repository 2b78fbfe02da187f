/* SPDX-License-Identifier: MIT */
/* See netns.h. */
#include "sandbox/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>
#include <linux/nsfs.h>

/* Whether fd is a network namespace: of nsfs, and of this kind (Linux 4.11; before: any kind). */
static bool is_netns(int fd)
{
	struct statfs fs;
	int kind;

	if (fstatfs(fd, &fs) < 0 || (uint64_t)fs.f_type != NSFS_MAGIC) {
		return false;
	}
	kind = ioctl(fd, NS_GET_NSTYPE);
	return kind < 0 ? errno == ENOTTY : kind == CLONE_NEWNET;
}

int sandbox_netns_open(struct sandbox_netns *ns, const char *path, struct err *e)
{
	cleanup_fd int fd = -1;
	struct stat st;

	*ns = (struct sandbox_netns)SANDBOX_NETNS_INIT;
	/* O_NONBLOCK: a FIFO in that place must not hang us. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) {
		return err_set(e, ENOENT, "network namespace %s does not exist", path);
	}
	if (fd < 0 && (errno == ENXIO || errno == ENODEV || errno == ELOOP)) {
		return err_set(e, EINVAL, "%s is no network namespace", path);
	}
	if (fd < 0) {
		return err_sys(e, errno, "open network namespace %s", path);
	}
	if (!is_netns(fd)) {
		return err_set(e, EINVAL, "%s is no network namespace", path);
	}
	if (fstat(fd, &st) < 0) {
		return err_sys(e, errno, "stat network namespace %s", path);
	}
	ns->dev = st.st_dev;
	ns->inode = st.st_ino;
	ns->fd = steal_fd(&fd);
	return 0;
}

int sandbox_netns_self(struct sandbox_netns *ns, struct err *e)
{
	return sandbox_netns_open(ns, "/proc/self/ns/net", e);
}

int sandbox_netns_reopen(struct sandbox_netns *ns, const char *path, uint64_t inode, struct err *e)
{
	int r;

	*ns = (struct sandbox_netns)SANDBOX_NETNS_INIT;
	if (path[0] == '\0') {
		return 0;
	}
	r = sandbox_netns_open(ns, path, e);
	if (r == -ENOENT || r == -EINVAL) {
		return 0;
	}
	if (r == 0 && ns->inode != inode) {
		sandbox_netns_close(ns);
		return 0;
	}
	return r < 0 ? r : 1;
}

void sandbox_netns_close(struct sandbox_netns *ns)
{
	cleanup_fd_close(&ns->fd);
	*ns = (struct sandbox_netns)SANDBOX_NETNS_INIT;
}

bool sandbox_netns_same(const struct sandbox_netns *a, const struct sandbox_netns *b)
{
	return a->dev == b->dev && a->inode == b->inode;
}

int sandbox_netns_socket(const struct sandbox_netns *ns, const struct sandbox_netns *home,
	int domain, int type, int protocol, struct err *e)
{
	int fd, code, back;

	if (setns(ns->fd, CLONE_NEWNET) < 0) {
		return err_sys(e, errno, "enter the network namespace");
	}
	fd = socket(domain, type | SOCK_CLOEXEC, protocol);
	code = errno;
	back = setns(home->fd, CLONE_NEWNET);
	ASSERT(back == 0);
	return fd < 0 ? err_sys(e, code, "open a socket in the network namespace") : fd;
}
