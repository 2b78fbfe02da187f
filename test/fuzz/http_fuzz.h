/* SPDX-License-Identifier: MIT */
/* What the fuzz targets of src/http share. */
#ifndef TEST_HTTP_FUZZ_H
#define TEST_HTTP_FUZZ_H

#include <stdint.h>

#include "http/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* fuzz_check_slice: s is empty or inside the n bytes at p. */
static inline void fuzz_check_slice(struct str s, const char *p, size_t n)
{
	ASSERT(s.n == 0 || (s.p >= p && s.p + s.n <= p + n));
}

/* fuzz_check_head: what a caller may rely on after a head was accepted. */
static inline void fuzz_check_head(const struct http_head *h, const char *p, size_t n)
{
	ASSERT(n <= HTTP_HEAD_MAX);
	ASSERT(h->field_n <= HTTP_FIELDS_MAX);
	ASSERT(!(h->chunked && h->has_length));
	ASSERT(h->has_length || h->length == 0);
	ASSERT(!(h->chunked && h->minor == 0));
	for (size_t i = 0; i < h->field_n; i++) {
		ASSERT(http_is_token(h->field[i].name));
		ASSERT(http_is_value(h->field[i].value));
		fuzz_check_slice(h->field[i].name, p, n);
		fuzz_check_slice(h->field[i].value, p, n);
	}
}

#endif
