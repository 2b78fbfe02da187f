/* SPDX-License-Identifier: MIT */
/* See state.h. */
#include "sriov/state.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/io.h"
#include "base/log.h"
#include "base/num.h"

#define DIR_MODE        0755
#define LOCK_POLL_FIRST 20
#define LOCK_POLL_LAST  250

/* A directory, made if it is missing. The mode must not depend on the umask: others read there. */
static int make_dir(int at, const char *name, struct err *e)
{
	bool made = mkdirat(at, name, DIR_MODE) == 0;
	cleanup_fd int fd = -1;

	if (!made && errno != EEXIST) {
		return err_sys(e, errno, "make directory %s", name);
	}
	fd = file_open_dir(at, name, e);
	if (fd < 0) {
		return fd;
	}
	if (made && fchmod(fd, DIR_MODE) < 0) {
		return err_sys(e, errno, "set the mode of %s", name);
	}
	return steal_fd(&fd);
}

int sriov_state_make(const char *dir, struct err *e)
{
	static const char *const inside[] = {SRIOV_STATE_ATTACHMENTS, SRIOV_STATE_SPEED};
	cleanup_fd int fd = make_dir(AT_FDCWD, dir, e);

	if (fd < 0) {
		return fd;
	}
	for (size_t i = 0; i < ARRAY_LEN(inside); i++) {
		cleanup_fd int sub = make_dir(fd, inside[i], e);

		if (sub < 0) {
			return err_wrap(e, "%s", dir);
		}
	}
	return steal_fd(&fd);
}

int sriov_state_give_speed(int state, uid_t owner, struct err *e)
{
	cleanup_fd int fd = file_open_dir(state, SRIOV_STATE_SPEED, e);
	struct stat st;

	if (fd < 0) {
		return fd;
	}
	if (fstat(fd, &st) < 0) {
		return err_sys(e, errno, "stat %s", SRIOV_STATE_SPEED);
	}
	if (st.st_uid != owner && fchown(fd, owner, (gid_t)-1) < 0) {
		return err_sys(e, errno, "give %s to user %u", SRIOV_STATE_SPEED, (unsigned)owner);
	}
	return 0;
}

/* The process id in the lock file; 0 when it cannot be told. */
static uint32_t lock_holder(int state)
{
	uint64_t pid = 0;
	struct err ignored;

	return file_read_u64(state, SRIOV_STATE_INIT_LOCK, INT32_MAX, &pid, &ignored) < 0
		       ? 0
		       : (uint32_t)pid;
}

static int write_pid(int fd, struct err *e)
{
	char text[16];
	struct buf b;
	int r;

	buf_init(&b, text, sizeof(text));
	buf_add_u64(&b, (uint64_t)getpid());
	buf_add_chr(&b, '\n');
	if (ftruncate(fd, 0) < 0) {
		return err_sys(e, errno, "truncate %s", SRIOV_STATE_INIT_LOCK);
	}
	r = io_write_all(fd, b.p, b.n);
	return r < 0 ? err_sys(e, -r, "write %s", SRIOV_STATE_INIT_LOCK) : 0;
}

static int take_lock(int state, int fd, int64_t deadline_ms, struct err *e)
{
	int64_t pause = LOCK_POLL_FIRST;
	bool told = false;

	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR) {
			return err_sys(e, errno, "lock %s", SRIOV_STATE_INIT_LOCK);
		}
		if (clock_ms() >= deadline_ms) {
			return err_set(e, ETIMEDOUT, "another rdma-ds init (process %u) is at work",
				lock_holder(state));
		}
		if (!told) {
			log_info("another rdma-ds init (process %u) is at work: waiting",
				lock_holder(state));
			told = true;
		}
		clock_sleep_ms(pause);
		pause = pause * 2 < LOCK_POLL_LAST ? pause * 2 : LOCK_POLL_LAST;
	}
	return 0;
}

int sriov_state_lock(int state, int64_t deadline_ms, struct err *e)
{
	cleanup_fd int fd = openat(state, SRIOV_STATE_INIT_LOCK,
		O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644);
	int r;

	if (fd < 0) {
		return err_sys(e, errno, "open %s", SRIOV_STATE_INIT_LOCK);
	}
	r = take_lock(state, fd, deadline_ms, e);
	if (r == 0) {
		r = write_pid(fd, e);
	}
	return r < 0 ? r : steal_fd(&fd);
}
