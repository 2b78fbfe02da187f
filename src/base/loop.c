/* SPDX-License-Identifier: MIT */
/* See loop.h. */
#include "base/loop.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"

int loop_init(struct loop *l, struct loop_timer **heap, size_t heap_cap, struct err *e)
{
	memset(l, 0, sizeof(*l));
	l->heap = heap;
	l->heap_cap = heap_cap;
	l->now_ms = clock_ms();
	l->epfd = epoll_create1(EPOLL_CLOEXEC);
	return l->epfd < 0 ? err_sys(e, errno, "epoll_create1") : 0;
}

void loop_free(struct loop *l)
{
	cleanup_fd_close(&l->epfd);
	l->epfd = -1;
}

int loop_add(struct loop *l, struct loop_fd *w, uint32_t events, struct err *e)
{
	struct epoll_event ev = {.events = events, .data.ptr = w};

	if (epoll_ctl(l->epfd, EPOLL_CTL_ADD, w->fd, &ev) < 0) {
		return err_sys(e, errno, "watch descriptor %d", w->fd);
	}
	w->events = events;
	return 0;
}

void loop_mod(struct loop *l, struct loop_fd *w, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.ptr = w};
	int r;

	if (w->events == events) {
		return;
	}
	/* MOD allocates nothing in the kernel: it fails only for what is not watched. */
	r = epoll_ctl(l->epfd, EPOLL_CTL_MOD, w->fd, &ev);
	ASSERT(r == 0);
	w->events = events;
}

void loop_del(struct loop *l, struct loop_fd *w)
{
	int r = epoll_ctl(l->epfd, EPOLL_CTL_DEL, w->fd, NULL);

	ASSERT(r == 0);
	for (int i = l->batch_at; i < l->batch_n; i++) {
		if (l->batch[i].data.ptr == w) {
			l->batch[i].data.ptr = NULL;
		}
	}
}

static void heap_put(struct loop *l, size_t i, struct loop_timer *t)
{
	l->heap[i] = t;
	t->slot = i + 1;
}

static void heap_sift(struct loop *l, size_t i)
{
	struct loop_timer *t = l->heap[i];

	while (i > 0 && l->heap[(i - 1) / 2]->at_ms > t->at_ms) {
		heap_put(l, i, l->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	for (;;) {
		size_t kid = 2 * i + 1;

		if (kid + 1 < l->heap_n && l->heap[kid + 1]->at_ms < l->heap[kid]->at_ms) {
			kid++;
		}
		if (kid >= l->heap_n || l->heap[kid]->at_ms >= t->at_ms) {
			break;
		}
		heap_put(l, i, l->heap[kid]);
		i = kid;
	}
	heap_put(l, i, t);
}

void loop_timer_set(struct loop *l, struct loop_timer *t, int64_t at_ms)
{
	t->at_ms = at_ms;
	if (t->slot == 0) {
		ASSERT(l->heap_n < l->heap_cap);
		heap_put(l, l->heap_n++, t);
	}
	heap_sift(l, t->slot - 1);
}

void loop_timer_del(struct loop *l, struct loop_timer *t)
{
	size_t i = t->slot;

	if (i == 0) {
		return;
	}
	t->slot = 0;
	l->heap_n--;
	if (i - 1 < l->heap_n) {
		heap_put(l, i - 1, l->heap[l->heap_n]);
		heap_sift(l, i - 1);
	}
}

static void run_timers(struct loop *l)
{
	/* At most as many as were set: one that is always due again must not starve descriptors. */
	size_t left = l->heap_n;

	l->now_ms = clock_ms();
	while (left-- > 0 && l->heap_n > 0 && l->heap[0]->at_ms <= l->now_ms && !l->stop) {
		struct loop_timer *t = l->heap[0];

		loop_timer_del(l, t);
		t->fn(l, t);
	}
}

static int wait_ms(const struct loop *l, int timeout_ms)
{
	int64_t left;

	if (l->heap_n == 0) {
		return timeout_ms;
	}
	left = l->heap[0]->at_ms - clock_ms();
	left = left < 0 ? 0 : left > INT_MAX ? INT_MAX : left;
	return timeout_ms >= 0 && timeout_ms < left ? timeout_ms : (int)left;
}

int loop_once(struct loop *l, int timeout_ms, struct err *e)
{
	int n = epoll_wait(l->epfd, l->batch, LOOP_BATCH, wait_ms(l, timeout_ms));

	if (n < 0 && errno != EINTR) {
		return err_sys(e, errno, "epoll_wait");
	}
	l->now_ms = clock_ms();
	l->batch_n = n < 0 ? 0 : n;
	for (l->batch_at = 0; l->batch_at < l->batch_n && !l->stop;) {
		struct epoll_event *ev = &l->batch[l->batch_at++];
		struct loop_fd *w = ev->data.ptr;

		if (w != NULL) {
			w->fn(l, w, ev->events);
		}
	}
	l->batch_n = 0;
	run_timers(l);
	return 0;
}

int loop_run(struct loop *l, struct err *e)
{
	int r = 0;

	while (r == 0 && !l->stop) {
		r = loop_once(l, -1, e);
	}
	return r;
}

void loop_stop(struct loop *l)
{
	l->stop = true;
}

static int open_signals(struct err *e)
{
	sigset_t set;
	int fd;

	(void)sigemptyset(&set); /* these three fail only for a bad signal number */
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR ||
		signal(SIGUSR1, SIG_IGN) == SIG_ERR || signal(SIGUSR2, SIG_IGN) == SIG_ERR) {
		return err_sys(e, errno, "set up signals");
	}
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? err_sys(e, errno, "signalfd") : fd;
}

static void on_signal(struct loop *l, struct loop_fd *w, uint32_t events)
{
	struct loop_signal *s = CONTAINER_OF(w, struct loop_signal, w);
	struct signalfd_siginfo info;

	(void)events;
	if (read(w->fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		s->fn(l, s);
	}
}

int loop_signal_add(struct loop *l, struct loop_signal *s, struct err *e)
{
	int fd = open_signals(e);

	if (fd < 0) {
		return fd;
	}
	s->w = (struct loop_fd){.fd = fd, .fn = on_signal};
	if (loop_add(l, &s->w, EPOLLIN, e) < 0) {
		(void)close(fd); /* nothing was written */
		return -e->code;
	}
	return 0;
}
