/* SPDX-License-Identifier: MIT */
/* The settings of a VF in a record: see docs/ledger.md, "restore". */
#include <errno.h>
#include <string.h>

#include "ledger/entry_priv.h"

static const char *const link_states[] = {"auto", "enable", "disable"}; /* enum nl_vf_link */

/*
 * Writing
 */

static void put_mac(struct json_writer *w, const char *key, bool known, const uint8_t *mac)
{
	char text[MAC_TEXT_LEN];
	struct buf b;

	if (!known) {
		json_put_null(w, key);
		return;
	}
	buf_init(&b, text, sizeof(text));
	buf_add_mac(&b, mac);
	json_put_str(w, key, buf_str(&b));
}

static void put_guid(struct json_writer *w, const char *key, bool known, uint64_t guid)
{
	char text[GUID_TEXT_LEN];
	struct buf b;

	if (!known) {
		json_put_null(w, key);
		return;
	}
	buf_init(&b, text, sizeof(text));
	buf_add_guid(&b, guid);
	json_put_str(w, key, buf_str(&b));
}

static void put_u32(struct json_writer *w, const char *key, bool known, uint32_t v)
{
	if (known) {
		json_put_u64(w, key, v);
	} else {
		json_put_null(w, key);
	}
}

static void put_bool(struct json_writer *w, const char *key, bool known, bool v)
{
	if (known) {
		json_put_bool(w, key, v);
	} else {
		json_put_null(w, key);
	}
}

static void put_text(struct json_writer *w, const char *key, bool known, const char *s)
{
	if (known) {
		json_put_cstr(w, key, s);
	} else {
		json_put_null(w, key);
	}
}

static void put_netdev(struct json_writer *w, const struct sriov_saved *s)
{
	bool known = (s->has & SRIOV_HAS_NETDEV) != 0;

	put_text(w, "netdev", known, s->netdev);
	json_put_array(w, "altnames");
	for (size_t i = 0; known && i < s->altname_n; i++) {
		json_put_cstr(w, NULL, s->altname[i]);
	}
	json_put_end_array(w);
	put_u32(w, "mtu", known, s->mtu);
	put_bool(w, "up", known, s->up);
	put_bool(w, "promisc", known, s->promisc);
	put_bool(w, "allmulti", known, s->allmulti);
}

void ledger_saved_write(struct json_writer *w, const char *key, const struct sriov_saved *s)
{
	bool vlan = (s->has & SRIOV_HAS_VLAN) != 0;

	json_put_object(w, key);
	put_netdev(w, s);
	put_mac(w, "adminMac", (s->has & SRIOV_HAS_ADMIN_MAC) != 0, s->admin_mac);
	put_mac(w, "mac", (s->has & SRIOV_HAS_MAC) != 0, s->mac);
	put_u32(w, "vlan", vlan, s->vlan);
	put_u32(w, "qos", vlan, s->qos);
	put_text(w, "vlanProto", vlan, s->vlan_proto == NL_VLAN_8021AD ? "802.1ad" : "802.1Q");
	put_u32(w, "minTxRate", (s->has & SRIOV_HAS_MIN_RATE) != 0, s->min_tx_rate);
	put_u32(w, "maxTxRate", (s->has & SRIOV_HAS_MAX_RATE) != 0, s->max_tx_rate);
	put_bool(w, "spoofCheck", (s->has & SRIOV_HAS_SPOOFCHK) != 0, s->spoofchk);
	put_bool(w, "trust", (s->has & SRIOV_HAS_TRUST) != 0, s->trust);
	put_text(w, "linkState", (s->has & SRIOV_HAS_LINK_STATE) != 0, link_states[s->link_state]);
	put_guid(w, "nodeGuid", (s->has & SRIOV_HAS_NODE_GUID) != 0, s->node_guid);
	put_guid(w, "portGuid", (s->has & SRIOV_HAS_PORT_GUID) != 0, s->port_guid);
	put_text(w, "rdma", s->rdma[0] != '\0', s->rdma);
	json_put_end_object(w);
}

