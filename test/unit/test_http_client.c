/* SPDX-License-Identifier: MIT */
/* http/client.h: answers, memory, kept connections. */
#include "http_peer.h"

/* --- Answers */

struct answer {
	const char *in, *body; /* body NULL: fails */
	int code;              /* status, or -errno */
	bool hang_up, kept;
	enum http_method method;
};

static const struct answer answers[] = {
	{OK "Content-Length: 5\r\n\r\nhello", "hello", 200, false, true, HTTP_GET},
	{OK "Content-Length: 0\r\n\r\n", "", 200, false, true, HTTP_GET},
	{"HTTP/1.1 503 No\r\nContent-Length: 2\r\n\r\nno", "no", 503, false, true, HTTP_GET},
	{OK "Connection: close\r\nContent-Length: 2\r\n\r\nok", "ok", 200, false, false, HTTP_GET},
	{OK "Content-Length: 2\r\n\r\nokHTTP/1.1 200", "ok", 200, false, false, HTTP_GET},
	{OK "Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x\r\nllo\r\n0\r\nT: t\r\n\r\n", "hello",
		200, false, true, HTTP_GET},
	{OK "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nX", "", 200, false, false, HTTP_GET},
	{OK "\r\nuntil the end", "until the end", 200, true, false, HTTP_GET},
	{"HTTP/1.0 200 OK\r\n\r\n", "", 200, true, false, HTTP_GET},
	{"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", "ok", 200, false, false, HTTP_GET},
	{"HTTP/1.1 204 No Content\r\n\r\n", "", 204, false, true, HTTP_GET},
	{"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", "", 304, false, true, HTTP_GET},
	{OK "Content-Length: 99999999\r\n\r\n", "", 200, false, true, HTTP_HEAD},
	{OK "Transfer-Encoding: chunked\r\n\r\n", "", 200, false, true, HTTP_HEAD},
	{OK "\r\n", "", 200, false, true, HTTP_HEAD},
	{"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n" OK
	 "Content-Length: 2\r\n\r\nok",
		"ok", 200, false, true, HTTP_GET},
	{"HTTP/1.1 101 Switching\r\n\r\n", NULL, -EBADMSG, false, false, HTTP_GET},
	{"nonsense\r\n", NULL, -EBADMSG, false, false, HTTP_GET},
	{OK "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", NULL, -EBADMSG, false, false,
		HTTP_GET},
	{OK "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", NULL, -EBADMSG, false, false,
		HTTP_GET},
	{OK "Transfer-Encoding: gzip\r\n\r\n", NULL, -EBADMSG, false, false, HTTP_GET},
	{OK "Transfer-Encoding: chunked\r\n\r\nnonsense", NULL, -EBADMSG, false, false, HTTP_GET},
	{OK "Transfer-Encoding: chunked\r\n\r\n5\r\nhelloo", NULL, -EBADMSG, false, false,
		HTTP_GET},
	{OK "Content-Length: 5\r\n\r\nhell", NULL, -ECONNRESET, true, false, HTTP_GET},
	{OK "Content-Le", NULL, -ECONNRESET, true, false, HTTP_GET},
	{OK "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", NULL, -ECONNRESET, true, false,
		HTTP_GET},
	{"", NULL, -ECONNRESET, true, false, HTTP_GET},
	{OK "Content-Length: 100000\r\n\r\n", NULL, -EMSGSIZE, false, false, HTTP_GET},
};

static void check_answer(const struct answer *a, bool bytes)
{
	t.done = 0;
	t.call.method = a->method;
	t.call.deadline_ms = clock_ms() + 20000;
	call();
	accept_peer();
	(void)peer_heard();
	for (size_t i = 0, n = strlen(a->in); i < n && t.done == 0;) {
		size_t piece = bytes ? 1 : n;

		assert_int_equal(send(t.peer, a->in + i, piece, MSG_NOSIGNAL), piece);
		i += piece;
		pump();
	}
	if (a->hang_up) {
		assert_int_equal(t.done, 0);
		hang_up();
	}
	if (a->body != NULL) {
		check_result(a->code, a->body);
	} else {
		check_failed(a->code, ": ");
	}
	/* In bytes, what follows an answer is seen when the client has stopped to look for it. */
	pump();
	if (!bytes) {
		assert_int_equal(t.client.w.events != 0 && t.client.stream.fd >= 0, a->kept);
	}
	http_client_close(&t.client);
}

static void test_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		check_answer(&answers[i], false);
		check_answer(&answers[i], true);
	}
}

static void test_many_interim(void **state)
{
	(void)state;
	call();
	accept_peer();
	for (int i = 0; i <= HTTP_INTERIM_MAX; i++) {
		assert_int_equal(t.done, 0);
		say(t.peer, STR("HTTP/1.1 100 Continue\r\n\r\n"));
	}
	check_failed(-EBADMSG, "interim");
}

/* Bodies that fill the memory to the last byte, and one byte more. */
static void check_full(const char *head, bool chunked, int more)
{
	static char in[HTTP_REQUEST_HEAD_MAX + 100];
	size_t n = (size_t)snprintf(in, sizeof(in), "%s", head), body;
	size_t shown = chunked ? n - 5 : n; /* "fxx\r\n" of a chunk is no part of the memory */

	body = t.call.cap - shown + (size_t)more;
	if (chunked) {
		snprintf(in + n - 5, 6, "%zx\r\n", body);
	}
	memset(in + n, 'b', body);
	memcpy(in + n + body, "\r\n0\r\n\r\n", 7);
	t.done = 0;
	call();
	accept_peer();
	(void)peer_heard(); /* a close with unread bytes would be a reset */
	say(t.peer, (struct str){in, n + body});
	if (chunked && t.done == 0) {
		say_bytes(t.peer, STR("\r\n0\r\n\r\n"));
	}
	hang_up();
	if (more > 0) {
		check_failed(-EMSGSIZE, "too large");
	} else {
		in[n + body] = '\0';
		check_result(200, in + n);
	}
	http_client_close(&t.client);
}

