/* SPDX-License-Identifier: MIT */
/* http/server.h: connections, deadlines, descriptors, memory, stop. No test asserts a time. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>

#include "http_help.h"

#define TIMEOUT_OUT                                                                                \
	HEAD_OF("408 Request Timeout", 26)                                                         \
	"Connection: close\r\n\r\nthe request took too long\n"

/* A server that listens on loopback; *port as it came. */
static void listen_loopback(in_port_t *port)
{
	struct sock_addr a;

	site_listen(&a);
	*port = a.u.in.sin_port;
}

static int dial_loopback(in_port_t port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = port};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_true(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
	return fd;
}

static int open_quick(void **state)
{
	const struct http_server_conf conf = {.conns = 4,
		.head_ms = 200,
		.body_ms = 200,
		.idle_ms = 200,
		.write_ms = 200,
		.drain_ms = 200};

	(void)state;
	site_open(&conf);
	return 0;
}

static int open_narrow(void **state)
{
	const struct http_server_conf conf = {.conns = 4};

	(void)state;
	site_open(&conf);
	return 0;
}

/* --- Deadlines */

static void test_silent_connection(void **state)
{
	int fd = dial();

	(void)state;
	assert_true(wait_closed());
	check_heard(fd, "", true);
	close(fd);
}

static void test_idle_connection(void **state)
{
	int fd = dial();

	(void)state;
	say(fd, STR(GET_SMALL));
	assert_true(wait_closed());
	check_heard(fd, SMALL, true); /* and nothing behind it */
	close(fd);
}

/* Bytes that keep coming do not move the deadline. */
static void check_slow(const char *begin, const char *drip)
{
	int fd = dial();
	int64_t until = clock_ms() + 10000;
	bool end = false;
	char mem[4096];
	struct buf all;

	buf_init(&all, mem, sizeof(mem));
	say(fd, str_from(begin));
	while (!end && clock_ms() < until) {
		(void)!send(fd, drip, 1, MSG_NOSIGNAL);
		clock_sleep_ms(2);
		buf_add_c(&all, hear(fd, &end));
	}
	assert_true(end && buf_ok(&all));
	assert_true(str_eq_c(buf_str(&all), TIMEOUT_OUT));
	close(fd);
	assert_true(wait_closed());
}

static void test_slow_head(void **state)
{
	(void)state;
	check_slow("GET /small HTTP/1.1\r\nX: ", "x");
	check_slow("G", "E");
	assert_int_equal(site.handled, 0);
}

static void test_slow_body(void **state)
{
	(void)state;
	check_slow("POST /echo HTTP/1.1\r\n" H "Content-Length: 50000\r\n\r\n", "x");
	check_slow("POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\nffff\r\n", "x");
	assert_int_equal(site.handled, 0);
	assert_int_equal(site.lent, 0);
}

/* A reader that takes a little now and then, and one that takes nothing. */
static void test_slow_reader(void **state)
{
	int slow = dial(), dead = dial();
	int64_t until = clock_ms() + 10000;
	char some[512];

	(void)state;
	say(slow, STR("GET /big HTTP/1.1\r\n" H "\r\n"));
	say(dead, STR("GET /big HTTP/1.1\r\n" H "\r\n" GET_SMALL));
	assert_int_equal(site.shared, 2);
	assert_int_equal(site.handled, 2); /* nothing more while an answer is pending */
	while (site.server.conns_now > 0 && clock_ms() < until) {
		(void)!recv(slow, some, sizeof(some), 0);
		clock_sleep_ms(1);
		pump();
	}
	assert_int_equal(site.server.conns_now, 0);
	assert_int_equal(site.shared, 0);
	close(slow);
	close(dead);
}

/* After an error: what fits into the limit is thrown away, then the deadline ends it. */
static void test_drain(void **state)
{
	static char junk[2 * HTTP_DRAIN_MAX];
	int fd = dial();
	ssize_t r;

	(void)state;
	memset(junk, 'j', sizeof(junk));
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &(int){1 << 20}, sizeof(int)), 0);
	say(fd, STR("nonsense\r\n"));
	r = send(fd, junk, sizeof(junk), MSG_NOSIGNAL);
	assert_int_equal(r, sizeof(junk));
	pump();
	check_heard(fd,
		HEAD_OF("400 Bad Request", 44) "Connection: close\r\n\r\n"
					       "request line is not 'method target version'\n",
		true);
	assert_int_equal(site.server.conns_now, 1); /* not closed with unread bytes at once */
	assert_true(wait_closed());
	close(fd);
}

/* --- Bodies that are sent from where they are */

