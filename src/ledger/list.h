/* SPDX-License-Identifier: MIT */
/* The names in a directory of the ledger, as they are at one moment. */
#ifndef LEDGER_LIST_H
#define LEDGER_LIST_H

#include "base/err.h"
#include "base/file.h"

/*
 * ledger_list: call fn for each entry of the directory name in dir, as file_list does, except that
 * a file which is replaced meanwhile is never missed. readdir cannot promise that: it fetches a
 * part at a time, and on tmpfs a file renamed over another one moves to a place that has been
 * passed. Here one getdents64(2) fetches all names; the kernel holds the directory's lock for a
 * whole call (fs/readdir.c, iterate_dir), so that no rename comes between. Where a file system
 * gives its names in several parts all the same, they count only if the directory did not change
 * meanwhile: -EAGAIN if it changes every time. -E2BIG: more names than LEDGER_MAX records can have.
 * fn must not call ledger_list. Names are fetched before fn is called first: it may find a file
 * gone.
 */
int ledger_list(int dir, const char *name, file_list_fn *fn, void *arg, struct err *e) MUST_CHECK;

#endif
