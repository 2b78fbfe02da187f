/* SPDX-License-Identifier: MIT */
/* The last known link speeds: kept, read back, and garbage in their place. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "sriov/speed.h"

static struct sriov_node node;
static char top[64], state_dir[96];

static int make_top(void **state)
{
	(void)state;
	(void)snprintf(top, sizeof(top), "/tmp/test-speed-XXXXXX");
	if (mkdtemp(top) == NULL) {
		return -1;
	}
	(void)snprintf(state_dir, sizeof(state_dir), "%s/state", top);
	memset(&node, 0, sizeof(node));
	node.pf_n = 2;
	(void)snprintf(node.pf[0].name, sizeof(node.pf[0].name), "enp4s0f0");
	(void)snprintf(node.pf[0].bus_id, sizeof(node.pf[0].bus_id), "0000:04:00.0");
	(void)snprintf(node.pf[1].name, sizeof(node.pf[1].name), "eni5np1");
	(void)snprintf(node.pf[1].bus_id, sizeof(node.pf[1].bus_id), "netdevsim5");
	return 0;
}

static int drop_top(void **state)
{
	char command[128];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", top);
	return system(command);
}

static void path_of(char *out, size_t cap, const char *name)
{
	(void)snprintf(out, cap, "%s/speed/%s", state_dir, name);
}

static void put(const char *name, const char *text, size_t n)
{
	char path[192];
	FILE *f;

	(void)mkdir(state_dir, 0755);
	path_of(path, sizeof(path), "");
	(void)mkdir(path, 0755);
	path_of(path, sizeof(path), name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static void assert_file(const char *name, const char *want)
{
	char path[192], text[64];
	struct err e = ERR_INIT;

	path_of(path, sizeof(path), name);
	assert_true(file_read(AT_FDCWD, path, text, sizeof(text), &e) >= 0);
	assert_string_equal(text, want);
}

static void test_nothing_there(void **state)
{
	(void)state;
	node.pf[0].last_speed = 5;
	sriov_speed_load(state_dir, &node);
	assert_int_equal(node.pf[0].last_speed, 0);
	assert_int_equal(mkdir(state_dir, 0755), 0);
	node.pf[1].last_speed = 5;
	sriov_speed_load(state_dir, &node);
	assert_int_equal(node.pf[1].last_speed, 0);
}

static void test_store_and_load(void **state)
{
	struct err e = ERR_INIT;
	mode_t mask = umask(077);
	struct stat st;
	char path[192];

	(void)state;
	node.pf[0].speed = 100000;
	assert_int_equal(sriov_speed_store(state_dir, &node.pf[0], &e), 0);
	(void)umask(mask);
	assert_int_equal(node.pf[0].last_speed, 100000);
	assert_file("0000:04:00.0", "100000\n");
	/* A daemon of another user reads it, whatever umask the writer had. */
	path_of(path, sizeof(path), "0000:04:00.0");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	path_of(path, sizeof(path), "");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(stat(state_dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);

	node.pf[0].speed = 0;
	node.pf[0].last_speed = 0;
	node.pf[1].last_speed = 9;
	sriov_speed_load(state_dir, &node);
	assert_int_equal(node.pf[0].last_speed, 100000);
	assert_int_equal(node.pf[1].last_speed, 0);
}

static void test_stores_only_changes(void **state)
{
	struct err e = ERR_INIT;
	struct stat before, after;
	char path[192];

	(void)state;
	/* Down: what was known stays, and nothing is created. */
	assert_int_equal(sriov_speed_store(state_dir, &node.pf[0], &e), 0);
	assert_int_equal(stat(state_dir, &before), -1);
	node.pf[0].speed = 1000;
	assert_int_equal(sriov_speed_store(state_dir, &node.pf[0], &e), 0);
	path_of(path, sizeof(path), "0000:04:00.0");
	assert_int_equal(stat(path, &before), 0);
	assert_int_equal(sriov_speed_store(state_dir, &node.pf[0], &e), 0);
	assert_int_equal(stat(path, &after), 0);
	assert_true(before.st_ino == after.st_ino);
	node.pf[0].speed = 0;
	assert_int_equal(sriov_speed_store(state_dir, &node.pf[0], &e), 0);
	assert_file("0000:04:00.0", "1000\n");
	assert_int_equal(node.pf[0].last_speed, 1000);
	node.pf[0].speed = 10000;
	assert_int_equal(sriov_speed_store(state_dir, &node.pf[0], &e), 0);
	assert_file("0000:04:00.0", "10000\n");
	node.pf[1].speed = SRIOV_RATE_MAX;
	assert_int_equal(sriov_speed_store(state_dir, &node.pf[1], &e), 0);
	assert_file("netdevsim5", "4000000\n");
}

