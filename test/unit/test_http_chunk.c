/* SPDX-License-Identifier: MIT */
/* http/chunk.h: the chunked coding whole, byte by byte, in every split, twice in a row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "guard.h"
#include "http/chunk.h"

#define LEN(s) ((struct str){(s), sizeof(s) - 1})

static char body[1 << 20];

/* What came of feeding s in pieces of at most step bytes. */
struct outcome {
	int r; /* 1 done, 0 more needed, -errno */
	size_t consumed, body_n;
};

/* One piece, from its own guard page; false when the decoder stopped. */
static bool feed_piece(struct http_chunk *c, struct str piece, struct outcome *o)
{
	struct guard g = guard_copy(piece);
	size_t at = 0;

	while (at < piece.n && o->r == 0) {
		struct str data;
		ssize_t r = http_chunk_feed(c, g.s.p + at, g.s.n - at, &data);

		if (r < 0) {
			o->r = (int)r;
			break;
		}
		assert_true(r > 0 && (size_t)r <= piece.n - at);
		if (data.n > 0) {
			assert_true(data.p >= g.s.p + at && data.p + data.n <= g.s.p + at + r);
			assert_true(o->body_n + data.n <= sizeof(body));
			memcpy(body + o->body_n, data.p, data.n);
			o->body_n += data.n;
		}
		at += (size_t)r;
		o->r = http_chunk_done(c);
	}
	o->consumed += at;
	guard_free(&g);
	return o->r == 0;
}

static struct outcome feed(struct str s, size_t first, size_t step)
{
	struct http_chunk c = HTTP_CHUNK_INIT;
	struct outcome o = {0, 0, 0};

	while (s.n > 0) {
		size_t n = first > 0 ? first : step;

		n = n < s.n ? n : s.n;
		first = 0;
		if (!feed_piece(&c, (struct str){s.p, n}, &o)) {
			break;
		}
		s = str_skip(s, n);
	}
	return o;
}

static void check_same(struct outcome a, struct outcome b)
{
	assert_int_equal(a.r, b.r);
	if (a.r > 0) {
		assert_int_equal(a.consumed, b.consumed);
	}
	assert_int_equal(a.body_n, b.body_n);
}

static struct outcome feed_all_ways(struct str s)
{
	struct outcome o = feed(s, 0, s.n), again;
	char *twice = malloc(2 * s.n);

	assert_non_null(twice);
	if (s.n < 2000) {
		check_same(o, feed(s, 0, 1));
		for (size_t first = 1; first < s.n; first++) {
			check_same(o, feed(s, first, s.n));
		}
	} else {
		check_same(o, feed(s, 0, 37));
	}
	memcpy(twice, s.p, s.n);
	memcpy(twice + s.n, s.p, s.n);
	if (o.r > 0) {
		check_same(o, feed((struct str){twice, 2 * s.n}, 0, 2 * s.n));
		again = feed((struct str){twice + o.consumed, 2 * s.n - o.consumed}, 0, 2 * s.n);
		check_same(o, again);
	}
	free(twice);
	return feed(s, 0, s.n);
}

struct good {
	struct str in;
	const char *out;
	size_t behind; /* bytes of the next message */
};

static const struct good good[] = {
	{LEN("0\r\n\r\n"), "", 0},
	{LEN("5\r\nhello\r\n0\r\n\r\n"), "hello", 0},
	{LEN("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"), "hello world", 0},
	{LEN("a\r\n0123456789\r\n0\r\n\r\n"), "0123456789", 0},
	{LEN("A\r\n0123456789\r\n000\r\n\r\n"), "0123456789", 0},
	{LEN("0000000000000005\r\nhello\r\n0000000000000000\r\n\r\n"), "hello", 0},
	{LEN("4\r\n\r\n\r\n\r\n0\r\n\r\n"), "\r\n\r\n", 0},
	{LEN("5;a=b;c=\"d\"\r\nhello\r\n0;last\r\n\r\n"), "hello", 0},
	{LEN("5;\r\nhello\r\n0;\t\r\n\r\n"), "hello", 0},
	{LEN("5\r\nhello\r\n0\r\nX-A: b\r\nContent-Length: 77\r\n\r\n"), "hello", 0},
	{LEN("1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n"), "abc", 0},
};

