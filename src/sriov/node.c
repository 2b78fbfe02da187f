/* SPDX-License-Identifier: MIT */
/*
 * See node.h. Order matters: sysfs says how many VFs there are, the kernel's VF list (one PF at a
 * time) fills in their settings, and a PF whose VFs come or go in between is simply read again
 * with the next request.
 */
#include "sriov/node.h"

#include <errno.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>

#include "nl/link.h"
#include "sriov/caps.h"
#include "sriov/node_priv.h"
#include "sriov/sysfs.h"

#define RDMA_PORTS_MAX 8 /* ports of one RDMA device: 2 on the cards there are */

static void read_speed(struct sriov_kernel *k, struct sriov_pf *pf)
{
	struct err ignored;
	uint32_t mbps = 0;
	bool known = false;

	if (k->genl.fd >= 0 &&
		nl_ethtool_speed(&k->ethtool, pf->ifindex, &mbps, &known, &ignored) == 0 && known &&
		mbps <= SRIOV_RATE_MAX) {
		pf->speed = mbps;
		return;
	}
	pf->speed = sriov_sysfs_speed(k->sysfs, pf->name);
}

void node_take_link(struct sriov_kernel *k, struct sriov_pf *pf, const struct nl_link *link)
{
	pf->ifindex = link->ifindex;
	pf->infiniband = link->arphrd == ARPHRD_INFINIBAND;
	pf->admin_up = (link->flags & IFF_UP) != 0;
	pf->link_up = pf->admin_up && link->carrier;
	memcpy(pf->mac, link->addr, sizeof(pf->mac));
	/* A link that is down has no speed, whatever its driver says of the last one. */
	if (pf->link_up) {
		read_speed(k, pf);
	}
}

static int read_link(struct sriov_kernel *k, struct sriov_pf *pf, struct err *e)
{
	struct nl_link link;
	int r = nl_link_get_name(&k->route, pf->name, &link, e);

	if (r == -ENODEV && sriov_sysfs_has(k->sysfs, pf->name)) {
		return err_set(e, EXDEV, "sysfs shows it, but it is not in this network namespace");
	}
	if (r < 0) {
		return r;
	}
	if (pf->ifindex != 0 && pf->ifindex != link.ifindex) {
		return err_set(e, EXDEV,
			"sysfs and this network namespace show different interfaces of that name");
	}
	node_take_link(k, pf, &link);
	return 0;
}

static int read_vfs(
	struct sriov_kernel *k, struct sriov_node *n, struct sriov_pf *pf, struct err *e)
{
	size_t listed = 0;
	int r = nl_vf_list(&k->route, pf->ifindex, k->vf, SRIOV_PF_VF_MAX, &listed, e);

	if (r < 0) {
		return r;
	}
	if (pf->num_vfs > SRIOV_VF_MAX - n->vf_n) {
		return err_set(e, E2BIG, "more than %d VFs on this node", SRIOV_VF_MAX);
	}
	for (uint32_t i = 0; i < pf->num_vfs; i++) {
		struct sriov_vf *vf = &n->vf[pf->vf_first + i];

		r = sriov_sysfs_vf(k->sysfs, pf, i, vf, e);
		if (r < 0) {
			return r;
		}
		vf->kernel = i < listed ? k->vf[i] : (struct nl_vf){.index = i};
		vf->undescribed = i < listed && (k->vf[i].has & NL_VF_PRESENT) == 0;
		pf->vf_n++;
	}
	n->vf_n += pf->vf_n;
	return 0;
}

static void set_problem(struct sriov_pf *pf, const char *why)
{
	(void)snprintf(pf->problem, sizeof(pf->problem), "%.*s", (int)sizeof(pf->problem) - 1, why);
}

int sriov_pf_read(
	struct sriov_kernel *k, struct sriov_node *n, const struct sriov_pf *found, struct err *e)
{
	struct sriov_pf *pf = &n->pf[n->pf_n];
	int r;

