/* SPDX-License-Identifier: MIT */
/* grpc/server.h and grpc/client.h against each other, and the client against peers by hand. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/clock.h"
#include "grpc/client.h"
#include "grpc/server.h"
#include "guard.h"

#define ANSWER_MAX (GRPC_MESSAGE_MAX + 16)

static struct loop loop;
static struct loop_timer *heap[GRPC_SERVER_TIMERS + GRPC_CLIENT_TIMERS];
static struct grpc_server server;
static struct grpc_client client;
static char dir[] = "/tmp/ferrule-grpc-XXXXXX";
static char path[64];
static char big[ANSWER_MAX], answer[ANSWER_MAX];

static struct outcome {
	int n; /* times done was called */
	enum grpc_status status;
	bool from_server;
	char text[GRPC_TEXT_MAX];
	size_t size;
} out;

static int watch_closed, watch_sent;

static void echo(void *arg, struct grpc_call *call, struct str request)
{
	char *mem = grpc_call_mem(call, request.n + 1);

	(void)arg;
	if (mem == NULL) {
		grpc_call_fail(call, GRPC_RESOURCE_EXHAUSTED, "too much");
		return;
	}
	if (request.n > 0) {
		memcpy(mem, request.p, request.n);
	}
	grpc_call_reply(call, (struct str){mem, request.n});
}

static void half(void *arg, struct grpc_call *call, struct str request)
{
	(void)arg;
	grpc_call_reply(call, (struct str){big, request.n / 2 + GRPC_MESSAGE_MAX / 2});
}

static void refuse(void *arg, struct grpc_call *call, struct str request)
{
	(void)arg;
	(void)request;
	grpc_call_fail(call, GRPC_ABORTED, "50% of\nit");
}

static void silent(void *arg, struct grpc_call *call, struct str request)
{
	(void)arg;
	(void)call;
	(void)request;
}

static void on_sent(void *arg, struct grpc_call *call)
{
	(void)arg;
	watch_sent++;
	if (watch_sent % 2 == 1) {
		grpc_call_send(call, STR("second")); /* from inside the transport */
	} else {
		grpc_call_fail(call, GRPC_UNAVAILABLE, "enough");
	}
}

static void on_closed(void *arg, struct grpc_call *call)
{
	(void)arg;
	(void)call;
	watch_closed++;
}

static void stream(void *arg, struct grpc_call *call, struct str request)
{
	static const struct grpc_watch watch = {on_sent, on_closed};

	(void)arg;
	(void)request;
	grpc_call_watch(call, &watch, NULL);
	grpc_call_send(call, STR("first"));
}

static void hang(void *arg, struct grpc_call *call, struct str request)
{
	static const struct grpc_watch watch = {on_sent, on_closed};

	(void)arg;
	(void)request;
	grpc_call_watch(call, &watch, NULL);
}

static const struct grpc_method methods[] = {
	{"/t.T/Echo", echo, NULL},
	{"/t.T/Half", half, NULL},
	{"/t.T/Refuse", refuse, NULL},
	{"/t.T/Silent", silent, NULL},
	{"/t.T/Stream", stream, NULL},
	{"/t.T/Hang", hang, NULL},
};

static int make_listener(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	(void)!unlink(path);
	memcpy(a.sun_path, path, strlen(path) + 1);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 64), 0);
	return fd;
}

static int setup(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	memset(&out, 0, sizeof(out));
	watch_closed = watch_sent = 0;
	assert_int_equal(loop_init(&loop, heap, ARRAY_LEN(heap), &e), 0);
	grpc_server_init(&server, &loop, methods, ARRAY_LEN(methods));
	return grpc_server_listen(&server, make_listener(), &e);
}

static int teardown(void **state)
{
	(void)state;
	grpc_client_cancel(&client);
	grpc_server_free(&server);
	loop_free(&loop);
	return 0;
}

static void done(void *arg, const struct grpc_result *r)
{
	assert_ptr_equal(arg, &out);
	out.n++;
	out.status = r->status;
	out.from_server = r->from_server;
	out.size = r->message.n;
	(void)snprintf(out.text, sizeof(out.text), "%s", r->text);
}

static int begin(const char *method, struct str message, size_t cap, int64_t timeout_ms)
{
	struct grpc_request q = {.path = path,
		.method = method,
		.message = message,
		.answer = answer,
		.cap = cap,
		.timeout_ms = timeout_ms};
	struct err e = ERR_INIT;

	out.n = 0;
	return grpc_client_call(&client, &loop, &q, done, &out, &e);
}

