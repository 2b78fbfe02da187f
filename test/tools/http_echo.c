/* SPDX-License-Identifier: MIT */
/*
 * A server for tests, with every kind of route that src/http offers:
 *   GET /small         a few bytes
 *   GET /big           --big bytes that all connections share
 *   POST|PUT /echo     the body back, up to --max-body bytes
 *   POST /sink         the length of the body
 *   GET /info          method, query, peer and the field X-Test as the handler sees them
 *   GET /later?MS      an answer after that many milliseconds
 *   GET /split         tries to put a line break into a header field
 *   GET /overflow      writes more text than fits
 *   GET /bodies        how many bodies are lent out at the moment: routes' and shared ones
 *   GET /metrics       the server's numbers
 * Prints "listening on ADDRESS" and serves until SIGTERM.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/num.h"
#include "base/opts.h"
#include "http/listen.h"
#include "http/server.h"

#define LATER_MAX 64
#define LEND_MAX  8 /* bodies at one time: one more gets 503 */

struct later {
	struct loop_timer timer;
	struct http_conn *conn;
};

struct echo {
	struct loop loop;
	struct http_server server;
	struct loop_signal signal;
	struct later later[LATER_MAX];
	char *big;
	uint32_t big_n, max_body;
	int lent, shared;
	char metrics[65536];
	bool stopped;
};

static void small(void *arg, const struct http_req *req, struct http_resp *resp)
{
	(void)arg;
	(void)req;
	buf_add(&resp->text, STR("small\n"));
}

static void unshare(void *arg)
{
	struct echo *x = arg;

	x->shared--;
}

static void big(void *arg, const struct http_req *req, struct http_resp *resp)
{
	struct echo *x = arg;

	(void)req;
	x->shared++;
	resp->type = "application/octet-stream";
	resp->body = (struct http_body){x->big, x->big_n, unshare, x};
}

static void *lend(void *arg, size_t n)
{
	struct echo *x = arg;
	void *p = x->lent < LEND_MAX ? malloc(n) : NULL;

	x->lent += p != NULL;
	return p;
}

static void unlend(void *arg, void *mem)
{
	struct echo *x = arg;

	x->lent--;
	free(mem);
}

static void echo(void *arg, const struct http_req *req, struct http_resp *resp)
{
	(void)arg;
	resp->type = "application/octet-stream";
	resp->body = (struct http_body){req->body.p, req->body.n, NULL, NULL};
}

static void sink(void *arg, const struct http_req *req, struct http_resp *resp)
{
	(void)arg;
	buf_add_u64(&resp->text, req->body.n);
	buf_add_chr(&resp->text, '\n');
}

static void info(void *arg, const struct http_req *req, struct http_resp *resp)
{
	struct str v = STR("none");

	(void)arg;
	buf_printf(&resp->text, "method %s\n", http_method_name(req->method));
	buf_printf(&resp->text, "query %.*s\n", STR_ARG(req->query));
	if (!http_find(req->h, "X-Test", &v)) {
		v = STR("none");
	}
	buf_printf(&resp->text, "x-test %.*s\npeer ", STR_ARG(v));
	buf_add_sock_addr(&resp->text, req->peer);
	buf_add_chr(&resp->text, '\n');
	http_resp_field(resp, "X-Info", STR("yes"));
}

static void on_later(struct loop *l, struct loop_timer *t)
{
	struct later *late = CONTAINER_OF(t, struct later, timer);
	struct http_conn *c = late->conn;
	struct http_resp resp;

	(void)l;
	late->conn = NULL;
	http_later_begin(c, &resp);
	buf_add(&resp.text, STR("later\n"));
	http_later_send(c, &resp);
}

static void later(void *arg, const struct http_req *req, struct http_resp *resp)
{
	struct echo *x = arg;
	uint32_t ms;

	if (!num_u32(req->query, 60000, &ms)) {
		http_resp_error(resp, 400, "the query is not a number of milliseconds");
		return;
	}
	for (size_t i = 0; i < LATER_MAX; i++) {
		struct later *late = &x->later[i];

		if (late->conn == NULL) {
			late->conn = http_resp_later(resp);
			late->timer.fn = on_later;
			loop_timer_set(&x->loop, &late->timer, x->loop.now_ms + ms);
			return;
		}
	}
	http_resp_error(resp, 503, "too many at once");
}

static void split(void *arg, const struct http_req *req, struct http_resp *resp)
{
	(void)arg;
	(void)req;
	http_resp_field(resp, "X-Name", STR("a\r\nSet-Cookie: b"));
	buf_add(&resp->text, STR("split\n"));
}

static void overflow(void *arg, const struct http_req *req, struct http_resp *resp)
{
	(void)arg;
	(void)req;
	for (int i = 0; i < HTTP_TEXT_MAX; i++) {
		buf_add(&resp->text, STR("ab"));
	}
}

static void bodies(void *arg, const struct http_req *req, struct http_resp *resp)
{
	const struct echo *x = arg;

	(void)req;
	buf_printf(&resp->text, "%d %d\n", x->lent, x->shared);
}

