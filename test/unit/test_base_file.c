/* SPDX-License-Identifier: MIT */
/* base/file.h: bounded reads, and writes that leave the old or the new content. */
#include "unit.h"

#include <errno.h>
#include <limits.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/io.h"
#include "guard.h"

#define NOBODY 65534

static char path[64];
static int dir = -1;

static int remove_entry(void *arg, const char *name, struct err *e)
{
	(void)e;
	return unlinkat(*(int *)arg, name, 0) < 0 && unlinkat(*(int *)arg, name, AT_REMOVEDIR) < 0
		       ? -errno
		       : 0;
}

static int setup(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	snprintf(path, sizeof(path), "/tmp/test_base_file.XXXXXX");
	if (mkdtemp(path) == NULL) {
		return -1;
	}
	dir = file_open_dir(AT_FDCWD, path, &e);
	return dir < 0;
}

static int teardown(void **state)
{
	struct err e = ERR_INIT;
	int r = file_list(dir, ".", remove_entry, &dir, &e);

	(void)state;
	close(dir);
	return r < 0 || rmdir(path) < 0;
}

static void create(const char *name, struct str text)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(io_write_all(fd, text.p, text.n), 0);
	close(fd);
}

static void check_content(const char *name, const char *text)
{
	char buf[64];
	struct err e = ERR_INIT;

	assert_int_equal(file_read(dir, name, buf, sizeof(buf), &e), strlen(text));
	assert_string_equal(buf, text);
}

static int count_entry(void *arg, const char *name, struct err *e)
{
	(void)name;
	(void)e;
	*(size_t *)arg += 1;
	return 0;
}

static size_t entries(void)
{
	struct err e = ERR_INIT;
	size_t n = 0;

	assert_int_equal(file_list(dir, ".", count_entry, &n, &e), 0);
	return n;
}

static void test_read(void **state)
{
	char buf[8];
	struct err e = ERR_INIT;

	(void)state;
	create("seven", STR("1234567"));
	assert_int_equal(file_read(dir, "seven", buf, sizeof(buf), &e), 7);
	assert_string_equal(buf, "1234567");
	create("nul", STR("a\0b"));
	assert_int_equal(file_read(dir, "nul", buf, sizeof(buf), &e), 3);
	assert_memory_equal(buf, "a\0b", 4);
	create("empty", STR(""));
	assert_int_equal(file_read(dir, "empty", buf, sizeof(buf), &e), 0);
	assert_string_equal(buf, "");
	assert_int_equal(file_read(dir, "empty", buf, 1, &e), 0);
}

static void test_read_too_large(void **state)
{
	char buf[9];
	struct err e = ERR_INIT;

	(void)state;
	create("eight", STR("12345678"));
	assert_int_equal(file_read(dir, "eight", buf, 8, &e), -EFBIG);
	assert_string_equal(e.msg, "eight: larger than 7 bytes");
	assert_int_equal(file_read(dir, "eight", buf, 1, &e), -EFBIG);
	assert_int_equal(file_read(dir, "eight", buf, 9, &e), 8);
	assert_int_equal(file_read(AT_FDCWD, "/dev/zero", buf, sizeof(buf), &e), -EFBIG);
}

static void test_read_fails(void **state)
{
	char buf[8];
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(file_read(dir, "none", buf, sizeof(buf), &e), -ENOENT);
	assert_string_equal(e.msg, "open none: No such file or directory");
	assert_int_equal(file_read(dir, ".", buf, sizeof(buf), &e), -EISDIR);
	assert_string_equal(e.msg, "read .: Is a directory");
	create("file", STR(""));
	assert_int_equal(file_read(dir, "file/x", buf, sizeof(buf), &e), -ENOTDIR);
	assert_int_equal(symlinkat("loop", dir, "loop"), 0);
	assert_int_equal(file_read(dir, "loop", buf, sizeof(buf), &e), -ELOOP);
}

