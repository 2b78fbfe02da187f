/* SPDX-License-Identifier: MIT */
/* See opts.h. */
#include "base/opts.h"

#include <errno.h>
#include <string.h>

#include "base/num.h"

#define OPTS_MAX 64 /* options of one table: one bit each in the "given" set */

static const struct opt *opt_find(const struct opt *table, size_t n, struct str name)
{
	for (size_t i = 0; i < n; i++) {
		if (str_eq_c(name, table[i].name)) {
			return &table[i];
		}
	}
	return NULL;
}

static int set_onoff(const struct opt *o, const char *value, struct err *e)
{
	bool on = strcmp(value, "on") == 0;

	if (!on && strcmp(value, "off") != 0) {
		return err_set(e, EINVAL, "--%s: '%s' is neither 'on' nor 'off'", o->name, value);
	}
	*(bool *)o->out = on;
	return 0;
}

static int set_u32(const struct opt *o, const char *value, struct err *e)
{
	uint32_t v;

	if (!num_u32(str_from(value), o->max, &v) || v < o->min) {
		return err_set(e, EINVAL, "--%s: '%s' is not a number from %u to %u", o->name,
			value, o->min, o->max);
	}
	*(uint32_t *)o->out = v;
	return 0;
}

static int set_list(const struct opt *o, const char *value, struct err *e)
{
	struct opt_list *l = o->out;

	if (l->n == l->cap) {
		return err_set(e, EINVAL, "--%s: given more than %zu times", o->name, l->cap);
	}
	l->v[l->n++] = value;
	return 0;
}

static int opt_set(const struct opt *o, const char *value, struct err *e)
{
	if (value[0] == '\0') {
		return err_set(e, EINVAL, "--%s: the value is empty", o->name);
	}
	switch (o->kind) {
	case OPT_ONOFF:
		return set_onoff(o, value, e);
	case OPT_STR:
		*(const char **)o->out = value;
		return 0;
	case OPT_LIST:
		return set_list(o, value, e);
	case OPT_U32:
		return set_u32(o, value, e);
	case OPT_FLAG:
		break; /* opt_take has dealt with it */
	}
	ASSERT(o->kind != OPT_FLAG);
	return -EINVAL;
}

/* One option at argv[i]; returns how many words it took. */
static int opt_take(const struct opt *table, size_t n, int left, char *const *argv, uint64_t *given,
	struct err *e)
{
	struct str word = str_skip(str_from(argv[0]), 2), name = word, value = STR_INIT;
	bool inlined = str_cut(word, '=', &name, &value);
	const struct opt *o = opt_find(table, n, name);
	uint64_t bit;
	int r;

	if (o == NULL) {
		return err_set(e, EINVAL, "unknown option --%.*s", STR_ARG(name));
	}
	bit = (uint64_t)1 << (o - table);
	if (o->kind == OPT_FLAG) {
		if (inlined) {
			return err_set(e, EINVAL, "--%s takes no value", o->name);
		}
		*(bool *)o->out = true;
		return 1;
	}
	if ((*given & bit) != 0 && o->kind != OPT_LIST) {
		return err_set(e, EINVAL, "--%s is given twice", o->name);
	}
	*given |= bit;
	if (!inlined && left < 2) {
		return err_set(e, EINVAL, "--%s needs a value: %s", o->name, o->arg);
	}
	r = opt_set(o, inlined ? value.p : argv[1], e);
	return r < 0 ? r : inlined ? 1 : 2;
}

int opts_parse(const struct opt *table, size_t n, int argc, char *const *argv, struct err *e)
{
	uint64_t given = 0;
	int i = 1;

	ASSERT(n <= OPTS_MAX);
	while (i < argc) {
		struct str word = str_from(argv[i]);
		int r;

		if (str_eq_c(word, "--")) {
			return i + 1;
		}
		if (word.n < 2 || word.p[0] != '-') {
			return i;
		}
		if (word.p[1] != '-') {
			return err_set(
				e, EINVAL, "unknown option %s: options begin with --", argv[i]);
		}
		r = opt_take(table, n, argc - i, argv + i, &given, e);
		if (r < 0) {
			return r;
		}
		i += r;
	}
	return argc;
}

static size_t opt_width(const struct opt *o)
{
	return strlen(o->name) + (o->arg ? strlen(o->arg) + 1 : 0);
}

void opts_help(struct buf *b, const struct opt *table, size_t n)
{
	size_t width = 0;

	for (size_t i = 0; i < n; i++) {
		size_t w = opt_width(&table[i]);

		width = w > width ? w : width;
	}
	for (size_t i = 0; i < n; i++) {
		const struct opt *o = &table[i];

		buf_printf(b, "  --%s%s%s%*s  %s\n", o->name, o->arg ? " " : "",
			o->arg ? o->arg : "", (int)(width - opt_width(o)), "", o->help);
	}
}
