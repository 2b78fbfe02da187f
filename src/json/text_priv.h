/* SPDX-License-Identifier: MIT */
/* Characters: UTF-8, string escapes and places in a text. For this folder only. */
#ifndef JSON_TEXT_PRIV_H
#define JSON_TEXT_PRIV_H

#include <stdint.h>

#include "base/str.h"

#define TEXT_END (-1)
#define TEXT_BAD (-2)

/*
 * text_utf8: take one character (RFC 3629, so no surrogates and no overlong forms) off the front of
 * s. Its code point; TEXT_END if s is empty; TEXT_BAD, with s unchanged, if it is not valid UTF-8.
 */
int32_t text_utf8(struct str *s);

/*
 * text_next: the same for what stands between the quotes of a checked string literal: one escape is
 * one character, and so is a pair of surrogate escapes. A surrogate without its other half is
 * returned as itself, 0xd800..0xdfff. Never TEXT_BAD.
 */
int32_t text_next(struct str *raw);
bool text_is_surrogate(int32_t cp);

/* text_put: write cp as UTF-8; 1..4, the number of bytes. */
size_t text_put(char out[static 4], int32_t cp);

/* text_place: line and column, counted from 1, of the byte at offset at <= text.n. */
void text_place(struct str text, size_t at, uint32_t *line, uint32_t *column);

#endif
