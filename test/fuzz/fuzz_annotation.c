/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a pod's annotation. What is accepted keeps the promises of kube/annotation.h, can be
 * written out again and then means the same; what is refused has a reason and leaves no trace.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kube/annotation.h"

#define CHECK(cond)                                                                                \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond);                 \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static _Alignas(16) char memory[KUBE_ANNOTATION_ARENA];

static int parse(struct str text, struct kube_annotation *out, struct err *e)
{
	struct arena a;
	int r;

	arena_init(&a, memory, sizeof(memory));
	r = kube_annotation_parse(text, &a, out, e);
	CHECK(a.used == 0);
	return r;
}

static void write_again(const struct kube_annotation *want)
{
	static char text[PLACE_REQ_MAX * 64 + 8];
	struct kube_annotation got;
	struct err e = ERR_INIT;
	size_t n = 0;

	text[n++] = '[';
	for (uint32_t i = 0; i < want->n; i++) {
		n += (size_t)snprintf(text + n, sizeof(text) - n,
			"%s{\"max_tx_rate\":%u,\"min_tx_rate\":%u}", i > 0 ? "," : "",
			want->req[i].max, want->req[i].min);
	}
	text[n++] = ']';
	CHECK(parse((struct str){text, n}, &got, &e) == 0);
	CHECK(memcmp(&got, want, sizeof(got)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kube_annotation got, before;
	struct err e = ERR_INIT;
	int r;

	memset(&before, 0x5a, sizeof(before));
	got = before;
	r = parse((struct str){(const char *)data, size}, &got, &e);
	if (r < 0) {
		CHECK(r == -EINVAL && e.code == EINVAL && strlen(e.msg) > 30);
		CHECK(memcmp(&got, &before, sizeof(got)) == 0);
		return 0;
	}
	CHECK(got.n <= PLACE_REQ_MAX && size <= KUBE_ANNOTATION_MAX);
	for (uint32_t i = 0; i < got.n; i++) {
		CHECK(got.req[i].max == 0 || got.req[i].max >= got.req[i].min);
	}
	write_again(&got);
	return 0;
}
