/* SPDX-License-Identifier: MIT */
/* http/parse.h: heads of requests and responses, whole, byte by byte and twice in a row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "guard.h"
#include "http/parse.h"

#define H11    "Host: a\r\n"
#define LEN(s) ((struct str){(s), sizeof(s) - 1})

/* One result of either parser, comparable. */
struct outcome {
	ssize_t r;
	int status;
};

static struct http_req_head req;
static struct http_resp_head resp;
static const char *why;

static struct outcome parse(struct str s, bool response)
{
	struct http_bad bad = {0, ""};
	struct outcome o = {0, 0};

	o.r = response ? http_resp_parse(s.p, s.n, &resp, &bad)
		       : http_req_parse(s.p, s.n, &req, &bad);
	if (o.r < 0) {
		assert_int_equal(o.r, -EBADMSG);
		assert_non_null(bad.why);
		assert_true(bad.why[0] != '\0');
		assert_true(bad.status >= 400);
		o.status = bad.status;
		why = bad.why;
	}
	return o;
}

/* All prefixes, each ending at a guard page: 0 until the whole's outcome, then that. */
static struct outcome parse_growing(struct str s, bool response)
{
	struct outcome whole, o = {0, 0};
	struct guard g = guard_copy(s);
	size_t step = s.n > 1000 ? 61 : 1;

	whole = parse(g.s, response);
	guard_free(&g);
	for (size_t n = 0; n < s.n; n += step) {
		g = guard_copy((struct str){s.p, n});
		o = parse(g.s, response);
		guard_free(&g);
		if (o.r != 0) {
			assert_int_equal(o.r, whole.r);
			assert_int_equal(o.status, whole.status);
			assert_true(o.r < 0 || (size_t)o.r <= n);
		}
	}
	return whole;
}

/* The outcome for a complete message, which must not change with what follows it. */
static struct outcome parse_all_ways(struct str s, bool response)
{
	struct outcome once = parse_growing(s, response), twice;
	char *two = malloc(2 * s.n + 1);

	assert_non_null(two);
	memcpy(two, s.p, s.n);
	memcpy(two + s.n, s.p, s.n);
	twice = parse((struct str){two, 2 * s.n}, response);
	assert_int_equal(once.r, twice.r);
	assert_int_equal(once.status, twice.status);
	if (once.r > 0) {
		twice = parse((struct str){two + once.r, 2 * s.n - (size_t)once.r}, response);
		assert_int_equal(once.r, twice.r);
	}
	free(two);
	/* Slices of req and resp point into memory that has gone: once more for the caller. */
	return parse(s, response);
}

static void check_bad(struct str s, int status, bool response)
{
	struct outcome o = parse_all_ways(s, response);

	if (o.status != status) {
		fail_msg("%d (%s) instead of %d for: %.*s", o.status, o.status ? why : "accepted",
			status, (int)(s.n < 300 ? s.n : 300), s.p);
	}
}

static void check_str(struct str got, const char *expected)
{
	if (!str_eq_c(got, expected)) {
		fail_msg("'%.*s' instead of '%s'", STR_ARG(got), expected);
	}
}

struct good {
	struct str in;
	enum http_method method;
	const char *path, *query; /* query NULL: none */
	int minor;
	bool keep, chunked, has_length, expect;
	uint64_t length;
	size_t field_n;
};

