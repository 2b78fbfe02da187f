/* SPDX-License-Identifier: MIT */
/* See poll.h. */
#include "poll.h"

#include "base/clock.h"
#include "base/num.h"

struct query {
	bool has_after, used;
	uint64_t after;
	uint64_t timeout_s;
};

/* "name=NUMBER&name=NUMBER"; false: something else. */
static bool parse_query(struct str text, struct query *q)
{
	*q = (struct query){.has_after = false};
	while (text.n > 0) {
		struct str item = text, rest = STR_INIT, name, value;

		(void)str_cut(text, '&', &item, &rest); /* none: this is the last one */
		if (!str_cut(item, '=', &name, &value)) {
			return false;
		}
		if (str_eq(name, STR("vfs")) && str_eq(value, STR("used"))) {
			q->used = true;
		} else if (str_eq(name, STR("after"))) {
			q->has_after = num_u64(value, UINT64_MAX, &q->after);
			if (!q->has_after) {
				return false;
			}
		} else if (!str_eq(name, STR("timeout_s")) ||
			   !num_u64(value, POLL_TIMEOUT_S, &q->timeout_s)) {
			return false;
		}
		text = rest;
	}
	return true;
}

static void arm(struct poll *p)
{
	const struct reading *r = p->page->reading;
	int64_t least = clock_ms() + POLL_LEAST_MS, at = r->at_ms + r->conf.max_age_ms;

	at = at > least ? at : least;
	for (size_t i = 0; i < p->n; i++) {
		at = p->wait[i].until_ms < at ? p->wait[i].until_ms : at;
	}
	if (p->n > 0) {
		loop_timer_set(p->loop, &p->timer, at);
	}
}

/* The time of a question, rounded up: what is counted from it is then never too late. */
static int64_t asked_now(void)
{
	return clock_ms() + 1;
}

/* When the answer was true. Clients have no other way to know: readings are shared. */
static void say_when(const struct poll *p, int64_t asked_ms, struct http_resp *resp)
{
	char mem[24];
	struct buf b;

	if (resp->status == 200 || resp->status == 204) {
		buf_init(&b, mem, sizeof(mem));
		buf_add_i64(&b, p->page->reading->at_ms - asked_ms);
		http_resp_field(resp, "Ferrule-Read-Ms", buf_str(&b));
	}
}

/* Whether the last reading shows the revision that this one knows. */
static bool is_same(const struct poll *p, size_t i)
{
	const struct reading *r = p->page->reading;

	return r->why.code == 0 && r->revision == p->wait[i].after;
}

/* 204 where nothing has changed; page_serve answers 503 for a node that cannot be read. */
static void send_one(struct poll *p, size_t i)
{
	struct http_conn *conn = p->wait[i].conn;
	struct page *page = p->wait[i].page;
	int64_t asked_ms = p->wait[i].asked_ms;
	bool same = is_same(p, i);
	struct http_resp resp;

	p->wait[i] = p->wait[--p->n];
	http_later_begin(conn, &resp);
	if (same) {
		resp.status = 204;
	} else {
		page_serve(page, NULL, &resp);
	}
	say_when(p, asked_ms, &resp);
	http_later_send(conn, &resp);
}

static void on_timer(struct loop *l, struct loop_timer *t)
{
	struct poll *p = CONTAINER_OF(t, struct poll, timer);
	struct err e;

	(void)!reading_get(p->page->reading, &e); /* the reading keeps the failure */
	for (size_t i = p->n; i > 0; i--) {
		if (!is_same(p, i - 1) || l->now_ms >= p->wait[i - 1].until_ms) {
			send_one(p, i - 1);
		}
	}
	arm(p);
}

static size_t oldest(const struct poll *p)
{
	size_t found = 0;

	for (size_t i = 1; i < p->n; i++) {
		found = p->wait[i].since < p->wait[found].since ? i : found;
	}
	return found;
}

void poll_serve(void *arg, const struct http_req *req, struct http_resp *resp)
{
	int64_t asked_ms = asked_now();
	struct poll *p = arg;
	struct query q;
	struct err e;

	if (!parse_query(req->query, &q)) {
		http_resp_error(resp, 400,
			"the query is after=REVISION&timeout_s=SECONDS&vfs=used, or a part");
		return;
	}
	if (!q.has_after || reading_get(p->page->reading, &e) < 0 ||
		p->page->reading->revision != q.after) {
		page_serve(q.used ? p->used : p->page, req, resp);
		say_when(p, asked_ms, resp);
		return;
	}
	if (q.timeout_s == 0 || p->stopping) {
		resp->status = 204;
		say_when(p, asked_ms, resp);
		return;
	}
	if (p->n == POLL_MAX) {
		send_one(p, oldest(p)); /* it may be gone; else it asks again */
	}
	p->wait[p->n].conn = http_resp_later(resp);
	p->wait[p->n].page = q.used ? p->used : p->page;
	p->wait[p->n].after = q.after;
	p->wait[p->n].since = p->turn++;
	p->wait[p->n].asked_ms = asked_ms;
	p->wait[p->n++].until_ms = asked_ms + (int64_t)q.timeout_s * 1000;
	p->timer.fn = on_timer;
	if (p->timer.slot == 0 || p->wait[p->n - 1].until_ms < p->timer.at_ms) {
		arm(p);
	}
}

void poll_stop(struct poll *p)
{
	p->stopping = true;
	loop_timer_del(p->loop, &p->timer);
	while (p->n > 0) {
		send_one(p, p->n - 1);
	}
}
