/* SPDX-License-Identifier: MIT */
/* See lock.h. */
#include "base/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/io.h"

/* There is no lock call with a deadline that leaves signals alone. */
#define POLL_FIRST_MS 5
#define POLL_LAST_MS  50

/* One lock to be taken: the whole file, or one byte of it. */
struct wanted {
	int dirfd;
	const struct lock_text *text;
	bool one_byte;
	uint64_t at;
};

/* Where the holder of one byte leaves its process id. */
static off_t pid_place(const struct wanted *w)
{
	return (off_t)(w->at * sizeof(int32_t));
}

/* The process id in the lock file; 0 when it cannot be told. */
static uint32_t holder_pid(const struct wanted *w, int fd)
{
	uint64_t pid = 0;
	struct err ignored;

	if (w->one_byte) {
		int32_t at = 0;

		return pread(fd, &at, sizeof(at), pid_place(w)) == sizeof(at) && at > 0
			       ? (uint32_t)at
			       : 0;
	}
	return file_read_u64(w->dirfd, w->text->file, INT32_MAX, &pid, &ignored) < 0
		       ? 0
		       : (uint32_t)pid;
}

/* 0: taken; errno otherwise, EWOULDBLOCK when somebody has it. */
static int try_once(const struct wanted *w, int fd)
{
	struct flock range = {
		.l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = (off_t)w->at,
		.l_len = 1,
	};
	int r = w->one_byte ? fcntl(fd, F_OFD_SETLK, &range) : flock(fd, LOCK_EX | LOCK_NB);

	if (r == 0) {
		return 0;
	}
	return errno == EAGAIN || errno == EACCES || errno == EINTR ? EWOULDBLOCK : errno;
}

static int say_holder(const struct wanted *w, int fd, struct err *e)
{
	uint32_t pid = holder_pid(w, fd);

	if (pid == 0) {
		return err_set(e, ETIMEDOUT, "%s is at work", w->text->holder);
	}
	return err_set(e, ETIMEDOUT, "%s (process %u) is at work", w->text->holder, pid);
}

static int wait_for(const struct wanted *w, int fd, int64_t deadline_ms, struct err *e)
{
	int64_t pause = POLL_FIRST_MS;
	int r;

	while ((r = try_once(w, fd)) == EWOULDBLOCK) {
		if (clock_ms() >= deadline_ms) {
			return say_holder(w, fd, e);
		}
		clock_sleep_ms(pause);
		pause = pause * 2 < POLL_LAST_MS ? pause * 2 : POLL_LAST_MS;
	}
	return r == 0 ? 0 : err_sys(e, r, "lock %s", w->text->file);
}

/* For messages only: a full disk must not keep anybody from giving something back. */
static void leave_pid(const struct wanted *w, int fd)
{
	char text[16];
	struct buf b;

	if (w->one_byte) {
		int32_t pid = getpid();

		(void)!pwrite(fd, &pid, sizeof(pid), pid_place(w));
		return;
	}
	buf_init(&b, text, sizeof(text));
	buf_add_u64(&b, (uint64_t)getpid());
	buf_add_chr(&b, '\n');
	if (ftruncate(fd, 0) == 0) {
		(void)!io_write_all(fd, b.p, b.n);
	}
}

static int take(const struct wanted *w, int64_t deadline_ms, struct err *e)
{
	cleanup_fd int fd = openat(w->dirfd, w->text->file,
		O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644);
	int r;

	if (fd < 0) {
		return err_sys(e, errno, "open %s", w->text->file);
	}
	r = wait_for(w, fd, deadline_ms, e);
	if (r < 0) {
		return r;
	}
	leave_pid(w, fd);
	return steal_fd(&fd);
}

int lock_take(int dirfd, const struct lock_text *text, int64_t deadline_ms, struct err *e)
{
	const struct wanted w = {.dirfd = dirfd, .text = text};

	return take(&w, deadline_ms, e);
}

int lock_take_at(
	int dirfd, const struct lock_text *text, uint64_t at, int64_t deadline_ms, struct err *e)
{
	const struct wanted w = {dirfd, text, true, at};

	if (at > LOCK_AT_MAX) {
		return err_set(e, EINVAL, "lock %s: no byte %" PRIu64, text->file, at);
	}
	return take(&w, deadline_ms, e);
}
