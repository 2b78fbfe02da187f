/* SPDX-License-Identifier: MIT */
/*
 * The tokeniser. Its macros change the layout of its structs, so this is the only place that
 * includes it.
 */
#ifndef JSON_JSMN_PRIV_H
#define JSON_JSMN_PRIV_H

#define JSMN_STATIC
#define JSMN_STRICT
#define JSMN_PARENT_LINKS
#include <jsmn.h>

#endif
