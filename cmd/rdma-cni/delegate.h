/* SPDX-License-Identifier: MIT */
/* The network of pods that ask for no RDMA interface. */
#ifndef RDMA_CNI_DELEGATE_H
#define RDMA_CNI_DELEGATE_H

#include "call.h"

/*
 * What was delegated is kept in <stateDir>/delegated/<container id>:<interface>.json, written
 * before the delegate is run, so that DEL and GC call it with the configuration that it was added
 * with, whatever the network's says by then.
 */
#define DELEGATED_DIR "delegated"

/* delegate_add: let the delegate network do it; c->out is its result. Undone when it fails. */
int delegate_add(struct call *c) MUST_CHECK;

/*
 * delegate_del: have it taken back if it was delegated: then 1. Without a file, and if maybe (no
 * record of ours was found either: a reboot cleared both), by the configuration that came in.
 */
int delegate_del(
	struct call *c, const char *container_id, const char *ifname, bool maybe) MUST_CHECK;

/* delegate_check: 1 the attachment is delegated and in order, 0 it is not delegated. */
int delegate_check(struct call *c) MUST_CHECK;

/* delegate_status: the delegate's STATUS; 0 if there is none. */
int delegate_status(struct call *c) MUST_CHECK;

/* delegate_gc: DEL of what is delegated and not valid, then the delegate's GC. */
int delegate_gc(struct call *c, const struct cni_valid *valid, size_t n) MUST_CHECK;

/* gc_is_valid: whether an attachment is in the list. */
bool gc_is_valid(
	const struct cni_valid *valid, size_t n, const char *container_id, const char *ifname);

#endif
