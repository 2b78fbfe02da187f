/* SPDX-License-Identifier: MIT */
/* Attachments without a uid: whose they are when pods are made anew under the same name. */
#include "unit.h"

#include "sched/sched.h"

#define TTL 1000

static struct sched s;
static struct sched_state state;
static uint32_t a, b;

/* A node of one PF of 100 Mb/s; so much of it is held by a pod that is known by its name alone. */
static void says(uint32_t node, uint32_t mbps, bool has_uid, int64_t now)
{
	state = (struct sched_state){.full = true, .revision = 1, .pf_n = 1};
	state.pf[0] = (struct sched_pf_state){.name = "pf0", .vfs = 8, .mbps = 100};
	if (mbps > 0) {
		state.hold_n = state.pf[0].used_vfs = 1;
		state.pf[0].used_mbps = mbps;
		state.hold[0] = (struct sched_hold){
			.uid = sched_uid_hash(STR("d/web-0")), .mbps = mbps, .by_name = !has_uid};
	}
	sched_node_update(&s, node, &state, now);
}

/* How many of a and b let it pass. */
static int passes(const char *uid, const char *name, uint32_t mbps, int64_t now)
{
	const struct place_request req = {mbps, 0};
	const struct sched_ask p = {str_from(uid), str_from(name), &req, 1};
	uint32_t both[] = {a, b};
	uint8_t verdict[2];
	struct err e;

	assert_int_equal(sched_filter(&s, &p, both, 2, 0, false, verdict, now, &e), 0);
	return (verdict[0] == SCHED_PASS ? 1 : 0) + (verdict[1] == SCHED_PASS ? 1 : 0);
}

static int set_up(void **st)
{
	struct err e;

	(void)st;
	if (sched_init(&s, TTL, &e) < 0) {
		return -1;
	}
	a = sched_node_add(&s, STR("a"), 0);
	b = sched_node_add(&s, STR("b"), 0);
	says(a, 0, false, 0);
	says(b, 0, false, 0);
	return 0;
}

static int tear_down(void **st)
{
	(void)st;
	sched_free(&s);
	return 0;
}

static uint32_t left(uint32_t node)
{
	return sched_pfs_const(&s, node)->free.mbps;
}

static void a_pod_without_uid_is_known_by_its_name(void **st)
{
	static const char json[] =
		"{\"revision\":3,\"pfs\":[{\"name\":\"pf0\",\"num_vfs\":4,\"used_vfs\":1,"
		"\"capacity_mbps\":100,\"reserved_mbps\":40,\"vfs\":[{\"vf\":0,\"holder\":{"
		"\"pod_namespace\":\"d\",\"pod_name\":\"p\",\"pod_uid\":null,"
		"\"min_tx_rate\":40}}]}]}";
	struct place_request req = {40, 0};
	const struct sched_ask p = {STR("0815"), STR("d/p"), &req, 1};
	uint8_t verdict;
	struct err e;

	(void)st;
	assert_int_equal(sched_filter(&s, &p, &a, 1, 0, false, &verdict, 0, &e), 0);
	assert_int_equal(sched_state_node(STR(json), &state, &e), 0);
	sched_node_update(&s, a, &state, 10);
	assert_int_equal(s.collapsed, 1);
	assert_int_equal(sched_pfs_const(&s, a)->free.mbps, 60);
}

static void a_name_that_nobody_had_is_the_pods(void **st)
{
	(void)st;
	assert_int_equal(passes("new", "d/web-0", 40, 0), 2);
	says(a, 40, true, 10); /* a uid that is not the pod's, though it looks like its name */
	assert_int_equal(left(a), 20);
	assert_int_equal(left(b), 60);
	says(a, 40, false, 20);
	assert_int_equal(left(a), 60);
	assert_int_equal(left(b), 100);
}

static void an_attachment_from_before_is_not_the_new_pods(void **st)
{
	(void)st;
	says(a, 40, false, 0);
	assert_int_equal(passes("new", "d/web-0", 40, 0), 2);
	says(a, 40, false, 10); /* still the old one */
	assert_int_equal(left(a), 20);
	assert_int_equal(left(b), 60);
	assert_int_equal(passes("q", "d/q", 80, 10), 0);
	says(a, 0, false, 20); /* gone */
	assert_int_equal(left(a), 60);
	assert_int_equal(left(b), 60);
	says(b, 40, false, 30); /* the new one; its claim stays beside it */
	assert_int_equal(left(b), 20);
	says(a, 0, false, TTL);
	says(b, 40, false, TTL);
	(void)sched_expire(&s, TTL);
	assert_int_equal(left(a), 100);
	assert_int_equal(left(b), 60);
}

/* The old pod is not attached yet when the new one is decided, but will be: its kubelet was busy.
 */
static void an_attachment_of_a_pod_promised_before_is_not_the_new_pods(void **st)
{
	(void)st;
	assert_int_equal(passes("old", "d/web-0", 40, 0), 2);
	assert_int_equal(passes("new", "d/web-0", 40, 500), 2);
	says(a, 40, false, 510);
	assert_true(left(b) <= 60);
	says(a, 40, false, TTL);
	says(b, 0, false, TTL);
	(void)sched_expire(&s, TTL);
	assert_int_equal(left(b), 60);
	assert_int_equal(left(a), 20);
}

/* The same pod is decided again, and in another node's record the name counts for nothing else. */
static void asking_again_changes_nothing(void **st)
{
	(void)st;
	assert_int_equal(passes("new", "d/web-0", 50, 0), 2);
	assert_int_equal(passes("other", "d/web-1", 10, 0), 2);
	assert_int_equal(passes("new", "d/web-0", 40, 1), 2);
	says(a, 40, false, 10);
	assert_int_equal(left(a), 50);
	assert_int_equal(left(b), 90);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(a_pod_without_uid_is_known_by_its_name),
		T(a_name_that_nobody_had_is_the_pods),
		T(an_attachment_from_before_is_not_the_new_pods),
		T(an_attachment_of_a_pod_promised_before_is_not_the_new_pods),
		T(asking_again_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
