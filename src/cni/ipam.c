/* SPDX-License-Identifier: MIT */
/* See ipam.h. */
#include "cni/ipam.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "cni/addr.h"
#include "json/value.h"

/* IPv4 prefers metric 0, which is what a first interface gets, IPv6 has 1024 for none. */
#define WORSE_METRIC 4096

#define TEXT_CAP     80 /* the longest address with its prefix has 49 bytes */

/* Go programs write null and "" for what they do not have. */
static bool given(struct json_val v)
{
	return json_type(v) > JSON_NULL && !json_text_eq(v, STR(""));
}

static int get_net(struct json_val v, struct nl_ip *out, struct err *e)
{
	char text[TEXT_CAP];
	int r = json_copy(v, text, sizeof(text), e);

	if (r < 0) {
		return r;
	}
	return cni_net_parse(str_from(text), out) ? 0
						  : json_wrong(v, e, "an address with a prefix");
}

static int get_gw(struct json_val v, uint8_t family, bool *has, struct nl_ip *out, struct err *e)
{
	char text[TEXT_CAP];
	struct nl_ip ip;
	int r;

	if (!given(v)) {
		return 0;
	}
	r = json_copy(v, text, sizeof(text), e);
	if (r < 0) {
		return r;
	}
	if (!cni_ip_parse(str_from(text), &ip) || ip.family != family) {
		return json_wrong(v, e, "an IPv%d address", family == AF_INET ? 4 : 6);
	}
	*has = true;
	*out = ip;
	return 0;
}

static int get_u32(struct json_val v, uint32_t *out, struct err *e)
{
	return given(v) ? json_u32(v, 0, UINT32_MAX, out, e) : 0;
}

static int add_route(struct cni_ipam *r, struct json_val v, struct err *e)
{
	struct cni_route route = {0};
	struct json_val dst, scope = json_get(v, "scope");
	uint32_t number = 0;
	int n;

	if (r->route_n == CNI_ROUTES_MAX) {
		return json_fail(v, e, E2BIG, "more than %d routes", CNI_ROUTES_MAX);
	}
	n = json_need(v, "dst", JSON_STRING, &dst, e);
	n = n < 0 ? n : get_net(dst, &route.dst, e);
	n = n < 0 ? n : get_gw(json_get(v, "gw"), route.dst.family, &route.has_gw, &route.gw, e);
	n = n < 0 ? n : get_u32(json_get(v, "mtu"), &route.mtu, e);
	n = n < 0 ? n : get_u32(json_get(v, "advmss"), &route.advmss, e);
	n = n < 0 ? n : get_u32(json_get(v, "priority"), &route.priority, e);
	n = n < 0 ? n : get_u32(json_get(v, "table"), &route.table, e);
	if (n == 0 && given(scope)) {
		n = json_u32(scope, 0, UINT8_MAX, &number, e);
		route.has_scope = true;
		route.scope = (uint8_t)number;
	}
	if (n < 0) {
		return n;
	}
	r->route[r->route_n++] = route;
	return 0;
}

static int add_routes(struct cni_ipam *r, struct json_val list, struct err *e)
{
	struct json_iter it = json_iter(list);
	struct json_val v;
	int n = 0;

	if (given(list) && json_type(list) != JSON_ARRAY) {
		return json_wrong(list, e, "a list of routes");
	}
	while (n == 0 && json_next(&it, NULL, &v)) {
		n = add_route(r, v, e);
	}
	return n;
}

static int add_ip(
	struct cni_ipam *r, struct json_val v, const char *key, uint8_t family, struct err *e)
{
	struct cni_ip ip = {0};
	struct json_val addr;
	int n;

