/* SPDX-License-Identifier: MIT */
/* One call of a server: what the request must be, and how the answer is framed. See server.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "grpc/call_priv.h"

static struct grpc_mem *mem_of(struct grpc_call *call)
{
	return &call->peer->conn.mem;
}

struct grpc_call *grpc_call_new(struct grpc_peer *p, int32_t stream)
{
	struct grpc_call *call = grpc_mem_get(&p->conn.mem, sizeof(*call));

	if (call == NULL) {
		return NULL;
	}
	call->peer = p;
	call->stream = stream;
	call->due_ms = p->conn.loop->now_ms + GRPC_REQUEST_MS;
	call->limit_ms = INT64_MAX;
	call->status = GRPC_CANCELLED; /* what it is if nothing else becomes of it */
	call->next = p->calls;
	p->calls = call;
	p->call_n++;
	p->server->started++;
	return call;
}

void grpc_call_free(struct grpc_call *call)
{
	struct grpc_peer *p = call->peer;
	struct grpc_call **at = &p->calls;

	while (*at != call) {
		at = &(*at)->next;
	}
	*at = call->next;
	p->call_n--;
	p->since_ms = p->conn.loop->now_ms;
	p->server->ended[call->status]++;
	if (call->watch != NULL) {
		call->watch->closed(call->watch_arg, call);
	}
	while (call->mem != NULL) {
		void *next;

		memcpy(&next, call->mem, sizeof(next));
		grpc_mem_put(mem_of(call), call->mem);
		call->mem = next;
	}
	grpc_mem_put(mem_of(call), call->in);
	grpc_mem_put(mem_of(call), call);
}

void *grpc_call_mem(struct grpc_call *call, size_t n)
{
	const size_t head = 16; /* a pointer, and alignment for what follows */
	char *p = n > SIZE_MAX - head ? NULL : grpc_mem_get(mem_of(call), n + head);

	if (p == NULL) {
		return NULL;
	}
	memcpy(p, &call->mem, sizeof(call->mem));
	call->mem = p;
	return p + head;
}

pid_t grpc_call_pid(const struct grpc_call *call)
{
	return grpc_conn_pid(&call->peer->conn);
}

/* Status and text as fields; the escaped text is in mem. Returns how many. */
static size_t status_fields(struct grpc_call *call, nghttp2_nv *nv, char *mem, size_t cap)
{
	static const char digits[] = "0123456789101112131415161718";
	struct buf b;
	size_t status = (size_t)call->status;

	nv[0] = grpc_nv(
		STR("grpc-status"), status < 10 ? (struct str){digits + status, 1}
						: (struct str){digits + 10 + 2 * (status - 10), 2});
	if (call->text[0] == '\0') {
		return 1;
	}
	buf_init(&b, mem, cap);
	grpc_text_encode(&b, str_from(call->text));
	ASSERT(buf_ok(&b));
	nv[1] = grpc_nv(STR("grpc-message"), buf_str(&b));
	return 2;
}

/* nghttp2 frees what it has of a stream it cannot go on with; without memory all of it ends. */
static void check(struct grpc_call *call, int r)
{
	if (r == NGHTTP2_ERR_NOMEM) {
		grpc_conn_break(&call->peer->conn, "a connection's share of memory is used up");
	}
}

static void submit_trailers(struct grpc_call *call)
{
	nghttp2_nv nv[2];
	char mem[3 * GRPC_TEXT_MAX];
	size_t n = status_fields(call, nv, mem, sizeof(mem));

	check(call, nghttp2_submit_trailer(call->peer->conn.session, call->stream, nv, n));
}

/* Bytes for a DATA frame: the rest of the message being sent; at its end the trailers. */
static nghttp2_ssize read_answer(nghttp2_session *session, int32_t stream, uint8_t *buf,
	size_t length, uint32_t *flags, nghttp2_data_source *source, void *arg)
{
	struct grpc_call *call = source->ptr;
	size_t n = 0;

	(void)session;
	(void)stream;
	(void)arg;
	while (call->sending && n < length) {
		bool prefix = call->out_at < GRPC_PREFIX;
		size_t at = prefix ? call->out_at : call->out_at - GRPC_PREFIX;
		size_t rest = (prefix ? GRPC_PREFIX : call->out.n) - at;
		size_t take = rest < length - n ? rest : length - n;

		if (take > 0) {
			memcpy(buf + n, prefix ? (const char *)call->prefix + at : call->out.p + at,
				take);
		}
		n += take;
		call->out_at += take;
		if (call->out_at == GRPC_PREFIX + call->out.n) {
			call->sending = false;
			call->due_ms = INT64_MAX;
			if (call->watch != NULL) {
				call->watch->sent(call->watch_arg, call);
			}
		}
	}
	if (!call->sending && call->finish) {
		*flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
		submit_trailers(call); /* not earlier: they would overtake the data */
		return (nghttp2_ssize)n;
	}
	return n > 0 ? (nghttp2_ssize)n : NGHTTP2_ERR_DEFERRED;
}

