/* SPDX-License-Identifier: MIT */
/* What a VF is set to for a pod, what is read of it, and what a driver refuses. */
#include "attach_help.h"

static void test_settings_that_cannot_be_put_back(void **state)
{
	(void)state;
	works(give());
	w.refuse_rate = EINVAL; /* igb without a link */
	w.refuse_vlan = EPERM;
	works(take());
	assert_int_equal(back.refused, SRIOV_HAS_MIN_RATE | SRIOV_HAS_MAX_RATE | SRIOV_HAS_VLAN);
	assert_non_null(strstr(w.log, "igb, PF enp1s0f0, VF 0: the VLAN cannot be put back"));
	assert_string_equal(vf_link(0)->name, "eth0");
	assert_int_equal(vf_link(0)->flags, start.link[1].l.flags);
}

static void test_refused_rates(void **state)
{
	(void)state;
	w.refuse_rate = EINVAL;
	assert_int_equal(give(), -EINVAL);
	has_text("igb, PF enp1s0f0, VF 0, rates 100 to 300 Mb/s: Invalid argument");
	has_text("no minimum");
	w.refuse_rate = 0;
	works(take());
	as_before();
}

static void test_a_minimum_for_accounting_is_not_set(void **state)
{
	const struct sriov_want account = {.min_tx_rate = 100, .account_min = true};

	(void)state;
	works(sriov_vf_read(&m, &ref, NULL, &saved, &e));
	works(sriov_vf_prepare(&m, &ref, &saved, &account, &e));
	assert_int_equal(w.vf[0].min_tx_rate, 0);
	assert_int_equal(w.vf[0].max_tx_rate, 0);
}

static void test_nothing_to_set_sets_nothing(void **state)
{
	const struct sriov_want none = {.min_tx_rate = 0};

	(void)state;
	ref.pci.fn = 1;
	ref.vf = 1;
	works(sriov_vf_read(&m, &ref, NULL, &saved, &e));
	works(sriov_vf_prepare(&m, &ref, &saved, &none, &e));
	assert_int_equal(w.changes, 0);
}

static void test_settings_that_the_driver_lacks(void **state)
{
	const struct sriov_want none = {.min_tx_rate = 0}, some = {.max_tx_rate = 10};

	(void)state;
	w.refuse_trust = EOPNOTSUPP;
	w.refuse_mtu = EINVAL;
	w.vf[0].trust = NL_VF_OFF;
	works(sriov_vf_read(&m, &ref, NULL, &saved, &e));
	works(sriov_vf_prepare(&m, &ref, &saved, &none, &e));
	assert_int_equal(vf_link(0)->mtu, 1300);
	/* What is not reported is tried if it is asked for, and only then. */
	saved.has &= ~(uint32_t)(SRIOV_HAS_MIN_RATE | SRIOV_HAS_MAX_RATE);
	w.refuse_rate = EOPNOTSUPP;
	works(sriov_vf_prepare(&m, &ref, &saved, &none, &e));
	assert_int_equal(sriov_vf_prepare(&m, &ref, &saved, &some, &e), -EOPNOTSUPP);
	has_text("rates 0 to 10 Mb/s");
	w.refuse_trust = EPERM;
	assert_int_equal(sriov_vf_prepare(&m, &ref, &saved, &none, &e), -EPERM);
	has_text("igb, PF enp1s0f0, VF 0");
}

static void test_mtu_asked_for_must_be_had(void **state)
{
	const struct sriov_want jumbo = {.mtu = 9000};

	(void)state;
	w.refuse_mtu = EINVAL;
	works(sriov_vf_read(&m, &ref, NULL, &saved, &e));
	assert_int_equal(sriov_vf_prepare(&m, &ref, &saved, &jumbo, &e), -EINVAL);
	has_text("set mtu");
}

