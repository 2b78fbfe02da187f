/* SPDX-License-Identifier: MIT */
/* Derived addresses: the same for the same VF, different for all others, of the right kind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "sriov/limits.h"
#include "sriov/vfid.h"

#define PFS 8

static const uint8_t pf_mac[PFS][6] = {
	{0x52, 0x54, 0x00, 0x00, 0x00, 0x01},
	{0x52, 0x54, 0x00, 0x00, 0x00, 0x02},
	{0x52, 0x54, 0x00, 0x00, 0x01, 0x00},
	{0x52, 0x54, 0x00, 0x01, 0x00, 0x00},
	{0x0c, 0x42, 0xa1, 0x00, 0x00, 0x01},
	{0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
	{0x00, 0x00, 0x00, 0x00, 0x00, 0x00},
	{0x00, 0x1b, 0x21, 0xff, 0xff, 0xff},
};

static int order(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y ? 1 : 0;
}

static uint64_t mac_number(const uint8_t mac[static 6])
{
	uint64_t v = 0;

	for (int i = 0; i < 6; i++) {
		v = v << 8 | mac[i];
	}
	return v;
}

static void macs_are_stable(void **state)
{
	/* Fixed for ever: a new version must not give a running node's VFs other addresses. */
	static const uint8_t want0[6] = {0xd6, 0x00, 0x00, 0x01, 0x00, 0x00};
	uint8_t mac[6];

	(void)state;
	sriov_vfid_mac(pf_mac[0], 0, mac);
	assert_memory_equal(mac, want0, 6);
	sriov_vfid_mac(pf_mac[0], 0x1234, mac);
	assert_int_equal(mac[4], 0x12);
	assert_int_equal(mac[5], 0x34);
	sriov_vfid_mac(pf_mac[0], UINT16_MAX, mac);
	assert_int_equal(mac[4] << 8 | mac[5], UINT16_MAX);
}

static void macs_are_local_unicast(void **state)
{
	uint8_t mac[6];

	(void)state;
	for (int maker = 0; maker < 65536; maker++) {
		uint8_t pf[6] = {0, (uint8_t)(maker >> 8), (uint8_t)maker, 1, 2, 3};

		sriov_vfid_mac(pf, 7, mac);
		assert_int_equal(mac[0] & 3, 2);
		assert_int_not_equal(mac[0], 2); /* 02:42:... are container bridges */
	}
}

static void macs_differ(void **state)
{
	static uint64_t all[PFS * SRIOV_PF_VF_MAX];
	size_t n = 0;

	(void)state;
	for (int p = 0; p < PFS; p++) {
		for (uint32_t vf = 0; vf < SRIOV_PF_VF_MAX; vf++) {
			uint8_t mac[6];

			sriov_vfid_mac(pf_mac[p], vf, mac);
			all[n++] = mac_number(mac);
		}
	}
	qsort(all, n, sizeof(all[0]), order);
	for (size_t i = 1; i < n; i++) {
		assert_true(all[i - 1] != all[i]);
	}
}

static void guids_are_stable(void **state)
{
	static const uint8_t ipoib[20] = {0, 0, 1, 7, 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0x0c, 0x42,
		0xa1, 0x03, 0x00, 0x11, 0x22, 0x33};
	uint8_t moved[20];

	(void)state;
	assert_true(sriov_vfid_guid(ipoib, 20, 3, SRIOV_GUID_NODE) == 0xde971fe126b0484bU);
	/* The first twelve bytes (queue pair, prefix) change from boot to boot. */
	memcpy(moved, ipoib, 20);
	memset(moved, 0x55, 12);
	assert_true(sriov_vfid_guid(ipoib, 20, 3, SRIOV_GUID_NODE) ==
		    sriov_vfid_guid(moved, 20, 3, SRIOV_GUID_NODE));
	moved[19] ^= 1;
	assert_true(sriov_vfid_guid(ipoib, 20, 3, SRIOV_GUID_NODE) !=
		    sriov_vfid_guid(moved, 20, 3, SRIOV_GUID_NODE));
}

static void guids_differ(void **state)
{
	static uint64_t all[2 * PFS * SRIOV_PF_VF_MAX];
	size_t n = 0;

	(void)state;
	for (int p = 0; p < PFS; p++) {
		for (uint32_t vf = 0; vf < SRIOV_PF_VF_MAX; vf++) {
			all[n++] = sriov_vfid_guid(pf_mac[p], 6, vf, SRIOV_GUID_NODE);
			all[n++] = sriov_vfid_guid(pf_mac[p], 6, vf, SRIOV_GUID_PORT);
		}
	}
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(all[i] >> 56 & 3, 2); /* local, not a group */
	}
	qsort(all, n, sizeof(all[0]), order);
	for (size_t i = 1; i < n; i++) {
		assert_true(all[i - 1] != all[i]);
	}
}

static void guid_of_no_address_is_usable(void **state)
{
	(void)state;
	assert_true(sriov_vfid_guid(pf_mac[0], 0, 0, SRIOV_GUID_PORT) != 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(macs_are_stable),
		cmocka_unit_test(macs_are_local_unicast),
		cmocka_unit_test(macs_differ),
		cmocka_unit_test(guids_are_stable),
		cmocka_unit_test(guids_differ),
		cmocka_unit_test(guid_of_no_address_is_usable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
