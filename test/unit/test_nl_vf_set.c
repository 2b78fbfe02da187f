/* SPDX-License-Identifier: MIT */
/* src/nl/vf_set.c: the bytes of each request, and what is refused before it is sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "nl/vf.h"
#include "nl_script.h"

static int setup(void **state)
{
	int r = script_setup(state);

	script_result(0);
	return r;
}

static uint16_t read16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v & (uint16_t)~NLA_F_NESTED;
}

/* The only request: SETLINK of interface 7 with VFINFO_LIST { VF_INFO { value } }, no more. */
static void check(uint16_t type, const void *value, size_t n)
{
	const uint8_t *p = script.sent[0];
	struct ifinfomsg ifi;

	assert_int_equal(script.sent_n, 1);
	assert_int_equal(script_sent(0)->nlmsg_type, RTM_SETLINK);
	assert_int_equal(script_sent(0)->nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK);
	memcpy(&ifi, p + 16, sizeof(ifi));
	assert_int_equal(ifi.ifi_index, 7);
	assert_int_equal(ifi.ifi_change, 0);
	assert_int_equal(script_sent(0)->nlmsg_len, 32 + 4 + 4 + 4 + n);
	assert_int_equal(read16(p + 32), 12 + n);
	assert_int_equal(read16(p + 34), IFLA_VFINFO_LIST);
	assert_int_equal(read16(p + 36), 8 + n);
	assert_int_equal(read16(p + 38), IFLA_VF_INFO);
	assert_int_equal(read16(p + 40), 4 + n);
	assert_int_equal(read16(p + 42), type);
	assert_memory_equal(p + 44, value, n);
}

static void test_mac(void **state)
{
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 5};
	struct ifla_vf_mac v = {.vf = 3, .mac = {2, 0, 0, 0, 0, 5}};

	(void)state;
	assert_int_equal(nl_vf_set_mac(&script.sock, 7, 3, mac, 6, &e), 0);
	check(IFLA_VF_MAC, &v, sizeof(v));
}

static void test_trust(void **state)
{
	uint32_t v[2] = {3, 1};

	(void)state;
	assert_int_equal(nl_vf_set_trust(&script.sock, 7, 3, true, &e), 0);
	check(IFLA_VF_TRUST, v, sizeof(v));
}

static void test_spoofchk(void **state)
{
	uint32_t v[2] = {125, 0};

	(void)state;
	assert_int_equal(nl_vf_set_spoofchk(&script.sock, 7, 125, false, &e), 0);
	check(IFLA_VF_SPOOFCHK, v, sizeof(v));
}

static void test_link_state(void **state)
{
	uint32_t v[2] = {0, 1};

	(void)state;
	assert_int_equal(nl_vf_set_link_state(&script.sock, 7, 0, NL_VF_LINK_ENABLE, &e), 0);
	check(IFLA_VF_LINK_STATE, v, sizeof(v));
}

static void test_rate(void **state)
{
	struct ifla_vf_rate v = {3, 100, 1000};

	(void)state;
	assert_int_equal(nl_vf_set_rate(&script.sock, 7, 3, 100, 1000, &e), 0);
	check(IFLA_VF_RATE, &v, sizeof(v));
}

/* A guarantee without a limit is fine. */
static void test_rate_without_maximum(void **state)
{
	struct ifla_vf_rate v = {3, 100, 0};

	(void)state;
	assert_int_equal(nl_vf_set_rate(&script.sock, 7, 3, 100, 0, &e), 0);
	check(IFLA_VF_RATE, &v, sizeof(v));
}

static void test_vlan(void **state)
{
	struct ifla_vf_vlan v = {3, 4094, 7};

	(void)state;
	assert_int_equal(nl_vf_set_vlan(&script.sock, 7, 3, 4094, 7, NL_VLAN_8021Q, &e), 0);
	check(IFLA_VF_VLAN, &v, sizeof(v));
}

