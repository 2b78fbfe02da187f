/* SPDX-License-Identifier: MIT */
/* gRPC server on a unix socket: unary and server-streaming methods, on the loop of base. */
#ifndef GRPC_SERVER_H
#define GRPC_SERVER_H

#include "grpc/conn.h"
#include "grpc/wire.h"

struct grpc_call; /* one request and its answer; private */

/*
 * A handler gets one complete request message, valid during its call, and either answers at once
 * (grpc_call_reply, grpc_call_fail) or keeps the call open as a stream (grpc_call_watch, then
 * grpc_call_send as often as there is news). A handler that does none of these has failed: the
 * caller gets INTERNAL.
 */
typedef void grpc_handler(void *arg, struct grpc_call *call, struct str request);

struct grpc_method {
	const char *path; /* "/package.Service/Method" */
	grpc_handler *fn;
	void *arg;
};

/* What the owner of a stream is told. Neither may free the server. */
struct grpc_watch {
	void (*sent)(void *arg, struct grpc_call *call);   /* the message is with the transport */
	void (*closed)(void *arg, struct grpc_call *call); /* gone, for whatever reason; once */
};

/* grpc_call_mem: zeroed memory that lives as long as the call; NULL over the connection's cap. */
void *grpc_call_mem(struct grpc_call *call, size_t n) MUST_CHECK;

/* grpc_call_pid: of the caller, as grpc_conn_pid. */
pid_t grpc_call_pid(const struct grpc_call *call);

/* grpc_call_reply: the answer of a unary method: message (valid until the call is closed: static,
 * or of grpc_call_mem), then OK. */
void grpc_call_reply(struct grpc_call *call, struct str message);

/* grpc_call_fail: end the call, also a stream, with another status than OK and a text. */
void grpc_call_fail(struct grpc_call *call, enum grpc_status status, const char *text);

void grpc_call_watch(struct grpc_call *call, const struct grpc_watch *watch, void *arg);

/*
 * grpc_call_send: one more message of a stream; it must stay as it is until sent or closed. One at
 * a time: not while grpc_call_sending.
 */
void grpc_call_send(struct grpc_call *call, struct str message);
bool grpc_call_sending(const struct grpc_call *call) MUST_CHECK;

/* One connection of a server; private. */
struct grpc_peer {
	struct grpc_conn conn;
	struct grpc_server *server;
	struct grpc_call *calls; /* newest first */
	uint32_t call_n;
	bool used, hello; /* hello: its SETTINGS have come */
	int64_t since_ms; /* accepted, and later: when its last call ended */
};

/* Allocated by the caller, who reads the numbers; everything else is the server's own. */
struct grpc_server {
	/* Numbers, for metrics and tests */
	uint64_t accepted, refused, dropped; /* connections; no descriptor left; closed for room */
	uint64_t started, ended[GRPC_STATUSES]; /* calls that began; that ended, by status */
	uint32_t conns_now;

	struct loop *loop;
	const struct grpc_method *method;
	size_t method_n;
	struct loop_fd listener; /* fd -1: not listening */
	struct loop_timer pause;
	struct grpc_peer peer[GRPC_CONNS_MAX];
};

#define GRPC_SERVER_TIMERS (GRPC_CONNS_MAX + 1) /* timers it may have set at one time */

/* grpc_server_init: methods must outlive the server. */
void grpc_server_init(
	struct grpc_server *s, struct loop *loop, const struct grpc_method *methods, size_t n);

/* grpc_server_listen: accept from a listening non-blocking socket (taken over, also on error). */
int grpc_server_listen(struct grpc_server *s, int fd, struct err *e) MUST_CHECK;

/* grpc_server_unlisten: close the listening socket; connections stay. */
void grpc_server_unlisten(struct grpc_server *s);

/*
 * grpc_server_adopt: serve a connected socket (taken over, also on error). There is always room:
 * one of another process may be closed for it.
 */
int grpc_server_adopt(struct grpc_server *s, int fd, struct err *e) MUST_CHECK;

/* grpc_server_free: GOAWAY to everyone, then close everything. closed() is called for streams. */
void grpc_server_free(struct grpc_server *s);

#endif
