/* SPDX-License-Identifier: MIT */
/* For the tests of placement: instances, and checks of an answer. */
#ifndef TEST_PLACE_HELP_H
#define TEST_PLACE_HELP_H

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "place/place.h"

struct instance {
	struct place_pf pf[PLACE_PF_MAX];
	struct place_request req[PLACE_REQ_MAX];
	struct place_in in;
};

static struct place_work work;

static inline void instance_init(struct instance *x, size_t pf_n, size_t req_n)
{
	memset(x, 0, sizeof(*x));
	x->in = (struct place_in){x->pf, pf_n, x->req, req_n, 0};
}

/* The instance in a form that can be read, for messages. */
static inline const char *instance_text(const struct place_in *in)
{
	static char text[2048];
	size_t n = 0;

	for (size_t i = 0; i < in->pf_n; i++) {
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%" PRIu32 "*%" PRIu32,
			i == 0 ? "PFs " : " ", in->pf[i].vfs, in->pf[i].mbps);
	}
	for (size_t i = 0; i < in->req_n; i++) {
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%" PRIu32,
			i == 0 ? " requests " : " ", in->req[i].min);
	}
	return text;
}

/* Does out give each request a place, and is the hole there? */
static inline bool assignment_holds(const struct place_in *in, const struct place_out *out)
{
	uint64_t mbps[PLACE_PF_MAX] = {0}, vfs[PLACE_PF_MAX] = {0};

	for (size_t i = 0; i < in->req_n; i++) {
		if (out->pf[i] >= in->pf_n) {
			return false;
		}
		mbps[out->pf[i]] += in->req[i].min;
		vfs[out->pf[i]]++;
	}
	for (size_t i = 0; i < in->pf_n; i++) {
		bool hole = out->hole_pf == i;

		if (mbps[i] + (hole ? out->hole_mbps : 0) > in->pf[i].mbps ||
			vfs[i] + hole > in->pf[i].vfs) {
			return false;
		}
	}
	return true;
}

/* Numbers that are the same everywhere (splitmix64). */
static inline uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static inline uint32_t random_below(uint64_t *state, uint32_t n)
{
	return (uint32_t)(random_next(state) % n);
}

#endif
