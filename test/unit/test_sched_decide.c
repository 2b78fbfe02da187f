/* SPDX-License-Identifier: MIT */
/* The model of all nodes: decisions against an account kept by hand, with random histories. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "place_brute.h"
#include "place_families.h"
#include "sched_help.h"

#define NODES 6
#define PODS  12

static struct sched_state state;
static uint32_t rng = 1;

static uint32_t below(uint32_t n)
{
	rng = rng * 1664525u + 1013904223u;
	return (rng >> 8) % n;
}

static void set_pf(uint32_t p, uint32_t vfs, uint32_t mbps)
{
	state.pf[p] = (struct sched_pf_state){.vfs = vfs, .mbps = mbps};
	(void)snprintf(state.pf[p].name, sizeof(state.pf[p].name), "pf%u", p);
}

static void hold(uint32_t pf, const char *uid, uint32_t mbps)
{
	state.pf[pf].used_vfs++;
	state.pf[pf].used_mbps += mbps;
	state.hold[state.hold_n++] =
		(struct sched_hold){sched_uid_hash(str_from(uid)), mbps, (uint8_t)pf, false};
}

/* So many PFs of 4 VFs and 100 Mb/s. */
static void set_pfs(uint32_t n)
{
	state = (struct sched_state){.full = true, .revision = 1, .pf_n = n};
	for (uint32_t p = 0; p < n; p++) {
		set_pf(p, 4, 100);
	}
}

/* A node with two of them. */
static uint32_t add_node(const char *name)
{
	uint32_t i = sched_node_add(&s, str_from(name), 0);

	set_pfs(2);
	sched_node_update(&s, i, &state, 0);
	return i;
}

/* A node says that it has one of them, and who has a VF there. */
static void say(uint32_t node, const char *uid, uint32_t mbps, int64_t now)
{
	set_pfs(1);
	if (uid != NULL) {
		hold(0, uid, mbps);
	}
	sched_node_update(&s, node, &state, now);
}

static void ask_nodes(const char *uid, const uint32_t *node, uint32_t node_n, uint32_t n,
	const uint32_t *mins, int64_t now, uint8_t *verdict)
{
	struct place_request req[PLACE_REQ_MAX];
	const struct sched_ask a = {str_from(uid), str_from(uid), req, n};
	struct err e;

	for (uint32_t i = 0; i < n; i++) {
		req[i] = (struct place_request){mins[i], 0};
	}
	assert_int_equal(sched_filter(&s, &a, node, node_n, 0, false, verdict, now, &e), 0);
}

static uint8_t ask(const char *uid, uint32_t node, uint32_t n, const uint32_t *mins, int64_t now)
{
	uint8_t verdict = 99;

	ask_nodes(uid, &node, 1, n, mins, now, &verdict);
	return verdict;
}

static uint8_t ask1(const char *uid, uint32_t node, uint32_t min, int64_t now)
{
	return ask(uid, node, 1, &min, now);
}

static void claims_count_for_others(void **st)
{
	uint32_t n = add_node("n");

	(void)st;
	assert_int_equal(ask1("a", n, 100, 0), SCHED_PASS);
	assert_int_equal(ask1("b", n, 100, 0), SCHED_PASS);
	assert_int_equal(ask1("c", n, 1, 0), SCHED_NO_ROOM);
	assert_int_equal(ask1("c", n, 101, 0), SCHED_NEVER);
	assert_int_equal(ask1("a", n, 60, 0), SCHED_PASS);
	assert_int_equal(ask1("c", n, 40, 0), SCHED_PASS);
	assert_int_equal(ask1("d", n, 1, 0), SCHED_NO_ROOM);
	assert_int_equal(ask1("d", n, 0, 0), SCHED_PASS);
}

static void claims_expire_in_order(void **st)
{
	uint32_t n = add_node("n");

	(void)st;
	ask1("a", n, 100, 0);
	ask1("b", n, 100, 500);
	assert_int_equal(sched_expire(&s, 600), 400);
	sched_node_still(&s, n, 1000);
	assert_int_equal(sched_expire(&s, 1000), 500);
	assert_null(sched_claim_find(&s, STR("a")));
	assert_int_equal(ask1("c", n, 100, 1000), SCHED_PASS);
	assert_int_equal(ask1("d", n, 1, 1000), SCHED_NO_ROOM);
	sched_node_still(&s, n, 9000);
	assert_int_equal(sched_expire(&s, 9000), -1);
	assert_int_equal(s.claim_n, 0);
	assert_int_equal(s.entries, 0);
}