int ledger_saved_check(const struct sriov_saved *s, struct err *e)
{
	if ((s->has & SRIOV_HAS_NETDEV) != 0 && !parse_ifname(str_from(s->netdev))) {
		return err_set(e, EINVAL, "\"%s\" is no name of an interface", s->netdev);
	}
	if (s->altname_n > SRIOV_ALTNAMES_MAX || s->vlan > 4094 || s->qos > 7 ||
		s->mtu > INT32_MAX || (unsigned)s->link_state > NL_VF_LINK_DISABLE) {
		return err_set(e, EINVAL, "a setting of the VF is out of range");
	}
	return 0;
}

/*
 * Reading: an absent key means the same as null, not known.
 */

static bool member(struct json_val obj, const char *key, struct json_val *v)
{
	*v = json_get(obj, key);
	return json_type(*v) != JSON_NONE && json_type(*v) != JSON_NULL;
}

/* What the readers below share. */
struct reading {
	struct json_val obj;
	struct arena *a;
	struct sriov_saved *out;
};

/* What a text of its own notation is: how it is read, into out, and how it looks. */
struct notation {
	bool (*parse)(struct str s, void *out);
	const char *example;
};

static int get_text(struct reading *in, const char *key, uint32_t bit, const struct notation *is,
	void *out, struct err *e)
{
	struct json_val v;
	struct str s;
	int r;

	if (!member(in->obj, key, &v)) {
		return 0;
	}
	r = json_str(v, in->a, &s, e);
	if (r == 0 && !is->parse(s, out)) {
		r = json_wrong(v, e, "%s", is->example);
	}
	in->out->has |= r == 0 ? bit : 0;
	return r;
}

static bool parse_mac_to(struct str s, void *out)
{
	return parse_mac(s, out);
}

static bool parse_guid(struct str s, void *out)
{
	uint64_t guid = 0;

	if (s.n != GUID_TEXT_LEN) {
		return false;
	}
	for (size_t i = 0; i < s.n; i += 3) {
		int high = chr_hex(s.p[i]), low = chr_hex(s.p[i + 1]);

		if (high < 0 || low < 0 || (i + 2 < s.n && s.p[i + 2] != ':')) {
			return false;
		}
		guid = guid << 8 | (uint64_t)(high << 4 | low);
	}
	*(uint64_t *)out = guid;
	return true;
}

static const struct notation mac_text = {parse_mac_to, "a MAC address such as 02:00:00:00:00:03"};
static const struct notation guid_text = {parse_guid, "a GUID such as 02:00:00:ff:fe:00:00:03"};

static int get_u32(struct reading *in, const char *key, uint32_t bit, uint32_t max, uint32_t *out,
	struct err *e)
{
	struct json_val v;
	int r;

	if (!member(in->obj, key, &v)) {
		return 0;
	}
	r = json_u32(v, 0, max, out, e);
	in->out->has |= r == 0 ? bit : 0;
	return r;
}

static int get_bool(struct reading *in, const char *key, uint32_t bit, bool *out, struct err *e)
{
	struct json_val v;
	int r;

	if (!member(in->obj, key, &v)) {
		return 0;
	}
	r = json_bool(v, out, e);
	in->out->has |= r == 0 ? bit : 0;
	return r;
}

static int get_vlan(struct reading *in, struct err *e)
{
	struct sriov_saved *out = in->out;
	struct json_val v;
	int r = get_u32(in, "vlan", SRIOV_HAS_VLAN, 4094, &out->vlan, e);

	if (r == 0) {
		r = get_u32(in, "qos", 0, 7, &out->qos, e);
	}
	out->vlan_proto = NL_VLAN_8021Q;
	if (r < 0 || !member(in->obj, "vlanProto", &v)) {
		return r;
	}
	if (json_text_eq(v, STR("802.1ad"))) {
		out->vlan_proto = NL_VLAN_8021AD;
	} else if (!json_text_eq(v, STR("802.1Q"))) {
		return json_wrong(v, e, "\"802.1Q\" or \"802.1ad\"");
	}
	return 0;
}

static int get_link_state(struct reading *in, struct err *e)
{
	struct json_val v;

	if (!member(in->obj, "linkState", &v)) {
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(link_states); i++) {
		if (json_text_eq(v, str_from(link_states[i]))) {
			in->out->link_state = (enum nl_vf_link)i;
			in->out->has |= SRIOV_HAS_LINK_STATE;
			return 0;
		}
	}
	return json_wrong(v, e, "\"auto\", \"enable\" or \"disable\"");
}

