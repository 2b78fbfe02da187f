/* SPDX-License-Identifier: MIT */
/* See conf.h. */
#include "cni/conf.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "cni/conf_priv.h"
#include "cni/env.h"
#include "json/value.h"

#define ANNOTATIONS_KEY "io.kubernetes.cri.pod-annotations"

static int bad(struct cni_fail *f)
{
	return cni_fail(f, CNI_ERR_CONFIG);
}

/* An absent member and one that is null are the same to a Go runtime. */
static struct json_val member(struct json_val v, const char *key)
{
	struct json_val m = json_get(v, key);

	return json_type(m) == JSON_NULL ? JSON_VAL_NONE : m;
}

static int typed(struct json_val root, const char *key, enum json_type want, struct json_val *out,
	struct cni_fail *f)
{
	struct json_val v = member(root, key);

	if (json_type(v) != JSON_NONE && json_type(v) != want) {
		(void)json_wrong(v, &f->e, "%s", json_type_name(want));
		return bad(f);
	}
	*out = v;
	return 0;
}

int cni_conf_plugin_type(struct json_val v, char out[CNI_TYPE_MAX + 1], struct cni_fail *f)
{
	char word[CNI_TYPE_MAX + 1];
	struct json_val t;

	if (json_need(v, "type", JSON_STRING, &t, &f->e) < 0 ||
		json_copy(t, word, sizeof(word), &f->e) < 0) {
		return bad(f);
	}
	if (word[0] == '\0' || strchr(word, '/') != NULL || strcmp(word, ".") == 0 ||
		strcmp(word, "..") == 0) {
		(void)json_wrong(t, &f->e, "the name of a plugin, without '/'");
		return bad(f);
	}
	memcpy(out, word, sizeof(word));
	return 0;
}

static int read_version(struct cni_conf *c, struct json_val root, struct cni_fail *f)
{
	struct json_val v = member(root, "cniVersion");
	char word[32];

	c->version = CNI_0_1_0; /* CNI specification: absent means the first one */
	if (json_type(v) == JSON_NONE) {
		return 0;
	}
	if (json_type(v) != JSON_STRING) {
		(void)json_wrong(v, &f->e, "a string");
		c->version = CNI_VERSION_OWN;
		return cni_fail(f, CNI_ERR_DECODE);
	}
	if (json_copy(v, word, sizeof(word), &f->e) < 0 ||
		(word[0] != '\0' && !cni_version_parse(str_from(word), &c->version))) {
		c->version = CNI_VERSION_OWN;
		(void)json_wrong(v, &f->e, "one of the versions 0.1.0 to 1.1.0");
		return cni_fail(f, CNI_ERR_VERSION);
	}
	return 0;
}

static int read_name(struct cni_conf *c, struct json_val root, struct cni_fail *f)
{
	struct json_val v;

	if (json_need(root, "name", JSON_STRING, &v, &f->e) < 0) {
		return bad(f);
	}
	if (json_copy(v, c->name, sizeof(c->name), &f->e) < 0 ||
		!cni_name_ok(str_from(c->name), CNI_NAME_MAX)) {
		c->name[0] = '\0';
		(void)json_wrong(v, &f->e,
			"1 to %d letters, digits, '_', '.' or '-', first a letter or digit",
			CNI_NAME_MAX);
		return bad(f);
	}
	return 0;
}

static int read_ipam(struct cni_conf *c, struct json_val root, struct cni_fail *f)
{
	struct json_val type;

	if (typed(root, "ipam", JSON_OBJECT, &c->ipam, f) < 0) {
		return bad(f);
	}
	type = member(c->ipam, "type");
	if (json_type(type) == JSON_NONE || json_text_eq(type, STR(""))) {
		c->ipam = JSON_VAL_NONE; /* "ipam": {} is how configurations say "none" */
		return 0;
	}
	if (cni_conf_plugin_type(c->ipam, c->ipam_type, f) < 0) {
		c->ipam = JSON_VAL_NONE;
		return bad(f);
	}
	return 0;
}

static int read_prev(struct cni_conf *c, struct json_val root, struct cni_fail *f)
{
	return typed(root, "prevResult", JSON_OBJECT, &c->prev, f);
}

