/* SPDX-License-Identifier: MIT */
/* A loop, a server with one method of each kind, and feeding a socket in pieces. */
#ifndef TEST_GRPC_FUZZ_H
#define TEST_GRPC_FUZZ_H

#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "grpc/client.h"
#include "grpc/server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct loop fuzz_loop;
static struct loop_timer *fuzz_heap[GRPC_SERVER_TIMERS + GRPC_CLIENT_TIMERS];

static inline void fuzz_turns(int n)
{
	struct err e;

	for (int i = 0; i < n; i++) {
		int r = loop_once(&fuzz_loop, 0, &e);

		ASSERT(r == 0);
	}
}

static inline void fuzz_start(void)
{
	struct err e;
	int r;

	if (fuzz_loop.heap == NULL) {
		r = loop_init(&fuzz_loop, fuzz_heap, ARRAY_LEN(fuzz_heap), &e);
		ASSERT(r == 0);
	}
}

/* Writes what the other side takes and throws away what it says. */
static inline void fuzz_feed(int fd, const uint8_t *p, size_t n, size_t step)
{
	char sink[4096];

	for (size_t at = 0; at < n; at += step) {
		if (send(fd, p + at, n - at < step ? n - at : step, MSG_NOSIGNAL) <= 0) {
			break;
		}
		fuzz_turns(2);
		while (recv(fd, sink, sizeof(sink), MSG_DONTWAIT) > 0) {
		}
	}
	fuzz_turns(2);
}

#endif
