/* SPDX-License-Identifier: MIT */
/* What the kernel was told of our static storage, as it shows in /proc/self/smaps. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "unit.h"

#include "sandbox/pages.h"

static char large[8 << 20];
static int initialised = 1;

/* Whether the mapping that p is in is advised to have no huge pages ("nh", proc(5)). */
static bool small_pages_at(const void *p)
{
	FILE *f = fopen("/proc/self/smaps", "r");
	bool here = false, found = false, small = false;
	char line[512];

	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		uint64_t from, to;

		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " ", &from, &to) == 2) {
			here = (uintptr_t)p >= from && (uintptr_t)p < to;
		} else if (here && strncmp(line, "VmFlags:", 8) == 0) {
			found = true;
			small = strstr(line, " nh") != NULL;
		}
	}
	(void)fclose(f);
	assert_true(found);
	return small;
}

static void test_static_storage_alone(void **state)
{
	int local = 0;

	(void)state;
	assert_false(small_pages_at(large + sizeof(large) / 2));
	sandbox_pages();
	sandbox_pages();
	/* Its first bytes may share a page with initialised data. */
	assert_true(small_pages_at(large + (64 << 10)));
	assert_true(small_pages_at(large + sizeof(large) / 2));
	assert_true(small_pages_at(large + sizeof(large) - 1));
	assert_false(small_pages_at(&local));
	large[5] = 7;
	assert_int_equal(large[5] + initialised, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_static_storage_alone)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
