/* SPDX-License-Identifier: MIT */
/* Answers of the server: filled by a handler, then made into bytes. */
#include "http/conn_priv.h"

/* Layout of a block behind its HTTP_IN_MAX input bytes. */
#define AT_HEAD   HTTP_IN_MAX
#define AT_FIELDS (AT_HEAD + HTTP_OUT_HEAD)
#define AT_TEXT   (AT_FIELDS + HTTP_FIELDS_OUT)

void http_resp_init(struct http_conn *c, struct http_resp *r)
{
	*r = (struct http_resp){.status = 200, .type = "text/plain; charset=utf-8", .conn = c};
	buf_init(&r->text, c->block + AT_TEXT, HTTP_TEXT_MAX);
	buf_init(&r->fields, c->block + AT_FIELDS, HTTP_FIELDS_OUT);
}

void http_resp_field(struct http_resp *r, const char *name, struct str value)
{
	if (!http_is_token(str_from(name)) || !http_is_value(value)) {
		r->fields.overflow = true;
		return;
	}
	buf_add_c(&r->fields, name);
	buf_add(&r->fields, STR(": "));
	buf_add(&r->fields, value);
	buf_add(&r->fields, STR("\r\n"));
}

void http_resp_error(struct http_resp *r, int status, const char *why)
{
	r->status = status;
	r->type = "text/plain; charset=utf-8";
	buf_reset(&r->text);
	buf_add_c(&r->text, why);
	buf_add_chr(&r->text, '\n');
}

void http_handle_ok(void *arg, const struct http_req *req, struct http_resp *resp)
{
	(void)arg;
	(void)req;
	buf_add(&resp->text, STR("ok\n"));
}

void http_resp_allow(struct http_resp *r, unsigned methods)
{
	char mem[96]; /* all nine methods take 58 */
	struct buf list;

	buf_init(&list, mem, sizeof(mem));
	if (methods & HTTP_BIT(HTTP_GET)) {
		methods |= HTTP_BIT(HTTP_HEAD);
	}
	for (int m = HTTP_GET; m < HTTP_METHODS; m++) {
		if (methods & HTTP_BIT(m)) {
			buf_add_c(&list, list.n > 0 ? ", " : "");
			buf_add_c(&list, http_method_name((enum http_method)m));
		}
	}
	http_resp_field(r, "Allow", buf_str(&list));
}

/* RFC 9110 6.4.1: these have no content, whatever the handler gave. */
static bool has_no_content(int status)
{
	return status < 200 || status == 204 || status == 304;
}

static void build_head(struct http_conn *c, const struct http_resp *r, struct buf *b)
{
	buf_printf(b, "HTTP/1.1 %d %s\r\n", r->status, http_reason(r->status));
	buf_printf(b, "Date: %s\r\n", http_server_date(c->s));
	if (!has_no_content(r->status)) {
		buf_printf(b, "Content-Type: %s\r\n", r->type);
		buf_add(b, STR("Content-Length: "));
		buf_add_u64(b, r->body.p != NULL ? r->body.n : r->text.n);
		buf_add(b, STR("\r\n"));
	}
	if (!c->keep) {
		buf_add(b, STR("Connection: close\r\n"));
	} else if (c->http10) {
		buf_add(b, STR("Connection: keep-alive\r\n"));
	}
	buf_add(b, buf_str(&r->fields));
	buf_add(b, STR("\r\n"));
}

/* The answer that a handler could not express. */
static void replace(struct http_resp *r, const char *why)
{
	if (r->body.release != NULL) {
		r->body.release(r->body.arg);
	}
	r->body = (struct http_body){0};
	buf_reset(&r->fields);
	http_resp_error(r, 500, why);
}

void http_resp_build(struct http_conn *c, struct http_resp *r)
{
	struct buf b;

	ASSERT(r->status >= 200 && r->status <= 599);
	if (!buf_ok(&r->text)) {
		replace(r, "the answer is too large");
	} else if (!buf_ok(&r->fields)) {
		replace(r, "a header field of the answer is too large or malformed");
	}
	buf_init(&b, c->block + AT_HEAD, HTTP_OUT_HEAD);
	build_head(c, r, &b);
	ASSERT(buf_ok(&b)); /* our own fields are short and r->fields is smaller than the head */
	c->status = r->status;
	c->out_head_n = (uint32_t)b.n;
	c->out_text_n = (uint32_t)r->text.n;
	c->out_at = 0;
	c->out = r->body;
	if (c->out.p != NULL || has_no_content(r->status) || c->head_only) {
		c->out_text_n = 0;
	}
	if (has_no_content(r->status) || c->head_only) {
		c->out.n = 0;
	}
}

void http_resp_continue(struct http_conn *c)
{
	struct buf b;

	buf_init(&b, c->block + AT_HEAD, HTTP_OUT_HEAD);
	buf_add(&b, STR("HTTP/1.1 100 Continue\r\n\r\n"));
	c->out_head_n = (uint32_t)b.n;
	c->out_text_n = 0;
	c->out_at = 0;
}

uint8_t http_resp_pieces(const struct http_conn *c, struct iovec v[static 2])
{
	struct str piece[2] = {{c->block + AT_HEAD, c->out_head_n}, {c->out.p, c->out.n}};
	uint64_t skip = c->out_at;
	uint8_t n = 0;

	if (c->out_text_n > 0) {
		piece[1] = (struct str){c->block + AT_TEXT, c->out_text_n};
	}
	for (size_t i = 0; i < 2; i++) {
		size_t less = skip < piece[i].n ? (size_t)skip : piece[i].n;
		struct str rest = str_skip(piece[i], less);

		skip -= less;
		if (rest.n > 0) {
			v[n++] = (struct iovec){(char *)rest.p, rest.n};
		}
	}
	return n;
}
