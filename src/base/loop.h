/* SPDX-License-Identifier: MIT */
/* One epoll loop a process: descriptors, timers, no threads, no allocation after loop_init. */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "base/err.h"

struct loop;

/*
 * A watched descriptor, embedded in its owner's struct. fn runs with the epoll events that
 * arrived (EPOLLERR and EPOLLHUP come unasked). Set fd and fn, then loop_add.
 */
struct loop_fd {
	int fd;
	uint32_t events; /* kept by the loop: what epoll was last told */
	void (*fn)(struct loop *l, struct loop_fd *w, uint32_t events);
};

/* A one-shot timer, embedded in its owner's struct. Set fn, zero the rest, then loop_timer_set. */
struct loop_timer {
	int64_t at_ms; /* CLOCK_MONOTONIC */
	size_t slot;   /* place in the heap + 1; 0 when not set */
	void (*fn)(struct loop *l, struct loop_timer *t);
};

#define LOOP_BATCH 64 /* events taken from the kernel at once */

struct loop {
	int epfd;
	bool stop;
	int64_t now_ms; /* time of the current batch */
	struct epoll_event batch[LOOP_BATCH];
	int batch_n, batch_at;
	struct loop_timer **heap; /* binary min-heap by at_ms */
	size_t heap_n, heap_cap;
};

/*
 * loop_init: heap is an array for heap_cap timers that are set at one time, owned by the caller
 * and valid until loop_free.
 */
int loop_init(struct loop *l, struct loop_timer **heap, size_t heap_cap, struct err *e) MUST_CHECK;
void loop_free(struct loop *l);

/* loop_add: begin to watch w->fd for events (EPOLLIN, EPOLLOUT, level-triggered). */
int loop_add(struct loop *l, struct loop_fd *w, uint32_t events, struct err *e) MUST_CHECK;

/* loop_mod: watch for other events; costs nothing when they are the same. */
void loop_mod(struct loop *l, struct loop_fd *w, uint32_t events);

/*
 * loop_del: stop watching; call it BEFORE closing the descriptor. Events of the current batch
 * that are still pending for w are dropped, so w may be freed or reused at once, also from inside
 * a callback.
 */
void loop_del(struct loop *l, struct loop_fd *w);

/* loop_timer_set: fire at at_ms (clock_ms time); moves the timer if it is set already. */
void loop_timer_set(struct loop *l, struct loop_timer *t, int64_t at_ms);
void loop_timer_del(struct loop *l, struct loop_timer *t); /* nothing happens if it is not set */

/* loop_run: until loop_stop or an epoll failure. 0 or -errno. */
int loop_run(struct loop *l, struct err *e) MUST_CHECK;
void loop_stop(struct loop *l);

/*
 * loop_once: one wait of at most timeout_ms (-1: as long as no timer is due) and its callbacks.
 * For tests and for programs that wait for one thing.
 */
int loop_once(struct loop *l, int timeout_ms, struct err *e) MUST_CHECK;

/* Signals that end a process, embedded in its owner's struct. Set fn, then loop_signal_add. */
struct loop_signal {
	struct loop_fd w;
	void (*fn)(struct loop *l, struct loop_signal *s);
};

/*
 * loop_signal_add: block SIGTERM, SIGINT and SIGHUP for the process and from now on call fn once
 * for each that arrives; SIGPIPE, SIGUSR1 and SIGUSR2 are ignored: nobody who sends one, to see
 * what it does, ends the program. s->w.fd is then open, the caller's to close after loop_del.
 */
int loop_signal_add(struct loop *l, struct loop_signal *s, struct err *e) MUST_CHECK;

#endif
