/* SPDX-License-Identifier: MIT */
/* What sysfs says of PFs and VFs, from trees laid out as the kernel's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "sriov/sysfs.h"
#include "tree.h"

#define PF0 "0000:01:00.0"
#define PF1 "0000:01:00.1"
#define PF2 "10000:02:00.0"

static struct tree t;
static struct sriov_pf pfs[SRIOV_PF_MAX];
static size_t n;
static struct err e;

static int begin(void **state)
{
	(void)state;
	tree_init(&t);
	memset(&e, 0, sizeof(e));
	return 0;
}

static int end(void **state)
{
	(void)state;
	tree_free(&t);
	return 0;
}

static void find_all(void)
{
	assert_int_equal(sriov_sysfs_pfs(t.fd, pfs, &n, &e), 0);
}

static void refused(const char *name, int code, const char *why)
{
	struct sriov_pf pf;

	assert_int_equal(sriov_sysfs_pf(t.fd, name, &pf, &e), -code);
	assert_non_null(strstr(e.msg, why));
}

static void finds_pfs_in_bus_order(void **state)
{
	(void)state;
	tree_pf(&t, "zeta", PF0, "igb", "7\n", "2\n");
	tree_vf(&t, PF0, 0, "0000:04:10.0", "igbvf", NULL);
	tree_vf(&t, PF0, 1, "0000:04:10.1", "igbvf", NULL);
	tree_pf(&t, "alpha", PF1, "igb", "7\n", "0\n");
	tree_pf(&t, "beta", PF2, "mlx5_core", "126\n", "126\n");
	tree_file(&t, "1\n", "devices/" PF0 "/numa_node");
	tree_file(&t, "", "devices/" PF2 "/infiniband/mlx5_1/node_guid");
	tree_file(&t, "", "devices/" PF2 "/infiniband/mlx5_0/node_guid");
	find_all();
	assert_int_equal(n, 3);
	assert_string_equal(pfs[0].name, "zeta");
	assert_string_equal(pfs[0].bus_id, PF0);
	assert_true(pfs[0].has_pci);
	assert_int_equal(pfs[0].numa_node, 1);
	assert_string_equal(pfs[0].driver, "igb");
	assert_string_equal(pfs[0].rdma, "");
	assert_int_equal(pfs[0].total_vfs, 7);
	assert_int_equal(pfs[0].num_vfs, 2);
	assert_string_equal(pfs[1].name, "alpha");
	assert_int_equal(pfs[1].numa_node, -1);
	/* Domain 0x10000 comes after 0, though its text would sort before. */
	assert_string_equal(pfs[2].name, "beta");
	assert_int_equal(pfs[2].pci.domain, 0x10000);
	assert_string_equal(pfs[2].rdma, "mlx5_0");
}

static void no_devices_are_no_error(void **state)
{
	(void)state;
	n = 99;
	tree_file(&t, "", "class/net/bonding_masters");
	find_all();
	assert_int_equal(n, 0);
}

static void no_sysfs_is_an_error(void **state)
{
	(void)state;
	assert_int_equal(sriov_sysfs_pfs(t.fd, pfs, &n, &e), -ENOENT);
	assert_non_null(strstr(e.msg, "class/net"));
}

static void others_are_passed_over(void **state)
{
	(void)state;
	tree_pf(&t, "pf", PF0, "igb", "7\n", "1\n");
	tree_vf(&t, PF0, 0, "0000:01:10.0", "igbvf", "vf0");
	tree_file(&t, "", "class/net/lo/type"); /* no device at all */
	tree_pci(&t, "0000:05:00.0", "e1000e"); /* not SR-IOV capable */
	tree_netdev(&t, "plain", "0000:05:00.0");
	tree_pf(&t, "none", "0000:06:00.0", "igb", "0\n", "0\n"); /* capable of no VF */
	tree_netdev(&t, "rep", PF0);
	tree_file(&t, "pf0vf3\n", "devices/" PF0 "/net/rep/phys_port_name");
	find_all();
	assert_int_equal(n, 1);
	assert_string_equal(pfs[0].name, "pf");

	refused("lo", ENOTSUP, "lo: not SR-IOV capable");
	refused("plain", ENOTSUP, "plain: not SR-IOV capable");
	refused("none", ENOTSUP, "sriov_totalvfs is 0");
	refused("vf0", EINVAL, "vf0: is a virtual function");
	refused("rep", EINVAL, "rep: is a representor");
}

