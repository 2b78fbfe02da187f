/* SPDX-License-Identifier: MIT */
/* HTTP/1.1 server on the loop of base: exact paths, a fixed pool of connections, no allocation. */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include "base/buf.h"
#include "base/loop.h"
#include "base/parse.h"
#include "http/metrics.h"
#include "http/parse.h"

struct http_conn; /* private */

/*
 * A request as a handler sees it. All of it is valid during the handler's call; what path, query
 * and body point to stays valid for a request that is answered later (http_resp_later) until then.
 */
struct http_req {
	enum http_method method;
	struct str path;              /* equal to the route's */
	struct str query;             /* raw, without '?'; p is NULL when there was none */
	struct str body;              /* complete; empty where the route takes none */
	const struct http_head *h;    /* fields: http_find(req->h, "Accept", &v) */
	const struct sock_addr *peer; /* family AF_UNSPEC where the socket has no address */
};

/*
 * A body that is sent from where it is, without a copy. release(arg) is called exactly once, when
 * the last byte is with the kernel or the connection is gone (never from inside the handler): one
 * rendered text with a count of users can serve many connections. release may be NULL.
 */
struct http_body {
	const char *p;
	size_t n;
	void (*release)(void *arg);
	void *arg;
};

/*
 * An answer, set up by the server: 200, "text/plain; charset=utf-8", no body. A handler changes
 * status and type (static text), and appends to text (HTTP_TEXT_MAX bytes) OR sets body; when
 * body.p is set, text is not sent. Content-Length, Date, Connection are the server's. A text or a
 * field that did not fit or was refused turns the answer into a 500.
 */
struct http_resp {
	int status; /* 200..599 */
	const char *type;
	struct buf text;
	struct http_body body;
	struct buf fields;      /* use http_resp_field */
	struct http_conn *conn; /* private */
	bool later;             /* private */
};

/*
 * http_resp_field: one more header field. A name that is no token or a value with CR, LF, NUL or
 * another control character is refused (the answer becomes a 500): no response splitting.
 */
void http_resp_field(struct http_resp *r, const char *name, struct str value);

/* http_resp_error: make it that status with "why\n" as text. */
void http_resp_error(struct http_resp *r, int status, const char *why);

/*
 * Answering later: a handler calls http_resp_later and returns; the connection reads nothing more
 * until http_later_send, which must be called exactly once, even if the client has gone (it is
 * noticed there). http_later_begin gives a fresh answer to fill. Neither may be called from
 * inside the handler that asked, nor after http_server_free. The time in between is the
 * handler's to bound.
 */
struct http_conn *http_resp_later(struct http_resp *r);
bool http_later_gone(const struct http_conn *c); /* nobody will read the answer, for sure */
void http_later_begin(struct http_conn *c, struct http_resp *r);
void http_later_send(struct http_conn *c, struct http_resp *r);

typedef void http_handler(void *arg, const struct http_req *req, struct http_resp *resp);

http_handler http_handle_ok; /* "ok": for /healthz, which says that the loop goes round */

/*
 * One path. HEAD is allowed where GET is and comes to the handler as HTTP_HEAD; the body that it
 * gives is counted and not sent. Unknown paths get 404, known methods that are not in methods 405
 * with Allow, unknown methods 501: without the handler.
 *
 * max_body 0: the route takes no body; up to HTTP_IGNORED_BODY_MAX bytes are read and thrown
 * away, more gets 413. max_body > 0: the body goes to memory from body_get(arg, n), n being its
 * length, or max_body if that is not known (chunked); NULL makes the answer 503. body_put(arg,
 * mem) takes it back, exactly once, when the answer is sent or the connection gone. body_grow, if
 * not NULL, hears how many bytes have arrived so far, all of them at last; false makes the answer
 * 503.
 */
struct http_route {
	const char *path;
	unsigned methods; /* HTTP_BIT(HTTP_GET) | ... */
	http_handler *fn;
	void *arg;
	uint64_t max_body;
	void *(*body_get)(void *arg, size_t n);
	void (*body_put)(void *arg, void *mem);
	bool (*body_grow)(void *arg, void *mem, size_t n);
};

#define HTTP_BIT(method) (1u << (method))