static void test_big_body(void **state)
{
	int fd = dial();
	const char *body;
	bool end;

	(void)state;
	say(fd, STR("GET /big HTTP/1.1\r\n" H "\r\n"));
	assert_int_equal(site.shared, 1);
	body = strstr(hear(fd, &end), "\r\n\r\n");
	assert_non_null(body);
	assert_int_equal(strlen(body + 4), BIG_N);
	assert_memory_equal(body + 4, site.big, BIG_N);
	assert_false(end);
	assert_int_equal(site.shared, 0);
	say(fd, STR(GET_SMALL));
	check_heard(fd, SMALL, false);
	close(fd);
}

/* A client that sends a large body, which comes back, and reads nothing; *mem: where it is. */
static int begin_echo(void **mem)
{
	const int tight = 4096;
	struct err e;
	int sv[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv), 0);
	assert_int_equal(fcntl(sv[0], F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(setsockopt(sv[1], SOL_SOCKET, SO_SNDBUF, &tight, sizeof(tight)), 0);
	assert_int_equal(http_server_adopt(&site.server, sv[1], &e), 0);
	say(sv[0], STR("POST /echo HTTP/1.1\r\n" H "Content-Length: 100000\r\n\r\n"));
	say(sv[0], (struct str){site.big, 100000});
	*mem = site.mem;
	return sv[0];
}

static void test_drop_answer_in_request(void **state)
{
	void *slow_mem, *other_mem;
	int slow = begin_echo(&slow_mem), other = begin_echo(&other_mem), idle = dial();
	uint64_t sent = http_server_sent(&site.server, slow_mem);
	bool end;

	(void)state;
	say(idle, STR(GET_SMALL));
	assert_int_equal(site.lent, 2);
	assert_true(sent > 0 && sent < 100000);
	assert_int_equal(http_server_sent(&site.server, &sent), 0);
	http_server_drop_body(&site.server, &sent);
	http_server_drop_body(&site.server, NULL);
	assert_int_equal(site.server.conns_now, 3);
	http_server_drop_body(&site.server, slow_mem);
	assert_int_equal(site.lent, 1);
	assert_int_equal(site.server.conns_now, 2);
	assert_true(strlen(hear(slow, &end)) < 100000 && end);
	assert_non_null(strstr(hear(other, &end), "\r\n\r\n"));
	assert_memory_equal(strstr(heard, "\r\n\r\n") + 4, site.big, 100000);
	assert_int_equal(http_server_sent(&site.server, other_mem), 0);
	close(slow);
	close(other);
	close(idle);
}

static void test_client_vanishes(void **state)
{
	int fd = dial();

	(void)state;
	say(fd, STR("GET /big HTTP/1.1\r\n" H "\r\n"));
	assert_int_equal(site.shared, 1);
	close(fd);
	pump();
	assert_int_equal(site.shared, 0);
	fd = dial();
	say(fd, STR("POST /echo HTTP/1.1\r\n" H "Content-Length: 50\r\n\r\nx"));
	assert_int_equal(site.lent, 1);
	close(fd);
	pump();
	assert_int_equal(site.lent, 0);
	assert_int_equal(site.server.conns_now, 0);
}

/* Freed in the middle of everything: site_teardown sees whether all came back. */
static void test_free_while_busy(void **state)
{
	int a = dial(), b = dial(), c = dial(), d = dial();

	(void)state;
	say(a, STR("GET /big HTTP/1.1\r\n" H "\r\n"));
	say(b, STR("POST /echo HTTP/1.1\r\n" H "Content-Length: 50\r\n\r\nx"));
	say(c, STR("GET /later HTTP/1.1\r\n" H "\r\n"));
	say(d, STR("nonsense\r\n"));
	assert_int_equal(site.shared, 1);
	assert_int_equal(site.lent, 1);
	http_server_free(&site.server);
	close(a);
	close(b);
	close(c);
	close(d);
}

/* --- Table, descriptors, memory */

static void test_full_table(void **state)
{
	int fd[6];
	in_port_t port;
	struct err e;

	(void)state;
	listen_loopback(&port);
	for (int i = 0; i < 6; i++) {
		fd[i] = dial_loopback(port);
		say(fd[i], STR("GET /later HTTP/1.1\r\n" H "\r\n"));
	}
	assert_int_equal(site.server.conns_now, 4);
	assert_int_equal(site.handled, 4);
	assert_true(site.server.table_full >= 1);
	assert_int_equal(site.server.listener[0].w.events, 0); /* no spinning on the rest */
	assert_int_equal(http_server_adopt(&site.server, dup(fd[0]), &e), -EBUSY);
	for (int i = 0; i < 2; i++) {
		struct http_conn *c = site.later; /* of the connection that came last */
		struct http_resp r;

		close(fd[3 + i]);
		pump();
		http_later_begin(c, &r);
		http_later_send(c, &r);
		pump();
		assert_int_equal(site.handled, 5 + i);
		assert_int_equal(site.server.conns_now, 4);
	}
	close(fd[5]);
	for (int i = 0; i < 3; i++) {
		close(fd[i]);
	}
}

static void test_out_of_descriptors(void **state)
{
	struct rlimit old, low;
	in_port_t port;
	int fd[3], spare;

	(void)state;
	listen_loopback(&port);
	for (int i = 0; i < 3; i++) {
		fd[i] = dial_loopback(port);
	}
	spare = dup(fd[0]); /* the lowest free number is now the limit */
	close(spare);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	low = (struct rlimit){(rlim_t)spare, old.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	pump();
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(site.server.conns_now, 0);
	assert_int_equal(site.server.accept_errors, 1);
	assert_int_equal(site.server.listener[0].w.events, 0);
	for (int i = 0; i < 100 && site.server.conns_now < 3; i++) {
		struct err e;

		assert_int_equal(loop_once(&site.loop, 100, &e), 0);
	}
	assert_int_equal(site.server.conns_now, 3);
	for (int i = 0; i < 3; i++) {
		close(fd[i]);
	}
}

/* A client that resets before it was accepted, and one in the middle of an answer. */
static void test_resets(void **state)
{
	const struct linger hard = {1, 0};
	in_port_t port;
	int fd;

	(void)state;
	listen_loopback(&port);
	fd = dial_loopback(port);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard)), 0);
	close(fd);
	pump();
	fd = dial_loopback(port);
	say(fd, STR("GET /big HTTP/1.1\r\n" H "\r\n"));
	assert_int_equal(site.shared, 1);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard)), 0);
	close(fd);
	pump();
	assert_int_equal(site.shared, 0);
	assert_int_equal(site.server.conns_now, 0);
	fd = dial_loopback(port);
	say(fd, STR(GET_SMALL));
	check_heard(fd, SMALL, false);
	close(fd);
}

