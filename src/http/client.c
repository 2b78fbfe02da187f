/* SPDX-License-Identifier: MIT */
/*
 * See client.h. The call's memory is used twice: for the head of the request until that is sent,
 * then for the answer. So nothing is read before the head of the request is with the kernel; a
 * body of the request is sent from where it is, and an answer that comes before its end is taken.
 */
#include "http/client.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/version.h"

enum client_state { CL_CLOSED, CL_IDLE, CL_CONNECT, CL_RUN };
enum client_body { BODY_HEAD, BODY_LENGTH, BODY_CHUNKED, BODY_CLOSE }; /* what is read next */

void http_client_init(struct http_client *c, struct loop *loop, const struct sock_addr *addr)
{
	*c = (struct http_client){.loop = loop, .addr = *addr, .stream.fd = -1};
}

static void drop_socket(struct http_client *c)
{
	if (c->state != CL_CLOSED) {
		loop_del(c->loop, &c->w);
		c->stream.ops->close(&c->stream);
		c->state = CL_CLOSED;
	}
}

void http_client_close(struct http_client *c)
{
	loop_timer_del(c->loop, &c->timer);
	drop_socket(c);
	c->call = NULL;
}

void http_client_hurry(struct http_client *c, int64_t deadline_ms)
{
	if (c->timer.slot != 0 && deadline_ms < c->timer.at_ms) {
		loop_timer_set(c->loop, &c->timer, deadline_ms);
	}
}

/* --- The request */

/* These say where the request ends or who it is for: they are made here, once. */
static bool is_ours(struct str name)
{
	return str_ieq(name, STR("Host")) || str_ieq(name, STR("Content-Length")) ||
	       str_ieq(name, STR("Transfer-Encoding")) || str_ieq(name, STR("Connection")) ||
	       str_ieq(name, STR("Expect"));
}

static int check_call(const struct http_call *call, struct err *e)
{
	if (call->method == HTTP_OTHER || call->method == HTTP_CONNECT ||
		call->method >= HTTP_METHODS) {
		return err_set(e, EINVAL, "HTTP method that cannot be sent");
	}
	if (!http_is_path(call->path)) {
		return err_set(e, EINVAL, "'%.*s' is no path", STR_ARG(call->path));
	}
	if (!http_is_host(call->host)) {
		return err_set(e, EINVAL, "'%.*s' is no host", STR_ARG(call->host));
	}
	for (size_t i = 0; i < call->field_n; i++) {
		const struct http_field *f = &call->field[i];

		if (!http_is_token(f->name) || !http_is_value(f->value) || is_ours(f->name)) {
			return err_set(
				e, EINVAL, "header field '%.*s' cannot be sent", STR_ARG(f->name));
		}
	}
	if (call->cap < HTTP_REQUEST_HEAD_MAX && call->answer_mem == NULL) {
		return err_set(e, EINVAL, "less than %d bytes for an HTTP exchange",
			HTTP_REQUEST_HEAD_MAX);
	}
	return 0;
}

static int build_head(struct http_client *c, const struct http_call *call, struct err *e)
{
	struct buf b;

	buf_init(&b, call->mem,
		call->cap < HTTP_REQUEST_HEAD_MAX ? call->cap : HTTP_REQUEST_HEAD_MAX);
	buf_add_c(&b, http_method_name(call->method));
	buf_add_chr(&b, ' ');
	buf_add(&b, call->path);
	buf_add(&b, STR(" HTTP/1.1\r\nHost: "));
	buf_add(&b, call->host);
	buf_add(&b, STR("\r\nUser-Agent: ferrule/" FERRULE_VERSION "\r\n"));
	if (call->body.n > 0 || call->method == HTTP_POST || call->method == HTTP_PUT ||
		call->method == HTTP_PATCH) {
		buf_add(&b, STR("Content-Length: "));
		buf_add_u64(&b, call->body.n);
		buf_add(&b, STR("\r\n"));
	}
	for (size_t i = 0; i < call->field_n; i++) {
		buf_add(&b, call->field[i].name);
		buf_add(&b, STR(": "));
		buf_add(&b, call->field[i].value);
		buf_add(&b, STR("\r\n"));
	}
	buf_add(&b, STR("\r\n"));
	if (!buf_ok(&b)) {
		return err_set(e, EMSGSIZE, "request head over %zu bytes", b.cap);
	}
	c->out_n = b.n;
	c->sent = c->n = c->head_n = 0;
	c->body = BODY_HEAD;
	c->interim = 0;
	c->keep = false;
	return 0;
}