/* The attachment may have come in the meantime: only a later word of the node ends the claim. */
static void a_claim_ends_when_the_node_has_spoken_since(void **st)
{
	uint32_t a = add_node("a"), b = add_node("b"), both[] = {a, b}, min = 100;
	uint8_t verdict[2];

	(void)st;
	ask_nodes("p", both, 2, 1, &min, 0, verdict);
	assert_int_equal(ask1("q", a, 100, 0), SCHED_PASS);
	sched_node_still(&s, a, 999); /* too early */
	assert_int_equal(sched_expire(&s, 1200), -1);
	assert_int_equal(s.expired, 2);
	assert_int_equal(ask1("r", a, 1, 1200), SCHED_NO_ROOM);
	sched_node_still(&s, a, 1000);
	assert_int_equal(ask1("r", a, 100, 1200), SCHED_PASS);
	assert_int_equal(ask1("t", b, 100, 1200), SCHED_PASS);
	assert_int_equal(ask1("u", b, 100, 1200), SCHED_NO_ROOM);
	/* On a node that is lost nothing is promised, so the claim need not last. */
	sched_node_lost(&s, b);
	say(b, NULL, 0, 2500);
	(void)sched_expire(&s, 2500);
	assert_int_equal(ask1("u", b, 100, 2500), SCHED_PASS);
	sched_node_drop(&s, a);
	sched_node_drop(&s, b);
	assert_int_equal(s.entries, 0);
	assert_int_equal(s.claim_n, 0);
}

/* An attachment that fails is tried again by the kubelet: its room is not given away meanwhile. */
static void an_attachment_that_goes_is_claimed_again(void **st)
{
	uint32_t n = add_node("n");

	(void)st;
	say(n, NULL, 0, 0);
	ask1("a", n, 100, 0);
	say(n, "a", 100, 10);
	assert_int_equal(s.collapsed, 1);
	assert_int_equal(sched_pfs_const(&s, n)->free.mbps, 0);
	assert_int_equal(sched_pfs_const(&s, n)->free.vfs, 3); /* counted once */
	say(n, NULL, 0, 20);
	assert_int_equal(ask1("b", n, 1, 20), SCHED_NO_ROOM);
	say(n, "a", 100, 30);
	assert_int_equal(s.collapsed, 1);
	sched_node_still(&s, n, 1000);
	(void)sched_expire(&s, 1000);
	assert_null(sched_claim_find(&s, STR("a")));
	assert_int_equal(s.expired, 0);
	say(n, NULL, 0, 1010);
	assert_int_equal(ask1("b", n, 100, 1010), SCHED_PASS);
}

/* What a node says of pods that were never promised to it, or of other bandwidths, is no news. */
static void a_node_that_lies_frees_nothing_elsewhere(void **st)
{
	uint32_t honest = add_node("honest"), evil = add_node("evil");

	(void)st;
	say(honest, NULL, 0, 0);
	ask1("a", honest, 100, 0);
	say(evil, "a", 100, 10);
	assert_int_equal(ask1("b", honest, 1, 10), SCHED_NO_ROOM);
	say(honest, "a", 0, 20);
	assert_true(s.node[honest].broken == false);
	assert_int_equal(sched_pfs_const(&s, honest)->free.mbps, 0);
}

/* Two PFs of 100: 60, 40, 50 and 50 fit in this order, but not if 50, 40 and 60 are first. */
static void what_fits_in_one_order_only_is_not_promised(void **st)
{
	uint32_t n = add_node("n");

	(void)st;
	assert_int_equal(ask1("a", n, 60, 0), SCHED_PASS);
	assert_int_equal(ask1("b", n, 40, 0), SCHED_PASS);
	assert_int_equal(ask1("c", n, 50, 0), SCHED_PASS);
	assert_int_equal(ask1("d", n, 50, 0), SCHED_NO_ROOM);
	/* Those that are there do not move any more. */
	set_pfs(2);
	hold(1, "a", 60);
	hold(1, "b", 40);
	sched_node_update(&s, n, &state, 0);
	assert_int_equal(ask1("d", n, 50, 0), SCHED_PASS);
	assert_int_equal(ask1("e", n, 1, 0), SCHED_NO_ROOM);
}

