/* SPDX-License-Identifier: MIT */
/* See parse.h. */
#include "http/parse.h"

#include <errno.h>
#include <string.h>

#include "http/fields_priv.h"

static const char *const method_names[HTTP_METHODS] = {
	[HTTP_OTHER] = "",
	[HTTP_GET] = "GET",
	[HTTP_HEAD] = "HEAD",
	[HTTP_POST] = "POST",
	[HTTP_PUT] = "PUT",
	[HTTP_DELETE] = "DELETE",
	[HTTP_OPTIONS] = "OPTIONS",
	[HTTP_PATCH] = "PATCH",
	[HTTP_TRACE] = "TRACE",
	[HTTP_CONNECT] = "CONNECT",
};

const char *http_method_name(enum http_method m)
{
	return method_names[m];
}

/* Method names are case-sensitive (RFC 9110 9.1). */
static enum http_method find_method(struct str s)
{
	for (int m = HTTP_GET; m < HTTP_METHODS; m++) {
		if (str_eq_c(s, method_names[m])) {
			return (enum http_method)m;
		}
	}
	return HTTP_OTHER;
}

const char *http_reason(int status)
{
	static const struct {
		int status;
		const char *text;
	} reasons[] = {
		{100, "Continue"},
		{200, "OK"},
		{201, "Created"},
		{202, "Accepted"},
		{204, "No Content"},
		{304, "Not Modified"},
		{400, "Bad Request"},
		{401, "Unauthorized"},
		{403, "Forbidden"},
		{404, "Not Found"},
		{405, "Method Not Allowed"},
		{408, "Request Timeout"},
		{409, "Conflict"},
		{413, "Content Too Large"},
		{414, "URI Too Long"},
		{415, "Unsupported Media Type"},
		{417, "Expectation Failed"},
		{429, "Too Many Requests"},
		{431, "Request Header Fields Too Large"},
		{500, "Internal Server Error"},
		{501, "Not Implemented"},
		{502, "Bad Gateway"},
		{503, "Service Unavailable"},
		{504, "Gateway Timeout"},
		{505, "HTTP Version Not Supported"},
	};

	for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
		if (reasons[i].status == status) {
			return reasons[i].text;
		}
	}
	return "Unknown";
}

/* "HTTP/1.1" (RFC 9112 2.3): exactly one digit each; 1.2 and later are read as 1.1. */
static int read_version(struct str s, uint8_t *minor, struct http_bad *bad)
{
	if (s.n != 8 || !str_starts(s, STR("HTTP/")) || !chr_digit(s.p[5]) || s.p[6] != '.' ||
		!chr_digit(s.p[7])) {
		return http_refuse(bad, 400, "malformed HTTP version");
	}
	if (s.p[5] != '1') {
		return http_refuse(bad, 505, "only HTTP/1.0 and HTTP/1.1 are spoken here");
	}
	*minor = s.p[7] != '0';
	return 0;
}

/* "http://host/path?query" (RFC 9112 3.2.2): rest becomes what stands behind the host. */
static bool cut_absolute(struct str target, struct str *rest)
{
	struct str after;
	size_t n = 0;

	if (target.n > 7 && str_ieq((struct str){target.p, 7}, STR("http://"))) {
		after = str_skip(target, 7);
	} else if (target.n > 8 && str_ieq((struct str){target.p, 8}, STR("https://"))) {
		after = str_skip(target, 8);
	} else {
		return false;
	}
	while (n < after.n && after.p[n] != '/' && after.p[n] != '?') {
		n++;
	}
	*rest = str_skip(after, n);
	return http_is_host((struct str){after.p, n});
}

static bool is_query(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] <= 0x20 || s.p[i] >= 0x7f || s.p[i] == '#') {
			return false;
		}
	}
	return true;
}

static int read_target(struct http_req_head *out, struct http_bad *bad)
{
	struct str s = out->target;

	if ((s.n == 0 || s.p[0] != '/') && !cut_absolute(s, &s)) {
		return http_refuse(bad, 400, "request target is neither a path nor an URL");
	}
	out->query = (struct str)STR_INIT;
	if (!str_cut(s, '?', &out->path, &out->query)) {
		out->path = s;
	}
	if (out->path.n == 0) {
		out->path = STR("/");
	}
	if (!http_is_path(out->path) || !is_query(out->query)) {
		return http_refuse(bad, 400, "character that is not allowed in the request target");
	}
	return 0;
}

static int read_request_line(struct str line, struct http_req_head *out, struct http_bad *bad)
{
	struct str rest, version;
	int r;

	if (!str_cut(line, ' ', &out->method_text, &rest) ||
		!str_cut(rest, ' ', &out->target, &version)) {
		return http_refuse(bad, 400, "request line is not 'method target version'");
	}
	if (!http_is_token(out->method_text)) {
		return http_refuse(bad, 400, "method is not a token");
	}
	if (out->method_text.n > HTTP_METHOD_MAX) {
		return http_refuse(bad, 501, "method is not implemented");
	}
	out->method = find_method(out->method_text);
	r = read_version(version, &out->h.minor, bad);
	return r < 0 ? r : read_target(out, bad);
}