static void test_garbage(void **state)
{
	static const struct str bad[] = {
		{"", 0},
		{"\n", 1},
		{"0\n", 2},
		{"-1\n", 3},
		{"+1\n", 3},
		{"1.5\n", 4},
		{"1e3\n", 4},
		{"0x10\n", 5},
		{"4000001\n", 8},
		{"4294967297\n", 11},
		{"18446744073709551617\n", 21},
		{"10 20\n", 6},
		{"1000\n2000\n", 10},
		{"1000\0", 5},
		{"fast\n", 5},
		{"10000000000000000000000000000000\n", 33},
		{"                                       1000", 43},
	};

	(void)state;
	put("netdevsim5", "25000\n", 6);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		put("0000:04:00.0", bad[i].p, bad[i].n);
		node.pf[0].last_speed = 7;
		sriov_speed_load(state_dir, &node);
		if (node.pf[0].last_speed != 0) {
			fail_msg("case %zu read as %u", i, node.pf[0].last_speed);
		}
		assert_int_equal(node.pf[1].last_speed, 25000); /* the others do not suffer */
	}
	put("0000:04:00.0", "4000000", 7);
	sriov_speed_load(state_dir, &node);
	assert_int_equal(node.pf[0].last_speed, 4000000);
}

static void test_no_regular_file(void **state)
{
	char path[192], target[192];

	(void)state;
	put("target", "1000\n", 5);
	path_of(path, sizeof(path), "0000:04:00.0");
	path_of(target, sizeof(target), "target");
	assert_int_equal(symlink(target, path), 0);
	sriov_speed_load(state_dir, &node);
	assert_int_equal(node.pf[0].last_speed, 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0644), 0);
	sriov_speed_load(state_dir, &node);
	assert_int_equal(node.pf[0].last_speed, 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0755), 0);
	sriov_speed_load(state_dir, &node);
	assert_int_equal(node.pf[0].last_speed, 0);
}

static void test_warns_once(void **state)
{
	char path[128], text[2048];
	struct err e = ERR_INIT;
	int saved, fd;
	ssize_t n;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/log", top);
	fd = open(path, O_CREAT | O_RDWR, 0600);
	assert_true(fd >= 0);
	saved = dup(STDERR_FILENO);
	assert_true(saved >= 0);
	put("0000:04:00.0", "x", 1);
	put("netdevsim5", "y", 1);
	assert_true(dup2(fd, STDERR_FILENO) >= 0);
	for (int i = 0; i < 5; i++) {
		sriov_speed_load(state_dir, &node);
	}
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	(void)close(saved);
	(void)close(fd);
	n = file_read(AT_FDCWD, path, text, sizeof(text), &e);
	assert_true(n > 0);
	assert_non_null(strstr(text, "warning: ignoring a link speed in "));
	assert_non_null(strstr(text, state_dir));
	assert_non_null(strstr(text, "0000:04:00.0: not a number"));
	assert_int_equal(strchr(text, '\n') - text, n - 1);
}

static void test_bad_bus_address(void **state)
{
	static const char *const bad[] = {"", ".", "..", "../x", "a/b", "/etc/passwd"};
	struct err e = ERR_INIT;

	(void)state;
	put("x", "1000\n", 5);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		(void)snprintf(node.pf[0].bus_id, sizeof(node.pf[0].bus_id), "%s", bad[i]);
		node.pf[0].speed = 1000;
		node.pf[0].last_speed = 0;
		assert_int_equal(sriov_speed_store(state_dir, &node.pf[0], &e), -EINVAL);
		assert_non_null(strstr(e.msg, "enp4s0f0"));
		sriov_speed_load(state_dir, &node);
		assert_int_equal(node.pf[0].last_speed, 0);
	}
}

