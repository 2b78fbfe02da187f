/* SPDX-License-Identifier: MIT */
/* What sysfs says of SR-IOV devices: where the PFs are, and each VF's function and driver. */
#ifndef SRIOV_SYSFS_H
#define SRIOV_SYSFS_H

#include "base/err.h"
#include "sriov/model.h"

/*
 * All calls take a descriptor of the sysfs root (normally /sys). The entries below net/ and
 * infiniband/ are filtered by the network namespace of the sysfs mount (net/core/net-sysfs.c), so
 * it must be the host's, mounted in the namespace the program runs in.
 */

/*
 * sriov_sysfs_pfs: fill pf[0..*n) with the netdevs that lead an SR-IOV capable device
 * (Documentation/ABI/testing/sysfs-bus-pci: sriov_totalvfs > 0; netdevsim has sriov_numvfs only),
 * sorted by bus address. Sets name, ifindex (0 if sysfs does not say), bus_id, pci, numa_node,
 * driver, rdma, total_vfs, num_vfs (VFs that are there: never waits for one who makes some). A PF
 * of which this cannot be read is listed with its problem and no VFs.
 * VF representors are passed over (phys_port_name "pf0vf3"); where several ports share one
 * function (mlx4, dev_port) the VFs belong to the first port and the others are passed over.
 * -E2BIG when there are more than SRIOV_PF_MAX. No PF at all is 0 and *n = 0.
 */
int sriov_sysfs_pfs(int sysfs, struct sriov_pf *pf, size_t *n, struct err *e) MUST_CHECK;

/*
 * sriov_sysfs_pf: the same for one netdev by name, with the number of VFs that sriov_numvfs says:
 * waits while another process writes it. For those who are about to change it. -ENODEV no such
 * netdev, -ENOTSUP not SR-IOV capable, -EINVAL it is a VF or a representor; -EIO it is a PF that
 * cannot be read; the message says which.
 */
int sriov_sysfs_pf(int sysfs, const char *name, struct sriov_pf *pf, struct err *e) MUST_CHECK;

/*
 * sriov_sysfs_capable: whether sriov_sysfs_pf would describe that netdev; its errors if not. Reads
 * nothing that blocks while somebody writes sriov_numvfs, as reading that attribute does.
 */
int sriov_sysfs_capable(int sysfs, const char *name, struct err *e) MUST_CHECK;

/*
 * sriov_sysfs_vf: fill vf->index, pci, state, netdev, driver, rdma for VF index of pf. A VF that
 * has no function of its own gets SRIOV_VF_VIRTUAL. -ENODEV when the VF went away meanwhile.
 */
int sriov_sysfs_vf(int sysfs, const struct sriov_pf *pf, uint32_t index, struct sriov_vf *vf,
	struct err *e) MUST_CHECK;

/*
 * sriov_sysfs_vf_at: the same by the VF's PCI address: all but vf->index. -ENODEV: no such PCI
 * function, or it is no VF.
 */
int sriov_sysfs_vf_at(
	int sysfs, const struct pci_addr *pci, struct sriov_vf *vf, struct err *e) MUST_CHECK;

/*
 * sriov_sysfs_parent: the PF of the VF at pci, as sriov_sysfs_pf fills it but for num_vfs, and the
 * VF's index. A PF whose netdev is not in this network namespace has an empty name, and *index is
 * then 0. -ENODEV: no such VF. As many readings on a PF with many VFs as on one with few.
 */
int sriov_sysfs_parent(int sysfs, const struct pci_addr *pci, struct sriov_pf *pf, uint32_t *index,
	struct err *e) MUST_CHECK;

/* sriov_sysfs_probe: have the kernel look for a driver for a function that has none. */
int sriov_sysfs_probe(int sysfs, const struct pci_addr *pci, struct err *e) MUST_CHECK;

/* sriov_sysfs_num_vfs: sriov_numvfs of pf. Waits while another process writes it. */
int sriov_sysfs_num_vfs(
	int sysfs, const struct sriov_pf *pf, uint32_t *out, struct err *e) MUST_CHECK;

/*
 * sriov_sysfs_set_num_vfs: write sriov_numvfs. Blocks until the driver is done, which takes
 * minutes on big cards. 0 -> N and N -> 0 only: the kernel refuses N -> M (EBUSY).
 */
int sriov_sysfs_set_num_vfs(
	int sysfs, const struct sriov_pf *pf, uint32_t n, struct err *e) MUST_CHECK;

/* sriov_sysfs_autoprobe: whether the kernel binds drivers to new VFs of pf
 * (sriov_drivers_autoprobe); true where it does not say. */
bool sriov_sysfs_autoprobe(int sysfs, const struct sriov_pf *pf);

/* sriov_sysfs_unbind, sriov_sysfs_bind: take a PCI function from a driver, give it to one. */
int sriov_sysfs_unbind(
	int sysfs, const struct pci_addr *pci, const char *driver, struct err *e) MUST_CHECK;
int sriov_sysfs_bind(
	int sysfs, const struct pci_addr *pci, const char *driver, struct err *e) MUST_CHECK;

/* sriov_sysfs_has: whether a netdev of that name is there. */
bool sriov_sysfs_has(int sysfs, const char *netdev);

/* sriov_sysfs_speed: the speed attribute in Mb/s; 0 when down, unknown or absent. */
uint32_t sriov_sysfs_speed(int sysfs, const char *netdev);

#endif
