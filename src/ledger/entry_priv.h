/* SPDX-License-Identifier: MIT */
/* The parts of a record's format that reading and writing share. */
#ifndef LEDGER_ENTRY_PRIV_H
#define LEDGER_ENTRY_PRIV_H

#include "json/value.h"
#include "json/write.h"
#include "ledger/entry.h"

/* ledger_printable: ASCII without blanks; may be empty. */
bool ledger_printable(struct str s);

/* ledger_file_load: a whole record from a file, which may have any name. Errors as ledger_load. */
int ledger_file_load(int dir, const char *path, struct ledger_entry *en, struct err *e) MUST_CHECK;

/* "restore" and "applied". The arena is for unescaped strings, for a moment. */
void ledger_saved_write(struct json_writer *w, const char *key, const struct sriov_saved *s);
int ledger_saved_parse(
	struct json_val v, struct sriov_saved *out, struct arena *a, struct err *e) MUST_CHECK;

/* ledger_saved_check: -EINVAL when s could not be read back as it is. */
int ledger_saved_check(const struct sriov_saved *s, struct err *e) MUST_CHECK;

#endif
