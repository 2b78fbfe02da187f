/* SPDX-License-Identifier: MIT */
/* Every bound of the JSON reader and writer, with its reason. */
#ifndef JSON_LIMITS_H
#define JSON_LIMITS_H

/*
 * Containers within containers. A Kubernetes Pod nests about 12 deep; a tokeniser that follows
 * parent links needs time proportional to size times depth, so depth must not be the peer's choice.
 */
#define JSON_DEPTH_MAX 64

/* Bytes of one text. Token offsets are int; no document of ours comes near this. */
#define JSON_TEXT_MAX (256u << 20)

/* Arena bytes one token costs (a value or an object key). */
#define JSON_TOKEN_BYTES 20

/*
 * Arena bytes with which json_parse cannot fail for lack of memory, whatever the text: a token for
 * every two bytes ("[1,1,1") and the sorted keys of one object. Kubernetes documents have about 20
 * bytes a token, so that 2 bytes of arena for each byte of text serve them.
 */
#define JSON_ARENA_WORST(text_bytes) ((size_t)(text_bytes) / 2 * (JSON_TOKEN_BYTES + 4) + 128)

#endif
