/* SPDX-License-Identifier: MIT */
/* See check.h. */
#include "check.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/rtnetlink.h>

#include "cni/addr.h"
#include "json/value.h"

#define IPV6_METRIC 1024 /* of a route that none was given: include/uapi/linux/ipv6_route.h */

/* The routes of the record that were seen. */
struct routes {
	const struct ledger_entry *en;
	uint64_t seen; /* bit i: en->route[i] */
};

static bool is_route(const struct ledger_route *want, const struct nl_route *r)
{
	uint32_t metric =
		want->metric == 0 && r->dst.family == AF_INET6 ? IPV6_METRIC : want->metric;
	struct nl_ip dst, gw;
	bool has_gw = want->gw[0] != '\0';

	return cni_net_parse(str_from(want->dst), &dst) && cni_net_same(&dst, &r->dst) &&
	       metric == r->metric &&
	       (want->table != 0 ? want->table : RT_TABLE_MAIN) == r->table &&
	       has_gw == r->has_gw &&
	       (!has_gw || (cni_ip_parse(str_from(want->gw), &gw) && cni_ip_same(&gw, &r->gw)));
}

static int see(const struct nl_route *r, void *arg, struct err *e)
{
	struct routes *k = arg;

	(void)e;
	_Static_assert(LEDGER_ROUTES_MAX <= 64, "a bit each");
	for (size_t i = 0; i < k->en->route_n; i++) {
		k->seen |= is_route(&k->en->route[i], r) ? (uint64_t)1 << i : 0;
	}
	return 0;
}

/* What one family's list showed stays when the other's is read again: routes are only added. */
static void see_again(void *arg)
{
	(void)arg;
}

int check_routes(
	struct call *c, struct sriov_pod *pod, uint32_t ifindex, const struct ledger_entry *en)
{
	struct routes k = {en, 0};
	const struct nl_route_visitor v = {see, see_again, &k};

	if (en->route_n == 0) {
		return 0;
	}
	if (nl_route_list(&pod->route, AF_INET, ifindex, &v, &c->fail.e) < 0 ||
		nl_route_list(&pod->route, AF_INET6, ifindex, &v, &c->fail.e) < 0) {
		return call_code(c, CNI_ERR_CHECK);
	}
	for (size_t i = 0; i < en->route_n; i++) {
		const struct ledger_route *r = &en->route[i];

		if ((k.seen & (uint64_t)1 << i) == 0) {
			return cni_fail_set(&c->fail, CNI_ERR_CHECK, EINVAL,
				"%s, VF %u of %s: route to %s%s%s, metric %u, is missing",
				en->ifname, (unsigned)en->vf, en->pf, r->dst,
				r->gw[0] != '\0' ? " via " : "", r->gw, (unsigned)r->metric);
		}
	}
	return 0;
}

static int wrong(struct call *c, const struct ledger_entry *en, const char *what, const char *value)
{
	return cni_fail_set(&c->fail, CNI_ERR_CHECK, EINVAL, "%s, VF %u of %s: prevResult %s%s",
		en->ifname, (unsigned)en->vf, en->pf, what, value);
}

/* The interface of ours in prevResult; false: none. */
static bool find_iface(
	const struct call *c, const struct ledger_entry *en, struct json_val *out, uint32_t *index)
{
	struct json_iter it = json_iter(json_get(c->conf.prev, "interfaces"));

	for (*index = 0; json_next(&it, NULL, out); (*index)++) {
		if (json_text_eq(json_get(*out, "name"), str_from(en->ifname)) &&
			json_text_eq(json_get(*out, "sandbox"), str_from(c->env.netns))) {
			return true;
		}
	}
	return false;
}

static bool has_addr(const struct call *c, const char *addr, uint32_t index)
{
	struct json_iter it = json_iter(json_get(c->conf.prev, "ips"));
	char text[LEDGER_ADDR_CAP];
	struct nl_ip want, have;
	struct json_val v;
	uint32_t at;
	struct err e;

	if (!cni_net_parse(str_from(addr), &want)) {
		return false;
	}
	while (json_next(&it, NULL, &v)) {
		if (json_copy(json_get(v, "address"), text, sizeof(text), &e) == 0 &&
			cni_net_parse(str_from(text), &have) && have.prefix == want.prefix &&
			cni_ip_same(&have, &want) &&
			json_u32(json_get(v, "interface"), 0, UINT32_MAX, &at, &e) == 0 &&
			at == index) {
			return true;
		}
	}
	return false;
}

int check_prev(struct call *c, const struct ledger_entry *en)
{
	struct json_val iface, mac;
	uint8_t listed[6];
	uint32_t index;
	char text[32];
	struct err e;

	if (!find_iface(c, en, &iface, &index)) {
		return wrong(c, en, "does not list it", "");
	}
	mac = json_get(iface, "mac");
	if ((en->applied.has & SRIOV_HAS_MAC) != 0 && json_type(mac) != JSON_NONE &&
		(json_copy(mac, text, sizeof(text), &e) < 0 || !parse_mac(str_from(text), listed) ||
			memcmp(listed, en->applied.mac, sizeof(listed)) != 0)) {
		return wrong(c, en, "has another MAC address for it", "");
	}
	for (size_t i = 0; i < en->addr_n; i++) {
		if (!has_addr(c, en->addr[i], index)) {
			return wrong(c, en, "does not list its address ", en->addr[i]);
		}
	}
	return 0;
}
