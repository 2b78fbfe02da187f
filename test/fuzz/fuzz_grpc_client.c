/* SPDX-License-Identifier: MIT */
/* A client and whatever a server may answer. First byte: size of the pieces. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>

#include "grpc_fuzz.h"

static struct sockaddr_un address = {.sun_family = AF_UNIX};
static int listener = -1, dones;

static void remove_socket(void)
{
	(void)!unlink(address.sun_path);
}

static void start(void)
{
	int r;

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "/tmp/ferrule-fuzz-%d.sock",
		(int)getpid());
	remove_socket();
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	r = bind(listener, (struct sockaddr *)&address, sizeof(address));
	ASSERT(r == 0);
	r = listen(listener, 8);
	ASSERT(r == 0);
	(void)!atexit(remove_socket);
}

static void done(void *arg, const struct grpc_result *r)
{
	(void)arg;
	ASSERT(r->text != NULL && (unsigned)r->status < GRPC_STATUSES);
	ASSERT(r->status != GRPC_OK || r->from_server);
	ASSERT(r->message.n <= 64);
	dones++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct grpc_client c;
	static char answer[64];
	struct grpc_request q = {.path = address.sun_path,
		.method = "/a",
		.message = STR("question"),
		.answer = answer,
		.cap = sizeof(answer),
		.timeout_ms = 600000};
	struct err e;
	int fd, r;

	if (size < 1) {
		return 0;
	}
	fuzz_start();
	if (listener < 0) {
		start();
	}
	dones = 0;
	r = grpc_client_call(&c, &fuzz_loop, &q, done, NULL, &e);
	ASSERT(r == 0);
	fd = accept(listener, NULL, NULL);
	ASSERT(fd >= 0);
	fuzz_feed(fd, data + 1, size - 1, (data[0] & 0x40) != 0 ? data[0] % 64 + 1u : size);
	close(fd);
	fuzz_turns(3);
	ASSERT(dones == 1 && !c.open);
	return 0;
}