static void impossible_names_are_no_interfaces(void **state)
{
	static const char *const names[] = {"", ".", "..", "../net/pf", "pf/device", "a b",
		"nosuch", "sixteen-bytes-xx", "pf:1"};

	(void)state;
	tree_pf(&t, "pf", PF0, "igb", "7\n", "1\n");
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		refused(names[i], ENODEV, "no such network interface");
	}
}

static void representors_by_port_name(void **state)
{
	static const struct {
		const char *port;
		bool pf;
	} cases[] = {{"p0\n", true}, {"p1\n", true}, {"pf0\n", true}, {"pf0vf3\n", false},
		{"c1pf0vf3\n", false}, {"pf0sf12\n", false}, {"pf10vf127\n", false}, {"\n", true}};

	(void)state;
	tree_pf(&t, "pf", PF0, "mlx5_core", "7\n", "1\n");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		tree_file(&t, cases[i].port, "devices/" PF0 "/net/pf/phys_port_name");
		find_all();
		assert_int_equal(n, cases[i].pf ? 1 : 0);
	}
}

static void first_port_of_a_function_leads(void **state)
{
	(void)state;
	tree_pf(&t, "b", PF0, "mlx4_core", "16\n", "4\n");
	tree_netdev(&t, "a", PF0);
	tree_file(&t, "1\n", "devices/" PF0 "/net/a/dev_port");
	find_all();
	assert_int_equal(n, 1);
	assert_string_equal(pfs[0].name, "b");
	/* Ports that do not tell their number: the name decides, whatever the directory order. */
	tree_file(&t, "0\n", "devices/" PF0 "/net/a/dev_port");
	find_all();
	assert_int_equal(n, 1);
	assert_string_equal(pfs[0].name, "a");
}

static void too_many_pfs(void **state)
{
	char name[16], bdf[32];

	(void)state;
	for (int i = 0; i <= SRIOV_PF_MAX; i++) {
		(void)snprintf(name, sizeof(name), "pf%d", i);
		(void)snprintf(bdf, sizeof(bdf), "0000:%02x:00.0", i);
		tree_pf(&t, name, bdf, "igb", "7\n", "0\n");
	}
	assert_int_equal(sriov_sysfs_pfs(t.fd, pfs, &n, &e), -E2BIG);
}

static void damaged_attributes(void **state)
{
	struct sriov_pf pf;

	(void)state;
	tree_pf(&t, "pf", PF0, "igb", "7\n", "x\n");
	assert_int_equal(sriov_sysfs_pf(t.fd, "pf", &pf, &e), -EINVAL);
	assert_non_null(strstr(e.msg, "sriov_numvfs"));
	tree_file(&t, "99999\n", "devices/" PF0 "/sriov_numvfs");
	assert_int_equal(sriov_sysfs_pf(t.fd, "pf", &pf, &e), -EINVAL);
	tree_file(&t, "-1\n", "devices/" PF0 "/sriov_numvfs");
	assert_int_equal(sriov_sysfs_pf(t.fd, "pf", &pf, &e), -EINVAL);
	tree_file(&t, "2\n", "devices/" PF0 "/sriov_numvfs");
	tree_file(&t, "nonsense\n", "devices/" PF0 "/sriov_totalvfs");
	refused("pf", EIO, "sriov_totalvfs");
	find_all();
	assert_int_equal(n, 1);
	assert_non_null(strstr(pfs[0].problem, "sriov_totalvfs"));
	tree_file(&t, "7\n", "devices/" PF0 "/sriov_totalvfs");
	tree_file(&t, "nonsense\n", "devices/" PF0 "/numa_node");
	assert_int_equal(sriov_sysfs_pf(t.fd, "pf", &pf, &e), 0);
	assert_int_equal(pf.numa_node, -1);
}

static void netdevsim_has_no_total(void **state)
{
	struct sriov_pf pf;
	struct sriov_vf vf;

	(void)state;
	tree_file(&t, "3\n", "devices/netdevsim5/sriov_numvfs");
	tree_netdev(&t, "eth7", "netdevsim5");
	assert_int_equal(sriov_sysfs_pf(t.fd, "eth7", &pf, &e), 0);
	assert_false(pf.has_pci);
	assert_string_equal(pf.bus_id, "netdevsim5");
	assert_int_equal(pf.total_vfs, 0);
	assert_int_equal(pf.num_vfs, 3);
	assert_int_equal(sriov_sysfs_vf(t.fd, &pf, 2, &vf, &e), 0);
	assert_int_equal(vf.state, SRIOV_VF_VIRTUAL);
	assert_false(vf.has_pci);
	assert_false(sriov_vf_in_use(&vf));
}