static int read_runtime(struct cni_conf *c, struct json_val root, struct cni_fail *f)
{
	if (typed(root, "runtimeConfig", JSON_OBJECT, &c->runtime, f) < 0 ||
		typed(root, "dns", JSON_OBJECT, &c->dns, f) < 0 ||
		typed(root, "args", JSON_OBJECT, &c->args, f) < 0) {
		return bad(f);
	}
	c->annotations = json_get(c->runtime, ANNOTATIONS_KEY);
	if (json_type(c->annotations) > JSON_NULL && json_type(c->annotations) != JSON_OBJECT) {
		(void)json_wrong(c->annotations, &f->e, "an object");
		c->annotations = JSON_VAL_NONE;
		return bad(f);
	}
	return 0;
}

int cni_conf_parse(
	struct cni_conf *c, struct str text, unsigned flags, struct arena *a, struct cni_fail *f)
{
	static int (*const parts[])(struct cni_conf *, struct json_val, struct cni_fail *) = {
		read_name, read_ipam, read_prev, read_runtime};
	bool lenient = (flags & CNI_CONF_LENIENT) != 0;
	struct json_val root;
	int r;

	memset(c, 0, sizeof(*c));
	c->version = CNI_VERSION_OWN;
	cni_conf_own_default(c);
	if (json_parse(&c->doc, text, a, 0, &f->e) < 0) {
		(void)err_wrap(&f->e, "network configuration");
		return cni_fail(f, CNI_ERR_DECODE);
	}
	root = json_root(&c->doc);
	if (json_type(root) != JSON_OBJECT) {
		return cni_fail_set(f, CNI_ERR_DECODE, EINVAL,
			"network configuration: expected an object, got %s",
			json_type_name(json_type(root)));
	}
	r = read_version(c, root, f);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(parts); i++) {
		r = parts[i](c, root, f);
		if (r < 0 && lenient) {
			*f = (struct cni_fail)CNI_FAIL_INIT;
			r = 0;
		}
	}
	r = r < 0 ? r : cni_conf_own(c, root, lenient, f);
	if (r < 0) {
		(void)err_wrap(&f->e, "network configuration");
	}
	return r;
}

struct json_val cni_conf_annotation(const struct cni_conf *c, const char *name)
{
	return json_get(c->annotations, name);
}

enum cni_version cni_conf_version(struct str text, struct arena *a)
{
	enum cni_version v = CNI_VERSION_OWN;
	struct json_doc doc;
	struct json_val asked;
	char word[32];
	struct err e;

	if (json_parse(&doc, text, a, 0, &e) < 0) {
		return v;
	}
	asked = json_get(json_root(&doc), "cniVersion");
	if (json_copy(asked, word, sizeof(word), &e) == 0) {
		(void)!cni_version_parse(str_from(word), &v);
	}
	return v;
}

static int add_valid(struct json_val item, struct cni_valid *out, size_t *n, struct cni_fail *f)
{
	struct json_val id, ifname;
	struct cni_valid v;

	if (json_need(item, "containerID", JSON_STRING, &id, &f->e) < 0 ||
		json_need(item, "ifname", JSON_STRING, &ifname, &f->e) < 0 ||
		json_copy(id, v.container_id, sizeof(v.container_id), &f->e) < 0 ||
		json_copy(ifname, v.ifname, sizeof(v.ifname), &f->e) < 0) {
		return bad(f);
	}
	for (size_t i = 0; i < *n; i++) {
		if (strcmp(out[i].container_id, v.container_id) == 0 &&
			strcmp(out[i].ifname, v.ifname) == 0) {
			return 0;
		}
	}
	if (*n == CNI_VALID_MAX) {
		(void)json_fail(item, &f->e, E2BIG, "more than %d attachments", CNI_VALID_MAX);
		return bad(f);
	}
	out[(*n)++] = v;
	return 0;
}

int cni_conf_valid(const struct cni_conf *c, struct cni_valid *out, size_t *n, struct cni_fail *f)
{
	static const char *const keys[] = {"cni.dev/valid-attachments", "cni.dev/attachments"};
	bool given = false;

	*n = 0;
	for (size_t k = 0; k < ARRAY_LEN(keys); k++) {
		struct json_val list = json_get(json_root(&c->doc), keys[k]), item;
		struct json_iter it = json_iter(list);

		if (json_type(list) == JSON_NONE) {
			continue;
		}
		given = true;
		if (json_type(list) != JSON_ARRAY && json_type(list) != JSON_NULL) {
			(void)json_wrong(list, &f->e, "a list");
			return bad(f);
		}
		while (json_next(&it, NULL, &item)) {
			if (add_valid(item, out, n, f) < 0) {
				return bad(f);
			}
		}
	}
	if (!given) {
		return cni_fail_set(f, CNI_ERR_CONFIG, EINVAL,
			"GC without cni.dev/valid-attachments: everything would be taken away");
	}
	return 0;
}
