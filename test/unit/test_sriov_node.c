/* SPDX-License-Identifier: MIT */
/* Putting a node together: a sysfs tree of the test's own, a kernel whose answers it chooses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "nl/link.h"
#include "sriov/node.h"

static struct sriov_kernel kernel;
static struct sriov_node node;
static char root[] = "/tmp/ferrule-node-XXXXXX";

/* The kernel's answers, set by each test. */
static struct {
	int link, vf_list, rdma_open;
	size_t listed;
	bool carrier, infiniband, speed_known, vanish, vf_vanish, mute;
	uint32_t speed;
	const char *rdma_ndev;
	unsigned rdma_opened;
} answer;

int __wrap_nl_link_get_name(
	struct nl_sock *s, const char *name, struct nl_link *out, struct err *e);
int __wrap_nl_vf_list(struct nl_sock *s, uint32_t ifindex, struct nl_vf *out, size_t cap, size_t *n,
	struct err *e);
int __wrap_nl_ethtool_speed(
	const struct nl_ethtool *eth, uint32_t ifindex, uint32_t *mbps, bool *known, struct err *e);
int __wrap_nl_rdma_open(struct nl_sock *s, int timeout_ms, struct err *e);
int __wrap_nl_rdma_dev_list(
	struct nl_sock *s, struct nl_rdma_dev *out, size_t cap, size_t *n, struct err *e);
int __wrap_nl_rdma_port_list(struct nl_sock *s, uint32_t dev, struct nl_rdma_port *out, size_t cap,
	size_t *n, struct err *e);

int __wrap_nl_link_get_name(struct nl_sock *s, const char *name, struct nl_link *out, struct err *e)
{
	(void)s;
	(void)name;
	if (answer.vanish) {
		assert_int_equal(renameat(kernel.sysfs, "class/net/pf0", kernel.sysfs, "gone"), 0);
	}
	if (answer.link < 0) {
		return err_set(e, -answer.link, "no link");
	}
	*out = (struct nl_link){.ifindex = 7,
		.carrier = answer.carrier,
		.flags = 1, /* IFF_UP */
		.arphrd = answer.infiniband ? ARPHRD_INFINIBAND : ARPHRD_ETHER};
	return 0;
}

int __wrap_nl_vf_list(struct nl_sock *s, uint32_t ifindex, struct nl_vf *out, size_t cap, size_t *n,
	struct err *e)
{
	(void)s;
	assert_int_equal(ifindex, 7);
	if (answer.vf_vanish) {
		assert_int_equal(
			unlinkat(kernel.sysfs, "bus/pci/devices/0000:01:00.0/virtfn1", 0), 0);
	}
	if (answer.vf_list < 0) {
		return err_set(e, -answer.vf_list, "no list");
	}
	assert_true(answer.listed <= cap);
	for (size_t i = 0; i < answer.listed; i++) {
		out[i] = (struct nl_vf){.index = (uint32_t)i,
			.has = answer.mute ? 0 : NL_VF_PRESENT,
			.min_tx_rate = 10 * (uint32_t)i,
			.trust = NL_VF_UNSUPPORTED};
	}
	*n = answer.listed;
	return 0;
}

int __wrap_nl_ethtool_speed(
	const struct nl_ethtool *eth, uint32_t ifindex, uint32_t *mbps, bool *known, struct err *e)
{
	(void)eth;
	(void)ifindex;
	(void)e;
	*mbps = answer.speed;
	*known = answer.speed_known;
	return 0;
}

int __wrap_nl_rdma_open(struct nl_sock *s, int timeout_ms, struct err *e)
{
	(void)s;
	(void)timeout_ms;
	answer.rdma_opened++;
	return answer.rdma_open < 0 ? err_set(e, -answer.rdma_open, "no rdma") : answer.rdma_open;
}

