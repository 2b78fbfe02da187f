/* SPDX-License-Identifier: MIT */
/* What fits once victims have gone. */
#include "unit.h"

#include <stdio.h>

#include "sched/sched.h"

static struct sched s;
static struct sched_state state;
static uint32_t node;

/* A node of two PFs of 1000 VFs and 1000 Mb/s; a pod holds so much of each. */
static void says(const char *uid, uint32_t mbps0, uint32_t mbps1)
{
	const uint32_t mbps[] = {mbps0, mbps1};

	state = (struct sched_state){.full = true, .revision = 1, .pf_n = 2};
	for (uint8_t p = 0; p < 2; p++) {
		state.pf[p] = (struct sched_pf_state){.vfs = 1000, .mbps = 1000};
		(void)snprintf(state.pf[p].name, sizeof(state.pf[p].name), "pf%u", p);
		if (mbps[p] > 0) {
			state.pf[p].used_vfs = 1;
			state.pf[p].used_mbps = mbps[p];
			state.hold[state.hold_n++] = (struct sched_hold){
				.uid = sched_uid_hash(str_from(uid)), .mbps = mbps[p], .pf = p};
		}
	}
	sched_node_update(&s, node, &state, 0);
}

static int set_up(void **st)
{
	struct err e;

	(void)st;
	if (sched_init(&s, 1000, &e) < 0) {
		return -1;
	}
	node = sched_node_add(&s, STR("n"), 0);
	says(NULL, 0, 0);
	return 0;
}

static int tear_down(void **st)
{
	(void)st;
	sched_free(&s);
	return 0;
}

static void promise(const char *uid, uint32_t mbps)
{
	const struct place_request req = {mbps, 0};
	const struct sched_ask p = {str_from(uid), str_from(uid), &req, 1};
	uint8_t verdict;
	struct err e;

	assert_int_equal(sched_filter(&s, &p, &node, 1, 0, false, &verdict, 0, &e), 0);
	assert_int_equal(verdict, SCHED_PASS);
}

/* Victims: two, or one, or none. */
static enum sched_verdict without(
	const char *uid, uint32_t mbps, const char *v1, const char *v2, uint64_t *steps)
{
	const struct place_request req = {mbps, 0};
	const struct sched_ask p = {str_from(uid), str_from(uid), &req, 1};
	uint64_t gone[2];
	size_t n = 0;

	if (v1 != NULL) {
		gone[n++] = sched_uid_hash(str_from(v1));
	}
	if (v2 != NULL) {
		gone[n++] = sched_uid_hash(str_from(v2));
	}
	if (n == 2 && gone[0] > gone[1]) {
		uint64_t first = gone[0];

		gone[0] = gone[1];
		gone[1] = first;
	}
	return sched_judge_without(&s, &p, node, gone, n, steps);
}

static void victims_make_room(void **st)
{
	uint64_t steps = 0;

	(void)st;
	says("large", 600, 600);
	assert_int_equal(without("p", 700, NULL, NULL, &steps), SCHED_NO_ROOM);
	assert_int_equal(without("p", 700, "other", NULL, &steps), SCHED_NO_ROOM);
	assert_int_equal(without("p", 700, "large", NULL, &steps), SCHED_PASS);
	promise("claimed-1", 400);
	promise("claimed-2", 400);
	assert_int_equal(
		without("p", 1000, "large", NULL, &steps), SCHED_PASS); /* both on one PF */
	assert_int_equal(without("p", 1001, "large", NULL, &steps), SCHED_NO_ROOM);
	assert_int_equal(without("p", 700, "claimed-1", NULL, &steps), SCHED_NO_ROOM);
	assert_int_equal(without("p", 400, "claimed-1", NULL, &steps), SCHED_PASS);
	assert_int_equal(without("p", 401, "claimed-1", NULL, &steps), SCHED_NO_ROOM);
	assert_int_equal(without("p", 700, "large", "claimed-1", &steps), SCHED_PASS);
	/* Its own claim is no hindrance to a pod, victim or not. */
	assert_int_equal(without("claimed-2", 400, NULL, NULL, &steps), SCHED_PASS);
	assert_int_equal(without("claimed-2", 401, NULL, NULL, &steps), SCHED_NO_ROOM);
	assert_int_equal(without("claimed-2", 400, "claimed-2", NULL, &steps), SCHED_PASS);
	assert_int_equal(without("claimed-2", 401, "claimed-2", NULL, &steps), SCHED_NO_ROOM);
}

static void what_cannot_be_known_is_said(void **st)
{
	uint64_t steps = SCHED_STEPS_MAX;

	(void)st;
	promise("v", 400);
	assert_int_equal(without("p", 1, NULL, NULL, &steps), SCHED_UNDECIDED);
	assert_int_equal(without("p", 1, "v", NULL, &steps), SCHED_UNDECIDED);
	steps = 0;
	sched_node_lost(&s, node);
	assert_int_equal(without("p", 1, "v", NULL, &steps), SCHED_UNKNOWN);
}

/* What was promised does not fit any more: only without those it was promised to. */
static void a_broken_node_takes_nobody_beside_its_claims(void **st)
{
	uint64_t steps = 0;

	(void)st;
	promise("a", 900);
	promise("b", 900);
	says("x", 200, 200);
	assert_true(s.node[node].broken);
	assert_int_equal(without("p", 10, "other", NULL, &steps), SCHED_NO_ROOM);
	assert_int_equal(without("p", 10, "a", NULL, &steps), SCHED_NO_ROOM);
	assert_int_equal(without("p", 800, "a", "b", &steps), SCHED_PASS);
}

/* Five thousand candidates of one question, with a burst of pods on its way to each of them. */
static void victims_elsewhere_cost_one_placement(void **st)
{
	uint64_t steps = 0;

	(void)st;
	for (int k = 0; k < 150; k++) {
		char uid[16];

		(void)snprintf(uid, sizeof(uid), "u%d", k);
		promise(uid, 5);
	}
	for (int k = 0; k < 5000; k++) {
		assert_int_equal(without("p", 500, "v1", "v2", &steps), SCHED_PASS);
		assert_int_equal(without("u7", 500, "v1", NULL, &steps), SCHED_PASS);
	}
	assert_int_equal(without("p", 1001, "v1", "v2", &steps), SCHED_NO_ROOM);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(victims_make_room),
		T(what_cannot_be_known_is_said),
		T(a_broken_node_takes_nobody_beside_its_claims),
		T(victims_elsewhere_cost_one_placement),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