static void test_memory_limit(void **state)
{
	(void)state;
	for (int more = 0; more < 2; more++) {
		check_full(OK "\r\n", false, more);
		check_full(OK "Transfer-Encoding: chunked\r\n\r\nfff\r\n", true, more);
	}
	/* With a length it is known from the head. */
	t.done = 0;
	call();
	accept_peer();
	say(t.peer, STR(OK "Content-Length: 4056\r\n\r\n"));
	check_failed(-EMSGSIZE, "too large");
	t.done = 0;
	call();
	accept_peer();
	say(t.peer, STR(OK "Content-Length: 4055\r\n\r\nx"));
	assert_int_equal(t.done, 0);
	http_client_close(&t.client);
	/* A head that never ends. */
	call();
	accept_peer();
	say(t.peer, STR(OK "X: "));
	for (int i = 0; i < HTTP_REQUEST_HEAD_MAX && t.done == 0; i++) {
		(void)!send(t.peer, "xxxxxxxx", 8, MSG_NOSIGNAL);
		pump();
	}
	check_failed(-EMSGSIZE, "too large");
}

/* --- Keeping the connection */

static void test_keep_alive(void **state)
{
	(void)state;
	use_site();
	t.call.path = STR("/small");
	for (int i = 1; i <= 3; i++) {
		call();
		wait_done(i);
		assert_int_equal(t.status, 200);
		assert_string_equal(t.body, "small\n");
	}
	assert_int_equal(t.client.connects, 1);
	t.again = true; /* from inside done */
	call();
	wait_done(5);
	assert_int_equal(t.client.connects, 1);
}

/* Closed by the server while idle: noticed by the loop, a new one is made. */
static void test_closed_while_idle(void **state)
{
	(void)state;
	call();
	accept_peer();
	say(t.peer, STR(OK "Content-Length: 1\r\n\r\n1"));
	check_result(200, "1");
	hang_up();
	call();
	accept_peer();
	assert_int_equal(t.client.connects, 2);
	say(t.peer, STR(OK "Content-Length: 1\r\n\r\n2"));
	assert_int_equal(t.done, 2);
	assert_string_equal(t.body, "2");
	/* Bytes that nobody asked for are no answer to the next request. */
	say(t.peer, STR(OK "Content-Length: 1\r\n\r\n!"));
	call();
	accept_peer();
	assert_int_equal(t.client.connects, 3);
	say(t.peer, STR(OK "Content-Length: 1\r\n\r\n3"));
	assert_string_equal(t.body, "3");
}

/* One exchange, then the next request is sent and the peer closes without a byte (or with some). */
static void close_on_second(enum http_method m, const char *before)
{
	struct err e;

	t.call.method = m;
	call();
	accept_peer();
	say(t.peer, STR(OK "Content-Length: 0\r\n\r\n"));
	assert_int_equal(t.done, 1);
	t.done = 0;
	assert_int_equal(http_client_call(&t.client, &t.call, &e), 0);
	assert_int_equal(t.client.connects, 1);
	(void)peer_heard();
	if (before[0] != '\0') {
		say(t.peer, str_from(before));
	}
	hang_up();
}

static void test_retried(void **state)
{
	(void)state;
	close_on_second(HTTP_GET, "");
	accept_peer();
	assert_int_equal(strncmp(peer_heard(), "GET /getpfs HTTP/1.1\r\n", 22), 0);
	say(t.peer, STR(OK "Content-Length: 2\r\n\r\nok"));
	check_result(200, "ok");
	assert_int_equal(t.client.connects, 2);
}

static void test_retried_once(void **state)
{
	(void)state;
	close_on_second(HTTP_PUT, "");
	accept_peer();
	(void)peer_heard();
	hang_up();
	check_failed(-ECONNRESET, "ended");
	assert_int_equal(t.client.connects, 2);
}

static void test_not_retried(void **state)
{
	(void)state;
	close_on_second(HTTP_POST, "");
	check_failed(-ECONNRESET, "ended");
	t.done = 0;
	http_client_init(&t.client, &site.loop, &t.client.addr);
	close_on_second(HTTP_GET, "H");
	check_failed(-ECONNRESET, "ended");
	assert_int_equal(t.client.connects, 1);
	t.done = 0;
	http_client_init(&t.client, &site.loop, &t.client.addr);
	close_on_second(HTTP_GET, "HTTP/1.1 100 Continue\r\n\r\n");
	check_failed(-ECONNRESET, "ended");
	/* The first use of a connection: the server does not want us. */
	t.done = 0;
	t.call.method = HTTP_GET;
	call();
	accept_peer();
	hang_up();
	check_failed(-ECONNRESET, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_answers),
		TEST(test_many_interim),
		TEST(test_memory_limit),
		TEST(test_keep_alive),
		TEST(test_closed_while_idle),
		TEST(test_retried),
		TEST(test_retried_once),
		TEST(test_not_retried),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
