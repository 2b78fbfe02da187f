/* SPDX-License-Identifier: MIT */
/* Bringing a PF up, on a fake sysfs and a fake driver that fail, lag and refuse as real ones do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "fake_driver.h"
#include "sriov/bringup.h"
#include "sriov/conf.h"

#define PF "0000:01:00.0"

static struct sriov_kernel kernel;
static struct sriov_bringup b;
static struct err e;

static const char *vf_bdf(uint32_t i)
{
	static char bdf[16];

	(void)snprintf(bdf, sizeof(bdf), "0000:01:10.%x", i);
	return bdf;
}

static void add_netdev(uint32_t i)
{
	tree_netdev(&fake.t, fake.net[i].name, vf_bdf(i));
}

static void hide_netdev(uint32_t i)
{
	tree_remove(&fake.t, "devices/%s/net/%s/dev_port", vf_bdf(i), fake.net[i].name);
	tree_remove(&fake.t, "devices/%s/net/%s/device", vf_bdf(i), fake.net[i].name);
	tree_remove(&fake.t, "devices/%s/net/%s", vf_bdf(i), fake.net[i].name);
}

/* A PF "pf" that can have 8 VFs and has `num`, their interfaces there, nothing set yet. */
static void world(const char *num)
{
	tree_pf(&fake.t, "pf", PF, "igb", "8\n", num);
	for (uint32_t i = 0; i < FAKE_VFS; i++) {
		(void)snprintf(fake.net[i].name, sizeof(fake.net[i].name), "vf%u", i);
		fake.net[i].ifindex = VF_INDEX + i;
		fake.net[i].addr_n = 6;
		memcpy(fake.net[i].addr, (uint8_t[]){0x52, 0x54, 0, 0, 1, (uint8_t)i}, 6);
		fake.vf[i] = (struct nl_vf){.index = i,
			.has = NL_VF_PRESENT | NL_VF_MAC | NL_VF_TRUST | NL_VF_SPOOFCHK,
			.spoofchk = NL_VF_ON};
		tree_vf(&fake.t, PF, i, vf_bdf(i), "igbvf", fake.net[i].name);
	}
}

static int begin(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	memset(&ledger, 0, sizeof(ledger));
	tree_init(&fake.t);
	fake.made_max = FAKE_VFS;
	fake.pf = (struct nl_link){
		.ifindex = PF_INDEX, .arphrd = ARPHRD_ETHER, .addr_n = 6, .name = "pf"};
	ledger.record = (struct sriov_holder){.pod_namespace = "default",
		.pod_name = "web-0",
		.container_id = "c0ffee",
		.ifname = "eth0"};
	kernel.sysfs = fake.t.fd;
	kernel.genl.fd = -1;
	b.k = &kernel;
	b.policy = (struct sriov_policy){.trust = true, .spoofchk = false};
	b.timeout_ms = 5000;
	b.holders = holders;
	return 0;
}

static int end(void **state)
{
	(void)state;
	tree_free(&fake.t);
	return 0;
}

static int bring_up(uint32_t want)
{
	return sriov_bringup(&b, "pf", want, &e);
}

static const char *num_vfs(void)
{
	return tree_text(&fake.t, "devices/" PF "/sriov_numvfs");
}

static bool as_wanted(uint32_t i)
{
	return memcmp(fake.vf[i].mac, fake.net[i].addr, 6) == 0 && fake.vf[i].trust == NL_VF_ON &&
	       fake.vf[i].spoofchk == NL_VF_OFF;
}

static void untouched(uint32_t i)
{
	for (size_t s = 0; s < fake.sets; s++) {
		assert_true(fake.order[s] >> 8 != i);
	}
}

static void makes_and_sets_all(void **state)
{
	(void)state;
	world("0\n");
	assert_int_equal(bring_up(SRIOV_VFS_MAX_WORD), 0);
	assert_string_equal(num_vfs(), "8");
	for (uint32_t i = 0; i < FAKE_VFS; i++) {
		assert_true(as_wanted(i));
	}
	assert_true((fake.pf.flags & IFF_UP) != 0);
	assert_int_equal(logged("info: pf: 8 VFs made, 8 set up"), 1);
	assert_int_equal(logged("warning"), 0);
	assert_int_equal(logged("error"), 0);

	/* Again: nothing changes. */
	fake.sets = 0;
	assert_int_equal(bring_up(SRIOV_VFS_MAX_WORD), 0);
	assert_int_equal(fake.sets, 0);
	assert_int_equal(logged("info: pf: 8 VFs, all as they should be"), 1);
	assert_int_equal(logged("making"), 1);
}

