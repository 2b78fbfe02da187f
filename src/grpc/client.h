/* SPDX-License-Identifier: MIT */
/* gRPC client: one unary call on a connection of its own to a unix socket, on the loop of base. */
#ifndef GRPC_CLIENT_H
#define GRPC_CLIENT_H

#include "base/buf.h"
#include "grpc/conn.h"
#include "grpc/wire.h"

/*
 * How a call ended: what the server said, or, where nothing (more) came from it, UNAVAILABLE,
 * DEADLINE_EXCEEDED or INTERNAL with our own reason. text and message are valid during done.
 */
struct grpc_result {
	enum grpc_status status;
	bool from_server; /* the status is the server's word */
	const char *text;
	struct str message; /* the answer; complete if status is GRPC_OK */
};

/* Allocated and zeroed by the caller; all of it is private. */
struct grpc_client {
	struct grpc_conn conn;
	bool open;
	void (*done)(void *arg, const struct grpc_result *r);
	void *arg;
	int64_t due_ms;
	int32_t stream;

	/* Request */
	uint8_t prefix[GRPC_PREFIX];
	struct str out;
	size_t out_at;

	/* Answer */
	size_t header_bytes;
	uint32_t http_status;
	bool type_ok, coded, has_status, closed, late;
	enum grpc_status status;
	char text[GRPC_TEXT_MAX];
	const char *bad; /* why the answer cannot be used */
	struct grpc_frame frame;
	struct buf in;
};

#define GRPC_CLIENT_TIMERS 1 /* timers it may have set at one time */

/*
 * grpc_client_call: connect to the socket at path and call method ("/package.Service/Method") with
 * that message, which must stay as it is until done. The answer's message goes to answer[cap] and
 * may not be longer. done(arg) is called exactly once, from the loop, unless the call is cancelled;
 * the client is free for another call then. Fails at once, and without done, when nobody listens
 * (-ECONNREFUSED, -ENOENT) or path is no socket's. -EBUSY: a call is open.
 */
struct grpc_request {
	const char *path, *method;
	struct str message;
	char *answer;
	size_t cap;
	int64_t timeout_ms;
};

int grpc_client_call(struct grpc_client *c, struct loop *l, const struct grpc_request *q,
	void (*done)(void *arg, const struct grpc_result *r), void *arg, struct err *e) MUST_CHECK;

/* grpc_client_pid: of the server of the open call, as grpc_conn_pid. */
pid_t grpc_client_pid(const struct grpc_client *c);

/* grpc_client_cancel: close the connection; done is not called. Nothing happens if none is open. */
void grpc_client_cancel(struct grpc_client *c);

#endif