	if (n->pf_n == SRIOV_PF_MAX) {
		return err_set(e, E2BIG, "more than %d physical functions", SRIOV_PF_MAX);
	}
	*pf = *found;
	pf->vf_first = n->vf_n;
	pf->vf_n = 0;
	r = pf->problem[0] == '\0' ? read_link(k, pf, e) : 0;
	if (r < 0 && r != -EXDEV) {
		return r;
	}
	sriov_caps_guess(pf);
	if (r == 0 && pf->problem[0] == '\0') {
		r = read_vfs(k, n, pf, e);
	}
	if (r < 0) {
		/* Half a list would make VFs look free or gone: show none, and say why. */
		pf->vf_n = 0;
		set_problem(pf, e->msg);
	}
	sriov_caps_observe(n, pf);
	n->pf_n++;
	return 0;
}

static bool rdma_is_known(const struct sriov_node *n, const char *dev)
{
	for (size_t i = 0; i < n->pf_n; i++) {
		if (strcmp(n->pf[i].rdma, dev) == 0) {
			return true;
		}
	}
	for (size_t i = 0; i < n->vf_n; i++) {
		if (strcmp(n->vf[i].rdma, dev) == 0) {
			return true;
		}
	}
	return false;
}

static void rdma_belongs_to(struct sriov_node *n, const char *dev, const char *netdev)
{
	struct str name = str_from(dev);

	/* Names of one kernel constant: they always fit. The first device of a netdev counts. */
	for (size_t i = 0; i < n->pf_n; i++) {
		if (strcmp(n->pf[i].name, netdev) == 0 && n->pf[i].rdma[0] == '\0') {
			(void)!str_copy(name, n->pf[i].rdma, sizeof(n->pf[i].rdma));
			return;
		}
	}
	for (size_t i = 0; i < n->vf_n; i++) {
		if (strcmp(n->vf[i].netdev, netdev) == 0 && n->vf[i].rdma[0] == '\0') {
			(void)!str_copy(name, n->vf[i].rdma, sizeof(n->vf[i].rdma));
			return;
		}
	}
}

/*
 * An RDMA device that is a child of its PCI function has been seen in sysfs. Others (rxe, siw) are
 * found by the netdev behind their ports.
 */
static int read_rdma(struct sriov_kernel *k, struct sriov_node *n, struct err *e)
{
	struct nl_rdma_port port[RDMA_PORTS_MAX];
	size_t dev_n = 0, port_n = 0;
	int r;

	if (k->rdma.fd < 0) {
		r = nl_rdma_open(&k->rdma, 0, e); /* RDMA may have been loaded meanwhile */
		if (r <= 0) {
			return r;
		}
	}
	r = nl_rdma_dev_list(&k->rdma, k->rdma_dev, SRIOV_VF_MAX, &dev_n, e);
	for (size_t i = 0; r == 0 && i < dev_n; i++) {
		const struct nl_rdma_dev *d = &k->rdma_dev[i];

		if (rdma_is_known(n, d->name)) {
			continue;
		}
		r = nl_rdma_port_list(&k->rdma, d->index, port, RDMA_PORTS_MAX, &port_n, e);
		for (size_t j = 0; r == 0 && j < port_n; j++) {
			if (port[j].ndev_name[0] != '\0') {
				rdma_belongs_to(n, d->name, port[j].ndev_name);
			}
		}
	}
	return r;
}

int sriov_node_read(struct sriov_kernel *k, struct sriov_node *n, struct err *e)
{
	struct sriov_pf found[SRIOV_PF_MAX];
	size_t found_n = 0;
	int r;

	n->pf_n = 0;
	n->vf_n = 0;
	r = sriov_sysfs_pfs(k->sysfs, found, &found_n, e);
	if (r < 0) {
		return r;
	}
	for (size_t i = 0; i < found_n; i++) {
		r = sriov_pf_read(k, n, &found[i], e);
		if (r < 0 && r != -ENODEV) {
			return err_wrap(e, "%s", found[i].name);
		}
	}
	return read_rdma(k, n, e);
}
