/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as ExtenderArgs and ExtenderPreemptionArgs. What is no JSON is refused exactly where
 * the reader with an index refuses it; every answer is JSON and within its block.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "json/read.h"
#include "kube/limits.h"
#include "kube/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BODY_MAX  16384
#define ITEMS_MAX 512

static _Alignas(16) char tokens[4 << 20];
static char block[KUBE_REPLY_HEAD + BODY_MAX + 4 * BODY_MAX + 2 * (BODY_MAX / 4 + 1) * 128 + 4096];
static struct kube_item item[ITEMS_MAX];

static void must(bool promise)
{
	if (!promise) {
		abort();
	}
}

static bool is_json(struct str text)
{
	struct json_doc d;
	struct arena a;
	struct err e;

	arena_init(&a, tokens, sizeof(tokens));
	return json_parse(&d, text, &a, JSON_LAST_WINS, &e) == 0;
}

static void within(struct str s, struct str body)
{
	must(s.n == 0 || (s.p >= body.p && s.p + s.n <= body.p + body.n));
}

static void check_items(const struct kube_args *args, struct str body)
{
	must(args->n <= args->cap);
	for (size_t i = 0; i < args->n; i++) {
		must(args->item[i].name.n > 0 && args->item[i].name.n <= KUBE_NAME_MAX);
		within(args->item[i].name, body);
		within(args->item[i].raw, body);
		within(args->item[i].ip, body);
		within(args->item[i].dns, body);
		within(args->item[i].pdb, body);
	}
	within(args->pod.uid, body);
	within(args->pod.required, body);
}

/* kind 0: filter, 1: scores, 2: preemption. */
static void try(const uint8_t *data, size_t size, int kind)
{
	struct kube_args args = {.item = item, .cap = ITEMS_MAX};
	struct str body = {block + KUBE_REPLY_HEAD, size}, out;
	struct err e = ERR_INIT;
	uint8_t verdict[ITEMS_MAX];
	char *slack = block + KUBE_REPLY_HEAD + size;
	size_t slack_n = kube_reply_slack(size);
	bool ok, json = is_json((struct str){(const char *)data, size});
	int r;

	must(KUBE_REPLY_HEAD + size + slack_n <= sizeof(block));
	memcpy(block + KUBE_REPLY_HEAD, data, size);
	r = kind == 2 ? kube_preempt_find(body, &args, &e) : kube_args_find(body, &args, &e);
	must(json == (r == 0 || r == -EPROTO));
	must(r == 0 || (e.code == -r && e.msg[0] != '\0'));
	if (r < 0) {
		return;
	}
	check_items(&args, body);
	for (size_t i = 0; i < args.n; i++) {
		verdict[i] = (uint8_t)((data[i % size] + i) % KUBE_VERDICTS);
	}
	ok = kind == 0   ? kube_filter_reply(&args, verdict, slack, slack_n, &out)
	     : kind == 1 ? kube_score_reply(&args, verdict, slack, slack_n, &out)
			 : kube_preempt_reply(&args, verdict, slack, slack_n, &out);
	must(ok && out.p >= block && out.p + out.n <= block + sizeof(block));
	must(is_json(out));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0 || size > BODY_MAX) {
		return 0;
	}
	for (int kind = 0; kind < 3; kind++) {
		try(data, size, kind);
	}
	return 0;
}
