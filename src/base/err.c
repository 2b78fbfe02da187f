/* SPDX-License-Identifier: MIT */
/* See err.h. */
#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void err_clean(char *s)
{
	for (; *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;

		if (c < 0x20 || c == 0x7f) {
			*s = '?';
		}
	}
}

PRINTF_LIKE(3, 0)
static void err_vformat(struct err *e, int code, const char *fmt, va_list ap)
{
	ASSERT(code > 0);
	e->code = code;
	if (vsnprintf(e->msg, sizeof(e->msg), fmt, ap) < 0) {
		e->msg[0] = '\0';
	}
	err_clean(e->msg);
}

int err_set(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	err_vformat(e, code, fmt, ap);
	va_end(ap);
	return -code;
}

int err_sys(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	err_vformat(e, code, fmt, ap);
	va_end(ap);
	n = strlen(e->msg);
	(void)snprintf(e->msg + n, sizeof(e->msg) - n, ": %s", strerror(code));
	return -code;
}

int err_wrap(struct err *e, const char *fmt, ...)
{
	struct err inner = *e;
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	err_vformat(e, inner.code, fmt, ap);
	va_end(ap);
	n = strlen(e->msg);
	(void)snprintf(e->msg + n, sizeof(e->msg) - n, ": %s", inner.msg);
	return -inner.code;
}
