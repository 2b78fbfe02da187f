/* SPDX-License-Identifier: MIT */
/* A PF "pf" with the driver of fake_driver.h, and sriov_bringup made ready for it. */
#ifndef TEST_BRINGUP_HELP_H
#define TEST_BRINGUP_HELP_H

#include "base/file.h"
#include "fake_driver.h"
#include "sriov/bringup.h"
#include "sriov/conf.h"

#define PF "0000:01:00.0"

static struct sriov_kernel kernel;
static struct sriov_bringup b;
static struct err e;

static inline const char *vf_bdf(uint32_t i)
{
	static char bdf[16];

	(void)snprintf(bdf, sizeof(bdf), "0000:01:10.%x", i);
	return bdf;
}

static inline void add_netdev(uint32_t i)
{
	tree_netdev(&fake.t, fake.net[i].name, vf_bdf(i));
}

static inline void hide_netdev(uint32_t i)
{
	tree_remove(&fake.t, "devices/%s/net/%s/dev_port", vf_bdf(i), fake.net[i].name);
	tree_remove(&fake.t, "devices/%s/net/%s/device", vf_bdf(i), fake.net[i].name);
	tree_remove(&fake.t, "devices/%s/net/%s", vf_bdf(i), fake.net[i].name);
}

/* A PF "pf" that can have 8 VFs and has `num`, their interfaces there, nothing set yet. */
static inline void world(const char *num)
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

static inline int begin(void **state)
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
	b.lock = fake_lock;
	b.stop = fake_stop;
	b.state = fake.t.fd;
	tree_dirs(&fake.t, "made/");
	return 0;
}

static inline int end(void **state)
{
	(void)state;
	tree_free(&fake.t);
	return 0;
}

static inline int bring_up(uint32_t want)
{
	return sriov_bringup(&b, "pf", want, &e);
}

static inline const char *num_vfs(void)
{
	return tree_text(&fake.t, "devices/" PF "/sriov_numvfs");
}

static inline bool as_wanted(uint32_t i)
{
	return memcmp(fake.vf[i].mac, fake.net[i].addr, 6) == 0 && fake.vf[i].trust == NL_VF_ON &&
	       fake.vf[i].spoofchk == NL_VF_OFF;
}

static inline void untouched(uint32_t i)
{
	for (size_t s = 0; s < fake.sets; s++) {
		assert_true(fake.order[s] >> 8 != i);
	}
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, begin, end)

#endif
