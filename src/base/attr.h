/* SPDX-License-Identifier: MIT */
/* Compiler attributes, assertions and scope-bound descriptors used everywhere. */
#ifndef BASE_ATTR_H
#define BASE_ATTR_H

#include <stddef.h>

#define MUST_CHECK               __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, first)  __attribute__((format(printf, fmt, first)))
#define NORETURN                 __attribute__((noreturn))
#define ARRAY_LEN(a)             (sizeof(a) / sizeof((a)[0]))
#define CONTAINER_OF(p, type, m) ((type *)(void *)((char *)(p)-offsetof(type, m)))

/*
 * ASSERT: for our own bugs only, never for input. Writes "file:line: condition" to stderr with
 * write(2) and aborts, so that it works with any seccomp filter that allows write.
 */
#define ASSERT(cond)                                                                               \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			assert_fail(__FILE__, __LINE__, #cond);                                    \
		}                                                                                  \
	} while (0)

NORETURN void assert_fail(const char *file, int line, const char *cond);

/* cleanup_fd int fd = -1;  closes fd at the end of the scope; steal_fd(&fd) hands it out. */
#define cleanup_fd __attribute__((cleanup(cleanup_fd_close)))

void cleanup_fd_close(const int *fd);
int steal_fd(int *fd) MUST_CHECK;

#endif
