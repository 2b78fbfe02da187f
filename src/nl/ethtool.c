/* SPDX-License-Identifier: MIT */
/* See ethtool.h. */
#include "nl/ethtool.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <linux/ethtool_netlink.h>
#include <linux/genetlink.h>

#include "nl/msg_priv.h"

static void genl_req(struct nl_req *q, uint16_t family, uint8_t cmd)
{
	struct genlmsghdr g = {.cmd = cmd, .version = 1};

	nl_req_init(q, family, 0, &g, sizeof(g));
}

/* The walk over a reply of one family, which must be of that command. */
static int genl_attrs(const struct nlmsghdr *nlh, uint8_t cmd, struct attr_walk *w, struct err *e)
{
	const struct genlmsghdr *g = mnl_nlmsg_get_payload(nlh);

	if (!attr_walk_msg(nlh, sizeof(*g), w)) {
		return err_set(e, EBADMSG, "generic netlink: %u bytes are too short for a header",
			nlh->nlmsg_len);
	}
	if (g->cmd != cmd) {
		return err_set(
			e, EBADMSG, "generic netlink: reply %u where %u was expected", g->cmd, cmd);
	}
	return 0;
}

/* The attribute of a reply that has the given type, NULL if it is not there. */
static int genl_find(const struct nlmsghdr *nlh, uint8_t cmd, uint16_t type,
	const struct nlattr **out, struct err *e)
{
	const struct nlattr *a;
	struct attr_walk w;
	int r = genl_attrs(nlh, cmd, &w, e);

	*out = NULL;
	if (r < 0) {
		return r;
	}
	while ((r = attr_next(&w, &a)) > 0) {
		if (attr_type(a) == type) {
			*out = a;
		}
	}
	return r < 0 ? err_set(e, EBADMSG, "generic netlink: attribute runs past the end") : 0;
}

int nl_genl_family_parse(const struct nlmsghdr *nlh, uint16_t *id, struct err *e)
{
	const struct nlattr *a;
	int r = genl_find(nlh, CTRL_CMD_NEWFAMILY, CTRL_ATTR_FAMILY_ID, &a, e);

	if (r < 0) {
		return r;
	}
	if (a == NULL) {
		return err_set(e, EBADMSG, "generic netlink: family without a number");
	}
	if (!attr_u16(a, id) || *id < NLMSG_MIN_TYPE) {
		return attr_bad(a, "generic netlink family", e);
	}
	return 0;
}

static int take_family(const struct nlmsghdr *nlh, void *arg, struct err *e)
{
	return nl_genl_family_parse(nlh, arg, e);
}

int nl_genl_family(struct nl_sock *s, const char *name, uint16_t *id, struct err *e)
{
	struct nl_reader r = {.msg = take_family, .arg = id};
	struct nl_req q;
	char what[64];
	int rc;

	if (strnlen(name, GENL_NAMSIZ) == GENL_NAMSIZ) {
		return err_set(e, EINVAL, "name of a netlink family has more than %d bytes",
			GENL_NAMSIZ - 1);
	}
	(void)snprintf(what, sizeof(what), "look up netlink family %s", name);
	*id = 0;
	genl_req(&q, GENL_ID_CTRL, CTRL_CMD_GETFAMILY);
	nl_req_put_str(&q, CTRL_ATTR_FAMILY_NAME, name);
	rc = nl_request(s, &q.u.h, &r, what, e);
	if (rc == 0 && *id == 0) {
		return err_set(e, EBADMSG, "%s: acknowledged without an answer", what);
	}
	return rc;
}

int nl_ethtool_init(struct nl_ethtool *eth, struct nl_sock *s, struct err *e)
{
	eth->sock = s;
	return nl_genl_family(s, ETHTOOL_GENL_NAME, &eth->family, e);
}

