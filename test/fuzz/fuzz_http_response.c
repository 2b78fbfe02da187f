/* SPDX-License-Identifier: MIT */
/* Response heads: a head accepted or refused once stays so, however it arrives. */
#include "http_fuzz.h"

static struct http_resp_head head, again;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data;
	struct http_bad bad = {0, NULL};
	ssize_t whole = http_resp_parse(p, size, &head, &bad), part;
	size_t step = size > 512 ? size / 64 : 1;

	ASSERT(whole >= 0 || (bad.status == 502 && bad.why != NULL));
	if (whole > 0) {
		ASSERT((size_t)whole <= size);
		fuzz_check_head(&head.h, p, (size_t)whole);
		fuzz_check_slice(head.reason, p, (size_t)whole);
		ASSERT(head.status >= 100 && head.status <= 599);
		ASSERT(http_resp_parse(p, (size_t)whole, &again, &bad) == whole);
		ASSERT(http_resp_parse(p, (size_t)whole - 1, &again, &bad) == 0);
	}
	for (size_t n = 0; n < size; n += step) {
		part = http_resp_parse(p, n, &again, &bad);
		ASSERT(part == 0 || part == whole);
	}
	return 0;
}
