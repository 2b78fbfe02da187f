/* SPDX-License-Identifier: MIT */
/* Memory for a moment at the far end of an arena, whose near end fills with what stays. */
#ifndef LEDGER_RECORD_PRIV_H
#define LEDGER_RECORD_PRIV_H

#include "base/arena.h"

/*
 * ledger_scratch_take: the last n bytes of a as an arena of its own; false if it has no n left.
 * ledger_scratch_give: give them back. Nested pairs end in reverse order.
 */
bool ledger_scratch_take(struct arena *a, size_t n, struct arena *out) MUST_CHECK;
void ledger_scratch_give(struct arena *a, const struct arena *scratch);

#endif
