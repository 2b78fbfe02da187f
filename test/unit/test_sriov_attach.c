/* SPDX-License-Identifier: MIT */
/* Lending a VF and taking it back, in a world of the test's own that can stop at any change. */
#include "attach_help.h"

static void test_there_and_back(void **state)
{
	(void)state;
	works(give());
	assert_int_equal(w.link[1].at, W_POD);
	assert_string_equal(vf_link(0)->name, "net1");
	assert_int_equal(vf_link(0)->flags, 0);
	assert_int_equal(vf_link(0)->mtu, 1500);
	assert_int_equal(vf_link(0)->altname_n, 0);
	assert_int_equal(w.vf[0].vlan, 7);
	assert_int_equal(w.vf[0].qos, 1);
	assert_int_equal(w.vf[0].min_tx_rate, 100);
	assert_int_equal(w.vf[0].max_tx_rate, 300);
	assert_int_equal(w.vf[0].spoofchk, NL_VF_OFF);
	assert_int_equal(w.vf[0].link_state, NL_VF_LINK_AUTO);
	works(take());
	as_before();
	assert_int_equal(back.refused, 0);
	assert_string_equal(back.netdev, "eth0");
	assert_string_equal(w.log, "");
}

static void test_returned_again_and_again(void **state)
{
	unsigned changes;

	(void)state;
	works(give());
	works(take());
	changes = w.changes;
	works(take());
	works(sriov_vf_return(&m, &ref, &saved, NULL, &back, &e));
	as_before();
	assert_int_equal(w.changes, changes); /* there was nothing to be done */
}

/* A process that is killed at its nth change from now on, and another in its place. */
static int killed_at(unsigned n, int (*process)(void))
{
	int r;

	w.fail_at = w.changes + n;
	r = process();
	w.fail_at = 0;
	w.killed = false;
	return r;
}

/* SIGKILL before each change of ADD in turn, then the DEL of a new process. */
static void test_killed_at_every_change_of_giving(void **state)
{
	unsigned points = 0;
	int r;

	do {
		assert_int_equal(setup(state), 0);
		r = killed_at(++points, give);
		works(take());
		as_before();
	} while (r < 0);
	print_message("%u points\n", points - 1);
	assert_true(points > 12);
}

/* The same with a namespace that died with the process. */
static void test_killed_and_the_namespace_dead(void **state)
{
	unsigned points = 0;
	int r;

	do {
		assert_int_equal(setup(state), 0);
		r = killed_at(++points, give);
		if (w.link[1].at == W_POD) {
			w.link[1].at = W_LIMBO;
			w.home_after = 3;
		}
		works(sriov_vf_return(&m, &ref, &saved, NULL, &back, &e));
		as_before();
	} while (r < 0);
}

static void test_killed_at_every_change_of_taking(void **state)
{
	unsigned points = 0;
	int r;

	do {
		assert_int_equal(setup(state), 0);
		works(give());
		r = killed_at(++points, take);
		works(take());
		as_before();
	} while (r < 0);
	print_message("%u points\n", points - 1);
	assert_true(points > 9);
}

static void test_killed_while_giving_then_while_taking(void **state)
{
	int r = -1;

	for (unsigned first = 1; r < 0; first++) {
		for (unsigned second = 1;; second++) {
			int taken;

			assert_int_equal(setup(state), 0);
			r = killed_at(first, give);
			taken = killed_at(second, take);
			works(take());
			as_before();
			if (taken == 0) {
				break;
			}
		}
	}
}

/* A device that is busy a few times delays, no more. */
static void test_busy_at_every_change(void **state)
{
	static const int codes[] = {EBUSY, EAGAIN};

	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		for (unsigned at = 1; at < 40; at++) {
			assert_int_equal(setup(state), 0);
			w.fail_code = codes[i];
			w.fail_at = at;
			w.fail_times = 3;
			works(give());
			works(take());
			as_before();
			assert_true(w.now_ms < m.deadline_ms);
		}
	}
}

