/* SPDX-License-Identifier: MIT */
/* The addresses that a program listens on: from its options to listening sockets. */
#ifndef HTTP_LISTEN_H
#define HTTP_LISTEN_H

#include "base/opts.h"
#include "base/parse.h"
#include "http/limits.h"

struct http_server;

/* Where to listen. Points into itself: stays where HTTP_LISTEN_INIT was put. */
struct http_listen {
	struct opt_list opt; /* for the row "listen" of the program's table, OPT_LIST */
	const char *v[HTTP_LISTEN_MAX];
	struct sock_addr addr[HTTP_LISTEN_MAX]; /* opt.n of them, once http_listen_parse is done */
};

#define HTTP_LISTEN_INIT(l)                                                                        \
	{                                                                                          \
		.opt = {.v = (l)->v, .cap = HTTP_LISTEN_MAX }                                      \
	}

/*
 * http_listen_parse: what was given with --listen; if nothing was, then otherwise (NULL: nowhere),
 * which messages call source. -EINVAL: names --listen or source.
 */
int http_listen_parse(
	struct http_listen *l, const char *otherwise, const char *source, struct err *e) MUST_CHECK;

/*
 * http_listen_all: http_server_listen on each address; then opened, for the log: with the address
 * that the kernel gave (its port for port 0) and that as text. Stops at the first error.
 */
typedef void http_listen_opened(const struct sock_addr *addr, struct str text);
int http_listen_all(const struct http_listen *l, struct http_server *s, http_listen_opened *opened,
	struct err *e) MUST_CHECK;

#endif