static void test_addresses(void **state)
{
	struct sriov_want with_mac = {.has_mac = true, .mac = {2, 1, 1, 1, 1, 1}};
	const struct sriov_want none = {.min_tx_rate = 0};
	static const uint8_t zero[6];

	(void)state;
	vf_link(0)->addr[3] = 0x77; /* left by somebody */
	works(sriov_vf_read(&m, &ref, NULL, &saved, &e));
	works(sriov_vf_prepare(&m, &ref, &saved, &none, &e));
	assert_memory_equal(vf_link(0)->addr, start.vf[0].mac, 6);
	/* An untrusted VF may not have another one, until it is trusted for a moment. */
	works(sriov_vf_read(&m, &ref, NULL, &saved, &e));
	w.refuse_mac = EADDRNOTAVAIL;
	m.trust = false;
	works(sriov_vf_prepare(&m, &ref, &saved, &with_mac, &e));
	assert_memory_equal(vf_link(0)->addr, with_mac.mac, 6);
	assert_memory_equal(w.vf[0].mac, with_mac.mac, 6);
	assert_int_equal(w.vf[0].trust, NL_VF_OFF);
	/* Without any: the derived one, the same each time. */
	w.refuse_mac = 0;
	memset(w.vf[0].mac, 0, 6);
	memset(vf_link(0)->addr, 0, 6);
	works(sriov_vf_read(&m, &ref, NULL, &saved, &e));
	works(sriov_vf_prepare(&m, &ref, &saved, &none, &e));
	assert_memory_not_equal(w.vf[0].mac, zero, 6);
	assert_memory_equal(vf_link(0)->addr, w.vf[0].mac, 6);
}

