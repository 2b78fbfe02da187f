/* SPDX-License-Identifier: MIT */
/* Lending a VF and taking it back, in a world of the test's own that can stop at any change. */
#include "unit.h"

#include "fake_world.h"

static struct sriov_mover m;
static struct sriov_ref ref;
static struct sriov_saved saved;
static struct sriov_returned back;
static struct world start;
static struct err e;

static struct nl_link *vf_link(size_t vf)
{
	return &w.link[1 + vf].l;
}

static void add_link(size_t i, uint32_t ifindex, const char *name, const char *pci)
{
	struct nl_link *l = &w.link[i].l;

	w.link[i].there = true;
	w.link[i].at = W_HOST;
	l->ifindex = ifindex;
	l->mtu = 1500;
	l->addr_n = 6;
	l->addr[0] = 2;
	l->addr[5] = (uint8_t)ifindex;
	l->arphrd = 1;
	(void)snprintf(l->name, sizeof(l->name), "%s", name);
	(void)snprintf(l->parent_dev, sizeof(l->parent_dev), "%s", pci);
}

/* A PF with three VFs, of which the first has everything that there is to be put back. */
static int setup(void **state)
{
	static const char *const vfs[][2] = {
		{"eth0", "0000:01:10.0"}, {"eth1", "0000:01:10.1"}, {"eth2", "0000:01:10.2"}};

	(void)state;
	memset(&w, 0, sizeof(w));
	add_link(0, W_PF, "enp1s0f0", "0000:01:00.0");
	for (size_t i = 0; i < W_VFS; i++) {
		add_link(1 + i, 10 + (uint32_t)i, vfs[i][0], vfs[i][1]);
		w.vf[i] = (struct nl_vf){.index = (uint32_t)i,
			.has = NL_VF_PRESENT | NL_VF_MAC | NL_VF_VLAN | NL_VF_RATE |
			       NL_VF_MIN_RATE | NL_VF_SPOOFCHK | NL_VF_TRUST | NL_VF_LINK_STATE,
			.mac = {2, [5] = (uint8_t)(10 + i)},
			.proto = NL_VLAN_8021Q,
			.trust = NL_VF_ON};
	}
	vf_link(0)->flags = IFF_UP | IFF_PROMISC;
	vf_link(0)->mtu = 1300;
	vf_link(0)->altname_n = 2;
	(void)snprintf(vf_link(0)->altname[0], NL_ALTNAME_CAP, "enp1s0f0v0");
	(void)snprintf(vf_link(0)->altname[1], NL_ALTNAME_CAP, "net0");
	w.vf[0].vlan = 9;
	w.vf[0].qos = 3;
	w.vf[0].min_tx_rate = 5;
	w.vf[0].max_tx_rate = 77;
	w.vf[0].spoofchk = NL_VF_ON;
	w.vf[0].link_state = NL_VF_LINK_ENABLE;
	w.state = SRIOV_VF_AWAY;
	start = w;

	m = (struct sriov_mover){.k = &w_kernel, .deadline_ms = 5000, .trust = true};
	m.home.fd = W_HOSTFD;
	w_pod.ns.fd = W_PODFD;
	ref = (struct sriov_ref){.pci = {.bus = 1, .dev = 0x10}, .pf_ifindex = W_PF};
	(void)snprintf(ref.pf, sizeof(ref.pf), "enp1s0f0");
	(void)snprintf(ref.pf_driver, sizeof(ref.pf_driver), "igb");
	e = (struct err)ERR_INIT;
	return 0;
}

static void has_text(const char *text)
{
	if (strstr(e.msg, text) == NULL) {
		fail_msg("\"%s\" is not in \"%s\"", text, e.msg);
	}
}

static void works(int r)
{
	if (r != 0) {
		fail_msg("%d: %s", r, e.msg);
	}
}

/* Nothing of what a test can see may be different from the start. */
static void as_before(void)
{
	assert_memory_equal(w.vf, start.vf, sizeof(w.vf));
	for (size_t i = 0; i < W_LINKS; i++) {
		const struct nl_link *a = &w.link[i].l, *b = &start.link[i].l;

		assert_string_equal(a->name, b->name);
		assert_int_equal(w.link[i].at, start.link[i].at);
		assert_int_equal(a->flags, b->flags);
		assert_int_equal(a->mtu, b->mtu);
		assert_memory_equal(a->addr, b->addr, sizeof(a->addr));
		assert_int_equal(a->altname_n, b->altname_n);
		assert_memory_equal(a->altname, b->altname, sizeof(a->altname));
	}
	assert_int_equal(w.rdma_at, start.rdma_at);
}

static const struct sriov_want want = {.min_tx_rate = 100, .max_tx_rate = 300, .vlan = 7, .qos = 1};

static int give(void)
{
	uint32_t ifindex;
	int r = sriov_vf_read(&m, &ref, NULL, &saved, &e);

	if (r == 0) {
		r = sriov_vf_prepare(&m, &ref, &saved, &want, &e);
	}
	return r == 0 ? sriov_vf_move_in(&m, &ref, &saved, &w_pod, "net1", &ifindex, &e) : r;
}

static int take(void)
{
	return sriov_vf_return(&m, &ref, &saved, &w_pod, &back, &e);
}

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

/* SIGKILL before each change of ADD in turn, then the DEL of a new process. */
static void test_killed_at_every_change_of_giving(void **state)
{
	unsigned points = 0;
	int r;

	do {
		assert_int_equal(setup(state), 0);
		w.fail_at = ++points;
		r = give();
		w.fail_at = 0;
		w.killed = false;
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
		w.fail_at = ++points;
		r = give();
		w.fail_at = 0;
		w.killed = false;
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
	unsigned points = 0, given;
	int r;

	do {
		assert_int_equal(setup(state), 0);
		works(give());
		given = w.changes;
		w.fail_at = given + ++points;
		r = take();
		w.fail_at = 0;
		w.killed = false;
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
			w.fail_at = first;
			r = give();
			w.killed = false;
			w.fail_at = w.changes + second;
			taken = take();
			w.killed = false;
			w.fail_at = 0;
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

/* The interface takes the address that its PF has for it. */
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

static void test_rdma_device_goes_along(void **state)
{
	unsigned points = 0;
	int r;

	do {
		assert_int_equal(setup(state), 0);
		w.has_rdma = true;
		m.rdma_exclusive = true;
		w.fail_at = ++points;
		r = give();
		assert_true(r < 0 || w.rdma_at == W_POD);
		w.fail_at = 0;
		w.killed = false;
		works(take());
		as_before();
	} while (r < 0);
	/* Shared: it stays, and everybody sees it. */
	assert_int_equal(setup(state), 0);
	w.has_rdma = true;
	works(give());
	assert_int_equal(w.rdma_at, W_HOST);
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
	(void)state;
	vf_link(0)->altname_n = SRIOV_ALTNAMES_MAX + 1;
	assert_int_equal(sriov_vf_read(&m, &ref, NULL, &saved, &e), -E2BIG);
	has_text("eth0");
}

#define T(test) cmocka_unit_test_setup(test, setup)

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
		T(test_old_name_taken_by_a_lent_vf),
		T(test_old_name_taken_by_another),
		T(test_altname_taken_meanwhile),
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
		T(test_rdma_device_goes_along),
		T(test_read_in_the_pod),
		T(test_more_altnames_than_can_be_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