static void test_fifo_does_not_hang(void **state)
{
	char buf[8];
	struct err e = ERR_INIT;
	int writer;

	(void)state;
	assert_int_equal(mkfifoat(dir, "fifo", 0600), 0);
	assert_int_equal(file_read(dir, "fifo", buf, sizeof(buf), &e), 0);
	writer = openat(dir, "fifo", O_RDWR);
	assert_true(writer >= 0);
	assert_int_equal(file_read(dir, "fifo", buf, sizeof(buf), &e), -EAGAIN);
	close(writer);
}

static void test_read_u64(void **state)
{
	static const char *const bad[] = {"", "\n", "x", "0x10", "-1", "+1", "1 2", "1\n2\n", "256",
		"1.0", "18446744073709551616", "unknown\n"};
	uint64_t v = 7;
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		create("n", str_from(bad[i]));
		assert_int_equal(file_read_u64(dir, "n", 255, &v, &e), -EINVAL);
		assert_int_equal(v, 7);
		assert_non_null(strstr(e.msg, "is not a number from 0 to 255"));
	}
	create("n", STR("-1\n"));
	assert_int_equal(file_read_u64(dir, "n", 255, &v, &e), -EINVAL);
	assert_string_equal(e.msg, "n: '-1' is not a number from 0 to 255");
	create("n", STR("00000000000000000000000000000000"));
	assert_int_equal(file_read_u64(dir, "n", 255, &v, &e), -EFBIG);
	assert_int_equal(file_read_u64(dir, "none", 255, &v, &e), -ENOENT);
	create("n", STR("255\n"));
	assert_int_equal(file_read_u64(dir, "n", 255, &v, &e), 0);
	assert_int_equal(v, 255);
	create("n", STR("18446744073709551615"));
	assert_int_equal(file_read_u64(dir, "n", UINT64_MAX, &v, &e), 0);
	assert_true(v == UINT64_MAX);
}

static void test_write(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(file_write(dir, "attr", STR("7"), &e), -ENOENT);
	assert_string_equal(e.msg, "open attr for writing: No such file or directory");
	assert_false(file_exists(dir, "attr"));
	create("attr", STR("old"));
	assert_int_equal(file_write(dir, "attr", STR("7"), &e), 0);
	check_content("attr", "7ld");
	assert_int_equal(file_write(dir, ".", STR("7"), &e), -EISDIR);
	assert_int_equal(file_write(AT_FDCWD, "/dev/full", STR("7"), &e), -ENOSPC);
	assert_string_equal(e.msg, "write '7' to /dev/full: No space left on device");
}

