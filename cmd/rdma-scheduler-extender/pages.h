/* SPDX-License-Identifier: MIT */
/* What operators and Prometheus read: /, /v1/nodes, /metrics, /readyz. */
#ifndef EXTENDER_PAGES_H
#define EXTENDER_PAGES_H

#include "calls.h"

struct pages {
	struct calls *calls;
	struct http_server *server;
	uint32_t sent; /* rendered documents that clients have not taken yet */
};

#define PAGES_MAX 8 /* such documents at one time */

/* Handlers; arg is the struct pages. */
void pages_nodes(void *arg, const struct http_req *req, struct http_resp *resp);
void pages_metrics(void *arg, const struct http_req *req, struct http_resp *resp);
void pages_summary(void *arg, const struct http_req *req, struct http_resp *resp);

#endif
