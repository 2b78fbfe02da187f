/* SPDX-License-Identifier: MIT */
/* Locks between processes: held, waited for, and gone with the process that had them. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

#include "base/clock.h"
#include "base/lock.h"
#include "tree.h"

static struct tree t;
static const struct lock_text text = {"lock", "another program"};

static int setup(void **state)
{
	(void)state;
	tree_init(&t);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tree_free(&t);
	return 0;
}

static int take(bool one_byte, uint64_t at, int64_t wait_ms, struct err *e)
{
	int64_t deadline = clock_ms() + wait_ms;

	return one_byte ? lock_take_at(t.fd, &text, at, deadline, e)
			: lock_take(t.fd, &text, deadline, e);
}

/* A process that holds the lock until the descriptor written to *end is closed, or it is killed. */
static pid_t holder(bool one_byte, uint64_t at, int *end)
{
	int ready[2], stop[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	assert_int_equal(pipe2(stop, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct err e;

		(void)close(stop[1]);
		if (take(one_byte, at, 0, &e) < 0 || write(ready[1], "x", 1) != 1) {
			_exit(1);
		}
		(void)!read(stop[0], &c, 1);
		_exit(0);
	}
	(void)close(ready[1]);
	(void)close(stop[0]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	(void)close(ready[0]);
	*end = stop[1];
	return pid;
}

static void test_names_the_holder(void **state)
{
	char want[64];
	struct err e;
	pid_t pid;
	int end, fd;

	(void)state;
	pid = holder(false, 0, &end);
	assert_int_equal(take(false, 0, 30, &e), -ETIMEDOUT);
	(void)snprintf(want, sizeof(want), "another program (process %d) is at work", (int)pid);
	assert_string_equal(e.msg, want);
	(void)close(end);
	fd = take(false, 0, 10000, &e);
	assert_true(fd >= 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	(void)snprintf(want, sizeof(want), "%d", (int)getpid());
	assert_string_equal(tree_text(&t, "lock"), want);
	assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	(void)close(fd);
}

static void test_a_killed_holder_holds_nothing(void **state)
{
	struct err e;

	(void)state;
	for (int one_byte = 0; one_byte < 2; one_byte++) {
		int end, fd;
		pid_t pid = holder(one_byte, 5, &end);

		assert_int_equal(take(one_byte, 5, 0, &e), -ETIMEDOUT);
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		fd = take(one_byte, 5, 0, &e);
		assert_true(fd >= 0);
		(void)close(fd);
		(void)close(end);
	}
}

static void test_bytes_are_locks_of_their_own(void **state)
{
	const uint64_t far = (uint64_t)0xffffffff << 16 | 0xffff;
	char want[64];
	struct err e;
	int end, one, other, last;
	pid_t pid;

	(void)state;
	pid = holder(true, 7, &end);
	assert_int_equal(take(true, 7, 20, &e), -ETIMEDOUT);
	(void)snprintf(want, sizeof(want), "another program (process %d) is at work", (int)pid);
	assert_string_equal(e.msg, want);
	one = take(true, 6, 0, &e);
	other = take(true, 8, 0, &e);
	last = take(true, far, 0, &e);
	assert_true(one >= 0 && other >= 0 && last >= 0);
	assert_int_equal(take(true, far, 0, &e), -ETIMEDOUT);
	assert_int_equal(take(true, 8, 0, &e), -ETIMEDOUT);
	(void)snprintf(
		want, sizeof(want), "another program (process %d) is at work", (int)getpid());
	assert_string_equal(e.msg, want); /* each its own */
	/* Nor does one byte exclude the whole file's lock. */
	(void)close(one);
	one = take(false, 0, 0, &e);
	assert_true(one >= 0);
	(void)close(one);
	(void)close(other);
	(void)close(last);
	(void)close(end);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void test_twice_in_one_process(void **state)
{
	struct err e;
	int fd;

	(void)state;
	for (int one_byte = 0; one_byte < 2; one_byte++) {
		fd = take(one_byte, 1, 0, &e);
		assert_true(fd >= 0);
		assert_int_equal(take(one_byte, 1, 0, &e), -ETIMEDOUT);
		(void)close(fd);
		fd = take(one_byte, 1, 0, &e);
		assert_true(fd >= 0);
		(void)close(fd);
	}
}

static void test_files_that_cannot_be_locks(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(symlinkat("elsewhere", t.fd, "lock"), 0);
	assert_int_equal(take(false, 0, 0, &e), -ELOOP);
	assert_non_null(strstr(e.msg, "open lock"));
	assert_false(faccessat(t.fd, "elsewhere", F_OK, 0) == 0);
	tree_remove(&t, "lock");
	assert_int_equal(mkdirat(t.fd, "lock", 0755), 0);
	assert_int_equal(take(true, 0, 0, &e), -EISDIR);
	assert_int_equal(take(true, UINT64_MAX, 0, &e), -EINVAL);
	assert_int_equal(take(true, LOCK_AT_MAX + 1, 0, &e), -EINVAL);
	assert_int_equal(lock_take(-1, &text, 0, &e), -EBADF);
}

static void test_an_unreadable_holder_is_not_named(void **state)
{
	struct err e;
	int end;
	pid_t pid;

	(void)state;
	pid = holder(false, 0, &end);
	tree_file(&t, "no number\n", "lock");
	assert_int_equal(take(false, 0, 0, &e), -ETIMEDOUT);
	assert_string_equal(e.msg, "another program is at work");
	(void)close(end);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_names_the_holder),
		T(test_a_killed_holder_holds_nothing),
		T(test_bytes_are_locks_of_their_own),
		T(test_twice_in_one_process),
		T(test_files_that_cannot_be_locks),
		T(test_an_unreadable_holder_is_not_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