/* Bursts of mixed sizes, attached in an order of their own as rdma-cni would. */
static void bursts_are_attached_in_any_order(void **st)
{
	static struct place_work work_here;
	uint32_t promised = 0, refused = 0;

	(void)st;
	for (int round = 0; round < 400; round++) {
		struct place_pf pf[2] = {{100, 1000}, {100, 1000}};
		struct place_request req[12];
		uint32_t passed = 0, n;
		char name[16];

		(void)snprintf(name, sizeof(name), "r%d", round);
		n = sched_node_add(&s, str_from(name), 0);
		state = (struct sched_state){.full = true, .pf_n = 2};
		set_pf(0, 100, 1000);
		set_pf(1, 100, 1000);
		sched_node_update(&s, n, &state, 0);
		for (uint32_t p = 0; p < 12; p++) {
			char uid[24];

			req[passed].min = 100 * (1 + below(6));
			(void)snprintf(uid, sizeof(uid), "r%d-%u", round, p);
			passed += ask1(uid, n, req[passed].min, 0) == SCHED_PASS ? 1 : 0;
		}
		promised += passed;
		while (passed > 0) {
			uint32_t k = below(passed);
			const struct place_in in = {pf, 2, &req[k], 1, 0};
			struct place_out out;
			struct err e;

			if (place_assign(&in, &work_here, &out, &e) == PLACE_YES) {
				pf[out.pf[0]].mbps -= req[k].min;
			} else {
				refused++;
			}
			req[k] = req[--passed];
		}
	}
	print_message("%u of %u promised pods were refused\n", refused, promised);
	assert_true(promised > 400 * 4 && refused * 100 < promised);
}

static void nothing_ends_without_a_decision(void **st)
{
	uint32_t n = add_node("n");
	struct place_request req = {100, 0};
	const struct sched_ask p = {STR("a"), STR("a"), &req, 1};
	uint8_t verdict;
	uint64_t full;
	struct err e;

	(void)st;
	ask1("a", n, 100, 0);
	assert_int_equal(sched_filter(&s, &p, &n, 0, 0, false, &verdict, 0, &e), 0);
	assert_non_null(sched_claim_find(&s, STR("a")));
	full = s.entries;
	s.entries = SCHED_ENTRIES_MAX;
	assert_int_equal(sched_filter(&s, &p, &n, 1, 0, false, &verdict, 0, &e), -ENOSPC);
	assert_string_equal(e.msg, "waiting pods were promised too many nodes, all together");
	s.entries = full;
	assert_non_null(sched_claim_find(&s, STR("a")));
	assert_int_equal(s.claim_n, 1);
	ask1("b", n, 100, 0);
	assert_int_equal(ask1("c", n, 1, 0), SCHED_NO_ROOM);
}

/* An instance that cannot be decided within the work limit: nothing is promised, nothing denied. */
static void what_takes_too_long_is_undecided(void **st)
{
	uint32_t n = sched_node_add(&s, STR("n"), 0), seed = 1, mins[PLACE_REQ_MAX];
	struct place_out out;
	struct instance x;
	struct err e;

	(void)st;
	do {
		if (seed == 50) {
			print_message("placement decides all of these by now\n");
			skip();
		}
		make_equal11_slack(&x, seed++);
	} while (place_fits(&x.in, &work, &out, &e) != PLACE_LIMIT);
	state = (struct sched_state){.full = true, .pf_n = (uint32_t)x.in.pf_n};
	for (uint32_t i = 0; i < x.in.pf_n; i++) {
		set_pf(i, x.pf[i].vfs, x.pf[i].mbps);
	}
	sched_node_update(&s, n, &state, 0);
	for (uint32_t i = 0; i < x.in.req_n; i++) {
		mins[i] = x.req[i].min;
	}
	assert_int_equal(ask("a", n, (uint32_t)x.in.req_n, mins, 0), SCHED_UNDECIDED);
	assert_int_equal(s.claim_n, 0);
	assert_int_equal(ask1("b", n, 1, 0), SCHED_PASS);
}