static void vf_states(void **state)
{
	static const struct {
		const char *driver, *netdev;
		enum sriov_vf_state want;
		bool in_use;
	} cases[] = {
		{"igbvf", "vf0", SRIOV_VF_FREE, false},
		{"igbvf", NULL, SRIOV_VF_AWAY, true},
		{"mlx5_core", NULL, SRIOV_VF_AWAY, true},
		{"vfio-pci", NULL, SRIOV_VF_VFIO, true},
		{"mlx5_vfio_pci", NULL, SRIOV_VF_VFIO, true},
		{"pci-stub", NULL, SRIOV_VF_OTHER, true},
		{"uio_pci_generic", NULL, SRIOV_VF_OTHER, true},
		{"igb_uio", NULL, SRIOV_VF_OTHER, true},
		{NULL, NULL, SRIOV_VF_NO_DRIVER, true},
	};
	struct sriov_pf pf;
	struct sriov_vf vf;
	char bdf[32];

	(void)state;
	tree_pf(&t, "pf", PF0, "igb", "16\n", "9\n");
	for (uint32_t i = 0; i < ARRAY_LEN(cases); i++) {
		(void)snprintf(bdf, sizeof(bdf), "0000:01:%02x.%x", 0x10 + i / 8, i % 8);
		tree_vf(&t, PF0, i, bdf, cases[i].driver, cases[i].netdev);
	}
	assert_int_equal(sriov_sysfs_pf(t.fd, "pf", &pf, &e), 0);
	for (uint32_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(sriov_sysfs_vf(t.fd, &pf, i, &vf, &e), 0);
		assert_int_equal(vf.index, i);
		assert_int_equal(vf.state, cases[i].want);
		assert_int_equal(sriov_vf_in_use(&vf), cases[i].in_use);
		assert_string_equal(vf.driver, cases[i].driver ? cases[i].driver : "");
		assert_string_equal(vf.netdev, cases[i].netdev ? cases[i].netdev : "");
	}
}

static void vf_moved_away_leaves_an_empty_directory(void **state)
{
	struct sriov_pf pf;
	struct sriov_vf vf;

	(void)state;
	tree_pf(&t, "pf", PF0, "igb", "7\n", "1\n");
	tree_vf(&t, PF0, 0, "0000:01:10.0", "igbvf", NULL);
	/* net/ exists, for the kernel hides only what is below it. */
	tree_file(&t, "", "devices/0000:01:10.0/net/x");
	tree_remove(&t, "devices/0000:01:10.0/net/x");
	assert_int_equal(sriov_sysfs_pf(t.fd, "pf", &pf, &e), 0);
	assert_int_equal(sriov_sysfs_vf(t.fd, &pf, 0, &vf, &e), 0);
	assert_int_equal(vf.state, SRIOV_VF_AWAY);
	tree_file(&t, "", "devices/0000:01:10.0/infiniband/mlx5_9/node_guid");
	assert_int_equal(sriov_sysfs_vf(t.fd, &pf, 0, &vf, &e), 0);
	assert_string_equal(vf.rdma, "mlx5_9");
}

static void vfs_that_are_not_there(void **state)
{
	struct sriov_pf pf;
	struct sriov_vf vf;

	(void)state;
	tree_pf(&t, "pf", PF0, "igb", "7\n", "1\n");
	assert_int_equal(sriov_sysfs_pf(t.fd, "pf", &pf, &e), 0);
	assert_int_equal(sriov_sysfs_vf(t.fd, &pf, 0, &vf, &e), -ENODEV);
	assert_non_null(strstr(e.msg, "VF 0 of pf"));
	tree_link(&t, "../nonsense", "devices/" PF0 "/virtfn0");
	assert_int_equal(sriov_sysfs_vf(t.fd, &pf, 0, &vf, &e), -EINVAL);
	assert_non_null(strstr(e.msg, "nonsense"));
}

