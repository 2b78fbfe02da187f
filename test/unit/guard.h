/* SPDX-License-Identifier: MIT */
/* Memory for tests: input that ends where the address space does, and code that must abort. */
#ifndef TEST_GUARD_H
#define TEST_GUARD_H

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"

/*
 * guard_copy: a copy of s whose last byte is the last one before a PROT_NONE page, so that reading
 * one byte too many is a fault on the spot, also where ASan has no redzone. guard_free gives it
 * back.
 */
struct guard {
	char *map;
	size_t map_n;
	struct str s;
};

static inline struct guard guard_copy(struct str s)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t data = (s.n + page - 1) / page * page;
	struct guard g = {NULL, data + page, {NULL, s.n}};

	g.map = mmap(NULL, g.map_n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (g.map == MAP_FAILED || mprotect(g.map + data, page, PROT_NONE) < 0) {
		perror("guard_copy");
		exit(1);
	}
	if (s.n > 0) {
		memcpy(g.map + data - s.n, s.p, s.n);
	}
	g.s.p = g.map + data - s.n;
	return g;
}

static inline void guard_free(struct guard *g)
{
	munmap(g->map, g->map_n);
}

/* guard_aborts: true if fn(arg), run in a child without stderr, ends in abort(). */
static inline bool guard_aborts(void (*fn)(void *arg), void *arg)
{
	int status = 0;
	pid_t child;

	fflush(NULL);
	child = fork();
	if (child == 0) {
		int null = open("/dev/null", O_WRONLY);

		if (null >= 0) {
			dup2(null, STDERR_FILENO);
		}
		signal(SIGABRT, SIG_DFL);
		fn(arg);
		_exit(0);
	}
	if (child < 0 || waitpid(child, &status, 0) != child) {
		perror("guard_aborts");
		exit(1);
	}
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

#endif
