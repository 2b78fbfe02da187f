/* SPDX-License-Identifier: MIT */
/* http/listen.h: the addresses that a program listens on. */
#include <arpa/inet.h>

#include "http/listen.h"
#include "http_help.h"

static struct http_listen l;
static in_port_t ports[HTTP_LISTEN_MAX];
static size_t opened_n;
static char opened_text[64];

static int setup(void **state)
{
	l = (struct http_listen)HTTP_LISTEN_INIT(&l);
	opened_n = 0;
	return site_setup(state);
}

static void give(const char *text)
{
	const struct opt table[] = {{"listen", OPT_LIST, &l.opt, 0, 0, "[ADDR:]PORT", "where"}};
	char *argv[] = {(char *)"tool", (char *)"--listen", (char *)text, NULL};
	struct err e;

	assert_int_equal(opts_parse(table, 1, 3, argv, &e), 3);
}

static void on_opened(const struct sock_addr *a, struct str text)
{
	assert_true(opened_n < HTTP_LISTEN_MAX);
	assert_true(str_copy(text, opened_text, sizeof(opened_text)));
	ports[opened_n++] = a->u.in.sin_port; /* the same place in both families */
}

static void test_given(void **state)
{
	struct err e;

	(void)state;
	give("127.0.0.1:80");
	give("[::1]:81");
	assert_int_equal(http_listen_parse(&l, ":1", "somewhere", &e), 0);
	assert_int_equal(l.opt.n, 2);
	assert_int_equal(l.addr[0].u.sa.sa_family, AF_INET);
	assert_int_equal(l.addr[0].u.in.sin_port, htons(80));
	assert_int_equal(l.addr[1].u.sa.sa_family, AF_INET6);
	assert_int_equal(l.addr[1].u.in6.sin6_port, htons(81));
}

static void test_not_given(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(http_listen_parse(&l, NULL, NULL, &e), 0);
	assert_int_equal(l.opt.n, 0);
	assert_int_equal(http_listen_all(&l, &site.server, on_opened, &e), 0);
	assert_int_equal(opened_n, 0);
	assert_int_equal(http_listen_parse(&l, "127.0.0.1:82", "somewhere", &e), 0);
	assert_int_equal(l.opt.n, 1);
	assert_int_equal(l.addr[0].u.in.sin_port, htons(82));
}

static void test_malformed(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(http_listen_parse(&l, "", "variable P", &e), -EINVAL);
	assert_string_equal(e.msg, "variable P: '': port must be a number from 0 to 65535");
	l = (struct http_listen)HTTP_LISTEN_INIT(&l);
	assert_int_equal(http_listen_parse(&l, "1.2.3:4", "listen of the file", &e), -EINVAL);
	assert_memory_equal(e.msg, "listen of the file: '1.2.3:4': ", 31);
	l = (struct http_listen)HTTP_LISTEN_INIT(&l);
	give("127.0.0.1:80");
	give("127.0.0.1:65536");
	assert_int_equal(http_listen_parse(&l, "ignored", "somewhere", &e), -EINVAL);
	assert_string_equal(
		e.msg, "--listen: '127.0.0.1:65536': port must be a number from 0 to 65535");
}

static void test_too_many(void **state)
{
	const struct opt row = {"listen", OPT_LIST, &l.opt, 0, 0, "[ADDR:]PORT", "where"};
	char *argv[] = {(char *)"tool", (char *)"--listen=1", NULL};
	struct err e;

	(void)state;
	for (int i = 0; i < HTTP_LISTEN_MAX; i++) {
		give("1");
	}
	assert_int_equal(opts_parse(&row, 1, 2, argv, &e), -EINVAL);
	assert_string_equal(e.msg, "--listen: given more than 4 times");
	assert_int_equal(http_listen_parse(&l, "2", "somewhere", &e), 0);
	assert_int_equal(l.opt.n, HTTP_LISTEN_MAX);
}

/* Port 0 asks the kernel for one, and that is what is shown. */
static void test_opened(void **state)
{
	char want[64];
	struct buf b;
	struct err e;

	(void)state;
	give("127.0.0.1:0");
	give("127.0.0.1:0");
	assert_int_equal(http_listen_parse(&l, NULL, NULL, &e), 0);
	assert_int_equal(http_listen_all(&l, &site.server, on_opened, &e), 0);
	assert_int_equal(opened_n, 2);
	assert_int_equal(site.server.listener_n, 2);
	assert_int_not_equal(ports[0], 0);
	assert_int_not_equal(ports[1], 0);
	assert_int_not_equal(ports[0], ports[1]);
	assert_int_equal(l.addr[0].u.in.sin_port, 0); /* what was asked for stays */
	buf_init(&b, want, sizeof(want) - 1);
	buf_printf(&b, "127.0.0.1:%u", (unsigned)ntohs(ports[1]));
	want[b.n] = '\0';
	assert_string_equal(opened_text, want);
}

static void test_cannot_open(void **state)
{
	char taken[64];
	struct buf b;
	struct err e;

	(void)state;
	give("127.0.0.1:0");
	assert_int_equal(http_listen_parse(&l, NULL, NULL, &e), 0);
	assert_int_equal(http_listen_all(&l, &site.server, on_opened, &e), 0);
	buf_init(&b, taken, sizeof(taken) - 1);
	buf_printf(&b, "127.0.0.1:%u", (unsigned)ntohs(ports[0]));
	taken[b.n] = '\0';
	l = (struct http_listen)HTTP_LISTEN_INIT(&l);
	give("127.0.0.1:0");
	give(taken);
	give("127.0.0.1:0");
	assert_int_equal(http_listen_parse(&l, NULL, NULL, &e), 0);
	assert_int_equal(http_listen_all(&l, &site.server, on_opened, &e), -EADDRINUSE);
	assert_memory_equal(e.msg, "listen on 127.0.0.1:", 20);
	assert_int_equal(opened_n, 2); /* not the third */
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, site_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_given),
		TEST(test_not_given),
		TEST(test_malformed),
		TEST(test_too_many),
		TEST(test_opened),
		TEST(test_cannot_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
