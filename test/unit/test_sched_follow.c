/* SPDX-License-Identifier: MIT */
/*
 * Promises followed to the attachment: pods are decided, bound, attached interface by interface,
 * fail and are tried again, go; the model hears of all that late, or not for a while. Whatever it
 * promised must be there when the pod comes. Nodes have one PF, so that order does not matter.
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sched/sched.h"

#define NODES 3
#define PODS  40
#define TTL   1000
#define VFS   12
#define MBPS  1000

enum pod_state { POD_NONE, POD_BOUND, POD_HERE };

struct pod {
	enum pod_state state;
	uint32_t node, n, attached;
	int64_t decided_ms;
	char uid[16];
	struct place_request req[3];
};

static struct sched s;
static struct sched_state state;
static struct pod pod[PODS];
static uint32_t node[NODES];
static bool changed[NODES];
static uint32_t rng, serial, promised, arrived, refused;
static int64_t now;

static uint32_t below(uint32_t n)
{
	rng = rng * 1664525u + 1013904223u;
	return (rng >> 8) % n;
}

/* What is really in use. */
static void usage(uint32_t i, uint32_t *vfs, uint32_t *mbps)
{
	*vfs = *mbps = 0;
	for (uint32_t p = 0; p < PODS; p++) {
		for (uint32_t k = 0; pod[p].node == i && k < pod[p].attached; k++) {
			*vfs += 1;
			*mbps += pod[p].req[k].min;
		}
	}
}

static void report(uint32_t i)
{
	if (!changed[i] && s.node[node[i]].known) {
		sched_node_still(&s, node[i], now);
		return;
	}
	state = (struct sched_state){.full = true, .revision = 1, .pf_n = 1};
	state.pf[0] = (struct sched_pf_state){.name = "pf0", .vfs = VFS, .mbps = MBPS};
	usage(i, &state.pf[0].used_vfs, &state.pf[0].used_mbps);
	for (uint32_t p = 0; p < PODS; p++) {
		for (uint32_t k = 0; pod[p].node == i && k < pod[p].attached; k++) {
			state.hold[state.hold_n++] = (struct sched_hold){
				sched_uid_hash(str_from(pod[p].uid)), pod[p].req[k].min, 0, false};
		}
	}
	sched_node_update(&s, node[i], &state, now);
	changed[i] = false;
}

static void decide(struct pod *p)
{
	uint8_t verdict[NODES];
	uint32_t i = below(NODES);
	struct err e;

	*p = (struct pod){.n = 1 + below(3), .decided_ms = now};
	(void)snprintf(p->uid, sizeof(p->uid), "pod-%u", serial++);
	for (uint32_t k = 0; k < p->n; k++) {
		p->req[k].min = below(4) * 100;
	}
	const struct sched_ask ask = {str_from(p->uid), str_from(p->uid), p->req, p->n};

	assert_int_equal(sched_filter(&s, &ask, node, NODES, below(2), false, verdict, now, &e), 0);
	for (uint32_t k = 0; k < NODES; k++, i = (i + 1) % NODES) {
		if (verdict[i] == SCHED_PASS) {
			p->state = POD_BOUND;
			p->node = i;
			promised++;
			return;
		}
		assert_true(verdict[i] != SCHED_NEVER && verdict[i] != SCHED_UNDECIDED);
	}
	refused++;
}

/* One more interface of a pod that was promised its place and is in time. */
static void attach(struct pod *p)
{
	uint32_t vfs, mbps;

	usage(p->node, &vfs, &mbps);
	if (vfs == VFS || mbps + p->req[p->attached].min > MBPS) {
		fail_msg("%s was promised room on node %u, %d ms ago", p->uid, p->node,
			(int)(now - p->decided_ms));
	}
	p->attached++;
	changed[p->node] = true;
	if (p->attached == p->n) {
		p->state = POD_HERE;
		arrived++;
	}
}

static void detach(struct pod *p)
{
	changed[p->node] = changed[p->node] || p->attached > 0;
	p->attached = 0;
}

static void move_pod(struct pod *p)
{
	bool late = now - p->decided_ms >= TTL;

	if (p->state == POD_NONE) {
		decide(p);
	} else if (p->state == POD_BOUND && late) {
		detach(p); /* its promise is over: it is decided anew */
		p->state = POD_NONE;
	} else if (p->state == POD_BOUND && below(8) == 0) {
		detach(p); /* the attempt fails; the next one follows */
	} else if (p->state == POD_BOUND) {
		attach(p);
	} else if (below(6) == 0) {
		detach(p); /* away, or only for a new sandbox while the promise lasts */
		p->state = late ? POD_NONE : POD_BOUND;
	}
}

static void run(uint32_t seed)
{
	struct err e;

	rng = seed;
	now = 0;
	memset(pod, 0, sizeof(pod));
	assert_int_equal(sched_init(&s, TTL, &e), 0);
	for (uint32_t i = 0; i < NODES; i++) {
		char name[8];

		(void)snprintf(name, sizeof(name), "n%u", i);
		node[i] = sched_node_add(&s, str_from(name), 0);
		report(i);
	}
	for (int step = 0; step < 4000; step++) {
		uint32_t i = below(NODES);

		now += below(30);
		(void)sched_expire(&s, now);
		move_pod(&pod[below(PODS)]);
		if (below(3) == 0) {
			report(i);
		} else if (below(50) == 0) {
			sched_node_lost(&s, node[i]);
		}
	}
	sched_free(&s);
}

static void what_is_promised_is_there(void **st)
{
	(void)st;
	for (uint32_t seed = 1; seed <= 20; seed++) {
		run(seed);
	}
	/* It is worth nothing if nothing happened. */
	assert_true(promised > 1000 && arrived > 500 && refused > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_promised_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