static const struct good good[] = {
	{LEN("GET / HTTP/1.1\r\n" H11 "\r\n"), HTTP_GET, "/", NULL, 1, true, false, false, false, 0,
		1},
	{LEN("\r\nGET /getpfs HTTP/1.1\r\n" H11 "\r\n"), HTTP_GET, "/getpfs", NULL, 1, true, false,
		false, false, 0, 1},
	{LEN("HEAD /a?b=c&d HTTP/1.1\r\nhOsT:a:8080\r\n\r\n"), HTTP_HEAD, "/a", "b=c&d", 1, true,
		false, false, false, 0, 1},
	{LEN("GET /a? HTTP/1.1\r\n" H11 "\r\n"), HTTP_GET, "/a", "", 1, true, false, false, false,
		0, 1},
	{LEN("GET /a?b?c HTTP/1.1\r\n" H11 "\r\n"), HTTP_GET, "/a", "b?c", 1, true, false, false,
		false, 0, 1},
	{LEN("GET /%2e%2E/%00 HTTP/1.1\r\n" H11 "\r\n"), HTTP_GET, "/%2e%2E/%00", NULL, 1, true,
		false, false, false, 0, 1},
	{LEN("GET http://example.com:80/x?y HTTP/1.1\r\n" H11 "\r\n"), HTTP_GET, "/x", "y", 1, true,
		false, false, false, 0, 1},
	{LEN("GET HTTPS://[::1] HTTP/1.1\r\n" H11 "\r\n"), HTTP_GET, "/", NULL, 1, true, false,
		false, false, 0, 1},
	{LEN("GET http://h?q HTTP/1.1\r\n" H11 "\r\n"), HTTP_GET, "/", "q", 1, true, false, false,
		false, 0, 1},
	{LEN("GET / HTTP/1.0\r\n\r\n"), HTTP_GET, "/", NULL, 0, false, false, false, false, 0, 0},
	{LEN("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"), HTTP_GET, "/", NULL, 0, true,
		false, false, false, 0, 1},
	{LEN("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n"), HTTP_GET, "/", NULL, 0,
		false, false, false, false, 0, 1},
	{LEN("GET / HTTP/1.9\r\n" H11 "\r\n"), HTTP_GET, "/", NULL, 1, true, false, false, false, 0,
		1},
	{LEN("GET / HTTP/1.1\r\n" H11 "Connection: x , CLOSE\r\n\r\n"), HTTP_GET, "/", NULL, 1,
		false, false, false, false, 0, 2},
	{LEN("GET / HTTP/1.1\r\n" H11 "Connection:\r\nConnection: ,,close,\r\n\r\n"), HTTP_GET, "/",
		NULL, 1, false, false, false, false, 0, 3},
	{LEN("GET / HTTP/1.1\r\n" H11 "Connection: closed\r\n\r\n"), HTTP_GET, "/", NULL, 1, true,
		false, false, false, 0, 2},
	{LEN("POST /e HTTP/1.1\r\n" H11 "Content-Length: 5\r\n\r\nhello"), HTTP_POST, "/e", NULL, 1,
		true, false, true, false, 5, 2},
	{LEN("PUT /e HTTP/1.1\r\n" H11 "content-length:\t0018446744073709551615 \t\r\n\r\n"),
		HTTP_PUT, "/e", NULL, 1, true, false, true, false, UINT64_MAX, 2},
	{LEN("POST /e HTTP/1.1\r\n" H11 "transfer-encoding: CHUNKED\r\n\r\n"), HTTP_POST, "/e",
		NULL, 1, true, true, false, false, 0, 2},
	{LEN("POST /e HTTP/1.1\r\n" H11 "Content-Length: 9\r\nExpect: 100-Continue\r\n\r\n"),
		HTTP_POST, "/e", NULL, 1, true, false, true, true, 9, 3},
	{LEN("POST /e HTTP/1.0\r\nExpect: anything\r\n\r\n"), HTTP_POST, "/e", NULL, 0, false,
		false, false, false, 0, 1},
	{LEN("PATCH /e HTTP/1.1\r\nHost:\r\nContent-Encoding: Identity\r\n\r\n"), HTTP_PATCH, "/e",
		NULL, 1, true, false, false, false, 0, 2},
	{LEN("get / HTTP/1.1\r\n" H11 "\r\n"), HTTP_OTHER, "/", NULL, 1, true, false, false, false,
		0, 1},
	{LEN("M!#$%&'*+-.^_`|~9 / HTTP/1.1\r\n" H11 "\r\n"), HTTP_OTHER, "/", NULL, 1, true, false,
		false, false, 0, 1},
	{LEN("GET / HTTP/1.1\r\n" H11 "X: \t a\tb \x80\xff \t\r\nY:\r\n\r\n"), HTTP_GET, "/", NULL,
		1, true, false, false, false, 0, 3},
	{LEN("GET / HTTP/1.1\r\n" H11 "Upgrade: h2c\r\nConnection: Upgrade\r\n\r\n"), HTTP_GET, "/",
		NULL, 1, true, false, false, false, 0, 3},
};

