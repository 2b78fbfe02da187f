/* SPDX-License-Identifier: MIT */
/* grpc/dp.h: the bytes of each message, and reading requests that are cut, wrong or large. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>

#include "grpc/dp.h"
#include "guard.h"

#define LEN(s) ((struct str){(s), sizeof(s) - 1})

static char mem[4096];

static struct buf fresh(size_t cap)
{
	struct buf b;

	assert_true(cap <= sizeof(mem));
	buf_init(&b, mem, cap);
	return b;
}

static void check_bytes(const struct buf *b, struct str want)
{
	assert_true(buf_ok(b));
	assert_int_equal(b->n, want.n);
	assert_memory_equal(b->p, want.p, want.n);
}

static void test_options(void **state)
{
	struct buf b = fresh(16);
	struct grpc_dp_options o = {false, false};
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(grpc_dp_put_options(&b, &o, &e), 0);
	check_bytes(&b, LEN(""));
	o = (struct grpc_dp_options){true, true};
	assert_int_equal(grpc_dp_put_options(&b, &o, &e), 0);
	check_bytes(&b, LEN("\x08\x01\x10\x01"));
	b = fresh(3);
	assert_int_equal(grpc_dp_put_options(&b, &o, &e), -EMSGSIZE);
	assert_int_equal(b.n, 0);
}

static void test_register(void **state)
{
	struct grpc_dp_register r = {"x.sock", "a/b", {false, true}};
	struct err e = ERR_INIT;
	struct buf b = fresh(64);
	char longer[GRPC_DP_RESOURCE_MAX + 2];

	(void)state;
	assert_int_equal(grpc_dp_put_register(&b, &r, &e), 0);
	check_bytes(&b, LEN("\x0a\x07v1beta1\x12\x06x.sock\x1a\x03"
			    "a/b\x22\x02\x10\x01"));
	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	r.resource = longer;
	b = fresh(sizeof(mem));
	assert_int_equal(grpc_dp_put_register(&b, &r, &e), -EINVAL);
	assert_non_null(strstr(e.msg, "the name of the resource has more than 319 bytes"));
	r.resource = "a/b";
	r.endpoint = longer;
	assert_int_equal(grpc_dp_put_register(&b, &r, &e), -EINVAL);
	assert_non_null(strstr(e.msg, "the name of the socket"));
	r.endpoint = "\xff";
	assert_int_equal(grpc_dp_put_register(&b, &r, &e), -EINVAL);
	assert_non_null(strstr(e.msg, "UTF-8"));
	assert_int_equal(b.n, 0);
}

static void test_device(void **state)
{
	struct err e = ERR_INIT;
	struct buf b = fresh(64);

	(void)state;
	assert_int_equal(grpc_dp_put_device(&b, "a", true, &e), 0);
	assert_int_equal(grpc_dp_put_device(&b, "bc", false, &e), 0);
	check_bytes(&b, LEN("\x0a\x0c\x0a\x01"
			    "a\x12\x07Healthy"
			    "\x0a\x0f\x0a\x02"
			    "bc\x12\x09Unhealthy"));
	b = fresh(20);
	assert_int_equal(grpc_dp_put_device(&b, "a", true, &e), 0);
	assert_int_equal(grpc_dp_put_device(&b, "a", true, &e), -EMSGSIZE);
	assert_int_equal(b.n, 14);
}

static void test_spec(void **state)
{
	static const char *const bad[] = {"", "x", "rwx", "rwmr", "RW", "r w"};
	struct grpc_dp_spec s = {"/c", "/h", "rw"};
	struct err e = ERR_INIT;
	struct buf b = fresh(1024);
	char longer[GRPC_DP_PATH_MAX + 2];

	(void)state;
	assert_int_equal(grpc_dp_put_spec(&b, &s, &e), 0);
	check_bytes(&b, LEN("\x1a\x0c\x0a\x02/c\x12\x02/h\x1a\x02rw"));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		s.permissions = bad[i];
		assert_int_equal(grpc_dp_put_spec(&b, &s, &e), -EINVAL);
	}
	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	s = (struct grpc_dp_spec){longer, "/h", "rw"};
	assert_int_equal(grpc_dp_put_spec(&b, &s, &e), -EINVAL);
	s = (struct grpc_dp_spec){"/c", longer, "rw"};
	assert_int_equal(grpc_dp_put_spec(&b, &s, &e), -EINVAL);
}

static void test_container(void **state)
{
	static const size_t sizes[] = {0, 1, 127, 128, 2000};
	static const char zeros[2000];
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct str one = {zeros, sizes[i]};
		struct buf b = fresh(grpc_dp_container_size(sizes[i]));

		assert_int_equal(grpc_dp_put_container(&b, one, &e), 0);
		assert_int_equal(buf_room(&b), 0);
		b = fresh(grpc_dp_container_size(sizes[i]) - 1);
		assert_int_equal(grpc_dp_put_container(&b, one, &e), -EMSGSIZE);
		assert_int_equal(b.n, 0);
	}
	assert_int_equal(grpc_dp_container_size(1 << 14), 4 + (1 << 14));
	assert_int_equal(grpc_dp_container_size(1 << 21), 5 + (1 << 21));
}

/* All items of a message as text: "C" a container, "I:x" and the like. */
static int items(enum grpc_dp_kind kind, struct str message, struct buf *out)
{
	struct guard g = guard_copy(message);
	struct grpc_dp_reader r;
	struct err e = ERR_INIT;
	int n;

	buf_reset(out);
	grpc_dp_read(&r, kind, g.s);
	while ((n = grpc_dp_next(&r, &e)) > 0) {
		if (r.item == GRPC_DP_CONTAINER) {
			buf_add_chr(out, 'C');
		} else if (r.item == GRPC_DP_SIZE) {
			buf_printf(out, "S:%d", r.size);
		} else {
			buf_printf(out, "%c:%.*s", "CIAM"[r.item], STR_ARG(r.id));
		}
		buf_add_chr(out, ' ');
	}
	guard_free(&g);
	assert_true(n <= 0 && buf_ok(out));
	if (n < 0) {
		assert_true(e.msg[0] != '\0');
	}
	return n;
}

