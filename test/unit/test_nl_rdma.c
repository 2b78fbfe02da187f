/* SPDX-License-Identifier: MIT */
/* src/nl/rdma.c: RDMA devices and their ports. */
#include <rdma/rdma_netlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "nl/rdma.h"
#include "nl_script.h"

enum {
	DEV = RDMA_NL_GET_TYPE(RDMA_NL_NLDEV, RDMA_NLDEV_CMD_GET),
	PORT = RDMA_NL_GET_TYPE(RDMA_NL_NLDEV, RDMA_NLDEV_CMD_PORT_GET),
};

/* A device as nldev fills it; the u64 come at addresses that are no multiple of 8. */
static void dev(struct mb *b, uint32_t index, const char *name)
{
	uint64_t guid = 0x505400fffe000000u + index;

	mb_msg(b, DEV, NLM_F_MULTI, NULL, 0);
	mb_u32(b, RDMA_NLDEV_ATTR_DEV_INDEX, index);
	mb_str(b, RDMA_NLDEV_ATTR_DEV_NAME, name);
	mb_u32(b, RDMA_NLDEV_ATTR_PORT_INDEX, 2);
	mb_attr(b, RDMA_NLDEV_ATTR_CAP_FLAGS, &guid, sizeof(guid));
	mb_str(b, RDMA_NLDEV_ATTR_FW_VERSION, "20.31.1014");
	mb_attr(b, RDMA_NLDEV_ATTR_NODE_GUID, &guid, sizeof(guid));
	mb_attr(b, RDMA_NLDEV_ATTR_SYS_IMAGE_GUID, &guid, sizeof(guid));
	mb_u8(b, RDMA_NLDEV_ATTR_DEV_NODE_TYPE, 1);
	mb_u8(b, 92, 1);
	mb_str(b, RDMA_NLDEV_ATTR_DEV_PROTOCOL, "roce");
}

static void port(struct mb *b, uint32_t index, uint32_t ifindex)
{
	mb_msg(b, PORT, NLM_F_MULTI, NULL, 0);
	mb_u32(b, RDMA_NLDEV_ATTR_DEV_INDEX, 4);
	mb_str(b, RDMA_NLDEV_ATTR_DEV_NAME, "rxe0");
	mb_u32(b, RDMA_NLDEV_ATTR_PORT_INDEX, index);
	mb_u8(b, RDMA_NLDEV_ATTR_PORT_STATE, 4);
	mb_u8(b, RDMA_NLDEV_ATTR_PORT_PHYS_STATE, 5);
	if (ifindex != 0) {
		mb_u32(b, RDMA_NLDEV_ATTR_NDEV_INDEX, ifindex);
		mb_str(b, RDMA_NLDEV_ATTR_NDEV_NAME, "enp1s0f0");
	}
}

static void test_device(void **state)
{
	struct nl_rdma_dev d;

	(void)state;
	dev(&m, 4, "mlx5_0");
	assert_int_equal(nl_rdma_dev_parse((void *)m.p, &d, &e), 0);
	assert_int_equal(d.index, 4);
	assert_string_equal(d.name, "mlx5_0");
	assert_int_equal(d.ports_n, 2);
	assert_int_equal(d.node_type, 1);
	assert_true(d.node_guid == 0x505400fffe000004u);
	assert_true(d.sys_image_guid == 0x505400fffe000004u);
	assert_string_equal(d.protocol, "roce");
	assert_string_equal(d.fw_version, "20.31.1014");
}

static void test_port(void **state)
{
	struct nl_rdma_port p;

	(void)state;
	port(&m, 1, 7);
	assert_int_equal(nl_rdma_port_parse((void *)m.p, &p, &e), 0);
	assert_int_equal(p.dev_index, 4);
	assert_int_equal(p.port, 1);
	assert_int_equal(p.ndev_ifindex, 7);
	assert_string_equal(p.ndev_name, "enp1s0f0");
	assert_int_equal(p.state, 4);
	assert_int_equal(p.phys_state, 5);
}

