/* SPDX-License-Identifier: MIT */
/* Documents that are rendered once for each reading of the node and sent to many clients. */
#ifndef RDMA_DS_PAGE_H
#define RDMA_DS_PAGE_H

#include "base/buf.h"
#include "http/server.h"
#include "reading.h"

/*
 * Copies of one document that may be on their way to slow clients at one time. When all are, the
 * clients of the oldest are cut off: who does not read must not keep others from asking.
 */
#define PAGE_COPIES 8

struct page_copy {
	char *mem; /* mapped when first used; pages that a document reaches become resident */
	size_t n;
	uint32_t users;  /* answers that point into mem */
	uint64_t number; /* of the reading it shows; 0 none, or one that nobody else may have */
	uint64_t age;    /* the smaller, the longer ago it was rendered */
};

struct page {
	struct reading *reading;
	struct http_server *server;
	const char *type; /* Content-Type */
	size_t cap;       /* room that is always enough */
	bool (*render)(struct buf *b, const void *arg);
	const void *arg;   /* of render */
	bool live;         /* render for each answer, and also when the node cannot be read */
	uint64_t rendered; /* how often */
	bool failing;      /* the last answer could not be rendered, and the log says so */
	struct page_copy copy[PAGE_COPIES];
};

/* page_serve: the handler of a route whose arg is a struct page. */
void page_serve(void *arg, const struct http_req *req, struct http_resp *resp);

#endif
