/* SPDX-License-Identifier: MIT */
/* What the parts of calls.h share. */
#ifndef EXTENDER_CALLS_PRIV_H
#define EXTENDER_CALLS_PRIV_H

#include "calls.h"

void call_give(struct call *call); /* its place is free again */

/* judge.c: all verdicts, from what is known now. -ENOSPC: nothing was decided. */
int call_decide(struct calls *c, struct call *call, struct err *e) MUST_CHECK;

/* The answer with these verdicts, or with call->why; both count, log and end the call. */
void call_answer(struct calls *c, struct call *call, struct http_resp *resp);
void call_answer_error(struct calls *c, struct call *call, struct http_resp *resp, bool is_json);

#endif
