/* SPDX-License-Identifier: MIT */
/* Capacity, reservations and what counts as in use. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sriov/model.h"

static struct sriov_node node;

static struct sriov_pf *one_pf(size_t vf_n)
{
	memset(&node, 0, sizeof(node));
	node.pf_n = 1;
	node.pf[0].vf_n = vf_n;
	node.vf_n = vf_n;
	for (size_t i = 0; i < vf_n; i++) {
		node.vf[i].index = (uint32_t)i;
	}
	return &node.pf[0];
}

static void capacity_prefers_configured_then_current_then_last_speed(void **state)
{
	struct sriov_pf pf = {.last_speed = 10000};

	(void)state;
	assert_int_equal(sriov_pf_capacity(&pf), 10000);
	pf.speed = 25000;
	assert_int_equal(sriov_pf_capacity(&pf), 25000);
	pf.fixed_speed = 40000;
	assert_int_equal(sriov_pf_capacity(&pf), 40000);
	pf.headroom = 1000;
	assert_int_equal(sriov_pf_capacity(&pf), 39000);
}

static void capacity_without_speed_or_with_too_much_headroom_is_nothing(void **state)
{
	struct sriov_pf pf = {.headroom = 500};

	(void)state;
	assert_int_equal(sriov_pf_capacity(&pf), 0);
	pf.speed = 500;
	assert_int_equal(sriov_pf_capacity(&pf), 0);
	pf.speed = 499;
	assert_int_equal(sriov_pf_capacity(&pf), 0);
	pf.speed = 501;
	assert_int_equal(sriov_pf_capacity(&pf), 1);
}

static void every_state_but_free_and_virtual_is_in_use(void **state)
{
	(void)state;
	for (int s = 0; s < SRIOV_VF_STATES; s++) {
		struct sriov_vf vf = {.state = (enum sriov_vf_state)s};

		assert_int_equal(sriov_vf_in_use(&vf), s != SRIOV_VF_FREE && s != SRIOV_VF_VIRTUAL);
		assert_true(strlen(sriov_vf_state_name(vf.state)) > 0);
	}
}

static void a_ledger_record_alone_makes_a_vf_used(void **state)
{
	struct sriov_holder h = {.min_tx_rate = 100};
	struct sriov_vf vf = {.state = SRIOV_VF_FREE, .holder = &h};

	(void)state;
	assert_true(sriov_vf_in_use(&vf));
	assert_int_equal(sriov_vf_reserved(&vf), 100);
}

static void only_a_described_function_that_nobody_uses_is_usable(void **state)
{
	const struct sriov_vf good = {.state = SRIOV_VF_FREE, .has_pci = true};
	struct sriov_holder h = {.min_tx_rate = 0};
	struct sriov_vf vf = good;

	(void)state;
	assert_true(sriov_vf_usable(&vf));
	vf.holder = &h;
	assert_false(sriov_vf_usable(&vf));
	vf = good;
	vf.has_pci = false;
	assert_false(sriov_vf_usable(&vf));
	vf = good;
	vf.undescribed = true;
	assert_false(sriov_vf_usable(&vf));
	for (int s = 0; s < SRIOV_VF_STATES; s++) {
		vf = good;
		vf.state = (enum sriov_vf_state)s;
		assert_int_equal(sriov_vf_usable(&vf), s == SRIOV_VF_FREE);
	}
}

static void what_is_neither_used_nor_usable_is_counted_as_neither(void **state)
{
	struct sriov_pf *pf = one_pf(4);
	struct sriov_usage u;

	(void)state;
	node.vf[0].has_pci = true;
	node.vf[1].has_pci = true;
	node.vf[1].undescribed = true;
	node.vf[2].state = SRIOV_VF_VIRTUAL;
	node.vf[3].has_pci = true;
	node.vf[3].state = SRIOV_VF_VFIO;
	sriov_pf_usage(&node, pf, &u);
	assert_int_equal(u.vfs, 4);
	assert_int_equal(u.used_vfs, 1);
	assert_int_equal(u.free_vfs, 1);
}

static void a_rate_left_on_a_free_vf_reserves_nothing(void **state)
{
	struct sriov_pf *pf = one_pf(3);
	struct sriov_usage u;

	(void)state;
	node.vf[0].kernel.min_tx_rate = 5000;
	node.vf[1].kernel.min_tx_rate = 2000;
	node.vf[1].state = SRIOV_VF_AWAY;
	sriov_pf_usage(&node, pf, &u);
	assert_int_equal(u.vfs, 3);
	assert_int_equal(u.used_vfs, 1);
	assert_int_equal(u.used, 2000);
}

static void the_larger_of_promise_and_kernel_is_reserved(void **state)
{
	struct sriov_holder h = {.min_tx_rate = 100};
	struct sriov_vf vf = {.state = SRIOV_VF_AWAY, .holder = &h};

	(void)state;
	vf.kernel.min_tx_rate = 99;
	assert_int_equal(sriov_vf_reserved(&vf), 100);
	vf.kernel.min_tx_rate = 101;
	assert_int_equal(sriov_vf_reserved(&vf), 101);
}

static void absurd_rates_do_not_wrap_to_a_small_sum(void **state)
{
	struct sriov_pf *pf = one_pf(2);
	struct sriov_usage u;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		node.vf[i].state = SRIOV_VF_AWAY;
		node.vf[i].kernel.min_tx_rate = UINT32_MAX;
	}
	sriov_pf_usage(&node, pf, &u);
	assert_int_equal(u.used, UINT32_MAX);
}

static void a_pf_is_found_by_its_whole_name(void **state)
{
	(void)state;
	(void)one_pf(0);
	memcpy(node.pf[0].name, "enp4s0f0", sizeof("enp4s0f0"));
	assert_ptr_equal(sriov_node_pf(&node, STR("enp4s0f0")), &node.pf[0]);
	assert_null(sriov_node_pf(&node, STR("enp4s0f")));
	assert_null(sriov_node_pf(&node, STR("")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(capacity_prefers_configured_then_current_then_last_speed),
		cmocka_unit_test(capacity_without_speed_or_with_too_much_headroom_is_nothing),
		cmocka_unit_test(every_state_but_free_and_virtual_is_in_use),
		cmocka_unit_test(a_ledger_record_alone_makes_a_vf_used),
		cmocka_unit_test(only_a_described_function_that_nobody_uses_is_usable),
		cmocka_unit_test(what_is_neither_used_nor_usable_is_counted_as_neither),
		cmocka_unit_test(a_rate_left_on_a_free_vf_reserves_nothing),
		cmocka_unit_test(the_larger_of_promise_and_kernel_is_reserved),
		cmocka_unit_test(absurd_rates_do_not_wrap_to_a_small_sum),
		cmocka_unit_test(a_pf_is_found_by_its_whole_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
