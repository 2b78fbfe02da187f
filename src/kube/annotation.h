/* SPDX-License-Identifier: MIT */
/* The pod annotation that asks for RDMA interfaces. */
#ifndef KUBE_ANNOTATION_H
#define KUBE_ANNOTATION_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "kube/limits.h"
#include "place/place.h"

#define KUBE_ANNOTATION_KEY "rdma_interfaces_required"

/* The interfaces a pod asks for, in order; none if n is 0. */
struct kube_annotation {
	struct place_request req[PLACE_REQ_MAX];
	uint32_t n;
};

/*
 * kube_annotation_parse: the value of the annotation, text that a pod's owner controls:
 *
 *	[{"min_tx_rate": 15000, "max_tx_rate": 20000}, {"min_tx_rate": 5000}, {}]
 *
 * Both rates are whole numbers in Mb/s and optional; null or 0 is the same as none, for max_tx_rate
 * no cap. ASCII case of keys does not matter. null in the place of an object is an interface
 * without rates. An empty text, null and [] ask for no interface. Rates up to 2^64 - 1 are
 * accepted; a minimum that is too big for 32 bits becomes PLACE_RATE_NEVER, which fits nowhere,
 * and a cap UINT32_MAX, which caps nothing.
 *
 * -EINVAL: malformed; the message says where (interface 0 is "[0]") and why: not JSON, not a list
 * of objects, an unknown key, a key twice (also in different case), a rate that is no such number,
 * a cap below the minimum, more than PLACE_REQ_MAX interfaces, longer than KUBE_ANNOTATION_MAX.
 * -ENOMEM: a has less than KUBE_ANNOTATION_ARENA bytes free; never because of the text. Of a
 * nothing stays in use. out is untouched on failure.
 */
int kube_annotation_parse(
	struct str text, struct arena *a, struct kube_annotation *out, struct err *e) MUST_CHECK;

#endif
