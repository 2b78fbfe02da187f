/* SPDX-License-Identifier: MIT */
/* See link.h. */
#include "nl/link.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "nl/link_priv.h"

static const char msg_name[] = "link message";

/* IFLA_PROP_LIST: altnames. A node of a nest that is no attribute is malformed. */
static int read_altnames(struct attr_walk w, struct nl_link *out, struct err *e)
{
	const struct nlattr *a;
	char name[NL_ALTNAME_CAP];
	int r;

	while ((r = attr_next(&w, &a)) > 0) {
		if (attr_type(a) != IFLA_ALT_IFNAME) {
			continue;
		}
		if (!attr_str(a, name, sizeof(name))) {
			return attr_bad(a, "alternative name", e);
		}
		if (out->altname_n < NL_ALTNAMES_MAX) {
			memcpy(out->altname[out->altname_n], name, sizeof(name));
		}
		out->altname_n++;
	}
	return r < 0 ? err_set(e, EBADMSG, "link message: broken list of alternative names") : 0;
}

static int read_kind(struct attr_walk w, struct nl_link *out, struct err *e)
{
	const struct nlattr *a;
	int r;

	while ((r = attr_next(&w, &a)) > 0) {
		if (attr_type(a) == IFLA_INFO_KIND) {
			attr_str_opt(a, out->kind, sizeof(out->kind));
		}
	}
	return r < 0 ? err_set(e, EBADMSG, "link message: broken link info") : 0;
}

static bool read_carrier(const struct nlattr *a, struct nl_link *out)
{
	uint8_t v;

	if (!attr_u8(a, &v)) {
		return false;
	}
	out->carrier = v != 0;
	return true;
}

static bool read_netnsid(const struct nlattr *a, struct nl_link *out)
{
	uint32_t v;

	if (!attr_u32(a, &v)) {
		return false;
	}
	out->has_netnsid = true;
	out->netnsid = (int32_t)v;
	return true;
}

/* Attributes that are one number, or one text or address. True if there was nothing wrong. */
static bool read_plain(const struct link_attr *la, struct nl_link *out)
{
	const struct nlattr *a = la->a;

	switch (la->type) {
	case IFLA_IFNAME:
		return attr_str(a, out->name, sizeof(out->name));
	case IFLA_ADDRESS:
		return attr_bytes(a, out->addr, sizeof(out->addr), &out->addr_n);
	case IFLA_PERM_ADDRESS:
		return attr_bytes(a, out->perm_addr, sizeof(out->perm_addr), &out->perm_addr_n);
	case IFLA_PHYS_SWITCH_ID:
		return attr_bytes(a, out->switch_id, sizeof(out->switch_id), &out->switch_id_n);
	case IFLA_PHYS_PORT_NAME:
		return attr_str(a, out->phys_port_name, sizeof(out->phys_port_name));
	case IFLA_PARENT_DEV_NAME:
		attr_str_opt(a, out->parent_dev, sizeof(out->parent_dev));
		return true;
	case IFLA_PARENT_DEV_BUS_NAME:
		attr_str_opt(a, out->parent_bus, sizeof(out->parent_bus));
		return true;
	case IFLA_MTU:
		return attr_u32(a, &out->mtu);
	case IFLA_MASTER:
		return attr_u32(a, &out->master);
	case IFLA_LINK:
		return attr_u32(a, &out->lower);
	case IFLA_PROMISCUITY:
		return attr_u32(a, &out->promisc_n);
	case IFLA_ALLMULTI:
		return attr_u32(a, &out->allmulti_n);
	case IFLA_NUM_VF:
		return attr_u32(a, &out->num_vf);
	case IFLA_OPERSTATE:
		return attr_u8(a, &out->operstate);
	case IFLA_CARRIER:
		return read_carrier(a, out);
	case IFLA_LINK_NETNSID:
		return read_netnsid(a, out);
	default:
		return true;
	}
}

static int read_attr(const struct link_attr *la, struct nl_link *out, struct err *e)
{
	switch (la->type) {
	case IFLA_PROP_LIST:
		return read_altnames(la->in, out, e);
	case IFLA_LINKINFO:
		return read_kind(la->in, out, e);
	default:
		return read_plain(la, out) ? 0 : attr_bad(la->a, msg_name, e);
	}
}

