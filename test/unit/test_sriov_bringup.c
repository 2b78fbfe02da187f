/* SPDX-License-Identifier: MIT */
/* Bringing a PF up, on a fake sysfs and a driver that lags and refuses: number of VFs, waiting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bringup_help.h"

static void unbind(uint32_t i)
{
	tree_remove(&fake.t, "devices/%s/driver", vf_bdf(i));
	hide_netdev(i);
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
	unbind(3);
	assert_int_equal(bring_up(5), -EBUSY);
	assert_non_null(strstr(e.msg, "keeps its 4 VFs (5 asked for): 4 of them in use"));
	assert_int_equal(logged("VF 3 is in use: bound to no driver"), 1);
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
	ledger.held[3] = true;
	unbind(3);
	assert_int_equal(bring_up(5), 0);
	for (uint32_t i = 0; i < 4; i++) {
		untouched(i);
	}
	assert_true(as_wanted(4));
	assert_int_equal(logged("pf: 5 VFs, 1 set up, 4 in use and left alone"), 1);
	assert_int_equal(fake.now_ms < 1000, 1); /* nobody waits for them */
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
	assert_int_equal(logged("VF 2 (0000:01:10.2): bound to no driver: is the kernel module "
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
	/* Not even when all are asked for again: that is what all are. */
	assert_int_equal(bring_up(SRIOV_VFS_MAX_WORD), 0);
	assert_int_equal(logged("pf: keeps its 3 VFs: driver igb made no more when 8 were"), 1);
	assert_int_equal(logged("removing"), 0);
	/* A number is a number, and other VFs than those are not what the driver made. */
	assert_int_equal(bring_up(8), -EBUSY);
	tree_file(&fake.t, "2\n", "devices/" PF "/sriov_numvfs");
	assert_int_equal(bring_up(SRIOV_VFS_MAX_WORD), -EBUSY);
}

static void what_was_made_is_forgotten(void **state)
{
	(void)state;
	world("0\n");
	fake.made_max = 3;
	tree_remove(&fake.t, "made");
	assert_int_equal(bring_up(SRIOV_VFS_MAX_WORD), 0);
	assert_int_equal(logged("warning: pf: the next run will make its VFs anew"), 1);
	assert_int_equal(bring_up(SRIOV_VFS_MAX_WORD), 0);
	assert_int_equal(logged("removing its 3 VFs"), 1);
}

static void unbound_vfs_fail_every_run(void **state)
{
	(void)state;
	world("0\n");
	unbind(1);
	for (int run = 1; run <= 3; run++) {
		assert_int_equal(bring_up(2), -EIO);
		assert_int_equal(logged("error: pf: VF 1 (0000:01:10.1): bound to no driver: is "
					"the kernel module igbvf loaded?"),
			run);
	}
	assert_int_equal(logged("in use"), 0);
	assert_true(as_wanted(0));
	assert_true(fake.now_ms < 10000); /* those that were there are not waited for so long */
}

static void bind_vf1(void)
{
	if (fake.now_ms > 1000 && !file_exists(fake.t.fd, "devices/0000:01:10.1/driver")) {
		tree_link(&fake.t, "../../bus/pci/drivers/igbvf", "devices/0000:01:10.1/driver");
		add_netdev(1);
	}
}

static void unbound_vf_that_somebody_binds(void **state)
{
	(void)state;
	world("2\n");
	unbind(1);
	fake.at_sleep = bind_vf1;
	assert_int_equal(bring_up(2), 0);
	assert_true(as_wanted(1));
	assert_int_equal(logged("error"), 0);
}

static void new_vfs_that_others_take(void **state)
{
	(void)state;
	world("0\n");
	tree_vf(&fake.t, PF, 1, vf_bdf(1), "vfio-pci", NULL);
	hide_netdev(1);
	tree_vf(&fake.t, PF, 2, vf_bdf(2), "uio_pci_generic", NULL);
	hide_netdev(2);
	hide_netdev(3);
	ledger.held[3] = true;
	assert_int_equal(bring_up(4), 0);
	assert_int_equal(logged("pf: 4 VFs made, 1 set up, 3 in use and left alone"), 1);
	assert_true(fake.now_ms < 1000); /* not until the deadline */
}

static void stop_now(void)
{
	fake.stop = true;
}

static void stops_waiting(void **state)
{
	(void)state;
	world("0\n");
	hide_netdev(1);
	fake.at_sleep = stop_now;
	assert_int_equal(bring_up(2), -EINTR);
	assert_true(fake.now_ms < 1000);
	assert_int_equal(fake.sets, 0);
}

static void stops_though_the_driver_hangs(void **state)
{
	(void)state;
	world("0\n");
	fake.write_hangs = true;
	fake.stop = true;
	assert_int_equal(bring_up(8), -EINTR);
	assert_non_null(strstr(e.msg, "driver igb is still busy with sriov_numvfs, which cannot"));
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(makes_and_sets_all),
		CASE(too_many),
		CASE(another_number_goes_through_none),
		CASE(refuses_while_in_use),
		CASE(refuses_when_it_cannot_know),
		CASE(damaged_records_stop_changes_only),
		CASE(vfs_in_use_are_left_alone),
		CASE(waits_for_interfaces),
		CASE(names_interfaces_that_never_come),
		CASE(autoprobe_off_waits_for_nothing),
		CASE(driver_makes_fewer),
		CASE(what_was_made_is_forgotten),
		CASE(unbound_vfs_fail_every_run),
		CASE(unbound_vf_that_somebody_binds),
		CASE(new_vfs_that_others_take),
		CASE(stops_waiting),
		CASE(stops_though_the_driver_hangs),
		CASE(driver_refuses_the_number),
		CASE(driver_hangs),
		CASE(virtual_vfs),
		CASE(pf_that_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
