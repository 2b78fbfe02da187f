/* SPDX-License-Identifier: MIT */
/* See file.h. */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/num.h"

static int open_retry(int dirfd, const char *name, int flags, mode_t mode)
{
	int fd;

	do {
		fd = openat(dirfd, name, flags | O_CLOEXEC | O_NOCTTY, mode);
	} while (fd < 0 && errno == EINTR);
	return fd;
}

int file_open_dir(int dirfd, const char *name, struct err *e)
{
	int fd = open_retry(dirfd, name, O_RDONLY | O_DIRECTORY, 0);

	return fd < 0 ? err_sys(e, errno, "open directory %s", name) : fd;
}

static ssize_t read_all(int fd, const char *name, char *buf, size_t cap, struct err *e)
{
	size_t n = 0;

	ASSERT(cap > 0);
	for (;;) {
		ssize_t r = io_read(fd, buf + n, cap - n);

		if (r < 0) {
			return err_sys(e, (int)-r, "read %s", name);
		}
		if (r == 0) {
			break;
		}
		n += (size_t)r;
		if (n == cap) {
			return err_set(e, EFBIG, "%s: larger than %zu bytes", name, cap - 1);
		}
	}
	buf[n] = '\0';
	return (ssize_t)n;
}

ssize_t file_read(int dirfd, const char *name, char *buf, size_t cap, struct err *e)
{
	/* O_NONBLOCK: a FIFO put in the place of a file must not hang us. */
	cleanup_fd int fd = open_retry(dirfd, name, O_RDONLY | O_NONBLOCK, 0);

	if (fd < 0) {
		return err_sys(e, errno, "open %s", name);
	}
	return read_all(fd, name, buf, cap, e);
}

ssize_t file_read_regular(int dirfd, const char *name, char *buf, size_t cap, struct err *e)
{
	cleanup_fd int fd = open_retry(dirfd, name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW, 0);
	struct stat st;

	/* ELOOP is a symbolic link, ENXIO a socket. */
	if (fd < 0 && errno != ELOOP && errno != ENXIO) {
		return err_sys(e, errno, "open %s", name);
	}
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		return err_set(e, EINVAL, "%s: not a regular file", name);
	}
	return read_all(fd, name, buf, cap, e);
}

int file_read_u64(int dirfd, const char *name, uint64_t max, uint64_t *out, struct err *e)
{
	char text[32];
	ssize_t n = file_read(dirfd, name, text, sizeof(text), e);
	struct str s;

	if (n < 0) {
		return (int)n;
	}
	s = str_trim((struct str){text, (size_t)n});
	if (!num_u64(s, max, out)) {
		return err_set(e, EINVAL, "%s: '%.*s' is not a number from 0 to %llu", name,
			STR_ARG(s), (unsigned long long)max);
	}
	return 0;
}

int file_write(int dirfd, const char *name, struct str text, struct err *e)
{
	cleanup_fd int fd = open_retry(dirfd, name, O_WRONLY, 0);
	ssize_t r;

	if (fd < 0) {
		return err_sys(e, errno, "open %s for writing", name);
	}
	r = io_write(fd, text.p, text.n);
	if (r < 0) {
		return err_sys(e, (int)-r, "write '%.*s' to %s", STR_ARG(text), name);
	}
	if ((size_t)r != text.n) {
		return err_set(
			e, EIO, "write '%.*s' to %s: only %zd bytes taken", STR_ARG(text), name, r);
	}
	return 0;
}

/*
 * A file of our own making. What stands in its place is a dead process's, or a trap in a directory
 * that another user owns: a FIFO to hang at, a hard link to a file that we would truncate.
 */
static int create_new(int dirfd, const char *name, mode_t mode)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL;
	int fd = open_retry(dirfd, name, flags, mode);

	if (fd < 0 && errno == EEXIST && unlinkat(dirfd, name, 0) == 0) {
		fd = open_retry(dirfd, name, flags, mode);
	}
	return fd;
}

static int write_synced(int dirfd, const char *tmp, struct str text, uint32_t mode, struct err *e)
{
	cleanup_fd int fd = create_new(dirfd, tmp, mode);
	int r;

	if (fd < 0) {
		return err_sys(e, errno, "create %s", tmp);
	}
	/* Whatever the umask: other programs, with other users, read what we leave behind. */
	if (fchmod(fd, mode) < 0) {
		return err_sys(e, errno, "set the mode of %s", tmp);
	}
	r = io_write_all(fd, text.p, text.n);
	if (r < 0) {
		return err_sys(e, -r, "write %s", tmp);
	}
	if (fsync(fd) < 0) {
		return err_sys(e, errno, "fsync %s", tmp);
	}
	return 0;
}

