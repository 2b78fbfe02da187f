/* SPDX-License-Identifier: MIT */
/* Running another program with bounds: time, output, what it inherits. */
#ifndef CNI_EXEC_H
#define CNI_EXEC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

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
 * have left running. -ETIMEDOUT: the deadline came, also while the program was looked for or read;
 * the group was killed, and is waited for a second at most. -EMSGSIZE: output was full; the same.
 * Other -errno: it could not be started (a program that is being written, -ETXTBSY, is tried again
 * for some seconds).
 */
int cni_exec_run(const struct cni_exec *x, struct err *e) MUST_CHECK;

/* The child that runs, and our ends of its pipes; -1: closed. */
struct cni_child {
	pid_t pid;
	int pidfd, in, out;
	int report; /* closed by its execution; else why that failed */
	bool ran;   /* it was executed, or that is not known; told by the end */
	bool ended;
	int status;
	size_t sent;
};

/*
 * cni_exec_run in two halves, for work of the caller's between them: a child is started, and
 * whether it could be executed, what it prints and how it ended is asked for later. After a start
 * that succeeded the end must be called, with the same *x. What the program has not taken of its
 * input by then, or prints beyond what a pipe holds, waits for the end. Where the deadline passed
 * during the caller's work a program that has ended, or ends within a quarter of a second, still
 * counts.
 */
int cni_exec_start(const struct cni_exec *x, struct cni_child *c, struct err *e) MUST_CHECK;
int cni_exec_end(const struct cni_exec *limits, struct cni_child *c, struct err *e) MUST_CHECK;

#endif