/* Headers and then messages, or, where an error is all there is, everything in one HEADERS. */
static void submit_start(struct grpc_call *call, const char *http_status)
{
	nghttp2_data_provider2 data = {.source = {.ptr = call}, .read_callback = read_answer};
	nghttp2_nv nv[4];
	char mem[3 * GRPC_TEXT_MAX];
	size_t n = 0;
	bool only = call->finish && !call->sending;

	nv[n++] = grpc_nv(STR(":status"), str_from(http_status));
	nv[n++] = grpc_nv(STR("content-type"), STR("application/grpc"));
	if (only) {
		n += status_fields(call, nv + n, mem, sizeof(mem));
	}
	call->started = true;
	check(call, nghttp2_submit_response2(
			    call->peer->conn.session, call->stream, nv, n, only ? NULL : &data));
}

static void resume(struct grpc_call *call)
{
	if (!call->started) {
		submit_start(call, "200");
	} else {
		/* Fails only if the stream was not waiting: then it reads what is new anyway. */
		(void)!nghttp2_session_resume_data(call->peer->conn.session, call->stream);
	}
	grpc_conn_flush(&call->peer->conn);
}

bool grpc_call_sending(const struct grpc_call *call)
{
	return call->sending;
}

static void set_message(struct grpc_call *call, struct str message)
{
	ASSERT(!call->sending && !call->finish && message.n <= GRPC_MESSAGE_MAX);
	grpc_frame_prefix(call->prefix, (uint32_t)message.n);
	call->out = message;
	call->out_at = 0;
	call->sending = true;
	call->due_ms = call->peer->conn.loop->now_ms + GRPC_SEND_MS;
}

void grpc_call_send(struct grpc_call *call, struct str message)
{
	set_message(call, message);
	resume(call);
}

void grpc_call_reply(struct grpc_call *call, struct str message)
{
	set_message(call, message);
	call->status = GRPC_OK;
	call->finish = true;
	resume(call);
}

void grpc_call_fail(struct grpc_call *call, enum grpc_status status, const char *text)
{
	ASSERT(!call->finish);
	call->status = status;
	(void)snprintf(call->text, sizeof(call->text), "%s", text);
	call->finish = true;
	if (!call->sending) {
		call->due_ms = call->peer->conn.loop->now_ms + GRPC_SEND_MS;
	}
	resume(call);
}

void grpc_call_watch(struct grpc_call *call, const struct grpc_watch *watch, void *arg)
{
	call->watch = watch;
	call->watch_arg = arg;
	call->due_ms = INT64_MAX;
}

static void refuse(struct grpc_call *call, enum grpc_status status, const char *text)
{
	if (!grpc_call_answered(call)) {
		grpc_call_fail(call, status, text);
	}
}

/* A request that is no gRPC gets an HTTP status, as the gRPC protocol says. */
static void refuse_http(struct grpc_call *call, const char *http_status, const char *text)
{
	if (!grpc_call_answered(call)) {
		call->status = GRPC_UNKNOWN;
		(void)snprintf(call->text, sizeof(call->text), "%s", text);
		call->finish = true;
		call->due_ms = call->peer->conn.loop->now_ms + GRPC_SEND_MS;
		submit_start(call, http_status);
	}
}

static void read_timeout(struct grpc_call *call, struct str value)
{
	int64_t ms;

	if (!grpc_timeout_parse(value, &ms)) {
		call->timeout_bad = true;
		return;
	}
	call->limit_ms = call->peer->conn.loop->now_ms + ms;
}

void grpc_call_header(struct grpc_call *call, struct str name, struct str value)
{
	call->header_bytes += name.n + value.n + GRPC_FIELD_COST;
	if (str_eq_c(name, ":method")) {
		call->post = str_eq_c(value, "POST");
	} else if (str_eq_c(name, ":path")) {
		call->path_ok = str_copy(value, call->path, sizeof(call->path));
	} else if (str_eq_c(name, "content-type")) {
		call->type_ok = grpc_is_content_type(value);
	} else if (str_eq_c(name, "grpc-timeout")) {
		read_timeout(call, value);
	} else if (str_eq_c(name, "grpc-encoding")) {
		call->coded = !str_eq_c(value, "identity");
	}
}