static bool all_sent(const struct http_client *c)
{
	return c->sent == c->out_n + c->call->body.n;
}

static void wait_for_more(struct http_client *c)
{
	loop_mod(c->loop, &c->w,
		(all_sent(c) ? 0 : (uint32_t)EPOLLOUT) |
			(c->sent >= c->out_n ? (uint32_t)EPOLLIN : 0));
}

/* One write; 0 or -errno, -EAGAIN included. */
static int send_some(struct http_client *c)
{
	struct iovec v[2];
	uint8_t n = 0;
	size_t at = c->sent < c->out_n ? 0 : c->sent - c->out_n;
	ssize_t r;

	if (c->sent < c->out_n) {
		v[n++] = (struct iovec){c->call->mem + c->sent, c->out_n - c->sent};
	}
	if (at < c->call->body.n) {
		v[n++] = (struct iovec){(char *)c->call->body.p + at, c->call->body.n - at};
	}
	r = c->stream.ops->writev(&c->stream, v, n);
	if (r < 0) {
		return (int)r;
	}
	c->sent += (size_t)r;
	return 0;
}

/* --- Ends */

static int fail(struct http_client *c, struct err *e, int code, const char *what)
{
	char text[64];
	struct buf b;

	buf_init(&b, text, sizeof(text));
	buf_add_sock_addr(&b, &c->addr);
	return err_set(e, code, "%.*s: %s", STR_ARG(buf_str(&b)), what);
}

static void end_failed(struct http_client *c, struct err *e)
{
	const struct http_call *call = c->call;

	http_client_close(c);
	call->done(call->arg, c, NULL, e);
}

static void end_ok(struct http_client *c)
{
	const struct http_call *call = c->call;
	struct http_resp_head head;
	struct http_result res;
	struct http_bad bad;
	ssize_t r = http_resp_parse(c->in, c->head_n, &head, &bad);

	ASSERT(r == (ssize_t)c->head_n); /* it was parsed before, by receive_head */
	res = (struct http_result){head.status, &head.h, {c->in + r, c->n - c->head_n}};
	loop_timer_del(c->loop, &c->timer);
	if (c->keep && all_sent(c)) {
		c->state = CL_IDLE;
		loop_mod(c->loop, &c->w, EPOLLIN); /* to notice when the server closes it */
	} else {
		drop_socket(c);
	}
	c->call = NULL;
	call->done(call->arg, c, &res, NULL);
}

/* --- The answer */

/* RFC 9112 6.3: what follows the head. 1: nothing more, 0: a body, -errno. */
static int begin_body(struct http_client *c, const struct http_resp_head *head, struct err *e)
{
	size_t extra = c->n - c->head_n;

	c->keep = head->h.keep_alive;
	c->left = 0;
	if (c->call->method == HTTP_HEAD || head->status == 204 || head->status == 304) {
		c->body = BODY_LENGTH;
	} else if (head->h.chunked) {
		c->body = BODY_CHUNKED;
		c->chunk = HTTP_CHUNK_INIT;
		return 0;
	} else if (!head->h.has_length) {
		c->body = BODY_CLOSE;
		c->keep = false;
		return 0;
	} else if (head->h.length > c->in_cap - c->head_n) {
		return fail(c, e, EMSGSIZE, "the answer is too large");
	} else {
		c->body = BODY_LENGTH;
		c->left = head->h.length;
	}
	if (extra > c->left) {
		c->keep = false; /* bytes that belong to no answer */
		extra = (size_t)c->left;
		c->n = c->head_n + extra;
	}
	c->left -= extra;
	return c->left == 0;
}

/* A 1xx answer goes; what came behind it is moved to the front. */
static int skip_interim(struct http_client *c, int status, size_t n, struct err *e)
{
	if (status == 101 || ++c->interim > HTTP_INTERIM_MAX) {
		return fail(c, e, EBADMSG, "interim answers instead of a real one");
	}
	c->n -= n;
	memmove(c->in, c->in + n, c->n);
	return 0;
}