static void turn(int ms)
{
	struct err e = ERR_INIT;

	assert_int_equal(loop_once(&loop, ms, &e), 0);
}

static void finish(void)
{
	int64_t end = clock_ms() + 20000;

	while (out.n == 0 && clock_ms() < end) {
		turn(100);
	}
	assert_int_equal(out.n, 1);
	for (int i = 0; i < 5; i++) {
		turn(0);
	}
	assert_int_equal(out.n, 1);
}

static void call(const char *method, struct str message, enum grpc_status want, const char *text)
{
	assert_int_equal(begin(method, message, ANSWER_MAX, 20000), 0);
	finish();
	assert_int_equal(out.status, want);
	assert_string_equal(out.text, text);
	assert_true(out.from_server);
}

static void test_unary(void **state)
{
	static const size_t sizes[] = {0, 1, 16379, 16384, 65530, 65536, 300000};

	(void)state;
	for (size_t i = 0; i < sizeof(big); i++) {
		big[i] = (char)(i * 7);
	}
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		memset(answer, 0, sizeof(answer));
		call("/t.T/Echo", (struct str){big, sizes[i]}, GRPC_OK, "");
		assert_int_equal(out.size, sizes[i]);
		assert_memory_equal(answer, big, sizes[i]);
	}
	assert_int_equal(server.ended[GRPC_OK], ARRAY_LEN(sizes));
	call("/t.T/Half", (struct str){big, GRPC_MESSAGE_MAX}, GRPC_OK, "");
	assert_int_equal(out.size, GRPC_MESSAGE_MAX);
}

static void test_too_much(void **state)
{
	(void)state;
	call("/t.T/Echo", (struct str){big, GRPC_MESSAGE_MAX}, GRPC_RESOURCE_EXHAUSTED, "too much");
	call("/t.T/Echo", (struct str){big, GRPC_MESSAGE_MAX + 1}, GRPC_RESOURCE_EXHAUSTED,
		"a message of 4194305 bytes is larger than 4194304");
	assert_int_equal(begin("/t.T/Echo", (struct str){big, 11}, 10, 20000), 0);
	finish();
	assert_int_equal(out.status, GRPC_INTERNAL);
	assert_string_equal(out.text, "the answer is larger than it may be");
	assert_false(out.from_server);
}

static void test_errors(void **state)
{
	(void)state;
	call("/t.T/Refuse", STR("x"), GRPC_ABORTED, "50% of\nit");
	call("/t.T/Silent", STR("x"), GRPC_INTERNAL, "the method gave no answer");
	call("/t.T/None", STR("x"), GRPC_UNIMPLEMENTED, "unknown method /t.T/None");
	assert_int_equal(server.ended[GRPC_ABORTED], 1);
	assert_int_equal(server.ended[GRPC_UNIMPLEMENTED], 1);
}

static void test_stream_to_a_unary_client(void **state)
{
	(void)state;
	assert_int_equal(begin("/t.T/Stream", STR(""), ANSWER_MAX, 20000), 0);
	finish();
	assert_int_equal(out.status, GRPC_INTERNAL);
	assert_string_equal(out.text, "more than one message in the answer");
	assert_int_equal(watch_sent, 2);
	assert_int_equal(watch_closed, 1);
}

static void test_deadline_and_cancel(void **state)
{
	(void)state;
	assert_int_equal(begin("/t.T/Hang", STR(""), ANSWER_MAX, 30), 0);
	finish();
	assert_int_equal(out.status, GRPC_DEADLINE_EXCEEDED);
	assert_int_equal(watch_closed, 1);
	assert_int_equal(begin("/t.T/Hang", STR(""), ANSWER_MAX, 20000), 0);
	assert_int_equal(begin("/t.T/Hang", STR(""), ANSWER_MAX, 20000), -EBUSY);
	for (int i = 0; i < 10; i++) {
		turn(5);
	}
	grpc_client_cancel(&client);
	for (int i = 0; i < 10; i++) {
		turn(5);
	}
	assert_int_equal(out.n, 0);
	assert_int_equal(watch_closed, 2);
	assert_int_equal(server.conns_now, 0);
}

static void test_server_ends(void **state)
{
	(void)state;
	assert_int_equal(begin("/t.T/Hang", STR(""), ANSWER_MAX, 20000), 0);
	while (server.started == 0) {
		turn(100);
	}
	turn(10);
	grpc_server_free(&server);
	assert_int_equal(watch_closed, 1);
	finish();
	assert_int_equal(out.status, GRPC_UNAVAILABLE);
}