static const struct grpc_method *find_method(const struct grpc_call *call)
{
	const struct grpc_server *s = call->peer->server;

	for (size_t i = 0; i < s->method_n; i++) {
		if (call->path_ok && strcmp(s->method[i].path, call->path) == 0) {
			return &s->method[i];
		}
	}
	return NULL;
}

/* Everything that can be said of a request before its message. */
void grpc_call_headers_end(struct grpc_call *call)
{
	char text[GRPC_TEXT_MAX];

	if (call->header_bytes > GRPC_HEADERS_MAX) {
		refuse(call, GRPC_RESOURCE_EXHAUSTED, "the request has too many bytes of headers");
	} else if (!call->post) {
		refuse_http(call, "405", "gRPC requests are POST");
	} else if (!call->type_ok) {
		refuse_http(call, "415", "the content-type is not application/grpc");
	} else if (find_method(call) == NULL) {
		(void)snprintf(text, sizeof(text), "unknown method %s",
			call->path_ok ? call->path : "with too long a name");
		refuse(call, GRPC_UNIMPLEMENTED, text);
	} else if (call->coded) {
		refuse(call, GRPC_UNIMPLEMENTED, "compressed messages are not supported");
	} else if (call->timeout_bad) {
		refuse(call, GRPC_INTERNAL, "grpc-timeout is malformed");
	}
}

static void refuse_frame(struct grpc_call *call, ssize_t r)
{
	char text[GRPC_TEXT_MAX];

	if (r == -ENOTSUP) {
		refuse(call, GRPC_UNIMPLEMENTED, "compressed messages are not supported");
	} else if (r == -EMSGSIZE) {
		(void)snprintf(text, sizeof(text), "a message of %u bytes is larger than %u",
			call->frame.length, (unsigned)GRPC_MESSAGE_MAX);
		refuse(call, GRPC_RESOURCE_EXHAUSTED, text);
	} else {
		refuse(call, GRPC_INTERNAL, "the message begins with neither 0 nor 1");
	}
}

void grpc_call_data(struct grpc_call *call, struct str data)
{
	while (data.n > 0 && !grpc_call_answered(call)) {
		struct str piece;
		uint32_t at = call->frame.got;
		ssize_t r;

		if (grpc_frame_done(&call->frame)) {
			refuse(call, GRPC_INTERNAL, "more than one message in the request");
			return;
		}
		r = grpc_frame_feed(&call->frame, data, &piece);
		if (r < 0) {
			refuse_frame(call, r);
			return;
		}
		if (piece.n > 0 && call->in == NULL) {
			call->in = grpc_mem_get(mem_of(call), call->frame.length);
			if (call->in == NULL) {
				refuse(call, GRPC_RESOURCE_EXHAUSTED,
					"no memory for the message on this connection");
				return;
			}
		}
		if (piece.n > 0) {
			memcpy(call->in + at, piece.p, piece.n);
		}
		data = str_skip(data, (size_t)r);
	}
}

void grpc_call_request_end(struct grpc_call *call)
{
	const struct grpc_method *m = find_method(call);

	call->complete = true;
	if (grpc_call_answered(call)) {
		return;
	}
	if (!grpc_frame_done(&call->frame)) {
		refuse(call, GRPC_INTERNAL,
			call->frame.prefix_n == 0 ? "no message in the request"
						  : "the message is cut short");
		return;
	}
	ASSERT(m != NULL);
	call->due_ms = INT64_MAX;
	m->fn(m->arg, call, (struct str){call->in, call->frame.length});
	if (!grpc_call_answered(call)) {
		grpc_call_fail(call, GRPC_INTERNAL, "the method gave no answer");
	}
	grpc_mem_put(mem_of(call), call->in);
	call->in = NULL;
}

/* A step took too long: say so where nothing was said yet, else cut the stream. */
void grpc_call_expire(struct grpc_call *call)
{
	call->due_ms = call->limit_ms = INT64_MAX;
	if (!grpc_call_answered(call)) {
		grpc_call_fail(call, GRPC_DEADLINE_EXCEEDED, "the request did not come in time");
		return;
	}
	call->status = GRPC_DEADLINE_EXCEEDED;
	check(call, nghttp2_submit_rst_stream(call->peer->conn.session, NGHTTP2_FLAG_NONE,
			    call->stream, NGHTTP2_CANCEL));
}
