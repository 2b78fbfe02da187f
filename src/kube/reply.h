/* SPDX-License-Identifier: MIT */
/* Answers to kube-scheduler: ExtenderFilterResult, HostPriorityList, ExtenderPreemptionResult. */
#ifndef KUBE_REPLY_H
#define KUBE_REPLY_H

#include <stdint.h>

#include "base/buf.h"
#include "kube/extender.h"

/* Why a node passes or does not; each but the first has its message. */
enum kube_verdict {
	KUBE_PASS,
	KUBE_NO_ROOM,   /* not enough is free */
	KUBE_NEVER,     /* not enough even if nobody else were there: preemption cannot help */
	KUBE_UNKNOWN,   /* its state is not known */
	KUBE_MALFORMED, /* the annotation is; preemption cannot help */
	KUBE_NARROWED,  /* it would fit, but better ones were chosen */
	KUBE_UNDECIDED, /* finding out took more work than one request may cost */
};

#define KUBE_VERDICTS (KUBE_UNDECIDED + 1)

/* The message of a verdict as users of the document know it; "" for KUBE_PASS. */
const char *kube_verdict_text(enum kube_verdict v);

/*
 * A message and its answer share one block, so that 5,000 nodes are echoed without a copy:
 *
 *	KUBE_REPLY_HEAD bytes | the message | kube_reply_slack(bytes of the message) bytes
 *
 * Answers point into the block. The message is overwritten: what args and pod point to is lost.
 */
#define KUBE_REPLY_HEAD 64

size_t kube_reply_slack(size_t message_n);

/*
 * kube_filter_reply: the answer in the form of the question (Nodes.items as received, or
 * NodeNames). verdict[i] is about args->item[i]. slack is what follows the message in the block.
 * false: it does not fit (cannot happen with kube_reply_slack bytes).
 */
bool kube_filter_reply(const struct kube_args *args, const uint8_t *verdict, char *slack,
	size_t slack_n, struct str *out) MUST_CHECK;

/* kube_error_reply: nothing passes, for this reason; '%' becomes '?' (old schedulers format it). */
void kube_error_reply(struct buf *b, const char *why);

/* kube_binding_reply: ExtenderBindingResult; why is NULL when the pod was bound. */
void kube_binding_reply(struct buf *b, const char *why);

/* kube_score_reply: [{"Host":..., "Score":...}], score[i] from 0 to 10. */
bool kube_score_reply(const struct kube_args *args, const uint8_t *score, char *slack,
	size_t slack_n, struct str *out) MUST_CHECK;

/* kube_preempt_reply: the candidates with verdict KUBE_PASS and their victims' uids. */
bool kube_preempt_reply(const struct kube_args *args, const uint8_t *verdict, char *slack,
	size_t slack_n, struct str *out) MUST_CHECK;

#endif
