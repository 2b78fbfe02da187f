/* SPDX-License-Identifier: MIT */
/* A VF found by its PCI address in sysfs: its interface, its PF and its number. */
#include <errno.h>

#include "unit.h"

#include "sriov/attach.h"
#include "sriov/sysfs.h"
#include "tree.h"

#define PF_BDF "0000:01:00.0"

static struct tree t;
static struct sriov_kernel kernel;
static struct sriov_mover m = {.k = &kernel};
static struct sriov_ref ref;
static struct err e;

/* A PF with three VFs, placed as igb does: the first 128 behind the PF, then every second. */
static int setup(void **state)
{
	(void)state;
	tree_init(&t);
	kernel.sysfs = t.fd;
	tree_pf(&t, "enp1s0f0", PF_BDF, "igb", "7\n", "3\n");
	tree_file(&t, "7\n", "devices/" PF_BDF "/net/enp1s0f0/ifindex");
	tree_file(&t, "128\n", "devices/" PF_BDF "/sriov_offset");
	tree_file(&t, "2\n", "devices/" PF_BDF "/sriov_stride");
	tree_vf(&t, PF_BDF, 0, "0000:01:10.0", "igbvf", "eth0");
	tree_vf(&t, PF_BDF, 1, "0000:01:10.2", "igbvf", NULL);
	tree_vf(&t, PF_BDF, 2, "0000:01:10.4", NULL, NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tree_free(&t);
	return 0;
}

static struct pci_addr pci(const char *text)
{
	struct pci_addr out;

	assert_true(parse_pci(str_from(text), &out));
	return out;
}

static int find(const char *bdf)
{
	struct pci_addr at = pci(bdf);

	return sriov_ref_find(&m, &at, &ref, &e);
}

static void finds(const char *bdf, uint32_t index)
{
	if (find(bdf) != 0) {
		fail_msg("%s: %s", bdf, e.msg);
	}
	assert_int_equal(ref.vf, index);
	assert_string_equal(ref.pf, "enp1s0f0");
	assert_string_equal(ref.pf_driver, "igb");
	assert_int_equal(ref.pf_ifindex, 7);
}

static void test_function(void **state)
{
	struct pci_addr at = pci("0000:01:10.0");
	struct sriov_vf vf;

	(void)state;
	assert_int_equal(sriov_sysfs_vf_at(t.fd, &at, &vf, &e), 0);
	assert_string_equal(vf.netdev, "eth0");
	assert_string_equal(vf.driver, "igbvf");
	assert_int_equal(vf.state, SRIOV_VF_FREE);
	at = pci("0000:01:10.2");
	assert_int_equal(sriov_sysfs_vf_at(t.fd, &at, &vf, &e), 0);
	assert_int_equal(vf.state, SRIOV_VF_AWAY);
	at = pci("0000:01:10.4");
	assert_int_equal(sriov_sysfs_vf_at(t.fd, &at, &vf, &e), 0);
	assert_int_equal(vf.state, SRIOV_VF_NO_DRIVER);
}

static void test_no_function(void **state)
{
	static const char *const none[] = {"0000:01:10.6", "0001:01:10.0", PF_BDF};
	struct sriov_vf vf;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(none); i++) {
		struct pci_addr at = pci(none[i]);

		assert_int_equal(sriov_sysfs_vf_at(t.fd, &at, &vf, &e), -ENODEV);
		assert_non_null(strstr(e.msg, none[i]));
		assert_int_equal(find(none[i]), -ENODEV);
	}
}

static void test_number(void **state)
{
	(void)state;
	finds("0000:01:10.0", 0);
	finds("0000:01:10.2", 1);
	finds("0000:01:10.4", 2);
}

/* Whatever the place says: the link of the PF decides. */
static void test_number_where_the_place_misleads(void **state)
{
	static const char *const strides[] = {"0\n", "1\n", "3\n", "x\n", "4294967295\n"};
	static const char *const offsets[] = {"0\n", "127\n", "129\n", "65535\n"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(strides); i++) {
		tree_file(&t, strides[i], "devices/" PF_BDF "/sriov_stride");
		finds("0000:01:10.4", 2);
	}
	for (size_t i = 0; i < ARRAY_LEN(offsets); i++) {
		tree_file(&t, offsets[i], "devices/" PF_BDF "/sriov_offset");
		finds("0000:01:10.4", 2);
		finds("0000:01:10.0", 0);
	}
	tree_remove(&t, "devices/" PF_BDF "/sriov_offset");
	tree_remove(&t, "devices/" PF_BDF "/sriov_stride");
	finds("0000:01:10.2", 1);
}

static void test_number_of_none(void **state)
{
	(void)state;
	tree_remove(&t, "devices/" PF_BDF "/virtfn1");
	assert_int_equal(find("0000:01:10.2"), -ENODEV);
	assert_non_null(strstr(e.msg, "no virtual function of enp1s0f0"));
}

static void test_pf_in_another_namespace(void **state)
{
	(void)state;
	tree_remove(&t, "class/net/enp1s0f0");
	assert_int_equal(find("0000:01:10.2"), 0);
	assert_string_equal(ref.pf, "");
	assert_int_equal(ref.pf_ifindex, 0);
}

/* mlx5 in switchdev mode lists its VFs' representors beside the PF's own interface. */
static void test_representors_beside_the_pf(void **state)
{
	(void)state;
	tree_netdev(&t, "a-representor", PF_BDF);
	tree_file(&t, "pf0vf1\n", "devices/" PF_BDF "/net/a-representor/phys_port_name");
	finds("0000:01:10.2", 1);
}

static void test_of_the_model(void **state)
{
	struct sriov_pf pf = {.name = "enp1s0f0", .ifindex = 7, .driver = "igb"};
	struct sriov_vf vf = {.index = 5, .has_pci = true, .pci = {.bus = 9}};

	(void)state;
	assert_int_equal(sriov_ref_of(&pf, &vf, &ref, &e), 0);
	assert_int_equal(ref.vf, 5);
	assert_int_equal(ref.pci.bus, 9);
	assert_int_equal(ref.pf_ifindex, 7);
	vf.has_pci = false;
	assert_int_equal(sriov_ref_of(&pf, &vf, &ref, &e), -ENOTSUP);
	assert_non_null(strstr(e.msg, "VF 5 of enp1s0f0"));
}

static void test_probe(void **state)
{
	struct pci_addr at = pci("0000:01:10.4");

	(void)state;
	assert_int_equal(sriov_sysfs_probe(t.fd, &at, &e), -ENOENT);
	tree_file(&t, "", "bus/pci/drivers_probe");
	assert_int_equal(sriov_sysfs_probe(t.fd, &at, &e), 0);
	assert_string_equal(tree_text(&t, "bus/pci/drivers_probe"), "0000:01:10.4");
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_function),
		T(test_no_function),
		T(test_number),
		T(test_number_where_the_place_misleads),
		T(test_number_of_none),
		T(test_pf_in_another_namespace),
		T(test_representors_beside_the_pf),
		T(test_of_the_model),
		T(test_probe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
