/* SPDX-License-Identifier: MIT */
/* The five methods of a device plugin. */
#ifndef RDMA_DUMMY_DP_SERVICE_H
#define RDMA_DUMMY_DP_SERVICE_H

#include "devices.h"
#include "grpc/server.h"

#define SERVICE_METHODS 5

struct service_stream; /* one open ListAndWatch; private */

struct service {
	struct devices *devices;
	struct grpc_method method[SERVICE_METHODS];
	struct service_stream *streams;
	uint32_t stream_n;
	uint64_t opened; /* streams, ever */
	uint64_t allocations, allocation_failures, lists;
	/* Told when a stream begins (up) or has ended: call is its name. */
	void (*stream)(void *arg, const struct grpc_call *call, bool up);
	void *stream_arg;
};

/* service_init: devices and stream are set. */
void service_init(struct service *s);

/* service_update: devices->healthy has changed: tell everybody who watches. */
void service_update(struct service *s);

#endif