static int read_host(struct str v, int *hosts, struct http_bad *bad)
{
	if (++*hosts > 1) {
		return http_refuse(bad, 400, "Host given twice");
	}
	if (v.n > 0 && !http_is_host(v)) {
		return http_refuse(bad, 400, "Host is not a host name");
	}
	return 0;
}

/* What only requests have: Host (RFC 9112 3.2), Expect (RFC 9110 10.1.1), a coded body. */
static int read_request_fields(struct http_req_head *out, struct http_bad *bad)
{
	int hosts = 0, r = 0;

	out->expect_continue = false;
	for (size_t i = 0; i < out->h.field_n && r == 0; i++) {
		const struct http_field *f = &out->h.field[i];

		if (str_ieq(f->name, STR("Host"))) {
			r = read_host(f->value, &hosts, bad);
		} else if (str_ieq(f->name, STR("Expect")) && out->h.minor > 0) {
			if (!str_ieq(f->value, STR("100-continue"))) {
				r = http_refuse(bad, 417, "Expect other than 100-continue");
			}
			out->expect_continue = true;
		} else if (str_ieq(f->name, STR("Content-Encoding")) &&
			   !str_ieq(f->value, STR("identity"))) {
			r = http_refuse(bad, 415, "Content-Encoding other than identity");
		}
	}
	if (r == 0 && hosts == 0 && out->h.minor > 0) {
		r = http_refuse(bad, 400, "Host is missing");
	}
	return r;
}

/* RFC 9112 2.2: one empty line in front of a request is forgiven. */
static ssize_t skip_empty_line(const char *p, size_t n, struct http_bad *bad)
{
	if (n == 0 || p[0] != '\r') {
		return 0;
	}
	if (n == 1) {
		return 1;
	}
	return p[1] == '\n' ? 2 : http_refuse(bad, 400, "CR without LF");
}

ssize_t http_req_parse(const char *p, size_t n, struct http_req_head *out, struct http_bad *bad)
{
	ssize_t skipped = skip_empty_line(p, n, bad);
	struct str line;
	size_t at, end;
	ssize_t r;

	if (skipped < 0) {
		return skipped;
	}
	at = (size_t)skipped;
	end = n < HTTP_LINE_MAX ? n : HTTP_LINE_MAX;
	r = http_line(p + at, end - at, &line, bad);
	if (r == 0 && n >= HTTP_LINE_MAX) {
		return http_refuse(bad, 414, "request line too long");
	}
	if (r <= 0) {
		return r;
	}
	at += (size_t)r;
	r = read_request_line(line, out, bad);
	if (r < 0) {
		return r;
	}
	r = http_fields(p, n, at, &out->h, bad);
	if (r <= 0) {
		return r;
	}
	return read_request_fields(out, bad) < 0 ? -EBADMSG : r;
}

/* "HTTP/1.1 200 OK"; the reason may be empty and some servers leave out the blank before it. */
static int read_status_line(struct str line, struct http_resp_head *out, struct http_bad *bad)
{
	struct str version, rest;

	if (!str_cut(line, ' ', &version, &rest) || rest.n < 3 || !chr_digit(rest.p[0]) ||
		!chr_digit(rest.p[1]) || !chr_digit(rest.p[2]) ||
		(rest.n > 3 && rest.p[3] != ' ')) {
		return http_refuse(bad, 502, "status line is not 'version status reason'");
	}
	out->status = (rest.p[0] - '0') * 100 + (rest.p[1] - '0') * 10 + (rest.p[2] - '0');
	out->reason = str_skip(rest, 4);
	if (out->status < 100 || out->status > 599) {
		return http_refuse(bad, 502, "status outside of 100..599");
	}
	return read_version(version, &out->h.minor, bad);
}

static ssize_t parse_response(
	const char *p, size_t n, struct http_resp_head *out, struct http_bad *bad)
{
	size_t end = n < HTTP_LINE_MAX ? n : HTTP_LINE_MAX;
	struct str line;
	ssize_t r = http_line(p, end, &line, bad);

	if (r == 0 && n >= HTTP_LINE_MAX) {
		return http_refuse(bad, 502, "status line too long");
	}
	if (r <= 0) {
		return r;
	}
	if (read_status_line(line, out, bad) < 0) {
		return -EBADMSG;
	}
	return http_fields(p, n, (size_t)r, &out->h, bad);
}

ssize_t http_resp_parse(const char *p, size_t n, struct http_resp_head *out, struct http_bad *bad)
{
	ssize_t r = parse_response(p, n, out, bad);

	if (r < 0) {
		bad->status = 502;
	}
	return r;
}