/* However many connections wait, memory goes round among those that are active. */
static void test_idle_holds_no_block(void **state)
{
	int fd[50];

	(void)state;
	for (int i = 0; i < 50; i++) {
		fd[i] = dial();
		say(fd[i], STR(GET_SMALL GET_SMALL));
	}
	assert_int_equal(site.server.conns_now, 50);
	assert_int_equal(site.server.blocks_used, 1);
	say(fd[0], STR("GET"));
	say(fd[1], STR("GET"));
	assert_int_equal(site.server.blocks_used, 2);
	for (int i = 0; i < 50; i++) {
		close(fd[i]);
	}
	pump();
	assert_int_equal(site.server.conns_now, 0);
	fd[0] = dial();
	say(fd[0], STR(GET_SMALL));
	check_heard(fd[0], SMALL, false);
	assert_int_equal(site.server.slots_used, 50);
	assert_int_equal(site.server.blocks_used, 2);
	close(fd[0]);
}

/* --- Stop */

static void on_stopped(void *arg)
{
	(*(int *)arg)++;
}

static void test_stop_when_idle(void **state)
{
	int fd = dial();
	in_port_t port;

	(void)state;
	listen_loopback(&port);
	say(fd, STR(GET_SMALL));
	http_server_stop(&site.server, on_stopped, &site.stopped);
	assert_int_equal(site.stopped, 0); /* never from inside */
	check_heard(fd, SMALL, true);
	assert_int_equal(site.stopped, 1);
	close(fd);
	pump();
	assert_int_equal(site.stopped, 1);
}

static void test_stop_finishes_requests(void **state)
{
	struct http_resp r;
	in_port_t port;
	int half = dial(), later = dial(), unseen = dial(), idle = dial(), refused;
	struct sockaddr_in a = {.sin_family = AF_INET};

	(void)state;
	listen_loopback(&port);
	pump();
	say(half, STR("GET /small HTTP/1.1\r\n"));
	say(later, STR("GET /later HTTP/1.1\r\n" H "\r\n" GET_SMALL));
	/* Sent, but the loop has not seen it yet. */
	assert_true(send(unseen, GET_SMALL, sizeof(GET_SMALL) - 1, 0) > 0);
	http_server_stop(&site.server, on_stopped, &site.stopped);
	check_heard(idle, "", true);
	check_heard(unseen, HEAD_OF("200 OK", 6) "Connection: close\r\n\r\nsmall\n", true);
	refused = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	a.sin_port = port;
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(refused, (struct sockaddr *)&a, sizeof(a)), -1);
	assert_int_equal(errno, ECONNREFUSED);
	say(half, STR(H "\r\n"));
	check_heard(half, HEAD_OF("200 OK", 6) "Connection: close\r\n\r\nsmall\n", true);
	http_later_begin(site.later, &r);
	http_later_send(site.later, &r);
	/* This one had been promised to stay open; the request behind it says that it closes. */
	check_heard(later,
		HEAD_OF("200 OK", 0) "\r\n" HEAD_OF("200 OK", 6) "Connection: close\r\n\r\nsmall\n",
		true);
	assert_int_equal(site.stopped, 0);
	close(refused);
	close(half);
	close(later);
	close(unseen);
	close(idle);
	pump();
	assert_int_equal(site.stopped, 1);
}