int __wrap_nl_rdma_dev_list(
	struct nl_sock *s, struct nl_rdma_dev *out, size_t cap, size_t *n, struct err *e)
{
	(void)s;
	(void)cap;
	(void)e;
	*n = answer.rdma_ndev != NULL ? 1 : 0;
	out[0] = (struct nl_rdma_dev){.index = 3, .ports_n = 1, .name = "rxe0"};
	return 0;
}

int __wrap_nl_rdma_port_list(struct nl_sock *s, uint32_t dev, struct nl_rdma_port *out, size_t cap,
	size_t *n, struct err *e)
{
	(void)s;
	(void)cap;
	(void)e;
	assert_int_equal(dev, 3);
	*n = 1;
	out[0] = (struct nl_rdma_port){.dev_index = 3, .port = 1};
	assert_true(str_copy(str_from(answer.rdma_ndev), out[0].ndev_name, NL_RDMA_NDEV_CAP));
	return 0;
}

static void make(const char *path, const char *text)
{
	char part[256];
	struct err e;

	for (const char *p = path; (p = strchr(p, '/')) != NULL; p++) {
		assert_true(str_copy((struct str){path, (size_t)(p - path)}, part, sizeof(part)));
		assert_true(mkdirat(kernel.sysfs, part, 0755) == 0 || errno == EEXIST);
	}
	if (text != NULL) {
		assert_int_equal(file_replace(kernel.sysfs, path, str_from(text), 0644, &e), 0);
	}
}

static void link_to(const char *path, const char *target)
{
	make(path, NULL);
	assert_int_equal(symlinkat(target, kernel.sysfs, path), 0);
}

/* One igb-like PF pf0 at 0000:01:00.0 with two VFs: the first free, the second away. */
static int setup(void **state)
{
	struct err e;

	(void)state;
	memset(&answer, 0, sizeof(answer));
	memcpy(root + strlen(root) - 6, "XXXXXX", 6);
	assert_non_null(mkdtemp(root));
	memset(&kernel, 0, sizeof(kernel));
	kernel.sysfs = file_open_dir(AT_FDCWD, root, &e);
	assert_true(kernel.sysfs >= 0);
	kernel.route.fd = kernel.genl.fd = kernel.rdma.fd = -1;
	make("bus/pci/devices/0000:01:00.0/sriov_totalvfs", "7\n");
	make("bus/pci/devices/0000:01:00.0/sriov_numvfs", "2\n");
	make("bus/pci/devices/0000:01:00.0/numa_node", "-1\n");
	link_to("bus/pci/devices/0000:01:00.0/driver", "../../../drivers/igb");
	link_to("bus/pci/devices/0000:01:00.0/virtfn0", "../0000:01:10.0");
	link_to("bus/pci/devices/0000:01:00.0/virtfn1", "../0000:01:10.2");
	make("bus/pci/devices/0000:01:10.0/net/eth5/x", "");
	link_to("bus/pci/devices/0000:01:10.0/driver", "../../../drivers/igbvf");
	make("bus/pci/devices/0000:01:10.2/net/", NULL);
	link_to("bus/pci/devices/0000:01:10.2/driver", "../../../drivers/igbvf");
	link_to("class/net/pf0/device", "../../../bus/pci/devices/0000:01:00.0");
	make("class/net/pf0/speed", "1000\n");
	answer.listed = 2;
	answer.carrier = true;
	return 0;
}

static int teardown(void **state)
{
	char *argv[] = {(char *)"rm", (char *)"-rf", root, NULL};
	pid_t pid;

	(void)state;
	assert_int_equal(close(kernel.sysfs), 0);
	pid = fork();
	if (pid == 0) {
		(void)execvp(argv[0], argv);
		_exit(127);
	}
	return pid > 0 ? 0 : -1;
}

static void read_node(void)
{
	struct err e;

	assert_int_equal(sriov_node_read(&kernel, &node, &e), 0);
}

