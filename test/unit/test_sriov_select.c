/* SPDX-License-Identifier: MIT */
/* Which PFs are meant. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "sriov/select.h"
#include "tree.h"

static struct tree t;
static struct sriov_node node;
static struct sriov_conf conf;
static struct sriov_choice choice;
static struct err e;

static void add_pf(const char *name, uint32_t total, const char *rdma)
{
	struct sriov_pf *pf = &node.pf[node.pf_n++];

	memset(pf, 0, sizeof(*pf));
	assert_true(str_copy(str_from(name), pf->name, sizeof(pf->name)));
	assert_true(str_copy(str_from(rdma), pf->rdma, sizeof(pf->rdma)));
	pf->total_vfs = total;
}

static void allow(const char *name)
{
	conf.pfs_given = true;
	assert_true(str_copy(str_from(name), conf.pf[conf.pf_n++].name, IFNAMSIZ));
}

static int begin(void **state)
{
	(void)state;
	tree_init(&t);
	tree_pf(&t, "a", "0000:01:00.0", "igb", "7\n", "0\n");
	tree_pf(&t, "b", "0000:02:00.0", "igb", "7\n", "0\n");
	tree_vf(&t, "0000:01:00.0", 0, "0000:01:10.0", "igbvf", "vf");
	sriov_conf_default(&conf);
	node.pf_n = 0;
	add_pf("a", 7, "mlx5_0");
	add_pf("b", 7, "");
	add_pf("sim", 0, "rxe0");
	return 0;
}

static int end(void **state)
{
	(void)state;
	tree_free(&t);
	return 0;
}

static void with_rdma(void **state)
{
	(void)state;
	sriov_choose(&node, &conf, false, &choice);
	assert_int_equal(choice.n, 1);
	assert_string_equal(choice.name[0], "a");
	assert_int_equal(choice.without_rdma, 1);
	assert_int_equal(choice.forbidden, 0);
}

static void all(void **state)
{
	(void)state;
	sriov_choose(&node, &conf, true, &choice);
	assert_int_equal(choice.n, 2); /* not what cannot say how many VFs it can have */
	assert_int_equal(choice.without_rdma, 0);
}

static void allowed_only(void **state)
{
	(void)state;
	allow("b");
	allow("nosuch"); /* one configuration may serve nodes that differ */
	sriov_choose(&node, &conf, true, &choice);
	assert_int_equal(choice.n, 1);
	assert_string_equal(choice.name[0], "b");
	assert_int_equal(choice.forbidden, 1);
	sriov_choose(&node, &conf, false, &choice);
	assert_int_equal(choice.n, 0);
	assert_int_equal(choice.without_rdma, 1);
}

static void none_allowed(void **state)
{
	(void)state;
	conf.pfs_given = true; /* "pfs": [] */
	sriov_choose(&node, &conf, true, &choice);
	assert_int_equal(choice.n, 0);
	assert_int_equal(choice.forbidden, 2);
}

static int named(const char *const *names, size_t n)
{
	return sriov_choose_named(t.fd, &conf, names, n, &choice, &e);
}

static void by_name(void **state)
{
	static const char *const names[] = {"b", "a", "b"};

	(void)state;
	assert_int_equal(named(names, 3), 0);
	assert_int_equal(choice.n, 2); /* each once, in the order given */
	assert_string_equal(choice.name[0], "b");
	assert_string_equal(choice.name[1], "a");
}

static void wrong_names(void **state)
{
	static const char *const nosuch[] = {"a", "nosuch"}, *const vf[] = {"a", "vf"},
				 *const forbidden[] = {"a", "b"};

	(void)state;
	assert_int_equal(named(nosuch, 2), -ENODEV);
	assert_int_equal(named(vf, 2), -EINVAL);
	allow("a");
	assert_int_equal(named(forbidden, 2), -EINVAL);
	assert_string_equal(
		e.msg, "b: the node configuration does not allow it: it is not in \"pfs\"");
	/* What is wrong with the device is said first: allowing it would not help. */
	assert_int_equal(named(vf, 2), -EINVAL);
	assert_non_null(strstr(e.msg, "virtual function"));
}

static void device_that_does_not_say_how_many(void **state)
{
	static const char *const names[] = {"sim"};

	(void)state;
	tree_file(&t, "0\n", "devices/netdevsim1/sriov_numvfs");
	tree_netdev(&t, "sim", "netdevsim1");
	assert_int_equal(named(names, 1), -ENOTSUP);
	tree_file(&t, "4\n", "devices/netdevsim1/sriov_numvfs");
	assert_int_equal(named(names, 1), 0);
	assert_int_equal(choice.n, 1);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(with_rdma),
		CASE(all),
		CASE(allowed_only),
		CASE(none_allowed),
		CASE(by_name),
		CASE(wrong_names),
		CASE(device_that_does_not_say_how_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
