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
	int64_t wait = r->conf.max_age_ms > POLL_LEAST_MS ? r->conf.max_age_ms : POLL_LEAST_MS;

	if (p->n > 0) {
		loop_timer_set(p->loop, &p->timer, clock_ms() + wait);
	}
}

static void send_one(struct poll *p, size_t i, bool changed)
{
	struct http_conn *conn = p->wait[i].conn;
	struct page *page = p->wait[i].page;
	struct http_resp resp;

	p->wait[i] = p->wait[--p->n];
	http_later_begin(conn, &resp);
	if (changed) {
		page_serve(page, NULL, &resp);
	} else {
		resp.status = 204;
	}
	http_later_send(conn, &resp);
}

static void on_timer(struct loop *l, struct loop_timer *t)
{
	struct poll *p = CONTAINER_OF(t, struct poll, timer);
	struct err e;
	bool failed = reading_get(p->page->reading, &e) < 0;

	for (size_t i = p->n; i > 0; i--) {
		/* page_serve answers 503 for a node that cannot be read. */
		if (failed || p->wait[i - 1].after != p->page->reading->revision) {
			send_one(p, i - 1, true);
		} else if (l->now_ms >= p->wait[i - 1].until_ms) {
			send_one(p, i - 1, false);
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
		return;
	}
	if (q.timeout_s == 0 || p->stopping) {
		resp->status = 204;
		return;
	}
	if (p->n == POLL_MAX) {
		send_one(p, oldest(p), false); /* it may be gone; else it asks again */
	}
	p->wait[p->n].conn = http_resp_later(resp);
	p->wait[p->n].page = q.used ? p->used : p->page;
	p->wait[p->n].after = q.after;
	p->wait[p->n].since = p->turn++;
	p->wait[p->n++].until_ms = clock_ms() + (int64_t)q.timeout_s * 1000;
	p->timer.fn = on_timer;
	if (p->timer.slot == 0) {
		arm(p);
	}
}

void poll_stop(struct poll *p)
{
	p->stopping = true;
	loop_timer_del(p->loop, &p->timer);
	while (p->n > 0) {
		send_one(p, p->n - 1, false);
	}
}
