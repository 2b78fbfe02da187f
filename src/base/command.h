/* SPDX-License-Identifier: MIT */
/* What the command lines of all programs have in common: a few options, and exit codes. */
#ifndef BASE_COMMAND_H
#define BASE_COMMAND_H

#include "base/opts.h"

#define EXIT_OK     0
#define EXIT_USAGE  100 /* wrong usage or configuration: starting again does not help */
#define EXIT_SYSTEM 111 /* the system failed: starting again may help */

struct command {
	const char *name;      /* as people type it: "rdma-ds serve" */
	const char *log_level; /* NULL: not given */
	bool check_config, help, version;
};

/* Rows for a table of options; c is a struct command *, what is what --check-config checks. */
#define COMMAND_LOG_LEVEL(c)                                                                       \
	{                                                                                          \
		"log-level", OPT_STR, &(c)->log_level, 0, 0, "LEVEL",                              \
			"error, warn, info or debug (default info)"                                \
	}
#define COMMAND_CHECK_CONFIG(c, what)                                                              \
	{                                                                                          \
		"check-config", OPT_FLAG, &(c)->check_config, 0, 0, NULL,                          \
			"check " what ", then exit"                                                \
	}
#define COMMAND_VERSION(c)                                                                         \
	{                                                                                          \
		"version", OPT_FLAG, &(c)->version, 0, 0, NULL, "print the version"                \
	}
#define COMMAND_HELP(c)                                                                            \
	{                                                                                          \
		"help", OPT_FLAG, &(c)->help, 0, 0, NULL, "this text"                              \
	}

/*
 * command_parse: opts_parse over the table, with no operands allowed; then what --help, or else
 * --version, asks for is written to the descriptor out. A reader of it that has gone is no error.
 * 1: help or version was asked for, nothing else counts; 0: go on. -EINVAL as opts_parse, or a
 * message that names the operand.
 */
int command_parse(struct command *c, const struct opt *table, size_t n, int argc, char *const *argv,
	int out, struct err *e) MUST_CHECK;

/* command_over: nothing is left to do once all options are checked. */
static inline bool command_over(const struct command *c)
{
	return c->help || c->version || c->check_config;
}

/* command_log_level: set the level of the log, info if none was given. -EINVAL: no such level. */
int command_log_level(const struct command *c, struct err *e) MUST_CHECK;

#endif
