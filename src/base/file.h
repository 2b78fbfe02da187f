/* SPDX-License-Identifier: MIT */
/* Small files relative to a directory descriptor: bounded reads, crash-safe writes. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/str.h"

/*
 * Every reader takes a directory descriptor and a relative name, so that tests can pass a tree
 * of their own; AT_FDCWD with an absolute path works too. Names in errors are those given.
 */

/* file_open_dir: a directory for the calls below (not O_PATH: it is to be read). fd or -errno. */
int file_open_dir(int dirfd, const char *name, struct err *e) MUST_CHECK;

/*
 * file_read: the whole file into buf[cap], NUL-terminated. Returns its length (< cap), -EFBIG if
 * it does not fit, or another -errno. For sysfs attributes, configuration and records.
 */
ssize_t file_read(int dirfd, const char *name, char *buf, size_t cap, struct err *e) MUST_CHECK;

/*
 * file_read_regular: like file_read, but name must be a regular file itself: -EINVAL for a symbolic
 * link, FIFO, socket, directory or device. For directories that other programs write into.
 */
ssize_t file_read_regular(
	int dirfd, const char *name, char *buf, size_t cap, struct err *e) MUST_CHECK;

/*
 * file_read_u64: a file that holds one unsigned decimal number <= max and perhaps a newline.
 * -EINVAL if it holds something else.
 */
int file_read_u64(
	int dirfd, const char *name, uint64_t max, uint64_t *out, struct err *e) MUST_CHECK;

/* file_write: write text to an existing file in one write(2), as sysfs attributes need. */
int file_write(int dirfd, const char *name, struct str text, struct err *e) MUST_CHECK;

/*
 * file_replace: make name hold text, whatever happens: written to a temporary file beside it,
 * fsynced, renamed over it, directory fsynced. The file has exactly this mode, whatever the umask.
 * A reader sees the old or the new content, never a part.
 */
int file_replace(
	int dirfd, const char *name, struct str text, uint32_t mode, struct err *e) MUST_CHECK;

/* file_is_temporary: whether that is how file_replace names what it writes: "X.tmp.<number>". */
bool file_is_temporary(const char *name) MUST_CHECK;

/*
 * file_drop_stale: remove name if it is a temporary file of file_replace whose process is gone: it
 * was killed while it wrote. A writer's pid must mean the same here (one pid namespace). true: it
 * was such a file.
 */
bool file_drop_stale(int dirfd, const char *name);

/* file_link: target of a symbolic link as a C string in buf[cap]; length or -errno. */
ssize_t file_link(int dirfd, const char *name, char *buf, size_t cap, struct err *e) MUST_CHECK;

/* file_link_base: only what follows the last '/' of the target: "igb" of ".../drivers/igb". */
ssize_t file_link_base(
	int dirfd, const char *name, char *buf, size_t cap, struct err *e) MUST_CHECK;

bool file_exists(int dirfd, const char *name); /* follows symbolic links */

/*
 * file_list: call fn for each entry of a directory (not "." and ".."), in no order. fn returns 0
 * to go on; anything else stops the walk and is returned.
 */
typedef int file_list_fn(void *arg, const char *name, struct err *e);
int file_list(int dirfd, const char *name, file_list_fn *fn, void *arg, struct err *e) MUST_CHECK;

#endif
