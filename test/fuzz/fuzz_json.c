/* SPDX-License-Identifier: MIT */
/*
 * Any bytes into the JSON reader. What it accepts is walked, read in every way and written again;
 * the result must be accepted, have as many values, and come out the same when written once more.
 */
#include <stdint.h>
#include <string.h>

#include "tools/json_rewrite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static _Alignas(16) char tokens[2][(size_t)8 << 20];
static char written[2][TEXT_CAP];

/* Look-up and errors, for the members of the top only: both walk from there. */
static void look_up(const struct json_doc *d, bool unique)
{
	struct json_iter it = json_iter(json_root(d));
	struct err e = ERR_INIT;
	struct json_val key, val;

	for (int n = 0; n < 20 && json_next(&it, &key, &val); n++) {
		const struct json_field none = {"", JSON_FIELD_VAL, &val, 0, 0, true};
		struct arena a;
		const char *name;

		CHECK(json_fail(val, &e, 1, "%s", "reason") == -1);
		CHECK(strstr(e.msg, "reason") != NULL);
		arena_init(&a, strings, sizeof(strings));
		(void)!json_fields(val, &none, 1, &a, &e);
		if (json_type(key) != JSON_NONE && json_cstr(key, &a, &name, &e) == 0) {
			CHECK(json_type(json_iget(json_root(d), name)) != JSON_NONE);
			CHECK(!unique || json_get(json_root(d), name).at == key.at + 1);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = {(const char *)data, size};
	struct json_doc first, second, strict;
	struct err e = ERR_INIT;
	struct arena a;
	struct str out;
	int r;

	if (size > TEXT_CAP / 8) {
		return 0;
	}
	arena_init(&a, tokens[1], sizeof(tokens[1]));
	r = json_parse(&strict, text, &a, 0, &e);
	CHECK(r == 0 || (r == -e.code && e.msg[0] != '\0'));
	arena_init(&a, tokens[0], sizeof(tokens[0]));
	if (json_parse(&first, text, &a, JSON_LAST_WINS, &e) < 0) {
		CHECK(r < 0);
		return 0;
	}
	look_up(&first, r == 0);
	out = rewrite(&first, written[0]);
	arena_init(&a, tokens[1], sizeof(tokens[1]));
	CHECK(json_parse(&second, out, &a, JSON_LAST_WINS, &e) == 0);
	CHECK(second.n == first.n);
	CHECK(str_eq(rewrite(&second, written[1]), out));
	return 0;
}
