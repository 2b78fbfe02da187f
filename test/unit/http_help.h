/* SPDX-License-Identifier: MIT */
/* A server in this process and clients that talk to it through raw sockets. */
#ifndef TEST_HTTP_HELP_H
#define TEST_HTTP_HELP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "http/server.h"

#define BIG_N     (1 << 22) /* more than any socket takes at once */
#define BODY_MAX  100000
#define H         "Host: a\r\n"
#define GET_SMALL "GET /small HTTP/1.1\r\n" H "\r\n"
#define HEAD_OF(status, n)                                                                         \
	"HTTP/1.1 " status "\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: " #n    \
	"\r\n"
#define SMALL HEAD_OF("200 OK", 6) "\r\nsmall\n"

/* All that the routes count and keep. */
struct site {
	struct loop loop;
	struct loop_timer *heap[HTTP_SERVER_TIMERS(64)];
	struct http_server server;
	int handled, lent, shared, stopped;
	bool no_memory;
	size_t grown, grow_max; /* of a body; grow_max 0: any size */
	struct http_conn *later;
	void *mem; /* lent last */
	char *big;
	char last[256]; /* what /info saw */
};

static struct site site;

static inline void site_small(void *arg, const struct http_req *req, struct http_resp *resp)
{
	(void)arg;
	(void)req;
	site.handled++;
	buf_add(&resp->text, STR("small\n"));
}

static inline void site_unshare(void *arg)
{
	(*(int *)arg)--;
}

static inline void site_big(void *arg, const struct http_req *req, struct http_resp *resp)
{
	(void)arg;
	(void)req;
	site.handled++;
	site.shared++;
	resp->type = "application/json";
	resp->body = (struct http_body){site.big, BIG_N, site_unshare, &site.shared};
}

static inline void *site_lend(void *arg, size_t n)
{
	(void)arg;
	if (site.no_memory) {
		return NULL;
	}
	site.lent++;
	site.mem = malloc(n); /* exactly: ASan sees a byte too many */
	return site.mem;
}

static inline void site_unlend(void *arg, void *mem)
{
	(void)arg;
	site.lent--;
	free(mem);
}

static inline bool site_grow(void *arg, void *mem, size_t n)
{
	(void)arg;
	(void)mem;
	site.grown = n;
	return site.grow_max == 0 || n <= site.grow_max;
}

static inline void site_echo(void *arg, const struct http_req *req, struct http_resp *resp)
{
	(void)arg;
	site.handled++;
	resp->body = (struct http_body){req->body.p, req->body.n, NULL, NULL};
}

static inline void site_info(void *arg, const struct http_req *req, struct http_resp *resp)
{
	struct str v = STR("none");

	(void)arg;
	(void)!http_find(req->h, "X-Test", &v);
	site.handled++;
	snprintf(site.last, sizeof(site.last), "%s %.*s %.*s %.*s %zu %d",
		http_method_name(req->method), STR_ARG(req->path), STR_ARG(req->query), STR_ARG(v),
		req->body.n, req->peer->u.sa.sa_family);
	resp->status = 204;
	buf_add(&resp->text, STR("never sent"));
	http_resp_field(resp, "X-Info", STR("yes"));
}

static inline void site_later(void *arg, const struct http_req *req, struct http_resp *resp)
{
	(void)arg;
	(void)req;
	site.handled++;
	site.later = http_resp_later(resp);
}

static inline void site_odd(void *arg, const struct http_req *req, struct http_resp *resp)
{
	(void)arg;
	site.shared++;
	resp->body = (struct http_body){"odd", 3, site_unshare, &site.shared};
	if (str_eq_c(req->query, "value")) {
		http_resp_field(resp, "X-Name", STR("a\r\nSet-Cookie: b"));
	} else if (str_eq_c(req->query, "name")) {
		http_resp_field(resp, "X Name", STR("a"));
	} else if (str_eq_c(req->query, "many")) {
		for (int i = 0; i < HTTP_FIELDS_OUT; i++) {
			http_resp_field(resp, "X", STR("a"));
		}
	} else {
		for (int i = 0; i < HTTP_TEXT_MAX; i++) {
			buf_add(&resp->text, STR("ab"));
		}
	}
}

