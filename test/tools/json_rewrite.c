/* SPDX-License-Identifier: MIT */
/*
 * Reads texts from stdin, each after its length in decimal and a newline, and answers each with one
 * line: "+" and the document written again, or "-" and the reason why it is refused.
 */
#include <stdint.h>
#include <stdio.h>

#include "json_rewrite.h"

static _Alignas(16) char tokens[(size_t)8 << 20];
static char text[TEXT_CAP], written[TEXT_CAP];

int main(void)
{
	size_t n;

	while (scanf("%zu", &n) == 1 && getchar() == '\n') {
		struct err e = ERR_INIT;
		struct json_doc d;
		struct arena a;

		if (n > sizeof(text) / 8 || fread(text, 1, n, stdin) != n) {
			fprintf(stderr, "text too long or cut\n");
			return 1;
		}
		arena_init(&a, tokens, sizeof(tokens));
		if (json_parse(&d, (struct str){text, n}, &a, 0, &e) < 0) {
			printf("-%s\n", e.msg);
		} else {
			struct str s = rewrite(&d, written);

			printf("+%.*s\n", STR_ARG(s));
		}
	}
	return feof(stdin) ? 0 : 1;
}