/* 0 in any member means the default of limits.h. */
struct http_server_conf {
	uint32_t conns; /* <= HTTP_CONNS_MAX */
	uint32_t head_ms, body_ms, idle_ms, write_ms, drain_ms;
};

/* Requests of one route: codes by class (index 1..5: 1xx..5xx) and time from first byte of the
 * request to last byte of the answer. */
struct http_route_stats {
	uint64_t code[6];
	struct http_hist time;
};

struct http_listener {
	struct loop_fd w;
	struct http_server *server;
};

/* Allocated by the caller, who reads the numbers; everything else is the server's own. */
struct http_server {
	/* Numbers, for metrics and tests */
	struct http_route_stats stats[HTTP_ROUTES_MAX + 1]; /* the last: no route */
	uint64_t accepted, table_full, accept_errors;
	uint32_t conns_now, conns_max;

	struct loop *loop;
	const struct http_route *route;
	size_t route_n;
	struct http_server_conf conf;
	struct http_listener listener[HTTP_LISTEN_MAX];
	size_t listener_n;
	struct loop_timer timer; /* end of an accept pause; once stopping, the report of the end */
	bool paused, stopping;
	void (*stopped)(void *arg);
	void *stopped_arg;
	void *mem; /* one mapping: slots, then blocks; pages come when first touched */
	size_t mem_size;
	struct http_conn *slots, *free_slot;
	uint32_t slots_used, blocks_used; /* touched so far; the rest of the mapping is untouched */
	char *blocks, *free_block;
	int64_t date_s;
	char date[30];             /* "Sun, 06 Nov 1994 08:49:37 GMT" */
	struct http_req_head head; /* of the request being looked at */
};

/* Timers that a server may have set at one time: what to add to the capacity of the loop. */
#define HTTP_SERVER_TIMERS(conns) ((conns) + 1)

/*
 * http_server_init: routes must outlive the server. Maps conns * (HTTP_BLOCK_MAX + a slot) bytes,
 * of which only what is used becomes resident: an idle connection holds only its slot (~400
 * bytes), blocks go round among the active ones. -EINVAL for a bad table or configuration,
 * -ENOMEM.
 */
int http_server_init(struct http_server *s, struct loop *loop, const struct http_route *routes,
	size_t route_n, const struct http_server_conf *conf, struct err *e) MUST_CHECK;

/*
 * http_server_listen: bind and listen. An unspecified IPv6 address falls back to IPv4's on a
 * machine without IPv6. Errors name the address. Returns the listening descriptor (owned by the
 * server; for getsockname). http_server_listen_fd takes over a socket that already listens, also
 * on error.
 */
int http_server_listen(
	struct http_server *s, const struct sock_addr *addr, struct err *e) MUST_CHECK;
int http_server_listen_fd(struct http_server *s, int fd, struct err *e) MUST_CHECK;

/* http_server_adopt: serve a connected stream socket (socketpair, inetd). Takes fd over, also on
 * error; -EBUSY when the table is full. */
int http_server_adopt(struct http_server *s, int fd, struct err *e) MUST_CHECK;

/*
 * http_server_stop: close the listening sockets and all idle connections; finish requests that
 * have begun, with "Connection: close"; then call done(arg) once, from the loop. A request that
 * has arrived but was not seen yet has begun: its handler may run inside this call, which itself
 * must not come from a handler. The caller bounds the time and ends with http_server_free,
 * whether done was called or not.
 */
void http_server_stop(struct http_server *s, void (*done)(void *arg), void *arg);

/*
 * http_server_drop_body: close every connection that is still sending a body whose arg is this, or
 * the answer to a request whose memory (body_get's) this is; their release(arg) or body_put runs
 * before the call returns. For owners of memory that slow clients hold on to. May be called from a
 * handler.
 */
void http_server_drop_body(struct http_server *s, const void *arg);

/*
 * http_server_sent: bytes that the client has been sent of the answer to the request whose memory
 * (body_get's) this is; 0 where there is no such answer on its way.
 */
uint64_t http_server_sent(const struct http_server *s, const void *mem);

/* http_server_free: close everything at once, give back all bodies, unmap. Not from a handler. */
void http_server_free(struct http_server *s);

#endif
