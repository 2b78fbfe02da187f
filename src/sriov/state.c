/* SPDX-License-Identifier: MIT */
/* See state.h. */
#include "sriov/state.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/lock.h"

#define DIR_MODE 0755

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

int sriov_state_lock(int state, int64_t deadline_ms, struct err *e)
{
	const struct lock_text text = {SRIOV_STATE_INIT_LOCK, "another rdma-ds init", true};

	return lock_take(state, &text, deadline_ms, e);
}
