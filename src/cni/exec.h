/* SPDX-License-Identifier: MIT */
/* Running another program with bounds: time, output, what it inherits. */
#ifndef CNI_EXEC_H
#define CNI_EXEC_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct cni_exec {
	const char *path;        /* the program */
	const char *const *envp; /* its whole environment */
	struct str input;        /* its standard input */
	struct buf *output;      /* takes its standard output */
	int keep_fd;             /* a descriptor that it inherits, or -1 */
	int64_t deadline_ms;     /* clock_ms time */
};

/*
 * cni_exec_run: run it without arguments, in a process group of its own, stderr shared with the
 * caller, no other descriptor but keep_fd. It is killed when the caller's thread ends. Returns the
 * exit status, 128 + signal if one ended it; the end of the program counts, not that of what it may
 * have left running. -ETIMEDOUT: the deadline came; the group was killed. -EMSGSIZE: output was
 * full; the same. Other -errno: it could not be started (a program that is being written, -ETXTBSY,
 * is tried again for some seconds).
 */
int cni_exec_run(const struct cni_exec *x, struct err *e) MUST_CHECK;

#endif
