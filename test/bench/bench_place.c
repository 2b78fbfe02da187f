/* SPDX-License-Identifier: MIT */
/*
 * Placement of the families of test/unit/place_families.h, and the plain backtracking that simple
 * schedulers use (each request in the order given, on each PF in turn, until one way works), in one
 * run on the same instances.
 *
 *	bench_place [SEEDS [CAP_MS]]
 *
 * For each family a line: the middle and the worst time of place_fits and of place_assign over the
 * seeds, the most steps, and the middle and the worst time of the backtracking, which is stopped
 * after CAP_MS; then how often it had not finished, and the ratio of the two worst times (a lower
 * bound, marked >, when it was stopped). Exit status 1 if the two ever disagree.
 */
#include <stdlib.h>
#include <time.h>

#include "base/attr.h"
#include "../unit/place_families.h"

#define SEEDS_MAX 1000

struct times {
	double us[SEEDS_MAX];
	uint32_t n;
};

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3;
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double middle(struct times *t)
{
	qsort(t->us, t->n, sizeof(t->us[0]), by_value);
	return t->us[t->n / 2];
}

static double worst(const struct times *t)
{
	double most = 0;

	for (uint32_t i = 0; i < t->n; i++) {
		most = t->us[i] > most ? t->us[i] : most;
	}
	return most;
}

/* Plain backtracking: PLACE_LIMIT when the time is up. */
static enum place_answer backtrack(
	struct place_pf *pf, const struct place_in *in, size_t at, double end_us, uint64_t *steps)
{
	if (at == in->req_n) {
		return PLACE_YES;
	}
	for (size_t i = 0; i < in->pf_n; i++) {
		enum place_answer a;

		if ((++*steps & 0xffff) == 0 && now_us() > end_us) {
			return PLACE_LIMIT;
		}
		if (pf[i].vfs == 0 || pf[i].mbps < in->req[at].min) {
			continue;
		}
		pf[i].vfs--;
		pf[i].mbps -= in->req[at].min;
		a = backtrack(pf, in, at + 1, end_us, steps);
		pf[i].vfs++;
		pf[i].mbps += in->req[at].min;
		if (a != PLACE_NO) {
			return a;
		}
	}
	return PLACE_NO;
}

static void add(struct times *t, double us)
{
	t->us[t->n++] = us;
}

/* The answer of one of the two functions; its time, the least of three, goes to t. */
static int ours(
	int (*f)(const struct place_in *, struct place_work *, struct place_out *, struct err *),
	const struct place_in *in, struct times *t, uint32_t *steps)
{
	struct place_out out;
	struct err e;
	double least = 0;
	int r = 0;

	for (int i = 0; i < 3; i++) {
		double start = now_us(), us;

		r = f(in, &work, &out, &e);
		us = now_us() - start;
		least = i == 0 || us < least ? us : least;
	}
	add(t, least);
	*steps = out.steps > *steps ? out.steps : *steps;
	return r;
}

/* One line of the table; false if an answer is wrong. */
static bool run_family(const struct family *f, uint32_t seeds, double cap_us)
{
	static struct times fits, assign, plain;
	struct instance x;
	uint32_t steps = 0, unknown = 0, unproved = 0, stopped = 0;
	bool agree = true;

	fits.n = assign.n = plain.n = 0;
	for (uint32_t seed = 1; seed <= seeds; seed++) {
		uint64_t tried = 0;
		double start;
		int r, p;

		f->make(&x, seed);
		r = ours(place_fits, &x.in, &fits, &steps);
		unknown += r == PLACE_LIMIT;
		unproved += ours(place_assign, &x.in, &assign, &steps) == PLACE_ANY;
		start = now_us();
		p = (int)backtrack(x.pf, &x.in, 0, start + cap_us, &tried);
		add(&plain, now_us() - start);
		stopped += p == PLACE_LIMIT;
		agree = agree && (p == PLACE_LIMIT || r == PLACE_LIMIT || p == r);
	}
	printf("%-33s %8.1f %8.1f %8.1f %8.1f %8u %3u %3u %10.1f %10.1f %4u %c%.0f%s\n", f->name,
		middle(&fits), worst(&fits), middle(&assign), worst(&assign), steps, unknown,
		unproved, middle(&plain), worst(&plain), stopped, stopped > 0 ? '>' : ' ',
		worst(&plain) / worst(&fits), agree ? "" : "  WRONG");
	return agree;
}

int main(int argc, char **argv)
{
	uint32_t seeds = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 20;
	double cap_us = argc > 2 ? strtod(argv[2], NULL) * 1000 : 20000;
	bool right = true;

	if (seeds < 1 || seeds > SEEDS_MAX || !(cap_us > 0)) {
		fprintf(stderr, "usage: bench_place [SEEDS (1 to %d) [CAP_MS]]\n", SEEDS_MAX);
		return 100;
	}
	printf("placement, microseconds, %u instances a line, backtracking stopped at %.0f\n",
		seeds, cap_us);
	printf("%-33s %17s %17s %8s %3s %3s %21s %4s %s\n", "", "fits: mid, worst",
		"assign: mid, worst", "steps", "?", "any", "backtracking", "cut", "ratio");
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		right = run_family(&families[i], seeds, cap_us) && right;
	}
	return right ? 0 : 1;
}
