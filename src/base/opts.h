/* SPDX-License-Identifier: MIT */
/* Command-line options from a table: long names only, every value checked. */
#ifndef BASE_OPTS_H
#define BASE_OPTS_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum opt_kind {
	OPT_FLAG,  /* bool *: set true; takes no value */
	OPT_ONOFF, /* bool *: "on" or "off" */
	OPT_STR,   /* const char **: any non-empty value */
	OPT_U32,   /* uint32_t *: min..max */
	OPT_LIST,  /* struct opt_list *: may be given several times */
};

/* Values of a repeatable option; the caller gives the array. Values point into argv. */
struct opt_list {
	const char **v;
	size_t n, cap;
};

struct opt {
	const char *name; /* without "--" */
	enum opt_kind kind;
	void *out;
	uint32_t min, max; /* OPT_U32 only */
	const char *arg;   /* name of the value in the help text; NULL for OPT_FLAG */
	const char *help;  /* one line */
};

/*
 * opts_parse: read argv[1..] until the first operand or "--". "--name value" and "--name=value".
 * Returns the index of the first operand (argc if none). -EINVAL and a message that names the
 * option: unknown, value missing, unexpected or out of range, list full, or given twice although it
 * has a single value (an OPT_FLAG has none).
 */
int opts_parse(
	const struct opt *table, size_t n, int argc, char *const *argv, struct err *e) MUST_CHECK;

/* opts_help: one line an option, aligned, for --help. */
void opts_help(struct buf *b, const struct opt *table, size_t n);

#endif
