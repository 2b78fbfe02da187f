/* SPDX-License-Identifier: MIT */
/* Network namespaces by path, and sockets made in another one. */
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

#include "sandbox/netns.h"
#include "tree.h"

#define SKIPPED 77

static void test_own(void **state)
{
	struct sandbox_netns self = SANDBOX_NETNS_INIT, path = SANDBOX_NETNS_INIT;
	struct stat st;
	struct err e;

	(void)state;
	assert_int_equal(sandbox_netns_self(&self, &e), 0);
	assert_int_equal(stat("/proc/self/ns/net", &st), 0);
	assert_true(self.inode == st.st_ino && self.dev == st.st_dev);
	assert_int_equal(sandbox_netns_open(&path, "/proc/thread-self/ns/net", &e), 0);
	assert_true(sandbox_netns_same(&self, &path));
	sandbox_netns_close(&self);
	sandbox_netns_close(&self);
	assert_int_equal(self.fd, -1);
	sandbox_netns_close(&path);
}

static void refuses(const char *path, int code)
{
	struct sandbox_netns ns;
	struct err e;

	if (sandbox_netns_open(&ns, path, &e) != -code) {
		fail_msg("%s was not refused with %d", path, code);
	}
	assert_int_equal(ns.fd, -1);
	assert_non_null(strstr(e.msg, path));
	assert_int_equal(sandbox_netns_reopen(&ns, path, 1, &e), 0);
	assert_int_equal(ns.fd, -1);
}

static void test_what_is_none(void **state)
{
	struct tree t;
	char path[128];

	(void)state;
	tree_init(&t);
	refuses("/nowhere/at/all", ENOENT);
	refuses("/etc/passwd/x", ENOENT);
	refuses("/proc/self/ns/mnt", EINVAL);
	refuses("/proc/self/ns/uts", EINVAL);
	refuses("/dev/null", EINVAL);
	refuses("/", EINVAL);
	tree_file(&t, "", "empty");
	tree_link(&t, "loop", "loop");
	tree_must(mkfifoat(t.fd, "fifo", 0644) == 0, "fifo");
	(void)snprintf(path, sizeof(path), "%s/empty", t.path);
	refuses(path, EINVAL);
	(void)snprintf(path, sizeof(path), "%s/loop", t.path);
	refuses(path, EINVAL);
	(void)snprintf(path, sizeof(path), "%s/fifo", t.path);
	refuses(path, EINVAL);
	tree_free(&t);
}

static void test_recorded(void **state)
{
	struct sandbox_netns self, ns;
	struct err e;

	(void)state;
	assert_int_equal(sandbox_netns_self(&self, &e), 0);
	assert_int_equal(sandbox_netns_reopen(&ns, "/proc/self/ns/net", self.inode, &e), 1);
	assert_true(sandbox_netns_same(&self, &ns));
	sandbox_netns_close(&ns);
	assert_int_equal(sandbox_netns_reopen(&ns, "/proc/self/ns/net", self.inode + 1, &e), 0);
	assert_int_equal(ns.fd, -1);
	assert_int_equal(sandbox_netns_reopen(&ns, "", self.inode, &e), 0);
	sandbox_netns_close(&self);
}

/* Interface "lo" is down in a namespace that was just made, in which the socket must be. */
static bool lo_is_up(int fd)
{
	struct ifreq ifr = {.ifr_name = "lo"};

	return ioctl(fd, SIOCGIFFLAGS, &ifr) == 0 && (ifr.ifr_flags & IFF_UP) != 0;
}

static bool set_lo_up(void)
{
	struct ifreq ifr = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool ok = fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &ifr) == 0;

	(void)close(fd);
	return ok;
}

/* In a process of its own: 0 as it should be, SKIPPED where namespaces are forbidden. */
static int in_two_namespaces(void)
{
	struct sandbox_netns other, home, after;
	struct err e;
	int fd;

	if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0) {
		return SKIPPED;
	}
	if (sandbox_netns_self(&other, &e) < 0 || unshare(CLONE_NEWNET) < 0 || !set_lo_up() ||
		sandbox_netns_self(&home, &e) < 0 || sandbox_netns_same(&other, &home)) {
		return 1;
	}
	fd = sandbox_netns_socket(&other, &home, AF_INET, SOCK_DGRAM, 0, &e);
	if (fd < 0 || lo_is_up(fd)) {
		return 2;
	}
	/* Back home, also when there is no such socket to be had. */
	if (sandbox_netns_socket(&other, &home, AF_INET, SOCK_STREAM, 255, &e) >= 0 ||
		sandbox_netns_self(&after, &e) < 0 || !sandbox_netns_same(&home, &after)) {
		return 3;
	}
	(void)close(fd);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	return lo_is_up(fd) ? 0 : 4;
}

static void test_socket_in_another(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		_exit(in_two_namespaces());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == SKIPPED) {
		print_message("no namespaces may be made here\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_no_namespace_to_enter(void **state)
{
	const struct sandbox_netns closed = SANDBOX_NETNS_INIT;
	struct err e;

	(void)state;
	assert_int_equal(
		sandbox_netns_socket(&closed, &closed, AF_INET, SOCK_DGRAM, 0, &e), -EBADF);
	assert_non_null(strstr(e.msg, "enter the network namespace"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own),
		cmocka_unit_test(test_what_is_none),
		cmocka_unit_test(test_recorded),
		cmocka_unit_test(test_socket_in_another),
		cmocka_unit_test(test_no_namespace_to_enter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
