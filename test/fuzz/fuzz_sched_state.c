/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as the reply of a node, in both forms. What is believed is credible, and the page that
 * shows it is JSON, with pods claimed on the node, too.
 */
#include <stdlib.h>
#include <string.h>

#include "json/read.h"
#include "sched/render.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct sched_state state;
static _Alignas(16) char tokens[4 << 20];
static char page[1 << 20];

static void must(bool promise)
{
	if (!promise) {
		abort();
	}
}

static const char *watch(void *arg, uint32_t node, const char **why)
{
	(void)node;
	*why = arg;
	return "followed";
}

static void check_page(const struct sched *s, const char *why)
{
	struct json_doc d;
	struct arena a;
	struct err e;
	struct buf b;

	must(sched_render_cap(s) <= sizeof(page));
	buf_init(&b, page, sched_render_cap(s));
	must(sched_render(&b, s, watch, (void *)why, 5));
	arena_init(&a, tokens, sizeof(tokens));
	must(json_parse(&d, buf_str(&b), &a, 0, &e) == 0);
}

static void try(struct str text, bool full)
{
	static const struct place_request req[] = {{10, 0}, {0, 0}};
	const struct sched_ask ask = {STR("u-1"), STR("ns/p\x01"), req, 2};
	uint8_t verdict = 99;
	struct sched s;
	struct err e = ERR_INIT;
	uint32_t node;
	int r = full ? sched_state_node(text, &state, &e) : sched_state_getpfs(text, &state, &e);

	if (r < 0) {
		must(e.msg[0] != '\0');
		return;
	}
	must(state.pf_n <= PLACE_PF_MAX && state.hold_n <= SCHED_HOLDS_MAX);
	for (uint32_t p = 0; p < state.pf_n; p++) {
		must(state.pf[p].used_vfs <= state.pf[p].vfs && state.pf[p].vfs <= SCHED_VFS_MAX);
		must(state.pf[p].mbps <= SCHED_MBPS_MAX && state.pf[p].vfs > 0);
	}
	for (uint32_t h = 0; h < state.hold_n; h++) {
		must(state.hold[h].pf < state.pf_n);
	}
	must(sched_init(&s, 1000, &e) == 0);
	node = sched_node_add(&s, STR("a\"\\\xff"), 0);
	sched_node_update(&s, node, &state, 1);
	must(sched_filter(&s, &ask, &node, 1, 0, false, &verdict, 2, &e) == 0);
	must(verdict <= SCHED_UNDECIDED);
	check_page(&s, full ? NULL : "why\n");
	sched_node_update(&s, node, &state, 3);
	sched_node_drop(&s, node);
	check_page(&s, NULL);
	sched_free(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = {(const char *)data, size};

	if (size <= 65536) {
		try(text, true);
		try(text, false);
	}
	return 0;
}
