/* SPDX-License-Identifier: MIT */
/* A server and whatever a peer may say. First byte: size of the pieces, and whether preface and
 * SETTINGS are put in front, so that the input is frames. */
#include "grpc_fuzz.h"

static void echo(void *arg, struct grpc_call *call, struct str request)
{
	char *mem = grpc_call_mem(call, request.n + 1);

	(void)arg;
	if (mem == NULL) {
		grpc_call_fail(call, GRPC_RESOURCE_EXHAUSTED, "no memory");
		return;
	}
	if (request.n > 0) {
		memcpy(mem, request.p, request.n);
	}
	grpc_call_reply(call, (struct str){mem, request.n});
}

static int open_streams;

static void on_sent(void *arg, struct grpc_call *call)
{
	(void)arg;
	(void)call;
}

static void on_closed(void *arg, struct grpc_call *call)
{
	(void)arg;
	(void)call;
	open_streams--;
}

static void stream(void *arg, struct grpc_call *call, struct str request)
{
	static const struct grpc_watch watch = {on_sent, on_closed};
	static const char list[100000];

	(void)arg;
	(void)request;
	open_streams++;
	grpc_call_watch(call, &watch, NULL);
	grpc_call_send(call, (struct str){list, sizeof(list)});
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct grpc_method methods[] = {{"/a", echo, NULL}, {"/b", stream, NULL}};
	static const uint8_t hello[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0";
	static struct grpc_server s;
	struct err e;
	int pair[2], r;

	if (size < 1) {
		return 0;
	}
	fuzz_start();
	grpc_server_init(&s, &fuzz_loop, methods, ARRAY_LEN(methods));
	r = socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair);
	ASSERT(r == 0);
	r = grpc_server_adopt(&s, pair[0], &e);
	ASSERT(r == 0);
	if ((data[0] & 0x80) != 0) {
		fuzz_feed(pair[1], hello, sizeof(hello), sizeof(hello)); /* NUL ends SETTINGS */
	}
	fuzz_feed(pair[1], data + 1, size - 1, (data[0] & 0x40) != 0 ? data[0] % 64 + 1u : size);
	for (size_t i = 0; i < GRPC_CONNS_MAX; i++) {
		ASSERT(!s.peer[i].used || s.peer[i].conn.mem.used <= GRPC_CONN_MEM);
		ASSERT(!s.peer[i].used || s.peer[i].call_n <= GRPC_CALLS_MAX + 1);
	}
	close(pair[1]);
	fuzz_turns(3);
	ASSERT(s.conns_now == 0 && open_streams == 0);
	grpc_server_free(&s);
	return 0;
}
