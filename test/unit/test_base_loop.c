/* SPDX-License-Identifier: MIT */
/* base/loop.h: descriptors, timers, and what callbacks may do to both. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/loop.h"
#include "guard.h"

#define TIMERS 100

struct watched {
	struct loop_fd w;
	int peer;
	int calls;
	uint32_t seen;
	struct watched *victim;
};

struct counted {
	struct loop_timer t;
	int id;
	struct counted *victim;
};

static struct loop loop;
static struct loop_timer *heap[TIMERS];
static int fired[4 * TIMERS];
static size_t fired_n;

static int setup(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	fired_n = 0;
	return loop_init(&loop, heap, TIMERS, &e);
}

static int teardown(void **state)
{
	(void)state;
	loop_free(&loop);
	return 0;
}

static void once(int timeout_ms)
{
	struct err e = ERR_INIT;

	assert_int_equal(loop_once(&loop, timeout_ms, &e), 0);
}

static void watch(struct watched *x, void (*fn)(struct loop *, struct loop_fd *, uint32_t))
{
	struct err e = ERR_INIT;
	int p[2];

	assert_int_equal(pipe2(p, O_NONBLOCK | O_CLOEXEC), 0);
	*x = (struct watched){.w = {.fd = p[0], .fn = fn}, .peer = p[1]};
	assert_int_equal(loop_add(&loop, &x->w, EPOLLIN, &e), 0);
}

static void close_both(struct watched *x)
{
	close(x->w.fd);
	close(x->peer);
}

static void on_ready(struct loop *l, struct loop_fd *w, uint32_t events)
{
	struct watched *x = CONTAINER_OF(w, struct watched, w);
	char c;

	assert_ptr_equal(l, &loop);
	x->calls++;
	x->seen = events;
	if (x->victim != NULL) {
		loop_del(l, &x->victim->w);
	} else if ((events & EPOLLIN) != 0) {
		assert_int_equal(read(w->fd, &c, 1), 1);
	}
}

static void test_readiness(void **state)
{
	struct watched x;

	(void)state;
	watch(&x, on_ready);
	once(0);
	assert_int_equal(x.calls, 0);
	assert_int_equal(write(x.peer, "ab", 2), 2);
	once(0);
	once(0);
	once(0);
	assert_int_equal(x.calls, 2);
	assert_int_equal(x.seen, EPOLLIN);
	close(x.peer);
	once(0);
	assert_int_equal(x.calls, 3);
	assert_int_equal(x.seen, EPOLLHUP);
	loop_del(&loop, &x.w);
	once(0);
	assert_int_equal(x.calls, 3);
	close(x.w.fd);
}

static void test_mod(void **state)
{
	struct watched x;

	(void)state;
	watch(&x, on_ready);
	assert_int_equal(write(x.peer, "a", 1), 1);
	loop_mod(&loop, &x.w, 0);
	once(0);
	assert_int_equal(x.calls, 0);
	loop_mod(&loop, &x.w, EPOLLIN);
	loop_mod(&loop, &x.w, EPOLLIN);
	once(0);
	assert_int_equal(x.calls, 1);
	loop_del(&loop, &x.w);
	close_both(&x);
}

static void test_add_fails(void **state)
{
	struct loop_fd closed = {.fd = -1, .fn = on_ready}, file = {.fn = on_ready};
	struct watched x;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(loop_add(&loop, &closed, EPOLLIN, &e), -EBADF);
	assert_string_equal(e.msg, "watch descriptor -1: Bad file descriptor");
	file.fd = open("/proc/self/exe", O_RDONLY);
	assert_int_equal(loop_add(&loop, &file, EPOLLIN, &e), -EPERM);
	close(file.fd);
	watch(&x, on_ready);
	assert_int_equal(loop_add(&loop, &x.w, EPOLLIN, &e), -EEXIST);
	loop_del(&loop, &x.w);
	close_both(&x);
}

/* Both are ready; whoever is called first deletes the other, whose event must then be dropped. */
static void test_pending_event_is_dropped(void **state)
{
	struct watched a, b;

	(void)state;
	watch(&a, on_ready);
	watch(&b, on_ready);
	a.victim = &b;
	b.victim = &a;
	assert_int_equal(write(a.peer, "x", 1), 1);
	assert_int_equal(write(b.peer, "x", 1), 1);
	once(0);
	assert_int_equal(a.calls + b.calls, 1);
	loop_del(&loop, a.calls > 0 ? &a.w : &b.w);
	once(0);
	assert_int_equal(a.calls + b.calls, 1);
	close_both(&a);
	close_both(&b);
}

static void on_delete_myself(struct loop *l, struct loop_fd *w, uint32_t events)
{
	struct watched *x = CONTAINER_OF(w, struct watched, w);

	(void)events;
	loop_del(l, w);
	close_both(x);
	memset(x, 0xff, sizeof(*x));
	fired_n++;
}

static void test_deletes_itself(void **state)
{
	struct watched x;

	(void)state;
	watch(&x, on_delete_myself);
	assert_int_equal(write(x.peer, "x", 1), 1);
	once(0);
	once(0);
	assert_int_equal(fired_n, 1);
}

