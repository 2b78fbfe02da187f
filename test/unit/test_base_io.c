/* SPDX-License-Identifier: MIT */
/* base/io.h: interrupted, short and failing reads and writes. */
#include "unit.h"

#include <errno.h>
#include <sys/socket.h>

#include "base/io.h"
#include "guard.h"

ssize_t __real_read(int fd, void *p, size_t n);
ssize_t __real_write(int fd, const void *p, size_t n);
ssize_t __real_send(int fd, const void *p, size_t n, int flags);
ssize_t __wrap_read(int fd, void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n);
ssize_t __wrap_send(int fd, const void *p, size_t n, int flags);

static int watched = -1;       /* calls on this descriptor are bent */
static int interruptions;      /* so many of them fail with EINTR first */
static size_t most = SIZE_MAX; /* bytes one call moves */
static int calls;

static bool interrupted(int fd)
{
	if (fd != watched) {
		return false;
	}
	calls++;
	errno = EINTR;
	return interruptions-- > 0;
}

static size_t bounded(int fd, size_t n)
{
	return fd == watched && n > most ? most : n;
}

ssize_t __wrap_read(int fd, void *p, size_t n)
{
	return interrupted(fd) ? -1 : __real_read(fd, p, bounded(fd, n));
}

ssize_t __wrap_write(int fd, const void *p, size_t n)
{
	return interrupted(fd) ? -1 : __real_write(fd, p, bounded(fd, n));
}

ssize_t __wrap_send(int fd, const void *p, size_t n, int flags)
{
	return interrupted(fd) ? -1 : __real_send(fd, p, bounded(fd, n), flags);
}

static void bend(int fd, int times, size_t bytes)
{
	watched = fd;
	interruptions = times;
	most = bytes;
	calls = 0;
}

static int ends[2];

static int setup(void **state)
{
	(void)state;
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends);
}

static int teardown(void **state)
{
	(void)state;
	bend(-1, 0, SIZE_MAX);
	close(ends[0]);
	close(ends[1]);
	return 0;
}

static void test_interrupted(void **state)
{
	char buf[8];

	(void)state;
	bend(ends[0], 3, SIZE_MAX);
	assert_int_equal(io_write(ends[0], "abc", 3), 3);
	assert_int_equal(calls, 4);
	bend(ends[1], 2, SIZE_MAX);
	assert_int_equal(io_read(ends[1], buf, sizeof(buf)), 3);
	assert_int_equal(calls, 3);
	assert_memory_equal(buf, "abc", 3);
}

static void test_short_writes(void **state)
{
	char buf[16] = "";

	(void)state;
	bend(ends[0], 2, 3);
	assert_int_equal(io_write(ends[0], "abcdefgh", 8), 3);
	assert_int_equal(io_write_all(ends[0], "defgh", 5), 0);
	assert_int_equal(io_read(ends[1], buf, sizeof(buf)), 8);
	assert_string_equal(buf, "abcdefgh");
	bend(ends[0], 0, 3);
	assert_int_equal(io_write_all(ends[0], NULL, 0), 0);
	assert_int_equal(calls, 0);
}

static void test_failures(void **state)
{
	char buf[8];

	(void)state;
	assert_int_equal(io_read(ends[0], buf, sizeof(buf)), -EAGAIN);
	assert_int_equal(io_read(-1, buf, sizeof(buf)), -EBADF);
	assert_int_equal(io_write(-1, buf, sizeof(buf)), -EBADF);
	assert_int_equal(io_write_all(-1, buf, sizeof(buf)), -EBADF);
	assert_int_equal(shutdown(ends[1], SHUT_WR), 0);
	assert_int_equal(io_read(ends[0], buf, sizeof(buf)), 0);
}

static void test_stream(void **state)
{
	struct stream s;
	char buf[8];
	int fd = dup(ends[0]);

	(void)state;
	assert_true(fd >= 0);
	stream_socket(&s, fd);
	assert_int_equal(s.fd, fd);
	assert_int_equal(s.ops->read(&s, buf, sizeof(buf)), -EAGAIN);
	bend(fd, 2, 2);
	assert_int_equal(s.ops->write(&s, "abc", 3), 2);
	assert_int_equal(calls, 3);
	assert_int_equal(io_read(ends[1], buf, sizeof(buf)), 2);
	assert_int_equal(io_write(ends[1], "xyz", 3), 3);
	bend(fd, 1, SIZE_MAX);
	assert_int_equal(s.ops->read(&s, buf, sizeof(buf)), 3);
	assert_memory_equal(buf, "xyz", 3);
	s.ops->close(&s);
	assert_int_equal(s.fd, -1);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	s.ops->close(&s);
}

/* A peer that is gone is an error, not a signal that ends the process. */
static void test_stream_without_peer(void **state)
{
	struct stream s;
	char buf[8];

	(void)state;
	assert_true(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
	stream_socket(&s, dup(ends[0]));
	assert_int_equal(shutdown(ends[1], SHUT_RDWR), 0);
	assert_int_equal(s.ops->write(&s, "abc", 3), -EPIPE);
	assert_int_equal(s.ops->read(&s, buf, sizeof(buf)), 0);
	s.ops->close(&s);
}

#define WITH_PAIR(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_PAIR(test_interrupted),
		WITH_PAIR(test_short_writes),
		WITH_PAIR(test_failures),
		WITH_PAIR(test_stream),
		WITH_PAIR(test_stream_without_peer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
