/* SPDX-License-Identifier: MIT */
/* See names.h. */
#include "names.h"

#include <stdio.h>
#include <string.h>

#include "base/num.h"

bool names_chained(const char *prefix, size_t i, char out[IFNAMSIZ])
{
	char text[64];
	int n = snprintf(text, sizeof(text), "%s%zu", prefix, i);

	return n > 0 && str_copy((struct str){text, (size_t)n}, out, IFNAMSIZ);
}

bool names_primary(const char *ifname, size_t i, char out[IFNAMSIZ])
{
	size_t n = strlen(ifname), stem = n;
	uint32_t first = 0;
	char text[64];

	if (i == 0) {
		return str_copy((struct str){ifname, n}, out, IFNAMSIZ);
	}
	while (stem > 0 && chr_digit(ifname[stem - 1]) && n - stem < 6) {
		stem--;
	}
	(void)!num_u32((struct str){ifname + stem, n - stem}, UINT32_MAX, &first);
	(void)snprintf(text, sizeof(text), "%.*s%zu", (int)stem, ifname, first + i);
	return str_copy(str_from(text), out, IFNAMSIZ);
}
