/* SPDX-License-Identifier: MIT */
/* grpc/wire.h: message prefix in every split, timeouts, status and its text. */
#include "unit.h"

#include <errno.h>

#include "grpc/wire.h"
#include "guard.h"

#define LEN(s) ((struct str){(s), sizeof(s) - 1})

/* Feeds s in pieces of at most step bytes; > 0 done, 0 more needed, -errno. */
static int feed(struct str s, size_t step, struct buf *out, size_t *consumed)
{
	struct grpc_frame f = {0};

	*consumed = 0;
	buf_reset(out);
	while (s.n > 0 && !grpc_frame_done(&f)) {
		struct guard g = guard_copy((struct str){s.p, s.n < step ? s.n : step});
		struct str data;
		ssize_t r = grpc_frame_feed(&f, g.s, &data);

		if (r >= 0) {
			assert_true(r > 0 && (size_t)r <= g.s.n && data.n <= (size_t)r);
			buf_add(out, data);
			*consumed += (size_t)r;
			s = str_skip(s, (size_t)r);
		}
		guard_free(&g);
		if (r < 0) {
			return (int)r;
		}
	}
	return grpc_frame_done(&f) ? 1 : 0;
}

static void check(struct str s, int want, struct str body)
{
	char mem[64];
	struct buf out;
	size_t consumed;

	buf_init(&out, mem, sizeof(mem));
	for (size_t step = 1; step <= s.n + 1; step++) {
		assert_int_equal(feed(s, step, &out, &consumed), want);
		if (want >= 0) {
			assert_true(buf_ok(&out) && str_eq(buf_str(&out), body));
		}
		if (want > 0) {
			assert_int_equal(consumed, GRPC_PREFIX + body.n);
		}
	}
}

static void test_frame(void **state)
{
	(void)state;
	check(LEN("\0\0\0\0\0"), 1, LEN(""));
	check(LEN("\0\0\0\0\3abc"), 1, LEN("abc"));
	check(LEN("\0\0\0\0\3abcdef"), 1, LEN("abc")); /* what follows is not taken */
	check(LEN(""), 0, LEN(""));
	check(LEN("\0"), 0, LEN(""));
	check(LEN("\0\0\0\0"), 0, LEN(""));
	check(LEN("\0\0\0\0\3ab"), 0, LEN("ab"));
	check(LEN("\0\0\x40\0\0x"), 0, LEN("x")); /* exactly the largest */
	check(LEN("\1\0\0\0\0"), -ENOTSUP, LEN(""));
	check(LEN("\1\xff\xff\xff\xff"), -ENOTSUP, LEN(""));
	check(LEN("\2\0\0\0\0"), -EBADMSG, LEN(""));
	check(LEN("\xff\0\0\0\0"), -EBADMSG, LEN(""));
	check(LEN("\0\0\x40\0\1"), -EMSGSIZE, LEN(""));
	check(LEN("\0\xff\xff\xff\xff"), -EMSGSIZE, LEN(""));
}

static void test_prefix(void **state)
{
	uint8_t p[GRPC_PREFIX];

	(void)state;
	grpc_frame_prefix(p, 0x01020304);
	assert_memory_equal(p, "\0\1\2\3\4", 5);
}

static void test_timeout(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} good[] = {{"1H", 3600000}, {"2M", 120000}, {"3S", 3000}, {"4m", 4}, {"1u", 1},
		{"1000u", 1}, {"1001u", 2}, {"1n", 1}, {"0n", 0}, {"0S", 0},
		{"99999999H", 99999999 * 3600000LL}, {"00000001S", 1000}};
	static const char *const bad[] = {"", "S", "1", "1s", "1 S", " 1S", "-1S", "+1S", "1SS",
		"0x1S", "123456789S", "1.5S", "1h", "S1", "1\n"};
	int64_t ms;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_true(grpc_timeout_parse(str_from(good[i].text), &ms));
		assert_int_equal(ms, good[i].ms);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		ms = 77;
		assert_false(grpc_timeout_parse(str_from(bad[i]), &ms));
		assert_int_equal(ms, 77);
	}
}

static void check_text(struct str plain, const char *coded)
{
	char mem[128];
	struct buf b;

	buf_init(&b, mem, sizeof(mem));
	grpc_text_encode(&b, plain);
	assert_true(buf_ok(&b) && str_eq_c(buf_str(&b), coded));
	buf_reset(&b);
	grpc_text_decode(&b, str_from(coded));
	assert_true(buf_ok(&b) && str_eq(buf_str(&b), plain));
}

static void check_decode(const char *coded, const char *plain)
{
	struct guard g = guard_copy(str_from(coded));
	char mem[128];
	struct buf b;

	buf_init(&b, mem, sizeof(mem));
	grpc_text_decode(&b, g.s);
	assert_true(str_eq_c(buf_str(&b), plain));
	guard_free(&g);
}

static void test_text(void **state)
{
	(void)state;
	check_text(LEN(""), "");
	check_text(LEN("plain text ~!"), "plain text ~!");
	check_text(LEN("50%"), "50%25");
	check_text(LEN("a\nb\0c\x7f"), "a%0Ab%00c%7F");
	check_text(LEN("\xc3\xa9"), "%C3%A9");
	check_decode("%", "%");
	check_decode("%4", "%4");
	check_decode("%4g", "%4g");
	check_decode("%%41", "%A");
	check_decode("%c3%A9%", "\xc3\xa9%");
}

static void test_status(void **state)
{
	enum grpc_status s = GRPC_OK;

	(void)state;
	assert_true(grpc_status_parse(LEN("0"), &s) && s == GRPC_OK);
	assert_true(grpc_status_parse(LEN("16"), &s) && s == GRPC_UNAUTHENTICATED);
	assert_true(grpc_status_parse(LEN("17"), &s) && s == GRPC_UNKNOWN);
	assert_true(grpc_status_parse(LEN("4000000000"), &s) && s == GRPC_UNKNOWN);
	s = GRPC_ABORTED;
	assert_false(grpc_status_parse(LEN(""), &s));
	assert_false(grpc_status_parse(LEN("-1"), &s));
	assert_false(grpc_status_parse(LEN("1x"), &s));
	assert_false(grpc_status_parse(LEN("99999999999999999999"), &s));
	assert_int_equal(s, GRPC_ABORTED);
	for (int i = 0; i < GRPC_STATUSES; i++) {
		assert_non_null(grpc_status_name((enum grpc_status)i));
	}
	assert_string_equal(grpc_status_name(GRPC_UNIMPLEMENTED), "UNIMPLEMENTED");
	assert_string_equal(grpc_status_name((enum grpc_status)99), "UNKNOWN");
	assert_int_equal(grpc_status_of_http(404), GRPC_UNIMPLEMENTED);
	assert_int_equal(grpc_status_of_http(503), GRPC_UNAVAILABLE);
	assert_int_equal(grpc_status_of_http(400), GRPC_INTERNAL);
	assert_int_equal(grpc_status_of_http(401), GRPC_UNAUTHENTICATED);
	assert_int_equal(grpc_status_of_http(403), GRPC_PERMISSION_DENIED);
	assert_int_equal(grpc_status_of_http(500), GRPC_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frame),
		cmocka_unit_test(test_prefix),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