static void trust_comes_before_the_interface_address(void **state)
{
	(void)state;
	world("1\n");
	memset(fake.net[0].addr, 0, 6);
	assert_int_equal(bring_up(1), 0);
	assert_int_equal(fake.sets, 4);
	assert_int_equal(1u << fake.order[0], SRIOV_SET_MAC);
	assert_int_equal(1u << fake.order[1], SRIOV_SET_TRUST);
	assert_int_equal(1u << fake.order[2], SRIOV_SET_SPOOFCHK);
	assert_int_equal(1u << fake.order[3], SRIOV_SET_NETDEV_MAC);
	assert_true(as_wanted(0));
	assert_false(mac_is_zero(fake.vf[0].mac));
}

static void address_that_needs_the_interface_down(void **state)
{
	(void)state;
	world("1\n");
	memset(fake.net[0].addr, 0, 6);
	fake.net[0].flags = IFF_UP;
	fake.failure[0] = (struct fake_failure){SRIOV_SET_NETDEV_MAC, 0, EADDRNOTAVAIL, 1};
	assert_int_equal(bring_up(1), 0);
	assert_true(as_wanted(0));
	assert_int_equal(fake.net[0].flags, IFF_UP);
}

static void interface_is_up_again_after_a_refusal(void **state)
{
	(void)state;
	world("1\n");
	memset(fake.net[0].addr, 0, 6);
	fake.net[0].flags = IFF_UP;
	fake.failure[0] = (struct fake_failure){SRIOV_SET_NETDEV_MAC, 0, EADDRNOTAVAIL, 9};
	assert_int_equal(bring_up(1), -EIO);
	assert_int_equal(fake.net[0].flags, IFF_UP);
	assert_int_equal(logged("error: pf: VF 0: MAC address of the VF's interface refused"), 1);
}

static void too_many(void **state)
{
	(void)state;
	world("2\n");
	assert_int_equal(bring_up(9), -ERANGE);
	assert_non_null(strstr(e.msg, "9 VFs are asked for, the device can have 8"));
	assert_string_equal(num_vfs(), "2");
	assert_int_equal(fake.sets, 0);
}

static void another_number_goes_through_none(void **state)
{
	(void)state;
	world("2\n");
	assert_int_equal(bring_up(5), 0);
	assert_string_equal(num_vfs(), "5");
	assert_int_equal(logged("removing its 2 VFs"), 1);
	assert_int_equal(logged("5 VFs made, 5 set up"), 1);
	assert_int_equal(bring_up(0), 0);
	assert_string_equal(num_vfs(), "0");
	assert_int_equal(logged("info: pf: 0 VFs"), 1);
}

static void refuses_while_in_use(void **state)
{
	(void)state;
	world("4\n");
	ledger.held[0] = true;
	hide_netdev(1);
	tree_vf(&fake.t, PF, 2, vf_bdf(2), "vfio-pci", NULL);
	hide_netdev(2);
	assert_int_equal(bring_up(5), -EBUSY);
	assert_non_null(strstr(e.msg, "keeps its 4 VFs (5 asked for): 3 of them in use"));
	assert_int_equal(logged("VF 0 is in use: held by pod default/web-0"), 1);
	assert_int_equal(logged("VF 1 is in use: its interface is in another"), 1);
	assert_int_equal(logged("VF 2 is in use: bound to vfio-pci"), 1);
	assert_string_equal(num_vfs(), "4");
	assert_int_equal(fake.sets, 0);
}

static void refuses_when_it_cannot_know(void **state)
{
	(void)state;
	world("4\n");
	ledger.damaged = true;
	assert_int_equal(bring_up(5), -EBUSY);
	assert_non_null(strstr(e.msg, "abc:eth0.json: damaged"));
	ledger.code = EACCES;
	assert_int_equal(bring_up(5), -EACCES);
	assert_non_null(strstr(e.msg, "attachments: not readable"));
	/* Not even what is there already is changed. */
	assert_int_equal(bring_up(4), -EACCES);
	assert_string_equal(num_vfs(), "4");
	assert_int_equal(fake.sets, 0);
}

static void damaged_records_stop_changes_only(void **state)
{
	(void)state;
	world("2\n");
	ledger.damaged = true;
	assert_int_equal(bring_up(2), -EIO);
	assert_int_equal(fake.sets, 0);
	assert_int_equal(logged("left alone, its holder may be unreadable: abc:eth0.json"), 2);
	ledger.damaged = false;
	assert_int_equal(bring_up(2), 0);
	ledger.damaged = true;
	assert_int_equal(bring_up(2), 0); /* nothing to change */
	/* VFs made just now can be nobody's. */
	tree_file(&fake.t, "0\n", "devices/" PF "/sriov_numvfs");
	memset(fake.vf[0].mac, 0, 6);
	assert_int_equal(bring_up(2), 0);
	assert_true(as_wanted(0));
}

