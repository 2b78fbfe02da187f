/* SPDX-License-Identifier: MIT */
/* base/err.h and base/attr.h: messages that stay one clean line; descriptors; assertions. */
#include "unit.h"

#include <errno.h>

#include "base/err.h"
#include "guard.h"

static void test_set(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(e.code, 0);
	assert_string_equal(e.msg, "");
	assert_int_equal(err_set(&e, EINVAL, "VF %d of %s", 3, "eth0"), -EINVAL);
	assert_int_equal(e.code, EINVAL);
	assert_string_equal(e.msg, "VF 3 of eth0");
	assert_int_equal(err_sys(&e, ENOENT, "open %s", "x"), -ENOENT);
	assert_int_equal(e.code, ENOENT);
	assert_string_equal(e.msg, "open x: No such file or directory");
}

static void test_control_characters(void **state)
{
	char every[33] = {0};
	struct err e = ERR_INIT;

	(void)state;
	for (int i = 1; i < 32; i++) {
		every[i - 1] = (char)i;
	}
	every[31] = 0x7f;
	err_set(&e, EINVAL, "%s", every);
	assert_string_equal(e.msg, "????????????????????????????????");
	err_set(&e, EINVAL, "%s", "a\x1b[31mb\n\xc3\xa9 ~");
	assert_string_equal(e.msg, "a?[31mb?\xc3\xa9 ~");
	err_wrap(&e, "%s", "x\ny");
	assert_string_equal(e.msg, "x?y: a?[31mb?\xc3\xa9 ~");
	err_sys(&e, EINVAL, "%s", "\r\n");
	assert_string_equal(e.msg, "??: Invalid argument");
}

static void test_truncation(void **state)
{
	char big[1000];
	struct err e = ERR_INIT;

	(void)state;
	memset(big, 'a', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	assert_int_equal(err_set(&e, EINVAL, "%s", big), -EINVAL);
	assert_int_equal(strlen(e.msg), sizeof(e.msg) - 1);
	assert_int_equal(err_sys(&e, ENOENT, "%s", big), -ENOENT);
	assert_int_equal(strlen(e.msg), sizeof(e.msg) - 1);
	assert_int_equal(err_wrap(&e, "b"), -ENOENT);
	assert_int_equal(strlen(e.msg), sizeof(e.msg) - 1);
	assert_memory_equal(e.msg, "b: aaa", 6);
	assert_int_equal(err_wrap(&e, "%s", big), -ENOENT);
	assert_int_equal(strlen(e.msg), sizeof(e.msg) - 1);
	assert_null(strchr(e.msg, 'b'));
	/* The last byte that fits. */
	big[sizeof(e.msg) - 1] = '\0';
	err_set(&e, EINVAL, "%s", big);
	assert_string_equal(e.msg, big);
}

static void test_wrap(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	err_set(&e, EBUSY, "in use");
	assert_int_equal(err_wrap(&e, "VF %d", 3), -EBUSY);
	assert_int_equal(err_wrap(&e, "%s", "eth0"), -EBUSY);
	assert_int_equal(e.code, EBUSY);
	assert_string_equal(e.msg, "eth0: VF 3: in use");
	/* A message is data, never a format. */
	err_set(&e, EBUSY, "%s", "100%s%n");
	err_wrap(&e, "x");
	assert_string_equal(e.msg, "x: 100%s%n");
}

static void set_without_code(void *e)
{
	err_set(e, 0, "x");
}

static void set_negative_code(void *e)
{
	err_set(e, -EINVAL, "x");
}

static void wrap_nothing(void *e)
{
	err_wrap(e, "x");
}

static void assert_holds(void *e)
{
	ASSERT(e != NULL);
}

static void test_misuse_aborts(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_true(guard_aborts(set_without_code, &e));
	assert_true(guard_aborts(set_negative_code, &e));
	assert_true(guard_aborts(wrap_nothing, &e));
	assert_true(guard_aborts(assert_holds, NULL));
	assert_false(guard_aborts(assert_holds, &e));
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static int scoped(bool steal)
{
	cleanup_fd int fd = open("/dev/null", O_RDONLY);

	assert_true(fd >= 0);
	return steal ? steal_fd(&fd) : -fd;
}

static void test_descriptors(void **state)
{
	int fd;

	(void)state;
	assert_false(is_open(-scoped(false)));
	fd = scoped(true);
	assert_true(is_open(fd));
	close(fd);
	cleanup_fd_close(&(int){-1});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_control_characters),
		cmocka_unit_test(test_truncation),
		cmocka_unit_test(test_wrap),
		cmocka_unit_test(test_misuse_aborts),
		cmocka_unit_test(test_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
