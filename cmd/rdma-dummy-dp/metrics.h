/* SPDX-License-Identifier: MIT */
/* GET /metrics of rdma-dummy-dp. */
#ifndef RDMA_DUMMY_DP_METRICS_H
#define RDMA_DUMMY_DP_METRICS_H

#include "http/server.h"
#include "kubelet.h"
#include "service.h"

#define METRICS_CAP (24 * 1024)

/* metrics_render: false if b is too small. */
bool metrics_render(struct buf *b, const struct kubelet *k, const struct service *s,
	const struct http_server *http) MUST_CHECK;

#endif
