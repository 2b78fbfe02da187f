/* SPDX-License-Identifier: MIT */
/* Two readings of a VF compared: every setting, in words. */
#include "unit.h"

#include "ledger_sample.h"
#include "sriov/saved.h"

static struct sriov_saved want, now;
static char text[128];

static bool differ(uint32_t mask)
{
	memset(text, 'x', sizeof(text));
	return sriov_saved_diff(&want, &now, mask, text, sizeof(text));
}

static void says(const char *words)
{
	assert_true(differ(UINT32_MAX));
	assert_string_equal(text, words);
	sample_saved(&want);
	sample_saved(&now);
	assert_false(differ(UINT32_MAX));
}

static void test_each_setting(void **state)
{
	(void)state;
	sample_saved(&want);
	sample_saved(&now);
	now.admin_mac[5] = 9;
	says("administrative MAC address is 02:00:00:00:00:09, not 02:00:00:00:00:03");
	now.mac[0] = 4;
	says("MAC address of the interface is 04:00:00:00:00:04, not 02:00:00:00:00:04");
	now.vlan = now.qos = 0;
	says("VLAN is 0, not 100 (priority 3, 802.1ad)");
	now.vlan_proto = NL_VLAN_8021Q;
	says("VLAN is 100 (priority 3, 802.1Q), not 100 (priority 3, 802.1ad)");
	now.min_tx_rate = 0;
	says("minimum rate is 0, not 10");
	now.max_tx_rate = 1;
	says("maximum rate is 1, not 4294967295");
	now.spoofchk = false;
	says("spoof check is off, not on");
	now.trust = true;
	says("trust is on, not off");
	now.link_state = NL_VF_LINK_AUTO;
	says("link state is auto, not disable");
	now.node_guid = 1;
	says("node GUID is 0000000000000001, not 0200000000000003");
	now.port_guid = 1;
	says("port GUID is 0000000000000001, not ffeeddccbbaa9988");
	(void)snprintf(now.netdev, sizeof(now.netdev), "x");
	says("name is x, not enp4s0f0v3");
	now.mtu = 1500;
	says("MTU is 1500, not 9000");
	now.up = false;
	says("state is off, not on");
	now.promisc = true;
	says("promiscuous mode is on, not off");
	now.allmulti = false;
	says("allmulticast mode is off, not on");
}

static void test_the_first_of_several(void **state)
{
	(void)state;
	sample_saved(&want);
	sample_saved(&now);
	now.mtu = 1;
	now.trust = true;
	now.vlan = 4;
	assert_true(differ(UINT32_MAX));
	assert_ptr_equal(strstr(text, "VLAN"), text);
	assert_true(differ(~(uint32_t)SRIOV_HAS_VLAN));
	assert_ptr_equal(strstr(text, "trust"), text);
	assert_true(differ(SRIOV_HAS_NETDEV));
	assert_ptr_equal(strstr(text, "MTU"), text);
	assert_false(differ(SRIOV_HAS_MAC));
	assert_string_equal(text, "");
}

static void test_what_is_unknown_is_not_compared(void **state)
{
	(void)state;
	for (uint32_t bit = 1; bit <= SRIOV_HAS_NETDEV; bit <<= 1) {
		sample_saved(&want);
		memset(&now, 0xff, sizeof(now));
		now.has = UINT32_MAX & ~bit;
		assert_false(differ(bit));
		now.has = UINT32_MAX;
		want.has = ~bit;
		assert_false(differ(bit));
	}
}

static void test_no_vlan_has_no_protocol(void **state)
{
	(void)state;
	sample_saved(&want);
	sample_saved(&now);
	want.vlan = want.qos = now.vlan = now.qos = 0;
	now.vlan_proto = 0;
	assert_false(differ(UINT32_MAX));
	want.netdev[0] = '\0'; /* any name will do */
	now.altname_n = 0;
	now.rdma[0] = '\0';
	assert_false(differ(UINT32_MAX));
}

static void test_little_room_for_words(void **state)
{
	char tiny[8];

	(void)state;
	sample_saved(&want);
	sample_saved(&now);
	now.mtu = 1;
	assert_true(sriov_saved_diff(&want, &now, UINT32_MAX, tiny, sizeof(tiny)));
	assert_non_null(memchr(tiny, '\0', sizeof(tiny)));
	assert_true(sriov_saved_diff(&want, &now, UINT32_MAX, tiny, 1));
	assert_int_equal(tiny[0], '\0');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_setting),
		cmocka_unit_test(test_the_first_of_several),
		cmocka_unit_test(test_what_is_unknown_is_not_compared),
		cmocka_unit_test(test_no_vlan_has_no_protocol),
		cmocka_unit_test(test_little_room_for_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
