/* SPDX-License-Identifier: MIT */
/* Private to http: lines and header fields, as both kinds of heads have them. */
#ifndef HTTP_FIELDS_PRIV_H
#define HTTP_FIELDS_PRIV_H

#include "http/parse.h"

/* http_refuse: fill bad and return -EBADMSG. */
int http_refuse(struct http_bad *bad, int status, const char *why);

/*
 * http_line: the next line among the n bytes at p. Returns its length with CRLF and *line
 * without; 0 when the CRLF has not come; -EBADMSG for a bare CR or LF or a control character.
 */
ssize_t http_line(const char *p, size_t n, struct str *line, struct http_bad *bad) MUST_CHECK;

/*
 * http_fields: the field lines and the empty line behind the first `at` bytes of p into h, with
 * the limits on bytes and count, then what they say about framing and persistence (h->minor is
 * set by the caller). Returns the length of the whole head, 0 or -EBADMSG.
 */
ssize_t http_fields(
	const char *p, size_t n, size_t at, struct http_head *h, struct http_bad *bad) MUST_CHECK;

#endif