int nl_ethtool_speed_parse(const struct nlmsghdr *nlh, uint32_t *mbps, bool *known, struct err *e)
{
	const struct nlattr *a;
	uint32_t v = 0;
	int r = genl_find(nlh, ETHTOOL_MSG_LINKMODES_GET_REPLY, ETHTOOL_A_LINKMODES_SPEED, &a, e);

	*known = false;
	*mbps = 0;
	if (r < 0 || a == NULL) {
		return r;
	}
	if (!attr_u32(a, &v)) {
		return attr_bad(a, "ethtool link modes", e);
	}
	/* SPEED_UNKNOWN is -1; bnxt says 0 while the link is down. */
	if (v != 0 && v != UINT32_MAX) {
		*known = true;
		*mbps = v;
	}
	return 0;
}

int nl_ethtool_link_parse(const struct nlmsghdr *nlh, bool *up, bool *known, struct err *e)
{
	const struct nlattr *a;
	uint8_t v = 0;
	int r = genl_find(nlh, ETHTOOL_MSG_LINKSTATE_GET_REPLY, ETHTOOL_A_LINKSTATE_LINK, &a, e);

	*known = false;
	*up = false;
	if (r < 0 || a == NULL) {
		return r;
	}
	if (!attr_u8(a, &v)) {
		return attr_bad(a, "ethtool link state", e);
	}
	*known = true;
	*up = v != 0;
	return 0;
}

/* What one of the two questions came to. */
struct answer {
	uint32_t mbps;
	bool up, known;
};

static int take_speed(const struct nlmsghdr *nlh, void *arg, struct err *e)
{
	struct answer *a = arg;

	return nl_ethtool_speed_parse(nlh, &a->mbps, &a->known, e);
}

static int take_link(const struct nlmsghdr *nlh, void *arg, struct err *e)
{
	struct answer *a = arg;

	return nl_ethtool_link_parse(nlh, &a->up, &a->known, e);
}

/* LINKMODES and LINKSTATE share the shape of their requests, the header's type too. */
static int ask(const struct nl_ethtool *eth, uint8_t cmd, uint32_t ifindex,
	const struct nl_reader *r, struct err *e)
{
	struct nl_req q;
	struct nlattr *header;
	char what[64];
	int rc;

	_Static_assert((int)ETHTOOL_A_LINKMODES_HEADER == (int)ETHTOOL_A_LINKSTATE_HEADER,
		"linux/ethtool_netlink.h");
	(void)snprintf(what, sizeof(what), "ask ethtool for the link of interface %u", ifindex);
	genl_req(&q, eth->family, cmd);
	header = nl_req_nest(&q, ETHTOOL_A_LINKMODES_HEADER);
	nl_req_put_u32(&q, ETHTOOL_A_HEADER_DEV_INDEX, ifindex);
	nl_req_put_u32(&q, ETHTOOL_A_HEADER_FLAGS, ETHTOOL_FLAG_COMPACT_BITSETS);
	nl_req_nest_end(&q, header);
	rc = nl_request(eth->sock, &q.u.h, r, what, e);
	return rc == -EOPNOTSUPP ? 0 : rc; /* the driver has no such thing: unknown */
}

int nl_ethtool_speed(
	const struct nl_ethtool *eth, uint32_t ifindex, uint32_t *mbps, bool *known, struct err *e)
{
	struct answer a = {0};
	struct nl_reader r = {.msg = take_speed, .arg = &a};
	int rc = ask(eth, ETHTOOL_MSG_LINKMODES_GET, ifindex, &r, e);

	*mbps = a.mbps;
	*known = a.known;
	return rc;
}

int nl_ethtool_link(
	const struct nl_ethtool *eth, uint32_t ifindex, bool *up, bool *known, struct err *e)
{
	struct answer a = {0};
	struct nl_reader r = {.msg = take_link, .arg = &a};
	int rc = ask(eth, ETHTOOL_MSG_LINKSTATE_GET, ifindex, &r, e);

	*up = a.up;
	*known = a.known;
	return rc;
}
