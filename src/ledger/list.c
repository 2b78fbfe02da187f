/* SPDX-License-Identifier: MIT */
/* See list.h. */
#include "ledger/list.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/attr.h"
#include "ledger/limits.h"

#define TRIES 8 /* readings of a directory that comes in parts and changes meanwhile */

/* struct linux_dirent64 of getdents64(2), which no header of a C library has. */
#define LENGTH_AT 16
#define NAME_AT   19
#define ENTRY_MAX (NAME_AT + 255 + 1 + 6) /* a name has at most 255 bytes; padded to 8 */

/*
 * As much as all records can have, with as many writes in progress as a node has processors. Too
 * large for the stack; programs have one thread, and memory is touched only as names exist.
 */
static char list[(LEDGER_MAX + 1024) * (NAME_AT + LEDGER_NAME_CAP + 6)];

static int fetch(int fd, const char *name, size_t *n, bool *parts, struct err *e)
{
	long got;

	*n = 0;
	for (int part = 0;; part++) {
		if (sizeof(list) - *n < ENTRY_MAX) {
			return err_set(e, E2BIG, "directory %s has too many files", name);
		}
		got = syscall(SYS_getdents64, fd, list + *n, sizeof(list) - *n);
		if (got < 0) {
			return err_sys(e, errno, "read directory %s", name);
		}
		if (got == 0) {
			*parts = part > 1;
			return 0;
		}
		*n += (size_t)got;
	}
}

static bool same_time(const struct stat *a, const struct stat *b)
{
	return a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static int fetch_unchanged(int dir, const char *name, size_t *n, struct err *e)
{
	for (int i = 0; i < TRIES; i++) {
		cleanup_fd int fd = file_open_dir(dir, name, e);
		struct stat before, after;
		bool parts = false;
		int r;

		if (fd < 0) {
			return fd;
		}
		if (fstat(fd, &before) < 0) {
			return err_sys(e, errno, "look at directory %s", name);
		}
		r = fetch(fd, name, n, &parts, e);
		if (r < 0 || !parts) {
			return r;
		}
		if (fstat(fd, &after) < 0) {
			return err_sys(e, errno, "look at directory %s", name);
		}
		if (same_time(&before, &after)) {
			return 0;
		}
	}
	return err_set(e, EAGAIN, "directory %s changes all the time", name);
}

int ledger_list(int dir, const char *name, file_list_fn *fn, void *arg, struct err *e)
{
	size_t n, at = 0;
	int r = fetch_unchanged(dir, name, &n, e);

	while (r == 0 && at < n) {
		const char *entry = list + at;
		uint16_t length;

		memcpy(&length, entry + LENGTH_AT, sizeof(length));
		ASSERT(length > NAME_AT && length <= n - at);
		at += length;
		if (strcmp(entry + NAME_AT, ".") != 0 && strcmp(entry + NAME_AT, "..") != 0) {
			r = fn(arg, entry + NAME_AT, e);
		}
	}
	return r;
}