static void test_names_that_nobody_chose(void **state)
{
	static const struct {
		const char *name, *read;
	} cases[] = {
		{"dev7", "enp1s0f0v0"},
		{"frl00180", "enp1s0f0v0"},
		{"dev", "dev"},
		{"devnull", "devnull"},
		{"frlx", "frlx"},
		{"eth7", "eth7"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		(void)snprintf(vf_link(0)->name, IFNAMSIZ, "%s", cases[i].name);
		works(sriov_vf_read(&m, &ref, NULL, &saved, &e));
		assert_string_equal(saved.netdev, cases[i].read);
		/* A name cannot be an altname, too. */
		assert_int_equal(
			saved.altname_n, strcmp(cases[i].name, cases[i].read) != 0 ? 1 : 2);
	}
	vf_link(0)->altname_n = 0;
	(void)snprintf(vf_link(0)->name, IFNAMSIZ, "dev7");
	(void)snprintf(vf_link(2)->name, IFNAMSIZ, "enp1s0f0v0");
	works(sriov_vf_read(&m, &ref, NULL, &saved, &e));
	assert_string_equal(saved.netdev, "dev7");
	(void)snprintf(ref.pf, sizeof(ref.pf), "a-long-pf-name");
	(void)snprintf(vf_link(2)->name, IFNAMSIZ, "eth2");
	works(sriov_vf_read(&m, &ref, NULL, &saved, &e));
	assert_string_equal(saved.netdev, "dev7");
}

static void test_a_record_without_settings(void **state)
{
	static const struct sriov_saved unknown;

	(void)state;
	works(give());
	w.link[1].at = W_LIMBO;
	w.home_after = 1;
	works(sriov_vf_return(&m, &ref, &unknown, NULL, &back, &e));
	assert_string_equal(vf_link(0)->name, "enp1s0f0v0");
	assert_int_equal(w.vf[0].vlan, 0);
	assert_int_equal(w.vf[0].max_tx_rate, 0);
	assert_int_equal(w.vf[0].trust, NL_VF_ON);
	assert_int_equal(vf_link(0)->mtu, 1500);
}

static void test_without_its_pf(void **state)
{
	(void)state;
	works(give());
	ref.pf[0] = '\0';
	ref.pf_ifindex = 0;
	works(take());
	assert_string_equal(vf_link(0)->name, "eth0");
	assert_int_equal(w.vf[0].vlan, 7); /* nobody to ask */
	assert_int_equal(vf_link(0)->mtu, 1300);
}

static void test_read_in_the_pod(void **state)
{
	struct sriov_saved now;
	char text[128];

	(void)state;
	works(give());
	works(sriov_vf_read(&m, &ref, &w_pod, &saved, &e));
	assert_string_equal(saved.netdev, "net1");
	assert_int_equal(saved.vlan, 7);
	works(sriov_vf_read(&m, &ref, NULL, &now, &e));
	assert_false((now.has & (SRIOV_HAS_NETDEV | SRIOV_HAS_MAC)) != 0);
	assert_false(sriov_saved_diff(&saved, &now, UINT32_MAX, text, sizeof(text)));
	w.vfs_gone = true;
	assert_int_equal(sriov_vf_read(&m, &ref, NULL, &now, &e), -ENODEV);
	w.vf[0].has = 0;
	assert_int_equal(sriov_vf_read(&m, &ref, &w_pod, &now, &e), -ENODEV);
	has_text("does not describe VF 0");
}

static void test_more_altnames_than_can_be_kept(void **state)
{
	for (size_t more = 1; more < 4 * NL_ALTNAMES_MAX; more += 5) {
		assert_int_equal(setup(state), 0);
		for (size_t i = 2; i < NL_ALTNAMES_MAX; i++) {
			(void)snprintf(vf_link(0)->altname[i], NL_ALTNAME_CAP, "left%zu", i);
		}
		vf_link(0)->altname_n = NL_ALTNAMES_MAX + more;
		works(give());
		assert_int_equal(saved.altname_n, SRIOV_ALTNAMES_MAX);
		assert_int_equal(vf_link(0)->altname_n, 0);
		/* And again by a pod. */
		memcpy(vf_link(0)->altname, start.link[2].l.altname, sizeof(vf_link(0)->altname));
		for (size_t i = 0; i < NL_ALTNAMES_MAX; i++) {
			(void)snprintf(vf_link(0)->altname[i], NL_ALTNAME_CAP, "pod%zu", i);
		}
		vf_link(0)->altname_n = NL_ALTNAMES_MAX + more;
		works(take());
		assert_int_equal(vf_link(0)->altname_n, SRIOV_ALTNAMES_MAX);
		assert_string_equal(vf_link(0)->altname[0], "enp1s0f0v0");
	}
}

/* Which failures another VF would not meet. */
static void test_whose_fault_it_is(void **state)
{
	static const struct {
		int rate, vlan, trust;
		bool asked;
	} rows[] = {{EINVAL, 0, 0, true}, {EOPNOTSUPP, 0, 0, true}, {EIO, 0, 0, true},
		{EAGAIN, 0, 0, false}, {0, EOPNOTSUPP, 0, true}, {0, EINVAL, 0, true},
		{0, EIO, 0, false}, {0, EBUSY, 0, false}, {0, 0, EIO, false},
		{0, 0, EINVAL, false}};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(setup(state), 0);
		w.vf[0].trust = NL_VF_OFF;
		w.refuse_rate = rows[i].rate;
		w.refuse_vlan = rows[i].vlan;
		w.refuse_trust = rows[i].trust;
		assert_true(give() < 0);
		assert_int_equal(m.asked_too_much, rows[i].asked);
	}
	/* A name that the pod has already; then the last change, the move, which is this VF's
	 * alone. */
	assert_int_equal(setup(state), 0);
	add_link(4, 20, "net1", "");
	w.link[4].at = W_POD;
	assert_int_equal(give(), -EEXIST);
	assert_true(m.asked_too_much);
	assert_int_equal(setup(state), 0);
	add_link(4, 20, "frl00180", "");
	assert_int_equal(give(), -EEXIST);
	assert_false(m.asked_too_much);
}

/* Requests and readings of sysfs since the last call: what docs/vf-lending.md promises. */
static void cost(unsigned requests, unsigned looks)
{
	assert_int_equal(w.reads + w.changes, requests);
	assert_int_equal(w.looks, looks);
	w.reads = w.changes = w.looks = 0;
}

