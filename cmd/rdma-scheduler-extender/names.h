/* SPDX-License-Identifier: MIT */
/*
 * Host names to addresses, as every program of the machine resolves them: /etc/hosts, then the name
 * servers of /etc/resolv.conf, by the C library. Its functions block, so a few helper processes
 * call them; they hold nothing but a socket to the extender and are started when the first name is
 * asked for.
 */
#ifndef EXTENDER_NAMES_H
#define EXTENDER_NAMES_H

#include <sys/types.h>

#include "base/loop.h"
#include "base/parse.h"
#include "sched/limits.h"

#define NAMES_HELPERS  8    /* names that may wait for a name server at one time */
#define NAMES_PAUSE_MS 1000 /* between two starts of all helpers, should that fail */

/* The end of a question: addr without a port, or NULL and why. */
typedef void names_done_fn(
	void *arg, uint32_t node, uint32_t serial, const struct sock_addr *addr, const char *why);

struct names {
	struct loop *loop;
	struct loop_fd w; /* the socket to all helpers; fd < 0: none run */
	int far;          /* its other end, for helpers that take the place of others */
	pid_t pid[NAMES_HELPERS];
	int64_t begun_ms; /* when they were started last */
	names_done_fn *done;
	void *arg;
};

void names_init(struct names *n, struct loop *loop, names_done_fn *done, void *arg);
void names_free(struct names *n);

/*
 * names_ask: 0: done is called once, from the loop, with node and serial as given here, unless the
 * helper that has it dies; questions that reach a helper after deadline_ms (clock_ms) are not
 * looked into any more. -EAGAIN: as many questions as fit are on their way, ask again after one of
 * them is done. -EINVAL: no host name. Other errors: helpers cannot be started.
 */
int names_ask(struct names *n, uint32_t node, uint32_t serial, struct str name, int64_t deadline_ms,
	struct err *e) MUST_CHECK;

/* names_check: now and then: helpers that died are noticed, and others started. */
void names_check(struct names *n);

#endif
