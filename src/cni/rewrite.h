/* SPDX-License-Identifier: MIT */
/* Network configurations made of the one we got: for other plugins. */
#ifndef CNI_REWRITE_H
#define CNI_REWRITE_H

#include "cni/conf.h"

/*
 * cni_rewrite_delegate: the configuration of the delegate network: what stands in "delegate", with
 * our cniVersion, our name unless it has its own, our args unless it has its own, and of our
 * runtimeConfig what its "capabilities" ask for. with_prev: and prevResult.
 */
void cni_rewrite_delegate(struct buf *b, const struct cni_conf *c, bool with_prev);

/* cni_rewrite_as: a configuration (conf, any JSON object) with another cniVersion and name. */
void cni_rewrite_as(struct buf *b, struct json_val conf, const char *version, const char *name);

/*
 * cni_rewrite_gc: a configuration (conf, any JSON object) with the valid attachments replaced by
 * n others, under both spellings.
 */
void cni_rewrite_gc(struct buf *b, struct json_val conf, const struct cni_valid *valid, size_t n);

#endif
