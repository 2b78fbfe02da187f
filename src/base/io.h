/* SPDX-License-Identifier: MIT */
/* Byte streams: EINTR-safe read and write, and the interface that sockets and TLS share. */
#ifndef BASE_IO_H
#define BASE_IO_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/attr.h"

/*
 * io_read, io_write: one read(2)/write(2), repeated on EINTR. > 0 bytes moved, 0 end of file
 * (read), -errno otherwise; -EAGAIN on a non-blocking descriptor that is not ready.
 */
ssize_t io_read(int fd, void *p, size_t n) MUST_CHECK;
ssize_t io_write(int fd, const void *p, size_t n) MUST_CHECK;

/* io_write_all: write until done; 0 or -errno. For blocking descriptors. */
int io_write_all(int fd, const void *p, size_t n) MUST_CHECK;

/*
 * A non-blocking byte stream: a plain socket, or TLS over one. read and write return as io_read
 * and io_write do; writev takes several pieces in order and may, as write, take only a part.
 */
struct stream {
	const struct stream_ops *ops;
	int fd; /* for epoll; owned by the stream */
};

struct stream_ops {
	ssize_t (*read)(struct stream *s, void *p, size_t n);
	ssize_t (*write)(struct stream *s, const void *p, size_t n);
	ssize_t (*writev)(struct stream *s, const struct iovec *v, uint8_t n);
	void (*close)(struct stream *s); /* closes fd */
};

/* stream_socket: make s the plain stream of a connected non-blocking socket; takes fd over. */
void stream_socket(struct stream *s, int fd);

#endif
