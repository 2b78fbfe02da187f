/* SPDX-License-Identifier: MIT */
/* Chunked bodies: the first byte of the input says how large the pieces are; the result may not. */
#include <string.h>

#include "http/chunk.h"
#include "http_fuzz.h"

struct outcome {
	ssize_t r; /* 1 done, 0 more needed, -errno */
	size_t consumed, body_n;
	char body[1 << 16];
};

static struct outcome whole, pieces;

/* One piece; false when the decoder stopped. */
static bool feed_piece(struct outcome *o, struct http_chunk *c, const char *p, size_t n)
{
	struct str data;
	ssize_t r;

	for (size_t at = 0; at < n; at += (size_t)r) {
		r = http_chunk_feed(c, p + at, n - at, &data);
		if (r < 0) {
			o->r = r;
			return false;
		}
		ASSERT(r > 0 && (size_t)r <= n - at);
		fuzz_check_slice(data, p + at, (size_t)r);
		ASSERT(o->body_n + data.n <= sizeof(o->body));
		if (data.n > 0) {
			memcpy(o->body + o->body_n, data.p, data.n);
		}
		o->body_n += data.n;
		o->consumed += (size_t)r;
		if (http_chunk_done(c)) {
			o->r = 1;
			return false;
		}
	}
	return true;
}

static void feed(struct outcome *o, const char *p, size_t n, size_t step)
{
	struct http_chunk c = HTTP_CHUNK_INIT;

	o->r = 0;
	o->consumed = o->body_n = 0;
	for (size_t at = 0; at < n; at += step) {
		if (!feed_piece(o, &c, p + at, n - at < step ? n - at : step)) {
			break;
		}
	}
	ASSERT(c.data == o->body_n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data + 1;

	if (size < 2 || size > sizeof(whole.body)) {
		return 0;
	}
	feed(&whole, p, size - 1, size - 1);
	feed(&pieces, p, size - 1, data[0] % 16 + 1u);
	ASSERT(whole.r == pieces.r);
	ASSERT(whole.body_n == pieces.body_n);
	ASSERT(memcmp(whole.body, pieces.body, whole.body_n) == 0);
	ASSERT(whole.r < 0 || whole.consumed == pieces.consumed);
	/* Whatever stands between the pieces of a body, it is bounded by the body. */
	ASSERT(whole.consumed - whole.body_n <=
		HTTP_CHUNK_FREE + HTTP_CHUNK_RATIO * (whole.body_n + 1));
	return 0;
}
