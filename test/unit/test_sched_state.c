/* SPDX-License-Identifier: MIT */
/* sched/state.h: what a node says of itself, as far as it can be believed. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>

#include "sched/state.h"

static struct sched_state state; /* too large for the stack */

/* A node's VFs that nobody uses and no pod can be given: not described, or no functions. */
static void what_the_node_does_not_call_free_is_not_promised(void **st)
{
	static const char head[] = "{\"revision\":3,\"pfs\":[{\"name\":\"pf0\",\"num_vfs\":4,"
				   "\"used_vfs\":1,\"capacity_mbps\":100,\"reserved_mbps\":0,";
	static const struct {
		const char *tail;
		uint32_t used;
		bool ok;
	} says[] = {
		{"\"vfs\":[]}]}", 1, true},
		{"\"free_vfs\":3,\"vfs\":[]}]}", 1, true},
		{"\"free_vfs\":1,\"vfs\":[]}]}", 3, true},
		{"\"free_vfs\":0,\"vfs\":[]}]}", 4, true},
		{"\"free_vfs\":4,\"vfs\":[]}]}", 0, false},
		{"\"free_vfs\":-1,\"vfs\":[]}]}", 0, false},
		{"\"free_vfs\":null,\"vfs\":[]}]}", 0, false},
	};
	char json[256];
	struct err e;

	(void)st;
	for (size_t i = 0; i < ARRAY_LEN(says); i++) {
		(void)snprintf(json, sizeof(json), "%s%s", head, says[i].tail);
		assert_int_equal(
			sched_state_node(str_from(json), &state, &e), says[i].ok ? 0 : -EINVAL);
		assert_true(!says[i].ok || state.pf[0].used_vfs == says[i].used);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_node_does_not_call_free_is_not_promised),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