static void test_store_refused(void **state)
{
	struct err e = ERR_INIT;
	char file[128];
	FILE *f;

	(void)state;
	node.pf[0].speed = SRIOV_RATE_MAX + 1;
	assert_int_equal(sriov_speed_store(state_dir, &node.pf[0], &e), -ERANGE);
	assert_non_null(strstr(e.msg, "enp4s0f0"));
	assert_int_equal(node.pf[0].last_speed, 0);
	node.pf[0].speed = 1000;
	(void)snprintf(file, sizeof(file), "%s/a/b/c", top);
	assert_int_equal(sriov_speed_store(file, &node.pf[0], &e), -ENOENT);
	(void)snprintf(file, sizeof(file), "%s/plain", top);
	f = fopen(file, "w");
	assert_non_null(f);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(sriov_speed_store(file, &node.pf[0], &e), -ENOTDIR);
	assert_non_null(strstr(e.msg, file));
	assert_int_equal(node.pf[0].last_speed, 0);
	assert_int_equal(sriov_speed_store("/proc/self", &node.pf[0], &e), -ENOENT);
}

/* The directory may belong to the daemon's user: what it puts there must not harm a root writer. */
static void test_store_past_traps(void **state)
{
	struct err e = ERR_INIT;
	char name[64], path[192], victim[192];
	struct stat st;

	(void)state;
	put("victim", "precious", 8);
	path_of(victim, sizeof(victim), "victim");
	assert_int_equal(chmod(victim, 0600), 0);
	(void)snprintf(name, sizeof(name), "netdevsim5.tmp.%d", (int)getpid());
	path_of(path, sizeof(path), name);
	node.pf[1].speed = 1000;
	assert_int_equal(mkfifo(path, 0644), 0);
	assert_int_equal(sriov_speed_store(state_dir, &node.pf[1], &e), 0);
	assert_file("netdevsim5", "1000\n");
	node.pf[1].speed = 2000;
	assert_int_equal(link(victim, path), 0);
	assert_int_equal(sriov_speed_store(state_dir, &node.pf[1], &e), 0);
	assert_file("netdevsim5", "2000\n");
	node.pf[1].speed = 3000;
	assert_int_equal(symlink(victim, path), 0);
	assert_int_equal(sriov_speed_store(state_dir, &node.pf[1], &e), 0);
	assert_file("netdevsim5", "3000\n");
	assert_file("victim", "precious");
	assert_int_equal(stat(victim, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(lstat(path, &st), -1);
	/* A directory there cannot be removed: an error, and the old content stays. */
	node.pf[1].speed = 4000;
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_not_equal(sriov_speed_store(state_dir, &node.pf[1], &e), 0);
	assert_non_null(strstr(e.msg, name));
	assert_file("netdevsim5", "3000\n");
	assert_int_equal(node.pf[1].last_speed, 3000);
}

static void test_store_without_permission(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	if (geteuid() != 0) {
		print_message("needs root to become somebody else\n");
		skip();
	}
	put("netdevsim5", "1000\n", 5);
	assert_int_equal(chmod(top, 0755), 0);
	node.pf[0].speed = 1000;
	assert_int_equal(seteuid(65534), 0);
	assert_int_equal(sriov_speed_store(state_dir, &node.pf[0], &e), -EACCES);
	sriov_speed_load(state_dir, &node);
	assert_int_equal(seteuid(0), 0);
	assert_non_null(strstr(e.msg, "enp4s0f0"));
	assert_int_equal(node.pf[0].last_speed, 0);
	assert_int_equal(node.pf[1].last_speed, 1000); /* reading needs no right to write */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* First: the process has one warning. */
		cmocka_unit_test_setup_teardown(test_warns_once, make_top, drop_top),
		cmocka_unit_test_setup_teardown(test_nothing_there, make_top, drop_top),
		cmocka_unit_test_setup_teardown(test_store_and_load, make_top, drop_top),
		cmocka_unit_test_setup_teardown(test_stores_only_changes, make_top, drop_top),
		cmocka_unit_test_setup_teardown(test_garbage, make_top, drop_top),
		cmocka_unit_test_setup_teardown(test_no_regular_file, make_top, drop_top),
		cmocka_unit_test_setup_teardown(test_bad_bus_address, make_top, drop_top),
		cmocka_unit_test_setup_teardown(test_store_refused, make_top, drop_top),
		cmocka_unit_test_setup_teardown(test_store_past_traps, make_top, drop_top),
		cmocka_unit_test_setup_teardown(test_store_without_permission, make_top, drop_top),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
