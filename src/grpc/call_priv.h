/* SPDX-License-Identifier: MIT */
/* A call of a server: shared by server.c (connections) and call.c (one request and its answer). */
#ifndef GRPC_CALL_PRIV_H
#define GRPC_CALL_PRIV_H

#include "grpc/callbacks_priv.h"
#include "grpc/server.h"

struct grpc_call {
	struct grpc_peer *peer;
	struct grpc_call *next;
	int32_t stream;
	int64_t due_ms;   /* end of the present step; INT64_MAX: none */
	int64_t limit_ms; /* the caller's own deadline; INT64_MAX: none */

	/* Request */
	char path[GRPC_PATH_MAX];
	size_t header_bytes;
	bool post, path_ok, type_ok, coded, timeout_bad;
	bool complete; /* END_STREAM came */
	struct grpc_frame frame;
	char *in;

	/* Answer */
	void *mem; /* list of grpc_call_mem: each begins with a pointer to the next */
	const struct grpc_watch *watch;
	void *watch_arg;
	uint8_t prefix[GRPC_PREFIX];
	struct str out;
	size_t out_at; /* of prefix and message together */
	bool started;  /* headers submitted */
	bool sending, finish;
	enum grpc_status status;
	char text[GRPC_TEXT_MAX];
};

struct grpc_call *grpc_call_new(struct grpc_peer *p, int32_t stream);
void grpc_call_free(struct grpc_call *call); /* unlinks, tells the watcher, counts */

void grpc_call_header(struct grpc_call *call, struct str name, struct str value);
void grpc_call_headers_end(struct grpc_call *call);
void grpc_call_data(struct grpc_call *call, struct str data);
void grpc_call_request_end(struct grpc_call *call);
void grpc_call_expire(struct grpc_call *call);

static inline bool grpc_call_answered(const struct grpc_call *call)
{
	return call->started || call->finish || call->sending || call->watch != NULL;
}

#endif
