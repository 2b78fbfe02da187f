/* SPDX-License-Identifier: MIT */
/* Assertion failure and scope-bound descriptors. */
#include "base/attr.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void assert_fail(const char *file, int line, const char *cond)
{
	char msg[256];
	int n = snprintf(msg, sizeof(msg), "%s:%d: assertion failed: %s\n", file, line, cond);

	if (n > 0) {
		size_t len = (size_t)n < sizeof(msg) ? (size_t)n : sizeof(msg) - 1;

		/* Nothing can be done about a failing stderr on the way to abort(). */
		(void)!write(STDERR_FILENO, msg, len);
	}
	abort();
}

void cleanup_fd_close(const int *fd)
{
	if (*fd >= 0) {
		(void)close(*fd); /* Linux releases the descriptor whatever close() says. */
	}
}

int steal_fd(int *fd)
{
	int out = *fd;

	*fd = -1;
	return out;
}
