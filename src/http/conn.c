/* SPDX-License-Identifier: MIT */
/*
 * Theory of operation: a connection is a state (conn_priv.h) and what it waits for. An event reads
 * or writes ONCE, then step() moves the state on until it returns false: more bytes are needed, the
 * socket takes no more, the connection has gone, or a handler answers later. A connection that
 * could go on after a number of steps waits for EPOLLOUT, which is there at once: others get
 * their turn in between. While an answer is pending nothing is read, so a client cannot make us
 * store more than one block of requests.
 *
 * Every state but CONN_LATER has one absolute deadline. An error is answered once with
 * "Connection: close"; then our side is shut down and what the client still sends is thrown away
 * for a while, because closing a socket with unread bytes makes the kernel send a reset that
 * destroys the answer on its way.
 */
#include "http/conn_priv.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"

#define NO_BODY_MEMORY "no memory for the body at the moment"

#define STEPS          (3 * HTTP_REQUEST_BURST) /* head, body, answer */

static void set_deadline(struct http_conn *c, uint32_t ms)
{
	loop_timer_set(c->s->loop, &c->timer, c->s->loop->now_ms + ms);
}

static void wait_for(struct http_conn *c, uint32_t events)
{
	if (c->watched) {
		loop_mod(c->s->loop, &c->w, events);
	}
}

static void unwatch(struct http_conn *c)
{
	if (c->watched) {
		loop_del(c->s->loop, &c->w);
		c->watched = false;
	}
}

/* What belongs to one request goes back to its owners. */
static void end_request(struct http_conn *c)
{
	struct http_body out = c->out;

	c->out = (struct http_body){0};
	if (out.release != NULL) {
		out.release(out.arg);
	}
	if (c->body != NULL) {
		const struct http_route *r = &c->s->route[c->route];
		void *mem = c->body;

		c->body = NULL;
		r->body_put(r->arg, mem);
	}
}

void http_conn_close(struct http_conn *c)
{
	end_request(c);
	loop_timer_del(c->s->loop, &c->timer);
	unwatch(c);
	c->stream.ops->close(&c->stream);
	http_block_give(c);
	c->state = CONN_FREE;
	http_conn_release(c);
}

/* --- Answers */

static void begin_write(struct http_conn *c, enum conn_after after)
{
	c->state = CONN_WRITE;
	c->after = (uint8_t)after;
	set_deadline(c, c->s->conf.write_ms);
}

static void begin_answer(struct http_conn *c, struct http_resp *r)
{
	http_resp_build(c, r);
	begin_write(c, c->keep ? AFTER_NEXT : AFTER_CLOSE);
}

/* An answer of our own. Whoever sent something unreadable is not listened to any more. */
static void refuse(struct http_conn *c, int status, const char *why)
{
	struct http_resp r;

	c->keep = false;
	http_resp_init(c, &r);
	http_resp_error(&r, status, why);
	begin_answer(c, &r);
}

static void count(struct http_conn *c)
{
	struct http_route_stats *st = &c->s->stats[c->route];

	st->code[c->status / 100]++;
	http_hist_add(&st->time, clock_us() - c->begun_us);
}

static void begin_drain(struct http_conn *c)
{
	http_block_give(c);
	if (c->eof || shutdown(c->stream.fd, SHUT_WR) < 0) {
		http_conn_close(c);
		return;
	}
	c->state = CONN_DRAIN;
	c->left = HTTP_DRAIN_MAX;
	set_deadline(c, c->s->conf.drain_ms);
	wait_for(c, EPOLLIN);
}

/* A request begins with the bytes in the block, or is waited for. */
static void begin_next(struct http_conn *c)
{
	c->head_n = c->seen = 0;
	c->route = c->s->route_n;
	c->head_only = false;
	c->http10 = false;
	c->keep = true;
	if (c->in_n > 0) {
		c->state = CONN_HEAD;
		c->begun_us = clock_us();
		set_deadline(c, c->s->conf.head_ms);
		return;
	}
	http_block_give(c);
	c->state = CONN_IDLE;
	set_deadline(c, c->used ? c->s->conf.idle_ms : c->s->conf.head_ms);
	wait_for(c, EPOLLIN);
}

static void drop_input(struct http_conn *c, uint32_t at, uint32_t n)
{
	c->in_n -= n;
	if (c->in_n > at && n > 0) {
		memmove(c->block + at, c->block + at + n, c->in_n - at);
	}
}