static void test_busy_for_ever(void **state)
{
	(void)state;
	w.fail_code = EBUSY;
	w.fail_at = 1;
	w.fail_times = UINT32_MAX;
	assert_int_equal(give(), -EBUSY);
	assert_true(w.now_ms >= m.deadline_ms && w.now_ms <= m.deadline_ms + 1);
	w.fail_times = 0;
	m.deadline_ms = 10000;
	works(take());
	as_before();
}

static void test_name_taken_in_the_pod(void **state)
{
	(void)state;
	add_link(4, 20, "veth0", "");
	w.link[4].at = W_POD;
	w.link[4].l.altname_n = 1;
	(void)snprintf(w.link[4].l.altname[0], NL_ALTNAME_CAP, "net1");
	start = w;
	assert_int_equal(give(), -EEXIST);
	has_text("already has an interface net1");
	assert_int_equal(w.link[1].at, W_HOST);
	works(take());
	as_before();
}

static void test_altname_taken_in_the_pod(void **state)
{
	(void)state;
	add_link(4, 20, "net0", "");
	w.link[4].at = W_POD;
	start = w;
	works(give());
	works(take());
	as_before();
}

static void test_interface_in_no_namespace_we_know(void **state)
{
	(void)state;
	works(give());
	w.link[1].at = W_LIMBO;
	assert_int_equal(take(), -EBUSY);
	has_text("another network namespace");
	assert_true(w.now_ms >= m.deadline_ms);
	m.deadline_ms = w.now_ms + 5000;
	w.home_after = 2;
	works(take());
	as_before();
}

static void test_device_gone(void **state)
{
	(void)state;
	works(give());
	w.link[1].there = false;
	w.vfs_gone = true;
	assert_int_equal(take(), -ENODEV);
	assert_true(w.now_ms < 1000); /* nothing to wait for */
}

static void test_bound_to_vfio(void **state)
{
	(void)state;
	works(give());
	w.link[1].at = W_LIMBO;
	w.state = SRIOV_VF_VFIO;
	assert_int_equal(take(), -ENXIO);
	assert_true(w.now_ms < 1000);
}

static void test_driver_lost(void **state)
{
	(void)state;
	works(give());
	w.link[1].at = W_LIMBO;
	w.state = SRIOV_VF_NO_DRIVER;
	works(take());
	assert_int_equal(w.probes, 1);
	as_before();
}

/* Trying for ever would keep the pod for ever. */
static void test_driver_lost_for_good(void **state)
{
	(void)state;
	works(give());
	w.link[1].at = W_LIMBO;
	w.state = SRIOV_VF_NO_DRIVER;
	w.no_driver = true;
	assert_int_equal(take(), -ENXIO);
	has_text("no driver");
	assert_int_equal(w.probes, 1);
	assert_true(w.now_ms >= 1000 && w.now_ms < m.deadline_ms);
	m.deadline_ms = w.now_ms + 100; /* less time than it takes to be sure */
	assert_int_equal(take(), -ENXIO);
	w.state = SRIOV_VF_AWAY; /* bound again */
	w.home_after = 1;
	m.deadline_ms = w.now_ms + 5000;
	works(take());
	as_before();
}

static void test_driver_does_not_describe_it(void **state)
{
	(void)state;
	works(give());
	w.undescribed = true;
	assert_int_equal(take(), -ENXIO);
	has_text("does not describe VF 0");
	w.undescribed = false;
	m.deadline_ms = w.now_ms + 5000;
	works(take());
	as_before();
	works(give());
	w.undescribed = true;
	saved.has = 0;
	assert_int_equal(take(), -ENXIO);
}

static bool lent_vf1(void *arg, const struct pci_addr *pci)
{
	(void)arg;
	return pci->fn == 1;
}

