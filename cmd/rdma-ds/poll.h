/* SPDX-License-Identifier: MIT */
/* GET /v1/node?after=REVISION&timeout_s=N: an answer when something has changed. */
#ifndef RDMA_DS_POLL_H
#define RDMA_DS_POLL_H

#include "page.h"

#define POLL_MAX       64  /* clients that wait at one time: schedulers and people */
#define POLL_TIMEOUT_S 300 /* the longest that may be asked for */
#define POLL_LEAST_MS  50  /* between two readings, also where every request reads anew */

struct poll {
	struct loop *loop;
	struct page *page; /* /v1/node */
	struct page *used; /* /v1/node?vfs=used */
	struct loop_timer timer;
	struct {
		struct http_conn *conn;
		struct page *page;
		uint64_t after;
		int64_t asked_ms, until_ms;
		uint64_t since;
	} wait[POLL_MAX];
	uint64_t turn; /* counts those who began to wait */
	size_t n;
	bool stopping; /* nobody waits any more */
};

/*
 * poll_serve: the handler of /v1/node; arg is the struct poll. Without a query it is page_serve.
 * vfs=used leaves out the VFs that are free. With after the answer comes when the revision is
 * another one: at once, or when a reading shows it; 204 when timeout_s (0 to POLL_TIMEOUT_S,
 * default 0) have passed without, or when POLL_MAX others have come to wait since; 503 when the
 * node cannot be read. The node is read only while somebody waits. The field Ferrule-Read-Ms of 200
 * and 204 says when the node was read, in ms from the arrival of the question on.
 */
void poll_serve(void *arg, const struct http_req *req, struct http_resp *resp);

/* poll_stop: let all who wait go, and those who come still, as in time. Not from a handler. */
void poll_stop(struct poll *p);

#endif
