/* SPDX-License-Identifier: MIT */
/* See ownsock.h. */
#include "ownsock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "grpc/limits.h"

_Static_assert(sizeof(((struct sockaddr_un *)0)->sun_path) == OWNSOCK_PATH, "as the kernel has it");

/* '.' in front, '.' and 8 hexadecimal digits behind, of a temporary name. */
#define TEMP_SUFFIX 10

bool ownsock_fits(const char *dir, const char *name)
{
	return strlen(dir) + 1 + strlen(name) + TEMP_SUFFIX < OWNSOCK_PATH;
}

void ownsock_path(char dst[static OWNSOCK_PATH], const char *dir, const char *name)
{
	int n = snprintf(dst, OWNSOCK_PATH, "%s/%s", dir, name);

	ASSERT(n > 0 && n < OWNSOCK_PATH); /* ownsock_fits */
}

static struct sockaddr_un address(const char *dir, const char *name)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	ownsock_path(a.sun_path, dir, name);
	return a;
}

static bool listens(const struct ownsock *s)
{
	struct sockaddr_un a = address(s->dir, s->name);
	cleanup_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	/*
	 * Anything but a plain refusal counts as somebody: a full backlog does, and so does a
	 * socket that only another user may connect to.
	 */
	return fd < 0 || connect(fd, (const struct sockaddr *)&a, sizeof(a)) == 0 ||
	       (errno != ECONNREFUSED && errno != ENOENT);
}

enum ownsock_state ownsock_look(const struct ownsock *s)
{
	char path[OWNSOCK_PATH];
	struct stat st;

	ownsock_path(path, s->dir, s->name);
	if (lstat(path, &st) < 0) {
		return OWNSOCK_GONE;
	}
	if (s->made && st.st_dev == s->dev && st.st_ino == s->ino) {
		return OWNSOCK_OURS;
	}
	return S_ISSOCK(st.st_mode) && listens(s) ? OWNSOCK_FOREIGN : OWNSOCK_DEAD;
}

static int bind_private(int fd, const struct sockaddr_un *a)
{
	mode_t old = umask(0177); /* the kubelet is root; nobody else has business here */
	int r = bind(fd, (const struct sockaddr *)a, sizeof(*a));

	(void)umask(old);
	return r;
}

/* Bound, listening and known by its inode before anybody can meet it under its real name. */
static int set_up(struct ownsock *s, int fd, const char *temp, struct err *e)
{
	struct sockaddr_un a = address(s->dir, temp);
	char path[OWNSOCK_PATH];
	struct stat st;
	int r;

	ownsock_path(path, s->dir, s->name);
	if (bind_private(fd, &a) < 0) {
		return err_sys(e, errno, "make a socket in %s", s->dir);
	}
	if (listen(fd, GRPC_BACKLOG) < 0 || lstat(a.sun_path, &st) < 0 ||
		rename(a.sun_path, path) < 0) {
		r = err_sys(e, errno, "make the socket %s", path);
		(void)!unlink(a.sun_path); /* already failing */
		return r;
	}
	s->made = true;
	s->dev = st.st_dev;
	s->ino = st.st_ino;
	return 0;
}

int ownsock_make(struct ownsock *s, struct err *e)
{
	cleanup_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	char temp[OWNSOCK_PATH], path[OWNSOCK_PATH];
	uint32_t number;
	struct stat st;
	int r;

	ownsock_path(path, s->dir, s->name);
	if (lstat(path, &st) == 0 && !S_ISSOCK(st.st_mode)) {
		return err_set(e, EEXIST, "%s is no socket: it is left as it is", path);
	}
	if (fd < 0) {
		return err_sys(e, errno, "socket");
	}
	if (getrandom(&number, sizeof(number), 0) != (ssize_t)sizeof(number)) {
		return err_sys(e, errno, "getrandom");
	}
	(void)snprintf(temp, sizeof(temp), ".%s.%08x", s->name, number);
	r = set_up(s, fd, temp, e);
	return r < 0 ? r : steal_fd(&fd);
}

void ownsock_remove(struct ownsock *s)
{
	char path[OWNSOCK_PATH];

	/*
	 * Another process may take the name between the look and the unlink; that window is
	 * microseconds, and such a process sees its file go and makes it again.
	 */
	if (s->made && ownsock_look(s) == OWNSOCK_OURS) {
		ownsock_path(path, s->dir, s->name);
		(void)!unlink(path); /* gone already is as good */
	}
	s->made = false;
}
