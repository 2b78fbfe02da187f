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
#include "sriov/limits.h"

#define DIR_MODE 0755

/* The mode must not depend on the umask: others read there. */
int sriov_state_dir(int at, const char *name, struct err *e)
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
	static const char *const inside[] = {
		SRIOV_STATE_ATTACHMENTS, SRIOV_STATE_SPEED, SRIOV_STATE_MADE};
	cleanup_fd int fd = sriov_state_dir(AT_FDCWD, dir, e);

	if (fd < 0) {
		return fd;
	}
	for (size_t i = 0; i < ARRAY_LEN(inside); i++) {
		cleanup_fd int sub = sriov_state_dir(fd, inside[i], e);

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

#define MADE_PATH_CAP (sizeof(SRIOV_STATE_MADE) + 1 + SRIOV_NAME_MAX)
#define MADE_TEXT_CAP 32 /* two numbers of 10 digits */

/* The file name of a device, and what it holds. */
static void made_file(
	const char *bus_id, uint32_t asked, uint32_t made, struct buf *path, struct buf *text)
{
	buf_printf(path, "%s/%s", SRIOV_STATE_MADE, bus_id);
	buf_add_chr(path, '\0');
	buf_printf(text, "%u %u\n", asked, made);
	ASSERT(buf_ok(path) && buf_ok(text));
}

bool sriov_state_made(int state, const char *bus_id, uint32_t asked, uint32_t made)
{
	char name[MADE_PATH_CAP], want[MADE_TEXT_CAP], have[MADE_TEXT_CAP];
	struct buf path, text;
	struct err ignored; /* not there, not readable: nothing is known */
	ssize_t n;

	buf_init(&path, name, sizeof(name));
	buf_init(&text, want, sizeof(want));
	made_file(bus_id, asked, made, &path, &text);
	n = file_read_regular(state, name, have, sizeof(have), &ignored);
	return n >= 0 && str_eq((struct str){have, (size_t)n}, buf_str(&text));
}

int sriov_state_keep_made(
	int state, const char *bus_id, uint32_t asked, uint32_t made, struct err *e)
{
	char name[MADE_PATH_CAP], content[MADE_TEXT_CAP];
	struct buf path, text;

	buf_init(&path, name, sizeof(name));
	buf_init(&text, content, sizeof(content));
	made_file(bus_id, asked, made, &path, &text);
	return file_replace(state, name, buf_str(&text), 0644, e);
}

int sriov_state_lock(int state, int64_t deadline_ms, struct err *e)
{
	const struct lock_text text = {SRIOV_STATE_INIT_LOCK, "another rdma-ds init"};

	return lock_take(state, &text, deadline_ms, e);
}