/* More descriptors are ready than one batch holds; one callback deletes all others. */
static struct watched many[LOOP_BATCH + 10];

static void on_delete_all(struct loop *l, struct loop_fd *w, uint32_t events)
{
	(void)w;
	(void)events;
	fired_n++;
	for (size_t i = 0; i < ARRAY_LEN(many); i++) {
		loop_del(l, &many[i].w);
	}
}

static void test_deletes_everything(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(many); i++) {
		watch(&many[i], on_delete_all);
		assert_int_equal(write(many[i].peer, "x", 1), 1);
	}
	once(0);
	once(0);
	assert_int_equal(fired_n, 1);
	for (size_t i = 0; i < ARRAY_LEN(many); i++) {
		close_both(&many[i]);
	}
}

static void test_more_than_a_batch(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(many); i++) {
		watch(&many[i], on_ready);
		assert_int_equal(write(many[i].peer, "x", 1), 1);
	}
	once(0);
	once(0);
	once(0);
	for (size_t i = 0; i < ARRAY_LEN(many); i++) {
		assert_int_equal(many[i].calls, 1);
		loop_del(&loop, &many[i].w);
		close_both(&many[i]);
	}
}

static void note(const struct loop_timer *t)
{
	assert_true(fired_n < ARRAY_LEN(fired));
	fired[fired_n++] = CONTAINER_OF(t, struct counted, t)->id;
}

static void on_timer(struct loop *l, struct loop_timer *t)
{
	assert_int_equal(t->slot, 0);
	assert_true(l->now_ms >= t->at_ms);
	note(t);
}

/* All due, set in a scrambled order, some moved, some deleted: they fire by time. */
static void test_timer_order(void **state)
{
	static struct counted timers[TIMERS];
	int64_t past = clock_ms() - 10 * TIMERS;
	int last = -1;

	(void)state;
	for (int i = 0; i < TIMERS; i++) {
		int id = i * 37 % TIMERS;

		timers[id] = (struct counted){{.fn = on_timer}, id, NULL};
		loop_timer_set(&loop, &timers[id].t, past + (id % 2 == 0 ? id : 5 * TIMERS - id));
	}
	for (int id = 1; id < TIMERS; id += 2) {
		loop_timer_set(&loop, &timers[id].t, past + id);
	}
	for (int id = 0; id < TIMERS; id += 5) {
		loop_timer_del(&loop, &timers[id].t);
		loop_timer_del(&loop, &timers[id].t);
	}
	once(0);
	assert_int_equal(fired_n, TIMERS - TIMERS / 5);
	for (size_t i = 0; i < fired_n; i++) {
		assert_true(fired[i] > last && fired[i] % 5 != 0);
		last = fired[i];
	}
	once(0);
	assert_int_equal(fired_n, TIMERS - TIMERS / 5);
}

static void on_timer_delete_other(struct loop *l, struct loop_timer *t)
{
	note(t);
	loop_timer_del(l, &CONTAINER_OF(t, struct counted, t)->victim->t);
}

static void test_timer_deletes_due_timer(void **state)
{
	struct counted a = {{.fn = on_timer_delete_other}, 1, NULL};
	struct counted b = {{.fn = on_timer}, 2, NULL}, c = {{.fn = on_timer}, 3, NULL};
	int64_t now = clock_ms();

	(void)state;
	a.victim = &b;
	loop_timer_set(&loop, &c.t, now - 1);
	loop_timer_set(&loop, &b.t, now - 2);
	loop_timer_set(&loop, &a.t, now - 3);
	once(0);
	assert_int_equal(fired_n, 2);
	assert_int_equal(fired[0], 1);
	assert_int_equal(fired[1], 3);
	assert_int_equal(b.t.slot, 0);
}

static void on_timer_again(struct loop *l, struct loop_timer *t)
{
	note(t);
	loop_timer_set(l, t, l->now_ms);
}

/* A timer that is always due must not keep descriptors from being served. */
static void test_timer_does_not_starve(void **state)
{
	struct counted again = {{.fn = on_timer_again}, 1, NULL};
	struct watched x;

	(void)state;
	watch(&x, on_ready);
	assert_int_equal(write(x.peer, "abc", 3), 3);
	loop_timer_set(&loop, &again.t, clock_ms());
	once(-1);
	once(-1);
	once(-1);
	assert_int_equal(x.calls, 3);
	assert_int_equal(fired_n, 3);
	loop_timer_del(&loop, &again.t);
	loop_del(&loop, &x.w);
	close_both(&x);
}

static void set_one_too_many(void *timers)
{
	loop_timer_set(&loop, &((struct counted *)timers)[TIMERS].t, 0);
}

static void test_timer_heap_is_bounded(void **state)
{
	static struct counted timers[TIMERS + 1];

	(void)state;
	for (int i = 0; i < TIMERS; i++) {
		loop_timer_set(&loop, &timers[i].t, clock_ms() + 1000000);
	}
	loop_timer_set(&loop, &timers[0].t, clock_ms() + 2000000);
	assert_true(guard_aborts(set_one_too_many, timers));
}

