/* SPDX-License-Identifier: MIT */
/* See annotation.h. */
#include "kube/annotation.h"

#include <errno.h>
#include <string.h>

#include "json/value.h"

#define SHOWN_MAX 40 /* bytes of a wrong key that a message repeats */

enum rate {
	RATE_MIN,
	RATE_MAX,
	RATES,
};

static const struct str rate_key[RATES] = {
	{"min_tx_rate", 11},
	{"max_tx_rate", 11},
};

static int unknown_key(struct json_val object, struct json_val key, struct err *e)
{
	struct str raw = json_raw(key);

	if (raw.n > SHOWN_MAX) {
		return json_fail(object, e, EINVAL,
			"unknown key of %zu bytes; known are min_tx_rate and max_tx_rate",
			raw.n - 2);
	}
	return json_fail(object, e, EINVAL,
		"unknown key %.*s; known are min_tx_rate and max_tx_rate", STR_ARG(raw));
}

static int read_interface(struct json_val object, struct place_request *out, struct err *e)
{
	struct json_iter it = json_iter(object);
	struct json_val key, val;
	bool seen[RATES] = {false, false};
	uint64_t mbps[RATES] = {0, 0};

	if (json_type(object) != JSON_OBJECT && json_type(object) != JSON_NULL) {
		return json_fail(object, e, EINVAL, "expected an object with rates, got %s",
			json_type_name(json_type(object)));
	}
	while (json_next(&it, &key, &val)) {
		unsigned rate = RATE_MIN;

		while (rate < RATES && !json_text_ieq(key, rate_key[rate])) {
			rate++;
		}
		if (rate == RATES) {
			return unknown_key(object, key, e);
		}
		if (seen[rate]) {
			return json_fail(
				object, e, EINVAL, "%.*s is there twice", STR_ARG(rate_key[rate]));
		}
		seen[rate] = true;
		if (json_type(val) != JSON_NULL) {
			int r = json_u64(val, 0, UINT64_MAX, &mbps[rate], e);

			if (r < 0) {
				return r;
			}
		}
	}
	if (mbps[RATE_MAX] != 0 && mbps[RATE_MAX] < mbps[RATE_MIN]) {
		return json_fail(object, e, EINVAL, "max_tx_rate %llu is below min_tx_rate %llu",
			(unsigned long long)mbps[RATE_MAX], (unsigned long long)mbps[RATE_MIN]);
	}
	out->min = mbps[RATE_MIN] > PLACE_RATE_MAX ? PLACE_RATE_NEVER : (uint32_t)mbps[RATE_MIN];
	out->max = mbps[RATE_MAX] > UINT32_MAX ? UINT32_MAX : (uint32_t)mbps[RATE_MAX];
	return 0;
}

static int read_list(struct json_val list, struct kube_annotation *out, struct err *e)
{
	struct json_iter it = json_iter(list);
	struct json_val val;

	if (json_type(list) != JSON_ARRAY && json_type(list) != JSON_NULL) {
		return json_fail(list, e, EINVAL, "expected a list of interfaces, got %s",
			json_type_name(json_type(list)));
	}
	if (json_count(list) > PLACE_REQ_MAX) {
		return json_fail(list, e, EINVAL, "%zu interfaces, at most %d are possible",
			json_count(list), PLACE_REQ_MAX);
	}
	while (json_next(&it, NULL, &val)) {
		int r = read_interface(val, &out->req[out->n], e);

		if (r < 0) {
			return r;
		}
		out->n++;
	}
	return 0;
}

/* Duplicate keys are looked for here, where those of different case are the same. */
static int read_text(
	struct str text, struct arena *tokens, struct kube_annotation *out, struct err *e)
{
	struct json_doc doc;
	int r;

	if (text.n > KUBE_ANNOTATION_MAX) {
		return err_set(e, EINVAL, "%zu bytes, at most %u are possible", text.n,
			KUBE_ANNOTATION_MAX);
	}
	r = json_parse(&doc, text, tokens, JSON_LAST_WINS, e);
	if (r == -ENOMEM) {
		return err_set(e, EINVAL, "more values than %d interfaces can have", PLACE_REQ_MAX);
	}
	if (r < 0) {
		/* Too deep is -E2BIG there, but no other kind of mistake here. */
		e->code = EINVAL;
		return -EINVAL;
	}
	return read_list(json_root(&doc), out, e);
}

int kube_annotation_parse(
	struct str text, struct arena *a, struct kube_annotation *out, struct err *e)
{
	struct kube_annotation found;
	struct arena tokens;
	size_t used = a->used;
	void *mem = arena_alloc(a, 1, KUBE_ANNOTATION_ARENA);

	memset(&found, 0, sizeof(found));
	if (mem == NULL) {
		return err_set(e, ENOMEM, "no memory to read " KUBE_ANNOTATION_KEY);
	}
	arena_init(&tokens, mem, KUBE_ANNOTATION_ARENA);
	if (text.n > 0 && read_text(text, &tokens, &found, e) < 0) {
		a->used = used;
		return err_wrap(e, KUBE_ANNOTATION_KEY);
	}
	a->used = used;
	*out = found;
	return 0;
}
