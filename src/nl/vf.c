/* SPDX-License-Identifier: MIT */
/* See vf.h. */
#include "nl/vf.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "nl/link_priv.h"

/* The list of one PF while it is read. */
struct vf_list {
	struct nl_vf *out;
	size_t n;
};

_Static_assert(sizeof(((struct ifla_vf_mac *)0)->mac) == NL_VF_ADDR_CAP, "linux/if_link.h");

/*
 * The payload of one attribute: first the VF's index, then what belongs to it. Copied, because a
 * payload is aligned to 4 bytes only and struct ifla_vf_guid wants 8.
 */
static bool payload(const struct nlattr *a, void *dst, size_t n)
{
	size_t got = 0;

	return attr_bytes(a, dst, n, &got) && got == n;
}

static enum nl_vf_tri tri(uint32_t setting)
{
	return setting == UINT32_MAX ? NL_VF_UNSUPPORTED : setting != 0 ? NL_VF_ON : NL_VF_OFF;
}

static bool read_mac(const struct nlattr *a, struct nl_vf *vf, uint32_t *index)
{
	struct ifla_vf_mac v;

	if (!payload(a, &v, sizeof(v))) {
		return false;
	}
	*index = v.vf;
	memcpy(vf->mac, v.mac, sizeof(vf->mac));
	vf->has |= NL_VF_MAC;
	return true;
}

static bool read_vlan(const struct nlattr *a, struct nl_vf *vf, uint32_t *index)
{
	struct ifla_vf_vlan v;

	if (!payload(a, &v, sizeof(v))) {
		return false;
	}
	*index = v.vf;
	/* The list, if there is one, knows the protocol as well. */
	if ((vf->has & NL_VF_VLAN) == 0) {
		vf->vlan = v.vlan;
		vf->qos = v.qos;
		vf->proto = NL_VLAN_8021Q;
	}
	vf->has |= NL_VF_VLAN;
	return true;
}

/* IFLA_VF_VLAN_LIST: the kernel describes one VLAN there and no more. */
static bool read_vlan_list(const struct nlattr *list, struct nl_vf *vf, uint32_t *index)
{
	struct ifla_vf_vlan_info v;
	const struct nlattr *a;
	struct attr_walk w;
	int r;

	attr_walk_nest(list, &w);
	while ((r = attr_next(&w, &a)) > 0) {
		if (attr_type(a) != IFLA_VF_VLAN_INFO) {
			continue;
		}
		if (!payload(a, &v, sizeof(v))) {
			return false;
		}
		*index = v.vf;
		vf->vlan = v.vlan;
		vf->qos = v.qos;
		vf->proto = v.vlan_proto != 0 ? be16toh(v.vlan_proto) : NL_VLAN_8021Q;
		vf->has |= NL_VF_VLAN;
	}
	return r == 0;
}

static bool read_rate(const struct nlattr *a, struct nl_vf *vf, uint32_t *index)
{
	struct ifla_vf_rate v;

	if (!payload(a, &v, sizeof(v))) {
		return false;
	}
	*index = v.vf;
	vf->min_tx_rate = v.min_tx_rate;
	vf->max_tx_rate = v.max_tx_rate;
	vf->has |= NL_VF_RATE | NL_VF_MIN_RATE;
	return true;
}

static bool read_guid(const struct nlattr *a, struct nl_vf *vf, uint32_t *index)
{
	struct ifla_vf_guid v;

	if (!payload(a, &v, sizeof(v))) {
		return false;
	}
	*index = v.vf;
	if (attr_type(a) == IFLA_VF_IB_NODE_GUID) {
		vf->node_guid = v.guid;
		vf->has |= NL_VF_NODE_GUID;
	} else {
		vf->port_guid = v.guid;
		vf->has |= NL_VF_PORT_GUID;
	}
	return true;
}