/* Chunks among the raw bytes behind the body so far, decoded in place. 1: the last one came. */
static int decode(struct http_client *c, char *raw, size_t raw_n, struct err *e)
{
	struct str data;
	size_t at = 0;

	while (at < raw_n && !http_chunk_done(&c->chunk)) {
		ssize_t r = http_chunk_feed(&c->chunk, raw + at, raw_n - at, &data);

		if (r < 0) {
			return fail(c, e, EBADMSG, "malformed chunked answer");
		}
		if (data.n > c->in_cap - c->n) {
			return fail(c, e, EMSGSIZE, "the answer is too large");
		}
		if (data.n > 0) {
			memmove(c->in + c->n, data.p, data.n);
			c->n += data.n;
		}
		at += (size_t)r;
	}
	if (at < raw_n) {
		c->keep = false; /* bytes that belong to no answer */
	}
	return http_chunk_done(&c->chunk);
}

static int receive_head(struct http_client *c, struct err *e)
{
	struct http_resp_head head;
	struct http_bad bad;
	size_t raw_n;
	ssize_t r;
	int got;

	for (;;) {
		r = http_resp_parse(c->in, c->n, &head, &bad);
		if (r < 0) {
			return fail(c, e, EBADMSG, bad.why);
		}
		if (r == 0) {
			return c->n < c->in_cap ? 0
						: fail(c, e, EMSGSIZE, "the answer is too large");
		}
		if (head.status >= 200) {
			break;
		}
		if (skip_interim(c, head.status, (size_t)r, e) < 0) {
			return -e->code;
		}
	}
	c->head_n = (size_t)r;
	got = begin_body(c, &head, e);
	if (got != 0 || c->body != BODY_CHUNKED) {
		return got;
	}
	raw_n = c->n - c->head_n;
	c->n = c->head_n;
	return decode(c, c->in + c->head_n, raw_n, e);
}

static int took(struct http_client *c, char *at, size_t n, struct err *e)
{
	switch (c->body) {
	case BODY_CHUNKED:
		return decode(c, at, n, e);
	case BODY_HEAD:
		c->n += n;
		return receive_head(c, e);
	default:
		if (n > c->in_cap - c->n) {
			return fail(c, e, EMSGSIZE, "the answer is too large");
		}
		c->n += n;
		c->left -= c->body == BODY_LENGTH ? n : 0;
		return c->body == BODY_LENGTH && c->left == 0;
	}
}

static bool may_retry(const struct http_client *c)
{
	enum http_method m = c->call->method;

	return c->reused && !c->retried && c->n == 0 && c->interim == 0 && m != HTTP_POST &&
	       m != HTTP_PATCH;
}

