/* SPDX-License-Identifier: MIT */
/* See client.h. */
#include "grpc/client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/num.h"
#include "grpc/callbacks_priv.h"

static struct grpc_client *client_of(void *arg)
{
	return CONTAINER_OF((struct grpc_conn *)arg, struct grpc_client, conn);
}

static nghttp2_ssize read_request(nghttp2_session *session, int32_t stream, uint8_t *buf,
	size_t length, uint32_t *flags, nghttp2_data_source *source, void *arg)
{
	struct grpc_client *c = client_of(arg);
	size_t n = 0;

	(void)session;
	(void)stream;
	(void)source;
	while (n < length && c->out_at < GRPC_PREFIX) {
		buf[n++] = c->prefix[c->out_at++];
	}
	if (c->out_at >= GRPC_PREFIX) {
		size_t at = c->out_at - GRPC_PREFIX;
		size_t take = c->out.n - at < length - n ? c->out.n - at : length - n;

		if (take > 0) {
			memcpy(buf + n, c->out.p + at, take);
		}
		n += take;
		c->out_at += take;
	}
	if (c->out_at == GRPC_PREFIX + c->out.n) {
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	}
	return (nghttp2_ssize)n;
}

static void bad(struct grpc_client *c, const char *why)
{
	if (c->bad == NULL) {
		c->bad = why;
	}
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name_p,
	size_t name_n, const uint8_t *value_p, size_t value_n, uint8_t flags, void *arg)
{
	struct grpc_client *c = client_of(arg);
	struct str name = {(const char *)name_p, name_n}, value = {(const char *)value_p, value_n};
	struct buf text;

	(void)session;
	(void)flags;
	if (frame->hd.stream_id != c->stream) {
		return 0;
	}
	c->header_bytes += name_n + value_n + GRPC_FIELD_COST;
	if (c->header_bytes > GRPC_HEADERS_MAX) {
		bad(c, "the answer has too many bytes of headers");
	} else if (str_eq_c(name, ":status")) {
		(void)!num_u32(value, 999, &c->http_status); /* 0 stays and is refused */
	} else if (str_eq_c(name, "content-type")) {
		c->type_ok = grpc_is_content_type(value);
	} else if (str_eq_c(name, "grpc-encoding")) {
		c->coded = !str_eq_c(value, "identity");
	} else if (str_eq_c(name, "grpc-status")) {
		c->has_status = grpc_status_parse(value, &c->status);
	} else if (str_eq_c(name, "grpc-message")) {
		value.n = value.n < sizeof(c->text) - 1 ? value.n : sizeof(c->text) - 1;
		buf_init(&text, c->text, sizeof(c->text) - 1);
		grpc_text_decode(&text, value);
		c->text[text.n] = '\0';
	}
	return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *p,
	size_t n, void *arg)
{
	struct grpc_client *c = client_of(arg);
	struct str in = {(const char *)p, n};

	(void)session;
	(void)flags;
	while (in.n > 0 && stream == c->stream && c->bad == NULL) {
		struct str data;
		ssize_t r;

		if (grpc_frame_done(&c->frame)) {
			bad(c, "more than one message in the answer");
			break;
		}
		r = grpc_frame_feed(&c->frame, in, &data);
		if (r < 0) {
			bad(c, "the message in the answer is compressed or malformed");
			break;
		}
		buf_add(&c->in, data);
		if (!buf_ok(&c->in)) {
			bad(c, "the answer is larger than it may be");
			break;
		}
		in = str_skip(in, (size_t)r);
	}
	return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t stream, uint32_t code, void *arg)
{
	struct grpc_client *c = client_of(arg);

	(void)session;
	if (stream == c->stream) {
		c->closed = true;
		/* NO_ERROR also comes from servers that did not want the rest of a request. */
		if (code != NGHTTP2_NO_ERROR && !c->has_status) {
			bad(c, "the server reset the call");
		}
		grpc_conn_break(&c->conn, "the call has ended");
	}
	return 0;
}

void grpc_client_callbacks(nghttp2_session_callbacks *cb)
{
	nghttp2_session_callbacks_set_on_header_callback(cb, on_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb, on_data);
	nghttp2_session_callbacks_set_on_stream_close_callback(cb, on_stream_close);
}

