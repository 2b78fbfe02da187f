/* SPDX-License-Identifier: MIT */
/*
 * Load generator: --conns kept-alive connections, each asking again as soon as it has its answer,
 * for --seconds. Prints one line:
 *   requests N seconds S requests_per_s R p50_us A p99_us B max_us C errors E
 * Exit code 1 when an answer was missing or was not 200.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/opts.h"
#include "http/client.h"

#define CONNS_MAX     1024
#define EXCHANGE_MS   10000
#define LATENCY_CLASS 200000 /* microseconds, one class each; the last one is for the rest */

struct load;

struct load_conn {
	struct http_client client;
	struct http_call call;
	struct load *load;
	int64_t begun_us;
};

struct load {
	struct loop loop;
	struct loop_timer end;
	struct load_conn conn[CONNS_MAX];
	uint32_t conns, running;
	bool ending;
	int64_t end_us;
	uint64_t requests, errors;
	int64_t max_us;
	uint32_t latency[LATENCY_CLASS];
};

static void count_error(struct load *ld, const char *why)
{
	if (ld->errors++ == 0) {
		log_error("%s", why);
	}
}

static void ask(struct load_conn *c)
{
	struct load *ld = c->load;
	struct err e;

	c->begun_us = clock_us();
	c->call.deadline_ms = clock_ms() + EXCHANGE_MS;
	if (http_client_call(&c->client, &c->call, &e) < 0) {
		count_error(ld, e.msg);
		if (--ld->running == 0) {
			loop_stop(&ld->loop);
		}
	}
}

static void on_done(
	void *arg, struct http_client *client, const struct http_result *res, const struct err *e)
{
	struct load_conn *c = arg;
	struct load *ld = c->load;
	int64_t now = clock_us(), us = now - c->begun_us;

	(void)client;
	ld->requests++;
	ld->end_us = now;
	ld->max_us = us > ld->max_us ? us : ld->max_us;
	ld->latency[us < LATENCY_CLASS - 1 ? us : LATENCY_CLASS - 1]++;
	if (res == NULL) {
		count_error(ld, e->msg);
	} else if (res->status != 200) {
		count_error(ld, "the status is not 200");
	}
	if (!ld->ending && res != NULL) {
		ask(c);
	} else if (--ld->running == 0) {
		loop_stop(&ld->loop);
	}
}

static void on_end(struct loop *l, struct loop_timer *t)
{
	(void)l;
	CONTAINER_OF(t, struct load, end)->ending = true;
}

static long long percentile(const struct load *ld, unsigned percent)
{
	uint64_t want = (ld->requests * percent + 99) / 100, sum = 0;
	int i = -1;

	while (i < LATENCY_CLASS - 1 && (sum < want || i < 0)) {
		sum += ld->latency[++i];
	}
	return i;
}

static int start(struct load *ld, const struct sock_addr *addr, struct str path, struct str host,
	uint32_t answer_max)
{
	for (uint32_t i = 0; i < ld->conns; i++) {
		struct load_conn *c = &ld->conn[i];

		c->load = ld;
		c->call = (struct http_call){.method = HTTP_GET,
			.path = path,
			.host = host,
			.mem = malloc(answer_max),
			.cap = answer_max,
			.done = on_done,
			.arg = c};
		if (c->call.mem == NULL) {
			log_error("no memory for %u connections", ld->conns);
			return -1;
		}
		http_client_init(&c->client, &ld->loop, addr);
	}
	ld->running = ld->conns;
	for (uint32_t i = 0; i < ld->conns; i++) {
		ask(&ld->conn[i]);
	}
	return 0;
}

static void report(const struct load *ld, int64_t begun_us)
{
	int64_t us = ld->end_us > begun_us ? ld->end_us - begun_us : 1;

	printf("requests %llu seconds %lld.%03lld requests_per_s %llu p50_us %lld p99_us %lld"
	       " max_us %lld errors %llu\n",
		(unsigned long long)ld->requests, (long long)us / 1000000,
		(long long)us / 1000 % 1000,
		(unsigned long long)(ld->requests * 1000000 / (uint64_t)us), percentile(ld, 50),
		percentile(ld, 99), (long long)ld->max_us, (unsigned long long)ld->errors);
}

int main(int argc, char **argv)
{
	static struct loop_timer *heap[CONNS_MAX * HTTP_CLIENT_TIMERS + 1];
	static struct load ld = {.conns = 1};
	const char *connect = "127.0.0.1:54005", *path = "/getpfs";
	uint32_t seconds = 5, answer_max = 1 << 18;
	const struct opt opts[] = {
		{"connect", OPT_STR, &connect, 0, 0, "ADDR:PORT", "where the server is"},
		{"path", OPT_STR, &path, 0, 0, "PATH", "what to ask for"},
		{"conns", OPT_U32, &ld.conns, 1, CONNS_MAX, "N", "connections"},
		{"seconds", OPT_U32, &seconds, 1, 3600, "S", "how long"},
		{"answer-max", OPT_U32, &answer_max, 1 << 14, 1 << 26, "BYTES", "largest answer"},
	};
	struct sock_addr addr;
	int64_t begun_us;
	struct err e;

	if (opts_parse(opts, ARRAY_LEN(opts), argc, argv, &e) < 0 ||
		parse_listen(str_from(connect), &addr, &e) < 0 ||
		loop_init(&ld.loop, heap, ARRAY_LEN(heap), &e) < 0) {
		log_error("%s", e.msg);
		return 100;
	}
	ld.end.fn = on_end;
	loop_timer_set(&ld.loop, &ld.end, clock_ms() + seconds * 1000LL);
	begun_us = clock_us();
	if (start(&ld, &addr, str_from(path), str_from(connect), answer_max) < 0) {
		return 111;
	}
	if (ld.running > 0 && loop_run(&ld.loop, &e) < 0) {
		log_error("%s", e.msg);
		return 111;
	}
	report(&ld, begun_us);
	for (uint32_t i = 0; i < ld.conns; i++) {
		http_client_close(&ld.conn[i].client);
		free(ld.conn[i].call.mem);
	}
	loop_free(&ld.loop);
	return ld.errors > 0;
}
