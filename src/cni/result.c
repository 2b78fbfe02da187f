/* SPDX-License-Identifier: MIT */
/* See result.h. */
#include "cni/result.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/parse.h"
#include "cni/addr.h"
#include "json/value.h"
#include "json/write.h"

static const char *const lists[] = {"interfaces", "ips", "routes"};

int cni_prev_check(struct json_val prev, enum cni_version v, struct cni_fail *f)
{
	struct json_val given = json_get(prev, "cniVersion");
	enum cni_version has = v;

	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		struct json_val list = json_get(prev, lists[i]);

		if (json_type(list) > JSON_NULL && json_type(list) != JSON_ARRAY) {
			(void)json_wrong(list, &f->e, "a list");
			return cni_fail(f, CNI_ERR_CONFIG);
		}
	}
	if (json_type(given) == JSON_STRING) {
		char word[32];

		if (json_copy(given, word, sizeof(word), &f->e) < 0 ||
			!cni_version_parse(str_from(word), &has)) {
			(void)json_wrong(given, &f->e, "a version of the CNI specification");
			return cni_fail(f, CNI_ERR_VERSION);
		}
	}
	if (cni_version_shape(has) != cni_version_shape(v)) {
		return cni_fail_set(f, CNI_ERR_VERSION, EINVAL,
			"prevResult has cniVersion %s, the configuration %s", cni_version_name(has),
			cni_version_name(v));
	}
	return 0;
}

static void put_ip(struct json_writer *w, const char *key, const struct nl_ip *ip, bool prefix)
{
	char text[64];
	struct buf b;

	buf_init(&b, text, sizeof(text));
	if (prefix) {
		cni_net_write(&b, ip);
	} else {
		cni_ip_write(&b, ip);
	}
	json_put_str(w, key, buf_str(&b));
}

static void put_if_set(struct json_writer *w, const char *key, uint32_t v)
{
	if (v != 0) {
		json_put_u64(w, key, v);
	}
}

static void put_route(struct json_writer *w, const struct cni_route *r, enum cni_version v)
{
	json_put_object(w, NULL);
	put_ip(w, "dst", &r->dst, true);
	if (r->has_gw) {
		put_ip(w, "gw", &r->gw, false);
	}
	if (v >= CNI_1_1_0) {
		put_if_set(w, "mtu", r->mtu);
		put_if_set(w, "advmss", r->advmss);
		put_if_set(w, "priority", r->priority);
		put_if_set(w, "table", r->table);
		if (r->has_scope) {
			json_put_u64(w, "scope", r->scope);
		}
	}
	json_put_end_object(w);
}

/* 0.1.0 and 0.2.0. */
static void put_family(
	struct json_writer *w, const char *key, const struct cni_result *r, uint8_t family)
{
	const struct cni_ipam *ip = r->iface_n > 0 ? &r->iface[0].ip : NULL;
	size_t i = 0;

	while (ip != NULL && i < ip->ip_n && ip->ip[i].addr.family != family) {
		i++;
	}
	if (ip == NULL || i == ip->ip_n || json_type(json_get(r->prev, key)) > JSON_NULL) {
		return; /* an earlier plugin's stays */
	}
	json_put_object(w, key);
	put_ip(w, "ip", &ip->ip[i].addr, true);
	if (ip->ip[i].has_gw) {
		put_ip(w, "gateway", &ip->ip[i].gw, false);
	}
	json_put_array(w, "routes");
	for (size_t k = 0; k < ip->route_n; k++) {
		if (ip->route[k].dst.family == family) {
			put_route(w, &ip->route[k], r->version);
		}
	}
	json_put_end_array(w);
	json_put_end_object(w);
}

static void put_ifaces(struct json_writer *w, const struct cni_result *r)
{
	char text[MAC_TEXT_LEN + 1];
	struct buf b;

	for (size_t i = 0; i < r->iface_n; i++) {
		const struct cni_iface *f = &r->iface[i];

		buf_init(&b, text, sizeof(text));
		buf_add_mac(&b, f->mac);
		json_put_object(w, NULL);
		json_put_cstr(w, "name", f->name);
		json_put_str(w, "mac", buf_str(&b));
		json_put_cstr(w, "sandbox", r->sandbox);
		if (r->version >= CNI_1_1_0) {
			json_put_u64(w, "mtu", f->mtu);
			json_put_cstr(w, "pciID", f->pci);
		}
		json_put_end_object(w);
	}
}

