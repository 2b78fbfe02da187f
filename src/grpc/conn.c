/* SPDX-License-Identifier: MIT */
/* See conn.h. */
#include "grpc/conn.h"

#include <errno.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/io.h"
#include "grpc/callbacks_priv.h"

/* In front of each allocation: its size, in a space that keeps the rest aligned. */
#define MEM_HEAD alignof(max_align_t)
_Static_assert(MEM_HEAD >= sizeof(size_t), "the size fits in front");

void *grpc_mem_get(struct grpc_mem *m, size_t n)
{
	char *p;

	if (n > m->cap || m->cap - n < MEM_HEAD || m->used > m->cap - n - MEM_HEAD) {
		return NULL;
	}
	p = calloc(1, n + MEM_HEAD);
	if (p == NULL) {
		return NULL;
	}
	memcpy(p, &n, sizeof(n));
	m->used += n + MEM_HEAD;
	return p + MEM_HEAD;
}

static size_t mem_size(const void *p)
{
	size_t n;

	memcpy(&n, (const char *)p - MEM_HEAD, sizeof(n));
	return n;
}

void grpc_mem_put(struct grpc_mem *m, void *p)
{
	if (p != NULL) {
		m->used -= mem_size(p) + MEM_HEAD;
		free((char *)p - MEM_HEAD);
	}
}

static void *mem_malloc(size_t n, void *arg)
{
	return grpc_mem_get(arg, n);
}

static void mem_free(void *p, void *arg)
{
	grpc_mem_put(arg, p);
}

static void *mem_calloc(size_t n, size_t size, void *arg)
{
	return size != 0 && n > SIZE_MAX / size ? NULL : grpc_mem_get(arg, n * size);
}

static void *mem_resize(void *p, size_t n, void *arg)
{
	void *q = grpc_mem_get(arg, n);

	if (q != NULL && p != NULL) {
		size_t old = mem_size(p);

		memcpy(q, p, old < n ? old : n);
		grpc_mem_put(arg, p);
	}
	return q;
}

nghttp2_nv grpc_nv(struct str name, struct str value)
{
	/* nghttp2 does not write to them, whatever its types say. */
	return (nghttp2_nv){(uint8_t *)(uintptr_t)name.p, (uint8_t *)(uintptr_t)value.p, name.n,
		value.n, NGHTTP2_NV_FLAG_NONE};
}

bool grpc_is_content_type(struct str value)
{
	static const struct str grpc = STR("application/grpc");
	struct str rest = str_skip(value, grpc.n);

	return value.n >= grpc.n && str_ieq((struct str){value.p, grpc.n}, grpc) &&
	       (rest.n == 0 || rest.p[0] == '+' || rest.p[0] == ';');
}

static nghttp2_option *make_options(bool server)
{
	nghttp2_option *o;

	if (nghttp2_option_new(&o) != 0) {
		return NULL;
	}
	/*
	 * Kubelets up to 1.25 send the path of the socket as :authority, which nghttp2's own checks
	 * answer with RST_STREAM: server.c checks what matters.
	 */
	nghttp2_option_set_no_http_messaging(o, server ? 1 : 0);
	nghttp2_option_set_no_closed_streams(o, 1);
	nghttp2_option_set_max_reserved_remote_streams(o, 0);
	nghttp2_option_set_max_outbound_ack(o, GRPC_ACKS_MAX);
	nghttp2_option_set_max_settings(o, GRPC_SETTINGS_MAX);
	nghttp2_option_set_max_continuations(o, GRPC_CONTINUES_MAX);
	nghttp2_option_set_stream_reset_rate_limit(o, GRPC_RESET_BURST, GRPC_RESET_RATE);
	return o;
}

static int make_session(struct grpc_conn *c, bool server)
{
	nghttp2_mem mem = {&c->mem, mem_malloc, mem_free, mem_calloc, mem_resize};
	const nghttp2_settings_entry settings[] = {
		{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, server ? GRPC_CALLS_MAX : 0},
		{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, GRPC_HEADERS_MAX},
		{NGHTTP2_SETTINGS_ENABLE_PUSH, 0}, /* a client's alone, hence the last one */
	};
	nghttp2_session_callbacks *cb = NULL;
	nghttp2_option *o = make_options(server);
	int r = o == NULL ? NGHTTP2_ERR_NOMEM : nghttp2_session_callbacks_new(&cb);

	if (r == 0 && server) {
		grpc_server_callbacks(cb);
		r = nghttp2_session_server_new3(&c->session, cb, c, o, &mem);
	} else if (r == 0) {
		grpc_client_callbacks(cb);
		r = nghttp2_session_client_new3(&c->session, cb, c, o, &mem);
	}
	nghttp2_session_callbacks_del(cb);
	nghttp2_option_del(o);
	if (r == 0) {
		r = nghttp2_submit_settings(c->session, NGHTTP2_FLAG_NONE, settings,
			ARRAY_LEN(settings) - (server ? 1 : 0));
	}
	return r;
}

void grpc_conn_break(struct grpc_conn *c, const char *why)
{
	if (c->broken == NULL) {
		c->broken = why;
	}
}

static void break_nghttp2(struct grpc_conn *c, int code)
{
	(void)snprintf(c->why, sizeof(c->why), "HTTP/2: %s", nghttp2_strerror(code));
	grpc_conn_break(c, c->why);
}

