/* SPDX-License-Identifier: MIT */
/* Request heads: a head accepted or refused once stays so, however it arrives. */
#include "http_fuzz.h"

static struct http_req_head head, again;

static void check_accepted(const char *p, size_t n)
{
	static const char path[] = "/";
	bool own = head.path.n == 1 && head.path.p[0] == path[0];

	fuzz_check_head(&head.h, p, n);
	ASSERT(http_is_token(head.method_text));
	ASSERT(http_is_path(head.path));
	ASSERT(head.h.minor <= 1);
	fuzz_check_slice(head.target, p, n);
	fuzz_check_slice(head.query, p, n);
	if (!own) {
		fuzz_check_slice(head.path, p, n);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data;
	struct http_bad bad = {0, NULL}, bad_again = {0, NULL};
	ssize_t whole = http_req_parse(p, size, &head, &bad), part;
	size_t step = size > 512 ? size / 64 : 1;

	if (whole > 0) {
		ASSERT((size_t)whole <= size);
		check_accepted(p, (size_t)whole);
		/* The server reads a head once more when its body has come: exactly these bytes. */
		ASSERT(http_req_parse(p, (size_t)whole, &again, &bad) == whole);
		ASSERT(http_req_parse(p, (size_t)whole - 1, &again, &bad) == 0);
	}
	ASSERT(whole >= 0 || (bad.status >= 400 && bad.status <= 505 && bad.why != NULL));
	for (size_t n = 0; n < size; n += step) {
		part = http_req_parse(p, n, &again, &bad_again);
		ASSERT(part == 0 || part == whole);
		ASSERT(part >= 0 || bad_again.status == bad.status);
	}
	return 0;
}
