/* SPDX-License-Identifier: MIT */
/* http/server.h: the protocol, over socket pairs in one process. */
#include "http_help.h"

#define REFUSED(status, n, why)                                                                    \
	HEAD_OF(status, n)                                                                         \
	"Connection: close\r\n\r\n" why "\n"

/* The same conversation on a new connection: at once, byte by byte, and twice in a row. */
static void check_talk(struct str in, const char *out, bool closed)
{
	char *two = malloc(2 * in.n), *out_two = malloc(2 * strlen(out) + 1);
	int fd = dial();

	say(fd, in);
	check_heard(fd, out, closed);
	close(fd);
	fd = dial();
	say_bytes(fd, in);
	check_heard(fd, out, closed);
	close(fd);
	fd = dial();
	assert_true(two != NULL && out_two != NULL);
	memcpy(two, in.p, in.n);
	memcpy(two + in.n, in.p, in.n);
	snprintf(out_two, 2 * strlen(out) + 1, "%s%s", out, closed ? "" : out);
	say(fd, (struct str){two, 2 * in.n});
	check_heard(fd, out_two, closed);
	close(fd);
	free(two);
	free(out_two);
}

static void test_get(void **state)
{
	(void)state;
	check_talk(STR(GET_SMALL), SMALL, false);
	assert_int_equal(site.handled, 4);
	assert_int_equal(site.server.stats[0].code[2], 4);
}

static void test_healthz(void **state)
{
	(void)state;
	check_talk(
		STR("GET /healthz HTTP/1.1\r\n" H "\r\n"), HEAD_OF("200 OK", 3) "\r\nok\n", false);
}

static void test_head(void **state)
{
	(void)state;
	check_talk(STR("HEAD /small HTTP/1.1\r\n" H "\r\n"), HEAD_OF("200 OK", 6) "\r\n", false);
	check_talk(STR("HEAD /big HTTP/1.1\r\n" H "\r\n"),
		"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 4194304\r\n"
		"\r\n",
		false);
	check_talk(STR("HEAD /nope HTTP/1.1\r\n" H "\r\n"), HEAD_OF("404 Not Found", 13) "\r\n",
		false);
}

static void test_what_the_handler_sees(void **state)
{
	(void)state;
	check_talk(STR("DELETE /info?a=b&c HTTP/1.1\r\nx-test: \tv\t\r\n" H "\r\n"),
		"HTTP/1.1 204 No Content\r\nX-Info: yes\r\n\r\n", false);
	assert_string_equal(site.last, "DELETE /info a=b&c v 0 1");
	check_talk(STR("HEAD http://x:1/info HTTP/1.1\r\n" H "\r\n"),
		"HTTP/1.1 204 No Content\r\nX-Info: yes\r\n\r\n", false);
	assert_string_equal(site.last, "HEAD /info  none 0 1");
}

static void test_routing(void **state)
{
	(void)state;
	check_talk(STR("GET /smal HTTP/1.1\r\n" H "\r\n"),
		HEAD_OF("404 Not Found", 13) "\r\nno such path\n", false);
	check_talk(STR("GET /small/ HTTP/1.1\r\n" H "\r\n"),
		HEAD_OF("404 Not Found", 13) "\r\nno such path\n", false);
	check_talk(STR("GET /%73mall HTTP/1.1\r\n" H "\r\n"),
		HEAD_OF("404 Not Found", 13) "\r\nno such path\n", false);
	check_talk(STR("POST /small HTTP/1.1\r\n" H "\r\n"),
		HEAD_OF("405 Method Not Allowed", 36) "Allow: GET, HEAD\r\n\r\n"
						      "this path does not take that method\n",
		false);
	check_talk(STR("HEAD /echo HTTP/1.1\r\n" H "\r\n"),
		HEAD_OF("405 Method Not Allowed", 36) "Allow: POST, PUT\r\n\r\n", false);
	check_talk(STR("GET /small HTTP/1.1\r\n" H "\r\n"), SMALL, false);
	check_talk(STR("BREW /small HTTP/1.1\r\n" H "\r\n"),
		REFUSED("501 Not Implemented", 26, "method is not implemented"), true);
	assert_int_equal(site.server.stats[site.server.route_n].code[4], 12);
}

