/* SPDX-License-Identifier: MIT */
/* Time: monotonic milliseconds for deadlines, microseconds for measuring. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

int64_t clock_ms(void);          /* CLOCK_MONOTONIC in milliseconds */
int64_t clock_us(void);          /* CLOCK_MONOTONIC in microseconds */
void clock_sleep_ms(int64_t ms); /* sleeps the whole time, signals or not; <= 0 returns at once */

#endif
