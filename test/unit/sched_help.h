/* SPDX-License-Identifier: MIT */
/* The model of all nodes that a test of src/sched works on: a new one, claims last a second. */
#ifndef TEST_SCHED_HELP_H
#define TEST_SCHED_HELP_H

#include "base/err.h"
#include "sched/sched.h"

static struct sched s;

static inline int set_up(void **st)
{
	struct err e;

	(void)st;
	return sched_init(&s, 1000, &e);
}

static inline int tear_down(void **st)
{
	(void)st;
	sched_free(&s);
	return 0;
}

#endif