static void test_cost(void **state)
{
	const struct sriov_want none = {.min_tx_rate = 0}, rate = {.max_tx_rate = 9};
	struct sriov_saved now;
	uint32_t ifindex;

	(void)state;
	ref.pci.fn = 1;
	ref.vf = 1;
	works(sriov_vf_read(&m, &ref, NULL, &saved, &e));
	cost(2, 1);
	works(sriov_vf_prepare(&m, &ref, &saved, &none, &e));
	cost(1, 1);
	works(sriov_vf_prepare(&m, &ref, &saved, &rate, &e));
	cost(2, 1);
	works(sriov_vf_move_in(&m, &ref, &saved, &w_pod, "net1", &ifindex, &e));
	cost(5, 0);
	works(sriov_vf_read(&m, &ref, &w_pod, &now, &e));
	cost(2, 0);
	works(take());
	cost(7, 1); /* one of them takes the rate away */
	works(take());
	cost(3, 1);
}

/* Of a VF that somebody has just described: the same, with less asked. */
static void test_read_as_seen(void **state)
{
	struct sriov_vf vf = {.netdev = "eth0", .rdma = "mlx5_7"};
	struct sriov_saved seen;

	(void)state;
	works(sriov_vf_read(&m, &ref, NULL, &saved, &e));
	w.reads = w.looks = 0;
	works(sriov_vf_read_seen(&m, &ref, &vf, &seen, &e));
	cost(2, 0);
	assert_string_equal(seen.rdma, "mlx5_7");
	memcpy(saved.rdma, seen.rdma, sizeof(saved.rdma));
	assert_memory_equal(&seen, &saved, sizeof(seen));
	/* It has gone since, or another has its name. */
	(void)snprintf(vf.netdev, sizeof(vf.netdev), "eth99");
	works(sriov_vf_read_seen(&m, &ref, &vf, &seen, &e));
	assert_int_equal(seen.has & SRIOV_HAS_NETDEV, 0);
	(void)snprintf(vf.netdev, sizeof(vf.netdev), "%s", vf_link(1)->name);
	works(sriov_vf_read_seen(&m, &ref, &vf, &seen, &e));
	assert_int_equal(seen.has & SRIOV_HAS_NETDEV, 0);
}

/* The driver makes the interface anew after it was prepared: it is looked for again. */
static void test_made_anew_before_the_move(void **state)
{
	const struct sriov_want none = {.min_tx_rate = 0};
	uint32_t ifindex;

	(void)state;
	works(sriov_vf_read(&m, &ref, NULL, &saved, &e));
	works(sriov_vf_prepare(&m, &ref, &saved, &none, &e));
	vf_link(0)->ifindex = 77;
	works(sriov_vf_move_in(&m, &ref, &saved, &w_pod, "net1", &ifindex, &e));
	assert_int_equal(ifindex, 77);
	assert_string_equal(vf_link(0)->name, "net1");
	/* What was seen is not known any more: the pod is looked at. */
	works(sriov_vf_move_in(&m, &ref, &saved, &w_pod, "net2", &ifindex, &e));
	assert_string_equal(vf_link(0)->name, "net2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_settings_that_cannot_be_put_back),
		T(test_refused_rates),
		T(test_a_minimum_for_accounting_is_not_set),
		T(test_nothing_to_set_sets_nothing),
		T(test_settings_that_the_driver_lacks),
		T(test_mtu_asked_for_must_be_had),
		T(test_addresses),
		T(test_names_that_nobody_chose),
		T(test_a_record_without_settings),
		T(test_without_its_pf),
		T(test_read_in_the_pod),
		T(test_more_altnames_than_can_be_kept),
		T(test_whose_fault_it_is),
		T(test_cost),
		T(test_read_as_seen),
		T(test_made_anew_before_the_move),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
