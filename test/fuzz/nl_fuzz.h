/* SPDX-License-Identifier: MIT */
/* What the fuzz targets of src/nl share. */
#ifndef TEST_NL_FUZZ_H
#define TEST_NL_FUZZ_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void require(bool truth)
{
	if (!truth) {
		abort();
	}
}

/* fuzz_message: the input as one message of that length, to be freed; NULL: too short for one. */
static inline struct nlmsghdr *fuzz_message(const uint8_t *data, size_t size)
{
	uint32_t len = (uint32_t)size;
	struct nlmsghdr *nlh;

	if (size < sizeof(*nlh)) {
		return NULL;
	}
	nlh = malloc(size);
	require(nlh != NULL);
	memcpy(nlh, data, size);
	memcpy(nlh, &len, sizeof(len));
	return nlh;
}

#endif
