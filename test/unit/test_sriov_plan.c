/* SPDX-License-Identifier: MIT */
/* What a VF needs, from what it is and what is wanted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <net/if_arp.h>
#include <string.h>

#include "sriov/conf.h"
#include "sriov/plan.h"
#include "sriov/vfid.h"

static const uint8_t mac_a[6] = {0x52, 0x54, 0, 0, 0, 0xaa};
static const uint8_t mac_b[6] = {0x52, 0x54, 0, 0, 0, 0xbb};
static const uint8_t pf_mac[6] = {0x52, 0x54, 0, 0, 0, 1};
static const struct sriov_policy policy = {.trust = true, .spoofchk = false};

static struct sriov_vf vf;
static struct nl_link net;
static struct sriov_origin origin;
static struct sriov_vf_plan plan;
static struct err e;

/* VF 3 of an Ethernet PF, all as the policy wants it. */
static int begin(void **state)
{
	(void)state;
	vf = (struct sriov_vf){.index = 3, .state = SRIOV_VF_FREE, .netdev = "vf3"};
	vf.kernel = (struct nl_vf){.index = 3,
		.has = NL_VF_PRESENT | NL_VF_MAC | NL_VF_TRUST | NL_VF_SPOOFCHK | NL_VF_LINK_STATE,
		.trust = NL_VF_ON,
		.spoofchk = NL_VF_OFF};
	memcpy(vf.kernel.mac, mac_a, 6);
	net = (struct nl_link){.addr_n = 6};
	memcpy(net.addr, mac_a, 6);
	origin = (struct sriov_origin){.addr_n = 6};
	memcpy(origin.addr, pf_mac, 6);
	return 0;
}

static void make_plan(void)
{
	sriov_plan_vf(&vf, &net, &policy, &origin, &plan);
}

static void nothing_to_do(void **state)
{
	(void)state;
	make_plan();
	assert_int_equal(plan.set, 0);
	assert_int_equal(plan.unsupported, 0);
}

static void interface_address_becomes_administrative(void **state)
{
	(void)state;
	memset(vf.kernel.mac, 0, 6);
	make_plan();
	assert_int_equal(plan.set, SRIOV_SET_MAC);
	assert_memory_equal(plan.mac, mac_a, 6);
	memcpy(vf.kernel.mac, mac_b, 6);
	make_plan();
	assert_int_equal(plan.set, SRIOV_SET_MAC);
	assert_memory_equal(plan.mac, mac_a, 6);
}

static void administrative_address_for_interface_without(void **state)
{
	(void)state;
	memset(net.addr, 0, 6);
	make_plan();
	assert_int_equal(plan.set, SRIOV_SET_NETDEV_MAC);
	assert_memory_equal(plan.mac, mac_a, 6);
}

static void derived_address_where_there_is_none(void **state)
{
	uint8_t derived[6];

	(void)state;
	sriov_vfid_mac(pf_mac, 3, derived);
	memset(net.addr, 0, 6);
	memset(vf.kernel.mac, 0, 6);
	make_plan();
	assert_int_equal(plan.set, SRIOV_SET_MAC | SRIOV_SET_NETDEV_MAC);
	assert_memory_equal(plan.mac, derived, 6);
}

static void vf_without_interface(void **state)
{
	uint8_t derived[6];

	(void)state;
	sriov_vfid_mac(pf_mac, 3, derived);
	sriov_plan_vf(&vf, NULL, &policy, &origin, &plan);
	assert_int_equal(plan.set, 0);
	memset(vf.kernel.mac, 0, 6);
	sriov_plan_vf(&vf, NULL, &policy, &origin, &plan);
	assert_int_equal(plan.set, SRIOV_SET_MAC);
	assert_memory_equal(plan.mac, derived, 6);
}

static void trust_and_spoof_check(void **state)
{
	struct sriov_policy other = {.trust = false, .spoofchk = true};

	(void)state;
	vf.kernel.trust = NL_VF_OFF;
	vf.kernel.spoofchk = NL_VF_ON;
	make_plan();
	assert_int_equal(plan.set, SRIOV_SET_TRUST | SRIOV_SET_SPOOFCHK);
	assert_true(plan.trust);
	assert_false(plan.spoofchk);
	sriov_plan_vf(&vf, &net, &other, &origin, &plan);
	assert_int_equal(plan.set, 0);
}