static void vfs_in_use_are_left_alone(void **state)
{
	(void)state;
	world("5\n");
	ledger.held[0] = true;
	hide_netdev(1);
	tree_vf(&fake.t, PF, 2, vf_bdf(2), "vfio-pci", NULL);
	hide_netdev(2);
	tree_remove(&fake.t, "devices/%s/driver", vf_bdf(3));
	hide_netdev(3);
	assert_int_equal(bring_up(5), 0);
	for (uint32_t i = 0; i < 4; i++) {
		untouched(i);
	}
	assert_true(as_wanted(4));
	assert_int_equal(logged("pf: 5 VFs, 1 set up, 4 in use and left alone"), 1);
	assert_int_equal(fake.now_ms < 1000, 1); /* nobody waits for them */
}

/* While VF 0 is set, a pod gets VF 1. */
static void take_vf1(uint32_t vf, enum sriov_set what)
{
	(void)what;
	if (vf == 0) {
		ledger.held[1] = true;
	}
}

static void vf_taken_while_others_are_set(void **state)
{
	(void)state;
	world("3\n");
	fake.before_set = take_vf1;
	assert_int_equal(bring_up(3), 0);
	untouched(1);
	assert_true(as_wanted(0));
	assert_true(as_wanted(2));
	assert_int_equal(logged("pf: 3 VFs, 2 set up, 1 in use and left alone"), 1);
}

static void move_vf1(uint32_t vf, enum sriov_set what)
{
	(void)what;
	if (vf == 0 && fake.sets == 0) {
		hide_netdev(1);
	}
}

static void vf_moved_away_while_others_are_set(void **state)
{
	(void)state;
	world("3\n");
	fake.before_set = move_vf1;
	assert_int_equal(bring_up(3), 0);
	untouched(1);
	assert_int_equal(logged("2 set up, 1 in use and left alone"), 1);
}

static void add_late(void)
{
	if (fake.now_ms > 4000 && !file_exists(fake.t.fd, "devices/0000:01:10.2/net/vf2")) {
		add_netdev(2);
	}
}

static void waits_for_interfaces(void **state)
{
	(void)state;
	world("0\n");
	hide_netdev(2);
	fake.at_sleep = add_late;
	assert_int_equal(bring_up(3), 0);
	assert_true(as_wanted(2));
	assert_int_equal(logged("info: pf: 2/3 VFs ready"), 1);
	assert_true(fake.now_ms >= 4000);
}

static void names_interfaces_that_never_come(void **state)
{
	(void)state;
	world("0\n");
	hide_netdev(1);
	hide_netdev(2);
	tree_remove(&fake.t, "devices/%s/driver", vf_bdf(2));
	assert_int_equal(bring_up(4), -EIO);
	assert_non_null(strstr(e.msg, "pf: 4 VFs made, 2 set up, 2 failed"));
	assert_int_equal(logged("VF 1 (0000:01:10.1): its driver igbvf has made no interface"), 1);
	assert_int_equal(logged("VF 2 (0000:01:10.2) is bound to no driver: is the kernel module "
				"igbvf loaded?"),
		1);
	assert_int_equal(logged("2 of 4 VFs have no interface after 5 s"), 1);
	assert_true(as_wanted(0));
	assert_true(as_wanted(3));
	untouched(1);
}

static void autoprobe_off_waits_for_nothing(void **state)
{
	(void)state;
	world("0\n");
	tree_file(&fake.t, "0\n", "devices/" PF "/sriov_drivers_autoprobe");
	for (uint32_t i = 0; i < 3; i++) {
		hide_netdev(i);
		tree_remove(&fake.t, "devices/%s/driver", vf_bdf(i));
	}
	assert_int_equal(bring_up(3), 0);
	assert_int_equal(logged("warning: pf: sriov_drivers_autoprobe is 0"), 1);
	assert_int_equal(fake.sets, 0);
	assert_true(fake.now_ms < 1000);
}

static void driver_makes_fewer(void **state)
{
	(void)state;
	world("0\n");
	fake.made_max = 3;
	assert_int_equal(bring_up(8), 0);
	assert_int_equal(logged("warning: pf: 8 VFs were asked for, driver igb made 3"), 1);
	assert_int_equal(logged("pf: 3 VFs made, 3 set up"), 1);
	/* Run again as it was, it must not remove the VFs that are there. */
	ledger.held[1] = true;
	assert_int_equal(bring_up(SRIOV_NUM_DEFAULT), 0);
	assert_int_equal(logged("pf: keeps its 3 VFs; the device can have 8"), 1);
	assert_int_equal(bring_up(SRIOV_VFS_MAX_WORD), -EBUSY);
}

