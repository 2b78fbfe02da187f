/* SPDX-License-Identifier: MIT */
/* Parsing for tests: memory that is always enough, and texts that must be JSON. */
#ifndef TEST_JSON_HELP_H
#define TEST_JSON_HELP_H

#include "json/read.h"

static char memory[(size_t)64 << 20];

/* The document's tokens are gone when the next one is parsed. */
static inline int parse_with(struct json_doc *d, struct str text, unsigned flags, struct err *e)
{
	struct arena a;

	arena_init(&a, memory, sizeof(memory));
	return json_parse(d, text, &a, flags, e);
}

/* Parse a C string that must be JSON. */
static inline struct json_val parsed(struct json_doc *d, const char *text)
{
	struct err e = ERR_INIT;

	if (parse_with(d, str_from(text), 0, &e) != 0) {
		fail_msg("%s: %s", text, e.msg);
	}
	return json_root(d);
}

#endif
