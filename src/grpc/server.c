/* SPDX-License-Identifier: MIT */
/* See server.h. */
#include "grpc/server.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "grpc/call_priv.h"

static struct grpc_peer *peer_of(void *arg)
{
	return CONTAINER_OF((struct grpc_conn *)arg, struct grpc_peer, conn);
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
	struct grpc_call *call;

	if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST) {
		return 0;
	}
	call = grpc_call_new(peer_of(arg), frame->hd.stream_id);
	if (call == NULL) {
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; /* resets the stream */
	}
	(void)!nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, call);
	return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
	size_t name_n, const uint8_t *value, size_t value_n, uint8_t flags, void *arg)
{
	struct grpc_call *call = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);

	(void)flags;
	(void)arg;
	if (call != NULL && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
		grpc_call_header(call, (struct str){(const char *)name, name_n},
			(struct str){(const char *)value, value_n});
	}
	return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
	struct grpc_call *call;

	if (frame->hd.type == NGHTTP2_SETTINGS) {
		peer_of(arg)->hello = true;
		return 0;
	}
	if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) {
		return 0;
	}
	call = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
	if (call == NULL) {
		return 0;
	}
	if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
		grpc_call_headers_end(call);
	}
	if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
		grpc_call_request_end(call);
	}
	return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *p,
	size_t n, void *arg)
{
	struct grpc_call *call = nghttp2_session_get_stream_user_data(session, stream);

	(void)flags;
	(void)arg;
	if (call != NULL) {
		grpc_call_data(call, (struct str){(const char *)p, n});
	}
	return 0;
}

/* The whole answer is out and the request still is not: the rest of it is not wanted. */
static int on_frame_sent(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
	struct grpc_call *call;

	(void)arg;
	if (frame->hd.type != NGHTTP2_HEADERS || (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) {
		return 0;
	}
	call = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
	if (call != NULL && !call->complete) {
		return nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
			       NGHTTP2_NO_ERROR) == 0
			       ? 0
			       : NGHTTP2_ERR_CALLBACK_FAILURE;
	}
	return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t stream, uint32_t code, void *arg)
{
	struct grpc_call *call = nghttp2_session_get_stream_user_data(session, stream);

	(void)arg;
	if (call != NULL) {
		if (code != NGHTTP2_NO_ERROR && call->status == GRPC_OK) {
			call->status = GRPC_CANCELLED;
		}
		(void)!nghttp2_session_set_stream_user_data(session, stream, NULL);
		grpc_call_free(call);
	}
	return 0;
}

void grpc_server_callbacks(nghttp2_session_callbacks *cb)
{
	nghttp2_session_callbacks_set_on_begin_headers_callback(cb, on_begin_headers);
	nghttp2_session_callbacks_set_on_header_callback(cb, on_header);
	nghttp2_session_callbacks_set_on_frame_recv_callback(cb, on_frame);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb, on_data);
	nghttp2_session_callbacks_set_on_frame_send_callback(cb, on_frame_sent);
	nghttp2_session_callbacks_set_on_stream_close_callback(cb, on_stream_close);
}

static void close_peer(struct grpc_peer *p)
{
	while (p->calls != NULL) {
		grpc_call_free(p->calls);
	}
	grpc_conn_free(&p->conn);
	p->used = false;
	p->server->conns_now--;
}

static void peer_ended(struct grpc_conn *c)
{
	close_peer(peer_of(c));
}

static int64_t call_due(const struct grpc_call *call)
{
	return call->due_ms < call->limit_ms ? call->due_ms : call->limit_ms;
}

static int64_t peer_due(struct grpc_conn *c)
{
	const struct grpc_peer *p = peer_of(c);
	int64_t at = p->hello ? INT64_MAX : p->since_ms + GRPC_PREFACE_MS;

	for (const struct grpc_call *call = p->calls; call != NULL; call = call->next) {
		if (call_due(call) < at) {
			at = call_due(call);
		}
	}
	return at;
}

static void peer_expired(struct grpc_conn *c)
{
	struct grpc_peer *p = peer_of(c);

	if (!p->hello && c->loop->now_ms >= p->since_ms + GRPC_PREFACE_MS) {
		grpc_conn_break(c, "no HTTP/2 from the peer");
		return;
	}
	for (struct grpc_call *call = p->calls; call != NULL; call = call->next) {
		if (c->loop->now_ms >= call_due(call)) {
			grpc_call_expire(call); /* frees nothing */
		}
	}
}

