/* SPDX-License-Identifier: MIT */
/* Addresses for VFs that have none: always the same for the same PF and VF, on every boot. */
#ifndef SRIOV_VFID_H
#define SRIOV_VFID_H

#include <stddef.h>
#include <stdint.h>

/*
 * sriov_vfid_mac: a locally administered unicast MAC for VF index of the Ethernet PF whose
 * permanent address is pf_mac (IEEE 802c local bits):
 *
 *   byte 0      1..63 << 2 | 2, from a hash of the PF's first three bytes (its maker)
 *   bytes 1..3  the last three bytes of the PF's address
 *   bytes 4..5  the VF's index, big endian
 *
 * So VFs of any PFs of one maker never share an address, and the address shows where it is from.
 * vf must be below 65536, which is what PCIe allows.
 */
void sriov_vfid_mac(const uint8_t pf_mac[static 6], uint32_t vf, uint8_t mac[static 6]);

enum sriov_guid_kind { SRIOV_GUID_NODE = 'n', SRIOV_GUID_PORT = 'p' };

/*
 * sriov_vfid_guid: a locally administered GUID in host byte order for VF index of the InfiniBand
 * PF whose hardware address is pf_addr (20 bytes of which the last 8, the port GUID, count; a
 * shorter address counts whole): a 64-bit hash (FNV-1a, then the finaliser of MurmurHash3) of
 * these bytes, the index as four bytes big endian, and the kind; with the universal/local bit set
 * and the group bit clear (EUI-64). Never 0.
 */
uint64_t sriov_vfid_guid(
	const uint8_t *pf_addr, size_t pf_addr_n, uint32_t vf, enum sriov_guid_kind kind);

#endif
