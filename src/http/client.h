/* SPDX-License-Identifier: MIT */
/* HTTP/1.1 client on the loop of base: one connection, one exchange at a time. */
#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

#include "base/io.h"
#include "base/loop.h"
#include "base/parse.h"
#include "http/chunk.h"
#include "http/parse.h"

struct http_client;

struct http_result {
	int status;                /* 200..599 (101 is an error) */
	const struct http_head *h; /* fields */
	struct str body;
};

/*
 * The end of an exchange: res on success (any status), or NULL and e filled: -ECONNREFUSED and
 * the like, -ETIMEDOUT, -EBADMSG (not HTTP), -EMSGSIZE (does not fit in mem), -ECONNRESET (ended
 * early). res points into the call's mem and is valid during this call; res->body as long as mem
 * is left alone. The connection may be used, closed or freed from inside.
 */
typedef void http_done_fn(
	void *arg, struct http_client *c, const struct http_result *res, const struct err *e);

/* One exchange. The struct and all it points to stay valid and unchanged until it has ended. */
struct http_call {
	enum http_method method;
	struct str path;                /* with its query: "/getpfs?x=1" */
	struct str host;                /* value of the Host field: "10.0.0.1:54005" */
	const struct http_field *field; /* further fields */
	size_t field_n;
	struct str body; /* Content-Length is sent when there is one, or the method is POST, PUT */
	int64_t deadline_ms; /* clock_ms time at which all must be over, from connecting on */
	/*
	 * Working memory, the only one: the request head is built here, then the answer's head and
	 * body arrive here. >= HTTP_REQUEST_HEAD_MAX; larger answers end in -EMSGSIZE.
	 */
	char *mem;
	size_t cap;
	/*
	 * For those who wait for many answers at once: with answer_mem set, mem holds the head of
	 * the request alone (cap may be less than HTTP_REQUEST_HEAD_MAX), and memory for the answer
	 * is asked for when its first byte has arrived, once an exchange. It is the caller's, who
	 * takes it back in done, or after http_client_close. NULL ends the exchange with -ENOMEM.
	 */
	char *(*answer_mem)(void *arg, size_t *cap);
	/*
	 * With answer_mem, and unless NULL: n bytes of that memory have been written so far; asked
	 * with each piece that arrives and at the end, so that an owner of many answers can bound
	 * their sum. false ends the exchange with -ENOMEM, and nothing in the memory is looked at.
	 */
	bool (*answer_grow)(void *arg, size_t n);
	http_done_fn *done;
	void *arg;
};

/* One connection, ~300 bytes, embedded by its owner; no other memory is held between exchanges. */
struct http_client {
	/* Numbers, for metrics and tests */
	uint32_t connects; /* connections made so far */

	struct loop *loop;
	struct sock_addr addr;
	const struct http_call *call; /* NULL: idle or closed */
	struct loop_fd w;
	struct loop_timer timer;
	struct stream stream;
	uint8_t state, body, interim;
	bool reused;  /* this exchange began on a kept connection */
	bool retried; /* and was begun again on a new one */
	bool keep;    /* the connection may be used once more */
	size_t out_n; /* length of the request's head, in mem until it is sent */
	size_t sent;  /* of head and body of the request */
	char *in;     /* memory of the answer, in_cap bytes */
	size_t in_cap;
	size_t n; /* bytes of the answer in it: head, then decoded body */
	size_t head_n;
	uint64_t left; /* to come, of a body with a length */
	struct http_chunk chunk;
};

#define HTTP_CLIENT_TIMERS 1 /* a connection may have set at one time */

/* http_client_init: remember where to connect; nothing else happens. loop outlives the client. */
void http_client_init(struct http_client *c, struct loop *loop, const struct sock_addr *addr);

/*
 * http_client_call: begin an exchange, over the connection of the one before if that is still
 * open. 0: call->done will be called once, from the loop, never from inside. Errors at once (done
 * is not called): -EBUSY while an exchange runs, -EINVAL for something that may not be put on the
 * wire (fields that frame the request, Host included, are ours) or too small a mem, -EMSGSIZE when
 * the head exceeds HTTP_REQUEST_HEAD_MAX, errors of socket and connect.
 *
 * When a kept connection turns out to be closed before the first byte of the answer, GET, HEAD,
 * PUT, DELETE and OPTIONS are tried once more over a new one (RFC 9110 9.2.2); others fail.
 */
int http_client_call(struct http_client *c, const struct http_call *call, struct err *e) MUST_CHECK;

/* http_client_hurry: the running exchange must be over at deadline_ms, if not before. */
void http_client_hurry(struct http_client *c, int64_t deadline_ms);

/* http_client_close: close; a running exchange ends without its done being called. */
void http_client_close(struct http_client *c);

#endif
