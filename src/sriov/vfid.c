/* SPDX-License-Identifier: MIT */
/* See vfid.h. */
#include "sriov/vfid.h"

#include "base/attr.h"
#include "base/hash.h"

#define GUID_LEN 8

/* FNV's high bits are weak after few bytes; MurmurHash3's finaliser spreads them. */
static uint64_t spread(uint64_t h)
{
	h = (h ^ h >> 33) * 0xff51afd7ed558ccdU;
	h = (h ^ h >> 33) * 0xc4ceb9fe1a85ec53U;
	return h ^ h >> 33;
}

void sriov_vfid_mac(const uint8_t pf_mac[static 6], uint32_t vf, uint8_t mac[static 6])
{
	uint64_t maker = spread(hash_fnv(HASH_FNV_BASIS, pf_mac, 3));

	ASSERT(vf <= UINT16_MAX);
	/* 1..63, never 0: 02:42:... is what container bridges hand out. */
	mac[0] = (uint8_t)((maker % 63 + 1) << 2 | 0x02);
	mac[1] = pf_mac[3];
	mac[2] = pf_mac[4];
	mac[3] = pf_mac[5];
	mac[4] = (uint8_t)(vf >> 8);
	mac[5] = (uint8_t)vf;
}

uint64_t sriov_vfid_guid(
	const uint8_t *pf_addr, size_t pf_addr_n, uint32_t vf, enum sriov_guid_kind kind)
{
	const uint8_t tail[] = {(uint8_t)(vf >> 24), (uint8_t)(vf >> 16), (uint8_t)(vf >> 8),
		(uint8_t)vf, (uint8_t)kind};
	size_t skip = pf_addr_n > GUID_LEN ? pf_addr_n - GUID_LEN : 0;
	uint64_t h = hash_fnv(HASH_FNV_BASIS, pf_addr + skip, pf_addr_n - skip);

	h = spread(hash_fnv(h, tail, sizeof(tail)));
	return (h | (uint64_t)0x02 << 56) & ~((uint64_t)0x01 << 56);
}
