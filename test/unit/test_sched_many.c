/* SPDX-License-Identifier: MIT */
/* What questions cost where there are many nodes, or many claims. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "sched_help.h"

#define NODES 3000

static struct sched_state state;
static uint32_t node[NODES];
static uint8_t verdict[NODES];

/* Like nodes with so many PFs. */
static void add_nodes(uint32_t n, uint32_t pf_n, uint32_t vfs, uint32_t mbps)
{
	state = (struct sched_state){.full = true, .revision = 1, .pf_n = pf_n};
	for (uint32_t p = 0; p < pf_n; p++) {
		state.pf[p] = (struct sched_pf_state){.vfs = vfs, .mbps = mbps};
		(void)snprintf(state.pf[p].name, sizeof(state.pf[p].name), "pf%u", p);
	}
	for (uint32_t i = 0; i < n; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "n%u", i);
		node[i] = sched_node_add(&s, str_from(name), 0);
		sched_node_update(&s, node[i], &state, 0);
	}
}

/* How many of nodes first to first + n - 1 let a pod of so many interfaces pass. */
static uint32_t passes(uint32_t pod, uint32_t first, uint32_t n, uint32_t req_n, uint32_t mbps)
{
	struct place_request req[PLACE_REQ_MAX];
	uint32_t passed = 0;
	char uid[16];
	struct err e;

	(void)snprintf(uid, sizeof(uid), "p%u", pod);
	for (uint32_t k = 0; k < req_n; k++) {
		req[k] = (struct place_request){mbps + k, 0};
	}
	const struct sched_ask a = {str_from(uid), str_from(uid), req, req_n};

	assert_int_equal(sched_filter(&s, &a, node + first, n, 0, false, verdict, 0, &e), 0);
	for (uint32_t i = 0; i < n; i++) {
		passed += verdict[i] == SCHED_PASS ? 1 : 0;
	}
	return passed;
}

static void claims_on_other_nodes_are_not_looked_at(void **st)
{
	const struct place_request req = {10, 0};
	const struct sched_ask a = {STR("p"), STR("p"), &req, 1};
	uint64_t looks, steps = 0;

	(void)st;
	add_nodes(100, 2, 100, 1000);
	for (uint32_t k = 0; k < 600; k++) {
		assert_int_equal(passes(k, k % 100, 1, 1, 10), 1);
	}
	looks = s.looks;
	assert_int_equal(passes(1000, 0, 100, 1, 10), 100);
	assert_true(s.looks - looks <= 100 * 6);
	looks = s.looks;
	for (uint32_t i = 0; i < 100; i++) {
		assert_int_equal(sched_judge_without(&s, &a, node[i], NULL, 0, &steps), SCHED_PASS);
	}
	assert_true(s.looks - looks <= 100 * 7);
	looks = s.looks;
	sched_node_update(&s, node[7], &state, 1);
	assert_true(s.looks - looks <= 3 * 7);
	assert_int_equal(s.node[node[7]].claims, 7);
	looks = s.looks;
	sched_node_drop(&s, node[7]);
	assert_int_equal(s.looks - looks, 7);
	assert_int_equal(s.claim_n, 595);
}

/* Claims that come and go in any order, on different nodes each: the account of each node is right.
 */
static void claims_go_in_any_order(void **st)
{
	uint32_t rng = 1, on[20] = {0};
	char uid[16];

	(void)st;
	add_nodes(20, 1, 1000, 1000000);
	for (uint32_t step = 0; step < 5000; step++) {
		struct sched_claim *c;
		uint32_t first, n, p;

		rng = rng * 1664525u + 1013904223u;
		p = (rng >> 8) % 40;
		first = (rng >> 16) % 20;
		n = 1 + (rng >> 24) % (20 - first);
		(void)snprintf(uid, sizeof(uid), "p%u", p);
		c = sched_claim_find(&s, str_from(uid));
		for (uint32_t i = 0; c != NULL && i < 20; i++) {
			on[i] -= sched_claim_on(c, node[i]) != NULL ? 1 : 0;
		}
		if (c != NULL && rng >> 31 != 0) {
			sched_claim_drop(&s, c);
			continue;
		}
		assert_int_equal(passes(p, first, n, 1, 100), n);
		for (uint32_t i = first; i < first + n; i++) {
			on[i]++;
		}
		p = (rng >> 12) % 20;
		sched_node_update(&s, node[p], &state, 0);
		for (uint32_t i = 0; i < 20; i++) {
			const struct sched_pf *pf = sched_pfs_const(&s, node[i]);

			assert_int_equal(s.node[node[i]].claims, on[i]);
			assert_int_equal(pf->base.mbps - pf->free.mbps, 100 * on[i]);
		}
	}
}

/* Fifteen pods on their way to each node, whose VFs do not make every order harmless. */
static void like_nodes_are_judged_once(void **st)
{
	(void)st;
	add_nodes(NODES, 4, 150, 100000);
	for (uint32_t k = 0; k < 16; k++) {
		assert_int_equal(passes(k, 0, NODES, PLACE_REQ_MAX, 10), NODES);
	}
	assert_int_equal(passes(99, 0, NODES, 1, 100000), 0);
	assert_int_equal(passes(16, 0, NODES, PLACE_REQ_MAX, 10), NODES);
}

/* Nodes differ in what is free, or in what is on its way, and get answers of their own. */
static void unlike_nodes_are_judged_each(void **st)
{
	static const uint32_t burst[2][3] = {{60, 40, 50}, {60, 40, 10}};
	uint32_t pod = 0;

	(void)st;
	add_nodes(10, 2, 100, 100);
	for (uint32_t i = 0; i < 10; i++) {
		for (uint32_t k = 0; k < 3; k++) {
			assert_int_equal(passes(pod++, i, 1, 1, burst[i % 2][k]), 1);
		}
	}
	/* 60, 40, 50 and 50 fit in this order, but not if 50, 40 and 60 come first. */
	for (uint32_t turn = 0; turn < 2; turn++) {
		uint32_t mbps = turn == 0 ? 50 : 1;
		uint32_t all = passes(pod, 0, 10, 1, mbps), each = 0;

		for (uint32_t i = 0; i < 10; i++) {
			each += passes(pod, i, 1, 1, mbps);
		}
		assert_int_equal(all, each);
		assert_int_equal(all, turn == 0 ? 5 : 10);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(claims_on_other_nodes_are_not_looked_at),
		T(claims_go_in_any_order),
		T(like_nodes_are_judged_once),
		T(unlike_nodes_are_judged_each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