static void test_port_without_netdev(void **state)
{
	struct nl_rdma_port p;

	(void)state;
	port(&m, 2, 0);
	assert_int_equal(nl_rdma_port_parse((void *)m.p, &p, &e), 0);
	assert_int_equal(p.ndev_ifindex, 0);
	assert_string_equal(p.ndev_name, "");
}

static void test_wrong_sizes(void **state)
{
	static const struct {
		uint16_t type;
		uint8_t n;
		bool port;
	} bad[] = {
		{RDMA_NLDEV_ATTR_DEV_INDEX, 2, false},
		{RDMA_NLDEV_ATTR_DEV_NAME, 64, false},
		{RDMA_NLDEV_ATTR_PORT_INDEX, 8, false},
		{RDMA_NLDEV_ATTR_NODE_GUID, 4, false},
		{RDMA_NLDEV_ATTR_SYS_IMAGE_GUID, 16, false},
		{RDMA_NLDEV_ATTR_DEV_NODE_TYPE, 0, false},
		{RDMA_NLDEV_ATTR_DEV_PROTOCOL, 17, false},
		{RDMA_NLDEV_ATTR_FW_VERSION, 33, false},
		{RDMA_NLDEV_ATTR_DEV_INDEX, 2, true},
		{RDMA_NLDEV_ATTR_PORT_INDEX, 1, true},
		{RDMA_NLDEV_ATTR_PORT_STATE, 4, true},
		{RDMA_NLDEV_ATTR_PORT_PHYS_STATE, 2, true},
		{RDMA_NLDEV_ATTR_NDEV_INDEX, 3, true},
		{RDMA_NLDEV_ATTR_NDEV_NAME, 16, true},
	};
	static const char text[] =
		"0123456789012345678901234567890123456789012345678901234567890123";

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct nl_rdma_port p;
		struct nl_rdma_dev d;
		int r;

		m.n = 0;
		bad[i].port ? port(&m, 1, 7) : dev(&m, 4, "a");
		mb_attr(&m, bad[i].type, text, bad[i].n);
		r = bad[i].port ? nl_rdma_port_parse((void *)m.p, &p, &e)
				: nl_rdma_dev_parse((void *)m.p, &d, &e);
		assert_int_equal(r, -EBADMSG);
		has_text("RDMA message: attribute");
	}
}

static void test_wrong_messages(void **state)
{
	struct nl_rdma_port p;
	struct nl_rdma_dev d;

	(void)state;
	dev(&m, 4, "a");
	assert_int_equal(nl_rdma_port_parse((void *)m.p, &p, &e), -EBADMSG);
	has_text("RDMA message: type");
	m.n = 0;
	mb_msg(&m, DEV, 0, NULL, 0);
	assert_int_equal(nl_rdma_dev_parse((void *)m.p, &d, &e), -EBADMSG);
	has_text("without a name");
	m.n = 0;
	mb_msg(&m, PORT, 0, NULL, 0);
	assert_int_equal(nl_rdma_port_parse((void *)m.p, &p, &e), -EBADMSG);
	has_text("without a number");
}

static void test_cut_at_every_length(void **state)
{
	(void)state;
	dev(&m, 4, "mlx5_0");
	for (size_t n = sizeof(struct nlmsghdr); n < m.n; n++) {
		struct nlmsghdr *cut = nl_cut((void *)m.p, n);
		struct nl_rdma_dev d;
		int r = nl_rdma_dev_parse(cut, &d, &e);

		assert_true(r == -EBADMSG || strcmp(d.name, "mlx5_0") == 0);
		free(cut);
	}
	m.n = 0;
	port(&m, 1, 7);
	for (size_t n = sizeof(struct nlmsghdr); n < m.n; n++) {
		struct nlmsghdr *cut = nl_cut((void *)m.p, n);
		struct nl_rdma_port p;
		int r = nl_rdma_port_parse(cut, &p, &e);

		assert_true(r == -EBADMSG || p.port == 1);
		free(cut);
	}
}