static void an_unknown_node_is_not_promised(void **st)
{
	uint32_t n = sched_node_add(&s, STR("x"), 0);

	(void)st;
	assert_int_equal(ask1("a", n, 0, 0), SCHED_UNKNOWN);
	assert_int_equal(ask1("a", SCHED_NONE, 0, 0), SCHED_UNKNOWN);
	n = add_node("y");
	sched_node_lost(&s, n);
	assert_int_equal(ask1("a", n, 0, 0), SCHED_UNKNOWN);
	assert_null(sched_claim_find(&s, STR("a")));
}

static void attachments_take_the_place_of_claims(void **st)
{
	uint32_t a = add_node("a"), b = add_node("b"), both[] = {a, b}, mins[] = {100, 50};
	uint8_t verdict[2];

	(void)st;
	ask_nodes("p", both, 2, 2, mins, 0, verdict);
	assert_int_equal(ask1("q", b, 60, 0), SCHED_NO_ROOM);
	set_pfs(2);
	hold(1, "p", 100);
	sched_node_update(&s, a, &state, 0);
	assert_int_equal(ask1("q", b, 60, 0), SCHED_PASS); /* it cannot come there any more */
	assert_non_null(sched_claim_on(sched_claim_find(&s, STR("p")), a));
	assert_int_equal(sched_pfs_const(&s, a)[0].free.mbps, 50); /* only the other is claimed */
	hold(0, "p", 50);
	sched_node_update(&s, a, &state, 0);
	assert_int_equal(sched_claim_find(&s, STR("p"))->live_n, 1);
	assert_int_equal(ask1("r", a, 50, 0), SCHED_PASS);
	assert_int_equal(ask1("t", a, 1, 0), SCHED_NO_ROOM);
}

static void a_broken_promise_stops_others(void **st)
{
	uint32_t n = add_node("n");

	(void)st;
	ask1("a", n, 100, 0);
	state = (struct sched_state){.full = true, .pf_n = 1};
	set_pf(0, 8, 90);
	sched_node_update(&s, n, &state, 0);
	assert_true(s.node[n].broken);
	assert_int_equal(ask1("b", n, 1, 0), SCHED_NO_ROOM);
	sched_claim_drop(&s, sched_claim_find(&s, STR("a")));
	assert_false(s.node[n].broken);
	assert_int_equal(ask1("b", n, 90, 0), SCHED_PASS);
}

static void forgetting_a_node_ends_its_claims(void **st)
{
	uint32_t n = add_node("n"), m;

	(void)st;
	ask1("a", n, 100, 0);
	sched_node_drop(&s, n);
	assert_int_equal(sched_node_find(&s, STR("n")), SCHED_NONE);
	m = add_node("m");
	assert_int_equal(m, n); /* the slot is used again */
	assert_int_equal(s.node[m].claims, 0);
	assert_int_equal(ask1("b", m, 100, 0), SCHED_PASS);
	assert_int_equal(ask1("c", m, 100, 0), SCHED_PASS);
}

static void scores_are_in_range_and_follow_the_strategy(void **st)
{
	uint32_t full = add_node("full"), empty = add_node("empty"), both[] = {full, empty};
	struct place_request req = {10, 0};
	const struct sched_ask p = {STR("p"), STR("p"), &req, 1};
	uint8_t score[2];

	(void)st;
	hold(0, "x", 100);
	sched_node_update(&s, full, &state, 0);
	sched_score(&s, &p, both, 2, false, score);
	assert_true(score[0] > score[1] && score[0] <= 10);
	sched_score(&s, &p, both, 2, true, score);
	assert_true(score[0] < score[1] && score[1] <= 10);
	req.min = 1000;
	sched_score(&s, &p, both, 2, true, score);
	assert_true(score[0] == 0 && score[1] == 0);
}

/*
 * Random histories. At every moment the node's own word and all claims on it must fit together, and
 * what is free must be what is left: a pod passes exactly if brute force finds a place beside the
 * claims as they are placed.
 */
static void check_node(uint32_t i)
{
	const struct sched_pf *pf = sched_pfs_const(&s, i);
	uint32_t vfs[PLACE_PF_MAX] = {0}, mbps[PLACE_PF_MAX] = {0};
	uint32_t claims = 0;

	for (const struct sched_claim *c = s.oldest; c != NULL; c = c->newer) {
		const uint8_t *at = sched_claim_on(c, i);

		claims += at != NULL ? 1 : 0;
		for (uint32_t k = 0; at != NULL && k < c->req_n; k++) {
			if (at[k] < PLACE_PF_MAX) {
				vfs[at[k]]++;
				mbps[at[k]] += c->req[k].min;
			}
		}
	}
	assert_int_equal(claims, s.node[i].claims);
	for (uint32_t p = 0; p < s.node[i].pf_n; p++) {
		assert_true(vfs[p] <= pf[p].base.vfs && mbps[p] <= pf[p].base.mbps);
		assert_int_equal(pf[p].free.vfs, pf[p].base.vfs - vfs[p]);
		assert_int_equal(pf[p].free.mbps, pf[p].base.mbps - mbps[p]);
	}
}

