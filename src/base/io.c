/* SPDX-License-Identifier: MIT */
/* See io.h. */
#include "base/io.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

ssize_t io_read(int fd, void *p, size_t n)
{
	ssize_t r;

	do {
		r = read(fd, p, n);
	} while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : r;
}

ssize_t io_write(int fd, const void *p, size_t n)
{
	ssize_t r;

	do {
		r = write(fd, p, n);
	} while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : r;
}

int io_write_all(int fd, const void *p, size_t n)
{
	const char *at = p;

	while (n > 0) {
		ssize_t r = io_write(fd, at, n);

		if (r < 0) {
			return (int)r;
		}
		at += r;
		n -= (size_t)r;
	}
	return 0;
}

static ssize_t socket_read(struct stream *s, void *p, size_t n)
{
	return io_read(s->fd, p, n);
}

static ssize_t socket_write(struct stream *s, const void *p, size_t n)
{
	ssize_t r;

	do {
		r = send(s->fd, p, n, MSG_NOSIGNAL);
	} while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : r;
}

static ssize_t socket_writev(struct stream *s, const struct iovec *v, uint8_t n)
{
	struct msghdr m = {.msg_iov = (struct iovec *)v, .msg_iovlen = n};
	ssize_t r;

	do {
		r = sendmsg(s->fd, &m, MSG_NOSIGNAL);
	} while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : r;
}

static void socket_close(struct stream *s)
{
	cleanup_fd_close(&s->fd);
	s->fd = -1;
}

static const struct stream_ops socket_ops = {
	socket_read, socket_write, socket_writev, socket_close};

void stream_socket(struct stream *s, int fd)
{
	s->ops = &socket_ops;
	s->fd = fd;
}