static void sysfs_and_netlink_come_together(void **state)
{
	(void)state;
	read_node();
	assert_int_equal(node.pf_n, 1);
	assert_string_equal(node.pf[0].name, "pf0");
	assert_string_equal(node.pf[0].bus_id, "0000:01:00.0");
	assert_string_equal(node.pf[0].driver, "igb");
	assert_int_equal(node.pf[0].total_vfs, 7);
	assert_int_equal(node.pf[0].speed, 1000);
	assert_int_equal(node.pf[0].caps.min_rate, SRIOV_YES); /* a VF has one set */
	assert_int_equal(node.pf[0].caps.trust, SRIOV_NO);
	assert_int_equal(node.vf_n, 2);
	assert_string_equal(node.vf[0].netdev, "eth5");
	assert_int_equal(node.vf[0].state, SRIOV_VF_FREE);
	assert_int_equal(node.vf[1].state, SRIOV_VF_AWAY);
	assert_int_equal(node.vf[1].pci.dev, 0x10);
	assert_int_equal(node.vf[1].pci.fn, 2);
	assert_int_equal(node.vf[1].kernel.min_tx_rate, 10);
}

static void ethtool_knows_better_than_sysfs(void **state)
{
	(void)state;
	kernel.genl.fd = 0;
	answer.speed_known = true;
	answer.speed = 25000;
	read_node();
	assert_int_equal(node.pf[0].speed, 25000);
	answer.speed = SRIOV_RATE_MAX + 1; /* nonsense of a driver: sysfs again */
	read_node();
	assert_int_equal(node.pf[0].speed, 1000);
}

static void a_link_that_is_down_has_no_speed(void **state)
{
	(void)state;
	answer.carrier = false;
	read_node();
	assert_int_equal(node.pf[0].speed, 0);
	assert_false(node.pf[0].link_up);
}

static void vfs_that_the_kernel_does_not_list_stay_known(void **state)
{
	(void)state;
	answer.listed = 1;
	read_node();
	assert_int_equal(node.vf_n, 2);
	assert_int_equal(node.vf[1].kernel.has, 0);
	assert_int_equal(node.vf[1].state, SRIOV_VF_AWAY);
}

/* As rtnetlink has it where a driver cannot say anything at the moment. */
static void a_vf_that_is_listed_but_not_described_is_not_usable(void **state)
{
	(void)state;
	read_node();
	assert_true(sriov_vf_usable(&node.vf[0]));
	answer.mute = true;
	read_node();
	assert_int_equal(node.vf[0].state, SRIOV_VF_FREE);
	assert_false(sriov_vf_usable(&node.vf[0]));
	assert_false(sriov_vf_in_use(&node.vf[0]));
}

static void a_failing_list_is_a_problem_and_no_empty_pf(void **state)
{
	(void)state;
	answer.vf_list = -EMSGSIZE;
	read_node();
	assert_int_equal(node.pf_n, 1);
	assert_int_equal(node.vf_n, 0);
	assert_string_equal(node.pf[0].problem, "no list");
}

static void a_vf_that_vanishes_between_is_a_problem(void **state)
{
	(void)state;
	answer.vf_vanish = true;
	read_node();
	assert_int_equal(node.vf_n, 0);
	assert_non_null(strstr(node.pf[0].problem, "VF 1 of pf0"));
}

static void a_pf_that_vanishes_between_is_left_out(void **state)
{
	(void)state;
	answer.link = -ENODEV;
	answer.vanish = true;
	read_node();
	assert_int_equal(node.pf_n, 0);
	assert_int_equal(node.vf_n, 0);
}

static void assert_problem(const char *why)
{
	read_node();
	assert_int_equal(node.pf_n, 1);
	assert_int_equal(node.vf_n, 0);
	if (strstr(node.pf[0].problem, why) == NULL) {
		fail_msg("'%s' is not in: %s", why, node.pf[0].problem);
	}
}

