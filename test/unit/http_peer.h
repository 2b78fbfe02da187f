/* SPDX-License-Identifier: MIT */
/* A client under test and a peer that does what the test says. */
#ifndef TEST_HTTP_PEER_H
#define TEST_HTTP_PEER_H

#include <arpa/inet.h>

#include "base/version.h"
#include "http/client.h"
#include "http_help.h"

#define OK "HTTP/1.1 200 OK\r\n"

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

static inline void on_done(
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

static inline void set_cap(size_t cap)
{
	free(t.mem);
	t.mem = malloc(cap); /* exactly: ASan sees a byte too many */
	assert_non_null(t.mem);
	t.call.mem = t.mem;
	t.call.cap = cap;
}

static inline int setup(void **state)
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

static inline int teardown(void **state)
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
static inline void use_site(void)
{
	struct sock_addr a;

	site_listen(&a);
	http_client_init(&t.client, &site.loop, &a);
}

static inline void call(void)
{
	struct err e;
	int before = t.done;

	assert_int_equal(http_client_call(&t.client, &t.call, &e), 0);
	assert_int_equal(t.done, before); /* never from inside */
	pump();
}

static inline void accept_peer(void)
{
	if (t.peer >= 0) {
		close(t.peer);
	}
	pump();
	t.peer = accept4(t.listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	assert_true(t.peer >= 0);
	pump();
}

static inline void hang_up(void)
{
	close(t.peer);
	t.peer = -1;
	pump();
}

static inline void wait_done(int n)
{
	int64_t until = clock_ms() + 10000;
	struct err e;

	while (t.done < n && clock_ms() < until) {
		assert_int_equal(loop_once(&site.loop, 20, &e), 0);
	}
	assert_int_equal(t.done, n);
}

/* What the client has sent to the peer so far. */
static inline const char *peer_heard(void)
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

static inline void check_result(int status, const char *body)
{
	assert_int_equal(t.done, 1);
	if (t.code != 0) {
		fail_msg("%d: %s", t.code, t.why);
	}
	assert_int_equal(t.status, status);
	assert_string_equal(t.body, body);
}

static inline void check_failed(int code, const char *why)
{
	assert_int_equal(t.done, 1);
	if (t.code != code || strstr(t.why, why) == NULL || strncmp(t.why, "127.0.0.1:", 10) != 0) {
		fail_msg("%d: %s", t.code, t.why);
	}
	assert_null(t.client.call);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