/* VF 1 came back from a dead namespace under VF 0's name. */
static void test_old_name_taken_by_a_lent_vf(void **state)
{
	(void)state;
	works(give());
	(void)snprintf(vf_link(1)->name, IFNAMSIZ, "eth0");
	m.lent = lent_vf1;
	works(take());
	assert_string_equal(vf_link(0)->name, "eth0");
	assert_string_equal(vf_link(1)->name, "frl00181");
	assert_false(back.renamed);
}

static void test_old_name_taken_by_another(void **state)
{
	(void)state;
	works(give());
	(void)snprintf(vf_link(2)->name, IFNAMSIZ, "eth0");
	m.lent = lent_vf1;
	works(take());
	/* "enp1s0f0v0" is one of its altnames, so the interface keeps the temporary name. */
	assert_string_equal(vf_link(2)->name, "eth0");
	assert_true(back.renamed);
	assert_non_null(strstr(w.log, "its old name eth0 is taken"));
	assert_string_equal(back.netdev, vf_link(0)->name);
}

static void test_altname_taken_meanwhile(void **state)
{
	(void)state;
	works(give());
	(void)snprintf(vf_link(2)->name, IFNAMSIZ, "net0");
	works(take());
	assert_string_equal(vf_link(0)->name, "eth0");
	assert_int_equal(vf_link(0)->altname_n, 1);
	assert_non_null(strstr(w.log, "net0 is taken"));
}

/* The interface takes the address that its PF has for it. */
static void test_rdma_device_goes_along(void **state)
{
	unsigned points = 0;
	int r;

	do {
		assert_int_equal(setup(state), 0);
		w.has_rdma = true;
		m.rdma_exclusive = true;
		r = killed_at(++points, give);
		assert_true(r < 0 || w.rdma_at == W_POD);
		if (r == 0) {
			assert_int_equal(sriov_vf_rdma_there(&m, &ref, &w_pod, "mlx5_7", &e), 1);
			assert_int_equal(sriov_vf_rdma_there(&m, &ref, &w_pod, "mlx5_8", &e), 0);
			w.rdma_at = W_HOST;
			assert_int_equal(sriov_vf_rdma_there(&m, &ref, &w_pod, "mlx5_7", &e), 0);
			w.rdma_at = W_POD;
		}
		works(take());
		as_before();
	} while (r < 0);
	/* Shared: it stays, and everybody sees it. */
	assert_int_equal(setup(state), 0);
	w.has_rdma = true;
	works(give());
	assert_int_equal(w.rdma_at, W_HOST);
	assert_int_equal(sriov_vf_rdma_there(&m, &ref, &w_pod, "mlx5_7", &e), 1);
	assert_int_equal(sriov_vf_rdma_there(&m, &ref, &w_pod, "mlx5_8", &e), 0);
	/* One that is nowhere is waited for. */
	assert_int_equal(setup(state), 0);
	w.has_rdma = true;
	m.rdma_exclusive = true;
	works(sriov_vf_read(&m, &ref, NULL, &saved, &e));
	w.rdma_at = W_LIMBO;
	{
		uint32_t ifindex;

		assert_int_equal(
			sriov_vf_move_in(&m, &ref, &saved, &w_pod, "net1", &ifindex, &e), -EBUSY);
	}
	has_text("RDMA device mlx5_7 is in neither namespace");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_there_and_back),
		T(test_returned_again_and_again),
		T(test_killed_at_every_change_of_giving),
		T(test_killed_and_the_namespace_dead),
		T(test_killed_at_every_change_of_taking),
		T(test_killed_while_giving_then_while_taking),
		T(test_busy_at_every_change),
		T(test_busy_for_ever),
		T(test_name_taken_in_the_pod),
		T(test_altname_taken_in_the_pod),
		T(test_interface_in_no_namespace_we_know),
		T(test_device_gone),
		T(test_bound_to_vfio),
		T(test_driver_lost),
		T(test_driver_lost_for_good),
		T(test_driver_does_not_describe_it),
		T(test_old_name_taken_by_a_lent_vf),
		T(test_old_name_taken_by_another),
		T(test_altname_taken_meanwhile),
		T(test_rdma_device_goes_along),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