static void test_request_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		const struct good *t = &good[i];
		size_t body = t->has_length && t->length == 5 ? 5 : 0;
		struct outcome o = parse_all_ways((struct str){t->in.p, t->in.n - body}, false);

		if (o.r != (ssize_t)(t->in.n - body)) {
			fail_msg("%zd (%s) for: %s", o.r, o.r < 0 ? why : "", t->in.p);
		}
		assert_int_equal(req.method, t->method);
		check_str(req.path, t->path);
		assert_int_equal(req.query.p != NULL, t->query != NULL);
		check_str(req.query, t->query != NULL ? t->query : "");
		assert_int_equal(req.h.minor, t->minor);
		assert_int_equal(req.h.keep_alive, t->keep);
		assert_int_equal(req.h.chunked, t->chunked);
		assert_int_equal(req.h.has_length, t->has_length);
		assert_int_equal(req.h.length, t->length);
		assert_int_equal(req.expect_continue, t->expect);
		assert_int_equal(req.h.field_n, t->field_n);
	}
}

static void test_fields(void **state)
{
	struct str v = STR("untouched");

	(void)state;
	(void)parse(
		LEN("GET / HTTP/1.1\r\nHost: a\r\nX: \t a\tb \t\r\nx:second\r\nE:\r\n\r\n"), false);
	assert_false(http_find(&req.h, "Y", &v));
	check_str(v, "untouched");
	assert_true(http_find(&req.h, "x", &v));
	check_str(v, "a\tb");
	assert_true(http_find(&req.h, "e", &v));
	assert_int_equal(v.n, 0);
	check_str(req.method_text, "GET");
	check_str(req.target, "/");
}

struct bad {
	int status;
	struct str in;
};

#define GET  "GET / HTTP/1.1\r\n" H11
#define POST "POST / HTTP/1.1\r\n" H11

static const struct bad bad_line[] = {
	{400, LEN("GET /\r\n\r\n")}, {400, LEN("GET\r\n\r\n")},
	{400, LEN("\r\n\r\nGET / HTTP/1.1\r\n" H11 "\r\n")},
	{400, LEN("\r\rGET / HTTP/1.1\r\n" H11 "\r\n")},
	{400, LEN(" GET / HTTP/1.1\r\n" H11 "\r\n")}, {400, LEN("\tGET / HTTP/1.1\r\n" H11 "\r\n")},
	{400, LEN("GET  / HTTP/1.1\r\n" H11 "\r\n")}, {400, LEN("GET /  HTTP/1.1\r\n" H11 "\r\n")},
	{400, LEN("GET\t/ HTTP/1.1\r\n" H11 "\r\n")}, {400, LEN("GET / HTTP/1.1 \r\n" H11 "\r\n")},
	{400, LEN("GET / a HTTP/1.1\r\n" H11 "\r\n")}, {400, LEN("GET / HTTP/1.1\n" H11 "\r\n")},
	{400, LEN("GET / HTTP/1.1\r" H11 "\r\n")}, {400, LEN("GET /\r HTTP/1.1\r\n" H11 "\r\n")},
	{400, LEN("GET /\0 HTTP/1.1\r\n" H11 "\r\n")},
	{400, LEN("GE\0T / HTTP/1.1\r\n" H11 "\r\n")}, {400, LEN("G(T / HTTP/1.1\r\n" H11 "\r\n")},
	{400, LEN("G\xc3\xa4T / HTTP/1.1\r\n" H11 "\r\n")},
	{400, LEN("GET /\x7f HTTP/1.1\r\n" H11 "\r\n")},
	{400, LEN("GET /\xc3\xa4 HTTP/1.1\r\n" H11 "\r\n")},
	{400, LEN("GET /a#b HTTP/1.1\r\n" H11 "\r\n")},
	{400, LEN("GET /a?b#c HTTP/1.1\r\n" H11 "\r\n")},
	{400, LEN("GET /a\tb HTTP/1.1\r\n" H11 "\r\n")},
	{400, LEN("GET /a?b\x80 HTTP/1.1\r\n" H11 "\r\n")},
	{400, LEN("GET getpfs HTTP/1.1\r\n" H11 "\r\n")},
	{400, LEN("GET ?q HTTP/1.1\r\n" H11 "\r\n")},
	{400, LEN("OPTIONS * HTTP/1.1\r\n" H11 "\r\n")},
	{400, LEN("CONNECT example.com:443 HTTP/1.1\r\n" H11 "\r\n")},
	{400, LEN("GET http:// HTTP/1.1\r\n" H11 "\r\n")},
	{400, LEN("GET http:///x HTTP/1.1\r\n" H11 "\r\n")},
	{400, LEN("GET http://u@h/x HTTP/1.1\r\n" H11 "\r\n")},
	{400, LEN("GET http://h:8x/x HTTP/1.1\r\n" H11 "\r\n")},
	{400, LEN("GET ftp://h/x HTTP/1.1\r\n" H11 "\r\n")},
	{400, LEN("GET / http/1.1\r\n" H11 "\r\n")}, {400, LEN("GET / HTTP/1\r\n" H11 "\r\n")},
	{400, LEN("GET / HTTP/1.\r\n" H11 "\r\n")}, {400, LEN("GET / HTTP/1.10\r\n" H11 "\r\n")},
	{400, LEN("GET / HTTP/+1.1\r\n" H11 "\r\n")}, {400, LEN("GET / HTTP/1,1\r\n" H11 "\r\n")},
	{400, LEN("GET / HTTPS/1.1\r\n" H11 "\r\n")}, {400, LEN("GET / HTTP/a.1\r\n" H11 "\r\n")},
	{505, LEN("GET / HTTP/2.0\r\n" H11 "\r\n")}, {505, LEN("GET / HTTP/0.9\r\n" H11 "\r\n")},
	{505, LEN("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")},
	{501, LEN("ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG / HTTP/1.1\r\n" H11 "\r\n")},
	{400, LEN("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")}, /* a TLS ClientHello */
};

