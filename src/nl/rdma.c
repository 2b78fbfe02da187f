/* SPDX-License-Identifier: MIT */
/* See rdma.h. */
#include "nl/rdma.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rdma/rdma_netlink.h>

#include "nl/msg_priv.h"

#define NLDEV(op) ((uint16_t)RDMA_NL_GET_TYPE(RDMA_NL_NLDEV, (op)))

/* Read one attribute of what out points to; false if its size is wrong. */
typedef bool (*read_attr_fn)(const struct nlattr *a, void *out);

static int nldev_read(
	const struct nlmsghdr *nlh, unsigned op, read_attr_fn read_attr, void *out, struct err *e)
{
	const struct nlattr *a;
	struct attr_walk w;
	int r;

	if (nlh->nlmsg_type != NLDEV(op)) {
		return err_set(e, EBADMSG, "RDMA message: type %u where %u was expected",
			nlh->nlmsg_type, NLDEV(op));
	}
	if (!attr_walk_msg(nlh, 0, &w)) {
		return err_set(e, EBADMSG, "RDMA message: too short");
	}
	while ((r = attr_next(&w, &a)) > 0) {
		if (!read_attr(a, out)) {
			return attr_bad(a, "RDMA message", e);
		}
	}
	return r < 0 ? err_set(e, EBADMSG, "RDMA message: attribute runs past the end") : 0;
}

static bool read_dev_attr(const struct nlattr *a, void *dev)
{
	struct nl_rdma_dev *out = dev;

	switch (attr_type(a)) {
	case RDMA_NLDEV_ATTR_DEV_INDEX:
		return attr_u32(a, &out->index);
	case RDMA_NLDEV_ATTR_DEV_NAME:
		return attr_str(a, out->name, sizeof(out->name));
	case RDMA_NLDEV_ATTR_PORT_INDEX: /* of the last port */
		return attr_u32(a, &out->ports_n);
	case RDMA_NLDEV_ATTR_DEV_NODE_TYPE:
		return attr_u8(a, &out->node_type);
	case RDMA_NLDEV_ATTR_NODE_GUID:
		return attr_u64(a, &out->node_guid);
	case RDMA_NLDEV_ATTR_SYS_IMAGE_GUID:
		return attr_u64(a, &out->sys_image_guid);
	case RDMA_NLDEV_ATTR_DEV_PROTOCOL:
		return attr_str(a, out->protocol, sizeof(out->protocol));
	case RDMA_NLDEV_ATTR_FW_VERSION:
		return attr_str(a, out->fw_version, sizeof(out->fw_version));
	default:
		return true;
	}
}

int nl_rdma_dev_parse(const struct nlmsghdr *nlh, struct nl_rdma_dev *out, struct err *e)
{
	int r;

	memset(out, 0, sizeof(*out));
	r = nldev_read(nlh, RDMA_NLDEV_CMD_GET, read_dev_attr, out, e);
	if (r == 0 && out->name[0] == '\0') {
		return err_set(e, EBADMSG, "RDMA device without a name");
	}
	return r;
}

static bool read_port_attr(const struct nlattr *a, void *port)
{
	struct nl_rdma_port *out = port;

	switch (attr_type(a)) {
	case RDMA_NLDEV_ATTR_DEV_INDEX:
		return attr_u32(a, &out->dev_index);
	case RDMA_NLDEV_ATTR_PORT_INDEX:
		return attr_u32(a, &out->port);
	case RDMA_NLDEV_ATTR_PORT_STATE:
		return attr_u8(a, &out->state);
	case RDMA_NLDEV_ATTR_PORT_PHYS_STATE:
		return attr_u8(a, &out->phys_state);
	case RDMA_NLDEV_ATTR_NDEV_INDEX:
		return attr_u32(a, &out->ndev_ifindex);
	case RDMA_NLDEV_ATTR_NDEV_NAME:
		return attr_str(a, out->ndev_name, sizeof(out->ndev_name));
	default:
		return true;
	}
}

int nl_rdma_port_parse(const struct nlmsghdr *nlh, struct nl_rdma_port *out, struct err *e)
{
	int r;

	memset(out, 0, sizeof(*out));
	r = nldev_read(nlh, RDMA_NLDEV_CMD_PORT_GET, read_port_attr, out, e);
	if (r == 0 && out->port == 0) {
		return err_set(e, EBADMSG, "RDMA port without a number");
	}
	return r;
}

