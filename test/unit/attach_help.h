/* SPDX-License-Identifier: MIT */
/* What the tests of lending a VF share: three VFs in a fake world, one of them full of settings. */
#ifndef TEST_ATTACH_HELP_H
#define TEST_ATTACH_HELP_H

#include "unit.h"

#include "fake_world.h"

static struct sriov_mover m;
static struct sriov_ref ref;
static struct sriov_saved saved;
static struct sriov_returned back;
static struct world start;
static struct err e;

static inline struct nl_link *vf_link(size_t vf)
{
	return &w.link[1 + vf].l;
}

static inline void add_link(size_t i, uint32_t ifindex, const char *name, const char *pci)
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
static inline int setup(void **state)
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

static inline void has_text(const char *text)
{
	if (strstr(e.msg, text) == NULL) {
		fail_msg("\"%s\" is not in \"%s\"", text, e.msg);
	}
}

static inline void works(int r)
{
	if (r != 0) {
		fail_msg("%d: %s", r, e.msg);
	}
}

/* Nothing of what a test can see may be different from the start. */
static inline void as_before(void)
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

static inline int give(void)
{
	uint32_t ifindex;
	int r = sriov_vf_read(&m, &ref, NULL, &saved, &e);

	if (r == 0) {
		r = sriov_vf_prepare(&m, &ref, &saved, &want, &e);
	}
	return r == 0 ? sriov_vf_move_in(&m, &ref, &saved, &w_pod, "net1", &ifindex, &e) : r;
}

static inline int take(void)
{
	return sriov_vf_return(&m, &ref, &saved, &w_pod, &back, &e);
}

#define T(test) cmocka_unit_test_setup(test, setup)

#endif
