/* SPDX-License-Identifier: MIT */
/* See rewrite.h. */
#include "cni/rewrite.h"

#include "json/write.h"

static bool one_of(struct json_val key, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (json_text_eq(key, str_from(names[i]))) {
			return true;
		}
	}
	return false;
}

/* The members of an object but for some. */
static void put_rest(
	struct json_writer *w, struct json_val object, const char *const *without, size_t n)
{
	struct json_iter it = json_iter(object);
	struct json_val key, val;

	while (json_next(&it, &key, &val)) {
		if (!one_of(key, without, n)) {
			json_put_raw_key(w, json_raw(key));
			json_put_raw(w, NULL, json_raw(val));
		}
	}
}

static bool wanted(struct json_val capabilities, struct json_val key)
{
	struct json_iter it = json_iter(capabilities);
	struct json_val name, on;

	while (json_next(&it, &name, &on)) {
		if (str_eq(json_raw(name), json_raw(key))) {
			return str_eq_c(json_raw(on), "true");
		}
	}
	return false;
}

static void put_runtime(struct json_writer *w, const struct cni_conf *c)
{
	struct json_val capabilities = json_get(c->delegate, "capabilities"), key, val;
	struct json_iter it = json_iter(c->runtime);
	bool any = false;

	while (json_next(&it, &key, &val)) {
		if (!wanted(capabilities, key)) {
			continue;
		}
		if (!any) {
			json_put_object(w, "runtimeConfig");
			any = true;
		}
		json_put_raw_key(w, json_raw(key));
		json_put_raw(w, NULL, json_raw(val));
	}
	if (any) {
		json_put_end_object(w);
	}
}

void cni_rewrite_delegate(struct buf *b, const struct cni_conf *c, bool with_prev)
{
	static const char *const ours[] = {"cniVersion", "prevResult", "runtimeConfig"};
	struct json_writer w;

	json_writer_init(&w, b);
	json_put_object(&w, NULL);
	json_put_cstr(&w, "cniVersion", cni_version_name(c->version));
	if (json_type(json_get(c->delegate, "name")) == JSON_NONE) {
		json_put_cstr(&w, "name", c->name);
	}
	put_rest(&w, c->delegate, ours, ARRAY_LEN(ours));
	put_runtime(&w, c);
	if (json_type(c->args) == JSON_OBJECT &&
		json_type(json_get(c->delegate, "args")) == JSON_NONE) {
		json_put_raw(&w, "args", json_raw(c->args));
	}
	if (with_prev && json_type(c->prev) == JSON_OBJECT) {
		json_put_raw(&w, "prevResult", json_raw(c->prev));
	}
	json_put_end_object(&w);
	(void)!json_writer_done(&w); /* the overflow flag stays in b for the caller */
}

void cni_rewrite_as(struct buf *b, struct json_val conf, const char *version, const char *name)
{
	static const char *const key[] = {"cniVersion", "name"};
	struct json_writer w;

	json_writer_init(&w, b);
	json_put_object(&w, NULL);
	json_put_cstr(&w, key[0], version);
	json_put_cstr(&w, key[1], name);
	put_rest(&w, conf, key, ARRAY_LEN(key));
	json_put_end_object(&w);
	(void)!json_writer_done(&w); /* the overflow flag stays in b for the caller */
}

void cni_rewrite_gc(struct buf *b, struct json_val conf, const struct cni_valid *valid, size_t n)
{
	static const char *const lists[] = {"cni.dev/valid-attachments", "cni.dev/attachments"};
	struct json_writer w;

	json_writer_init(&w, b);
	json_put_object(&w, NULL);
	put_rest(&w, conf, lists, ARRAY_LEN(lists));
	for (size_t k = 0; k < ARRAY_LEN(lists); k++) {
		json_put_array(&w, lists[k]);
		for (size_t i = 0; i < n; i++) {
			json_put_object(&w, NULL);
			json_put_cstr(&w, "containerID", valid[i].container_id);
			json_put_cstr(&w, "ifname", valid[i].ifname);
			json_put_end_object(&w);
		}
		json_put_end_array(&w);
	}
	json_put_end_object(&w);
	(void)!json_writer_done(&w); /* the overflow flag stays in b for the caller */
}