static void test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct outcome o = feed_all_ways(good[i].in);

		if (o.r != 1 || o.consumed != good[i].in.n) {
			fail_msg("%d after %zu of: %s", o.r, o.consumed, good[i].in.p);
		}
		assert_int_equal(o.body_n, strlen(good[i].out));
		assert_memory_equal(body, good[i].out, o.body_n);
	}
}

static void test_leaves_the_next_message(void **state)
{
	struct str in = LEN("5\r\nhello\r\n0\r\n\r\nGET / HTTP/1.1\r\n");
	struct outcome o = feed(in, 0, in.n);

	(void)state;
	assert_int_equal(o.r, 1);
	assert_int_equal(o.consumed, 15);
	/* Also one of a single byte, and behind trailers. */
	o = feed(LEN("0\r\nA: b\r\n\r\nX"), 0, 100);
	assert_int_equal(o.consumed, 11);
}

static const struct str more[] = {
	LEN("0"),
	LEN("0\r"),
	LEN("0\r\n"),
	LEN("0\r\n\r"),
	LEN("0\r\nX: y\r\n"),
	LEN("5\r\nhell"),
	LEN("5\r\nhello"),
	LEN("5\r\nhello\r"),
	LEN("5\r\nhello\r\n"),
	LEN("5;ext"),
	LEN("ffffffffffffffff\r\nx"),
};

static void test_more_needed(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(more); i++) {
		struct outcome o = feed_all_ways(more[i]);

		assert_int_equal(o.r, 0);
		assert_int_equal(o.consumed, more[i].n);
	}
}

static const struct str bad[] = {
	LEN("\r\n"),
	LEN("\r\nhello\r\n0\r\n\r\n"),
	LEN(";a=b\r\nhello\r\n"),
	LEN(" 5\r\nhello\r\n"),
	LEN("\t5\r\nhello\r\n"),
	LEN("5 \r\nhello\r\n"),
	LEN("5 ;a\r\nhello\r\n"),
	LEN("+5\r\nhello\r\n"),
	LEN("-5\r\nhello\r\n"),
	LEN("0x5\r\nhello\r\n"),
	LEN("5g\r\nhello\r\n"),
	LEN("g\r\n"),
	LEN("\xc2\xb5\r\n"),
	LEN("5_0\r\nhello\r\n"),
	LEN("5\nhello\r\n0\r\n\r\n"),
	LEN("5\rhello\r\n0\r\n\r\n"),
	LEN("5\r\rhello\r\n0\r\n\r\n"),
	LEN("\0"
	    "5\r\nhello\r\n"),
	LEN("5\0\r\nhello\r\n"),
	LEN("5;a\0b\r\nhello\r\n"),
	LEN("5;a\nb\r\nhello\r\n"),
	LEN("5;a\rb\r\nhello\r\n"),
	LEN("5;a\x7f\r\nhello\r\n"),
	LEN("5\r\nhello0\r\n\r\n"),
	LEN("5\r\nhello\n0\r\n\r\n"),
	LEN("5\r\nhello\r0\r\n\r\n"),
	LEN("5\r\nhello!\r\n0\r\n\r\n"),
	LEN("5\r\nhello\r\n\r\n0\r\n\r\n"),
	LEN("4\r\nhello\r\n0\r\n\r\n"),
	LEN("6\r\nhello\r\n0\r\n\r\n"),
	LEN("00000000000000005\r\nhello\r\n"),
	LEN("10000000000000000\r\nhello\r\n"),
	LEN("fffffffffffffffff\r\nhello\r\n"),
	LEN("0\r\nX: y\n\r\n"),
	LEN("0\r\nX: y\r\r\n\r\n"),
	LEN("0\r\nX: \0\r\n\r\n"),
	LEN("0\r\n\n"),
	LEN("0\r\n\r\r\n"),
	LEN("0\n\n"),
};

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct outcome o = feed_all_ways(bad[i]);

		if (o.r != -EBADMSG) {
			fail_msg("%d for: %s", o.r, bad[i].p);
		}
	}
}

static char text[1 << 20];