static int sync_parent(int dirfd, const char *name, struct err *e)
{
	const char *slash = strrchr(name, '/');
	cleanup_fd int fd = -1;
	char dir[512];

	if (!str_copy(
		    (struct str){name, slash ? (size_t)(slash - name) + 1 : 0}, dir, sizeof(dir))) {
		return err_set(e, ENAMETOOLONG, "%s: path too long", name);
	}
	fd = file_open_dir(dirfd, dir[0] != '\0' ? dir : ".", e);
	if (fd < 0) {
		return fd;
	}
	return fsync(fd) < 0 ? err_sys(e, errno, "fsync directory of %s", name) : 0;
}

int file_replace(int dirfd, const char *name, struct str text, uint32_t mode, struct err *e)
{
	char tmp[512];
	int n = snprintf(tmp, sizeof(tmp), "%s.tmp.%d", name, (int)getpid());
	int r;

	if (n < 0 || (size_t)n >= sizeof(tmp)) {
		return err_set(e, ENAMETOOLONG, "%s: path too long", name);
	}
	r = write_synced(dirfd, tmp, text, mode, e);
	if (r == 0 && renameat(dirfd, tmp, dirfd, name) < 0) {
		r = err_sys(e, errno, "rename %s to %s", tmp, name);
	}
	if (r < 0) {
		(void)unlinkat(dirfd, tmp, 0); /* the error that counts is already in e */
		return r;
	}
	return sync_parent(dirfd, name, e);
}

/* The process whose temporary file that is. */
static bool writer_of(const char *name, uint32_t *pid)
{
	const struct str mark = STR(".tmp");
	const char *dot = strrchr(name, '.');

	return dot != NULL && (size_t)(dot - name) >= mark.n &&
	       str_eq((struct str){dot - mark.n, mark.n}, mark) &&
	       num_u32(str_from(dot + 1), INT_MAX, pid);
}

bool file_is_temporary(const char *name)
{
	uint32_t pid;

	return writer_of(name, &pid);
}

bool file_drop_stale(int dirfd, const char *name)
{
	uint32_t pid;

	if (!writer_of(name, &pid) || pid == 0 || kill((pid_t)pid, 0) == 0 || errno != ESRCH) {
		return false;
	}
	return unlinkat(dirfd, name, 0) == 0;
}

ssize_t file_link(int dirfd, const char *name, char *buf, size_t cap, struct err *e)
{
	ssize_t n = readlinkat(dirfd, name, buf, cap);

	if (n < 0) {
		return err_sys(e, errno, "read link %s", name);
	}
	if ((size_t)n >= cap) {
		return err_set(e, ENAMETOOLONG, "%s: link target too long", name);
	}
	buf[n] = '\0';
	return n;
}

ssize_t file_link_base(int dirfd, const char *name, char *buf, size_t cap, struct err *e)
{
	char target[512];
	ssize_t n = file_link(dirfd, name, target, sizeof(target), e);
	const char *slash;

	if (n < 0) {
		return n;
	}
	slash = strrchr(target, '/');
	if (!str_copy(str_from(slash ? slash + 1 : target), buf, cap)) {
		return err_set(e, ENAMETOOLONG, "%s: link target too long", name);
	}
	return (ssize_t)strlen(buf);
}

bool file_exists(int dirfd, const char *name)
{
	return faccessat(dirfd, name, F_OK, 0) == 0;
}

int file_list(int dirfd, const char *name, file_list_fn *fn, void *arg, struct err *e)
{
	int fd = file_open_dir(dirfd, name, e);
	struct dirent *d;
	DIR *dir;
	int r = 0;

	if (fd < 0) {
		return fd;
	}
	dir = fdopendir(fd);
	if (dir == NULL) {
		r = err_sys(e, errno, "read directory %s", name);
		cleanup_fd_close(&fd);
		return r;
	}
	while (r == 0 && (errno = 0, d = readdir(dir)) != NULL) {
		if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0) {
			r = fn(arg, d->d_name, e);
		}
	}
	if (r == 0 && errno != 0) {
		r = err_sys(e, errno, "read directory %s", name);
	}
	(void)closedir(dir);
	return r;
}