/* The attributes that are a VF's index and one number. */
static bool read_number(const struct nlattr *a, struct nl_vf *vf, uint32_t *index)
{
	uint32_t v[2];

	if (!payload(a, v, sizeof(v))) {
		return false;
	}
	*index = v[0];
	switch (attr_type(a)) {
	case IFLA_VF_TX_RATE:
		if ((vf->has & NL_VF_RATE) == 0) {
			vf->max_tx_rate = v[1];
		}
		vf->has |= NL_VF_RATE;
		break;
	case IFLA_VF_SPOOFCHK:
		vf->spoofchk = tri(v[1]);
		vf->has |= NL_VF_SPOOFCHK;
		break;
	case IFLA_VF_TRUST:
		vf->trust = tri(v[1]);
		vf->has |= NL_VF_TRUST;
		break;
	case IFLA_VF_RSS_QUERY_EN:
		vf->rss_query = tri(v[1]);
		vf->has |= NL_VF_RSS_QUERY;
		break;
	default: /* IFLA_VF_LINK_STATE; a state of a later kernel is left out */
		if (v[1] <= NL_VF_LINK_DISABLE) {
			vf->link_state = (enum nl_vf_link)v[1];
			vf->has |= NL_VF_LINK_STATE;
		}
		break;
	}
	return true;
}

static bool read_attr(const struct nlattr *a, struct nl_vf *vf, uint32_t *index)
{
	switch (attr_type(a)) {
	case IFLA_VF_MAC:
		return read_mac(a, vf, index);
	case IFLA_VF_VLAN:
		return read_vlan(a, vf, index);
	case IFLA_VF_VLAN_LIST:
		return read_vlan_list(a, vf, index);
	case IFLA_VF_RATE:
		return read_rate(a, vf, index);
	case IFLA_VF_IB_NODE_GUID:
	case IFLA_VF_IB_PORT_GUID:
		return read_guid(a, vf, index);
	case IFLA_VF_TX_RATE:
	case IFLA_VF_SPOOFCHK:
	case IFLA_VF_TRUST:
	case IFLA_VF_RSS_QUERY_EN:
	case IFLA_VF_LINK_STATE:
		return read_number(a, vf, index);
	default:
		return true; /* statistics, broadcast address, what later kernels add */
	}
}

static void vf_init(struct nl_vf *vf, uint32_t index)
{
	memset(vf, 0, sizeof(*vf));
	vf->index = index;
	vf->spoofchk = NL_VF_UNSUPPORTED;
	vf->trust = NL_VF_UNSUPPORTED;
	vf->rss_query = NL_VF_UNSUPPORTED;
}

/* One IFLA_VF_INFO. Every attribute of it repeats the VF's index: they must agree. */
static int read_vf(const struct nlattr *info, struct vf_list *l, struct err *e)
{
	uint32_t index = UINT32_MAX, first = UINT32_MAX;
	const struct nlattr *a;
	struct attr_walk w;
	struct nl_vf vf;
	int r;

	vf_init(&vf, 0);
	attr_walk_nest(info, &w);
	while ((r = attr_next(&w, &a)) > 0) {
		if (!read_attr(a, &vf, &index)) {
			return attr_bad(a, "VF list", e);
		}
		first = first == UINT32_MAX ? index : first;
		if (index != first) {
			return err_set(
				e, EBADMSG, "VF list: one entry for VFs %u and %u", first, index);
		}
	}
	if (r < 0 || first == UINT32_MAX) {
		return err_set(e, EBADMSG, "VF list: entry that is cut off or of no VF");
	}
	if (first >= l->n) {
		return err_set(e, EBADMSG, "VF list: VF %u of a device with %zu VFs", first, l->n);
	}
	if ((l->out[first].has & NL_VF_PRESENT) != 0) {
		return err_set(e, EBADMSG, "VF list: VF %u comes twice", first);
	}
	vf.index = first;
	vf.has |= NL_VF_PRESENT;
	l->out[first] = vf;
	return 0;
}

static int read_vfs(struct attr_walk w, struct vf_list *l, struct err *e)
{
	const struct nlattr *a;
	int r;

	while ((r = attr_next(&w, &a)) > 0) {
		/* vf_list_len() has seen to it that nothing else is in the list. */
		r = read_vf(a, l, e);
		if (r < 0) {
			return r;
		}
	}
	return r < 0 ? err_set(e, EBADMSG, "VF list: cut off") : 0;
}

