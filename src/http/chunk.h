/* SPDX-License-Identifier: MIT */
/* The chunked transfer coding (RFC 9112 7.1) without I/O: a decoder fed with what arrives. */
#ifndef HTTP_CHUNK_H
#define HTTP_CHUNK_H

#include <stdint.h>
#include <sys/types.h>

#include "base/str.h"
#include "http/limits.h"

/* State of one body; set up with HTTP_CHUNK_INIT, fields are the decoder's own. */
struct http_chunk {
	uint64_t left;     /* bytes of the current chunk that have not come yet */
	uint64_t data;     /* data bytes so far */
	uint64_t overhead; /* all other bytes so far */
	uint32_t line_n;   /* bytes of the current size line, or of all trailers */
	uint8_t state;
	uint8_t digits;
	bool empty; /* nothing on the current trailer line yet */
};

#define HTTP_CHUNK_INIT ((struct http_chunk){0})

/*
 * http_chunk_feed: decode from the n > 0 bytes at p. Returns how many it consumed, always at least
 * one; call again with the rest until all is consumed or http_chunk_done. *data is the piece of
 * the body among them (inside p, empty if there was only framing). Bytes behind the body are not
 * consumed. Returns -EBADMSG for wrong framing, -EMSGSIZE when size lines, trailers or the
 * framing as a whole exceed their limits. The sum of all data is for the caller to limit.
 *
 * Strict: a size has at least one hexadecimal digit and no blank before it, lines end with CRLF,
 * data is followed by exactly CRLF, no control characters in extensions and trailers. Extensions
 * and trailers are thrown away. Must not be called again after an error or when done.
 */
ssize_t http_chunk_feed(struct http_chunk *c, const char *p, size_t n, struct str *data) MUST_CHECK;

bool http_chunk_done(const struct http_chunk *c) MUST_CHECK;

#endif