static int get_altnames(struct reading *in, struct err *e)
{
	struct sriov_saved *out = in->out;
	struct json_val list, v;
	struct json_iter it;
	int r = 0;

	if (!member(in->obj, "altnames", &list)) {
		return 0;
	}
	if (json_type(list) != JSON_ARRAY || json_count(list) > SRIOV_ALTNAMES_MAX) {
		return json_wrong(list, e, "a list of at most %d names", SRIOV_ALTNAMES_MAX);
	}
	it = json_iter(list);
	while (r == 0 && json_next(&it, NULL, &v)) {
		char *name = out->altname[out->altname_n];

		r = json_copy(v, name, sizeof(out->altname[0]), e);
		if (r == 0 && name[0] == '\0') {
			r = json_wrong(v, e, "a name");
		}
		out->altname_n++;
	}
	return r;
}

static int get_netdev(struct reading *in, struct err *e)
{
	struct sriov_saved *out = in->out;
	struct json_val v;
	int r = get_altnames(in, e);

	if (r == 0) {
		r = get_u32(in, "mtu", 0, INT32_MAX, &out->mtu, e);
	}
	if (r == 0) {
		r = get_bool(in, "up", 0, &out->up, e);
	}
	if (r == 0) {
		r = get_bool(in, "promisc", 0, &out->promisc, e);
	}
	if (r == 0) {
		r = get_bool(in, "allmulti", 0, &out->allmulti, e);
	}
	if (r < 0) {
		return r;
	}
	if (!member(in->obj, "netdev", &v)) {
		/* The rest means nothing without it. */
		out->altname_n = 0;
		memset(out->altname, 0, sizeof(out->altname));
		out->mtu = 0;
		out->up = out->promisc = out->allmulti = false;
		return 0;
	}
	r = json_copy(v, out->netdev, sizeof(out->netdev), e);
	if (r == 0 && !parse_ifname(str_from(out->netdev))) {
		r = json_wrong(v, e, "an interface name of at most 15 bytes");
	}
	out->has |= SRIOV_HAS_NETDEV;
	return r;
}

static int get_rest(struct reading *in, struct err *e)
{
	struct sriov_saved *out = in->out;
	struct json_val v;
	int r = get_u32(in, "minTxRate", SRIOV_HAS_MIN_RATE, UINT32_MAX, &out->min_tx_rate, e);

	if (r == 0) {
		r = get_u32(in, "maxTxRate", SRIOV_HAS_MAX_RATE, UINT32_MAX, &out->max_tx_rate, e);
	}
	if (r == 0) {
		r = get_bool(in, "spoofCheck", SRIOV_HAS_SPOOFCHK, &out->spoofchk, e);
	}
	if (r == 0) {
		r = get_bool(in, "trust", SRIOV_HAS_TRUST, &out->trust, e);
	}
	if (r == 0) {
		r = get_link_state(in, e);
	}
	if (r == 0) {
		r = get_text(in, "nodeGuid", SRIOV_HAS_NODE_GUID, &guid_text, &out->node_guid, e);
	}
	if (r == 0) {
		r = get_text(in, "portGuid", SRIOV_HAS_PORT_GUID, &guid_text, &out->port_guid, e);
	}
	return r == 0 && member(in->obj, "rdma", &v) ? json_copy(v, out->rdma, sizeof(out->rdma), e)
						     : r;
}

int ledger_saved_parse(struct json_val v, struct sriov_saved *out, struct arena *a, struct err *e)
{
	struct reading in = {v, a, out};
	int r;

	memset(out, 0, sizeof(*out));
	if (json_type(v) != JSON_OBJECT) {
		return json_wrong(v, e, "an object");
	}
	r = get_netdev(&in, e);
	if (r == 0) {
		r = get_text(&in, "adminMac", SRIOV_HAS_ADMIN_MAC, &mac_text, out->admin_mac, e);
	}
	if (r == 0) {
		r = get_text(&in, "mac", SRIOV_HAS_MAC, &mac_text, out->mac, e);
	}
	if (r == 0) {
		r = get_vlan(&in, e);
	}
	return r == 0 ? get_rest(&in, e) : r;
}