static bool end_write(struct http_conn *c)
{
	if (c->after == AFTER_BODY) {
		c->state = CONN_BODY;
		set_deadline(c, c->s->conf.body_ms);
		return true;
	}
	count(c);
	end_request(c);
	c->used = true;
	drop_input(c, 0, c->head_n);
	if (c->after == AFTER_CLOSE || (c->s->stopping && c->in_n == 0)) {
		begin_drain(c);
		return false;
	}
	begin_next(c);
	return c->state == CONN_HEAD;
}

static bool step_write(struct http_conn *c)
{
	struct iovec v[2];
	uint8_t n = http_resp_pieces(c, v);
	ssize_t r = c->stream.ops->writev(&c->stream, v, n);

	if (r < 0 && r != -EAGAIN) {
		http_conn_close(c);
		return false;
	}
	c->out_at += r > 0 ? (uint64_t)r : 0;
	if (http_resp_pieces(c, v) > 0) {
		wait_for(c, EPOLLOUT);
		return false;
	}
	return end_write(c);
}

/* --- Requests */

static void run_handler(struct http_conn *c)
{
	const struct http_route *route = &c->s->route[c->route];
	const struct http_req_head *head = &c->s->head;
	struct http_req req = {
		.method = head->method,
		.path = head->path,
		.query = head->query,
		.body = {c->body, c->body != NULL ? (size_t)c->body_n : 0},
		.h = &head->h,
		.peer = &c->peer,
	};
	struct http_resp resp;

	http_resp_init(c, &resp);
	route->fn(route->arg, &req, &resp);
	if (resp.later) {
		c->state = CONN_LATER;
		loop_timer_del(c->s->loop, &c->timer);
		wait_for(c, 0); /* errors and the end of both directions come unasked */
		return;
	}
	begin_answer(c, &resp);
}

/* The table of fields is shared by all connections: after waiting for a body it is read anew. */
static void end_body(struct http_conn *c)
{
	struct http_bad bad;
	ssize_t r = http_req_parse(c->block, c->head_n, &c->s->head, &bad);

	ASSERT(r == (ssize_t)c->head_n);
	run_handler(c);
}

static void begin_body(struct http_conn *c)
{
	const struct http_route *route = &c->s->route[c->route];
	const struct http_head *h = &c->s->head.h;
	uint64_t max = route->max_body > 0 ? route->max_body : HTTP_IGNORED_BODY_MAX;

	if (h->has_length && h->length > max) {
		refuse(c, 413, "the body is too large");
		return;
	}
	c->body_n = 0;
	c->body_max = h->has_length ? h->length : max;
	c->left = h->length;
	c->chunked = h->chunked;
	c->chunk = HTTP_CHUNK_INIT;
	if (route->max_body > 0) {
		c->body = route->body_get(route->arg, (size_t)c->body_max);
		if (c->body == NULL) {
			refuse(c, 503, NO_BODY_MEMORY);
			return;
		}
	}
	if (c->s->head.expect_continue && c->in_n == c->head_n) {
		http_resp_continue(c);
		begin_write(c, AFTER_BODY);
		return;
	}
	c->state = CONN_BODY;
	set_deadline(c, c->s->conf.body_ms);
}

static size_t find_route(const struct http_server *s, struct str path)
{
	size_t i = 0;

	while (i < s->route_n && !str_eq_c(path, s->route[i].path)) {
		i++;
	}
	return i;
}

static void refuse_method(struct http_conn *c)
{
	struct http_resp r;

	http_resp_init(c, &r);
	http_resp_error(&r, 405, "this path does not take that method");
	http_resp_allow(&r, c->s->route[c->route].methods);
	begin_answer(c, &r);
}

/* A complete head is in s->head. Bodies of requests that no handler sees are not waited for. */
static void begin_request(struct http_conn *c)
{
	const struct http_req_head *head = &c->s->head;
	bool has_body = head->h.chunked || head->h.length > 0;
	unsigned bit = HTTP_BIT(head->method == HTTP_HEAD ? HTTP_GET : head->method);
	struct http_resp r;

	c->http10 = head->h.minor == 0;
	c->head_only = head->method == HTTP_HEAD;
	c->route = find_route(c->s, head->path);
	c->keep = head->h.keep_alive && !c->s->stopping;
	if (head->method == HTTP_OTHER) {
		refuse(c, 501, "method is not implemented");
	} else if (c->route == c->s->route_n) {
		c->keep = c->keep && !has_body;
		http_resp_init(c, &r);
		http_resp_error(&r, 404, "no such path");
		begin_answer(c, &r);
	} else if (!(c->s->route[c->route].methods & (bit | HTTP_BIT(head->method)))) {
		c->keep = c->keep && !has_body;
		refuse_method(c);
	} else if (has_body) {
		begin_body(c);
	} else {
		c->body_n = 0;
		run_handler(c);
	}
}

