/* SPDX-License-Identifier: MIT */
/*
 * What src/nl sees of this network namespace, one JSON object a line. For tests: text from the
 * kernel is printed as it is, with what JSON forbids replaced by '?'.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/num.h"
#include "base/parse.h"
#include "nl/ethtool.h"
#include "nl/link.h"
#include "nl/rdma.h"
#include "nl/vf.h"

enum { VFS_MAX = 1024, LINKS_MAX = 4096, RDMA_MAX = 256 };

static struct nl_vf vfs[VFS_MAX];
static struct nl_link links[LINKS_MAX];
static size_t links_n;

static int fail(const struct err *e)
{
	fprintf(stderr, "nl_dump: %s\n", e->msg);
	return e->code == EOPNOTSUPP ? 3 : 1;
}

static void put_str(const char *key, const char *s)
{
	printf(", \"%s\": \"", key);
	for (; *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;

		putchar(c < 0x20 || c == '"' || c == '\\' || c > 0x7e ? '?' : c);
	}
	putchar('"');
}

static void put_hex(const char *key, const uint8_t *p, size_t n)
{
	printf(", \"%s\": \"", key);
	for (size_t i = 0; i < n; i++) {
		printf("%s%02x", i > 0 ? ":" : "", p[i]);
	}
	putchar('"');
}

static void put_tri(const char *key, enum nl_vf_tri v)
{
	printf(", \"%s\": %s", key,
		v == NL_VF_UNSUPPORTED ? "null"
		: v == NL_VF_ON        ? "true"
				       : "false");
}

static void put_link(const struct nl_link *l)
{
	size_t shown = l->altname_n < NL_ALTNAMES_MAX ? l->altname_n : NL_ALTNAMES_MAX;

	printf("{\"type\": \"link\", \"ifindex\": %" PRIu32, l->ifindex);
	put_str("name", l->name);
	printf(", \"flags\": %" PRIu32 ", \"arphrd\": %u, \"operstate\": %u, \"carrier\": %s",
		l->flags, l->arphrd, l->operstate, l->carrier ? "true" : "false");
	printf(", \"mtu\": %" PRIu32 ", \"master\": %" PRIu32 ", \"lower\": %" PRIu32, l->mtu,
		l->master, l->lower);
	if (l->has_netnsid) {
		printf(", \"netnsid\": %" PRId32, l->netnsid);
	}
	printf(", \"promiscuity\": %" PRIu32 ", \"allmulti\": %" PRIu32, l->promisc_n,
		l->allmulti_n);
	put_hex("address", l->addr, l->addr_n);
	put_hex("perm_address", l->perm_addr, l->perm_addr_n);
	put_hex("switch_id", l->switch_id, l->switch_id_n);
	put_str("kind", l->kind);
	put_str("parent_bus", l->parent_bus);
	put_str("parent_dev", l->parent_dev);
	put_str("phys_port_name", l->phys_port_name);
	printf(", \"altnames_n\": %zu", l->altname_n);
	for (size_t i = 0; i < shown; i++) {
		char key[24];

		(void)snprintf(key, sizeof(key), "altname%zu", i);
		put_str(key, l->altname[i]);
	}
	printf("}\n");
}

static void put_vf(uint32_t pf, const struct nl_vf *v, size_t mac_n)
{
	printf("{\"type\": \"vf\", \"pf\": %" PRIu32 ", \"vf\": %" PRIu32 ", \"has\": %" PRIu32, pf,
		v->index, v->has);
	put_hex("mac", v->mac, mac_n < NL_VF_ADDR_CAP ? mac_n : NL_VF_ADDR_CAP);
	printf(", \"vlan\": %" PRIu32 ", \"qos\": %" PRIu32 ", \"proto\": %u", v->vlan, v->qos,
		v->proto);
	printf(", \"min_tx_rate\": %" PRIu32 ", \"max_tx_rate\": %" PRIu32, v->min_tx_rate,
		v->max_tx_rate);
	put_tri("spoofchk", v->spoofchk);
	put_tri("trust", v->trust);
	put_tri("rss_query", v->rss_query);
	printf(", \"link_state\": %d", (int)v->link_state);
	printf(", \"node_guid\": \"%016" PRIx64 "\", \"port_guid\": \"%016" PRIx64 "\"}\n",
		v->node_guid, v->port_guid);
}

static int gather(const struct nl_link *l, void *arg, struct err *e)
{
	(void)arg;
	if (links_n == LINKS_MAX) {
		return err_set(e, EMSGSIZE, "more than %d interfaces", LINKS_MAX);
	}
	links[links_n++] = *l;
	return 0;
}

static void forget(void *arg)
{
	(void)arg;
	links_n = 0;
}

static int dump_links(struct nl_sock *s, struct err *e)
{
	struct nl_link_visitor v = {.link = gather, .restart = forget};
	int r = nl_link_list(s, &v, e);

	for (size_t i = 0; r >= 0 && i < links_n; i++) {
		size_t n = 0;

		put_link(&links[i]);
		r = nl_vf_list(s, links[i].ifindex, vfs, VFS_MAX, &n, e);
		if (r == -ENODEV) {
			r = 0; /* gone since it was listed */
		}
		for (size_t k = 0; r >= 0 && k < n; k++) {
			put_vf(links[i].ifindex, &vfs[k], links[i].addr_n);
		}
	}
	return r;
}