static void test_vlan_8021ad(void **state)
{
	struct ifla_vf_vlan_info v = {.vf = 3, .vlan = 5, .qos = 1, .vlan_proto = 0xa888};
	uint8_t nest[4 + sizeof(v)];
	struct nlattr a = {sizeof(nest), IFLA_VF_VLAN_INFO};

	(void)state;
	memcpy(nest, &a, sizeof(a));
	memcpy(nest + 4, &v, sizeof(v));
	assert_int_equal(nl_vf_set_vlan(&script.sock, 7, 3, 5, 1, NL_VLAN_8021AD, &e), 0);
	check(IFLA_VF_VLAN_LIST, nest, sizeof(nest));
}

static void test_node_guid(void **state)
{
	static const struct ifla_vf_guid v = {.vf = 3, .guid = 0x0011223344556677};

	(void)state;
	assert_int_equal(nl_vf_set_node_guid(&script.sock, 7, 3, v.guid, &e), 0);
	check(IFLA_VF_IB_NODE_GUID, &v, sizeof(v));
}

static void test_port_guid(void **state)
{
	static const struct ifla_vf_guid v = {.vf = 3, .guid = 0x0011223344556677};

	(void)state;
	assert_int_equal(nl_vf_set_port_guid(&script.sock, 7, 3, v.guid, &e), 0);
	check(IFLA_VF_IB_PORT_GUID, &v, sizeof(v));
}

static void test_refused_before_sending(void **state)
{
	static const uint8_t mac[33] = {2};
	struct nl_sock *s = &script.sock;

	(void)state;
	assert_int_equal(nl_vf_set_mac(s, 7, 3, mac, 0, &e), -EINVAL);
	assert_int_equal(nl_vf_set_mac(s, 7, 3, mac, 33, &e), -EINVAL);
	assert_int_equal(nl_vf_set_mac(s, 0, 3, mac, 6, &e), -EINVAL);
	assert_int_equal(nl_vf_set_trust(s, 0x80000000u, 3, true, &e), -EINVAL);
	assert_int_equal(nl_vf_set_rate(s, 7, 3, 1000, 999, &e), -EINVAL);
	assert_string_equal(e.msg, "VF 3: minimum rate 1000 Mb/s is above the maximum 999");
	assert_int_equal(nl_vf_set_vlan(s, 7, 3, 4095, 0, NL_VLAN_8021Q, &e), -EINVAL);
	assert_int_equal(nl_vf_set_vlan(s, 7, 3, 1, 8, NL_VLAN_8021Q, &e), -EINVAL);
	assert_string_equal(e.msg, "VF 3: VLAN 1 with priority 8 is out of range");
	assert_int_equal(nl_vf_set_vlan(s, 7, 3, 1, 0, 0x0800, &e), -EINVAL);
	assert_string_equal(e.msg, "VF 3: 0x0800 is no VLAN protocol");
	assert_int_equal(script.sent_n, 0);
}

static void test_refusals_of_the_driver(void **state)
{
	struct mb *m;

	script_teardown(state);
	(void)script_setup(state);
	m = script_result(-EOPNOTSUPP);
	mb_str(m, NLMSGERR_ATTR_MSG, "no trust here");
	assert_int_equal(nl_vf_set_trust(&script.sock, 7, 3, true, &e), -EOPNOTSUPP);
	assert_string_equal(e.msg, "set trust of VF 3: Operation not supported: no trust here");
	script_result(-EAGAIN);
	assert_int_equal(nl_vf_set_rate(&script.sock, 7, 3, 0, 50, &e), -EAGAIN);
	assert_non_null(strstr(e.msg, "set rates of VF 3: "));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, script_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_mac),
		T(test_trust),
		T(test_spoofchk),
		T(test_link_state),
		T(test_rate),
		T(test_rate_without_maximum),
		T(test_vlan),
		T(test_vlan_8021ad),
		T(test_node_guid),
		T(test_port_guid),
		T(test_refused_before_sending),
		T(test_refusals_of_the_driver),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