/* How many connections a peer's process has; what is unknown counts as one process. */
static uint32_t count_of(const struct grpc_server *s, pid_t pid)
{
	uint32_t n = 0;

	for (size_t i = 0; i < GRPC_CONNS_MAX; i++) {
		n += grpc_conn_pid(&s->peer[i].conn) == pid;
	}
	return n;
}

/*
 * Who makes room when all are used: of the connections without a call the one that has been idle
 * for longest; else the oldest one of the process that has the most. Nobody is refused, so nobody
 * can keep the kubelet out; and whoever has one connection loses it to none who has many.
 */
static struct grpc_peer *victim(struct grpc_server *s)
{
	struct grpc_peer *idle = NULL, *busy = NULL;
	uint32_t most = 0;

	for (size_t i = 0; i < GRPC_CONNS_MAX; i++) {
		struct grpc_peer *p = &s->peer[i];
		uint32_t n = count_of(s, grpc_conn_pid(&p->conn));

		if (p->call_n == 0 && (idle == NULL || p->since_ms < idle->since_ms)) {
			idle = p;
		}
		if (busy == NULL || n > most || (n == most && p->since_ms < busy->since_ms)) {
			busy = p;
			most = n;
		}
	}
	return idle != NULL ? idle : busy;
}

static struct grpc_peer *find_room(struct grpc_server *s)
{
	struct grpc_peer *p;

	for (size_t i = 0; i < GRPC_CONNS_MAX; i++) {
		if (!s->peer[i].used) {
			return &s->peer[i];
		}
	}
	p = victim(s);
	s->dropped++;
	close_peer(p);
	return p;
}

int grpc_server_adopt(struct grpc_server *s, int fd, struct err *e)
{
	struct grpc_peer *p = find_room(s);
	int r;

	p->server = s;
	p->calls = NULL;
	p->call_n = 0;
	p->hello = false;
	p->since_ms = s->loop->now_ms;
	p->conn.ended = peer_ended;
	p->conn.due = peer_due;
	p->conn.expired = peer_expired;
	r = grpc_conn_init(&p->conn, s->loop, fd, true, e);
	if (r < 0) {
		return r;
	}
	p->used = true;
	s->accepted++;
	s->conns_now++;
	return 0;
}

static void on_pause_end(struct loop *l, struct loop_timer *t)
{
	struct grpc_server *s = CONTAINER_OF(t, struct grpc_server, pause);

	if (s->listener.fd >= 0) {
		loop_mod(l, &s->listener, EPOLLIN);
	}
}

static void on_accept(struct loop *l, struct loop_fd *w, uint32_t events)
{
	struct grpc_server *s = CONTAINER_OF(w, struct grpc_server, listener);
	struct err e;
	int fd = accept4(w->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)events;
	if (fd >= 0) {
		/* Not logged: whoever can connect could fill the log. refused counts it. */
		(void)!grpc_server_adopt(s, fd, &e);
		return;
	}
	if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
		s->refused++;
		loop_mod(l, w, 0);
		loop_timer_set(l, &s->pause, l->now_ms + GRPC_ACCEPT_PAUSE_MS);
	}
}

void grpc_server_init(
	struct grpc_server *s, struct loop *loop, const struct grpc_method *methods, size_t n)
{
	memset(s, 0, sizeof(*s));
	s->loop = loop;
	s->method = methods;
	s->method_n = n;
	s->listener.fd = -1;
	s->listener.fn = on_accept;
	s->pause.fn = on_pause_end;
}

int grpc_server_listen(struct grpc_server *s, int fd, struct err *e)
{
	int r;

	grpc_server_unlisten(s);
	s->listener.fd = fd;
	r = loop_add(s->loop, &s->listener, EPOLLIN, e);
	if (r < 0) {
		cleanup_fd_close(&fd);
		s->listener.fd = -1;
	}
	return r;
}

void grpc_server_unlisten(struct grpc_server *s)
{
	loop_timer_del(s->loop, &s->pause);
	if (s->listener.fd >= 0) {
		loop_del(s->loop, &s->listener);
		cleanup_fd_close(&s->listener.fd);
		s->listener.fd = -1;
	}
}

void grpc_server_free(struct grpc_server *s)
{
	grpc_server_unlisten(s);
	for (size_t i = 0; i < GRPC_CONNS_MAX; i++) {
		struct grpc_peer *p = &s->peer[i];

		if (p->used) {
			/* As much of it as the socket takes at once. */
			(void)!nghttp2_session_terminate_session(p->conn.session, NGHTTP2_NO_ERROR);
			grpc_conn_flush(&p->conn);
			close_peer(p);
		}
	}
}