static void test_persistence(void **state)
{
	(void)state;
	check_talk(STR("GET /small HTTP/1.1\r\n" H "Connection: x, Close\r\n\r\n"),
		HEAD_OF("200 OK", 6) "Connection: close\r\n\r\nsmall\n", true);
	check_talk(STR("GET /small HTTP/1.0\r\n\r\n"),
		HEAD_OF("200 OK", 6) "Connection: close\r\n\r\nsmall\n", true);
	check_talk(STR("GET /small HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
		HEAD_OF("200 OK", 6) "Connection: keep-alive\r\n\r\nsmall\n", false);
	check_talk(STR("\r\nGET /small HTTP/1.1\r\n" H "\r\n"), SMALL, false);
}

static void test_refused(void **state)
{
	(void)state;
	check_talk(STR("GET /small HTTP/1.1\r\n\r\n"),
		REFUSED("400 Bad Request", 16, "Host is missing"), true);
	check_talk(STR("GET /small HTTP/1.1\nHost: a\n\n"),
		REFUSED("400 Bad Request", 14, "LF without CR"), true);
	check_talk(STR("POST /echo HTTP/1.1\r\n" H
		       "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
		REFUSED("400 Bad Request", 42, "both Content-Length and Transfer-Encoding"), true);
	check_talk(STR("POST /echo HTTP/1.1\r\n" H "Expect: x\r\n\r\n"),
		REFUSED("417 Expectation Failed", 31, "Expect other than 100-continue"), true);
	check_talk(STR("POST /echo HTTP/1.1\r\n" H "Content-Encoding: gzip\r\n\r\n"),
		REFUSED("415 Unsupported Media Type", 37, "Content-Encoding other than identity"),
		true);
	check_talk(STR("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
		REFUSED("505 HTTP Version Not Supported", 43,
			"only HTTP/1.0 and HTTP/1.1 are spoken here"),
		true);
	assert_int_equal(site.handled, 0);
}

/* What follows a refused request is never taken for a request. */
static void test_nothing_after_an_error(void **state)
{
	int fd = dial();

	(void)state;
	say(fd, STR("GET /small HTTP/1.1\r\nBad Header: x\r\n" H "\r\n" GET_SMALL));
	say(fd, STR(GET_SMALL));
	check_heard(fd,
		REFUSED("400 Bad Request", 47, "header name is not a token directly before ':'"),
		true);
	say(fd, STR(GET_SMALL));
	check_heard(fd, "", true);
	assert_int_equal(site.handled, 0);
	close(fd);
	pump();
	assert_int_equal(site.server.conns_now, 0);
}

static void test_bodies(void **state)
{
	(void)state;
	check_talk(STR("POST /echo HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhello"),
		HEAD_OF("200 OK", 5) "\r\nhello", false);
	check_talk(STR("PUT /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"
		       "5\r\nhello\r\n6;x\r\n world\r\n0\r\nT: t\r\n\r\n"),
		HEAD_OF("200 OK", 11) "\r\nhello world", false);
	check_talk(STR("POST /echo HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n"),
		HEAD_OF("200 OK", 0) "\r\n", false);
	check_talk(STR("POST /echo HTTP/1.1\r\n" H "\r\n"), HEAD_OF("200 OK", 0) "\r\n", false);
	check_talk(STR("POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
		HEAD_OF("200 OK", 0) "\r\n", false);
	/* A route without bodies: a small one is read and thrown away. */
	check_talk(STR("GET /small HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhello"), SMALL, false);
	check_talk(STR("GET /small HTTP/1.1\r\n" H
		       "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
		SMALL, false);
	check_talk(STR("DELETE /info HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhello"),
		"HTTP/1.1 204 No Content\r\nX-Info: yes\r\n\r\n", false);
	assert_string_equal(site.last, "DELETE /info  none 0 1");
	assert_int_equal(site.lent, 0);
}

static void test_bad_bodies(void **state)
{
	(void)state;
	check_talk(STR("POST /echo HTTP/1.1\r\n" H "Content-Length: 100001\r\n\r\n"),
		REFUSED("413 Content Too Large", 22, "the body is too large"), true);
	check_talk(STR("POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n5\r\nhellox"),
		REFUSED("400 Bad Request", 23, "malformed chunked body"), true);
	check_talk(
		STR("POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n186a1\r\nhello"),
		REFUSED("413 Content Too Large", 22, "the body is too large"), true);
	check_talk(STR("GET /small HTTP/1.1\r\n" H "Content-Length: 4097\r\n\r\n"),
		REFUSED("413 Content Too Large", 22, "the body is too large"), true);
	/* Nobody waits for a body that no handler will see. */
	check_talk(STR("POST /nope HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhello"),
		REFUSED("404 Not Found", 13, "no such path"), true);
	check_talk(STR("POST /small HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"),
		HEAD_OF("405 Method Not Allowed",
			36) "Connection: close\r\nAllow: GET, HEAD\r\n\r\n"
			    "this path does not take that method\n",
		true);
	site.no_memory = true;
	check_talk(STR("POST /echo HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhello"),
		REFUSED("503 Service Unavailable", 37, "no memory for the body at the moment"),
		true);
	assert_int_equal(site.handled, 0);
}

/* The largest body that a route takes, and one byte more, in both framings. */
static void test_body_limit(void **state)
{
	static char in[BODY_MAX + 200];
	int n = snprintf(
		in, sizeof(in), "POST /echo HTTP/1.1\r\n" H "Content-Length: %d\r\n\r\n", BODY_MAX);
	bool end;
	int fd;

	(void)state;
	for (int chunked = 0; chunked < 2; chunked++) {
		for (int more = 0; more < 1 + chunked; more++) {
			if (chunked) {
				n = snprintf(in, sizeof(in),
					"POST /echo HTTP/1.1\r\n" H
					"Transfer-Encoding: chunked\r\n\r\n%x\r\n",
					BODY_MAX + more);
			}
			memset(in + n, 'b', BODY_MAX + (size_t)more);
			memcpy(in + n + BODY_MAX + more, "\r\n0\r\n\r\n", 7);
			fd = dial();
			say(fd, (struct str){in,
					(size_t)n + BODY_MAX + (size_t)more + (chunked ? 7 : 0)});
			(void)hear(fd, &end);
			assert_int_equal(
				strncmp(heard, more ? "HTTP/1.1 413" : "HTTP/1.1 200", 12), 0);
			assert_int_equal(end, more);
			if (!more) {
				assert_int_equal(
					strspn(strstr(heard, "\r\n\r\n") + 4, "b"), BODY_MAX);
			}
			close(fd);
			pump();
		}
	}
	assert_int_equal(site.handled, 2);
}

static void test_expect_continue(void **state)
{
	int fd = dial();

	(void)state;
	say_bytes(fd, STR("PUT /echo HTTP/1.1\r\n" H
			  "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n"));
	check_heard(fd, "HTTP/1.1 100 Continue\r\n\r\n", false);
	say_bytes(fd, STR("hello"));
	check_heard(fd, HEAD_OF("200 OK", 5) "\r\nhello", false);
	say(fd, STR("PUT /echo HTTP/1.1\r\n" H
		    "Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"));
	check_heard(fd, "HTTP/1.1 100 Continue\r\n\r\n", false);
	say(fd, STR("1\r\na\r\n0\r\n\r\n" GET_SMALL));
	check_heard(fd, HEAD_OF("200 OK", 1) "\r\na" SMALL, false);
	/* A body that is on its way already needs no leave, nor does an empty one. */
	say(fd, STR("PUT /echo HTTP/1.1\r\n" H
		    "Content-Length: 5\r\nExpect: 100-continue\r\n\r\nhello"));
	check_heard(fd, HEAD_OF("200 OK", 5) "\r\nhello", false);
	say(fd, STR("PUT /echo HTTP/1.1\r\n" H "Expect: 100-continue\r\n\r\n"));
	check_heard(fd, HEAD_OF("200 OK", 0) "\r\n", false);
	say(fd, STR("PUT /echo HTTP/1.1\r\n" H
		    "Content-Length: 999999\r\nExpect: 100-continue\r\n\r\n"));
	check_heard(fd, REFUSED("413 Content Too Large", 22, "the body is too large"), true);
	close(fd);
	fd = dial();
	say(fd, STR("PUT /echo HTTP/1.0\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"));
	check_heard(fd, "", false);
	close(fd);
}

/* More requests at once than are answered in one turn, of two connections. */
static void test_pipelining(void **state)
{
	static char in[200 * (sizeof(GET_SMALL) - 1)], out[200 * sizeof(SMALL)];
	struct err e;
	int a = dial(), b = dial();

	(void)state;
	for (size_t i = 0; i < 200; i++) {
		memcpy(in + i * (sizeof(GET_SMALL) - 1), GET_SMALL, sizeof(GET_SMALL) - 1);
		memcpy(out + i * (sizeof(SMALL) - 1), SMALL, sizeof(SMALL) - 1);
	}
	assert_int_equal(send(a, in, sizeof(in), 0), sizeof(in));
	assert_int_equal(send(b, GET_SMALL, sizeof(GET_SMALL) - 1, 0), sizeof(GET_SMALL) - 1);
	assert_int_equal(loop_once(&site.loop, 0, &e), 0);
	assert_int_equal(loop_once(&site.loop, 0, &e), 0);
	assert_true(site.handled <= 40);
	check_heard(b, SMALL, false);
	check_heard(a, out, false);
	assert_int_equal(site.handled, 201);
	close(a);
	close(b);
}

static void test_order_of_kinds(void **state)
{
	(void)state;
	check_talk(STR("POST /echo HTTP/1.1\r\n" H "Content-Length: 2\r\n\r\nab" GET_SMALL
		       "HEAD /small HTTP/1.1\r\n" H "\r\n"
		       "POST /echo HTTP/1.1\r\n" H
		       "Transfer-Encoding: chunked\r\n\r\n1\r\nc\r\n0\r\n\r\n"
		       "GET /nope HTTP/1.1\r\n" H "\r\n"),
		HEAD_OF("200 OK", 2) "\r\nab" SMALL HEAD_OF("200 OK", 6) "\r\n" HEAD_OF(
			"200 OK", 1) "\r\nc" HEAD_OF("404 Not Found", 13) "\r\nno such path\n",
		false);
}

static void test_bad_answers(void **state)
{
	(void)state;
	check_talk(STR("GET /odd?value HTTP/1.1\r\n" H "\r\n"),
		HEAD_OF("500 Internal Server Error", 55) "\r\na header field of the answer is too "
							 "large or malformed\n",
		false);
	check_talk(STR("GET /odd?name HTTP/1.1\r\n" H "\r\n"),
		HEAD_OF("500 Internal Server Error", 55) "\r\na header field of the answer is too "
							 "large or malformed\n",
		false);
	check_talk(STR("GET /odd?many HTTP/1.1\r\n" H "\r\n"),
		HEAD_OF("500 Internal Server Error", 55) "\r\na header field of the answer is too "
							 "large or malformed\n",
		false);
	check_talk(STR("GET /odd HTTP/1.1\r\n" H "\r\n"),
		HEAD_OF("500 Internal Server Error", 24) "\r\nthe answer is too large\n", false);
	assert_int_equal(site.shared, 0);
}

static void answer_later(const char *text)
{
	struct http_conn *c = site.later;
	struct http_resp r;

	assert_non_null(c);
	site.later = NULL;
	http_later_begin(c, &r);
	site.shared++;
	r.body = (struct http_body){text, strlen(text), site_unshare, &site.shared};
	http_later_send(c, &r);
}

static void test_later(void **state)
{
	int fd = dial();

	(void)state;
	say(fd, STR(GET_SMALL "GET /later HTTP/1.1\r\n" H "\r\n" GET_SMALL));
	check_heard(fd, SMALL, false);
	say(fd, STR(GET_SMALL));
	check_heard(fd, "", false);
	answer_later("late");
	assert_int_equal(site.handled, 2); /* the next one is handled from the loop */
	check_heard(fd, HEAD_OF("200 OK", 4) "\r\nlate" SMALL SMALL, false);
	assert_int_equal(site.shared, 0);
	close(fd);
}

static void test_later_client_gone(void **state)
{
	int fd = dial();

	(void)state;
	say(fd, STR("GET /later HTTP/1.1\r\n" H "\r\n"));
	close(fd);
	pump();
	assert_int_equal(site.server.conns_now, 1); /* kept for the answer */
	answer_later("late");
	pump();
	assert_int_equal(site.server.conns_now, 0);
	assert_int_equal(site.shared, 0);
}

static void test_half_close(void **state)
{
	int fd = dial();

	(void)state;
	say(fd, STR(GET_SMALL "GET /later HTTP/1.1\r\n" H "\r\n" GET_SMALL));
	shutdown(fd, SHUT_WR);
	check_heard(fd, SMALL, false);
	answer_later("late");
	check_heard(fd, HEAD_OF("200 OK", 4) "\r\nlate" SMALL, true);
	close(fd);
	assert_int_equal(site.server.conns_now, 0);
}

static void test_ended_early(void **state)
{
	static const char *const parts[] = {"GET /small HT", "GET /small HTTP/1.1\r\n" H,
		"POST /echo HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhell",
		"POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		int fd = dial();

		say(fd, str_from(parts[i]));
		shutdown(fd, SHUT_WR);
		check_heard(fd, REFUSED("400 Bad Request", 24, "the request ended early"), true);
		close(fd);
		assert_int_equal(site.server.conns_now, 0);
	}
	assert_int_equal(site.lent, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, site_setup, site_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_get),
		TEST(test_healthz),
		TEST(test_head),
		TEST(test_what_the_handler_sees),
		TEST(test_routing),
		TEST(test_persistence),
		TEST(test_refused),
		TEST(test_nothing_after_an_error),
		TEST(test_bodies),
		TEST(test_bad_bodies),
		TEST(test_body_limit),
		TEST(test_expect_continue),
		TEST(test_pipelining),
		TEST(test_order_of_kinds),
		TEST(test_bad_answers),
		TEST(test_later),
		TEST(test_later_client_gone),
		TEST(test_half_close),
		TEST(test_ended_early),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