static int dump_speeds(struct err *e)
{
	struct nl_sock s = NL_SOCK_INIT;
	struct nl_ethtool eth;
	int r = nl_sock_open(&s, NETLINK_GENERIC, 0, e);

	if (r < 0) {
		return r;
	}
	r = nl_ethtool_init(&eth, &s, e);
	for (size_t i = 0; r >= 0 && i < links_n; i++) {
		bool known, up, link_known;
		uint32_t mbps;

		r = nl_ethtool_speed(&eth, links[i].ifindex, &mbps, &known, e);
		if (r >= 0) {
			r = nl_ethtool_link(&eth, links[i].ifindex, &up, &link_known, e);
		}
		if (r == -ENODEV) {
			r = 0; /* gone since it was listed */
			continue;
		}
		if (r < 0) {
			break;
		}
		printf("{\"type\": \"speed\", \"ifindex\": %" PRIu32 ", \"mbps\": %" PRIu32
		       ", \"known\": %s, \"link\": %s}\n",
			links[i].ifindex, mbps, known ? "true" : "false",
			!link_known ? "null"
			: up        ? "true"
				    : "false");
	}
	nl_sock_close(&s);
	return r;
}

static int dump_ports(struct nl_sock *s, uint32_t dev, struct err *e)
{
	static struct nl_rdma_port ports[RDMA_MAX];
	size_t n = 0;
	int r = nl_rdma_port_list(s, dev, ports, RDMA_MAX, &n, e);

	for (size_t i = 0; i < n; i++) {
		printf("{\"type\": \"rdma_port\", \"dev\": %" PRIu32 ", \"port\": %" PRIu32
		       ", \"ifindex\": %" PRIu32 ", \"state\": %u, \"phys_state\": %u",
			ports[i].dev_index, ports[i].port, ports[i].ndev_ifindex, ports[i].state,
			ports[i].phys_state);
		put_str("netdev", ports[i].ndev_name);
		printf("}\n");
	}
	return r;
}

static int dump_rdma(struct err *e)
{
	static struct nl_rdma_dev devs[RDMA_MAX];
	struct nl_sock s = NL_SOCK_INIT;
	size_t n = 0;
	int r = nl_rdma_open(&s, 0, e);

	if (r >= 0) {
		printf("{\"type\": \"rdma\", \"present\": %s}\n", r == 1 ? "true" : "false");
		r = nl_rdma_dev_list(&s, devs, RDMA_MAX, &n, e);
	}
	for (size_t i = 0; r >= 0 && i < n; i++) {
		printf("{\"type\": \"rdma_dev\", \"index\": %" PRIu32 ", \"ports\": %" PRIu32
		       ", \"node_type\": %u, \"node_guid\": \"%016" PRIx64 "\"",
			devs[i].index, devs[i].ports_n, devs[i].node_type, devs[i].node_guid);
		put_str("name", devs[i].name);
		put_str("protocol", devs[i].protocol);
		put_str("fw_version", devs[i].fw_version);
		printf("}\n");
		r = dump_ports(&s, devs[i].index, e);
	}
	nl_sock_close(&s);
	return r;
}

static int dump(struct nl_sock *s, struct err *e)
{
	int r = dump_links(s, e);

	if (r >= 0) {
		r = dump_speeds(e);
	}
	return r < 0 ? r : dump_rdma(e);
}

/* A message of the link with its VFs, as the kernel sent it, into the file arg. */
static int save(const struct nlmsghdr *nlh, void *arg, struct err *e)
{
	const char *path = arg;
	cleanup_fd int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	int r;

	if (fd < 0) {
		return err_sys(e, errno, "open %s", path);
	}
	r = io_write_all(fd, nlh, nlh->nlmsg_len);
	return r < 0 ? err_sys(e, -r, "write %s", path) : 0;
}

static int capture(struct nl_sock *s, uint32_t ifindex, char *path, struct err *e)
{
	struct {
		struct nlmsghdr h;
		struct ifinfomsg ifi;
		struct rtattr a;
		uint32_t mask;
	} q = {
		.h = {sizeof(q), RTM_GETLINK, NLM_F_REQUEST, 0, 0},
		.ifi = {.ifi_index = (int)ifindex},
		.a = {8, IFLA_EXT_MASK},
		.mask = RTEXT_FILTER_VF | RTEXT_FILTER_SKIP_STATS,
	};
	struct nl_reader r = {.msg = save, .arg = path};

	return nl_request(s, &q.h, &r, "capture", e);
}