static void a_pf_of_another_namespace_is_a_problem(void **state)
{
	(void)state;
	answer.link = -ENODEV;
	assert_problem("not in this network namespace");
	answer.link = 0;
	make("class/net/pf0/ifindex", "8\n");
	assert_problem("different interfaces");
	make("class/net/pf0/ifindex", "7\n");
	read_node();
	assert_int_equal(node.vf_n, 2);
}

static void a_pf_that_sysfs_cannot_tell_of_is_a_problem(void **state)
{
	(void)state;
	make("bus/pci/devices/0000:01:00.0/sriov_totalvfs", "x\n");
	assert_problem("sriov_totalvfs");
	make("bus/pci/devices/0000:01:00.0/sriov_totalvfs", "");
	assert_problem("sriov_totalvfs");
}

static void the_number_of_vfs_is_not_asked_of_the_attribute_that_blocks(void **state)
{
	(void)state;
	make("bus/pci/devices/0000:01:00.0/sriov_numvfs", "garbage\n");
	read_node();
	assert_int_equal(node.vf_n, 2);
	assert_string_equal(node.pf[0].problem, "");
}

static void another_failure_of_a_pf_fails_the_reading(void **state)
{
	struct err e;

	(void)state;
	answer.link = -ETIMEDOUT;
	assert_int_equal(sriov_node_read(&kernel, &node, &e), -ETIMEDOUT);
	assert_string_equal(e.msg, "pf0: no link");
}

static void a_tree_without_net_class_is_an_error(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(renameat(kernel.sysfs, "class", kernel.sysfs, "klass"), 0);
	assert_int_equal(sriov_node_read(&kernel, &node, &e), -ENOENT);
}

static void soft_rdma_is_found_by_its_netdev(void **state)
{
	(void)state;
	answer.rdma_open = 1;
	answer.rdma_ndev = "pf0";
	read_node();
	assert_string_equal(node.pf[0].rdma, "rxe0");
	answer.rdma_ndev = "eth5";
	read_node();
	assert_string_equal(node.pf[0].rdma, "");
	assert_string_equal(node.vf[0].rdma, "rxe0");
	answer.rdma_ndev = "other0";
	read_node();
	assert_string_equal(node.vf[0].rdma, "");
}

static void a_kernel_without_rdma_is_asked_again_later(void **state)
{
	(void)state;
	read_node();
	read_node();
	assert_int_equal(answer.rdma_opened, 2);
}

static void infiniband_has_link_state_only(void **state)
{
	(void)state;
	answer.infiniband = true;
	answer.listed = 0;
	read_node();
	assert_true(node.pf[0].infiniband);
	assert_int_equal(node.pf[0].caps.link_state, SRIOV_YES);
	assert_int_equal(node.pf[0].caps.max_rate, SRIOV_NO);
}

#define NODE_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		NODE_TEST(sysfs_and_netlink_come_together),
		NODE_TEST(ethtool_knows_better_than_sysfs),
		NODE_TEST(a_link_that_is_down_has_no_speed),
		NODE_TEST(vfs_that_the_kernel_does_not_list_stay_known),
		NODE_TEST(a_vf_that_is_listed_but_not_described_is_not_usable),
		NODE_TEST(a_failing_list_is_a_problem_and_no_empty_pf),
		NODE_TEST(a_vf_that_vanishes_between_is_a_problem),
		NODE_TEST(a_pf_of_another_namespace_is_a_problem),
		NODE_TEST(a_pf_that_sysfs_cannot_tell_of_is_a_problem),
		NODE_TEST(the_number_of_vfs_is_not_asked_of_the_attribute_that_blocks),
		NODE_TEST(a_pf_that_vanishes_between_is_left_out),
		NODE_TEST(another_failure_of_a_pf_fails_the_reading),
		NODE_TEST(a_tree_without_net_class_is_an_error),
		NODE_TEST(soft_rdma_is_found_by_its_netdev),
		NODE_TEST(a_kernel_without_rdma_is_asked_again_later),
		NODE_TEST(infiniband_has_link_state_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
