/* SPDX-License-Identifier: MIT */
/* The walk over a scheduler's message that its kinds share. For this folder only. */
#ifndef KUBE_ARGS_PRIV_H
#define KUBE_ARGS_PRIV_H

#include "json/cursor.h"
#include "kube/extender.h"

struct kube_walk {
	struct json_cur c;
	struct kube_args *out;
	struct err problem; /* the first thing that is JSON but not what it should be */
	const char *list;   /* what the items are elements of, for messages */
};

/* All below: < 0 the text is no JSON (w->c.e says why). */
int kube_walk_begin(
	struct kube_walk *w, struct str body, struct kube_args *out, struct err *e) MUST_CHECK;
int kube_walk_end(struct kube_walk *w, int r, struct err *e) MUST_CHECK;

/* kube_wrong: remember the problem, pass over the value. */
int kube_wrong(struct kube_walk *w, const char *what) MUST_CHECK;

/* kube_enter: 1 a value of that type was entered; 0 null, or a wrong one, was passed over. */
int kube_enter(struct kube_walk *w, enum json_type type, const char *what) MUST_CHECK;

/*
 * kube_each: enter a value of that type (JSON_OBJECT, JSON_ARRAY) as kube_enter does, and call fn
 * for each member, with its key as it stands between the quotes, or each element, with none. fn
 * reads or passes over the value, and ends the walk with < 0. 1: all of the value was walked.
 */
typedef int kube_each_fn(struct kube_walk *w, struct str key, void *arg);
int kube_each(struct kube_walk *w, enum json_type type, const char *what, kube_each_fn *fn,
	void *arg) MUST_CHECK;

/* kube_text: what stands between the quotes of a string; empty with p NULL for null. */
int kube_text(struct kube_walk *w, struct str *out, const char *what) MUST_CHECK;

int kube_walk_pod(struct kube_walk *w, struct kube_pod *pod) MUST_CHECK;

/* kube_add_item: always 0; what is wrong with the item is remembered. */
int kube_add_item(struct kube_walk *w, const struct kube_item *item);

#endif
