/* SPDX-License-Identifier: MIT */
/* One HTTP/2 connection on the loop: what server and client have in common. For src/grpc alone. */
#ifndef GRPC_CONN_H
#define GRPC_CONN_H

#include <sys/types.h>

#include "base/loop.h"
#include "base/str.h"
#include "grpc/limits.h"

struct nghttp2_session;

/*
 * Memory of one connection: everything nghttp2 and the calls on it allocate, with a cap. An
 * allocation above the cap fails, which nghttp2 turns into the end of the connection.
 */
struct grpc_mem {
	size_t used, cap;
};

void *grpc_mem_get(struct grpc_mem *m, size_t n) MUST_CHECK; /* zeroed; NULL above the cap */
void grpc_mem_put(struct grpc_mem *m, void *p);              /* NULL is fine */

/*
 * Theory of operation: bytes from the socket go into nghttp2, whose callbacks (server.c, client.c)
 * change calls and submit frames; then everything nghttp2 has to say is written, one frame at a
 * time through out. A socket that takes no more leaves its rest in out, and reading goes on: a peer
 * that waits for its WINDOW_UPDATE to be read must not be waited for. nghttp2 is never entered from
 * inside its own callbacks, and a connection is never freed there: it is marked (broken) and the
 * owner told, through ended, from the loop.
 */
struct grpc_conn {
	struct loop *loop;
	struct loop_fd w;
	struct loop_timer timer;
	struct nghttp2_session *session;
	struct grpc_mem mem;
	uint8_t out[GRPC_OUT_MAX];
	size_t out_at, out_n;
	int64_t stall_ms; /* when the socket stopped taking bytes; 0: it takes them */
	bool inside;      /* nghttp2 is running */
	const char *broken;
	char why[64]; /* memory for broken */

	/* The owner's. ended: from the loop, once; the owner calls grpc_conn_free. due: when the
	 * owner next wants expired called (INT64_MAX: never). */
	void (*ended)(struct grpc_conn *c);
	int64_t (*due)(struct grpc_conn *c);
	void (*expired)(struct grpc_conn *c);
};

/*
 * grpc_conn_init: a connected non-blocking socket (taken over, also on error) as an HTTP/2
 * connection. ended, due and expired are set before. SETTINGS go out at once: kubelets wait for
 * them before they say anything (grpc-go's dial).
 */
int grpc_conn_init(
	struct grpc_conn *c, struct loop *l, int fd, bool server, struct err *e) MUST_CHECK;
void grpc_conn_free(struct grpc_conn *c);

/* grpc_conn_flush: after frames were submitted outside of a callback: write them. */
void grpc_conn_flush(struct grpc_conn *c);

/* grpc_conn_pid: the process at the other end as unix(7) tells: who connected, or who listens. 0:
 * not of our PID namespace; -1: unknown. */
pid_t grpc_conn_pid(const struct grpc_conn *c);

/* grpc_conn_break: end it for that reason (static text), from the loop. The first one counts. */
void grpc_conn_break(struct grpc_conn *c, const char *why);

#endif