int nl_link_parse(const struct nlmsghdr *nlh, struct nl_link *out, struct err *e)
{
	struct link_attr la;
	struct attr_walk w;
	struct ifinfomsg ifi;
	int r;

	memset(out, 0, sizeof(*out));
	r = link_attrs(nlh, &ifi, &w, e);
	if (r < 0) {
		return r;
	}
	out->ifindex = (uint32_t)ifi.ifi_index;
	out->flags = ifi.ifi_flags;
	out->arphrd = ifi.ifi_type;
	while ((r = link_attr_next(&w, &la, e)) > 0) {
		r = read_attr(&la, out, e);
		if (r < 0) {
			return r;
		}
	}
	if (r < 0) {
		return r;
	}
	if (out->name[0] == '\0') {
		return err_set(e, EBADMSG, "link message: interface %u has no name", out->ifindex);
	}
	return 0;
}

/* The one link of a reply. */
struct one_link {
	struct nl_link *out;
	bool seen;
};

static int take_one(const struct nlmsghdr *nlh, void *arg, struct err *e)
{
	struct one_link *one = arg;

	one->seen = true;
	return nl_link_parse(nlh, one->out, e);
}

static int get(
	struct nl_sock *s, struct nl_req *q, struct nl_link *out, const char *what, struct err *e)
{
	struct one_link one = {.out = out};
	struct nl_reader r = {.msg = take_one, .arg = &one};
	int rc;

	nl_req_put_u32(q, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	rc = nl_request(s, &q->u.h, &r, what, e);
	if (rc == 0 && !one.seen) {
		return err_set(e, EBADMSG, "%s: acknowledged without an answer", what);
	}
	return rc;
}

int nl_link_get(struct nl_sock *s, uint32_t ifindex, struct nl_link *out, struct err *e)
{
	struct nl_req q;
	char what[48];
	int r = link_index_check(ifindex, e);

	if (r < 0) {
		return r;
	}
	(void)snprintf(what, sizeof(what), "read interface %u", ifindex);
	link_req(&q, RTM_GETLINK, 0, ifindex);
	return get(s, &q, out, what, e);
}

int nl_link_get_name(struct nl_sock *s, const char *name, struct nl_link *out, struct err *e)
{
	struct nl_req q;
	char what[NL_ALTNAME_CAP + 24];
	size_t n = strnlen(name, NL_ALTNAME_CAP);

	if (n == 0 || n == NL_ALTNAME_CAP) {
		return err_set(e, EINVAL, "an interface name has 1 to %d bytes, not \"%.*s\"",
			NL_ALTNAME_CAP - 1, (int)n, name);
	}
	(void)snprintf(what, sizeof(what), "read interface %s", name);
	link_req(&q, RTM_GETLINK, 0, 0);
	/* The kernel looks for both kinds of name by either attribute; only their limits differ. */
	nl_req_put_str(&q, n < NL_NAME_CAP ? IFLA_IFNAME : IFLA_ALT_IFNAME, name);
	return get(s, &q, out, what, e);
}

static int visit(const struct nlmsghdr *nlh, void *arg, struct err *e)
{
	const struct nl_link_visitor *v = arg;
	struct nl_link l;
	int r = nl_link_parse(nlh, &l, e);

	return r < 0 ? r : v->link(&l, v->arg, e);
}

static void visit_again(void *arg)
{
	const struct nl_link_visitor *v = arg;

	v->restart(v->arg);
}

int nl_link_list(struct nl_sock *s, const struct nl_link_visitor *v, struct err *e)
{
	struct nl_link_visitor copy = *v;
	struct nl_reader r = {.msg = visit, .restart = visit_again, .arg = &copy};
	struct nl_req q;

	ASSERT(v->link != NULL && v->restart != NULL);
	link_req(&q, RTM_GETLINK, NLM_F_DUMP, 0);
	nl_req_put_u32(&q, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	return nl_request(s, &q.u.h, &r, "list interfaces", e);
}