/* --- Start */

static void test_bad_tables(void **state)
{
	const struct http_route bad[] = {
		{"small", HTTP_BIT(HTTP_GET), site_small, NULL, 0, NULL, NULL, NULL},
		{"", HTTP_BIT(HTTP_GET), site_small, NULL, 0, NULL, NULL, NULL},
		{"/a b", HTTP_BIT(HTTP_GET), site_small, NULL, 0, NULL, NULL, NULL},
		{"/a", 0, site_small, NULL, 0, NULL, NULL, NULL},
		{"/a", HTTP_BIT(HTTP_OTHER), site_small, NULL, 0, NULL, NULL, NULL},
		{"/a", HTTP_BIT(HTTP_METHODS), site_small, NULL, 0, NULL, NULL, NULL},
		{"/a", HTTP_BIT(HTTP_GET), NULL, NULL, 0, NULL, NULL, NULL},
		{"/a", HTTP_BIT(HTTP_POST), site_echo, NULL, 5, site_lend, NULL, NULL},
		{"/a", HTTP_BIT(HTTP_POST), site_echo, NULL, 5, NULL, site_unlend, NULL},
	};
	static struct http_route many[HTTP_ROUTES_MAX + 1];
	struct http_server_conf conf = {0};
	struct http_server s;
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(http_server_init(&s, &site.loop, &bad[i], 1, &conf, &e), -EINVAL);
		assert_non_null(strstr(e.msg, "route 0"));
	}
	for (size_t i = 0; i < ARRAY_LEN(many); i++) {
		many[i] = (struct http_route){
			"/a", HTTP_BIT(HTTP_GET), site_small, NULL, 0, NULL, NULL, NULL};
	}
	assert_int_equal(
		http_server_init(&s, &site.loop, many, ARRAY_LEN(many), &conf, &e), -EINVAL);
	conf.conns = HTTP_CONNS_MAX + 1;
	assert_int_equal(http_server_init(&s, &site.loop, many, 1, &conf, &e), -EINVAL);
	http_server_free(&s); /* after a failure: nothing to do */
}

static void test_listen_errors(void **state)
{
	char text[64];
	struct sock_addr a;
	in_port_t port;
	struct err e;

	(void)state;
	listen_loopback(&port);
	snprintf(text, sizeof(text), "127.0.0.1:%u", ntohs(port));
	assert_int_equal(parse_listen(str_from(text), &a, &e), 0);
	assert_int_equal(http_server_listen(&site.server, &a, &e), -EADDRINUSE);
	assert_non_null(strstr(e.msg, text));
	assert_int_equal(parse_listen(STR("192.0.2.1:80"), &a, &e), 0);
	assert_int_equal(http_server_listen(&site.server, &a, &e), -EADDRNOTAVAIL);
	assert_int_equal(http_server_listen_fd(&site.server, open("/dev/null", O_RDONLY), &e),
		-EPERM); /* not for epoll */
	for (int i = 1; i < HTTP_LISTEN_MAX; i++) {
		listen_loopback(&port);
	}
	assert_int_equal(parse_listen(STR("127.0.0.1:0"), &a, &e), 0);
	assert_int_equal(http_server_listen(&site.server, &a, &e), -EINVAL);
	assert_int_equal(http_server_adopt(&site.server, -1, &e), -EBADF);
}

#define TEST(f)  cmocka_unit_test_setup_teardown(f, site_setup, site_teardown)
#define QUICK(f) cmocka_unit_test_setup_teardown(f, open_quick, site_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		QUICK(test_silent_connection),
		QUICK(test_idle_connection),
		QUICK(test_slow_head),
		QUICK(test_slow_body),
		QUICK(test_slow_reader),
		TEST(test_drain),
		TEST(test_big_body),
		TEST(test_drop_answer_in_request),
		TEST(test_client_vanishes),
		TEST(test_free_while_busy),
		cmocka_unit_test_setup_teardown(test_full_table, open_narrow, site_teardown),
		TEST(test_out_of_descriptors),
		TEST(test_resets),
		TEST(test_idle_holds_no_block),
		TEST(test_stop_when_idle),
		TEST(test_stop_finishes_requests),
		TEST(test_bad_tables),
		TEST(test_listen_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