	if (r->ip_n == CNI_IPS_MAX) {
		return json_fail(v, e, E2BIG, "more than %d addresses", CNI_IPS_MAX);
	}
	n = json_need(v, key, JSON_STRING, &addr, e);
	n = n < 0 ? n : get_net(addr, &ip.addr, e);
	if (n == 0 && family != 0 && family != ip.addr.family) {
		n = json_wrong(addr, e, "an IPv%d address", family == AF_INET ? 4 : 6);
	}
	n = n < 0 ? n : get_gw(json_get(v, "gateway"), ip.addr.family, &ip.has_gw, &ip.gw, e);
	if (n < 0) {
		return n;
	}
	r->ip[r->ip_n++] = ip;
	return 0;
}

/* 0.1.0 and 0.2.0: one object a family, its routes in it. */
static int read_old(struct cni_ipam *r, struct json_val root, struct err *e)
{
	static const struct {
		const char *key;
		uint8_t family;
	} parts[] = {{"ip4", AF_INET}, {"ip6", AF_INET6}};

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		struct json_val v = json_get(root, parts[i].key);
		int n;

		if (!given(v)) {
			continue;
		}
		n = add_ip(r, v, "ip", parts[i].family, e);
		n = n < 0 ? n : add_routes(r, json_get(v, "routes"), e);
		if (n < 0) {
			return n;
		}
	}
	return 0;
}

static int read_new(struct cni_ipam *r, struct json_val root, struct err *e)
{
	struct json_val list = json_get(root, "ips"), v;
	struct json_iter it = json_iter(list);
	int n = 0;

	if (given(list) && json_type(list) != JSON_ARRAY) {
		return json_wrong(list, e, "a list of addresses");
	}
	while (n == 0 && json_next(&it, NULL, &v)) {
		struct json_val family = json_get(v, "version");
		uint8_t want = json_text_eq(family, STR("4"))   ? AF_INET
			       : json_text_eq(family, STR("6")) ? AF_INET6
								: 0;

		n = add_ip(r, v, "address", want, e);
	}
	return n < 0 ? n : add_routes(r, json_get(root, "routes"), e);
}

int cni_ipam_parse(struct cni_ipam *out, struct str text, struct arena *a, struct err *e)
{
	struct json_doc doc;
	struct json_val root, dns;
	int n;

	memset(out, 0, sizeof(*out));
	n = json_parse(&doc, text, a, JSON_LAST_WINS, e);
	if (n < 0) {
		return n;
	}
	root = json_root(&doc);
	if (json_type(root) != JSON_OBJECT) {
		return json_wrong(root, e, "an object");
	}
	n = given(json_get(root, "ip4")) || given(json_get(root, "ip6")) ? read_old(out, root, e)
									 : read_new(out, root, e);
	if (n < 0) {
		return n;
	}
	if (out->ip_n == 0) {
		return err_set(e, EINVAL, "no address in the answer");
	}
	dns = json_get(root, "dns");
	if (json_type(dns) == JSON_OBJECT && json_count(dns) > 0) {
		out->dns = json_raw(dns);
	}
	return 0;
}

const struct nl_ip *cni_ipam_gw(const struct cni_ipam *r, const struct cni_route *route)
{
	if (route->has_gw) {
		return &route->gw;
	}
	for (size_t i = 0; i < r->ip_n; i++) {
		if (r->ip[i].addr.family == route->dst.family && r->ip[i].has_gw) {
			return &r->ip[i].gw;
		}
	}
	return NULL;
}

void cni_ipam_rank(struct cni_ipam *r, uint32_t rank)
{
	for (size_t i = 0; rank > 0 && i < r->route_n; i++) {
		uint32_t *metric = &r->route[i].priority;
		uint64_t n = *metric == 0 ? WORSE_METRIC + (uint64_t)rank
					  : *metric + WORSE_METRIC * (1 + (uint64_t)rank);

		*metric = n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
	}
}

bool cni_ipam_connected(const struct cni_ipam *r, const struct cni_route *route)
{
	for (size_t i = 0; i < r->ip_n; i++) {
		if (cni_net_same(&r->ip[i].addr, &route->dst)) {
			return !route->has_gw && route->table == 0;
		}
	}
	return false;
}
