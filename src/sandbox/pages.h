/* SPDX-License-Identifier: MIT */
/* Memory in small pages. */
#ifndef SANDBOX_PAGES_H
#define SANDBOX_PAGES_H

/*
 * sandbox_pages: for a program with large static storage of which it touches little, before it
 * touches any: the kernel is not to give it transparent huge pages for it (madvise(2),
 * MADV_NOHUGEPAGE). Where they are on ("always", as Debian has it), the first byte of each 2 MiB
 * costs the clearing of all of it, in time and in memory. Programs it executes are not affected.
 */
void sandbox_pages(void);

#endif