int nl_rdma_open(struct nl_sock *s, int timeout_ms, struct err *e)
{
	int r = nl_sock_open(s, NETLINK_RDMA, timeout_ms, e);

	if (r == -EPROTONOSUPPORT) {
		return 0;
	}
	return r < 0 ? r : 1;
}

/* Where a dump goes: devs or ports, the other is NULL. */
struct table {
	struct nl_rdma_dev *devs;
	struct nl_rdma_port *ports;
	size_t cap, n;
};

static int take(const struct nlmsghdr *nlh, void *arg, struct err *e)
{
	struct table *t = arg;
	int r;

	if (t->n == t->cap) {
		return err_set(e, EMSGSIZE, "more than %zu RDMA %s", t->cap,
			t->devs != NULL ? "devices" : "ports of one device");
	}
	r = t->devs != NULL ? nl_rdma_dev_parse(nlh, &t->devs[t->n], e)
			    : nl_rdma_port_parse(nlh, &t->ports[t->n], e);
	if (r < 0) {
		return r;
	}
	t->n++;
	return 0;
}

static void restart(void *arg)
{
	struct table *t = arg;

	t->n = 0;
}

/* One dump into t; a closed socket has nothing to say. */
static int list(struct nl_sock *s, struct nl_req *q, struct table *t, const char *what, size_t *n,
	struct err *e)
{
	struct nl_reader r = {.msg = take, .restart = restart, .arg = t};
	int rc;

	*n = 0;
	if (s->fd < 0) {
		return 0;
	}
	rc = nl_request(s, &q->u.h, &r, what, e);
	*n = rc < 0 ? 0 : t->n;
	return rc;
}

int nl_rdma_dev_list(
	struct nl_sock *s, struct nl_rdma_dev *out, size_t cap, size_t *n, struct err *e)
{
	struct table t = {.devs = out, .cap = cap};
	struct nl_req q;

	nl_req_init(&q, NLDEV(RDMA_NLDEV_CMD_GET), NLM_F_DUMP, NULL, 0);
	return list(s, &q, &t, "list RDMA devices", n, e);
}

int nl_rdma_port_list(struct nl_sock *s, uint32_t dev_index, struct nl_rdma_port *out, size_t cap,
	size_t *n, struct err *e)
{
	struct table t = {.ports = out, .cap = cap};
	struct nl_req q;
	int r;

	nl_req_init(&q, NLDEV(RDMA_NLDEV_CMD_PORT_GET), NLM_F_DUMP, NULL, 0);
	nl_req_put_u32(&q, RDMA_NLDEV_ATTR_DEV_INDEX, dev_index);
	r = list(s, &q, &t, "list ports of an RDMA device", n, e);
	return r == -EINVAL ? 0 : r; /* so says the kernel of an index that is no device any more */
}

static bool read_mode(const struct nlattr *a, void *mode)
{
	return attr_type(a) != RDMA_NLDEV_SYS_ATTR_NETNS_MODE || attr_u8(a, mode);
}

static int take_mode(const struct nlmsghdr *nlh, void *arg, struct err *e)
{
	return nldev_read(nlh, RDMA_NLDEV_CMD_SYS_GET, read_mode, arg, e);
}

int nl_rdma_exclusive(struct nl_sock *s, struct err *e)
{
	uint8_t mode = 1; /* shared, also where the kernel does not say */
	struct nl_reader r = {.msg = take_mode, .arg = &mode};
	struct nl_req q;
	int rc;

	if (s->fd < 0) {
		return 0;
	}
	nl_req_init(&q, NLDEV(RDMA_NLDEV_CMD_SYS_GET), 0, NULL, 0);
	rc = nl_request(s, &q.u.h, &r, "read the RDMA namespace mode", e);
	if (rc == -EINVAL || rc == -EOPNOTSUPP) {
		return 0; /* a kernel without the modes does not know the request */
	}
	return rc < 0 ? rc : mode == 0;
}

int nl_rdma_set_netns(struct nl_sock *s, uint32_t dev_index, int netns_fd, struct err *e)
{
	struct nl_req q;
	char what[64];

	(void)snprintf(what, sizeof(what), "move RDMA device %u to its namespace", dev_index);
	nl_req_init(&q, NLDEV(RDMA_NLDEV_CMD_SET), 0, NULL, 0);
	nl_req_put_u32(&q, RDMA_NLDEV_ATTR_DEV_INDEX, dev_index);
	nl_req_put_u32(&q, RDMA_NLDEV_NET_NS_FD, (uint32_t)netns_fd);
	return nl_request(s, &q.u.h, NULL, what, e);
}