static void metrics(void *arg, const struct http_req *req, struct http_resp *resp)
{
	struct echo *x = arg;
	struct buf b;

	(void)req;
	buf_init(&b, x->metrics, sizeof(x->metrics));
	http_prom_server(&b, &x->server);
	if (!buf_ok(&b)) {
		http_resp_error(resp, 500, "metrics do not fit");
		return;
	}
	resp->type = HTTP_PROM_TYPE;
	resp->body = (struct http_body){b.p, b.n, NULL, NULL};
}

static void on_stopped(void *arg)
{
	struct echo *x = arg;

	x->stopped = true;
	loop_stop(&x->loop);
}

static void on_signal(struct loop *l, struct loop_signal *s)
{
	struct echo *x = CONTAINER_OF(s, struct echo, signal);

	loop_del(l, &s->w);
	log_info("stopping");
	http_server_stop(&x->server, on_stopped, x);
}

static void tell(const struct sock_addr *addr, struct str text)
{
	(void)addr;
	printf("listening on %.*s\n", STR_ARG(text));
	(void)fflush(stdout); /* a test that cannot read it fails by itself */
}

static int start(struct echo *x, struct http_listen *listen, const struct http_server_conf *conf,
	const struct http_route *routes, size_t route_n, struct err *e)
{
	x->big = malloc(x->big_n);
	if (x->big == NULL) {
		return err_set(e, ENOMEM, "no memory for /big");
	}
	for (uint32_t i = 0; i < x->big_n; i++) {
		x->big[i] = (char)('a' + i % 26);
	}
	x->signal.fn = on_signal;
	if (loop_signal_add(&x->loop, &x->signal, e) < 0 ||
		http_server_init(&x->server, &x->loop, routes, route_n, conf, e) < 0 ||
		http_listen_parse(listen, "127.0.0.1:0", "the default", e) < 0) {
		return -e->code;
	}
	return http_listen_all(listen, &x->server, tell, e);
}

int main(int argc, char **argv)
{
	static struct loop_timer *heap[HTTP_SERVER_TIMERS(HTTP_CONNS_MAX) + LATER_MAX];
	static struct echo x = {.big_n = 1 << 20, .max_body = 16 << 20};
	struct http_server_conf conf = {0};
	struct http_listen listen = HTTP_LISTEN_INIT(&listen);
	const struct opt opts[] = {
		{"listen", OPT_LIST, &listen.opt, 0, 0, "ADDR", "where to listen"},
		{"conns", OPT_U32, &conf.conns, 1, HTTP_CONNS_MAX, "N", "connections"},
		{"head-ms", OPT_U32, &conf.head_ms, 1, 60000, "MS", "deadline of a head"},
		{"body-ms", OPT_U32, &conf.body_ms, 1, 60000, "MS", "deadline of a body"},
		{"idle-ms", OPT_U32, &conf.idle_ms, 1, 60000, "MS", "deadline of silence"},
		{"write-ms", OPT_U32, &conf.write_ms, 1, 60000, "MS", "deadline of an answer"},
		{"drain-ms", OPT_U32, &conf.drain_ms, 1, 60000, "MS", "after the last answer"},
		{"big", OPT_U32, &x.big_n, 1, 1 << 30, "BYTES", "size of /big"},
		{"max-body", OPT_U32, &x.max_body, 1, 1 << 30, "BYTES", "limit of /echo, /sink"},
	};
	const unsigned get = HTTP_BIT(HTTP_GET), post = HTTP_BIT(HTTP_POST);
	struct err e;

	if (opts_parse(opts, ARRAY_LEN(opts), argc, argv, &e) < 0) {
		log_error("%s", e.msg);
		return 100;
	}
	const struct http_route routes[] = {
		{"/small", get, small, &x, 0, NULL, NULL},
		{"/big", get, big, &x, 0, NULL, NULL},
		{"/echo", post | HTTP_BIT(HTTP_PUT), echo, &x, x.max_body, lend, unlend},
		{"/sink", post, sink, &x, x.max_body, lend, unlend},
		{"/info", get, info, &x, 0, NULL, NULL},
		{"/later", get, later, &x, 0, NULL, NULL},
		{"/split", get, split, &x, 0, NULL, NULL},
		{"/overflow", get, overflow, &x, 0, NULL, NULL},
		{"/bodies", get, bodies, &x, 0, NULL, NULL},
		{"/metrics", get, metrics, &x, 0, NULL, NULL},
	};

	if (loop_init(&x.loop, heap, ARRAY_LEN(heap), &e) < 0 ||
		start(&x, &listen, &conf, routes, ARRAY_LEN(routes), &e) < 0 ||
		loop_run(&x.loop, &e) < 0) {
		log_error("%s", e.msg);
		return 111;
	}
	http_server_free(&x.server);
	(void)close(x.signal.w.fd); /* the process ends */
	loop_free(&x.loop);
	free(x.big);
	return x.stopped && x.lent == 0 && x.shared == 0 ? 0 : 111;
}