static void test_nobody_there(void **state)
{
	struct grpc_request q = {.path = path, .method = "/t.T/Echo", .timeout_ms = 1000};
	char longer[200];
	struct err e = ERR_INIT;

	(void)state;
	grpc_server_unlisten(&server);
	assert_int_equal(begin("/t.T/Echo", STR(""), 10, 1000), -ECONNREFUSED);
	(void)!unlink(path);
	assert_int_equal(begin("/t.T/Echo", STR(""), 10, 1000), -ENOENT);
	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	q.path = longer;
	assert_int_equal(grpc_client_call(&client, &loop, &q, done, &out, &e), -ENAMETOOLONG);
	assert_int_equal(out.n, 0);
}

/* A peer by hand: says something to the client and hangs up, or not. */
static void test_client_and_bad_servers(void **state)
{
#define SETTINGS "\0\0\0\4\0\0\0\0\0"
	static const struct {
		struct str say;
		enum grpc_status status;
		const char *text;
	} cases[] = {
		{{NULL, 0}, GRPC_UNAVAILABLE, "closed by the peer"},
		{STR("HTTP/1.1 400 Bad Request\r\n\r\n"), GRPC_UNAVAILABLE, "closed by the peer"},
		{STR(SETTINGS), GRPC_UNAVAILABLE, "closed by the peer"},
		{STR(SETTINGS "\0\0\0\4\1\0\0\0\0"
			      "\0\0\4\3\0\0\0\0\1\0\0\0\2"),
			GRPC_INTERNAL, "the server reset the call"},
		/* :status 200 and END_STREAM, and that is all */
		{STR(SETTINGS "\0\0\1\1\5\0\0\0\1\x88"), GRPC_INTERNAL, "no grpc-status"},
		/* :status 404 */
		{STR(SETTINGS "\0\0\1\1\5\0\0\0\1\x8d"), GRPC_UNIMPLEMENTED, "HTTP status 404"},
		/* GOAWAY that takes no stream */
		{STR(SETTINGS "\0\0\x08\7\0\0\0\0\0\0\0\0\0\0\0\0\0"), GRPC_INTERNAL,
			"the server reset the call"},
		/* grpc-status 0, but content-type is not grpc's */
		{STR(SETTINGS "\0\0\x10\1\5\0\0\0\1\x88\0\x0bgrpc-status\1"
			      "0"),
			GRPC_INTERNAL, "not plain application/grpc"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int listener, peer;

		grpc_server_unlisten(&server);
		listener = make_listener();
		assert_int_equal(begin("/t.T/Echo", STR("x"), ANSWER_MAX, 20000), 0);
		peer = accept(listener, NULL, NULL);
		assert_true(peer >= 0);
		if (cases[i].say.n > 0) {
			assert_int_equal(write(peer, cases[i].say.p, cases[i].say.n),
				(ssize_t)cases[i].say.n);
		}
		assert_int_equal(shutdown(peer, SHUT_WR), 0);
		finish();
		close(peer);
		close(listener);
		assert_int_equal(out.status, cases[i].status);
		assert_non_null(strstr(out.text, cases[i].text));
	}
}

static void test_table_full(void **state)
{
	struct err e = ERR_INIT;
	int fd[GRPC_CONNS_MAX + 8];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(fd); i++) {
		int pair[2];

		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
		fd[i] = pair[1];
		assert_int_equal(grpc_server_adopt(&server, pair[0], &e), 0);
		assert_true(server.conns_now <= GRPC_CONNS_MAX);
	}
	assert_int_equal(server.dropped, 8); /* the idle ones made room */
	for (size_t i = 0; i < ARRAY_LEN(fd); i++) {
		close(fd[i]);
	}
	for (int i = 0; i < 5; i++) {
		turn(0);
	}
	assert_int_equal(server.conns_now, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_unary, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_much, setup, teardown),
		cmocka_unit_test_setup_teardown(test_errors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stream_to_a_unary_client, setup, teardown),
		cmocka_unit_test_setup_teardown(test_deadline_and_cancel, setup, teardown),
		cmocka_unit_test_setup_teardown(test_server_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nobody_there, setup, teardown),
		cmocka_unit_test_setup_teardown(test_client_and_bad_servers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_table_full, setup, teardown),
	};
	int r;

	if (mkdtemp(dir) == NULL) {
		perror(dir);
		return 1;
	}
	(void)snprintf(path, sizeof(path), "%s/s", dir);
	r = cmocka_run_group_tests(tests, NULL, NULL);
	(void)!unlink(path);
	(void)!rmdir(dir);
	return r;
}