/* A size line with an extension, of exactly n bytes. */
static size_t long_size_line(char *p, size_t n)
{
	memcpy(p, "5;", 2);
	memset(p + 2, 'x', n - 4);
	memcpy(p + n - 2, "\r\n", 2);
	return n;
}

static void test_size_line_limit(void **state)
{
	size_t n = long_size_line(text, HTTP_CHUNK_LINE_MAX);

	(void)state;
	memcpy(text + n, "hello\r\n0\r\n\r\n", 12);
	assert_int_equal(feed_all_ways((struct str){text, n + 12}).r, 1);
	n = long_size_line(text, HTTP_CHUNK_LINE_MAX + 1);
	assert_int_equal(feed_all_ways((struct str){text, n}).r, -EMSGSIZE);
	/* One that never ends. */
	memset(text + 2, 'x', 4000);
	assert_int_equal(feed((struct str){text, 4000}, 0, 1).r, -EMSGSIZE);
}

static size_t long_trailer(char *p, size_t n)
{
	memcpy(p, "0\r\n", 3);
	memset(p + 3, 't', n - 4);
	for (size_t at = 100; at + 10 < n; at += 100) {
		memcpy(p + 3 + at, "\r\nX: y", 6);
	}
	memcpy(p + 3 + n - 4, "\r\n\r\n", 4);
	return 3 + n;
}

static void test_trailer_limit(void **state)
{
	size_t n = long_trailer(text, HTTP_TRAILER_MAX);
	size_t small = HTTP_CHUNK_FREE - 3; /* an empty body has that much of framing */

	(void)state;
	assert_int_equal(feed((struct str){text, n}, 0, n).r, -EMSGSIZE);
	n = long_trailer(text, small);
	assert_int_equal(feed_all_ways((struct str){text, n}).r, 1);
	/* Behind a body that pays for it, the trailers' own limit counts. */
	memcpy(text, "1000\r\n", 6);
	memset(text + 6, 'd', 0x1000);
	memcpy(text + 6 + 0x1000, "\r\n", 2);
	n = 8 + 0x1000 + long_trailer(text + 8 + 0x1000, HTTP_TRAILER_MAX);
	assert_int_equal(feed_all_ways((struct str){text, n}).r, 1);
	n = 8 + 0x1000 + long_trailer(text + 8 + 0x1000, HTTP_TRAILER_MAX + 1);
	assert_int_equal(feed_all_ways((struct str){text, n}).r, -EMSGSIZE);
}

static size_t repeat(const char *chunk, size_t times)
{
	size_t len = strlen(chunk);

	for (size_t i = 0; i < times; i++) {
		memcpy(text + i * len, chunk, len);
	}
	memcpy(text + times * len, "0\r\n\r\n", 5);
	return times * len + 5;
}

static void test_overhead_limit(void **state)
{
	size_t n = repeat("1\r\nx\r\n", 20000);
	struct outcome o = feed((struct str){text, n}, 0, 4096);

	(void)state;
	assert_int_equal(o.r, 1); /* legal, if odd */
	assert_int_equal(o.body_n, 20000);
	n = repeat("1;0123456789\r\nx\r\n", 20000);
	o = feed((struct str){text, n}, 0, 4096);
	assert_int_equal(o.r, -EMSGSIZE);
	assert_true(o.consumed < 10000);
	n = repeat("1;0123456789\r\nx\r\n", 100);
	assert_int_equal(feed((struct str){text, n}, 0, 4096).r, 1); /* few of them do no harm */
}

static void feed_after_end(void *arg)
{
	struct http_chunk c = HTTP_CHUNK_INIT;
	struct str data;

	(void)arg;
	(void)!http_chunk_feed(&c, "0\r\n\r\n", 5, &data);
	(void)!http_chunk_feed(&c, "x", 1, &data);
}

static void test_misuse(void **state)
{
	(void)state;
	assert_true(guard_aborts(feed_after_end, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_leaves_the_next_message),
		cmocka_unit_test(test_more_needed),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_size_line_limit),
		cmocka_unit_test(test_trailer_limit),
		cmocka_unit_test(test_overhead_limit),
		cmocka_unit_test(test_misuse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
