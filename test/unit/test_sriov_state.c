/* SPDX-License-Identifier: MIT */
/* The state directory and its lock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/file.h"
#include "sriov/state.h"
#include "tree.h"

static struct tree t;
static char dir[128];
static struct err e;

static int begin(void **state)
{
	(void)state;
	tree_init(&t);
	(void)snprintf(dir, sizeof(dir), "%s/state", t.path);
	return 0;
}

static int end(void **state)
{
	(void)state;
	tree_free(&t);
	return 0;
}

static unsigned mode_of(const char *name)
{
	struct stat st;

	assert_int_equal(fstatat(t.fd, name, &st, 0), 0);
	return st.st_mode & 07777;
}

static int make(void)
{
	return sriov_state_make(dir, &e);
}

static void makes_what_others_can_read(void **state)
{
	mode_t old = umask(077);
	cleanup_fd int fd = make();

	(void)state;
	(void)umask(old);
	assert_true(fd >= 0);
	assert_int_equal(mode_of("state"), 0755);
	assert_int_equal(mode_of("state/attachments"), 0755);
	assert_int_equal(mode_of("state/speed"), 0755);
	assert_int_equal(mode_of("state/made"), 0755);
}

static void leaves_what_is_there(void **state)
{
	cleanup_fd int first = make();
	cleanup_fd int second = -1;

	(void)state;
	tree_file(&t, "x", "state/attachments/record");
	assert_int_equal(fchmodat(t.fd, "state/speed", 0700, 0), 0);
	second = make();
	assert_true(first >= 0 && second >= 0);
	assert_int_equal(mode_of("state/speed"), 0700);
	assert_string_equal(tree_text(&t, "state/attachments/record"), "x");
}

static void other_things_of_that_name(void **state)
{
	(void)state;
	tree_file(&t, "", "state");
	assert_int_equal(make(), -ENOTDIR);
	tree_remove(&t, "state");
	tree_file(&t, "", "state/speed");
	assert_int_equal(make(), -ENOTDIR);
	assert_non_null(strstr(e.msg, dir));
	(void)snprintf(dir, sizeof(dir), "%s/no/such", t.path);
	assert_int_equal(make(), -ENOENT);
}

static void one_at_a_time(void **state)
{
	cleanup_fd int fd = make();
	cleanup_fd int lock = -1;
	char pid[32], want[64];

	(void)state;
	lock = sriov_state_lock(fd, clock_ms(), &e);
	assert_true(lock >= 0);
	(void)snprintf(pid, sizeof(pid), "%d", (int)getpid());
	assert_string_equal(tree_text(&t, "state/init.lock"), pid);
	assert_int_equal(sriov_state_lock(fd, clock_ms() + 50, &e), -ETIMEDOUT);
	(void)snprintf(want, sizeof(want), "(process %s)", pid);
	assert_non_null(strstr(e.msg, want));

	cleanup_fd_close(&lock);
	lock = sriov_state_lock(fd, clock_ms(), &e);
	assert_true(lock >= 0);
}

/* Another process that holds the lock until it is killed, or for 100 ms. */
static pid_t hold_elsewhere(int state, bool for_ever)
{
	char ready;
	int fds[2];
	pid_t pid;

	tree_must(pipe(fds) == 0, "pipe");
	pid = fork();
	tree_must(pid >= 0, "fork");
	if (pid == 0) {
		tree_must(sriov_state_lock(state, clock_ms(), &e) >= 0, e.msg);
		tree_must(write(fds[1], "x", 1) == 1, "write");
		clock_sleep_ms(for_ever ? 60000 : 100);
		_exit(0);
	}
	tree_must(read(fds[0], &ready, 1) == 1, "read");
	(void)close(fds[0]);
	(void)close(fds[1]);
	return pid;
}

