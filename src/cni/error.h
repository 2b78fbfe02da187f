/* SPDX-License-Identifier: MIT */
/* Errors as the CNI specification wants them: a number and a sentence, as JSON on stdout. */
#ifndef CNI_ERROR_H
#define CNI_ERROR_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "cni/version.h"

enum cni_code {
	CNI_ERR_VERSION = 1,
	CNI_ERR_FIELD = 2,
	CNI_ERR_CONTAINER = 3,
	CNI_ERR_ENV = 4,
	CNI_ERR_IO = 5,
	CNI_ERR_DECODE = 6,
	CNI_ERR_CONFIG = 7,
	CNI_ERR_NETNS = 8,
	CNI_ERR_LATER = 11,
	CNI_ERR_UNAVAILABLE = 50,
	CNI_ERR_LIMITED = 51,
	/* Ours: */
	CNI_ERR_REQUEST = 100, /* the pod's annotation is malformed */
	CNI_ERR_FULL = 101,    /* the node cannot hold the pod's interfaces */
	CNI_ERR_DEVICE = 102,  /* kernel or driver refused something about a VF */
	CNI_ERR_PLUGIN = 103,  /* a delegated plugin is missing, hangs, or prints no valid answer */
	CNI_ERR_CHECK = 104,   /* CHECK found a difference */
};

/*
 * The failure of a call: err_set and friends fill e, code is what the runtime is told. A code of 0
 * counts as CNI_ERR_IO.
 */
struct cni_fail {
	uint32_t code;
	struct err e;
	char details[512]; /* empty: none */
};

#define CNI_FAIL_INIT                                                                              \
	{                                                                                          \
		0, ERR_INIT, ""                                                                    \
	}

/* cni_fail: give f this code if it has none yet; returns -f->e.code, f->e having been set. */
int cni_fail(struct cni_fail *f, uint32_t code);

/* cni_fail_set: err_set with a code, whatever stood there; returns -errnum. */
int cni_fail_set(struct cni_fail *f, uint32_t code, int errnum, const char *fmt, ...)
	PRINTF_LIKE(4, 5);

/* cni_error_write: the JSON object of an error. */
void cni_error_write(struct buf *b, enum cni_version v, const struct cni_fail *f);

#endif
