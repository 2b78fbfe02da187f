/* SPDX-License-Identifier: MIT */
/* Setting VFs, on a fake sysfs and a fake driver that fail, lag and refuse as real ones do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bringup_help.h"

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
	assert_int_equal(logged("info: pf: 2 VFs, 1 not checked, 1 in use and left alone"), 1);
	assert_int_equal(logged("as they should be"), 0);
	assert_int_equal(fake.sets, 0);
	assert_true(fake.now_ms < 1000);
}

static void infiniband_world(const char *num)
{
	world(num);
	fake.pf.arphrd = ARPHRD_INFINIBAND;
	for (int i = 0; i < 2; i++) {
		fake.vf[i].has =
			NL_VF_PRESENT | NL_VF_LINK_STATE | NL_VF_NODE_GUID | NL_VF_PORT_GUID;
		fake.vf[i].link_state = NL_VF_LINK_DISABLE;
	}
}

static void infiniband(void **state)
{
	(void)state;
	infiniband_world("2\n");
	fake.vf[1].node_guid = 0x11;
	fake.vf[1].port_guid = 0x22;
	assert_int_equal(bring_up(2), 0);
	assert_true(fake.vf[0].node_guid != 0 && fake.vf[0].port_guid != 0);
	assert_true(fake.vf[1].node_guid == 0x11 && fake.vf[1].port_guid == 0x22);
	assert_int_equal(fake.vf[0].link_state, NL_VF_LINK_AUTO);
	/* Only the VF with new GUIDs is bound again. */
	assert_int_equal(fake.binds, 2);
	assert_string_equal(fake.bound[0], "unbind 0");
	assert_string_equal(fake.bound[1], "bind 0");
	assert_int_equal(fake.sets, 4);
	assert_int_equal(logged("warning"), 0);
}

static void only_binding_is_tried_again(void **state)
{
	(void)state;
	infiniband_world("1\n");
	fake.bind_fails = 2;
	assert_int_equal(bring_up(1), 0);
	assert_int_equal(fake.binds, 4);
	assert_string_equal(fake.bound[0], "unbind 0");
	for (int i = 1; i < 4; i++) {
		assert_string_equal(fake.bound[i], "bind 0");
	}
	assert_int_equal(fake.sets, 3); /* the GUIDs and the link, once */
	assert_int_equal(logged("error"), 0);
	assert_int_equal(logged("pf: 1 VFs, 1 set up"), 1);
}

static void binding_that_never_works(void **state)
{
	(void)state;
	infiniband_world("1\n");
	fake.bind_fails = 1000;
	assert_int_equal(bring_up(1), -EIO);
	assert_int_equal(logged("error: pf: VF 0: bind refused"), 1);
	assert_true(fake.now_ms >= 5000);
	assert_int_equal(fake.sets, 3);
}

/* Once VF 0 is set, rdma-cni wants VF 1, at the worst moment: right behind the last look at it. */
static void want_vf1(void)
{
	if (fake.sets > 0 && !fake_locked()) {
		ledger.held[1] = true;
	}
}

static void vf_wanted_after_the_last_check(void **state)
{
	(void)state;
	world("3\n");
	fake.after_check = want_vf1;
	assert_int_equal(bring_up(3), 0); /* the driver ends the test if a held VF is set */
	assert_true(ledger.held[1]);      /* it was got in the end */
	assert_true(as_wanted(1));        /* and had been set whole before */
	assert_int_equal(logged("pf: 3 VFs, 3 set up"), 1);
	fake.vf[1].trust = NL_VF_OFF; /* as the pod wants it */
	assert_int_equal(bring_up(3), 0);
	assert_int_equal(fake.vf[1].trust, NL_VF_OFF);
	assert_int_equal(logged("pf: 3 VFs, 2 as they should be, 1 in use and left alone"), 1);
}

static void lock_that_cannot_be_had(void **state)
{
	(void)state;
	world("2\n");
	fake.lock_code = ETIMEDOUT;
	assert_int_equal(bring_up(2), -EIO);
	assert_int_equal(logged("error: pf: VF 0: another program is at work"), 1);
	assert_int_equal(logged("error: pf: VF 1: another program is at work"), 1);
	assert_int_equal(fake.sets, 0);
	assert_int_equal(bring_up(3), -ETIMEDOUT);
	assert_non_null(strstr(e.msg, "pf: another program is at work"));
	assert_string_equal(num_vfs(), "2");
}

static void stop_in_vf0(uint32_t vf, enum sriov_set what)
{
	(void)what;
	fake.stop = fake.stop || vf == 0;
}

static void stops_between_vfs(void **state)
{
	(void)state;
	world("3\n");
	fake.before_set = stop_in_vf0;
	assert_int_equal(bring_up(3), -EINTR);
	assert_string_equal(e.msg, "pf: stopped by a signal, not all is done");
	assert_true(as_wanted(0)); /* whole */
	untouched(1);
	untouched(2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(trust_comes_before_the_interface_address),
		CASE(address_that_needs_the_interface_down),
		CASE(interface_is_up_again_after_a_refusal),
		CASE(vf_taken_while_others_are_set),
		CASE(vf_moved_away_while_others_are_set),
		CASE(transient_errors_are_tried_again),
		CASE(transient_errors_end_with_the_deadline),
		CASE(other_errors_fail_that_vf),
		CASE(no_support_is_one_warning),
		CASE(accepted_but_not_applied),
		CASE(interface_bounces),
		CASE(vf_that_is_not_described),
		CASE(driver_that_describes_none),
		CASE(infiniband),
		CASE(only_binding_is_tried_again),
		CASE(binding_that_never_works),
		CASE(vf_wanted_after_the_last_check),
		CASE(lock_that_cannot_be_had),
		CASE(stops_between_vfs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