static const struct bad bad_field[] = {
	{400, LEN("GET / HTTP/1.1\r\n Host: a\r\n\r\n")},
	{400, LEN("GET / HTTP/1.1\r\n\tHost: a\r\n\r\n")},
	{400, LEN("GET / HTTP/1.1\r\n  \r\n" H11 "\r\n")},
	{400, LEN(GET "X: a\r\n b\r\n\r\n")},
	{400, LEN(GET "X: a\r\n\tb\r\n\r\n")},
	{400, LEN(GET "X : a\r\n\r\n")},
	{400, LEN(GET "X\t: a\r\n\r\n")},
	{400, LEN(GET ": a\r\n\r\n")},
	{400, LEN(GET "X\r\n\r\n")},
	{400, LEN(GET "X Y: a\r\n\r\n")},
	{400, LEN(GET "X(: a\r\n\r\n")},
	{400, LEN(GET "X\xc3\xa4: a\r\n\r\n")},
	{400, LEN(GET "X\0: a\r\n\r\n")},
	{400, LEN(GET "X: a\0b\r\n\r\n")},
	{400, LEN(GET "X: a\x01\r\n\r\n")},
	{400, LEN(GET "X: a\x1b[0m\r\n\r\n")},
	{400, LEN(GET "X: a\x7f\r\n\r\n")},
	{400, LEN(GET "X: a\rb\r\n\r\n")},
	{400, LEN(GET "X: a\r\r\n\r\n")},
	{400, LEN(GET "X: a\nY: b\r\n\r\n")},
	{400, LEN(GET "X: a\n\r\n")},
	{400, LEN(GET "\n")},
	{400, LEN(GET "\r\r\n")},
	{400, LEN("GET / HTTP/1.1\r\n\r\n")},
	{400, LEN(GET "Host: a\r\n\r\n")},
	{400, LEN(GET "hOST: b\r\n\r\n")},
	{400, LEN("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n")},
	{400, LEN("GET / HTTP/1.1\r\nHost: a, b\r\n\r\n")},
	{400, LEN("GET / HTTP/1.1\r\nHost: a,b\r\n\r\n")},
	{400, LEN("GET / HTTP/1.1\r\nHost: a b\r\n\r\n")},
	{400, LEN("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n")},
	{400, LEN("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n")},
	{400, LEN("GET / HTTP/1.1\r\nHost: a:80:80\r\n\r\n")},
	{400, LEN("GET / HTTP/1.1\r\nHost: :80\r\n\r\n")},
	{400, LEN("GET / HTTP/1.1\r\nHost: a:-1\r\n\r\n")},
	{400, LEN("GET / HTTP/1.1\r\nHost: [::1\r\n\r\n")},
	{400, LEN("GET / HTTP/1.1\r\nHost: [::1]x\r\n\r\n")},
	{400, LEN("GET / HTTP/1.1\r\nHost: []\r\n\r\n")},
	{400, LEN("GET / HTTP/1.1\r\nHost: [g::1]\r\n\r\n")},
	{400, LEN("GET / HTTP/1.1\r\nHost: \xc3\xa4\r\n\r\n")},
	{400, LEN("GET http://a/ HTTP/1.1\r\nHost: <>\r\n\r\n")},
	{417, LEN(POST "Expect: 200-ok\r\n\r\n")},
	{417, LEN(POST "Expect:\r\n\r\n")},
	{417, LEN(POST "Expect: 100-continue, x\r\n\r\n")},
	{417, LEN(POST "Expect: 100-continue\r\nExpect: x\r\n\r\n")},
	{415, LEN(POST "Content-Encoding: gzip\r\n\r\n")},
	{415, LEN(POST "Content-Encoding: identity\r\nContent-Encoding: br\r\n\r\n")},
	{415, LEN(POST "Content-Encoding:\r\n\r\n")},
};