static void driver_refuses_the_number(void **state)
{
	(void)state;
	world("0\n");
	fake.write_code = ENOMEM;
	assert_int_equal(bring_up(8), -ENOMEM);
	assert_string_equal(e.msg, "pf: write sriov_numvfs: refused");
	tree_file(&fake.t, "2\n", "devices/" PF "/sriov_numvfs");
	assert_int_equal(bring_up(8), -ENOMEM);
	assert_non_null(strstr(e.msg, "had 2 VFs and now has none"));
}

static void driver_hangs(void **state)
{
	(void)state;
	world("0\n");
	fake.write_hangs = true;
	fake.tick_ms = 3000;
	assert_int_equal(bring_up(8), -ETIMEDOUT);
	assert_non_null(strstr(e.msg, "the driver igb is still busy with sriov_numvfs after 5 s"));
}

static void transient_errors_are_tried_again(void **state)
{
	(void)state;
	world("3\n");
	fake.failure[0] = (struct fake_failure){SRIOV_SET_MAC, 0, EAGAIN, 4};
	fake.failure[1] = (struct fake_failure){SRIOV_SET_TRUST, 1, EBUSY, 2};
	assert_int_equal(bring_up(3), 0);
	for (uint32_t i = 0; i < 3; i++) {
		assert_true(as_wanted(i));
	}
	assert_int_equal(logged("error"), 0);
	/* What was accepted is not set again: 3 settings for each VF, no more. */
	assert_int_equal(fake.sets, 9);
}

static void transient_errors_end_with_the_deadline(void **state)
{
	(void)state;
	world("2\n");
	fake.failure[0] = (struct fake_failure){SRIOV_SET_MAC, 0, EBUSY, 1000};
	assert_int_equal(bring_up(2), -EIO);
	assert_true(fake.now_ms >= 5000);
	assert_int_equal(logged("error: pf: VF 0: administrative MAC address refused"), 1);
	assert_true(as_wanted(1));
	assert_non_null(strstr(e.msg, "1 set up, 1 failed"));
}

static void other_errors_fail_that_vf(void **state)
{
	(void)state;
	world("2\n");
	fake.failure[0] = (struct fake_failure){SRIOV_SET_TRUST, 1, EPERM, 1000};
	assert_int_equal(bring_up(2), -EIO);
	assert_int_equal(logged("error: pf: VF 1: trust refused"), 1);
	assert_true(as_wanted(0));
	assert_true(fake.now_ms < 1000);
}

static void no_support_is_one_warning(void **state)
{
	(void)state;
	world("3\n");
	fake.failure[0] = (struct fake_failure){SRIOV_SET_TRUST, 0, EOPNOTSUPP, 1000};
	for (int i = 0; i < 3; i++) {
		fake.vf[i].spoofchk = NL_VF_UNSUPPORTED;
	}
	assert_int_equal(bring_up(3), 0);
	assert_int_equal(logged("warning"), 2);
	assert_int_equal(logged("driver igb does not support setting the trust"), 1);
	assert_int_equal(logged("driver igb does not support setting the spoof check"), 1);
	assert_int_equal(logged("pf: 3 VFs, 3 set up"), 1);
}

static void accepted_but_not_applied(void **state)
{
	(void)state;
	world("2\n");
	fake.ignored = SRIOV_SET_TRUST;
	assert_int_equal(bring_up(2), 0);
	assert_int_equal(logged("warning: pf: VF 0: driver igb accepted the trust but did not"), 1);
	assert_int_equal(logged("warning"), 1);
	assert_int_equal(fake.sets, 6);
}

/* Setting the address resets the VF: its interface goes away and comes back. */
static void bounce(uint32_t vf, enum sriov_set what)
{
	if (vf == 0 && what == SRIOV_SET_TRUST && fake.failure[0].code == 0) {
		hide_netdev(0);
		fake.failure[0] = (struct fake_failure){SRIOV_SET_TRUST, 0, EBUSY, 1};
	}
}

static void come_back(void)
{
	if (!file_exists(fake.t.fd, "devices/0000:01:10.0/net/vf0")) {
		add_netdev(0);
	}
}

