/* SPDX-License-Identifier: MIT */
/* See pages.h. */
#include "sandbox/pages.h"

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* Where storage that starts as zeros begins and ends: end(3). */
extern char edata[], end[];

void sandbox_pages(void)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t from = ((uintptr_t)edata + page - 1) / page * page, to = (uintptr_t)end;

	if (from < to) {
		/* A kernel without huge pages says EINVAL, and has nothing to be told. */
		(void)madvise(edata + (from - (uintptr_t)edata), to - from, MADV_NOHUGEPAGE);
	}
}
