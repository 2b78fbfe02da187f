/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a placement: numbers of PFs and requests, a shift for the rates, then two bytes of
 * rate and one of VFs a PF, and two bytes of rate a request. The answers must agree with each
 * other, hold, and for small instances be those of trying everything.
 */
#include <stdlib.h>

#include "../unit/place_help.h"
#include "../unit/place_brute.h"

#define CHECK(cond)                                                                                \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #cond,              \
				instance_text(&x.in));                                             \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct bytes {
	const uint8_t *p;
	size_t n;
};

static uint32_t take(struct bytes *b, size_t n)
{
	uint32_t value = 0;

	for (; n > 0; n--) {
		value = value << 8 | (b->n > 0 ? *b->p : 0);
		b->p += b->n > 0;
		b->n -= b->n > 0;
	}
	return value;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes b = {data, size};
	size_t pf_n = take(&b, 1) % (PLACE_PF_MAX + 1), req_n = take(&b, 1) % (PLACE_REQ_MAX + 1);
	uint32_t shift = take(&b, 1) % 17;
	struct place_out fits, out;
	struct err e = ERR_INIT;
	struct instance x;
	uint64_t all = 1;
	int yes, r;

	instance_init(&x, pf_n, req_n);
	for (size_t i = 0; i < pf_n; i++) {
		x.pf[i].mbps = take(&b, 2) << shift;
		x.pf[i].vfs = take(&b, 1);
	}
	for (size_t i = 0; i < req_n; i++) {
		x.req[i].min = take(&b, 2) << shift;
		all *= all < 5000 ? pf_n : 1;
	}
	x.in.steps_max = 100000;
	yes = place_fits(&x.in, &work, &fits, &e);
	r = place_assign(&x.in, &work, &out, &e);
	CHECK(yes == PLACE_NO || yes == PLACE_YES || yes == PLACE_LIMIT);
	CHECK(r == yes || (r == PLACE_ANY && yes == PLACE_YES));
	CHECK(yes != PLACE_YES || assignment_holds(&x.in, &out));
	if (all < 5000 && (pf_n > 0 || req_n == 0)) {
		struct brute right;

		brute_assign(&x.in, &right);
		CHECK(yes == (right.fits ? PLACE_YES : PLACE_NO));
		CHECK(!right.fits || r == PLACE_ANY || memcmp(out.pf, right.pf, req_n) == 0);
	}
	return 0;
}