static void on_timer_stop(struct loop *l, struct loop_timer *t)
{
	note(t);
	loop_stop(l);
}

static void test_run_until_stop(void **state)
{
	struct counted stop = {{.fn = on_timer_stop}, 1, NULL}, later = {{.fn = on_timer}, 2, NULL};
	int64_t at = clock_ms() + 3;
	struct err e = ERR_INIT;

	(void)state;
	loop_timer_set(&loop, &stop.t, at);
	loop_timer_set(&loop, &later.t, at);
	assert_int_equal(loop_run(&loop, &e), 0);
	assert_true(clock_ms() >= at);
	assert_int_equal(fired_n, 1);
	assert_int_equal(fired[0], 1);
}

static void on_ready_stop(struct loop *l, struct loop_fd *w, uint32_t events)
{
	(void)w;
	(void)events;
	fired_n++;
	loop_stop(l);
}

static void test_stop_ends_the_batch(void **state)
{
	struct watched a, b;
	struct err e = ERR_INIT;

	(void)state;
	watch(&a, on_ready_stop);
	watch(&b, on_ready_stop);
	assert_int_equal(write(a.peer, "x", 1), 1);
	assert_int_equal(write(b.peer, "x", 1), 1);
	assert_int_equal(loop_run(&loop, &e), 0);
	assert_int_equal(fired_n, 1);
	close_both(&a);
	close_both(&b);
}

static void test_run_reports_failure(void **state)
{
	struct loop broken = loop;
	struct err e = ERR_INIT;

	(void)state;
	broken.epfd = -1;
	assert_int_equal(loop_run(&broken, &e), -EBADF);
	assert_string_equal(e.msg, "epoll_wait: Bad file descriptor");
}

static void delete_unwatched(void *w)
{
	loop_del(&loop, w);
}

static void test_misuse_aborts(void **state)
{
	struct watched x;

	(void)state;
	watch(&x, on_ready);
	loop_del(&loop, &x.w);
	assert_true(guard_aborts(delete_unwatched, &x.w));
	close_both(&x);
}

static struct loop_signal asked;
static int asked_n;

static void on_asked(struct loop *l, struct loop_signal *s)
{
	assert_ptr_equal(l, &loop);
	assert_ptr_equal(s, &asked);
	asked_n++;
}

static void test_signals(void **state)
{
	static const int ends[] = {SIGTERM, SIGINT, SIGHUP};
	struct err e = ERR_INIT;
	int p[2];

	(void)state;
	asked_n = 0;
	asked.fn = on_asked;
	assert_int_equal(loop_signal_add(&loop, &asked, &e), 0);
	once(0);
	assert_int_equal(asked_n, 0);
	for (int i = 0; i < (int)ARRAY_LEN(ends); i++) {
		assert_int_equal(raise(ends[i]), 0);
		once(1000);
		assert_int_equal(asked_n, i + 1);
	}
	once(0);
	assert_int_equal(asked_n, 3); /* each once */
	asked.w.fn(&loop, &asked.w, EPOLLIN);
	assert_int_equal(asked_n, 3);        /* nothing there after all */
	assert_int_equal(raise(SIGUSR1), 0); /* these would have ended us */
	assert_int_equal(raise(SIGUSR2), 0);
	once(0);
	assert_int_equal(asked_n, 3);
	assert_int_equal(pipe(p), 0);
	close(p[0]);
	assert_int_equal(write(p[1], "x", 1), -1); /* SIGPIPE would have ended us */
	assert_int_equal(errno, EPIPE);
	close(p[1]);
	loop_del(&loop, &asked.w);
	close(asked.w.fd);
}

static void test_signals_fail(void **state)
{
	struct loop broken = loop;
	struct err e = ERR_INIT;
	int before = dup(0), after;

	(void)state;
	close(before);
	broken.epfd = -1;
	assert_int_equal(loop_signal_add(&broken, &asked, &e), -EBADF);
	after = dup(0);
	assert_int_equal(after, before); /* nothing was left open */
	close(after);
}

#define WITH_LOOP(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_LOOP(test_readiness),
		WITH_LOOP(test_mod),
		WITH_LOOP(test_add_fails),
		WITH_LOOP(test_pending_event_is_dropped),
		WITH_LOOP(test_deletes_itself),
		WITH_LOOP(test_deletes_everything),
		WITH_LOOP(test_more_than_a_batch),
		WITH_LOOP(test_timer_order),
		WITH_LOOP(test_timer_deletes_due_timer),
		WITH_LOOP(test_timer_does_not_starve),
		WITH_LOOP(test_timer_heap_is_bounded),
		WITH_LOOP(test_run_until_stop),
		WITH_LOOP(test_stop_ends_the_batch),
		WITH_LOOP(test_run_reports_failure),
		WITH_LOOP(test_misuse_aborts),
		WITH_LOOP(test_signals),
		WITH_LOOP(test_signals_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