/* One frame from nghttp2 into out: > 0 there is one, 0 there is none. */
static int next_frame(struct grpc_conn *c)
{
	const uint8_t *p;
	nghttp2_ssize n;

	c->inside = true;
	n = nghttp2_session_mem_send2(c->session, &p);
	c->inside = false;
	if (n < 0 || (size_t)n > sizeof(c->out)) {
		break_nghttp2(c, n < 0 ? (int)n : NGHTTP2_ERR_BUFFER_ERROR);
		return 0;
	}
	if (n > 0) {
		memcpy(c->out, p, (size_t)n);
	}
	c->out_at = 0;
	c->out_n = (size_t)n;
	return n > 0;
}

static void write_out(struct grpc_conn *c)
{
	while (c->out_at < c->out_n || next_frame(c) > 0) {
		ssize_t n = send(c->w.fd, c->out + c->out_at, c->out_n - c->out_at,
			MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0 && errno == EAGAIN) {
			if (c->stall_ms == 0) {
				c->stall_ms = clock_ms();
			}
			return;
		}
		if (n < 0) {
			grpc_conn_break(c, "the peer does not take what is sent");
			return;
		}
		c->out_at += (size_t)n;
		c->stall_ms = 0;
	}
}

static void read_in(struct grpc_conn *c)
{
	uint8_t in[GRPC_READ_MAX];

	for (int i = 0; i < GRPC_READ_BURST && c->broken == NULL; i++) {
		ssize_t n = io_read(c->w.fd, in, sizeof(in));
		nghttp2_ssize r;

		if (n == -EAGAIN) {
			return;
		}
		if (n <= 0) {
			grpc_conn_break(c, n == 0 ? "closed by the peer" : "reset by the peer");
			return;
		}
		c->inside = true;
		r = nghttp2_session_mem_recv2(c->session, in, (size_t)n);
		c->inside = false;
		if (r < 0) {
			write_out(c); /* a GOAWAY that says why, if there is one */
			break_nghttp2(c, (int)r);
		}
	}
}

static void arm(struct grpc_conn *c)
{
	int64_t at = c->due(c);
	bool waiting = c->out_at < c->out_n;

	if (c->stall_ms != 0 && c->stall_ms + GRPC_STALL_MS < at) {
		at = c->stall_ms + GRPC_STALL_MS;
	}
	loop_mod(c->loop, &c->w, EPOLLIN | (waiting ? EPOLLOUT : 0));
	if (at == INT64_MAX) {
		loop_timer_del(c->loop, &c->timer);
	} else {
		loop_timer_set(c->loop, &c->timer, at);
	}
}

/* After everything that came from the loop: write, then live on or end. */
static void settle(struct grpc_conn *c)
{
	if (c->broken == NULL) {
		write_out(c);
	}
	if (c->broken == NULL && c->out_at == c->out_n && !nghttp2_session_want_read(c->session) &&
		!nghttp2_session_want_write(c->session)) {
		grpc_conn_break(c, "GOAWAY");
	}
	if (c->broken != NULL) {
		c->ended(c);
		return;
	}
	arm(c);
}

static void on_socket(struct loop *l, struct loop_fd *w, uint32_t events)
{
	struct grpc_conn *c = CONTAINER_OF(w, struct grpc_conn, w);

	(void)l;
	if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
		read_in(c);
	}
	settle(c);
}

static void on_timer(struct loop *l, struct loop_timer *t)
{
	struct grpc_conn *c = CONTAINER_OF(t, struct grpc_conn, timer);

	if (c->stall_ms != 0 && l->now_ms >= c->stall_ms + GRPC_STALL_MS) {
		grpc_conn_break(c, "the peer does not read");
	}
	if (c->broken == NULL) {
		/* What it submits is written below, so that no call is freed in it. */
		c->inside = true;
		c->expired(c);
		c->inside = false;
	}
	settle(c);
}

void grpc_conn_flush(struct grpc_conn *c)
{
	if (c->inside) {
		return; /* what called nghttp2 writes afterwards */
	}
	if (c->broken == NULL) {
		write_out(c);
	}
	if (c->broken != NULL) {
		loop_timer_set(c->loop, &c->timer, c->loop->now_ms); /* ends from the loop */
		return;
	}
	arm(c);
}

int grpc_conn_init(struct grpc_conn *c, struct loop *l, int fd, bool server, struct err *e)
{
	int r;

	c->loop = l;
	c->w = (struct loop_fd){.fd = fd, .fn = on_socket};
	c->timer = (struct loop_timer){.fn = on_timer};
	c->session = NULL;
	c->mem = (struct grpc_mem){0, GRPC_CONN_MEM};
	c->out_at = c->out_n = 0;
	c->stall_ms = 0;
	c->inside = false;
	c->broken = NULL;
	r = loop_add(l, &c->w, EPOLLIN, e);
	if (r < 0) {
		cleanup_fd_close(&fd);
		return r;
	}
	r = make_session(c, server);
	if (r != 0) {
		grpc_conn_free(c);
		return err_set(e, ENOMEM, "HTTP/2 session: %s", nghttp2_strerror(r));
	}
	grpc_conn_flush(c);
	return 0;
}

void grpc_conn_free(struct grpc_conn *c)
{
	loop_timer_del(c->loop, &c->timer);
	loop_del(c->loop, &c->w);
	cleanup_fd_close(&c->w.fd);
	c->w.fd = -1;
	nghttp2_session_del(c->session);
	c->session = NULL;
	ASSERT(c->mem.used == 0);
}

pid_t grpc_conn_pid(const struct grpc_conn *c)
{
	struct ucred cred;
	socklen_t n = sizeof(cred);

	return getsockopt(c->w.fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) < 0 ? -1 : cred.pid;
}