static void put_ips(struct json_writer *w, const struct cni_result *r)
{
	size_t before = json_count(json_get(r->prev, "interfaces"));

	for (size_t i = 0; i < r->iface_n; i++) {
		for (size_t k = 0; k < r->iface[i].ip.ip_n; k++) {
			const struct cni_ip *ip = &r->iface[i].ip.ip[k];

			json_put_object(w, NULL);
			if (cni_version_shape(r->version) == CNI_SHAPE_IPS_FAMILY) {
				json_put_cstr(w, "version", ip->addr.family == AF_INET ? "4" : "6");
			}
			json_put_u64(w, "interface", before + i);
			put_ip(w, "address", &ip->addr, true);
			if (ip->has_gw) {
				put_ip(w, "gateway", &ip->gw, false);
			}
			json_put_end_object(w);
		}
	}
}

static void put_routes(struct json_writer *w, const struct cni_result *r)
{
	for (size_t i = 0; i < r->iface_n; i++) {
		for (size_t k = 0; k < r->iface[i].ip.route_n; k++) {
			put_route(w, &r->iface[i].ip.route[k], r->version);
		}
	}
}

static bool has_ours(const struct cni_result *r, size_t list)
{
	for (size_t i = 0; i < r->iface_n; i++) {
		if (list == 0 || (list == 1 && r->iface[i].ip.ip_n > 0) ||
			(list == 2 && r->iface[i].ip.route_n > 0)) {
			return true;
		}
	}
	return false;
}

static void put_list(struct json_writer *w, const struct cni_result *r, size_t list)
{
	static void (*const put[])(struct json_writer *, const struct cni_result *) = {
		put_ifaces, put_ips, put_routes};
	struct json_iter it = json_iter(json_get(r->prev, lists[list]));
	struct json_val v;

	json_put_array(w, lists[list]);
	while (json_next(&it, NULL, &v)) {
		json_put_raw(w, NULL, json_raw(v));
	}
	put[list](w, r);
	json_put_end_array(w);
}

static void put_prev_member(
	struct json_writer *w, const struct cni_result *r, struct json_val key, struct json_val val)
{
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		if (json_text_eq(key, str_from(lists[i])) && has_ours(r, i)) {
			put_list(w, r, i);
			return;
		}
	}
	if (json_text_eq(key, STR("cniVersion"))) {
		return; /* written already */
	}
	if (cni_version_shape(r->version) == CNI_SHAPE_IP4 && json_type(val) == JSON_NULL &&
		(json_text_eq(key, STR("ip4")) || json_text_eq(key, STR("ip6")))) {
		return; /* ours may follow */
	}
	json_put_raw_key(w, json_raw(key));
	json_put_raw(w, NULL, json_raw(val));
}

static void put_dns(struct json_writer *w, const struct cni_result *r)
{
	if (json_type(json_get(r->prev, "dns")) != JSON_NONE) {
		return;
	}
	for (size_t i = 0; i < r->iface_n; i++) {
		if (r->iface[i].ip.dns.n > 0) {
			json_put_raw(w, "dns", r->iface[i].ip.dns);
			return;
		}
	}
	if (json_type(r->dns) == JSON_OBJECT) {
		json_put_raw(w, "dns", json_raw(r->dns));
	} else {
		json_put_object(w, "dns");
		json_put_end_object(w);
	}
}

void cni_result_write(struct buf *b, const struct cni_result *r)
{
	struct json_iter it = json_iter(r->prev);
	struct json_val key, val;
	struct json_writer w;

	if (r->iface_n == 0 && json_type(r->prev) == JSON_OBJECT) {
		buf_add(b, json_raw(r->prev));
		return;
	}
	json_writer_init(&w, b);
	json_put_object(&w, NULL);
	json_put_cstr(&w, "cniVersion", cni_version_name(r->version));
	while (json_next(&it, &key, &val)) {
		put_prev_member(&w, r, key, val);
	}
	if (cni_version_shape(r->version) == CNI_SHAPE_IP4) {
		put_family(&w, "ip4", r, AF_INET);
		put_family(&w, "ip6", r, AF_INET6);
	} else {
		for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
			if (has_ours(r, i) && json_type(json_get(r->prev, lists[i])) == JSON_NONE) {
				put_list(&w, r, i);
			}
		}
	}
	put_dns(&w, r);
	json_put_end_object(&w);
	(void)!json_writer_done(&w); /* the overflow flag stays in b for the caller */
}
