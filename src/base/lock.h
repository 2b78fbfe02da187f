/* SPDX-License-Identifier: MIT */
/* Locks between processes: files that are locked, with a deadline and the holder's process id. */
#ifndef BASE_LOCK_H
#define BASE_LOCK_H

#include <stdint.h>

#include "base/err.h"

struct lock_text {
	const char *file;   /* name of the lock file */
	const char *holder; /* in messages: "another rdma-ds init" */
};

/*
 * lock_take: hold the lock file in dirfd, made 0644 if it is missing. Waits until deadline_ms
 * (clock_ms time), then -ETIMEDOUT: "<holder> (process <pid>) is at work". Returns the descriptor
 * that holds the lock: the lock ends when it is closed, which the end of the process does, too. It
 * is close-on-exec. Holders leave their process id in the file, where there is room for it.
 */
int lock_take(
	int dirfd, const struct lock_text *text, int64_t deadline_ms, struct err *e) MUST_CHECK;

/*
 * lock_take_at: the same for byte at of the file only, so that one file serves many locks. The
 * holder of byte N leaves its process id in the four bytes at 4 * N: numbers that are near each
 * other share pages of the file. A child that inherited the lock goes by the id of its parent. The
 * two kinds do not exclude each other, and do not share a file. -EINVAL: at is above LOCK_AT_MAX.
 */
#define LOCK_AT_MAX ((uint64_t)INT64_MAX / 4 - 1)

int lock_take_at(int dirfd, const struct lock_text *text, uint64_t at, int64_t deadline_ms,
	struct err *e) MUST_CHECK;

#endif