static void interface_bounces(void **state)
{
	(void)state;
	world("1\n");
	fake.before_set = bounce;
	fake.at_sleep = come_back;
	assert_int_equal(bring_up(1), 0);
	assert_true(as_wanted(0));
	assert_int_equal(logged("pf: 1 VFs, 1 set up"), 1);
}

static void vf_that_is_not_described(void **state)
{
	(void)state;
	world("2\n");
	fake.vf[1].has = 0;
	assert_int_equal(bring_up(2), -EIO);
	assert_int_equal(logged("error: pf: VF 1: driver igb does not describe it"), 1);
	assert_true(as_wanted(0));
}

static void driver_that_describes_none(void **state)
{
	(void)state;
	world("2\n");
	for (int i = 0; i < FAKE_VFS; i++) {
		fake.vf[i].has = 0;
	}
	ledger.held[1] = true;
	assert_int_equal(bring_up(2), 0);
	assert_int_equal(logged("warning: pf: driver igb does not describe its VFs"), 1);
	assert_int_equal(fake.sets, 0);
	assert_true(fake.now_ms < 1000);
}

static void infiniband(void **state)
{
	(void)state;
	world("2\n");
	fake.pf.arphrd = ARPHRD_INFINIBAND;
	for (int i = 0; i < 2; i++) {
		fake.vf[i].has =
			NL_VF_PRESENT | NL_VF_LINK_STATE | NL_VF_NODE_GUID | NL_VF_PORT_GUID;
		fake.vf[i].link_state = NL_VF_LINK_DISABLE;
	}
	fake.vf[1].node_guid = 0x11;
	fake.vf[1].port_guid = 0x22;
	assert_int_equal(bring_up(2), 0);
	assert_true(fake.vf[0].node_guid != 0 && fake.vf[0].port_guid != 0);
	assert_true(fake.vf[1].node_guid == 0x11 && fake.vf[1].port_guid == 0x22);
	assert_int_equal(fake.vf[0].link_state, NL_VF_LINK_AUTO);
	/* Only the VF with new GUIDs is bound again. */
	assert_string_equal(tree_text(&fake.t, "bus/pci/drivers/igbvf/bind"), "0000:01:10.0");
	assert_string_equal(tree_text(&fake.t, "bus/pci/drivers/igbvf/unbind"), "0000:01:10.0");
	assert_int_equal(fake.sets, 4);
	assert_int_equal(logged("warning"), 0);
}

static void virtual_vfs(void **state)
{
	(void)state;
	world("0\n");
	tree_file(&fake.t, "2\n", "devices/netdevsim5/sriov_numvfs");
	tree_remove(&fake.t, "class/net/pf");
	tree_netdev(&fake.t, "pf", "netdevsim5");
	assert_int_equal(bring_up(SRIOV_VFS_MAX_WORD), 0);
	assert_false(mac_is_zero(fake.vf[0].mac));
	assert_int_equal(fake.vf[1].trust, NL_VF_ON);
	assert_int_equal(logged("pf: 2 VFs, 2 set up"), 1);
	assert_int_equal(bring_up(3), -ENOTSUP);
}

static void pf_that_is_none(void **state)
{
	(void)state;
	world("0\n");
	assert_int_equal(sriov_bringup(&b, "nosuch", 1, &e), -ENODEV);
	assert_int_equal(sriov_bringup(&b, "vf0", 1, &e), -EINVAL);
	assert_int_equal(fake.sets, 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(makes_and_sets_all),
		CASE(trust_comes_before_the_interface_address),
		CASE(address_that_needs_the_interface_down),
		CASE(interface_is_up_again_after_a_refusal),
		CASE(too_many),
		CASE(another_number_goes_through_none),
		CASE(refuses_while_in_use),
		CASE(refuses_when_it_cannot_know),
		CASE(damaged_records_stop_changes_only),
		CASE(vfs_in_use_are_left_alone),
		CASE(vf_taken_while_others_are_set),
		CASE(vf_moved_away_while_others_are_set),
		CASE(waits_for_interfaces),
		CASE(names_interfaces_that_never_come),
		CASE(autoprobe_off_waits_for_nothing),
		CASE(driver_makes_fewer),
		CASE(driver_refuses_the_number),
		CASE(driver_hangs),
		CASE(transient_errors_are_tried_again),
		CASE(transient_errors_end_with_the_deadline),
		CASE(other_errors_fail_that_vf),
		CASE(no_support_is_one_warning),
		CASE(accepted_but_not_applied),
		CASE(interface_bounces),
		CASE(vf_that_is_not_described),
		CASE(driver_that_describes_none),
		CASE(infiniband),
		CASE(virtual_vfs),
		CASE(pf_that_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
