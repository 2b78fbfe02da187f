/* SPDX-License-Identifier: MIT */
/*
 * See reply.h. Keys are capitalised, nothing is left out, as schedulers of all versions read it.
 * Full nodes are moved together within the message: towards its front, so that none is overwritten
 * before it was moved. All that is not a full node is written to the slack first, because names
 * point into the message.
 */
#include "kube/reply.h"

#include <string.h>

#include "json/write.h"
#include "kube/limits.h"

#define OVERHEAD 128 /* a message, quotes and punctuation of one entry of FailedNodes */

static const char head[] = "{\"Nodes\":{\"metadata\":{},\"items\":[";

_Static_assert(sizeof(head) <= KUBE_REPLY_HEAD, "the head fits before the first node");

const char *kube_verdict_text(enum kube_verdict v)
{
	static const char *const text[KUBE_VERDICTS] = {
		"",
		"RDMA Scheduler Extension: Node did not have enough free RDMA resources.",
		"RDMA Scheduler Extension: Node did not have enough free RDMA resources.",
		"RDMA Scheduler Extension: Unable to collect information on available RDMA "
		"resources for node.",
		"RDMA Scheduler Extension: 'rdma_interfaces_required' field in pod YAML file is "
		"malformatted.",
		"RDMA Scheduler Extension: Node would do but better ones were chosen.",
		"RDMA Scheduler Extension: Work limit reached before a placement on node was "
		"found or ruled out.",
	};

	return text[v];
}

size_t kube_reply_slack(size_t message_n)
{
	size_t items = message_n / 4 < KUBE_ITEMS_MAX ? message_n / 4 : KUBE_ITEMS_MAX;

	/* Names twice, or uids with what is around them; messages twice. */
	return 4 * message_n + 2 * (items + 1) * OVERHEAD + 4096;
}

static bool never(uint8_t v)
{
	return v == KUBE_NEVER || v == KUBE_MALFORMED;
}

static void put_name(struct buf *b, struct str name)
{
	buf_add_chr(b, '"');
	buf_add(b, name);
	buf_add_chr(b, '"');
}

static void put_failed(
	struct buf *b, const struct kube_args *args, const uint8_t *verdict, bool only_never)
{
	bool more = false;

	for (size_t i = 0; i < args->n; i++) {
		if (verdict[i] == KUBE_PASS || (only_never && !never(verdict[i]))) {
			continue;
		}
		if (more) {
			buf_add_chr(b, ',');
		}
		more = true;
		put_name(b, args->item[i].name);
		buf_add(b, STR(":\""));
		buf_add_c(b, kube_verdict_text(verdict[i]));
		buf_add_chr(b, '"');
	}
}

/* Unresolvable nodes are in both lists: schedulers before 1.21 know only the first. */
static void put_tail(struct buf *b, const struct kube_args *args, const uint8_t *verdict)
{
	buf_add(b, STR(",\"FailedNodes\":{"));
	put_failed(b, args, verdict, false);
	buf_add(b, STR("},\"FailedAndUnresolvableNodes\":{"));
	put_failed(b, args, verdict, true);
	buf_add(b, STR("},\"Error\":\"\"}"));
}

static void put_names(struct buf *b, const struct kube_args *args, const uint8_t *verdict)
{
	bool more = false;

	buf_add(b, STR("{\"Nodes\":null,\"NodeNames\":["));
	for (size_t i = 0; i < args->n; i++) {
		if (verdict[i] == KUBE_PASS) {
			if (more) {
				buf_add_chr(b, ',');
			}
			more = true;
			put_name(b, args->item[i].name);
		}
	}
	buf_add_chr(b, ']');
}

/* The first run of nodes stays where it is; each later one moves to behind those before it. */
static char *compact(const struct kube_args *args, const uint8_t *verdict, char **first)
{
	char *at = NULL;

	for (size_t i = 0; i < args->n; i++) {
		struct str raw = args->item[i].raw;

		if (verdict[i] != KUBE_PASS) {
			continue;
		}
		if (at == NULL) {
			*first = (char *)raw.p;
			at = *first;
		} else {
			*at++ = ',';
		}
		if (at != raw.p) {
			memmove(at, raw.p, raw.n);
		}
		at += raw.n;
	}
	return at;
}

