/* SPDX-License-Identifier: MIT */
/* See page.h. */
#include "page.h"

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
static struct page_copy *take_free(struct page *p)
{
	for (size_t i = 0; i < PAGE_COPIES; i++) {
		if (p->copy[i].users == 0) {
			return &p->copy[i];
		}
	}
	return NULL;
}

static bool fill(struct page *p, struct page_copy *c)
{
	struct buf b;

	if (c->mem == NULL) {
		void *mem = mmap(NULL, p->cap, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

		if (mem == MAP_FAILED) {
			return false;
		}
		c->mem = mem;
	}
	c->number = 0;
	buf_init(&b, c->mem, p->cap);
	if (!p->render(&b, p->arg)) {
		return false;
	}
	c->n = b.n;
	c->number = p->reading->number;
	return true;
}

void page_serve(void *arg, const struct http_req *req, struct http_resp *resp)
{
	struct page *p = arg;
	struct page_copy *c;
	struct err e;

	(void)req;
	if (reading_get(p->reading, &e) < 0 && !p->live) {
		http_resp_error(resp, 503, e.msg);
		return;
	}
	c = p->live ? NULL : find(p, p->reading->number);
	if (c == NULL) {
		c = take_free(p);
		if (c == NULL || !fill(p, c)) {
			log_warn("no memory for an answer: too many slow clients");
			http_resp_error(resp, 503, "no memory for an answer, try again");
			return;
		}
	}
	c->users++;
	resp->type = p->type;
	resp->body = (struct http_body){c->mem, c->n, release, c};
}
