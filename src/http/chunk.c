/* SPDX-License-Identifier: MIT */
/* See chunk.h. */
#include "http/chunk.h"

#include <errno.h>

enum chunk_state {
	CH_SIZE,    /* digits of a size; 0 so that an all-zero struct is ready */
	CH_EXT,     /* behind ';' */
	CH_SIZE_LF, /* LF of the size line */
	CH_DATA,
	CH_DATA_CR,
	CH_DATA_LF,
	CH_TRAILER, /* lines behind the last chunk */
	CH_TRAILER_LF,
	CH_DONE,
};

bool http_chunk_done(const struct http_chunk *c)
{
	return c->state == CH_DONE;
}

static bool bad_text(char x)
{
	return ((unsigned char)x < 0x20 && x != '\t') || x == 0x7f;
}

/* Beginning of the size line: digits, then ';' or CR. */
static int feed_size(struct http_chunk *c, char x)
{
	int digit = chr_hex(x);

	if (digit >= 0) {
		if (c->digits == HTTP_CHUNK_DIGITS_MAX) {
			return -EBADMSG;
		}
		c->digits++;
		c->left = c->left << 4 | (uint64_t)digit; /* 16 digits are 64 bits: no overflow */
		return 0;
	}
	if (c->digits == 0) {
		return -EBADMSG;
	}
	if (x == '\r') {
		c->state = CH_SIZE_LF;
		return 0;
	}
	c->state = CH_EXT;
	return x == ';' ? 0 : -EBADMSG;
}

static int feed_size_line(struct http_chunk *c, char x)
{
	if (++c->line_n > HTTP_CHUNK_LINE_MAX) {
		return -EMSGSIZE;
	}
	switch (c->state) {
	case CH_SIZE:
		return feed_size(c, x);
	case CH_EXT:
		if (x == '\r') {
			c->state = CH_SIZE_LF;
			return 0;
		}
		return bad_text(x) ? -EBADMSG : 0;
	default:
		if (x != '\n') {
			return -EBADMSG;
		}
		c->state = c->left > 0 ? CH_DATA : CH_TRAILER;
		c->line_n = 0;
		c->digits = 0;
		c->empty = true;
		return 0;
	}
}

static int feed_trailer(struct http_chunk *c, char x)
{
	if (++c->line_n > HTTP_TRAILER_MAX) {
		return -EMSGSIZE;
	}
	if (c->state == CH_TRAILER_LF) {
		c->state = c->empty ? CH_DONE : CH_TRAILER;
		c->empty = true;
		return x == '\n' ? 0 : -EBADMSG;
	}
	if (x == '\r') {
		c->state = CH_TRAILER_LF;
		return 0;
	}
	c->empty = false;
	return bad_text(x) ? -EBADMSG : 0;
}

static int feed_framing(struct http_chunk *c, char x)
{
	c->overhead++;
	/* One-byte chunks and long extensions: much work and traffic for a small body. */
	if (c->overhead > HTTP_CHUNK_FREE && c->overhead / HTTP_CHUNK_RATIO > c->data) {
		return -EMSGSIZE;
	}
	switch (c->state) {
	case CH_SIZE:
	case CH_EXT:
	case CH_SIZE_LF:
		return feed_size_line(c, x);
	case CH_DATA_CR:
		c->state = CH_DATA_LF;
		return x == '\r' ? 0 : -EBADMSG;
	case CH_DATA_LF:
		c->state = CH_SIZE;
		return x == '\n' ? 0 : -EBADMSG;
	default:
		return feed_trailer(c, x);
	}
}

ssize_t http_chunk_feed(struct http_chunk *c, const char *p, size_t n, struct str *data)
{
	size_t at = 0;

	ASSERT(n > 0 && c->state != CH_DONE);
	*data = (struct str)STR_INIT;
	while (at < n && c->state != CH_DATA && c->state != CH_DONE) {
		int r = feed_framing(c, p[at++]);

		if (r < 0) {
			return r;
		}
	}
	if (at < n && c->state == CH_DATA) {
		data->p = p + at;
		data->n = c->left < n - at ? (size_t)c->left : n - at;
		at += data->n;
		c->left -= data->n;
		c->data += data->n;
		if (c->left == 0) {
			c->state = CH_DATA_CR;
		}
	}
	return (ssize_t)at;
}
