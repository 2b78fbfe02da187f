/* SPDX-License-Identifier: MIT */
/* See command.h. */
#include "base/command.h"

#include <errno.h>

#include "base/io.h"
#include "base/log.h"
#include "base/version.h"

#define HELP_CAP 2048 /* more than any table needs */

static void answer(const struct command *c, const struct opt *table, size_t n, int out)
{
	char text[HELP_CAP];
	struct buf b;

	buf_init(&b, text, sizeof(text));
	if (c->help) {
		buf_printf(&b, "usage: %s [OPTION]...\n", c->name);
		opts_help(&b, table, n);
	} else {
		buf_printf(&b, "%s %s\n", c->name, ferrule_version());
	}
	ASSERT(buf_ok(&b));
	(void)!io_write_all(out, b.p, b.n); /* nobody is left to tell */
}

int command_parse(struct command *c, const struct opt *table, size_t n, int argc, char *const *argv,
	int out, struct err *e)
{
	int r = opts_parse(table, n, argc, argv, e);

	if (r < 0) {
		return r;
	}
	if (r < argc) {
		return err_set(e, EINVAL, "unexpected argument '%s'", argv[r]);
	}
	if (!c->help && !c->version) {
		return 0;
	}
	answer(c, table, n, out);
	return 1;
}

int command_log_level(const struct command *c, struct err *e)
{
	enum log_level level = LOG_INFO;

	if (c->log_level != NULL && !log_parse_level(str_from(c->log_level), &level)) {
		return err_set(e, EINVAL, "--log-level: '%s' is not error, warn, info or debug",
			c->log_level);
	}
	log_set_level(level);
	return 0;
}