static void test_replace(void **state)
{
	struct stat st;
	struct err e = ERR_INIT;
	mode_t mask = umask(0);

	(void)state;
	assert_int_equal(file_replace(dir, "f", STR("one"), 0640, &e), 0);
	check_content("f", "one");
	assert_int_equal(fstatat(dir, "f", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(file_replace(dir, "f", STR("2"), 0600, &e), 0);
	check_content("f", "2");
	assert_int_equal(fstatat(dir, "f", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(file_replace(dir, "f", STR(""), 0600, &e), 0);
	check_content("f", "");
	assert_int_equal(mkdirat(dir, "d", 0700), 0);
	assert_int_equal(file_replace(dir, "d/g", STR("g"), 0600, &e), 0);
	check_content("d/g", "g");
	assert_int_equal(unlinkat(dir, "d/g", 0), 0);
	assert_int_equal(entries(), 2);
	umask(mask);
}

/* A reader that has the old file open keeps it whole: the name changes, not the content. */
static void test_replace_is_atomic(void **state)
{
	char buf[8] = "";
	struct err e = ERR_INIT;
	int fd;

	(void)state;
	create("f", STR("old"));
	fd = openat(dir, "f", O_RDONLY);
	assert_true(fd >= 0);
	assert_int_equal(file_replace(dir, "f", STR("newer"), 0600, &e), 0);
	assert_int_equal(read(fd, buf, sizeof(buf)), 3);
	assert_string_equal(buf, "old");
	close(fd);
	check_content("f", "newer");
	/* A link is replaced, not written through. */
	create("target", STR("target"));
	assert_int_equal(symlinkat("target", dir, "link"), 0);
	assert_int_equal(file_replace(dir, "link", STR("x"), 0600, &e), 0);
	check_content("target", "target");
	check_content("link", "x");
	assert_int_equal(entries(), 3);
}

static void test_replace_leaves_nothing_behind(void **state)
{
	struct rlimit small = {4, RLIM_INFINITY}, before;
	char tmp[64], name[PATH_MAX];
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(mkdirat(dir, "taken", 0700), 0);
	assert_int_equal(file_replace(dir, "taken", STR("x"), 0600, &e), -EISDIR);
	assert_int_equal(file_replace(dir, "none/x", STR("x"), 0600, &e), -ENOENT);
	assert_int_equal(entries(), 1);
	/* A write that fails half way. */
	create("f", STR("old"));
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small.rlim_max = before.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(file_replace(dir, "f", STR("longer than four"), 0600, &e), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	check_content("f", "old");
	assert_int_equal(entries(), 2);
	/* A left-over of a crash is removed; so is a link in its place, which is not followed. */
	snprintf(tmp, sizeof(tmp), "f.tmp.%d", (int)getpid());
	create(tmp, STR("left over by a crash"));
	assert_int_equal(file_replace(dir, "f", STR("new"), 0600, &e), 0);
	check_content("f", "new");
	create("victim", STR("victim"));
	assert_int_equal(symlinkat("victim", dir, tmp), 0);
	assert_int_equal(file_replace(dir, "f", STR("newer"), 0600, &e), 0);
	check_content("victim", "victim");
	check_content("f", "newer");
	assert_int_equal(entries(), 3);
	/* A name with no room for its ending. */
	memset(name, 'n', 600);
	name[600] = '\0';
	assert_int_equal(file_replace(dir, name, STR("x"), 0600, &e), -ENAMETOOLONG);
	assert_int_equal(entries(), 3);
}

static void test_without_permission(void **state)
{
	char buf[8];
	struct err e = ERR_INIT;
	bool root = geteuid() == 0;

	(void)state;
	create("secret", STR("x"));
	create("fixed", STR("x"));
	assert_int_equal(fchmodat(dir, "secret", 0, 0), 0);
	assert_int_equal(fchmodat(dir, "fixed", 0444, 0), 0);
	assert_int_equal(fchmod(dir, 0555), 0);
	if (root) {
		assert_int_equal(seteuid(NOBODY), 0);
	}
	assert_int_equal(file_read(dir, "secret", buf, sizeof(buf), &e), -EACCES);
	assert_string_equal(e.msg, "open secret: Permission denied");
	assert_int_equal(file_read(dir, "fixed", buf, sizeof(buf), &e), 1);
	assert_int_equal(file_write(dir, "fixed", STR("y"), &e), -EACCES);
	assert_int_equal(file_replace(dir, "fixed", STR("y"), 0600, &e), -EACCES);
	assert_non_null(strstr(e.msg, "create fixed.tmp."));
	if (root) {
		assert_int_equal(seteuid(0), 0);
	}
	assert_int_equal(fchmod(dir, 0700), 0);
	check_content("fixed", "x");
	assert_int_equal(entries(), 2);
}

static void test_links(void **state)
{
	char buf[8];
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(symlinkat("../a/igb", dir, "driver"), 0);
	assert_int_equal(symlinkat("plain", dir, "plain"), 0);
	assert_int_equal(symlinkat("a/", dir, "slash"), 0);
	assert_int_equal(symlinkat("a/1234567", dir, "fits"), 0);
	assert_int_equal(symlinkat("a/12345678", dir, "long"), 0);
	create("file", STR(""));
	assert_int_equal(file_link(dir, "driver", buf, sizeof(buf), &e), -ENAMETOOLONG);
	assert_string_equal(e.msg, "driver: link target too long");
	assert_int_equal(file_link(dir, "plain", buf, sizeof(buf), &e), 5);
	assert_string_equal(buf, "plain");
	assert_int_equal(file_link_base(dir, "driver", buf, sizeof(buf), &e), 3);
	assert_string_equal(buf, "igb");
	assert_int_equal(file_link_base(dir, "plain", buf, sizeof(buf), &e), 5);
	assert_int_equal(file_link_base(dir, "slash", buf, sizeof(buf), &e), 0);
	assert_int_equal(file_link_base(dir, "fits", buf, sizeof(buf), &e), 7);
	assert_int_equal(file_link_base(dir, "long", buf, sizeof(buf), &e), -ENAMETOOLONG);
	assert_int_equal(file_link(dir, "file", buf, sizeof(buf), &e), -EINVAL);
	assert_int_equal(file_link_base(dir, "none", buf, sizeof(buf), &e), -ENOENT);
	assert_string_equal(e.msg, "read link none: No such file or directory");
	assert_false(file_exists(dir, "plain2") || file_exists(dir, "driver"));
	assert_true(file_exists(dir, "file"));
}

static int stop_at_second(void *arg, const char *name, struct err *e)
{
	size_t *n = arg;

	*n += 1;
	return *n == 2 ? err_set(e, EBUSY, "at %s", name) : 0;
}

static void test_list(void **state)
{
	struct err e = ERR_INIT;
	size_t n = 0;

	(void)state;
	assert_int_equal(entries(), 0);
	create("a", STR(""));
	create(".hidden", STR(""));
	create("...", STR(""));
	assert_int_equal(entries(), 3);
	assert_int_equal(file_list(dir, ".", stop_at_second, &n, &e), -EBUSY);
	assert_int_equal(n, 2);
	assert_int_equal(file_list(dir, "none", count_entry, &n, &e), -ENOENT);
	assert_string_equal(e.msg, "open directory none: No such file or directory");
	assert_int_equal(file_list(dir, "a", count_entry, &n, &e), -ENOTDIR);
	assert_int_equal(file_open_dir(dir, "a", &e), -ENOTDIR);
	assert_int_equal(n, 2);
}

/* What a writer left that was killed goes; what a living one writes and other names stay. */
static void test_drop_stale(void **state)
{
	static const char *const stay[] = {"a", "a.tmp", "a.tmp.", "a.tmp.x", "a.tmp.0",
		"atmp.99999999", "a.tmp.-1", "a.tmp.4294967296", "a.tmp.1"};
	char own[32], dead[32];
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		_exit(0);
	}
	assert_int_equal(waitpid(child, NULL, 0), child);
	(void)snprintf(own, sizeof(own), "a.tmp.%d", (int)getpid());
	(void)snprintf(dead, sizeof(dead), "a.tmp.%d", (int)child);
	for (size_t i = 0; i < ARRAY_LEN(stay); i++) {
		create(stay[i], STR(""));
		assert_int_equal(file_is_temporary(stay[i]),
			strcmp(stay[i], "a.tmp.0") == 0 || strcmp(stay[i], "a.tmp.1") == 0);
		assert_false(file_drop_stale(dir, stay[i]));
		assert_true(file_exists(dir, stay[i]));
	}
	create(own, STR(""));
	create(dead, STR(""));
	assert_false(file_drop_stale(dir, own));
	assert_true(file_exists(dir, own));
	assert_true(file_drop_stale(dir, dead));
	assert_false(file_exists(dir, dead));
	assert_false(file_drop_stale(dir, dead));
}

#define IN_DIR(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIR(test_read),
		IN_DIR(test_read_too_large),
		IN_DIR(test_read_fails),
		IN_DIR(test_fifo_does_not_hang),
		IN_DIR(test_read_u64),
		IN_DIR(test_write),
		IN_DIR(test_replace),
		IN_DIR(test_replace_is_atomic),
		IN_DIR(test_replace_leaves_nothing_behind),
		IN_DIR(test_without_permission),
		IN_DIR(test_links),
		IN_DIR(test_list),
		IN_DIR(test_drop_stale),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
