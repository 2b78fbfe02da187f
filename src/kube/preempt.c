/* SPDX-License-Identifier: MIT */
/* ExtenderPreemptionArgs: see extender.h and args.c. */
#include <errno.h>

#include "base/num.h"
#include "kube/args_priv.h"

static int on_victim_metadata(struct kube_walk *w, struct str key, void *uid)
{
	return json_key_is(key, "uid") ? kube_text(w, uid, "the uid of a victim is no string")
				       : json_cur_skip(&w->c, NULL);
}

static int on_victim_part(struct kube_walk *w, struct str key, void *uid)
{
	if (json_key_is(key, "UID")) {
		return kube_text(w, uid, "the UID of a victim is no string");
	}
	return json_key_is(key, "metadata")
		       ? kube_each(w, JSON_OBJECT, "the metadata of a victim is no object",
				 on_victim_metadata, uid)
		       : json_cur_skip(&w->c, NULL);
}

/* The uid of one victim: "UID" of a MetaPod, or metadata.uid of a Pod. */
static int walk_victim(struct kube_walk *w, struct str *uid)
{
	*uid = (struct str)STR_INIT;
	return json_cur_type(&w->c) == JSON_NULL
		       ? kube_wrong(w, "a victim is null")
		       : kube_each(w, JSON_OBJECT, "a victim is no object", on_victim_part, uid);
}

static int on_victim(struct kube_walk *w, struct str key, void *arg)
{
	struct str uid;

	(void)key;
	(void)arg;
	return walk_victim(w, &uid);
}

static int walk_list(struct kube_walk *w, struct str *pods)
{
	const char *from;
	int r;

	(void)json_cur_type(&w->c); /* passes over blanks */
	from = w->c.p;
	r = kube_each(w, JSON_ARRAY, "Pods of a node's victims is no list", on_victim, NULL);
	*pods = (struct str){from, (size_t)(w->c.p - from)};
	return r;
}

static int walk_number(struct kube_walk *w, struct str *out)
{
	struct str raw = STR_INIT;
	uint64_t n;
	int r = json_cur_type(&w->c) == JSON_NUMBER
			? json_cur_skip(&w->c, &raw)
			: kube_wrong(w, "NumPDBViolations is no number");

	if (r == 0 && raw.n > 0 && !num_u64(raw, INT64_MAX, &n)) {
		raw = (struct str)STR_INIT; /* counts nothing, so it is none */
	}
	*out = raw;
	return r;
}

static int on_victims(struct kube_walk *w, struct str key, void *arg)
{
	struct kube_item *item = arg;

	if (json_key_is(key, "Pods")) {
		return walk_list(w, &item->raw);
	}
	return json_key_is(key, "NumPDBViolations") ? walk_number(w, &item->pdb)
						    : json_cur_skip(&w->c, NULL);
}

/* map: the members of NodeNameTo(Meta)Victims, known to be JSON. */
static int walk_map(struct kube_walk *w, struct str map)
{
	struct kube_item item = {.raw = STR_INIT};
	int r;

	json_cur_init(&w->c, map, w->c.e);
	w->list = "candidate";
	r = json_cur_open(&w->c, JSON_OBJECT);
	while (r >= 0 && (r = json_cur_member(&w->c, &item.name)) > 0) {
		item.raw = item.pdb = (struct str)STR_INIT;
		r = kube_each(
			w, JSON_OBJECT, "the victims of a node are no object", on_victims, &item);
		if (r >= 0) {
			r = kube_add_item(w, &item);
		}
	}
	return r;
}

int kube_preempt_find(struct str body, struct kube_args *out, struct err *e)
{
	struct str key, full = STR_INIT, meta = STR_INIT;
	struct kube_walk w;
	int r = kube_walk_begin(&w, body, out, e);

	while (r >= 0 && w.c.depth > 0 && (r = json_cur_member(&w.c, &key)) > 0) {
		bool is_meta = json_key_is(key, "NodeNameToMetaVictims");
		/* The lower-case set of old has another name for the full one. */
		bool is_full =
			json_key_is(key, "NodeNameToVictims") || json_key_is(key, "NodeToVictims");
		struct str *map = is_meta ? &meta : &full;

		if (json_key_is(key, "Pod")) {
			r = kube_walk_pod(&w, &out->pod);
		} else if (!is_meta && !is_full) {
			r = json_cur_skip(&w.c, NULL);
		} else if (json_cur_type(&w.c) == JSON_OBJECT) {
			r = json_cur_skip(&w.c, map);
		} else {
			*map = (struct str)STR_INIT;
			r = json_cur_type(&w.c) == JSON_NULL
				    ? json_cur_skip(&w.c, NULL)
				    : kube_wrong(&w, "NodeNameToVictims is no object");
		}
	}
	if (r >= 0) {
		r = json_cur_end(&w.c);
	}
	if (r >= 0 && (meta.n > 0 || full.n > 0)) {
		r = walk_map(&w, meta.n > 0 ? meta : full);
	}
	return kube_walk_end(&w, r, e);
}

void kube_victims_init(struct kube_victims *v, const struct kube_item *item)
{
	v->rest = item->raw;
	/* Behind the opening bracket; nothing for null. */
	v->rest =
		v->rest.n > 0 && v->rest.p[0] == '[' ? str_skip(v->rest, 1) : (struct str)STR_INIT;
}

bool kube_victims_next(struct kube_victims *v, struct str *uid)
{
	struct kube_args none = {.n = 0};
	struct kube_walk w = {.out = &none};
	struct err e;

	json_cur_init(&w.c, v->rest, &e);
	if (w.c.p < w.c.end && json_cur_type(&w.c) == JSON_NONE && w.c.p < w.c.end &&
		*w.c.p == ',') {
		w.c.p++;
	}
	if (json_cur_type(&w.c) != JSON_OBJECT || walk_victim(&w, uid) < 0) {
		return false;
	}
	v->rest = (struct str){w.c.p, (size_t)(w.c.end - w.c.p)};
	return true;
}
