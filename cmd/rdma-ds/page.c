/* SPDX-License-Identifier: MIT */
/* See page.h. */
#include "page.h"

#include <errno.h>
#include <sys/mman.h>

#include "base/log.h"

static void release(void *arg)
{
	struct page_copy *c = arg;

	ASSERT(c->users > 0);
	c->users--;
}

static struct page_copy *find(struct page *p, uint64_t number)
{
	for (size_t i = 0; i < PAGE_COPIES; i++) {
		if (p->copy[i].number == number) {
			return &p->copy[i];
		}
	}
	return NULL;
}

/* The first copy nobody reads: always the same few, so that little memory becomes resident. */
static struct page_copy *take(struct page *p)
{
	struct page_copy *oldest = &p->copy[0];

	for (size_t i = 0; i < PAGE_COPIES; i++) {
		if (p->copy[i].users == 0) {
			return &p->copy[i];
		}
		oldest = p->copy[i].age < oldest->age ? &p->copy[i] : oldest;
	}
	http_server_drop_body(p->server, oldest);
	ASSERT(oldest->users == 0);
	return oldest;
}

static int fill(struct page *p, struct page_copy *c, struct err *e)
{
	struct buf b;

	if (c->mem == NULL) {
		void *mem = mmap(NULL, p->cap, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

		if (mem == MAP_FAILED) {
			return err_sys(e, errno, "memory for an answer of %zu bytes", p->cap);
		}
		c->mem = mem;
	}
	c->number = 0;
	buf_init(&b, c->mem, p->cap);
	if (!p->render(&b, p->arg)) {
		return err_set(e, EMSGSIZE, "the answer is larger than %zu bytes", p->cap);
	}
	c->n = b.n;
	c->number = p->live ? 0 : p->reading->number;
	c->age = ++p->rendered;
	return 0;
}

/* The copy to send, rendered now if need be; NULL with the reason in e. */
static struct page_copy *current(struct page *p, struct err *e)
{
	struct page_copy *c = p->live ? NULL : find(p, p->reading->number);
	int r;

	if (c != NULL) {
		return c;
	}
	c = take(p);
	r = fill(p, c, e);
	if (r < 0 && !p->failing) {
		log_error("%s", e->msg);
	}
	p->failing = r < 0;
	return r < 0 ? NULL : c;
}

void page_serve(void *arg, const struct http_req *req, struct http_resp *resp)
{
	struct page_copy *c = NULL;
	struct page *p = arg;
	struct err e;

	(void)req;
	if (reading_get(p->reading, &e) == 0 || p->live) {
		c = current(p, &e);
	}
	if (c == NULL) {
		http_resp_error(resp, 503, e.msg);
		return;
	}
	c->users++;
	resp->type = p->type;
	resp->body = (struct http_body){c->mem, c->n, release, c};
}