static bool step_head(struct http_conn *c)
{
	struct http_bad bad;
	ssize_t r = 0;

	/* Parsing again pays only when a line has ended or may have become too long. */
	if (c->seen == 0 || c->in_n >= HTTP_LINE_MAX ||
		memchr(c->block + c->seen, '\n', c->in_n - c->seen) != NULL) {
		r = http_req_parse(c->block, c->in_n, &c->s->head, &bad);
	}
	if (r == 0 && c->eof) {
		refuse(c, 400, "the request ended early");
		return true;
	}
	if (r == 0) {
		c->seen = c->in_n;
		wait_for(c, EPOLLIN);
		return false;
	}
	if (r < 0) {
		refuse(c, bad.status, bad.why);
		return true;
	}
	c->head_n = (uint32_t)r;
	begin_request(c);
	return c->state != CONN_LATER;
}

/* Bytes of the body that are in the block; true if they ended it. */
static bool take_length(struct http_conn *c)
{
	uint32_t n = c->in_n - c->head_n;

	n = n < c->left ? n : (uint32_t)c->left;
	if (c->body != NULL && n > 0) {
		memcpy(c->body + c->body_n, c->block + c->head_n, n);
	}
	c->body_n += n;
	c->left -= n;
	drop_input(c, c->head_n, n);
	return c->left == 0;
}

/* The same for a chunked body; -EBADMSG, -EMSGSIZE. */
static int take_chunks(struct http_conn *c)
{
	uint32_t at = c->head_n;
	struct str data;
	ssize_t r;

	while (at < c->in_n && !http_chunk_done(&c->chunk)) {
		r = http_chunk_feed(&c->chunk, c->block + at, c->in_n - at, &data);
		if (r < 0) {
			return (int)r;
		}
		at += (uint32_t)r;
		if (data.n > c->body_max - c->body_n) {
			return -EMSGSIZE;
		}
		if (c->body != NULL && data.n > 0) {
			memcpy(c->body + c->body_n, data.p, data.n);
		}
		c->body_n += data.n;
		if (c->chunk.left > c->body_max - c->body_n) {
			return -EMSGSIZE; /* announced: need not be sent */
		}
	}
	drop_input(c, c->head_n, at - c->head_n);
	return http_chunk_done(&c->chunk);
}

static bool may_grow(const struct http_conn *c)
{
	const struct http_route *route = &c->s->route[c->route];

	return c->body == NULL || route->body_grow == NULL ||
	       route->body_grow(route->arg, c->body, (size_t)c->body_n);
}

static bool step_body(struct http_conn *c)
{
	int r = c->chunked ? take_chunks(c) : take_length(c);

	if (r < 0) {
		refuse(c, r == -EMSGSIZE ? 413 : 400,
			r == -EMSGSIZE ? "the body is too large" : "malformed chunked body");
	} else if (!may_grow(c)) {
		refuse(c, 503, NO_BODY_MEMORY);
	} else if (r > 0) {
		end_body(c);
		return c->state != CONN_LATER;
	} else if (c->eof) {
		refuse(c, 400, "the request ended early");
	} else {
		wait_for(c, EPOLLIN);
		return false;
	}
	return true;
}

/* true: there is more to do without waiting. c may be gone after false. */
static bool step(struct http_conn *c)
{
	switch (c->state) {
	case CONN_HEAD:
		return step_head(c);
	case CONN_BODY:
		return step_body(c);
	default:
		return step_write(c);
	}
}

/*
 * There is more to do, later. What is waited for is the client reading its answers, so a request
 * that has arrived already must not be called late: the time is that of an answer.
 */
static void park(struct http_conn *c)
{
	if (c->state == CONN_HEAD) {
		set_deadline(c, c->s->conf.write_ms);
	}
	wait_for(c, EPOLLOUT);
}