static const struct bad bad_framing[] = {
	{400, LEN(POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n")},
	{400, LEN(POST "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n")},
	{400, LEN(POST "Content-Length: 5\r\nContent-Length: 5\r\n\r\n")},
	{400, LEN(POST "Content-Length: 5\r\ncontent-length: 6\r\n\r\n")},
	{400, LEN(POST "Content-Length: 5, 5\r\n\r\n")},
	{400, LEN(POST "Content-Length: 5,\r\n\r\n")},
	{400, LEN(POST "Content-Length:\r\n\r\n")},
	{400, LEN(POST "Content-Length: +5\r\n\r\n")},
	{400, LEN(POST "Content-Length: -5\r\n\r\n")},
	{400, LEN(POST "Content-Length: 0x5\r\n\r\n")},
	{400, LEN(POST "Content-Length: 5 5\r\n\r\n")},
	{400, LEN(POST "Content-Length: 5.0\r\n\r\n")},
	{400, LEN(POST "Content-Length: 1e3\r\n\r\n")},
	{400, LEN(POST "Content-Length: \"5\"\r\n\r\n")},
	{400, LEN(POST "Content-Length: five\r\n\r\n")},
	{400, LEN(POST "Content-Length: 18446744073709551616\r\n\r\n")},
	{400, LEN(POST "Content-Length: 99999999999999999999999999\r\n\r\n")},
	{501, LEN(POST "Transfer-Encoding: gzip\r\n\r\n")},
	{501, LEN(POST "Transfer-Encoding: gzip, chunked\r\n\r\n")},
	{501, LEN(POST "Transfer-Encoding: chunked, gzip\r\n\r\n")},
	{501, LEN(POST "Transfer-Encoding: chunked, chunked\r\n\r\n")},
	{501, LEN(POST "Transfer-Encoding: chunked,\r\n\r\n")},
	{501, LEN(POST "Transfer-Encoding: chunked;q=1\r\n\r\n")},
	{501, LEN(POST "Transfer-Encoding: xchunked\r\n\r\n")},
	{501, LEN(POST "Transfer-Encoding: identity\r\n\r\n")},
	{501, LEN(POST "Transfer-Encoding:\r\n\r\n")},
	{501, LEN(POST "Transfer-Encoding: \"chunked\"\r\n\r\n")},
	{501, LEN(POST "Transfer-Encoding: \x80"
		       "chunked\r\n\r\n")},
	{400, LEN(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n")},
	{501, LEN(POST "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n")},
	{400, LEN(POST "Transfer-Encoding : chunked\r\n\r\n")},
	{400, LEN(POST "Transfer-Encoding:\v"
		       "chunked\r\n\r\n")},
	{400, LEN("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n")},
	{400, LEN("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n")},
};

static void check_table(const struct bad *t, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		check_bad(t[i].in, t[i].status, false);
	}
}

static void test_request_line_bad(void **state)
{
	(void)state;
	check_table(bad_line, ARRAY_LEN(bad_line));
}

static void test_request_fields_bad(void **state)
{
	(void)state;
	check_table(bad_field, ARRAY_LEN(bad_field));
}

static void test_request_framing_bad(void **state)
{
	(void)state;
	check_table(bad_framing, ARRAY_LEN(bad_framing));
}

/* "GET /aaa... HTTP/1.1\r\nHost: a\r\n" with a first line of exactly line_n bytes. */
static size_t long_line(char *p, size_t line_n)
{
	static const char head[] = "GET /", tail[] = " HTTP/1.1\r\n";
	size_t pad = line_n - (sizeof(head) - 1) - (sizeof(tail) - 1);

	memcpy(p, head, sizeof(head) - 1);
	memset(p + 5, 'a', pad);
	memcpy(p + 5 + pad, tail, sizeof(tail) - 1);
	memcpy(p + line_n, H11, sizeof(H11) - 1);
	return line_n + sizeof(H11) - 1;
}

static char text[4 * HTTP_HEAD_MAX];

static void test_line_limit(void **state)
{
	size_t n = long_line(text, HTTP_LINE_MAX);

	(void)state;
	memcpy(text + n, "\r\n", 2);
	assert_int_equal(parse_growing((struct str){text, n + 2}, false).r, n + 2);
	n = long_line(text, HTTP_LINE_MAX + 1);
	memcpy(text + n, "\r\n", 2);
	check_bad((struct str){text, n + 2}, 414, false);
	check_bad((struct str){text, HTTP_LINE_MAX}, 414, false);
	assert_int_equal(parse((struct str){text, HTTP_LINE_MAX - 1}, false).r, 0);
	/* A line that ends one byte behind the limit, cut between CR and LF. */
	assert_int_equal(parse((struct str){text, HTTP_LINE_MAX}, false).status, 414);
}

/* A head of exactly n bytes with one long field. */
static void long_head(char *p, size_t n)
{
	size_t at = long_line(p, 100);

	memcpy(p + at, "X: ", 3);
	memset(p + at + 3, 'b', n - at - 3 - 4);
	memcpy(p + n - 4, "\r\n\r\n", 4);
}

static void test_head_limit(void **state)
{
	(void)state;
	long_head(text, HTTP_HEAD_MAX);
	assert_int_equal(parse_growing((struct str){text, HTTP_HEAD_MAX}, false).r, HTTP_HEAD_MAX);
	long_head(text, HTTP_HEAD_MAX + 1);
	check_bad((struct str){text, HTTP_HEAD_MAX + 1}, 431, false);
	assert_int_equal(parse((struct str){text, HTTP_HEAD_MAX - 1}, false).r, 0);
	assert_int_equal(parse((struct str){text, HTTP_HEAD_MAX}, false).status, 431);
	/* Beyond the limit even what would be wrong for another reason. */
	long_head(text, HTTP_HEAD_MAX + 100);
	text[HTTP_HEAD_MAX + 50] = '\0';
	check_bad((struct str){text, HTTP_HEAD_MAX + 100}, 431, false);
}

static size_t many_fields(char *p, size_t fields)
{
	size_t n = long_line(p, 100);

	for (size_t i = 1; i < fields; i++) {
		memcpy(p + n, "X: y\r\n", 6);
		n += 6;
	}
	memcpy(p + n, "\r\n", 2);
	return n + 2;
}

static void test_field_limit(void **state)
{
	size_t n = many_fields(text, HTTP_FIELDS_MAX);

	(void)state;
	assert_int_equal(parse_growing((struct str){text, n}, false).r, n);
	assert_int_equal(req.h.field_n, HTTP_FIELDS_MAX);
	n = many_fields(text, HTTP_FIELDS_MAX + 1);
	check_bad((struct str){text, n}, 431, false);
}

static void test_method_limit(void **state)
{
	(void)state;
	assert_true(
		parse(LEN("ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF / HTTP/1.1\r\n" H11 "\r\n"), false).r >
		0);
	assert_int_equal(req.method, HTTP_OTHER);
	for (int m = HTTP_GET; m < HTTP_METHODS; m++) {
		int n = snprintf(text, sizeof(text), "%s / HTTP/1.1\r\n" H11 "\r\n",
			http_method_name((enum http_method)m));

		assert_int_equal(parse((struct str){text, (size_t)n}, false).r, n);
		assert_int_equal(req.method, m);
	}
}

/* --- Responses */

struct good_resp {
	struct str in;
	int status;
	const char *reason;
	bool keep, chunked, has_length;
	uint64_t length;
};

static const struct good_resp good_resp[] = {
	{LEN("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n"), 200, "OK", true, false, true, 7},
	{LEN("HTTP/1.1 404 Not  Found \r\n\r\n"), 404, "Not  Found ", true, false, false, 0},
	{LEN("HTTP/1.1 200 \r\n\r\n"), 200, "", true, false, false, 0},
	{LEN("HTTP/1.1 200\r\n\r\n"), 200, "", true, false, false, 0},
	{LEN("HTTP/1.1 599 \xc3\xa4\r\nTransfer-Encoding: chunked\r\n\r\n"), 599, "\xc3\xa4", true,
		true, false, 0},
	{LEN("HTTP/1.1 100 Continue\r\n\r\n"), 100, "Continue", true, false, false, 0},
	{LEN("HTTP/1.0 200 OK\r\n\r\n"), 200, "OK", false, false, false, 0},
	{LEN("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n"), 200, "OK", true, false, false,
		0},
	{LEN("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"), 200, "OK", false, false, false, 0},
	{LEN("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"), 200, "OK", true, false, false,
		0},
};

static void test_response_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good_resp); i++) {
		const struct good_resp *t = &good_resp[i];
		struct outcome o = parse_all_ways(t->in, true);

		if (o.r != (ssize_t)t->in.n) {
			fail_msg("%zd (%s) for: %s", o.r, o.r < 0 ? why : "", t->in.p);
		}
		assert_int_equal(resp.status, t->status);
		check_str(resp.reason, t->reason);
		assert_int_equal(resp.h.keep_alive, t->keep);
		assert_int_equal(resp.h.chunked, t->chunked);
		assert_int_equal(resp.h.has_length, t->has_length);
		assert_int_equal(resp.h.length, t->length);
	}
}