static void two_devs(uint16_t flags)
{
	struct mb *b = script_step();

	dev(b, 3, "rxe0");
	dev(b, 4, "rxe1");
	mb_done(b, flags, 0);
}

static void two_ports(void)
{
	struct mb *b = script_step();

	port(b, 1, 7);
	port(b, 2, 8);
	mb_done(b, 0, 0);
}

static void test_list(void **state)
{
	struct nl_rdma_dev d[2];
	struct nl_rdma_port p[2];
	size_t n = 9;

	(void)state;
	two_devs(0);
	assert_int_equal(nl_rdma_dev_list(&script.sock, d, 2, &n, &e), 0);
	assert_int_equal(n, 2);
	assert_string_equal(d[1].name, "rxe1");
	assert_int_equal(script_sent(0)->nlmsg_type, DEV);
	assert_int_equal(script_sent(0)->nlmsg_flags, NLM_F_REQUEST | NLM_F_DUMP);
	two_ports();
	assert_int_equal(nl_rdma_port_list(&script.sock, 4, p, 2, &n, &e), 0);
	assert_int_equal(n, 2);
	assert_int_equal(p[1].ndev_ifindex, 8);
	assert_int_equal(script_sent(1)->nlmsg_type, PORT);
	assert_int_equal(script.sent[1][20], 4); /* DEV_INDEX */
}

static void test_list_starts_again(void **state)
{
	struct nl_rdma_dev d[2];
	size_t n;

	(void)state;
	two_devs(NLM_F_DUMP_INTR);
	two_devs(0);
	assert_int_equal(nl_rdma_dev_list(&script.sock, d, 2, &n, &e), 0);
	assert_int_equal(n, 2);
}

static void test_more_than_there_is_room_for(void **state)
{
	struct nl_rdma_dev d[1];
	struct nl_rdma_port p[1];
	size_t n = 9;

	(void)state;
	two_devs(0);
	assert_int_equal(nl_rdma_dev_list(&script.sock, d, 1, &n, &e), -EMSGSIZE);
	has_text("more than 1 RDMA devices");
	assert_int_equal(n, 0);
	two_ports();
	assert_int_equal(nl_rdma_port_list(&script.sock, 4, p, 1, &n, &e), -EMSGSIZE);
	has_text("more than 1 RDMA ports of one device");
	assert_int_equal(n, 0);
}

static void test_device_that_vanished_and_other_errors(void **state)
{
	struct nl_rdma_port p[1];
	size_t n = 9;

	(void)state;
	script_result(-EINVAL);
	assert_int_equal(nl_rdma_port_list(&script.sock, 4, p, 1, &n, &e), 0);
	assert_int_equal(n, 0);
	script_result(-EPERM);
	assert_int_equal(nl_rdma_port_list(&script.sock, 4, p, 1, &n, &e), -EPERM);
	has_text("list ports of an RDMA device");
}

static void test_kernel_without_rdma(void **state)
{
	struct nl_sock closed = NL_SOCK_INIT;
	struct nl_rdma_dev d[1];
	struct nl_rdma_port p[1];
	size_t n = 9;

	(void)state;
	assert_int_equal(nl_rdma_dev_list(&closed, d, 1, &n, &e), 0);
	assert_int_equal(n, 0);
	n = 9;
	assert_int_equal(nl_rdma_port_list(&closed, 1, p, 1, &n, &e), 0);
	assert_int_equal(n, 0);
	assert_int_equal(script.sent_n, 0);
}

/* Whichever kernel this runs on: open, or closed without an error. */
static void test_open(void **state)
{
	struct nl_sock s;
	int r = nl_rdma_open(&s, 0, &e);

	(void)state;
	assert_true(r == 0 || r == 1);
	assert_true((s.fd >= 0) == (r == 1));
	nl_sock_close(&s);
}