static int begin_connect(struct http_client *c, struct err *e)
{
	cleanup_fd int fd = -1;
	const int one = 1;

	fd = socket(c->addr.u.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		return err_sys(e, errno, "socket");
	}
	/* Fails on sockets that are not TCP, which do not delay either. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(fd, &c->addr.u.sa, c->addr.len) < 0 && errno != EINPROGRESS) {
		return fail(c, e, errno, strerror(errno));
	}
	c->w.fd = fd;
	if (loop_add(c->loop, &c->w, EPOLLOUT, e) < 0) {
		return -e->code;
	}
	stream_socket(&c->stream, steal_fd(&fd));
	c->state = CL_CONNECT;
	c->connects++;
	return 0;
}

/* The connection ended or broke: perhaps a kept one that the server had closed meanwhile. */
static void on_broken(struct http_client *c, int code)
{
	struct err e;

	if (!may_retry(c)) {
		fail(c, &e, code,
			code == ECONNRESET ? "the connection ended before the answer did"
					   : strerror(code));
		end_failed(c, &e);
		return;
	}
	c->retried = true;
	drop_socket(c);
	if (build_head(c, c->call, &e) < 0 || begin_connect(c, &e) < 0) {
		end_failed(c, &e);
	}
}

static void no_memory(struct http_client *c)
{
	struct err e;

	fail(c, &e, ENOMEM, "no memory for the answer");
	end_failed(c, &e);
}

/* Whether the n bytes of the answer that are in its memory may be there. */
static bool may_hold(const struct http_client *c, size_t n)
{
	return c->call->answer_grow == NULL || c->call->answer_grow(c->call->arg, n);
}

static void receive(struct http_client *c)
{
	char spill[64]; /* framing behind a body that fills the memory exactly */
	struct err e;
	size_t room;
	ssize_t r;
	char *at;
	int got;

	if (c->in == NULL) {
		c->in = c->call->answer_mem(c->call->arg, &c->in_cap);
		if (c->in == NULL) {
			no_memory(c);
			return;
		}
	}
	room = c->in_cap - c->n;
	at = room > 0 ? c->in + c->n : spill;

	room = room == 0 ? sizeof(spill) : room < HTTP_READ_BURST ? room : HTTP_READ_BURST;
	if (c->body == BODY_LENGTH && c->left < room) {
		room = (size_t)c->left;
	}
	r = c->stream.ops->read(&c->stream, at, room);
	if (r == -EAGAIN) {
		return;
	}
	if (r >= 0 && !may_hold(c, c->n + (at == spill ? 0 : (size_t)r))) {
		no_memory(c);
		return;
	}
	if (r == 0 && c->body == BODY_CLOSE) {
		end_ok(c);
		return;
	}
	if (r <= 0) {
		on_broken(c, r == 0 ? ECONNRESET : (int)-r);
		return;
	}
	got = took(c, at, (size_t)r, &e);
	if (got < 0) {
		end_failed(c, &e);
	} else if (got > 0) {
		end_ok(c);
	}
}

/* --- Events */

static void on_connected(struct http_client *c)
{
	struct err e;
	int code = 0;
	socklen_t len = sizeof(code);

	if (getsockopt(c->stream.fd, SOL_SOCKET, SO_ERROR, &code, &len) < 0) {
		code = errno;
	}
	if (code != 0) {
		fail(c, &e, code, strerror(code));
		end_failed(c, &e);
		return;
	}
	c->state = CL_RUN;
}

/* false: the exchange has ended, or begun again. */
static bool on_writable(struct http_client *c)
{
	int r = send_some(c);

	if (r == 0 || r == -EAGAIN) {
		wait_for_more(c);
		return true;
	}
	if (c->sent < c->out_n) {
		on_broken(c, -r);
		return false;
	}
	/* The server reads no more of the body; its answer may be there all the same. */
	c->sent = c->out_n;
	loop_mod(c->loop, &c->w, EPOLLIN);
	return true;
}

static void on_event(struct loop *l, struct loop_fd *w, uint32_t events)
{
	struct http_client *c = CONTAINER_OF(w, struct http_client, w);

	(void)l;
	if (c->state == CL_IDLE) {
		drop_socket(c); /* closed by the server, or bytes that nobody asked for */
		return;
	}
	if (c->state == CL_CONNECT) {
		on_connected(c);
		if (c->state != CL_RUN) {
			return;
		}
	}
	if ((w->events & EPOLLOUT) && !on_writable(c)) {
		return;
	}
	if ((w->events & EPOLLIN) && (events & (EPOLLIN | EPOLLHUP | EPOLLERR))) {
		receive(c);
	}
}

static void on_deadline(struct loop *l, struct loop_timer *t)
{
	struct http_client *c = CONTAINER_OF(t, struct http_client, timer);
	struct err e;

	(void)l;
	fail(c, &e, ETIMEDOUT,
		c->state == CL_CONNECT ? "no connection in time" : "no complete answer in time");
	end_failed(c, &e);
}

int http_client_call(struct http_client *c, const struct http_call *call, struct err *e)
{
	if (c->call != NULL) {
		return err_set(e, EBUSY, "an HTTP exchange is running on this connection");
	}
	if (check_call(call, e) < 0 || build_head(c, call, e) < 0) {
		return -e->code;
	}
	c->w.fn = on_event;
	c->timer.fn = on_deadline;
	c->reused = c->state == CL_IDLE;
	c->retried = false;
	c->in = call->answer_mem == NULL ? call->mem : NULL;
	c->in_cap = call->answer_mem == NULL ? call->cap : 0;
	if (!c->reused && begin_connect(c, e) < 0) {
		return -e->code;
	}
	c->call = call;
	loop_timer_set(c->loop, &c->timer, call->deadline_ms);
	if (c->reused) {
		c->state = CL_RUN;
		/* An error shows again when the loop says that the socket is writable. */
		(void)send_some(c);
		wait_for_more(c);
	}
	return 0;
}
