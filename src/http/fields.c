/* SPDX-License-Identifier: MIT */
/* See fields_priv.h; http_find and the checks of parse.h. */
#include "http/fields_priv.h"

#include <errno.h>
#include <string.h>

#include "base/num.h"

int http_refuse(struct http_bad *bad, int status, const char *why)
{
	bad->status = status;
	bad->why = why;
	return -EBADMSG;
}

static bool chr_ctl(char c)
{
	return ((unsigned char)c < 0x20 && c != '\t') || c == 0x7f;
}

static bool chr_token(char c)
{
	return chr_alnum(c) || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool chr_visible(char c)
{
	return c > 0x20 && c < 0x7f;
}

bool http_is_token(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (!chr_token(s.p[i])) {
			return false;
		}
	}
	return s.n > 0;
}

bool http_is_value(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (chr_ctl(s.p[i])) {
			return false;
		}
	}
	return true;
}

bool http_is_path(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (!chr_visible(s.p[i]) || s.p[i] == '#') {
			return false;
		}
	}
	return s.n > 0 && s.p[0] == '/';
}

/* Length of the host in front of a port: "[...]" or a registered name (RFC 3986 3.2.2). */
static size_t host_len(struct str s)
{
	size_t i = 0;

	if (s.n > 0 && s.p[0] == '[') {
		for (i = 1; i < s.n && (chr_hex(s.p[i]) >= 0 || s.p[i] == ':' || s.p[i] == '.');) {
			i++;
		}
		return i > 1 && i < s.n && s.p[i] == ']' ? i + 1 : 0;
	}
	/* ',' is legal by the grammar, but means two Host fields that a proxy has merged. */
	while (i < s.n &&
		(chr_alnum(s.p[i]) || (s.p[i] != '\0' && strchr("-._~%!$&'()*+;=", s.p[i])))) {
		i++;
	}
	return i;
}

bool http_is_host(struct str s)
{
	size_t n = host_len(s);

	if (n == 0 || (n < s.n && s.p[n] != ':')) {
		return false;
	}
	for (size_t i = n + 1; i < s.n; i++) {
		if (!chr_digit(s.p[i])) {
			return false;
		}
	}
	return true;
}

bool http_find(const struct http_head *h, const char *name, struct str *out)
{
	for (size_t i = 0; i < h->field_n; i++) {
		if (str_ieq(h->field[i].name, str_from(name))) {
			*out = h->field[i].value;
			return true;
		}
	}
	return false;
}

ssize_t http_line(const char *p, size_t n, struct str *line, struct http_bad *bad)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] == '\r') {
			if (i + 1 == n) {
				return 0;
			}
			if (p[i + 1] != '\n') {
				return http_refuse(bad, 400, "CR without LF");
			}
			*line = (struct str){p, i};
			return (ssize_t)i + 2;
		}
		if (p[i] == '\n') {
			return http_refuse(bad, 400, "LF without CR");
		}
		if (chr_ctl(p[i])) {
			return http_refuse(bad, 400, "control character in the head");
		}
	}
	return 0;
}

static struct str trim_blanks(struct str s)
{
	while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t')) {
		s = str_skip(s, 1);
	}
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t')) {
		s.n--;
	}
	return s;
}

static int add_field(struct http_head *h, struct str line, struct http_bad *bad)
{
	struct http_field f;

	if (line.p[0] == ' ' || line.p[0] == '\t') {
		return http_refuse(bad, 400, "folded header line");
	}
	if (!str_cut(line, ':', &f.name, &f.value)) {
		return http_refuse(bad, 400, "header line without ':'");
	}
	if (!http_is_token(f.name)) {
		return http_refuse(bad, 400, "header name is not a token directly before ':'");
	}
	if (h->field_n == HTTP_FIELDS_MAX) {
		return http_refuse(bad, 431, "too many header fields");
	}
	f.value = trim_blanks(f.value);
	h->field[h->field_n++] = f;
	return 0;
}

/* Connection: a list of tokens (RFC 9110 7.6.1), of which two concern us; close wins. */
static void read_connection(struct str list, bool *close, bool *keep)
{
	struct str item;

	while (list.n > 0) {
		if (!str_cut(list, ',', &item, &list)) {
			item = list;
			list.n = 0;
		}
		item = trim_blanks(item);
		*close = *close || str_ieq(item, STR("close"));
		*keep = *keep || str_ieq(item, STR("keep-alive"));
	}
}

static int read_length(struct http_head *h, struct str v, struct http_bad *bad)
{
	if (h->has_length) {
		return http_refuse(bad, 400, "Content-Length given twice");
	}
	if (!num_u64(v, UINT64_MAX, &h->length)) {
		return http_refuse(bad, 400, "Content-Length is not one decimal number");
	}
	h->has_length = true;
	return 0;
}

static int read_coding(struct http_head *h, struct str v, struct http_bad *bad)
{
	if (h->minor == 0) {
		return http_refuse(bad, 400, "Transfer-Encoding in HTTP/1.0");
	}
	if (h->chunked) {
		return http_refuse(bad, 400, "Transfer-Encoding given twice");
	}
	if (!str_ieq(v, STR("chunked"))) {
		return http_refuse(bad, 501, "Transfer-Encoding other than chunked");
	}
	h->chunked = true;
	return 0;
}

/* RFC 9112 6.3 and 9.3, but every doubt is an error: two readings of one length are an attack. */
static int read_framing(struct http_head *h, struct http_bad *bad)
{
	bool close = false, keep = false;
	int r = 0;

	for (size_t i = 0; i < h->field_n && r == 0; i++) {
		const struct http_field *f = &h->field[i];

		if (str_ieq(f->name, STR("Content-Length"))) {
			r = read_length(h, f->value, bad);
		} else if (str_ieq(f->name, STR("Transfer-Encoding"))) {
			r = read_coding(h, f->value, bad);
		} else if (str_ieq(f->name, STR("Connection"))) {
			read_connection(f->value, &close, &keep);
		}
	}
	if (r == 0 && h->chunked && h->has_length) {
		r = http_refuse(bad, 400, "both Content-Length and Transfer-Encoding");
	}
	h->keep_alive = !close && (h->minor > 0 || keep);
	return r;
}

ssize_t http_fields(const char *p, size_t n, size_t at, struct http_head *h, struct http_bad *bad)
{
	size_t end = n < HTTP_HEAD_MAX ? n : HTTP_HEAD_MAX;
	struct str line;
	ssize_t r;

	h->chunked = h->has_length = false;
	h->length = 0;
	h->field_n = 0;
	for (;;) {
		r = http_line(p + at, end - at, &line, bad);
		if (r == 0 && n >= HTTP_HEAD_MAX) {
			return http_refuse(bad, 431, "header fields too large");
		}
		if (r <= 0) {
			return r;
		}
		at += (size_t)r;
		if (line.n == 0) {
			break;
		}
		r = add_field(h, line, bad);
		if (r < 0) {
			return r;
		}
	}
	r = read_framing(h, bad);
	return r < 0 ? r : (ssize_t)at;
}