bool kube_filter_reply(const struct kube_args *args, const uint8_t *verdict, char *slack,
	size_t slack_n, struct str *out)
{
	char *first = NULL, *end;
	struct buf b;

	buf_init(&b, slack, slack_n);
	if (!args->has_nodes && args->has_names) {
		put_names(&b, args, verdict);
		put_tail(&b, args, verdict);
		*out = buf_str(&b);
		return buf_ok(&b);
	}
	buf_add(&b, args->has_nodes ? STR("]},\"NodeNames\":null")
				    : STR("{\"Nodes\":null,\"NodeNames\":null"));
	put_tail(&b, args, verdict);
	if (!buf_ok(&b)) {
		return false;
	}
	*out = buf_str(&b);
	if (!args->has_nodes) {
		return true;
	}
	end = compact(args, verdict, &first);
	if (first == NULL) {
		/* No node stays: head and tail meet at the slack, behind the message. */
		first = end = slack;
	}
	first -= sizeof(head) - 1;
	memcpy(first, head, sizeof(head) - 1);
	memmove(end, slack, b.n);
	*out = (struct str){first, (size_t)(end - first) + b.n};
	return true;
}

void kube_error_reply(struct buf *b, const char *why)
{
	char text[300];
	struct json_writer w;
	struct buf t;

	buf_init(&t, text, sizeof(text));
	for (; *why != '\0' && t.n < sizeof(text) - 1; why++) {
		buf_add_chr(&t, *why == '%' ? '?' : *why);
	}
	json_writer_init(&w, b);
	json_put_object(&w, NULL);
	json_put_null(&w, "Nodes");
	json_put_null(&w, "NodeNames");
	json_put_object(&w, "FailedNodes");
	json_put_end_object(&w);
	json_put_object(&w, "FailedAndUnresolvableNodes");
	json_put_end_object(&w);
	json_put_str(&w, "Error", buf_str(&t));
	json_put_end_object(&w);
}

bool kube_score_reply(const struct kube_args *args, const uint8_t *score, char *slack,
	size_t slack_n, struct str *out)
{
	struct buf b;

	buf_init(&b, slack, slack_n);
	buf_add_chr(&b, '[');
	for (size_t i = 0; i < args->n; i++) {
		buf_add_c(&b, i > 0 ? ",{\"Host\":" : "{\"Host\":");
		put_name(&b, args->item[i].name);
		buf_add(&b, STR(",\"Score\":"));
		buf_add_u64(&b, score[i]);
		buf_add_chr(&b, '}');
	}
	buf_add_chr(&b, ']');
	*out = buf_str(&b);
	return buf_ok(&b);
}

static void put_candidate(struct buf *b, const struct kube_item *item)
{
	struct kube_victims v;
	struct str uid;
	bool more = false;

	put_name(b, item->name);
	buf_add(b, STR(":{\"Pods\":["));
	kube_victims_init(&v, item);
	while (kube_victims_next(&v, &uid)) {
		buf_add_c(b, more ? ",{\"UID\":" : "{\"UID\":");
		more = true;
		put_name(b, uid);
		buf_add_chr(b, '}');
	}
	buf_add(b, STR("],\"NumPDBViolations\":"));
	buf_add(b, item->pdb.n > 0 ? item->pdb : STR("0"));
	buf_add_chr(b, '}');
}

bool kube_preempt_reply(const struct kube_args *args, const uint8_t *verdict, char *slack,
	size_t slack_n, struct str *out)
{
	struct buf b;
	bool more = false;

	buf_init(&b, slack, slack_n);
	buf_add(&b, STR("{\"NodeNameToMetaVictims\":{"));
	for (size_t i = 0; i < args->n; i++) {
		if (verdict[i] == KUBE_PASS) {
			if (more) {
				buf_add_chr(&b, ',');
			}
			more = true;
			put_candidate(&b, &args->item[i]);
		}
	}
	buf_add(&b, STR("}}"));
	*out = buf_str(&b);
	return buf_ok(&b);
}
