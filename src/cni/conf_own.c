/* SPDX-License-Identifier: MIT */
/* The keys of the network configuration that only this plugin knows; see conf.h. */
#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "cni/conf_priv.h"
#include "json/value.h"
#include "nl/vf.h"

#define MTU_MIN 68 /* RFC 791: every link carries that much */
#define MTU_MAX 65535

static int own_interfaces(struct cni_conf *c, struct json_val v, struct cni_fail *f)
{
	if (json_type(v) != JSON_ARRAY) {
		return json_wrong(v, &f->e, "a list of interfaces");
	}
	c->interfaces = v;
	return 0;
}

static int own_delegate(struct cni_conf *c, struct json_val v, struct cni_fail *f)
{
	if (json_type(v) != JSON_OBJECT) {
		return json_wrong(v, &f->e, "the network configuration of one plugin");
	}
	if (json_type(json_get(v, "plugins")) != JSON_NONE) {
		return json_fail(json_get(v, "plugins"), &f->e, EINVAL,
			"a chain of plugins cannot be delegated to, only a single one");
	}
	if (cni_conf_plugin_type(v, c->delegate_type, f) < 0) {
		return -EINVAL;
	}
	c->delegate = v;
	return 0;
}

static int own_prefix(struct cni_conf *c, struct json_val v, struct cni_fail *f)
{
	char word[CNI_PREFIX_MAX + 1];
	int r = json_copy(v, word, sizeof(word), &f->e);

	if (r < 0) {
		return r;
	}
	if (!parse_ifname(str_from(word)) || strchr(word, '%') != NULL) {
		return json_wrong(v, &f->e, "1 to %d bytes without '/', ':', '%%' and blanks",
			CNI_PREFIX_MAX);
	}
	memcpy(c->prefix, word, sizeof(word));
	return 0;
}

static int own_min(struct cni_conf *c, struct json_val v, struct cni_fail *f)
{
	if (!json_text_eq(v, STR("account")) && !json_text_eq(v, STR("enforce"))) {
		return json_wrong(v, &f->e, "\"enforce\" or \"account\"");
	}
	c->account_min = json_text_eq(v, STR("account"));
	return 0;
}

static int own_vlan(struct cni_conf *c, struct json_val v, struct cni_fail *f)
{
	return json_u32(v, 0, 4094, &c->vlan, &f->e);
}

static int own_qos(struct cni_conf *c, struct json_val v, struct cni_fail *f)
{
	return json_u32(v, 0, 7, &c->qos, &f->e);
}

static int own_proto(struct cni_conf *c, struct json_val v, struct cni_fail *f)
{
	if (!json_text_ieq(v, STR("802.1q")) && !json_text_ieq(v, STR("802.1ad"))) {
		return json_wrong(v, &f->e, "\"802.1Q\" or \"802.1ad\"");
	}
	c->vlan_proto = json_text_ieq(v, STR("802.1q")) ? NL_VLAN_8021Q : NL_VLAN_8021AD;
	return 0;
}

static int own_mtu(struct cni_conf *c, struct json_val v, struct cni_fail *f)
{
	return json_u32(v, MTU_MIN, MTU_MAX, &c->mtu, &f->e);
}

static int own_timeout(struct cni_conf *c, struct json_val v, struct cni_fail *f)
{
	return json_u32(v, 100, CNI_TIMEOUT_MAX_MS, &c->ipam_timeout_ms, &f->e);
}

static int own_node_conf(struct cni_conf *c, struct json_val v, struct cni_fail *f)
{
	char path[CNI_PATH_MAX + 1];
	int r = json_copy(v, path, sizeof(path), &f->e);

	if (r < 0) {
		return r;
	}
	if (path[0] != '/') {
		return json_wrong(v, &f->e, "an absolute path");
	}
	memcpy(c->node_conf, path, sizeof(path));
	return 0;
}

static const struct own_key {
	const char *name;
	int (*read)(struct cni_conf *c, struct json_val v, struct cni_fail *f);
} keys[] = {
	{"interfaces", own_interfaces},
	{"delegate", own_delegate},
	{"ifNamePrefix", own_prefix},
	{"min_tx_rate", own_min},
	{"vlan", own_vlan},
	{"vlanQoS", own_qos},
	{"vlanProto", own_proto},
	{"mtu", own_mtu},
	{"ipamTimeoutMs", own_timeout},
	{"nodeConfig", own_node_conf},
};

/* The key without '-' and '_', in lower case: what people mix up. false: longer than ours. */
static bool fold(struct str s, char *out, size_t cap)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '-' || s.p[i] == '_') {
			continue;
		}
		if (n + 1 >= cap) {
			return false;
		}
		out[n++] = chr_lower(s.p[i]);
	}
	out[n] = '\0';
	return true;
}

static const struct own_key *find(struct json_val key, bool *exact)
{
	char word[32], have[32], ours[32];
	struct err e;

	if (json_copy(key, word, sizeof(word), &e) < 0 ||
		!fold(str_from(word), have, sizeof(have))) {
		return NULL;
	}
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (fold(str_from(keys[i].name), ours, sizeof(ours)) && strcmp(have, ours) == 0) {
			*exact = strcmp(word, keys[i].name) == 0;
			return &keys[i];
		}
	}
	return NULL;
}

void cni_conf_own_default(struct cni_conf *c)
{
	memcpy(c->prefix, "rdma", sizeof("rdma"));
	c->vlan_proto = NL_VLAN_8021Q;
	c->ipam_timeout_ms = CNI_TIMEOUT_MS;
}

static int check(const struct cni_conf *c, struct json_val root, struct cni_fail *f)
{
	if (c->vlan == 0 && (c->qos != 0 || c->vlan_proto != NL_VLAN_8021Q)) {
		return err_set(&f->e, EINVAL, "vlanQoS and vlanProto mean nothing without vlan");
	}
	if (c->version < CNI_0_3_0 && json_type(json_get(root, "ifNamePrefix")) != JSON_NONE) {
		return err_set(&f->e, EINVAL,
			"ifNamePrefix is for a plugin in a chain, which cniVersion %s does not "
			"have: 0.3.0 or newer is needed",
			cni_version_name(c->version));
	}
	return 0;
}

int cni_conf_own(struct cni_conf *c, struct json_val root, bool lenient, struct cni_fail *f)
{
	struct json_iter it = json_iter(root);
	struct json_val key, val;
	int r = 0;

	while (r == 0 && json_next(&it, &key, &val)) {
		bool exact = false;
		const struct own_key *k = find(key, &exact);

		if (k == NULL) {
			continue;
		}
		r = exact ? k->read(c, val, f)
			  : json_fail(val, &f->e, EINVAL, "unknown key, the name is '%s'", k->name);
		if (r < 0 && lenient) {
			if (k->read == own_node_conf) {
				c->node_conf_bad = f->e;
			}
			r = 0;
		}
	}
	if (r == 0 && !lenient) {
		r = check(c, root, f);
	}
	if (r < 0) {
		return cni_fail(f, CNI_ERR_CONFIG);
	}
	*f = (struct cni_fail)CNI_FAIL_INIT;
	return 0;
}