static void another_process_is_named(void **state)
{
	cleanup_fd int fd = make();
	cleanup_fd int lock = -1;
	pid_t pid = hold_elsewhere(fd, true);
	char want[80];

	(void)state;
	assert_int_equal(sriov_state_lock(fd, clock_ms() + 50, &e), -ETIMEDOUT);
	(void)snprintf(want, sizeof(want), "another rdma-ds init (process %d) is at work", pid);
	assert_non_null(strstr(e.msg, want));
	/* However it ends, its lock ends with it. */
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	lock = sriov_state_lock(fd, clock_ms(), &e);
	assert_true(lock >= 0);
}

static void another_process_is_waited_for(void **state)
{
	cleanup_fd int fd = make();
	cleanup_fd int lock = -1;
	pid_t pid = hold_elsewhere(fd, false);

	(void)state;
	lock = sriov_state_lock(fd, clock_ms() + 60000, &e);
	assert_true(lock >= 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void keeps_what_was_made(void **state)
{
	cleanup_fd int fd = make();

	(void)state;
	assert_false(sriov_state_made(fd, "0000:04:00.0", 8, 3));
	assert_int_equal(sriov_state_keep_made(fd, "0000:04:00.0", 8, 3, &e), 0);
	assert_true(sriov_state_made(fd, "0000:04:00.0", 8, 3));
	assert_false(sriov_state_made(fd, "0000:04:00.0", 8, 4));
	assert_false(sriov_state_made(fd, "0000:04:00.0", 9, 3));
	assert_false(sriov_state_made(fd, "0000:04:00.1", 8, 3));
	assert_int_equal(sriov_state_keep_made(fd, "0000:04:00.0", 2048, 2047, &e), 0);
	assert_true(sriov_state_made(fd, "0000:04:00.0", 2048, 2047));
	assert_false(sriov_state_made(fd, "0000:04:00.0", 8, 3));
	tree_file(&t, "2048 2047\nmore", "state/made/0000:04:00.0");
	assert_false(sriov_state_made(fd, "0000:04:00.0", 2048, 2047));
	assert_int_equal(sriov_state_keep_made(fd, "no/such", 1, 1, &e), -ENOENT);
}

static void lock_file_of_another_kind(void **state)
{
	cleanup_fd int fd = make();
	cleanup_fd int lock = -1;
	char pid[32];

	(void)state;
	/* A longer text of an earlier run is gone; the number alone is there. */
	tree_file(&t, "123456789012345\nrubbish", "state/init.lock");
	lock = sriov_state_lock(fd, clock_ms(), &e);
	assert_true(lock >= 0);
	(void)snprintf(pid, sizeof(pid), "%d", (int)getpid());
	assert_string_equal(tree_text(&t, "state/init.lock"), pid);
	tree_remove(&t, "state/init.lock");
	tree_link(&t, "/etc/passwd", "state/init.lock");
	assert_int_equal(sriov_state_lock(fd, clock_ms(), &e), -ELOOP);
	tree_remove(&t, "state/init.lock");
	assert_int_equal(mkdirat(fd, "init.lock", 0755), 0);
	assert_int_equal(sriov_state_lock(fd, clock_ms(), &e), -EISDIR);
}

static void gives_the_speeds_away(void **state)
{
	cleanup_fd int fd = make();
	struct stat st;

	(void)state;
	assert_int_equal(sriov_state_give_speed(fd, getuid(), &e), 0);
	if (getuid() != 0) {
		assert_int_equal(sriov_state_give_speed(fd, getuid() + 1, &e), -EPERM);
		return;
	}
	assert_int_equal(sriov_state_give_speed(fd, 12345, &e), 0);
	assert_int_equal(fstatat(fd, "speed", &st, 0), 0);
	assert_int_equal(st.st_uid, 12345);
	tree_remove(&t, "state/speed");
	assert_int_equal(sriov_state_give_speed(fd, 12345, &e), -ENOENT);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(makes_what_others_can_read),
		CASE(leaves_what_is_there),
		CASE(other_things_of_that_name),
		CASE(one_at_a_time),
		CASE(another_process_is_named),
		CASE(another_process_is_waited_for),
		CASE(keeps_what_was_made),
		CASE(lock_file_of_another_kind),
		CASE(gives_the_speeds_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
