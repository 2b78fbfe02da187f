/* SPDX-License-Identifier: MIT */
/*
 * See extender.h. The walk follows the few paths that matter and skips the rest. A member of the
 * wrong type is remembered and skipped, too, so that a text that is no JSON is always told from one
 * that is no ExtenderArgs.
 */
#include "kube/args_priv.h"

#include <errno.h>

#include "kube/annotation.h"
#include "kube/limits.h"

int kube_wrong(struct kube_walk *w, const char *what)
{
	if (w->problem.code == 0) {
		(void)err_set(&w->problem, EPROTO, "%s", what);
	}
	return json_cur_skip(&w->c, NULL);
}

static int wrong_item(struct kube_walk *w, size_t i, const char *what)
{
	if (w->problem.code == 0) {
		(void)err_set(&w->problem, EPROTO, "%s[%zu] %s", w->list, i, what);
	}
	return 0;
}

int kube_enter(struct kube_walk *w, enum json_type type, const char *what)
{
	enum json_type got = json_cur_type(&w->c);
	int r;

	if (got == type) {
		r = json_cur_open(&w->c, type);
		return r < 0 ? r : 1;
	}
	return got == JSON_NULL || got == JSON_NONE ? json_cur_skip(&w->c, NULL)
						    : kube_wrong(w, what);
}

int kube_each(
	struct kube_walk *w, enum json_type type, const char *what, kube_each_fn *fn, void *arg)
{
	struct str key = STR_INIT;
	int r = kube_enter(w, type, what);

	if (r <= 0) {
		return r;
	}
	do {
		r = type == JSON_OBJECT ? json_cur_member(&w->c, &key) : json_cur_element(&w->c);
		if (r == 0) {
			return 1;
		}
		r = r < 0 ? r : fn(w, key, arg);
	} while (r >= 0);
	return r;
}

int kube_text(struct kube_walk *w, struct str *out, const char *what)
{
	enum json_type got = json_cur_type(&w->c);
	struct str raw;
	int r;

	if (got != JSON_STRING) {
		*out = (struct str)STR_INIT;
		return got == JSON_NULL || got == JSON_NONE ? json_cur_skip(&w->c, NULL)
							    : kube_wrong(w, what);
	}
	r = json_cur_skip(&w->c, &raw);
	*out = r < 0 ? (struct str)STR_INIT : (struct str){raw.p + 1, raw.n - 2};
	return r;
}

/* Annotations are a map: its keys are exact. */
static bool is_required(struct str key)
{
	static const char name[] = KUBE_ANNOTATION_KEY;
	char text[sizeof(name)];
	size_t n;

	return json_raw_text((struct str){key.p - 1, key.n + 2}, text, sizeof(text), &n) == 0 &&
	       str_eq_c((struct str){text, n}, name);
}

static int on_annotation(struct kube_walk *w, struct str key, void *arg)
{
	struct kube_pod *pod = arg;
	struct str text;
	int r;

	if (!is_required(key)) {
		return json_cur_skip(&w->c, NULL);
	}
	r = kube_text(w, &text, "an annotation of the pod is no string");
	pod->required = text.p == NULL ? text : (struct str){text.p - 1, text.n + 2};
	return r;
}

static int on_pod_metadata(struct kube_walk *w, struct str key, void *arg)
{
	struct kube_pod *pod = arg;

	if (json_key_is(key, "name")) {
		return kube_text(w, &pod->name, "the pod's name is no string");
	}
	if (json_key_is(key, "namespace")) {
		return kube_text(w, &pod->namespace, "the pod's namespace is no string");
	}
	if (json_key_is(key, "uid")) {
		return kube_text(w, &pod->uid, "the pod's uid is no string");
	}
	if (json_key_is(key, "annotations")) {
		pod->required = (struct str)STR_INIT;
		return kube_each(
			w, JSON_OBJECT, "the pod's annotations are no object", on_annotation, pod);
	}
	return json_cur_skip(&w->c, NULL);
}

static int on_pod(struct kube_walk *w, struct str key, void *arg)
{
	return json_key_is(key, "metadata")
		       ? kube_each(w, JSON_OBJECT, "the pod's metadata is no object",
				 on_pod_metadata, arg)
		       : json_cur_skip(&w->c, NULL);
}

int kube_walk_pod(struct kube_walk *w, struct kube_pod *pod)
{
	int r;

	*pod = (struct kube_pod){.present = false};
	r = kube_each(w, JSON_OBJECT, "Pod is no object", on_pod, pod);
	pod->present = r > 0;
	return r;
}

struct address {
	struct str type, text;
};

static int on_address_part(struct kube_walk *w, struct str key, void *arg)
{
	struct address *a = arg;

	if (json_key_is(key, "type")) {
		return kube_text(w, &a->type, "the type of a node's address is no string");
	}
	if (json_key_is(key, "address")) {
		return kube_text(w, &a->text, "a node's address is no string");
	}
	return json_cur_skip(&w->c, NULL);
}

static int on_address(struct kube_walk *w, struct str key, void *arg)
{
	struct address a = {STR_INIT, STR_INIT};
	struct kube_item *item = arg;
	int r = kube_each(w, JSON_OBJECT, "an address of a node is no object", on_address_part, &a);

	(void)key;
	if (r > 0 && item->ip.n == 0 && str_eq(a.type, STR("InternalIP"))) {
		item->ip = a.text;
	} else if (r > 0 && item->dns.n == 0 && str_eq(a.type, STR("InternalDNS"))) {
		item->dns = a.text;
	}
	return r;
}