static void test_read(void **state)
{
	static const struct {
		enum grpc_dp_kind kind;
		struct str message;
		const char *want;
	} cases[] = {
		{GRPC_DP_ALLOCATE_REQUEST, LEN(""), ""},
		{GRPC_DP_ALLOCATE_REQUEST, LEN("\x0a\0"), "C "},
		{GRPC_DP_ALLOCATE_REQUEST, LEN("\x0a\x06\x0a\1a\x0a\1b\x0a\0\x0a\2\x0a\0"),
			"C I:a I:b C C I: "},
		/* Unknown fields of every type, outside and inside. */
		{GRPC_DP_ALLOCATE_REQUEST,
			LEN("\x10\1\x19"
			    "12345678\x22\1x\x2d"
			    "1234\x0a\5\x10\7\x0a\1a"),
			"C I:a "},
		{GRPC_DP_PREFERRED_REQUEST, LEN("\x0a\x08\x0a\1a\x12\1b\x18\5\x0a\2\x18\0"),
			"C A:a M:b S:5 C S:0 "},
		{GRPC_DP_PREFERRED_REQUEST,
			LEN("\x0a\x0b\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\1"), "C S:-1 "},
		{GRPC_DP_PRE_START_REQUEST, LEN("\x0a\1a\x0a\1b"), "I:a I:b "},
		{GRPC_DP_PRE_START_REQUEST, LEN(""), ""},
	};
	struct buf out = fresh(sizeof(mem));

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(items(cases[i].kind, cases[i].message, &out), 0);
		assert_true(str_eq_c(buf_str(&out), cases[i].want));
	}
}

static void test_read_malformed(void **state)
{
	static const struct str bad[] = {
		LEN("\x0a"),
		LEN("\x0a\1"),
		LEN("\x0a\2\x0a\1"),
		LEN("\x0a\3\x0a\2x"),
		LEN("\x08\1"),
		LEN("\x0a\2\x08\1"),
		LEN("\x0b"),
		LEN("\x0a\xff\xff\xff\xff\x0f"),
		LEN("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
		LEN("\0"),
		LEN("\xff"),
		LEN("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
		LEN("\x15"
		    "123"),
		LEN("\x11"
		    "1234567"),
		LEN("\x0a\4\x0a\2\xff\xfe"),
		LEN("\x0a\3\x0a\1\0"),
		LEN("\x0a\5\x0a\3\xed\xa0\x80"),
		LEN("\x10"),
		LEN("\x10\xff"),
	};
	struct buf out = fresh(sizeof(mem));

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(items(GRPC_DP_ALLOCATE_REQUEST, bad[i], &out), -EBADMSG);
	}
	assert_int_equal(items(GRPC_DP_PREFERRED_REQUEST, LEN("\x0a\3\x1a\1x"), &out), -EBADMSG);
	assert_int_equal(items(GRPC_DP_PREFERRED_REQUEST, LEN("\x0a\2\x10\1"), &out), -EBADMSG);
	assert_int_equal(items(GRPC_DP_PRE_START_REQUEST, LEN("\x08\1"), &out), -EBADMSG);
}

/* What was cut anywhere but between items is malformed, and never read past its end. */
static void test_read_cut(void **state)
{
	static const struct str whole = LEN("\x0a\x06\x0a\1a\x0a\1b\x0a\3\x0a\1c");
	struct buf out = fresh(sizeof(mem));

	(void)state;
	for (size_t n = 0; n <= whole.n; n++) {
		int r = items(GRPC_DP_ALLOCATE_REQUEST, (struct str){whole.p, n}, &out);

		assert_int_equal(r, n == 0 || n == 8 || n == whole.n ? 0 : -EBADMSG);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_register),
		cmocka_unit_test(test_device),
		cmocka_unit_test(test_spec),
		cmocka_unit_test(test_container),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_read_malformed),
		cmocka_unit_test(test_read_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
