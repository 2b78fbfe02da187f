/* SPDX-License-Identifier: MIT */
/* The one way errors travel: -errno as the result, the sentence in a struct err. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdarg.h>

#include "base/attr.h"

/*
 * Lives on the caller's stack, never NULL, never allocated. code is a positive errno value and
 * msg one line without a final newline; both are set only when a call failed.
 */
struct err {
	int code;
	char msg[256];
};

#define ERR_INIT                                                                                   \
	{                                                                                          \
		0, ""                                                                              \
	}

/*
 * err_set: fill e with code (a positive errno value) and a message; the text of code (strerror)
 * is NOT added. err_sys does the same and adds ": <strerror(code)>". Both return -code, so that
 * `return err_sys(e, errno, "open %s", path);` reports and returns in one line.
 * A message that does not fit is cut; bytes that would break a log line or a terminal (control
 * characters, DEL) become '?', so that names from the outside can be put into messages.
 */
int err_set(struct err *e, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);
int err_sys(struct err *e, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* err_wrap: put "<context>: " before the message that e already has; returns -e->code. */
int err_wrap(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
