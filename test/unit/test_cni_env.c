/* SPDX-License-Identifier: MIT */
/* The environment of a call: what is missing is named, what is wrong is refused. */
#include "unit.h"

#include <errno.h>
#include <string.h>

#include "cni/env.h"

#define BASE                                                                                       \
	"CNI_PATH=/opt/cni/bin", "CNI_CONTAINERID=c1", "CNI_NETNS=/run/netns/x", "CNI_IFNAME=eth0"

static int read_vars(struct cni_env *v, struct cni_fail *f, const char *const *vars)
{
	*f = (struct cni_fail)CNI_FAIL_INIT;
	return cni_env_read(v, vars, f);
}

static void complete(void **state)
{
	const char *const vars[] = {"HOME=/", "CNI_COMMAND=ADD", BASE,
		"CNI_ARGS=K8S_POD_NAME=web-0;IgnoreUnknown=1;K8S_POD_NAMESPACE=ns;K8S_POD_UID=u=1;"
		";junk;K8S_POD_INFRA_CONTAINER_ID=c1",
		NULL};
	struct cni_fail f;
	struct cni_env v;

	(void)state;
	assert_int_equal(read_vars(&v, &f, vars), 0);
	assert_int_equal(v.command, CNI_ADD);
	assert_string_equal(v.container_id, "c1");
	assert_string_equal(v.netns, "/run/netns/x");
	assert_string_equal(v.ifname, "eth0");
	assert_string_equal(v.path, "/opt/cni/bin");
	assert_string_equal(v.pod_name, "web-0");
	assert_string_equal(v.pod_namespace, "ns");
	assert_string_equal(v.pod_uid, "u=1");
}

/* What each command needs, and that the message names all that is missing. */
static void missing(void **state)
{
	static const struct {
		const char *command, *names;
	} rows[] = {
		{"CNI_COMMAND=ADD", "CNI_CONTAINERID, CNI_NETNS, CNI_IFNAME, CNI_PATH"},
		{"CNI_COMMAND=CHECK", "CNI_CONTAINERID, CNI_NETNS, CNI_IFNAME, CNI_PATH"},
		{"CNI_COMMAND=DEL", "CNI_CONTAINERID, CNI_IFNAME, CNI_PATH"},
		{"CNI_COMMAND=STATUS", "CNI_PATH"},
		{"CNI_COMMAND=GC", "CNI_PATH"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *const vars[] = {rows[i].command, "CNI_IFNAMES=x", NULL};
		struct cni_fail f;
		struct cni_env v;

		assert_int_equal(read_vars(&v, &f, vars), -EINVAL);
		assert_int_equal(f.code, CNI_ERR_ENV);
		assert_non_null(strstr(f.e.msg, rows[i].names));
	}
}

static void version_needs_nothing(void **state)
{
	const char *const vars[] = {"CNI_COMMAND=VERSION", NULL};
	struct cni_fail f;
	struct cni_env v;

	(void)state;
	assert_int_equal(read_vars(&v, &f, vars), 0);
	assert_int_equal(v.command, CNI_VERSION);
}

static void wrong_values(void **state)
{
	static char long_id[sizeof("CNI_CONTAINERID=") + 300];
	const char *const bad[] = {"CNI_CONTAINERID=a/b", "CNI_CONTAINERID=-a",
		"CNI_CONTAINERID=a b", long_id, "CNI_IFNAME=0123456789abcdef", "CNI_IFNAME=.",
		"CNI_IFNAME=a:b", "CNI_IFNAME=a/b", "CNI_IFNAME=a b", "CNI_NETNS=net"};

	(void)state;
	memset(long_id, 'a', sizeof(long_id) - 1);
	memcpy(long_id, "CNI_CONTAINERID=", strlen("CNI_CONTAINERID="));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		/* the first of a name counts */
		const char *const vars[] = {"CNI_COMMAND=ADD", bad[i], BASE, NULL};
		struct cni_fail f;
		struct cni_env v;

		assert_int_equal(read_vars(&v, &f, vars), -EINVAL);
		assert_int_equal(f.code, CNI_ERR_ENV);
	}
}

/* For DEL a namespace that cannot be is one that is gone. */
static void netns_that_is_not_needed(void **state)
{
	static char long_path[sizeof("CNI_NETNS=") + CNI_PATH_MAX + 2];
	const char *const odd[] = {"CNI_NETNS=net", "CNI_NETNS=", long_path};

	(void)state;
	memset(long_path, '/', sizeof(long_path) - 1);
	memcpy(long_path, "CNI_NETNS=", strlen("CNI_NETNS="));
	for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
		const char *const vars[] = {"CNI_COMMAND=DEL", odd[i], BASE, NULL};
		struct cni_fail f;
		struct cni_env v;

		assert_int_equal(read_vars(&v, &f, vars), 0);
		assert_string_equal(v.netns, "");
	}
}

static void wrong_commands(void **state)
{
	const char *const bad[] = {"X=1", "CNI_COMMAND=", "CNI_COMMAND=add", "CNI_COMMAND=ADDX"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		const char *const vars[] = {bad[i], BASE, NULL};
		struct cni_fail f;
		struct cni_env v;

		assert_int_equal(read_vars(&v, &f, vars), -EINVAL);
		assert_non_null(strstr(f.e.msg, "CNI_COMMAND"));
	}
}

/* A pod's name that could not stand in a record is as if it were not given. */
static void odd_args(void **state)
{
	const char *const vars[] = {"CNI_COMMAND=ADD", BASE,
		"CNI_ARGS=;;=;K8S_POD_NAME;K8S_POD_NAME=a b;K8S_POD_UID=\n;K8S_POD_NAMESPACE="
		"0123456789012345678901234567890123456789012345678901234567890123",
		NULL};
	struct cni_fail f;
	struct cni_env v;

	(void)state;
	assert_int_equal(read_vars(&v, &f, vars), 0);
	assert_string_equal(v.pod_name, "");
	assert_string_equal(v.pod_uid, "");
	assert_string_equal(v.pod_namespace, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(complete),
		cmocka_unit_test(missing),
		cmocka_unit_test(version_needs_nothing),
		cmocka_unit_test(wrong_values),
		cmocka_unit_test(netns_that_is_not_needed),
		cmocka_unit_test(wrong_commands),
		cmocka_unit_test(odd_args),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