static void what_the_driver_has_not(void **state)
{
	(void)state;
	vf.kernel.trust = NL_VF_UNSUPPORTED;
	vf.kernel.spoofchk = NL_VF_UNSUPPORTED;
	vf.kernel.has = NL_VF_PRESENT;
	memset(vf.kernel.mac, 0, 6);
	make_plan();
	assert_int_equal(plan.set, 0);
	assert_int_equal(plan.unsupported, SRIOV_SET_MAC | SRIOV_SET_TRUST | SRIOV_SET_SPOOFCHK);
}

static void link_state_is_left_alone_on_ethernet(void **state)
{
	(void)state;
	vf.kernel.link_state = NL_VF_LINK_DISABLE;
	make_plan();
	assert_int_equal(plan.set, 0);
}

static void infiniband(void **state)
{
	(void)state;
	origin.infiniband = true;
	vf.kernel.has |= NL_VF_NODE_GUID | NL_VF_PORT_GUID;
	vf.kernel.trust = NL_VF_UNSUPPORTED;
	memset(vf.kernel.mac, 0, 6);
	vf.kernel.link_state = NL_VF_LINK_DISABLE;
	make_plan();
	assert_int_equal(
		plan.set, SRIOV_SET_NODE_GUID | SRIOV_SET_PORT_GUID | SRIOV_SET_LINK_STATE);
	assert_int_equal(plan.unsupported, 0);
	assert_true(plan.node_guid == sriov_vfid_guid(pf_mac, 6, 3, SRIOV_GUID_NODE));
	assert_true(plan.port_guid == sriov_vfid_guid(pf_mac, 6, 3, SRIOV_GUID_PORT));

	vf.kernel.node_guid = 0x1122;
	vf.kernel.port_guid = 0x3344;
	vf.kernel.link_state = NL_VF_LINK_AUTO;
	make_plan();
	assert_int_equal(plan.set, 0);
	assert_true(plan.node_guid == 0x1122);
	assert_true(plan.port_guid == 0x3344);

	vf.kernel.has = NL_VF_PRESENT;
	make_plan();
	assert_int_equal(plan.set, 0);
	assert_int_equal(
		plan.unsupported, SRIOV_SET_NODE_GUID | SRIOV_SET_PORT_GUID | SRIOV_SET_LINK_STATE);
}

static void origin_prefers_the_permanent_address(void **state)
{
	struct nl_link l = {.arphrd = ARPHRD_ETHER, .addr_n = 6};
	struct sriov_origin o;

	(void)state;
	memcpy(l.addr, mac_b, 6);
	sriov_origin_of(&l, &o);
	assert_false(o.infiniband);
	assert_int_equal(o.addr_n, 6);
	assert_memory_equal(o.addr, mac_b, 6);
	l.perm_addr_n = 6;
	memcpy(l.perm_addr, mac_a, 6);
	l.arphrd = ARPHRD_INFINIBAND;
	sriov_origin_of(&l, &o);
	assert_true(o.infiniband);
	assert_memory_equal(o.addr, mac_a, 6);
	/* Even without any address there is something to derive from. */
	l.perm_addr_n = 0;
	l.addr_n = 0;
	sriov_origin_of(&l, &o);
	assert_int_equal(o.addr_n, 0);
}

static int num(uint32_t total, uint32_t now, uint32_t want, uint32_t *out)
{
	struct sriov_pf pf = {.name = "pf", .total_vfs = total, .num_vfs = now};

	return sriov_plan_num(&pf, want, out, &e);
}