static int on_status(struct kube_walk *w, struct str key, void *arg)
{
	struct kube_item *item = arg;

	if (!json_key_is(key, "addresses")) {
		return json_cur_skip(&w->c, NULL);
	}
	item->ip = item->dns = (struct str)STR_INIT;
	return kube_each(w, JSON_ARRAY, "the addresses of a node are no list", on_address, item);
}

static int on_node_metadata(struct kube_walk *w, struct str key, void *arg)
{
	struct kube_item *item = arg;

	return json_key_is(key, "name")
		       ? kube_text(w, &item->name, "the name of a node is no string")
		       : json_cur_skip(&w->c, NULL);
}

static int on_node_part(struct kube_walk *w, struct str key, void *arg)
{
	if (json_key_is(key, "metadata")) {
		return kube_each(w, JSON_OBJECT, "the metadata of a node is no object",
			on_node_metadata, arg);
	}
	if (json_key_is(key, "status")) {
		return kube_each(
			w, JSON_OBJECT, "the status of a node is no object", on_status, arg);
	}
	return json_cur_skip(&w->c, NULL);
}

int kube_add_item(struct kube_walk *w, const struct kube_item *item)
{
	struct kube_args *out = w->out;

	if (item->name.n == 0 || item->name.n > KUBE_NAME_MAX) {
		return wrong_item(w, out->n, "has no name, or one of more than 253 bytes");
	}
	if (out->n == out->cap) {
		return wrong_item(w, out->n, "is one more node than can be judged in one request");
	}
	out->item[out->n++] = *item;
	return 0;
}

static int on_node(struct kube_walk *w, struct str key, void *arg)
{
	struct kube_item item = {.raw = STR_INIT};
	const char *from;
	int r;

	(void)key;
	(void)arg;
	(void)json_cur_type(&w->c); /* passes over blanks */
	from = w->c.p;
	r = kube_each(
		w, JSON_OBJECT, "an element of Nodes.items is no object", on_node_part, &item);
	item.raw = (struct str){from, (size_t)(w->c.p - from)};
	return r < 0 ? r : kube_add_item(w, &item);
}

static int on_nodes(struct kube_walk *w, struct str key, void *arg)
{
	if (!json_key_is(key, "items")) {
		return json_cur_skip(&w->c, NULL);
	}
	w->list = "Nodes.items";
	w->out->n = 0;
	return kube_each(w, JSON_ARRAY, "Nodes.items is no list", on_node, arg);
}

static int walk_nodes(struct kube_walk *w)
{
	int r;

	w->out->n = 0;
	r = kube_each(w, JSON_OBJECT, "Nodes is no object", on_nodes, NULL);
	w->out->has_nodes = r > 0;
	return r;
}

/* names: the list as it was passed over, so that it is known to be JSON. */
static int walk_names(struct kube_walk *w, struct str names)
{
	struct kube_item item = {.raw = STR_INIT};
	int r;

	json_cur_init(&w->c, names, w->c.e);
	w->list = "NodeNames";
	w->out->n = 0;
	r = json_cur_open(&w->c, JSON_ARRAY);
	while (r >= 0 && (r = json_cur_element(&w->c)) > 0) {
		item.name = (struct str)STR_INIT;
		r = kube_text(w, &item.name, "an element of NodeNames is no string");
		item.raw = item.name;
		if (r >= 0) {
			r = kube_add_item(w, &item);
		}
	}
	return r;
}

int kube_walk_end(struct kube_walk *w, int r, struct err *e)
{
	if (r < 0) {
		return r;
	}
	if (w->problem.code == 0 && !w->out->pod.present) {
		(void)err_set(&w->problem, EPROTO, "there is no Pod");
	}
	if (w->problem.code != 0) {
		*e = w->problem;
		return -e->code;
	}
	return 0;
}

int kube_walk_begin(struct kube_walk *w, struct str body, struct kube_args *out, struct err *e)
{
	*w = (struct kube_walk){.out = out, .problem = ERR_INIT, .list = ""};
	out->pod = (struct kube_pod){.present = false};
	out->has_nodes = out->has_names = false;
	out->n = 0;
	if (body.n > JSON_TEXT_MAX) {
		return err_set(e, E2BIG, "%zu bytes of JSON", body.n);
	}
	json_cur_init(&w->c, body, e);
	return json_cur_type(&w->c) == JSON_OBJECT ? json_cur_open(&w->c, JSON_OBJECT)
						   : kube_wrong(w, "the request is no object");
}

int kube_args_find(struct str body, struct kube_args *out, struct err *e)
{
	struct str key, names = STR_INIT;
	struct kube_walk w;
	int r = kube_walk_begin(&w, body, out, e);

	while (r >= 0 && w.c.depth > 0 && (r = json_cur_member(&w.c, &key)) > 0) {
		if (json_key_is(key, "Pod")) {
			r = kube_walk_pod(&w, &out->pod);
		} else if (json_key_is(key, "Nodes")) {
			r = walk_nodes(&w);
		} else if (json_key_is(key, "NodeNames")) {
			enum json_type type = json_cur_type(&w.c);

			out->has_names = type == JSON_ARRAY;
			r = type == JSON_ARRAY || type == JSON_NULL
				    ? json_cur_skip(&w.c, &names)
				    : kube_wrong(&w, "NodeNames is no list");
		} else {
			r = json_cur_skip(&w.c, NULL);
		}
	}
	if (r >= 0) {
		r = json_cur_end(&w.c);
	}
	if (r >= 0 && out->has_names && !out->has_nodes) {
		r = walk_names(&w, names);
	}
	return kube_walk_end(&w, r, e);
}