static void writes_the_number(void **state)
{
	struct sriov_pf pf;
	uint32_t got = 99;

	(void)state;
	tree_pf(&t, "pf", PF0, "igb", "7\n", "0\n");
	assert_int_equal(sriov_sysfs_pf(t.fd, "pf", &pf, &e), 0);
	assert_int_equal(sriov_sysfs_set_num_vfs(t.fd, &pf, 5, &e), 0);
	assert_string_equal(tree_text(&t, "devices/" PF0 "/sriov_numvfs"), "5");
	assert_int_equal(sriov_sysfs_num_vfs(t.fd, &pf, &got, &e), 0);
	assert_int_equal(got, 5);
	tree_remove(&t, "devices/" PF0 "/sriov_numvfs");
	assert_int_equal(sriov_sysfs_set_num_vfs(t.fd, &pf, 5, &e), -ENOENT);
	assert_int_equal(sriov_sysfs_num_vfs(t.fd, &pf, &got, &e), -ENOENT);
	assert_int_equal(got, 5);
}

static void autoprobe(void **state)
{
	struct sriov_pf pf;

	(void)state;
	tree_pf(&t, "pf", PF0, "igb", "7\n", "0\n");
	assert_int_equal(sriov_sysfs_pf(t.fd, "pf", &pf, &e), 0);
	assert_true(sriov_sysfs_autoprobe(t.fd, &pf)); /* before Linux 4.12 */
	tree_file(&t, "1\n", "devices/" PF0 "/sriov_drivers_autoprobe");
	assert_true(sriov_sysfs_autoprobe(t.fd, &pf));
	tree_file(&t, "0\n", "devices/" PF0 "/sriov_drivers_autoprobe");
	assert_false(sriov_sysfs_autoprobe(t.fd, &pf));
}

static void rebinds(void **state)
{
	struct sriov_pf pf;
	struct sriov_vf vf;

	(void)state;
	tree_pf(&t, "pf", PF0, "mlx5_core", "7\n", "1\n");
	tree_vf(&t, PF0, 0, "0000:01:10.0", "mlx5_core", "ib1");
	assert_int_equal(sriov_sysfs_pf(t.fd, "pf", &pf, &e), 0);
	assert_int_equal(sriov_sysfs_vf(t.fd, &pf, 0, &vf, &e), 0);
	assert_int_equal(sriov_sysfs_unbind(t.fd, &vf.pci, "mlx5_core", &e), 0);
	assert_int_equal(sriov_sysfs_bind(t.fd, &vf.pci, "mlx5_core", &e), 0);
	assert_string_equal(tree_text(&t, "bus/pci/drivers/mlx5_core/unbind"), "0000:01:10.0");
	assert_string_equal(tree_text(&t, "bus/pci/drivers/mlx5_core/bind"), "0000:01:10.0");
	tree_remove(&t, "bus/pci/drivers/mlx5_core/unbind");
	assert_int_equal(sriov_sysfs_unbind(t.fd, &vf.pci, "mlx5_core", &e), -ENOENT);
	assert_non_null(strstr(e.msg, "unbind"));
	assert_int_equal(sriov_sysfs_bind(t.fd, &vf.pci, "nosuch", &e), -ENOENT);
	assert_non_null(strstr(e.msg, "nosuch/bind"));
}

static void speed(void **state)
{
	static const struct {
		const char *text;
		uint32_t want;
	} cases[] = {{"25000\n", 25000}, {"-1\n", 0}, {"4294967295\n", 0}, {"\n", 0}, {"fast\n", 0},
		{"4000001\n", 0}};

	(void)state;
	tree_pf(&t, "pf", PF0, "igb", "7\n", "0\n");
	assert_int_equal(sriov_sysfs_speed(t.fd, "pf"), 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		tree_file(&t, cases[i].text, "devices/" PF0 "/net/pf/speed");
		assert_int_equal(sriov_sysfs_speed(t.fd, "pf"), cases[i].want);
	}
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(finds_pfs_in_bus_order),
		CASE(no_devices_are_no_error),
		CASE(no_sysfs_is_an_error),
		CASE(others_are_passed_over),
		CASE(impossible_names_are_no_interfaces),
		CASE(representors_by_port_name),
		CASE(first_port_of_a_function_leads),
		CASE(too_many_pfs),
		CASE(damaged_attributes),
		CASE(netdevsim_has_no_total),
		CASE(vf_states),
		CASE(vf_moved_away_leaves_an_empty_directory),
		CASE(vfs_that_are_not_there),
		CASE(writes_the_number),
		CASE(autoprobe),
		CASE(rebinds),
		CASE(speed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
