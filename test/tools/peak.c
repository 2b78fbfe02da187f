/* SPDX-License-Identifier: MIT */
/*
 * peak PROGRAM [ARGUMENT...]: run a program and print the largest resident memory that it had, in
 * KiB (VmHWM), on stderr. Exit status: that of the program; 127 when something went wrong.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#define FAILED 127

static void print_peak(pid_t pid)
{
	char path[48], line[256];
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "r");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		unsigned long kib;

		if (sscanf(line, "VmHWM: %lu kB", &kib) == 1) {
			(void)fprintf(stderr, "%lu\n", kib);
		}
	}
	if (f != NULL) {
		(void)fclose(f);
	}
}

/* Only its first thread is traced: with the end of that everything it used is known. */
static int drive(pid_t pid)
{
	int sig = 0, status;

	if (ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)(PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL)) <
		0) {
		return FAILED;
	}
	for (;;) {
		if (ptrace(PTRACE_CONT, pid, NULL, (void *)(long)sig) < 0 ||
			waitpid(pid, &status, 0) != pid) {
			return FAILED;
		}
		if (WIFEXITED(status)) {
			return WEXITSTATUS(status);
		}
		if (WIFSIGNALED(status)) {
			return FAILED;
		}
		sig = WSTOPSIG(status);
		if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXIT << 8)) {
			print_peak(pid);
		}
		sig = sig == SIGTRAP ? 0 : sig;
	}
}

int main(int argc, char **argv)
{
	pid_t pid;
	int status;

	if (argc < 2) {
		(void)fputs("usage: peak PROGRAM [ARGUMENT...]\n", stderr);
		return FAILED;
	}
	pid = fork();
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0) {
			(void)execvp(argv[1], argv + 1);
		}
		perror(argv[1]);
		_exit(FAILED);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status)) {
		return FAILED;
	}
	return drive(pid);
}