#define T(f) cmocka_unit_test_setup_teardown(f, script_setup, script_teardown)

static void mode(uint16_t type, uint8_t value)
{
	struct mb *b = script_step();

	mb_msg(b, type, 0, NULL, 0);
	mb_u8(b, RDMA_NLDEV_SYS_ATTR_COPY_ON_FORK, 1);
	mb_u8(b, RDMA_NLDEV_SYS_ATTR_NETNS_MODE, value);
	script_result(0);
}

enum { SYS = RDMA_NL_GET_TYPE(RDMA_NL_NLDEV, RDMA_NLDEV_CMD_SYS_GET) };

static void test_namespace_mode(void **state)
{
	struct nl_sock closed = NL_SOCK_INIT;
	struct mb *b;

	(void)state;
	mode(SYS, 1);
	assert_int_equal(nl_rdma_exclusive(&script.sock, &e), 0);
	mode(SYS, 0);
	assert_int_equal(nl_rdma_exclusive(&script.sock, &e), 1);
	assert_int_equal(script_sent(0)->nlmsg_type, SYS);
	/* A kernel that does not say has no such mode. */
	b = script_step();
	mb_msg(b, SYS, 0, NULL, 0);
	script_result(0);
	assert_int_equal(nl_rdma_exclusive(&script.sock, &e), 0);
	assert_int_equal(nl_rdma_exclusive(&closed, &e), 0);
	script_result(-EINVAL);
	assert_int_equal(nl_rdma_exclusive(&script.sock, &e), 0);
}

static void test_namespace_mode_malformed(void **state)
{
	static const uint16_t cut[2] = {9, RDMA_NLDEV_SYS_ATTR_NETNS_MODE};
	struct mb *b;

	(void)state;
	mode(DEV, 0);
	assert_int_equal(nl_rdma_exclusive(&script.sock, &e), -EBADMSG);
	b = script_step();
	mb_msg(b, SYS, 0, NULL, 0);
	mb_u32(b, RDMA_NLDEV_SYS_ATTR_NETNS_MODE, 0);
	script_result(0);
	assert_int_equal(nl_rdma_exclusive(&script.sock, &e), -EBADMSG);
	b = script_step();
	mb_msg(b, SYS, 0, cut, sizeof(cut));
	script_result(0);
	assert_int_equal(nl_rdma_exclusive(&script.sock, &e), -EBADMSG);
	script_result(-EPERM);
	assert_int_equal(nl_rdma_exclusive(&script.sock, &e), -EPERM);
}

static void test_set_netns(void **state)
{
	static const uint32_t want[] = {
		8 | RDMA_NLDEV_ATTR_DEV_INDEX << 16, 4, 8 | RDMA_NLDEV_NET_NS_FD << 16, 17};

	(void)state;
	script_result(0);
	assert_int_equal(nl_rdma_set_netns(&script.sock, 4, 17, &e), 0);
	assert_int_equal(
		script_sent(0)->nlmsg_type, RDMA_NL_GET_TYPE(RDMA_NL_NLDEV, RDMA_NLDEV_CMD_SET));
	assert_int_equal(script_sent(0)->nlmsg_len, 16 + sizeof(want));
	assert_memory_equal(script.sent[0] + 16, want, sizeof(want));
	script_result(-EOPNOTSUPP);
	assert_int_equal(nl_rdma_set_netns(&script.sock, 4, 17, &e), -EOPNOTSUPP);
	has_text("move RDMA device 4 to its namespace: Operation not supported");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_device),
		T(test_port),
		T(test_port_without_netdev),
		T(test_wrong_sizes),
		T(test_wrong_messages),
		T(test_cut_at_every_length),
		T(test_list),
		T(test_list_starts_again),
		T(test_more_than_there_is_room_for),
		T(test_device_that_vanished_and_other_errors),
		T(test_kernel_without_rdma),
		T(test_open),
		T(test_namespace_mode),
		T(test_namespace_mode_malformed),
		T(test_set_netns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
