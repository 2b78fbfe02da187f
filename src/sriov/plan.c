/* SPDX-License-Identifier: MIT */
/* See plan.h. */
#include "sriov/plan.h"

#include <errno.h>
#include <linux/if_arp.h>
#include <string.h>

#include "sriov/conf.h"
#include "sriov/vfid.h"

#define MAC_LEN 6

const char *sriov_set_name(enum sriov_set s)
{
	switch (s) {
	case SRIOV_SET_MAC:
		return "administrative MAC address";
	case SRIOV_SET_NODE_GUID:
		return "node GUID";
	case SRIOV_SET_PORT_GUID:
		return "port GUID";
	case SRIOV_SET_LINK_STATE:
		return "link state";
	case SRIOV_SET_TRUST:
		return "trust";
	case SRIOV_SET_SPOOFCHK:
		return "spoof check";
	case SRIOV_SET_NETDEV_MAC:
		return "MAC address of the VF's interface";
	}
	ASSERT(false);
}

void sriov_origin_of(const struct nl_link *link, struct sriov_origin *out)
{
	bool permanent = link->perm_addr_n >= MAC_LEN;

	memset(out, 0, sizeof(*out));
	out->infiniband = link->arphrd == ARPHRD_INFINIBAND;
	out->addr_n = permanent ? link->perm_addr_n : link->addr_n;
	memcpy(out->addr, permanent ? link->perm_addr : link->addr, out->addr_n);
}

static void plan_mac(const struct sriov_vf *vf, const struct nl_link *net,
	const struct sriov_origin *origin, struct sriov_vf_plan *out)
{
	bool has_net = net != NULL && net->addr_n == MAC_LEN;

	if ((vf->kernel.has & NL_VF_MAC) == 0) {
		out->unsupported |= SRIOV_SET_MAC;
		return;
	}
	if (has_net && !mac_is_zero(net->addr)) {
		memcpy(out->mac, net->addr, MAC_LEN);
	} else if (!mac_is_zero(vf->kernel.mac)) {
		memcpy(out->mac, vf->kernel.mac, MAC_LEN);
	} else {
		/* A PF without any address yields a usable one nevertheless: addr is zeroed. */
		sriov_vfid_mac(origin->addr, vf->index, out->mac);
	}
	if (memcmp(out->mac, vf->kernel.mac, MAC_LEN) != 0) {
		out->set |= SRIOV_SET_MAC;
	}
	if (has_net && memcmp(out->mac, net->addr, MAC_LEN) != 0) {
		out->set |= SRIOV_SET_NETDEV_MAC;
	}
}

static void plan_tri(enum nl_vf_tri now, bool want, enum sriov_set what, struct sriov_vf_plan *out)
{
	if (now == NL_VF_UNSUPPORTED) {
		out->unsupported |= (uint32_t)what;
	} else if ((now == NL_VF_ON) != want) {
		out->set |= (uint32_t)what;
	}
}

static uint64_t plan_guid(const struct sriov_vf *vf, const struct sriov_origin *origin,
	uint64_t now, uint32_t has, enum sriov_set what, struct sriov_vf_plan *out)
{
	bool node = what == SRIOV_SET_NODE_GUID;

	if ((vf->kernel.has & has) == 0) {
		out->unsupported |= (uint32_t)what;
		return 0;
	}
	if (now != 0) {
		return now;
	}
	out->set |= (uint32_t)what;
	return sriov_vfid_guid(
		origin->addr, origin->addr_n, vf->index, node ? SRIOV_GUID_NODE : SRIOV_GUID_PORT);
}

void sriov_plan_vf(const struct sriov_vf *vf, const struct nl_link *net,
	const struct sriov_policy *policy, const struct sriov_origin *origin,
	struct sriov_vf_plan *out)
{
	const struct nl_vf *k = &vf->kernel;

	memset(out, 0, sizeof(*out));
	if (!origin->infiniband) {
		out->trust = policy->trust;
		out->spoofchk = policy->spoofchk;
		plan_mac(vf, net, origin, out);
		plan_tri(k->trust, policy->trust, SRIOV_SET_TRUST, out);
		plan_tri(k->spoofchk, policy->spoofchk, SRIOV_SET_SPOOFCHK, out);
		return;
	}
	out->node_guid =
		plan_guid(vf, origin, k->node_guid, NL_VF_NODE_GUID, SRIOV_SET_NODE_GUID, out);
	out->port_guid =
		plan_guid(vf, origin, k->port_guid, NL_VF_PORT_GUID, SRIOV_SET_PORT_GUID, out);
	if ((k->has & NL_VF_LINK_STATE) == 0) {
		out->unsupported |= SRIOV_SET_LINK_STATE;
	} else if (k->link_state != NL_VF_LINK_AUTO) {
		out->set |= SRIOV_SET_LINK_STATE;
	}
}

int sriov_plan_num(const struct sriov_pf *pf, uint32_t want, uint32_t *out, struct err *e)
{
	uint32_t total = pf->total_vfs < SRIOV_PF_VF_MAX ? pf->total_vfs : SRIOV_PF_VF_MAX;

	if (want == SRIOV_NUM_DEFAULT) {
		want = pf->num_vfs > 0 ? pf->num_vfs : SRIOV_VFS_MAX_WORD;
	}
	if (total > 0) {
		if (want != SRIOV_VFS_MAX_WORD && want > total) {
			return err_set(e, ERANGE,
				"%s: %u VFs are asked for, the device can have %u at most",
				pf->name, want, total);
		}
		*out = want == SRIOV_VFS_MAX_WORD ? total : want;
		return 0;
	}
	if (pf->num_vfs == 0) {
		return err_set(e, ENOTSUP, "%s: not SR-IOV capable: no sriov_totalvfs", pf->name);
	}
	if (want != SRIOV_VFS_MAX_WORD && want != pf->num_vfs) {
		return err_set(e, ENOTSUP,
			"%s: %u VFs are asked for, it has %u and does not say how many it can have",
			pf->name, want, pf->num_vfs);
	}
	*out = pf->num_vfs;
	return 0;
}

static void add_record(struct buf *b, const struct sriov_holder *h)
{
	if (h->pod_name[0] != '\0') {
		buf_printf(b, "pod %s/%s, ", h->pod_namespace, h->pod_name);
	}
	buf_printf(b, "container %s, interface %s", h->container_id, h->ifname);
}

void sriov_plan_holder(struct buf *b, const struct sriov_vf *vf)
{
	if (vf->holder != NULL) {
		buf_add_c(b, "held by ");
		add_record(b, vf->holder);
		return;
	}
	switch (vf->state) {
	case SRIOV_VF_AWAY:
		buf_add_c(b, "its interface is in another network namespace");
		return;
	case SRIOV_VF_VFIO:
	case SRIOV_VF_OTHER:
		buf_printf(b, "bound to %s", vf->driver);
		return;
	case SRIOV_VF_NO_DRIVER:
		buf_add_c(b, "bound to no driver");
		return;
	case SRIOV_VF_FREE:
	case SRIOV_VF_VIRTUAL:
		buf_add_c(b, "not in use");
		return;
	}
}