static void judge(struct grpc_client *c, struct grpc_result *r)
{
	*r = (struct grpc_result){.status = GRPC_INTERNAL, .text = c->bad};
	if (c->late) {
		r->status = GRPC_DEADLINE_EXCEEDED;
		r->text = "no answer in time";
	} else if (c->bad != NULL) {
		return;
	} else if (!c->closed) {
		r->status = GRPC_UNAVAILABLE;
		r->text = c->conn.broken;
	} else if (c->http_status != 200 && !c->has_status) {
		r->status = grpc_status_of_http(c->http_status);
		(void)snprintf(c->text, sizeof(c->text), "HTTP status %u", c->http_status);
		r->text = c->text;
	} else if (!c->has_status) {
		r->text = "the answer has no grpc-status";
	} else if (c->status == GRPC_OK && (!c->type_ok || c->coded)) {
		r->text = "the answer is not plain application/grpc";
	} else if (c->status == GRPC_OK && !grpc_frame_done(&c->frame)) {
		r->text = "the answer has no complete message";
	} else {
		r->status = c->status;
		r->from_server = true;
		r->text = c->text;
		r->message = buf_str(&c->in);
	}
}

static void client_ended(struct grpc_conn *conn)
{
	struct grpc_client *c = client_of(conn);
	struct grpc_result r;

	judge(c, &r);
	grpc_conn_free(conn);
	c->open = false;
	c->done(c->arg, &r);
}

static int64_t client_due(struct grpc_conn *conn)
{
	return client_of(conn)->due_ms;
}

static void client_expired(struct grpc_conn *conn)
{
	if (conn->loop->now_ms >= client_of(conn)->due_ms) {
		client_of(conn)->late = true;
		grpc_conn_break(conn, "deadline");
	}
}

static int dial(const char *path, struct err *e)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	cleanup_fd int fd = -1;

	if (!str_copy(str_from(path), addr.sun_path, sizeof(addr.sun_path))) {
		return err_set(e, ENAMETOOLONG, "%s is too long for the path of a socket", path);
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		return err_sys(e, errno, "socket");
	}
	if (connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0) {
		return err_sys(e, errno, "connect to %s", path);
	}
	return steal_fd(&fd);
}

static int submit(struct grpc_client *c, const struct grpc_request *q, struct err *e)
{
	nghttp2_data_provider2 data = {.read_callback = read_request};
	const nghttp2_nv nv[] = {
		grpc_nv(STR(":method"), STR("POST")),
		grpc_nv(STR(":scheme"), STR("http")),
		grpc_nv(STR(":path"), str_from(q->method)),
		grpc_nv(STR(":authority"), STR("localhost")),
		grpc_nv(STR("content-type"), STR("application/grpc")),
		grpc_nv(STR("user-agent"), STR("ferrule")),
		grpc_nv(STR("te"), STR("trailers")),
	};
	int r = nghttp2_submit_request2(c->conn.session, NULL, nv, ARRAY_LEN(nv), &data, NULL);

	if (r < 0) {
		return err_set(e, ENOMEM, "HTTP/2 request: %s", nghttp2_strerror(r));
	}
	c->stream = r;
	grpc_conn_flush(&c->conn);
	return 0;
}

int grpc_client_call(struct grpc_client *c, struct loop *l, const struct grpc_request *q,
	void (*done)(void *arg, const struct grpc_result *r), void *arg, struct err *e)
{
	int fd, r;

	if (c->open) {
		return err_set(e, EBUSY, "a call is open already");
	}
	fd = dial(q->path, e);
	if (fd < 0) {
		return fd;
	}
	memset(c, 0, sizeof(*c));
	c->done = done;
	c->arg = arg;
	c->due_ms = clock_ms() + q->timeout_ms;
	c->out = q->message;
	grpc_frame_prefix(c->prefix, (uint32_t)q->message.n);
	buf_init(&c->in, q->answer, q->cap);
	c->conn.ended = client_ended;
	c->conn.due = client_due;
	c->conn.expired = client_expired;
	r = grpc_conn_init(&c->conn, l, fd, false, e);
	if (r < 0) {
		return r;
	}
	c->open = true;
	r = submit(c, q, e);
	if (r < 0) {
		grpc_client_cancel(c);
	}
	return r;
}

pid_t grpc_client_pid(const struct grpc_client *c)
{
	return grpc_conn_pid(&c->conn);
}

void grpc_client_cancel(struct grpc_client *c)
{
	if (c->open) {
		grpc_conn_free(&c->conn);
		c->open = false;
	}
}