int nl_vf_parse(const struct nlmsghdr *nlh, struct nl_vf *out, size_t cap, size_t *n, struct err *e)
{
	struct vf_list l = {.out = out};
	struct attr_walk w, list = {0};
	struct ifinfomsg ifi;
	struct link_attr la;
	uint32_t num_vf = 0;
	int r;

	*n = 0;
	r = link_attrs(nlh, &ifi, &w, e);
	if (r < 0) {
		return r;
	}
	while ((r = link_attr_next(&w, &la, e)) > 0) {
		if (la.type == IFLA_NUM_VF && !attr_u32(la.a, &num_vf)) {
			return attr_bad(la.a, "link message", e);
		}
		if (la.type == IFLA_VFINFO_LIST) {
			list = la.in;
		}
	}
	if (r < 0) {
		return r;
	}
	if (num_vf > cap) {
		return err_set(
			e, EMSGSIZE, "%u VFs are more than the %zu there is room for", num_vf, cap);
	}
	l.n = num_vf;
	for (uint32_t i = 0; i < num_vf; i++) {
		vf_init(&out[i], i);
	}
	r = read_vfs(list, &l, e);
	*n = r < 0 ? 0 : l.n;
	return r;
}

/* Where nl_vf_list's reply goes. */
struct vf_reply {
	struct nl_link *pf; /* may be NULL */
	struct nl_vf *out;
	size_t cap, n;
	bool seen;
};

static int take(const struct nlmsghdr *nlh, void *arg, struct err *e)
{
	struct vf_reply *reply = arg;
	int r = reply->pf != NULL ? nl_link_parse(nlh, reply->pf, e) : 0;

	reply->seen = true;
	return r < 0 ? r : nl_vf_parse(nlh, reply->out, reply->cap, &reply->n, e);
}

static int list(struct nl_sock *s, struct nl_req *q, struct vf_reply *reply, struct err *e)
{
	struct nl_reader r = {.msg = take, .arg = reply};
	int rc;

	nl_req_put_u32(q, IFLA_EXT_MASK, RTEXT_FILTER_VF | RTEXT_FILTER_SKIP_STATS);
	rc = nl_request(s, &q->u.h, &r, "list VFs", e);
	if (rc == 0 && !reply->seen) {
		return err_set(e, EBADMSG, "list VFs: acknowledged without an answer");
	}
	return rc;
}

static int list_index(struct nl_sock *s, uint32_t ifindex, struct vf_reply *reply, struct err *e)
{
	struct nl_req q;
	int rc = link_index_check(ifindex, e);

	if (rc < 0) {
		return rc;
	}
	link_req(&q, RTM_GETLINK, 0, ifindex);
	return list(s, &q, reply, e);
}

int nl_vf_list(struct nl_sock *s, uint32_t ifindex, struct nl_vf *out, size_t cap, size_t *n,
	struct err *e)
{
	struct vf_reply reply = {.out = out, .cap = cap};
	int r = list_index(s, ifindex, &reply, e);

	*n = r < 0 ? 0 : reply.n;
	return r;
}

int nl_vf_list_link(struct nl_sock *s, uint32_t ifindex, struct nl_link *pf, struct nl_vf *out,
	size_t cap, size_t *n, struct err *e)
{
	struct vf_reply reply = {.pf = pf, .out = out, .cap = cap};
	int r = list_index(s, ifindex, &reply, e);

	*n = r < 0 ? 0 : reply.n;
	return r;
}

int nl_vf_list_name(struct nl_sock *s, const char *name, struct nl_link *pf, struct nl_vf *out,
	size_t cap, size_t *n, struct err *e)
{
	struct vf_reply reply = {.pf = pf, .out = out, .cap = cap};
	struct nl_req q;
	int r;

	*n = 0;
	if (!parse_ifname(str_from(name))) {
		return err_set(e, EINVAL, "\"%s\" cannot be the name of an interface", name);
	}
	link_req(&q, RTM_GETLINK, 0, 0);
	nl_req_put_str(&q, IFLA_IFNAME, name);
	r = list(s, &q, &reply, e);
	*n = r < 0 ? 0 : reply.n;
	return r < 0 ? err_wrap(e, "%s", name) : 0;
}
