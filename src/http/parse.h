/* SPDX-License-Identifier: MIT */
/* Heads of HTTP/1.x requests and responses (RFC 9112), without I/O and without allocation. */
#ifndef HTTP_PARSE_H
#define HTTP_PARSE_H

#include <stdint.h>
#include <sys/types.h>

#include "base/str.h"
#include "http/limits.h"

struct http_field {
	struct str name;  /* a token, in the sender's spelling: compare with str_ieq */
	struct str value; /* without blanks around it; no control character but HT; may be empty */
};

enum http_method {
	HTTP_OTHER, /* a token, but no method of RFC 9110 9.1 or RFC 5789 */
	HTTP_GET,
	HTTP_HEAD,
	HTTP_POST,
	HTTP_PUT,
	HTTP_DELETE,
	HTTP_OPTIONS,
	HTTP_PATCH,
	HTTP_TRACE,
	HTTP_CONNECT,
	HTTP_METHODS,
};

/* What requests and responses share: fields, framing (RFC 9112 6) and persistence (9.3). */
struct http_head {
	uint8_t minor;   /* HTTP/1.minor: 0, or 1 for everything later */
	bool keep_alive; /* the sender's side of it: version and Connection fields */
	bool chunked;    /* Transfer-Encoding: chunked, and then never has_length */
	bool has_length;
	uint64_t length; /* Content-Length; 0 when there is none */
	size_t field_n;
	struct http_field field[HTTP_FIELDS_MAX];
};

struct http_req_head {
	enum http_method method;
	struct str method_text;
	struct str target; /* as sent */
	struct str path;   /* from '/' to before '?', not percent-decoded */
	struct str query;  /* behind the first '?', raw; p is NULL when there is no '?' */
	bool expect_continue;
	struct http_head h;
};

struct http_resp_head {
	int status; /* 100..599 */
	struct str reason;
	struct http_head h;
};

/* Why a message is refused: a status to answer and a sentence that may be shown to the sender. */
struct http_bad {
	int status;
	const char *why; /* static text */
};

/*
 * http_req_parse: read one request head from the n bytes at p. Everything in *out points into p.
 * Returns the bytes consumed (the body begins there); 0 when more bytes are needed (call again
 * with all bytes from the start; *out is undefined); -EBADMSG with *bad filled when the request
 * must be refused and the connection closed: 400, 414, 415, 417, 431, 501 or 505. An error is
 * reported when its line is complete or too long, control characters at once; more bytes do not
 * change it. So calling again pays only when a line has ended or the buffer is full.
 *
 * One empty line before the request line is skipped. CRLF is required. All of RFC 9112's ways to
 * disagree about where a message ends are refused: both Content-Length and Transfer-Encoding,
 * either one repeated, lists and signs in a length, any coding but exactly "chunked", codings in
 * HTTP/1.0, folded lines, blanks before ':', control characters.
 */
ssize_t http_req_parse(
	const char *p, size_t n, struct http_req_head *out, struct http_bad *bad) MUST_CHECK;

/* http_resp_parse: the same for a response head. bad->status is 502 for every error. */
ssize_t http_resp_parse(
	const char *p, size_t n, struct http_resp_head *out, struct http_bad *bad) MUST_CHECK;

/* http_find: the value of the first field of that name; false (out untouched) if there is none. */
bool http_find(const struct http_head *h, const char *name, struct str *out) MUST_CHECK;

/* What may be put on the wire. */
bool http_is_token(struct str s) MUST_CHECK; /* RFC 9110 5.6.2: field names, methods */
bool http_is_value(struct str s) MUST_CHECK; /* no control characters but HT: no CR, LF, NUL */
bool http_is_host(struct str s) MUST_CHECK;  /* uri-host [":" port]; empty is no host */
bool http_is_path(struct str s) MUST_CHECK;  /* '/' and visible ASCII without '#' */

const char *http_method_name(enum http_method m); /* "GET"; "" for HTTP_OTHER */
const char *http_reason(int status);              /* "Not Found"; "Unknown" for others */

#endif
