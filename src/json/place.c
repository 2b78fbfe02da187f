/* SPDX-License-Identifier: MIT */
/* Where a value stands: found from the top when an error needs it, so that nothing keeps track. */
#include <stdio.h>

#include "json/read.h"
#include "json/text_priv.h"
#include "json/value.h"

void json_place(struct json_val v, uint32_t *line, uint32_t *column)
{
	struct str raw = json_raw(v);

	*line = 0;
	*column = 0;
	if (v.d != NULL) {
		text_place(v.d->text, (size_t)(raw.p - v.d->text.p), line, column);
	}
}

/* Add a piece if "..." still fits behind it. */
static bool add_piece(struct buf *b, const char *before, struct str s, const char *behind)
{
	static const struct str dots = {"...", 3};

	if (s.n > b->cap || s.n + 2 + dots.n > buf_room(b)) {
		if (dots.n <= buf_room(b)) {
			buf_add(b, dots);
		}
		return false;
	}
	buf_add_c(b, before);
	buf_add(b, s);
	buf_add_c(b, behind);
	return true;
}

void json_path(struct json_val v, struct buf *b)
{
	struct json_val at = {v.d, 0}, key = JSON_VAL_NONE;

	while (v.d != NULL && at.at != v.at && key.at != v.at) {
		struct json_iter it = json_iter(at);
		size_t index = 0;
		bool more;

		while (json_next(&it, &key, &at) && v.at >= it.at) {
			index++;
		}
		if (it.members) {
			struct str raw = json_raw(key);
			struct str name = {raw.p + 1, raw.n - 2};

			more = add_piece(b, b->n > 0 ? "." : "", name, "");
		} else {
			char digits[24];
			int n = snprintf(digits, sizeof(digits), "%zu", index);

			more = add_piece(b, "[", (struct str){digits, (size_t)n}, "]");
		}
		if (!more) {
			return;
		}
	}
}

int json_fail(struct json_val v, struct err *e, int code, const char *fmt, ...)
{
	char what[200], path[100];
	uint32_t line, column;
	struct buf b;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	if (n < 0) {
		what[0] = '\0';
	}
	if (v.d == NULL) {
		return err_set(e, code, "missing: %s", what);
	}
	buf_init(&b, path, sizeof(path));
	json_path(v, &b);
	json_place(v, &line, &column);
	return err_set(e, code, "%.*s%sline %u, column %u%s: %s", STR_ARG(buf_str(&b)),
		b.n > 0 ? " (" : "", line, column, b.n > 0 ? ")" : "", what);
}