static inline void site_open(const struct http_server_conf *conf)
{
	static const struct http_route routes[] = {
		{"/small", HTTP_BIT(HTTP_GET), site_small, NULL, 0, NULL, NULL, NULL},
		{"/big", HTTP_BIT(HTTP_GET), site_big, NULL, 0, NULL, NULL, NULL},
		{"/echo", HTTP_BIT(HTTP_POST) | HTTP_BIT(HTTP_PUT), site_echo, NULL, BODY_MAX,
			site_lend, site_unlend, site_grow},
		{"/info", HTTP_BIT(HTTP_GET) | HTTP_BIT(HTTP_DELETE), site_info, NULL, 0, NULL,
			NULL, NULL},
		{"/later", HTTP_BIT(HTTP_GET), site_later, NULL, 0, NULL, NULL, NULL},
		{"/odd", HTTP_BIT(HTTP_GET), site_odd, NULL, 0, NULL, NULL, NULL},
		{.path = "/healthz", .methods = HTTP_BIT(HTTP_GET), .fn = http_handle_ok},
	};
	struct http_server_conf defaults = {.conns = 60};
	struct err e;

	memset(&site, 0, sizeof(site));
	site.big = malloc(BIG_N);
	assert_non_null(site.big);
	for (size_t i = 0; i < BIG_N; i++) {
		site.big[i] = (char)('a' + i % 23);
	}
	assert_int_equal(loop_init(&site.loop, site.heap, ARRAY_LEN(site.heap), &e), 0);
	assert_int_equal(http_server_init(&site.server, &site.loop, routes, ARRAY_LEN(routes),
				 conf != NULL ? conf : &defaults, &e),
		0);
}

static inline int site_setup(void **state)
{
	(void)state;
	site_open(NULL);
	return 0;
}

/* Whatever a test left open, nothing may stay lent out. */
static inline int site_teardown(void **state)
{
	(void)state;
	http_server_free(&site.server);
	assert_int_equal(site.lent, 0);
	assert_int_equal(site.shared, 0);
	assert_int_equal(site.loop.heap_n, 0);
	loop_free(&site.loop);
	free(site.big);
	return 0;
}

/* Let the server do what it can without waiting. */
static inline void pump(void)
{
	struct err e;

	for (int i = 0; i < 40; i++) {
		assert_int_equal(loop_once(&site.loop, 0, &e), 0);
	}
}

/* Our end of a connection to the server. */
static inline int dial(void)
{
	struct err e;
	int sv[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv), 0);
	assert_true(fcntl(sv[0], F_SETFL, O_NONBLOCK) == 0);
	assert_int_equal(http_server_adopt(&site.server, sv[1], &e), 0);
	return sv[0];
}

/* The server listens on loopback, too: at *a. */
static inline void site_listen(struct sock_addr *a)
{
	struct err e;
	int fd;

	assert_int_equal(parse_listen(STR("127.0.0.1:0"), a, &e), 0);
	fd = http_server_listen(&site.server, a, &e);
	assert_true(fd >= 0);
	assert_int_equal(getsockname(fd, &a->u.sa, &a->len), 0);
}

static inline void say(int fd, struct str s)
{
	assert_int_equal(send(fd, s.p, s.n, MSG_NOSIGNAL), s.n);
	pump();
}

static inline void say_bytes(int fd, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		say(fd, (struct str){s.p + i, 1});
	}
}

/* What the server has sent, without Date fields; *end: it has closed or shut down. */
static char heard[2 * BIG_N];

static inline const char *hear(int fd, bool *end)
{
	static char line[] = "\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT";
	size_t n = 0;
	ssize_t r;
	char *p;

	pump();
	while ((r = recv(fd, heard + n, sizeof(heard) - 1 - n, 0)) > 0) {
		n += (size_t)r;
		pump();
	}
	*end = r == 0 || (r < 0 && errno != EAGAIN);
	heard[n] = '\0';
	while ((p = strstr(heard, "\r\nDate: ")) != NULL) {
		assert_true(strlen(p) > sizeof(line));
		assert_memory_equal(p + sizeof(line) - 4, "GMT", 3);
		memmove(p, p + sizeof(line) - 1, strlen(p + sizeof(line) - 1) + 1);
	}
	return heard;
}

static inline void check_heard(int fd, const char *expected, bool closed)
{
	bool end;
	const char *got = hear(fd, &end);

	if (strcmp(got, expected) != 0) {
		fail_msg("heard: %s\ninstead of: %s", got, expected);
	}
	if (end != closed) {
		fail_msg("connection %s after: %s", end ? "closed" : "open", got);
	}
}

/* Wait (at most 10 s) until the server has no connection; true if so. */
static inline bool wait_closed(void)
{
	int64_t until = clock_ms() + 10000;
	struct err e;

	while (site.server.conns_now > 0 && clock_ms() < until) {
		assert_int_equal(loop_once(&site.loop, 20, &e), 0);
	}
	return site.server.conns_now == 0;
}

#endif
