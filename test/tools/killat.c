/* SPDX-License-Identifier: MIT */
/*
 * killat N PROGRAM [ARGUMENT...]: run a program and kill it with SIGKILL before its Nth system call
 * (the execve that starts it is not counted). Only the program itself is traced, not what it
 * starts. Exit status: 0 it was killed there, 1 it ended before, 2 something went wrong. With N = 0
 * it runs to its end and the number of its system calls is printed on stderr; with "list" instead
 * of N each of them is, too: its number, the path it is given, the error it ends with.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/num.h"

static int wait_for(pid_t pid, int *status)
{
	pid_t r;

	do {
		r = waitpid(pid, status, 0);
	} while (r < 0 && errno == EINTR);
	return r == pid ? 0 : -1;
}

/* The path, if this call is one of those that name it in their second argument. */
static void read_path(pid_t pid, uint64_t nr, uint64_t at, char *out, size_t cap)
{
	struct iovec to = {out, cap - 1}, from = {(void *)(uintptr_t)at, cap - 1};
	ssize_t n = 0;

	if (nr == SYS_openat || nr == SYS_readlinkat || nr == SYS_mkdirat || nr == SYS_unlinkat) {
		n = process_vm_readv(pid, &to, 1, &from, 1, 0);
	}
	out[n < 0 ? 0 : n] = '\0';
}

/* One line for each call, when it is over: the program may write to the same file meanwhile. */
static void list(pid_t pid)
{
	static char path[80];
	static uint64_t nr;
	struct __ptrace_syscall_info i;
	bool begins;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof(i), &i) <= 0) {
		return;
	}
	begins = i.op == PTRACE_SYSCALL_INFO_ENTRY;
	if (begins) {
		nr = i.entry.nr;
		read_path(pid, nr, i.entry.args[1], path, sizeof(path));
	}
	if (!begins || nr == SYS_exit_group) {
		(void)fprintf(stderr, "call %" PRIu64 " %s %" PRId64 "\n", nr, path,
			begins || i.exit.rval > 0 ? 0 : i.exit.rval);
	}
}

/* The stop before a system call and the one after it look the same: they alternate. */
static int drive(pid_t pid, uint64_t kill_at, bool listed)
{
	uint64_t calls = 0;
	bool inside = false;
	int sig = 0, status;

	while (ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(uintptr_t)sig) == 0) {
		if (wait_for(pid, &status) < 0) {
			return 2;
		}
		if (WIFEXITED(status) || WIFSIGNALED(status)) {
			if (kill_at == 0) {
				(void)fprintf(stderr, "%llu\n", (unsigned long long)calls);
			}
			return 1;
		}
		sig = 0;
		if (WSTOPSIG(status) != (SIGTRAP | 0x80)) {
			sig = WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
			continue;
		}
		if (listed) {
			list(pid);
		}
		inside = !inside;
		if (!inside) {
			continue;
		}
		calls++;
		if (calls == kill_at) {
			(void)kill(pid, SIGKILL);
			(void)wait_for(pid, &status);
			return 0;
		}
	}
	return 2;
}

int main(int argc, char **argv)
{
	bool listed = argc > 1 && strcmp(argv[1], "list") == 0;
	uint64_t kill_at = 0;
	int status;
	pid_t pid;

	if (argc < 3 || (!listed && !num_u64(str_from(argv[1]), UINT32_MAX, &kill_at))) {
		(void)fprintf(stderr, "usage: killat N|list PROGRAM [ARGUMENT...]\n");
		return 2;
	}
	pid = fork();
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0) {
			(void)execvp(argv[2], argv + 2);
		}
		_exit(127);
	}
	if (pid < 0 || wait_for(pid, &status) < 0 || !WIFSTOPPED(status) ||
		ptrace(PTRACE_SETOPTIONS, pid, NULL,
			(void *)(uintptr_t)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)) < 0) {
		(void)fprintf(stderr, "killat: %s cannot be started\n", argv[2]);
		return 2;
	}
	return drive(pid, kill_at, listed);
}
