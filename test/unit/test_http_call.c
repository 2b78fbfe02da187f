/* SPDX-License-Identifier: MIT */
/* http/client.h: what is sent, what may not be, and how exchanges end. */
#include "http_peer.h"

#define REQUEST_HEAD "Host: h:1\r\nUser-Agent: ferrule/" /* and the version */

static void test_request_bytes(void **state)
{
	const struct http_field fields[] = {{STR("Accept"), STR("application/json")}};

	(void)state;
	t.call.field = fields;
	t.call.field_n = 1;
	call();
	accept_peer();
	assert_string_equal(peer_heard(), "GET /getpfs HTTP/1.1\r\n" REQUEST_HEAD FERRULE_VERSION
					  "\r\nAccept: application/json\r\n\r\n");
}

static void test_request_body(void **state)
{
	static const enum http_method m[] = {HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE};
	static const char *const length[] = {
		"Content-Length: 0\r\n", "Content-Length: 0\r\n", "Content-Length: 0\r\n", ""};
	char expected[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(m); i++) {
		for (int body = 0; body < 2; body++) {
			snprintf(expected, sizeof(expected),
				"%s /getpfs HTTP/1.1\r\n" REQUEST_HEAD FERRULE_VERSION
				"\r\n%s\r\n%s",
				http_method_name(m[i]), body ? "Content-Length: 2\r\n" : length[i],
				body ? "{}" : "");
			t.call.method = m[i];
			t.call.body = body ? STR("{}") : STR("");
			call();
			accept_peer();
			assert_string_equal(peer_heard(), expected);
			http_client_close(&t.client);
		}
	}
	assert_int_equal(t.done, 0);
}

static void test_bad_calls(void **state)
{
	static const struct http_field bad[] = {{STR("X Y"), STR("a")},
		{STR("X"), STR("a\r\nB: c")}, {STR(""), STR("a")}, {STR("host"), STR("a")},
		{STR("Content-Length"), STR("1")}, {STR("Transfer-Encoding"), STR("chunked")},
		{STR("Connection"), STR("close")}};
	static char long_value[HTTP_REQUEST_HEAD_MAX];
	const struct http_field too_long = {STR("X"), {long_value, sizeof(long_value)}};
	const struct http_call good = t.call;
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		t.call.field = &bad[i];
		t.call.field_n = 1;
		assert_int_equal(http_client_call(&t.client, &t.call, &e), -EINVAL);
	}
	memset(long_value, 'v', sizeof(long_value));
	t.call.field = &too_long;
	assert_int_equal(http_client_call(&t.client, &t.call, &e), -EMSGSIZE);
	t.call = good;
	t.call.path = STR("/a b");
	assert_int_equal(http_client_call(&t.client, &t.call, &e), -EINVAL);
	t.call.path = STR("/a HTTP/1.1\r\nX: y");
	assert_int_equal(http_client_call(&t.client, &t.call, &e), -EINVAL);
	t.call.path = STR("");
	assert_int_equal(http_client_call(&t.client, &t.call, &e), -EINVAL);
	t.call = good;
	t.call.host = STR("a\r\nX: y");
	assert_int_equal(http_client_call(&t.client, &t.call, &e), -EINVAL);
	t.call = good;
	t.call.method = HTTP_OTHER;
	assert_int_equal(http_client_call(&t.client, &t.call, &e), -EINVAL);
	t.call.method = HTTP_CONNECT;
	assert_int_equal(http_client_call(&t.client, &t.call, &e), -EINVAL);
	t.call = good;
	t.call.cap = HTTP_REQUEST_HEAD_MAX - 1;
	assert_int_equal(http_client_call(&t.client, &t.call, &e), -EINVAL);
	t.call = good;
	call();
	assert_int_equal(http_client_call(&t.client, &t.call, &e), -EBUSY);
	assert_int_equal(t.client.connects, 1);
}

/* --- Large requests, deadlines, ends */

static void test_large_request(void **state)
{
	static char body[BODY_MAX + 1];

	(void)state;
	use_site();
	memset(body, 'u', sizeof(body));
	set_cap(BODY_MAX + 1000);
	t.call.method = HTTP_POST;
	t.call.path = STR("/echo");
	t.call.body = (struct str){body, BODY_MAX};
	call();
	wait_done(1);
	assert_int_equal(t.status, 200);
	assert_int_equal(t.body_n, BODY_MAX);
	assert_memory_equal(t.body, body, BODY_MAX);
	t.call.body.n++;
	call();
	wait_done(2);
	assert_int_equal(t.status, 413);
}

/* An answer in the middle of the upload, by a peer that reads no more and closes. */
static void test_early_answer(void **state)
{
	static char body[1 << 24];

	(void)state;
	t.call.method = HTTP_POST;
	t.call.body = (struct str){body, sizeof(body)};
	call();
	accept_peer();
	say(t.peer, STR("HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno"));
	check_result(413, "no");
	assert_int_equal(t.client.stream.fd, -1); /* the rest of the body cannot be sent any more */
}

static void test_deadline(void **state)
{
	(void)state;
	t.call.deadline_ms = clock_ms() + 50;
	call(); /* connected by the kernel, but nobody answers */
	wait_done(1);
	check_failed(-ETIMEDOUT, "in time");
	t.done = 0;
	t.call.deadline_ms = clock_ms() + 100;
	call();
	accept_peer();
	(void)!send(t.peer, OK "X: ", strlen(OK "X: "), MSG_NOSIGNAL);
	for (int i = 0; i < 4000 && t.done == 0; i++) {
		(void)!send(t.peer, "x", 1, MSG_NOSIGNAL); /* bytes that keep coming */
		clock_sleep_ms(1);
		pump();
	}
	check_failed(-ETIMEDOUT, "in time");
	t.done = 0;
	t.call.deadline_ms = clock_ms() - 1;
	call();
	wait_done(1);
	check_failed(-ETIMEDOUT, "in time");
}

static void test_refused_connection(void **state)
{
	struct err e;
	int r;

	(void)state;
	close(t.listener);
	r = http_client_call(&t.client, &t.call, &e);
	if (r == 0) {
		wait_done(1);
		check_failed(-ECONNREFUSED, "Connection refused");
	} else {
		assert_int_equal(r, -ECONNREFUSED);
	}
	t.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static void test_close_in_between(void **state)
{
	(void)state;
	call();
	accept_peer();
	say(t.peer, STR(OK "Content-Length: 5\r\n\r\nhel"));
	http_client_close(&t.client);
	pump();
	assert_int_equal(t.done, 0);
	call();
	accept_peer();
	say(t.peer, STR(OK "Content-Length: 5\r\n\r\nhello"));
	check_result(200, "hello");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_request_bytes),
		TEST(test_request_body),
		TEST(test_bad_calls),
		TEST(test_large_request),
		TEST(test_early_answer),
		TEST(test_deadline),
		TEST(test_refused_connection),
		TEST(test_close_in_between),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