static void run(struct http_conn *c)
{
	for (int i = 0; i < STEPS; i++) {
		if (!step(c)) {
			return;
		}
	}
	park(c);
}

/* --- Events */

/* A body with a length goes straight to its memory, once the block is empty behind the head. */
static ssize_t read_some(struct http_conn *c)
{
	ssize_t r;

	if (c->state == CONN_BODY && !c->chunked && c->body != NULL && c->in_n == c->head_n) {
		r = c->stream.ops->read(&c->stream, c->body + c->body_n,
			c->left < HTTP_READ_BURST ? (size_t)c->left : HTTP_READ_BURST);
		if (r > 0) {
			c->body_n += (uint64_t)r;
			c->left -= (uint64_t)r;
		}
		return r;
	}
	r = c->stream.ops->read(&c->stream, c->block + c->in_n, HTTP_IN_MAX - c->in_n);
	c->in_n += r > 0 ? (uint32_t)r : 0;
	return r;
}

static void on_readable(struct http_conn *c)
{
	ssize_t r;

	if (c->block == NULL && !http_block_take(c)) {
		http_conn_close(c);
		return;
	}
	r = read_some(c);
	if (r == -EAGAIN) {
		if (c->state == CONN_IDLE) {
			http_block_give(c);
		}
		return;
	}
	c->eof = r == 0;
	if (r < 0 || (c->eof && c->state == CONN_IDLE)) {
		http_conn_close(c);
		return;
	}
	if (c->state == CONN_IDLE) {
		begin_next(c);
	}
	run(c);
}

static void drain(struct http_conn *c)
{
	char waste[4096];
	size_t n = c->left < sizeof(waste) ? (size_t)c->left : sizeof(waste);
	ssize_t r = c->stream.ops->read(&c->stream, waste, n);

	if (r == -EAGAIN) {
		return;
	}
	if (r <= 0) {
		http_conn_close(c);
		return;
	}
	c->left -= (uint64_t)r;
	if (c->left == 0) {
		unwatch(c); /* enough: let the client's window fill until the deadline */
	}
}

static void on_event(struct loop *l, struct loop_fd *w, uint32_t events)
{
	struct http_conn *c = CONTAINER_OF(w, struct http_conn, w);

	(void)l;
	(void)events;
	if (c->state == CONN_LATER) {
		unwatch(c); /* the client has gone; http_later_send will notice */
	} else if (c->state == CONN_DRAIN) {
		drain(c);
	} else if (w->events & EPOLLIN) {
		on_readable(c);
	} else {
		run(c);
	}
}

static void on_deadline(struct loop *l, struct loop_timer *t)
{
	struct http_conn *c = CONTAINER_OF(t, struct http_conn, timer);
	bool parked = (c->w.events & EPOLLOUT) != 0;

	(void)l;
	if (!parked && (c->state == CONN_HEAD || c->state == CONN_BODY)) {
		refuse(c, 408, "the request took too long");
		run(c);
	} else {
		http_conn_close(c);
	}
}

void http_conn_open(struct http_conn *c)
{
	c->w.fn = on_event;
	c->timer.fn = on_deadline;
	c->watched = true;
	begin_next(c);
}

void http_conn_stop(struct http_conn *c)
{
	/* A request may have arrived that the loop has not seen yet: it is one in flight. */
	if (c->state == CONN_IDLE) {
		on_readable(c);
	}
	if (c->state == CONN_IDLE) {
		http_conn_close(c);
	}
}

void http_conn_drop_body(struct http_conn *c, const void *arg)
{
	if (c->state == CONN_WRITE && arg != NULL &&
		((c->out.p != NULL && c->out.arg == arg) || c->body == arg)) {
		http_conn_close(c);
	}
}

/* --- Answers that come later */

struct http_conn *http_resp_later(struct http_resp *r)
{
	r->later = true;
	return r->conn;
}

bool http_later_gone(const struct http_conn *c)
{
	return !c->watched;
}

void http_later_begin(struct http_conn *c, struct http_resp *r)
{
	ASSERT(c->state == CONN_LATER);
	http_resp_init(c, r);
}

void http_later_send(struct http_conn *c, struct http_resp *r)
{
	ASSERT(c->state == CONN_LATER);
	begin_answer(c, r);
	if (!c->watched) {
		http_conn_close(c);
		return;
	}
	/* Not further than this answer: the next request's handler is run from the loop. */
	if (step_write(c)) {
		park(c);
	}
}
