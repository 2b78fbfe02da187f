/* SPDX-License-Identifier: MIT */
/* Which interfaces the pod asks for, and where that is written. */
#ifndef RDMA_CNI_WANTS_H
#define RDMA_CNI_WANTS_H

#include "call.h"
#include "place/place.h"

struct wants {
	struct place_request req[PLACE_REQ_MAX];
	size_t n;
	const char *source; /* for messages */
};

/*
 * wants_read: in this order: the pod's annotations, if the runtime passed them; the API server;
 * "interfaces" of the network configuration. A pod of Kubernetes of which none of these is known
 * is an error: it would start without the interfaces it needs. CNI_ERR_REQUEST: malformed.
 */
int wants_read(struct call *c, struct wants *w) MUST_CHECK;

#endif
