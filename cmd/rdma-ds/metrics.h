/* SPDX-License-Identifier: MIT */
/* GET /metrics of rdma-ds. */
#ifndef RDMA_DS_METRICS_H
#define RDMA_DS_METRICS_H

#include "http/server.h"
#include "reading.h"

#define METRICS_CAP (SRIOV_PF_MAX * 2048 + 65536) /* bytes: PFs, then the server's own numbers */

/*
 * metrics_render: the node's numbers as Prometheus text (cmd/rdma-ds/README.md lists them). The
 * numbers of server follow. When the node could not be read ferrule_node_up is 0 and its numbers
 * are left out. false: b was too small.
 */
bool metrics_render(
	struct buf *b, const struct reading *r, const struct http_server *server) MUST_CHECK;

#endif
