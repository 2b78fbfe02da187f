/* SPDX-License-Identifier: MIT */
/* The grammar of RFC 8259, checked before the tokeniser sees a text. For this folder only. */
#ifndef JSON_SCAN_PRIV_H
#define JSON_SCAN_PRIV_H

#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

/*
 * json_scan: check that text is one JSON value as json_parse accepts it (duplicate keys aside) and
 * count its tokens: values and object keys. Linear in text, no recursion, no memory.
 */
int json_scan(struct str text, uint32_t *tokens, struct err *e) MUST_CHECK;

#endif