static const struct str bad_resp[] = {
	LEN("\r\nHTTP/1.1 200 OK\r\n\r\n"),
	LEN("HTTP/1.1\r\n\r\n"),
	LEN("HTTP/1.1 \r\n\r\n"),
	LEN("HTTP/1.1 20\r\n\r\n"),
	LEN("HTTP/1.1 2000 OK\r\n\r\n"),
	LEN("HTTP/1.1 2x0 OK\r\n\r\n"),
	LEN("HTTP/1.1 +20 OK\r\n\r\n"),
	LEN("HTTP/1.1 099 OK\r\n\r\n"),
	LEN("HTTP/1.1 600 OK\r\n\r\n"),
	LEN("HTTP/1.1  200 OK\r\n\r\n"),
	LEN("HTTP/1.1\t200 OK\r\n\r\n"),
	LEN("HTTP/2.0 200 OK\r\n\r\n"),
	LEN("HTTP/11 200 OK\r\n\r\n"),
	LEN("http/1.1 200 OK\r\n\r\n"),
	LEN("ICY 200 OK\r\n\r\n"),
	LEN("<html><body>hello</body></html>\r\n\r\n"),
	LEN("SSH-2.0-OpenSSH_9.2p1\r\n"),
	LEN("HTTP/1.1 200 OK\n\n"),
	LEN("HTTP/1.1 200 O\0K\r\n\r\n"),
	LEN("HTTP/1.1 200 O\rK\r\n\r\n"),
	LEN("HTTP/1.1 200 OK\r\n Folded: 1\r\n\r\n"),
	LEN("HTTP/1.1 200 OK\r\nX : 1\r\n\r\n"),
	LEN("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n"),
	LEN("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"),
	LEN("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
	LEN("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n"),
	LEN("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
};

static void test_response_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad_resp); i++) {
		check_bad(bad_resp[i], 502, true);
	}
	memset(text, 'a', HTTP_LINE_MAX);
	check_bad((struct str){text, HTTP_LINE_MAX}, 502, true);
	assert_int_equal(parse((struct str){text, HTTP_LINE_MAX - 1}, true).r, 0);
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(http_method_name(HTTP_OTHER), "");
	assert_string_equal(http_method_name(HTTP_CONNECT), "CONNECT");
	assert_string_equal(http_reason(431), "Request Header Fields Too Large");
	assert_string_equal(http_reason(299), "Unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request_good),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_request_line_bad),
		cmocka_unit_test(test_request_fields_bad),
		cmocka_unit_test(test_request_framing_bad),
		cmocka_unit_test(test_line_limit),
		cmocka_unit_test(test_head_limit),
		cmocka_unit_test(test_field_limit),
		cmocka_unit_test(test_method_limit),
		cmocka_unit_test(test_response_good),
		cmocka_unit_test(test_response_bad),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
