/* SPDX-License-Identifier: MIT */
/* Private to http: one connection of a server, and what its three files owe each other. */
#ifndef HTTP_CONN_PRIV_H
#define HTTP_CONN_PRIV_H

#include "base/io.h"
#include "http/chunk.h"
#include "http/server.h"

enum conn_state {
	CONN_FREE,  /* slot not in use */
	CONN_IDLE,  /* between requests: holds no block */
	CONN_HEAD,  /* a request has begun */
	CONN_BODY,  /* head complete, body not */
	CONN_LATER, /* with the handler */
	CONN_WRITE, /* an answer is on its way */
	CONN_DRAIN, /* last answer sent, our side shut down */
};

enum conn_after { AFTER_NEXT, AFTER_BODY, AFTER_CLOSE }; /* what follows CONN_WRITE */

struct http_conn {
	struct loop_fd w;
	struct loop_timer timer;
	struct stream stream;
	struct http_server *s;
	struct http_conn *next_free;
	char *block; /* in, fields, head, text; NULL while idle */
	uint8_t state, after;
	bool watched;    /* in the loop */
	bool keep;       /* this request leaves the connection open */
	bool http10;     /* keep-alive must be said */
	bool head_only;  /* answer to HEAD */
	bool eof;        /* the client has shut down its side */
	bool used;       /* a request has been answered */
	uint32_t in_n;   /* bytes in the block */
	uint32_t head_n; /* of them: the head of the current request, once complete */
	uint32_t seen;   /* of them: already looked at without success */
	/* Body of the request */
	size_t route; /* index; route_n: none */
	char *body;   /* memory of the route; NULL: thrown away */
	uint64_t body_n, body_max;
	uint64_t left; /* to come, of a body with a length; in CONN_DRAIN: still thrown away */
	bool chunked;
	struct http_chunk chunk;
	/* Answer */
	uint32_t out_head_n, out_text_n;
	uint64_t out_at; /* bytes of head, then text or out sent so far */
	struct http_body out;
	int status;
	int64_t begun_us;
	struct sock_addr peer;
};

/* server.c */
void http_conn_release(struct http_conn *c); /* a closed connection's slot goes back */
bool http_block_take(struct http_conn *c);
void http_block_give(struct http_conn *c);
const char *http_server_date(struct http_server *s);

/* conn.c */
void http_conn_open(struct http_conn *c); /* slot filled, watched, nothing read yet */
void http_conn_close(struct http_conn *c);
void http_conn_stop(struct http_conn *c); /* the server is stopping: close if idle */
void http_conn_drop_body(struct http_conn *c, const void *arg); /* see http_server_drop_body */

/* response.c */
void http_resp_init(struct http_conn *c, struct http_resp *r);
void http_resp_build(struct http_conn *c, struct http_resp *r); /* head, text, out of c */
void http_resp_continue(struct http_conn *c);                   /* the interim answer 100 */
uint8_t http_resp_pieces(const struct http_conn *c, struct iovec v[static 2]); /* still to send */
void http_resp_allow(struct http_resp *r, unsigned methods);

#endif