static uint32_t number(const char *text)
{
	uint32_t v;

	if (!num_u32(str_from(text), UINT32_MAX, &v)) {
		fprintf(stderr, "nl_dump: %s is no number\n", text);
		exit(2);
	}
	return v;
}

static uint64_t hex(const char *text)
{
	uint64_t v;

	if (!num_hex(str_from(text), UINT64_MAX, &v)) {
		fprintf(stderr, "nl_dump: %s is no hexadecimal number\n", text);
		exit(2);
	}
	return v;
}

static void mac(const char *text, uint8_t out[static 6])
{
	if (!parse_mac(str_from(text), out)) {
		fprintf(stderr, "nl_dump: %s is no address\n", text);
		exit(2);
	}
}

/* set LINK NAME VALUE */
static int set_link(struct nl_sock *s, uint32_t pf, const char *name, char **v, struct err *e)
{
	uint8_t addr[6];

	if (strcmp(name, "up") == 0) {
		return nl_link_set_up(s, pf, number(v[0]) != 0, e);
	}
	if (strcmp(name, "mac") == 0) {
		mac(v[0], addr);
		return nl_link_set_addr(s, pf, addr, sizeof(addr), e);
	}
	if (strcmp(name, "name") == 0) {
		return nl_link_set_name(s, pf, v[0], e);
	}
	return err_set(e, EINVAL, "no setting %s of a link", name);
}

/* vf LINK VF NAME VALUE [VALUE...] */
static int set_vf(struct nl_sock *s, uint32_t pf, char **v, int n, struct err *e)
{
	uint32_t vf = number(v[0]);
	const char *name = v[1];
	uint8_t addr[6];

	if (strcmp(name, "mac") == 0) {
		mac(v[2], addr);
		return nl_vf_set_mac(s, pf, vf, addr, sizeof(addr), e);
	}
	if (strcmp(name, "trust") == 0) {
		return nl_vf_set_trust(s, pf, vf, number(v[2]) != 0, e);
	}
	if (strcmp(name, "spoofchk") == 0) {
		return nl_vf_set_spoofchk(s, pf, vf, number(v[2]) != 0, e);
	}
	if (strcmp(name, "link_state") == 0) {
		return nl_vf_set_link_state(s, pf, vf, (enum nl_vf_link)number(v[2]), e);
	}
	if (strcmp(name, "rate") == 0 && n >= 4) {
		return nl_vf_set_rate(s, pf, vf, number(v[2]), number(v[3]), e);
	}
	if (strcmp(name, "vlan") == 0 && n >= 5) {
		return nl_vf_set_vlan(
			s, pf, vf, number(v[2]), number(v[3]), (uint16_t)hex(v[4]), e);
	}
	if (strcmp(name, "node_guid") == 0) {
		return nl_vf_set_node_guid(s, pf, vf, hex(v[2]), e);
	}
	if (strcmp(name, "port_guid") == 0) {
		return nl_vf_set_port_guid(s, pf, vf, hex(v[2]), e);
	}
	return err_set(e, EINVAL, "no setting %s of a VF, or a value is missing", name);
}

static int command(struct nl_sock *s, int argc, char **argv, struct err *e)
{
	struct nl_link l;
	int r;

	if (argc == 1) {
		return dump(s, e);
	}
	if (argc < 3) {
		return err_set(e, EINVAL,
			"usage: nl_dump [link IF | capture IF FILE | set IF SETTING VALUE | "
			"vf IF VF SETTING VALUE...]");
	}
	r = nl_link_get_name(s, argv[2], &l, e);
	if (r < 0) {
		return r;
	}
	if (strcmp(argv[1], "link") == 0) {
		put_link(&l);
		return 0;
	}
	if (strcmp(argv[1], "capture") == 0 && argc == 4) {
		return capture(s, l.ifindex, argv[3], e);
	}
	if (strcmp(argv[1], "set") == 0 && argc == 5) {
		return set_link(s, l.ifindex, argv[3], argv + 4, e);
	}
	if (strcmp(argv[1], "vf") == 0 && argc >= 6) {
		return set_vf(s, l.ifindex, argv + 3, argc - 3, e);
	}
	return err_set(e, EINVAL, "no command %s with %d arguments", argv[1], argc - 2);
}

int main(int argc, char **argv)
{
	struct nl_sock s = NL_SOCK_INIT;
	struct err e = ERR_INIT;
	int r = nl_sock_open(&s, NETLINK_ROUTE, 0, &e);

	if (r >= 0) {
		r = command(&s, argc, argv, &e);
	}
	nl_sock_close(&s);
	return r < 0 ? fail(&e) : 0;
}