static void numbers(void **state)
{
	uint32_t got = 99;

	(void)state;
	assert_int_equal(num(7, 0, SRIOV_VFS_MAX_WORD, &got), 0);
	assert_int_equal(got, 7);
	assert_int_equal(num(7, 3, 5, &got), 0);
	assert_int_equal(got, 5);
	assert_int_equal(num(7, 3, 7, &got), 0);
	assert_int_equal(got, 7);
	assert_int_equal(num(7, 3, 0, &got), 0);
	assert_int_equal(got, 0);
	assert_int_equal(num(60000, 0, SRIOV_VFS_MAX_WORD, &got), 0);
	assert_int_equal(got, SRIOV_PF_VF_MAX);

	assert_int_equal(num(7, 3, SRIOV_NUM_DEFAULT, &got), 0);
	assert_int_equal(got, 3);
	assert_int_equal(num(7, 0, SRIOV_NUM_DEFAULT, &got), 0);
	assert_int_equal(got, 7);

	got = 99;
	assert_int_equal(num(7, 3, 8, &got), -ERANGE);
	assert_non_null(strstr(e.msg, "8 VFs"));
	assert_non_null(strstr(e.msg, "7 at most"));
	assert_int_equal(num(60000, 0, SRIOV_PF_VF_MAX + 1, &got), -ERANGE);
	assert_int_equal(got, 99);
}

static void numbers_of_devices_that_do_not_say(void **state)
{
	uint32_t got = 99;

	(void)state;
	assert_int_equal(num(0, 0, SRIOV_VFS_MAX_WORD, &got), -ENOTSUP);
	assert_int_equal(num(0, 0, SRIOV_NUM_DEFAULT, &got), -ENOTSUP);
	assert_int_equal(num(0, 0, 4, &got), -ENOTSUP);
	assert_int_equal(num(0, 3, 4, &got), -ENOTSUP);
	assert_non_null(strstr(e.msg, "4 VFs are asked for, it has 3"));
	assert_int_equal(got, 99);
	assert_int_equal(num(0, 3, SRIOV_VFS_MAX_WORD, &got), 0);
	assert_int_equal(got, 3);
	assert_int_equal(num(0, 3, 3, &got), 0);
}

static void tells_who_holds(const char *want)
{
	char text[256];
	struct buf b;

	buf_init(&b, text, sizeof(text));
	sriov_plan_holder(&b, &vf);
	assert_true(str_eq_c(buf_str(&b), want));
}

static void holders(void **state)
{
	struct sriov_holder h = {.pod_namespace = "default",
		.pod_name = "web-0",
		.container_id = "c0ffee",
		.ifname = "eth1"};

	(void)state;
	tells_who_holds("not in use");
	vf.state = SRIOV_VF_AWAY;
	tells_who_holds("its interface is in another network namespace");
	vf.state = SRIOV_VF_NO_DRIVER;
	tells_who_holds("bound to no driver");
	vf.state = SRIOV_VF_VFIO;
	(void)!str_copy(STR("vfio-pci"), vf.driver, sizeof(vf.driver));
	tells_who_holds("bound to vfio-pci");
	vf.holder = &h;
	tells_who_holds("held by pod default/web-0, container c0ffee, interface eth1");
	h.pod_name = "";
	tells_who_holds("held by container c0ffee, interface eth1");
}

static void every_setting_has_a_name(void **state)
{
	(void)state;
	for (int i = 0; i < SRIOV_SETS; i++) {
		assert_true(strlen(sriov_set_name(1u << i)) > 0);
		for (int j = 0; j < i; j++) {
			assert_string_not_equal(sriov_set_name(1u << i), sriov_set_name(1u << j));
		}
	}
}

#define CASE(f) cmocka_unit_test_setup(f, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(nothing_to_do),
		CASE(interface_address_becomes_administrative),
		CASE(administrative_address_for_interface_without),
		CASE(derived_address_where_there_is_none),
		CASE(vf_without_interface),
		CASE(trust_and_spoof_check),
		CASE(what_the_driver_has_not),
		CASE(link_state_is_left_alone_on_ethernet),
		CASE(infiniband),
		CASE(origin_prefers_the_permanent_address),
		CASE(numbers),
		CASE(numbers_of_devices_that_do_not_say),
		CASE(holders),
		CASE(every_setting_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
