/* SPDX-License-Identifier: MIT */
/*
 * killat N PROGRAM [ARGUMENT...]: run a program and kill it with SIGKILL before its Nth system call
 * (the execve that starts it is not counted). Only the program itself is traced, not what it
 * starts. Exit status: 0 it was killed there, 1 it ended before, 2 something went wrong. With N = 0
 * it runs to its end and the number of its system calls is printed on stderr.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
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

/* The stop before a system call and the one after it look the same: they alternate. */
static int drive(pid_t pid, uint64_t kill_at)
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
	uint64_t kill_at;
	int status;
	pid_t pid;

	if (argc < 3 || !num_u64(str_from(argv[1]), UINT32_MAX, &kill_at)) {
		(void)fprintf(stderr, "usage: killat N PROGRAM [ARGUMENT...]\n");
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
	return drive(pid, kill_at);
}
