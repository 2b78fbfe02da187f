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

/* --- Memory that is asked for when the answer begins */

static struct {
	int asked;
	size_t most, grown; /* bytes it may take; bytes that it has */
	char *mem;
	size_t cap;
	char request[384];
} late;

static char *late_mem(void *arg, size_t *cap)
{
	assert_ptr_equal(arg, &t);
	late.asked++;
	*cap = late.cap;
	return late.mem;
}

static void late_done(
	void *arg, struct http_client *c, const struct http_result *res, const struct err *e)
{
	assert_ptr_equal(arg, &t);
	assert_ptr_equal(c, &t.client);
	t.done++;
	t.code = res != NULL ? 0 : -e->code;
	snprintf(t.why, sizeof(t.why), "%s", res != NULL ? "" : e->msg);
	if (res != NULL) {
		assert_true(
			res->body.p > late.mem && res->body.p + res->body.n <= late.mem + late.cap);
		memcpy(t.body, res->body.p, res->body.n);
		t.body[res->body.n] = '\0';
		t.status = res->status;
	}
}

static void late_call(size_t cap)
{
	free(late.mem);
	late.mem = cap > 0 ? malloc(cap) : NULL; /* exactly: ASan sees a byte too many */
	late.cap = cap;
	late.asked = 0;
	t.done = 0;
	t.call.mem = late.request;
	t.call.cap = sizeof(late.request);
	t.call.answer_mem = late_mem;
	t.call.done = late_done;
	call();
}

static bool late_grow(void *arg, size_t n)
{
	assert_ptr_equal(arg, &t);
	late.grown = n;
	return n <= late.most;
}

static void say_late(const char *text)
{
	assert_int_equal(send(t.peer, text, strlen(text), MSG_NOSIGNAL), strlen(text));
	pump();
}

static void begin_grow(size_t most)
{
	t.call.answer_grow = late_grow;
	late.most = most;
	late_call(200);
	accept_peer();
	(void)peer_heard();
}

static void test_answer_grow(void **state)
{
	static const char text[] = OK "Content-Length: 5\r\n\r\nhello",
			  chunks[] = OK "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n";

	(void)state;
	begin_grow(sizeof(text) - 1);
	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		assert_int_equal(send(t.peer, text + i, 1, MSG_NOSIGNAL), 1);
		pump();
		assert_int_equal(late.grown, i + 1);
	}
	check_result(200, "hello");
	http_client_close(&t.client);
	begin_grow(sizeof(text) - 2);
	say_late(text);
	check_failed(-ENOMEM, "no memory for the answer");
	/* What is written counts, not what is left of it. */
	begin_grow(sizeof(chunks) - 2);
	say_late(chunks);
	check_failed(-ENOMEM, "no memory for the answer");
}

/* The owner takes what was there: neither more bytes nor the end make an answer of the rest. */
static void test_answer_taken_away(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		begin_grow(200);
		say_late(OK "\r\nuntil");
		assert_int_equal(t.done, 0);
		memset(late.mem, 0, late.cap);
		late.most = 0;
		if (i == 0) {
			hang_up();
		} else {
			say_late(" the end");
		}
		check_failed(-ENOMEM, "no memory for the answer");
	}
}

static void test_answer_mem(void **state)
{
	static const char text[] = OK "Content-Length: 5\r\n\r\nhello";

	(void)state;
	late_call(sizeof(text) - 1);
	accept_peer();
	assert_true(strlen(peer_heard()) > 0);
	assert_int_equal(late.asked, 0); /* a node that is followed says nothing for long */
	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		assert_int_equal(send(t.peer, text + i, 1, MSG_NOSIGNAL), 1);
		pump();
		assert_int_equal(late.asked, 1);
	}
	wait_done(1);
	check_result(200, "hello");
	/* On the same connection: asked for again, once. */
	late_call(sizeof(text) - 1);
	assert_int_equal(late.asked, 0);
	assert_int_equal(send(t.peer, text, sizeof(text) - 1, MSG_NOSIGNAL), sizeof(text) - 1);
	wait_done(1);
	check_result(200, "hello");
	assert_int_equal(late.asked, 1);
	assert_int_equal(t.client.connects, 1);
	/* One byte less than it takes. */
	late_call(sizeof(text) - 2);
	assert_int_equal(send(t.peer, text, sizeof(text) - 1, MSG_NOSIGNAL), sizeof(text) - 1);
	wait_done(1);
	check_failed(-EMSGSIZE, "too large");
	/* None at all. */
	late_call(0);
	accept_peer();
	assert_int_equal(send(t.peer, text, sizeof(text) - 1, MSG_NOSIGNAL), sizeof(text) - 1);
	wait_done(1);
	check_failed(-ENOMEM, "no memory");
	free(late.mem);
	late.mem = NULL;
}

static void test_hurry(void **state)
{
	int64_t end = t.call.deadline_ms;

	(void)state;
	http_client_hurry(&t.client, clock_ms()); /* nothing runs */
	call();
	accept_peer();
	http_client_hurry(&t.client, end + 1000);
	assert_int_equal(t.client.timer.at_ms, end); /* there is never more time */
	http_client_hurry(&t.client, clock_ms() + 10);
	wait_done(1);
	check_failed(-ETIMEDOUT, "in time");
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
		TEST(test_answer_grow),
		TEST(test_answer_taken_away),
		TEST(test_answer_mem),
		TEST(test_hurry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
