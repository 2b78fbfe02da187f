/* SPDX-License-Identifier: MIT */
/* http/client.h, against a peer that does what the test says, and against our own server. */
#include <arpa/inet.h>

#include "base/version.h"
#include "http/client.h"
#include "http_help.h"

#define REQUEST_HEAD "Host: h:1\r\nUser-Agent: ferrule/" /* and the version */

/* The client, its call, what came of it, and the listening socket of its peer. */
static struct {
	struct http_client client;
	struct http_call call;
	char *mem;
	int listener, peer; /* peer: the connection accepted last */
	int done, code, status;
	char body[BODY_MAX + 1];
	size_t body_n;
	char why[256];
	bool again; /* call once more from inside done */
} t;

static void on_done(
	void *arg, struct http_client *c, const struct http_result *res, const struct err *e)
{
	assert_ptr_equal(arg, &t);
	assert_ptr_equal(c, &t.client);
	t.done++;
	t.code = res != NULL ? 0 : -e->code;
	snprintf(t.why, sizeof(t.why), "%s", res != NULL ? "" : e->msg);
	t.status = res != NULL ? res->status : 0;
	t.body_n = res != NULL ? res->body.n : 0;
	assert_true(t.body_n <= BODY_MAX);
	if (t.body_n > 0) {
		assert_true(res->body.p >= t.mem);
		assert_true(res->body.p + res->body.n <= t.mem + t.call.cap);
		memcpy(t.body, res->body.p, t.body_n);
	}
	t.body[t.body_n] = '\0';
	if (t.again) {
		struct err e2;

		t.again = false;
		assert_int_equal(http_client_call(c, &t.call, &e2), 0);
	}
}

static void set_cap(size_t cap)
{
	free(t.mem);
	t.mem = malloc(cap); /* exactly: ASan sees a byte too many */
	assert_non_null(t.mem);
	t.call.mem = t.mem;
	t.call.cap = cap;
}

static int setup(void **state)
{
	struct sock_addr a;
	struct err e;

	(void)site_setup(state);
	memset(&t, 0, sizeof(t));
	assert_int_equal(parse_listen(STR("127.0.0.1:0"), &a, &e), 0);
	t.listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_true(t.listener >= 0 && bind(t.listener, &a.u.sa, a.len) == 0);
	assert_int_equal(listen(t.listener, 8), 0);
	assert_int_equal(getsockname(t.listener, &a.u.sa, &a.len), 0);
	t.peer = -1;
	http_client_init(&t.client, &site.loop, &a);
	t.call = (struct http_call){.method = HTTP_GET,
		.path = STR("/getpfs"),
		.host = STR("h:1"),
		.deadline_ms = clock_ms() + 20000,
		.done = on_done,
		.arg = &t};
	set_cap(HTTP_REQUEST_HEAD_MAX);
	return 0;
}

static int teardown(void **state)
{
	http_client_close(&t.client);
	if (t.peer >= 0) {
		close(t.peer);
	}
	close(t.listener);
	free(t.mem);
	return site_teardown(state);
}

/* Talk to the server of http_help.h instead of the peer. */
static void use_site(void)
{
	struct sock_addr a;
	struct err e;
	int fd;

	assert_int_equal(parse_listen(STR("127.0.0.1:0"), &a, &e), 0);
	fd = http_server_listen(&site.server, &a, &e);
	assert_true(fd >= 0);
	assert_int_equal(getsockname(fd, &a.u.sa, &a.len), 0);
	http_client_init(&t.client, &site.loop, &a);
}

static void call(void)
{
	struct err e;
	int before = t.done;

	assert_int_equal(http_client_call(&t.client, &t.call, &e), 0);
	assert_int_equal(t.done, before); /* never from inside */
	pump();
}

static void accept_peer(void)
{
	if (t.peer >= 0) {
		close(t.peer);
	}
	pump();
	t.peer = accept4(t.listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	assert_true(t.peer >= 0);
	pump();
}

static void hang_up(void)
{
	close(t.peer);
	t.peer = -1;
	pump();
}

static void wait_done(int n)
{
	int64_t until = clock_ms() + 10000;
	struct err e;

	while (t.done < n && clock_ms() < until) {
		assert_int_equal(loop_once(&site.loop, 20, &e), 0);
	}
	assert_int_equal(t.done, n);
}

/* What the client has sent to the peer so far. */
static const char *peer_heard(void)
{
	size_t n = 0;
	ssize_t r;

	pump();
	while ((r = recv(t.peer, heard + n, sizeof(heard) - 1 - n, 0)) > 0) {
		n += (size_t)r;
		pump();
	}
	heard[n] = '\0';
	return heard;
}

static void check_result(int status, const char *body)
{
	assert_int_equal(t.done, 1);
	if (t.code != 0) {
		fail_msg("%d: %s", t.code, t.why);
	}
	assert_int_equal(t.status, status);
	assert_string_equal(t.body, body);
}

static void check_failed(int code, const char *why)
{
	assert_int_equal(t.done, 1);
	if (t.code != code || strstr(t.why, why) == NULL || strncmp(t.why, "127.0.0.1:", 10) != 0) {
		fail_msg("%d: %s", t.code, t.why);
	}
	assert_null(t.client.call);
}

/* --- Requests */

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

/* --- Answers */

#define OK "HTTP/1.1 200 OK\r\n"

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

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_request_bytes),
		TEST(test_request_body),
		TEST(test_bad_calls),
		TEST(test_answers),
		TEST(test_many_interim),
		TEST(test_memory_limit),
		TEST(test_keep_alive),
		TEST(test_closed_while_idle),
		TEST(test_retried),
		TEST(test_retried_once),
		TEST(test_not_retried),
		TEST(test_large_request),
		TEST(test_early_answer),
		TEST(test_deadline),
		TEST(test_refused_connection),
		TEST(test_close_in_between),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
