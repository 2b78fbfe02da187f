/* SPDX-License-Identifier: MIT */
/* See clock.h. */
#include "base/clock.h"

#include <errno.h>
#include <time.h>

#include "base/attr.h"

int64_t clock_us(void)
{
	struct timespec t;
	int r = clock_gettime(CLOCK_MONOTONIC, &t);

	ASSERT(r == 0);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t clock_ms(void)
{
	return clock_us() / 1000;
}

void clock_sleep_ms(int64_t ms)
{
	struct timespec t = {ms / 1000, (ms % 1000) * 1000000};

	if (ms <= 0) {
		return;
	}
	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &t, &t) == EINTR) {
	}
}
