/* SPDX-License-Identifier: MIT */
/* http/stop.h: the end of a server at a signal. */
#include <signal.h>

#include "base/log.h"
#include "http/stop.h"
#include "http_help.h"

static struct http_stop ender;
static char said[512];
static struct buf log_text;
static int others;

static void sink(enum log_level level, struct str line)
{
	(void)level;
	buf_add(&log_text, line);
	buf_add(&log_text, STR("\n"));
}

static void also(void *arg)
{
	assert_ptr_equal(arg, &others);
	assert_true(site.server.stopping); /* after the server */
	others++;
}

static int setup(void **state)
{
	struct err e;

	others = 0;
	buf_init(&log_text, said, sizeof(said));
	log_set_sink(sink);
	ender = (struct http_stop){.also = also, .arg = &others};
	(void)site_setup(state);
	return http_stop_on_signal(&ender, &site.server, &e);
}

static int teardown(void **state)
{
	log_set_sink(NULL);
	loop_timer_del(&site.loop, &ender.deadline);
	loop_del(&site.loop, &ender.signal.w);
	close(ender.signal.w.fd);
	return site_teardown(state);
}

static void check_said(const char *expected)
{
	assert_true(str_eq_c(buf_str(&log_text), expected));
}

static void ask(void)
{
	assert_int_equal(raise(SIGTERM), 0);
	pump();
}

static void test_idle(void **state)
{
	(void)state;
	pump();
	assert_false(site.loop.stop);
	ask();
	assert_true(site.loop.stop);
	assert_int_equal(others, 1);
	check_said("stopping\n");
}

static void test_nothing_else(void **state)
{
	(void)state;
	ender.also = NULL;
	ask();
	assert_true(site.loop.stop);
	assert_int_equal(others, 0);
}

static void test_request_finishes(void **state)
{
	int fd = dial(), idle = dial();
	struct http_resp r;

	(void)state;
	say(fd, STR("GET /later HTTP/1.1\r\n" H "\r\n"));
	ask();
	assert_false(site.loop.stop);
	check_heard(idle, "", true);
	http_later_begin(site.later, &r);
	http_later_send(site.later, &r);
	check_heard(fd, HEAD_OF("200 OK", 0) "\r\n", true);
	close(fd);
	close(idle);
	pump();
	assert_true(site.loop.stop);
	assert_int_equal(others, 1);
	check_said("stopping\n");
}

static void test_request_takes_too_long(void **state)
{
	int fd = dial();

	(void)state;
	say(fd, STR("POST /echo HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhell"));
	ask();
	assert_false(site.loop.stop);
	assert_int_not_equal(ender.deadline.slot, 0);
	loop_timer_set(&site.loop, &ender.deadline, site.loop.now_ms); /* as if it had come */
	pump();
	assert_true(site.loop.stop);
	check_said("stopping\nwarning: requests in flight did not finish within 4500 ms\n");
	close(fd);
}

static void test_asked_twice(void **state)
{
	int fd = dial();

	(void)state;
	say(fd, STR("POST /echo HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhell"));
	ask();
	assert_false(site.loop.stop);
	ask();
	assert_true(site.loop.stop);
	assert_int_equal(others, 1);
	check_said("stopping\n");
	close(fd);
}

static void test_fails(void **state)
{
	struct loop broken = site.loop;
	struct http_stop s = {0};
	struct err e;

	(void)state;
	broken.epfd = -1;
	site.server.loop = &broken;
	assert_int_equal(http_stop_on_signal(&s, &site.server, &e), -EBADF);
	site.server.loop = &site.loop;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_idle),
		TEST(test_nothing_else),
		TEST(test_request_finishes),
		TEST(test_request_takes_too_long),
		TEST(test_asked_twice),
		TEST(test_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
