/* SPDX-License-Identifier: MIT */
/* kube-scheduler's HTTP extender messages: ExtenderArgs and ExtenderPreemptionArgs. */
#ifndef KUBE_EXTENDER_H
#define KUBE_EXTENDER_H

#include "base/err.h"
#include "base/str.h"

/*
 * Strings of a message are used as they stand between their quotes, escapes included: what is
 * compared comes from the same encoder, and what is written back is the same JSON string. Slices
 * point into the message.
 *
 * Go's decoder matches keys whatever their case and lets the last of equal keys win; so do we. The
 * envelope has Go field names on the wire ("NodeNames"), the objects in it lower camel case.
 */
struct kube_pod {
	bool present;
	struct str name, namespace, uid; /* empty where absent */
	/* Annotation rdma_interfaces_required, with its quotes; p is NULL where there is none. */
	struct str required;
};

/* A node to judge: an element of Nodes.items or NodeNames, or a candidate of preemption. */
struct kube_item {
	struct str raw;  /* all of it, as received */
	struct str name; /* without quotes; never empty */
	struct str ip;   /* first InternalIP; empty where there is none */
	struct str dns;  /* first InternalDNS */
	struct str pdb; /* NumPDBViolations of a candidate, a whole number; empty where not given */
};

/* What kube_args_find fills; item and cap are the caller's. */
struct kube_args {
	struct kube_pod pod;
	bool has_nodes; /* Nodes was given, and item is about Nodes.items */
	bool has_names; /* NodeNames was given, and item is about it unless has_nodes */
	struct kube_item *item;
	size_t n, cap;
};

/*
 * kube_args_find: one walk over ExtenderArgs, without an index of the whole. -EINVAL or -E2BIG:
 * body is not JSON (as json_parse takes it, duplicate keys aside). -EPROTO: JSON, but not
 * ExtenderArgs, or more nodes than cap; the message says which member and why.
 */
int kube_args_find(struct str body, struct kube_args *out, struct err *e) MUST_CHECK;

/*
 * kube_preempt_find: ExtenderPreemptionArgs. The items are the members of NodeNameToMetaVictims if
 * that is not null, else of NodeNameToVictims; raw is the victims' object. Errors as above.
 */
int kube_preempt_find(struct str body, struct kube_args *out, struct err *e) MUST_CHECK;

/* ExtenderBindingArgs: strings as above, empty where absent. */
struct kube_binding {
	struct str pod, namespace, uid, node;
};

/* kube_binding_find: errors as above; pod, namespace and node are not empty. */
int kube_binding_find(struct str body, struct kube_binding *out, struct err *e) MUST_CHECK;

/*
 * The victims of one candidate, checked by kube_preempt_find: 1 and the next uid (without quotes,
 * empty where the pod has none), 0 at the end.
 */
struct kube_victims {
	struct str rest;
};

void kube_victims_init(struct kube_victims *v, const struct kube_item *item);
bool kube_victims_next(struct kube_victims *v, struct str *uid) MUST_CHECK;

#endif