static void random_update(uint32_t i, int64_t now)
{
	state = (struct sched_state){.full = true, .revision = 1, .pf_n = 1 + below(6)};
	for (uint32_t p = 0; p < state.pf_n; p++) {
		set_pf(p, 1 + below(4), below(120));
		if (below(3) == 0) {
			char uid[8];

			(void)snprintf(uid, sizeof(uid), "p%u", below(PODS));
			hold(p, uid, below(60));
			state.pf[p].used_vfs = 1;
		}
	}
	sched_node_update(&s, i, &state, now);
}

static void random_ask(const uint32_t *node, int64_t now)
{
	struct place_request req[3];
	uint32_t n = 1 + below(3);
	uint8_t verdict[NODES + 1];
	uint32_t asked[NODES + 1];
	char uid[8];
	struct err e;

	(void)snprintf(uid, sizeof(uid), "p%u", below(PODS));
	for (uint32_t k = 0; k < n; k++) {
		req[k] = (struct place_request){below(80), 0};
	}
	for (uint32_t k = 0; k <= NODES; k++) {
		asked[k] = node[below(NODES)];
	}
	const struct sched_ask a = {str_from(uid), str_from(uid), req, n};

	if (sched_claim_find(&s, a.uid) != NULL) {
		sched_claim_drop(&s, sched_claim_find(&s, a.uid));
	}
	bool want[NODES + 1], claimed[NODES + 1];

	for (uint32_t k = 0; k <= NODES; k++) {
		const struct sched_pf *pf = sched_pfs_const(&s, asked[k]);
		struct place_pf free[PLACE_PF_MAX];

		for (uint32_t p = 0; p < s.node[asked[k]].pf_n; p++) {
			free[p] = pf[p].free;
		}
		const struct place_in in = {free, s.node[asked[k]].pf_n, req, n, 0};
		struct brute b;

		brute_assign(&in, &b);
		claimed[k] = s.node[asked[k]].claims > 0;
		want[k] = !s.node[asked[k]].broken && b.fits;
	}
	assert_int_equal(sched_filter(&s, &a, asked, NODES + 1, 0, false, verdict, now, &e), 0);
	for (uint32_t k = 0; k <= NODES; k++) {
		/* It may fit beside the claims as they are, but not in other orders. */
		assert_true(verdict[k] != SCHED_PASS || want[k]);
		assert_true(verdict[k] == SCHED_PASS || !want[k] || claimed[k]);
	}
}

static void random_histories_keep_every_promise(void **st)
{
	uint32_t node[NODES];
	int64_t now = 0;

	(void)st;
	for (uint32_t i = 0; i < NODES; i++) {
		char name[8];

		(void)snprintf(name, sizeof(name), "n%u", i);
		node[i] = add_node(name);
	}
	for (int step = 0; step < 4000; step++) {
		now += below(100);
		(void)sched_expire(&s, now);
		if (below(3) == 0) {
			random_update(node[below(NODES)], now);
		} else {
			random_ask(node, now);
		}
		for (uint32_t i = 0; i < NODES; i++) {
			check_node(node[i]);
		}
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(claims_count_for_others),
		T(claims_expire_in_order),
		T(a_claim_ends_when_the_node_has_spoken_since),
		T(an_attachment_that_goes_is_claimed_again),
		T(a_node_that_lies_frees_nothing_elsewhere),
		T(what_fits_in_one_order_only_is_not_promised),
		T(bursts_are_attached_in_any_order),
		T(nothing_ends_without_a_decision),
		T(what_takes_too_long_is_undecided),
		T(an_unknown_node_is_not_promised),
		T(attachments_take_the_place_of_claims),
		T(a_broken_promise_stops_others),
		T(forgetting_a_node_ends_its_claims),
		T(scores_are_in_range_and_follow_the_strategy),
		T(random_histories_keep_every_promise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
