/* SPDX-License-Identifier: MIT */
/* Messages of kube-scheduler, in every form since 1.11, and the answers to them, word for word. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "kube/limits.h"
#include "kube/reply.h"

#define ITEMS   16

#define NO_ROOM "RDMA Scheduler Extension: Node did not have enough free RDMA resources."
#define UNKNOWN                                                                                    \
	"RDMA Scheduler Extension: Unable to collect information on available RDMA resources "     \
	"for node."
#define MALFORMED                                                                                  \
	"RDMA Scheduler Extension: 'rdma_interfaces_required' field in pod YAML file is "          \
	"malformatted."

static struct kube_item item[ITEMS];
static struct kube_args args;

/* A message in a block as the program has it: room before it, and the slack behind it. */
struct block {
	char *mem, *text, *slack;
	size_t n, slack_n;
};

static struct block block_of(struct str text)
{
	struct block b = {.n = text.n, .slack_n = kube_reply_slack(text.n)};

	b.mem = malloc(KUBE_REPLY_HEAD + b.n + b.slack_n);
	assert_non_null(b.mem);
	b.text = b.mem + KUBE_REPLY_HEAD;
	b.slack = b.text + b.n;
	memcpy(b.text, text.p, text.n);
	return b;
}

static int find(const struct block *b, struct err *e)
{
	args = (struct kube_args){.item = item, .cap = ITEMS};
	return kube_args_find((struct str){b->text, b->n}, &args, e);
}

static void must_be(struct str got, const char *want)
{
	if (!str_eq_c(got, want)) {
		fail_msg("got  %.*s\nwant %s", (int)got.n, got.p, want);
	}
}

/* --- Questions */

#define POD        "{\"metadata\":{\"name\":\"p\",\"namespace\":\"d\",\"uid\":\"u\"}}"
#define NODE(name) "{\"metadata\":{\"name\":\"" name "\"},\"status\":{}}"
#define LIST       "{\"metadata\":{},\"items\":[" NODE("a") "," NODE("b") "]}"

enum form { NODES, NAMES, BOTH, NEITHER };

static const struct {
	const char *what, *text;
	enum form form;
	size_t n;
} forms[] = {
	{"full nodes, 1.11 to today", "{\"Pod\":" POD ",\"Nodes\":" LIST ",\"NodeNames\":null}",
		NODES, 2},
	{"names, 1.11 to today", "{\"Pod\":" POD ",\"Nodes\":null,\"NodeNames\":[\"a\",\"b\"]}",
		NAMES, 2},
	{"tagged names of 1.10", "{\"pod\":" POD ",\"nodes\":null,\"nodenames\":[\"a\",\"b\"]}",
		NAMES, 2},
	{"tagged nodes of 1.10", "{\"pod\":" POD ",\"nodes\":" LIST ",\"nodenames\":null}", NODES,
		2},
	{"camel case", "{\"pod\":" POD ",\"nodeNames\":[\"a\",\"b\"]}", NAMES, 2},
	{"a list with kind and version",
		"{\"Pod\":" POD
		",\"Nodes\":{\"kind\":\"NodeList\",\"apiVersion\":\"v1\",\"items\":[" NODE(
			"a") "," NODE("b") "],\"metadata\":{\"resourceVersion\":\"7\"}}}",
		NODES, 2},
	{"the pod last", "{\"NodeNames\":[\"a\",\"b\"],\"Pod\":" POD "}", NAMES, 2},
	{"absent lists", "{\"Pod\":" POD "}", NEITHER, 0},
	{"null lists", "{\"Pod\":" POD ",\"Nodes\":null,\"NodeNames\":null}", NEITHER, 0},
	{"null items", "{\"Pod\":" POD ",\"Nodes\":{\"items\":null},\"NodeNames\":null}", NODES, 0},
	{"no items", "{\"Pod\":" POD ",\"Nodes\":{},\"NodeNames\":null}", NODES, 0},
	{"no names", "{\"Pod\":" POD ",\"NodeNames\":[]}", NAMES, 0},
	{"both", "{\"Pod\":" POD ",\"NodeNames\":[\"x\"],\"Nodes\":" LIST "}", BOTH, 2},
	{"the last of equal keys",
		"{\"Pod\":" POD ",\"NodeNames\":[\"x\"],\"nodenames\":[\"a\",\"b\"]}", NAMES, 2},
	{"blanks and line ends",
		" {\n\t\"Pod\" : " POD " ,\r\n \"NodeNames\" : [ \"a\" , \"b\" ] } \n", NAMES, 2},
};

static void every_form_is_understood(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		struct block b = block_of(str_from(forms[i].text));
		struct err e = ERR_INIT;

		if (find(&b, &e) != 0) {
			fail_msg("%s: %s", forms[i].what, e.msg);
		}
		assert_true(args.has_nodes == (forms[i].form == NODES || forms[i].form == BOTH));
		assert_true(args.has_names == (forms[i].form == NAMES || forms[i].form == BOTH));
		assert_int_equal(args.n, forms[i].n);
		assert_true(args.n == 0 || str_eq_c(args.item[0].name, "a"));
		assert_true(args.n == 0 || str_eq_c(args.item[1].name, "b"));
		must_be(args.pod.uid, "u");
		must_be(args.pod.name, "p");
		must_be(args.pod.namespace, "d");
		assert_null(args.pod.required.p);
		free(b.mem);
	}
}

/* As kube-scheduler 1.20.2 sent it to a program that wrote it down. */
static void a_real_request(void **state)
{
	static char text[16384];
	struct err e = ERR_INIT;
	struct block b;
	struct str out;
	uint8_t verdict[3] = {KUBE_PASS, KUBE_PASS, KUBE_PASS};
	ssize_t n = file_read(
		AT_FDCWD, "test/data/extender-args-k8s-1.20.2.json", text, sizeof(text), &e);

	(void)state;
	assert_true(n > 8000);
	b = block_of((struct str){text, (size_t)n});
	assert_int_equal(find(&b, &e), 0);
	assert_true(args.has_nodes && !args.has_names && args.n == 3);
	must_be(args.pod.name, "cap");
	must_be(args.pod.namespace, "default");
	must_be(args.pod.uid, "f4ec0f2d-d4db-489c-baae-e009ed41af45");
	must_be(args.pod.required, "\"[{}]\"");
	must_be(item[0].name, "fake-1");
	must_be(item[0].ip, "127.1.0.1");
	must_be(item[1].name, "fake-3");
	must_be(item[1].ip, "127.1.0.3");
	assert_int_equal(item[1].dns.n, 0);
	/* The answer has the nodes byte for byte. */
	assert_true(kube_filter_reply(&args, verdict, b.slack, b.slack_n, &out));
	assert_true(str_starts(out, STR("{\"Nodes\":{\"metadata\":{},\"items\":[{\"metadata\":{"
					"\"name\":\"fake-1\",\"uid\":")));
	n = (ssize_t)(strstr(text, "]},\"NodeNames\":null}") -
		      strstr(text, "{\"metadata\":{\"name\":\"fake-1\""));
	assert_memory_equal(out.p + strlen("{\"Nodes\":{\"metadata\":{},\"items\":["),
		strstr(text, "{\"metadata\":{\"name\":\"fake-1\""), (size_t)n);
	assert_int_equal(
		out.n, strlen("{\"Nodes\":{\"metadata\":{},\"items\":[") + (size_t)n +
			       strlen("]},\"NodeNames\":null,\"FailedNodes\":{},"
				      "\"FailedAndUnresolvableNodes\":{},\"Error\":\"\"}"));
	free(b.mem);
}

static void addresses(void **state)
{
	static const struct {
		const char *list, *ip, *dns;
	} rows[] = {
		{"[{\"type\":\"InternalIP\",\"address\":\"1.2.3.4\"}]", "1.2.3.4", ""},
		{"[{\"type\":\"Hostname\",\"address\":\"h\"}]", "", ""},
		{"[{\"type\":\"ExternalIP\",\"address\":\"9.9.9.9\"},"
		 "{\"type\":\"InternalDNS\",\"address\":\"n.example\"},"
		 "{\"type\":\"InternalIP\",\"address\":\"1.2.3.4\"},"
		 "{\"type\":\"InternalIP\",\"address\":\"5.6.7.8\"}]",
			"1.2.3.4", "n.example"},
		{"[{\"address\":\"1.2.3.4\"}]", "", ""},
		{"[null,{}]", "", ""},
		{"[]", "", ""},
		{"null", "", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[600];
		struct err e = ERR_INIT;
		struct block b;
		int n = snprintf(text, sizeof(text),
			"{\"Pod\":" POD ",\"Nodes\":{\"items\":[{\"status\":{\"addresses\":%s},"
			"\"metadata\":{\"name\":\"a\"}}]}}",
			rows[i].list);

		b = block_of((struct str){text, (size_t)n});
		assert_int_equal(find(&b, &e), 0);
		must_be(item[0].ip, rows[i].ip);
		must_be(item[0].dns, rows[i].dns);
		free(b.mem);
	}
}

static void what_is_wrong_is_named(void **state)
{
	static const struct {
		const char *text;
		int code;
		const char *why;
	} rows[] = {
		{"", EINVAL, "byte 0"},
		{"{\"Pod\":" POD ",}", EINVAL, "key"},
		{"{\"Pod\":" POD "} x", EINVAL, "end"},
		{"[]", EPROTO, "object"},
		{"{}", EPROTO, "Pod"},
		{"{\"Pod\":[]}", EPROTO, "Pod"},
		{"{\"Pod\":{\"metadata\":{\"uid\":7}}}", EPROTO, "uid"},
		{"{\"Pod\":" POD ",\"Nodes\":[]}", EPROTO, "Nodes"},
		{"{\"Pod\":" POD ",\"Nodes\":{\"items\":[{\"metadata\":{}}]}}", EPROTO, "items[0]"},
		{"{\"Pod\":" POD ",\"NodeNames\":[\"a\",\"\"]}", EPROTO, "NodeNames[1]"},
		{"{\"Pod\":" POD ",\"NodeNames\":\"a\"}", EPROTO, "NodeNames"},
		/* The first mistake does not hide that it is no JSON. */
		{"{\"Pod\":3,\"NodeNames\":[}", EINVAL, "byte"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct block b = block_of(str_from(rows[i].text));
		struct err e = ERR_INIT;

		assert_int_equal(find(&b, &e), -rows[i].code);
		if (strstr(e.msg, rows[i].why) == NULL) {
			fail_msg("%s: %s", rows[i].text, e.msg);
		}
		free(b.mem);
	}
}

static void more_nodes_than_places(void **state)
{
	char text[400] = "{\"Pod\":" POD ",\"NodeNames\":[\"a\"";
	struct err e = ERR_INIT;
	struct block b;
	struct buf t;

	(void)state;
	buf_init(&t, text, sizeof(text));
	buf_add_c(&t, "{\"Pod\":" POD ",\"NodeNames\":[\"a\"");
	for (int i = 1; i < ITEMS; i++) {
		buf_add_c(&t, ",\"a\"");
	}
	buf_add_c(&t, "]}");
	b = block_of(buf_str(&t));
	assert_int_equal(find(&b, &e), 0);
	assert_int_equal(args.n, ITEMS);
	free(b.mem);
	t.n -= 2;
	buf_add_c(&t, ",\"a\"]}");
	b = block_of(buf_str(&t));
	assert_int_equal(find(&b, &e), -EPROTO);
	free(b.mem);
}

/* --- Answers */

static void answers_word_for_word(void **state)
{
	static const struct {
		const char *text;
		uint8_t verdict[3];
		const char *want;
	} rows[] = {
		{"{\"Pod\":" POD ",\"NodeNames\":[\"a\",\"b\"]}", {KUBE_PASS, KUBE_NO_ROOM},
			"{\"Nodes\":null,\"NodeNames\":[\"a\"],\"FailedNodes\":{\"b\":\"" NO_ROOM
			"\"},\"FailedAndUnresolvableNodes\":{},\"Error\":\"\"}"},
		{"{\"Pod\":" POD ",\"Nodes\":" LIST "}", {KUBE_UNKNOWN, KUBE_PASS},
			"{\"Nodes\":{\"metadata\":{},\"items\":[" NODE(
				"b") "]},\"NodeNames\":null,\"FailedNodes\":{\"a\":\"" UNKNOWN
				     "\"},\"FailedAndUnresolvableNodes\":{},\"Error\":\"\"}"},
		{"{\"Pod\":" POD ",\"Nodes\":" LIST "}", {KUBE_NEVER, KUBE_NO_ROOM},
			"{\"Nodes\":{\"metadata\":{},\"items\":[]},\"NodeNames\":null,"
			"\"FailedNodes\":{"
			"\"a\":\"" NO_ROOM "\",\"b\":\"" NO_ROOM
			"\"},\"FailedAndUnresolvableNodes\":{\"a\":\"" NO_ROOM
			"\"},\"Error\":\"\"}"},
		{"{\"Pod\":" POD ",\"NodeNames\":[\"a\"]}", {KUBE_MALFORMED},
			"{\"Nodes\":null,\"NodeNames\":[],\"FailedNodes\":{\"a\":\"" MALFORMED
			"\"},\"FailedAndUnresolvableNodes\":{\"a\":\"" MALFORMED
			"\"},\"Error\":\"\"}"},
		{"{\"Pod\":" POD "}", {KUBE_PASS},
			"{\"Nodes\":null,\"NodeNames\":null,\"FailedNodes\":{},"
			"\"FailedAndUnresolvableNodes\":{},\"Error\":\"\"}"},
		{"{\"Pod\":" POD ",\"NodeNames\":[]}", {KUBE_PASS},
			"{\"Nodes\":null,\"NodeNames\":[],\"FailedNodes\":{},"
			"\"FailedAndUnresolvableNodes\":{},\"Error\":\"\"}"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct block b = block_of(str_from(rows[i].text));
		struct err e = ERR_INIT;
		struct str out;

		assert_int_equal(find(&b, &e), 0);
		assert_true(kube_filter_reply(&args, rows[i].verdict, b.slack, b.slack_n, &out));
		must_be(out, rows[i].want);
		free(b.mem);
	}
}

/* Schedulers count equal messages, use them as printf formats (before 1.3x), and join them. */
static void messages_are_safe(void **state)
{
	(void)state;
	for (int v = KUBE_NO_ROOM; v < KUBE_VERDICTS; v++) {
		const char *text = kube_verdict_text((enum kube_verdict)v);

		assert_true(strlen(text) > 20 && strchr(text, '%') == NULL &&
			    strchr(text, ',') == NULL && strchr(text, '"') == NULL);
	}
}

static void scores_and_errors(void **state)
{
	static char mem[1024];
	const uint8_t score[] = {10, 0};
	struct block b = block_of(STR("{\"Pod\":" POD ",\"NodeNames\":[\"a\",\"b\"]}"));
	struct err e = ERR_INIT;
	struct str out;
	struct buf t;

	(void)state;
	assert_int_equal(find(&b, &e), 0);
	assert_true(kube_score_reply(&args, score, b.slack, b.slack_n, &out));
	must_be(out, "[{\"Host\":\"a\",\"Score\":10},{\"Host\":\"b\",\"Score\":0}]");
	free(b.mem);
	buf_init(&t, mem, sizeof(mem));
	kube_error_reply(&t, "100% \"bad\"");
	must_be(buf_str(&t), "{\"Nodes\":null,\"NodeNames\":null,\"FailedNodes\":{},"
			     "\"FailedAndUnresolvableNodes\":{},\"Error\":\"100? \\\"bad\\\"\"}");
}

/* --- Preemption and binding */

static void preemption_in_both_forms(void **state)
{
	static const char want[] = "{\"NodeNameToMetaVictims\":{\"b\":{\"Pods\":[{\"UID\":\"v2\"},"
				   "{\"UID\":\"v3\"}],\"NumPDBViolations\":4}}}";
	static const char *const texts[] = {
		"{\"Pod\":" POD
		",\"NodeNameToVictims\":null,\"NodeNameToMetaVictims\":{\"a\":{\"Pods\":"
		"[{\"UID\":\"v1\"}],\"NumPDBViolations\":0},\"b\":{\"Pods\":[{\"UID\":\"v2\"},{"
		"\"UID\":"
		"\"v3\"}],\"NumPDBViolations\":4}}}",
		"{\"Pod\":" POD
		",\"NodeNameToVictims\":{\"a\":{\"Pods\":[{\"metadata\":{\"uid\":\"v1\"}}]},"
		"\"b\":{\"Pods\":[{\"spec\":{},\"metadata\":{\"name\":\"x\",\"uid\":\"v2\"}},{"
		"\"metadata\":"
		"{\"uid\":\"v3\"}}],\"NumPDBViolations\":4}},\"NodeNameToMetaVictims\":null}",
		"{\"pod\":" POD
		",\"nodeToVictims\":{\"a\":{\"pods\":null},\"b\":{\"pods\":[{\"metadata\":"
		"{\"uid\":\"v2\"}},{\"metadata\":{\"uid\":\"v3\"}}],\"numPDBViolations\":4}}}",
	};
	const uint8_t verdict[] = {KUBE_NO_ROOM, KUBE_PASS};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct block b = block_of(str_from(texts[i]));
		struct err e = ERR_INIT;
		struct str out;

		args = (struct kube_args){.item = item, .cap = ITEMS};
		assert_int_equal(kube_preempt_find((struct str){b.text, b.n}, &args, &e), 0);
		assert_int_equal(args.n, 2);
		assert_true(kube_preempt_reply(&args, verdict, b.slack, b.slack_n, &out));
		must_be(out, want);
		free(b.mem);
	}
}

static void victims_that_cannot_be_told(void **state)
{
	static const char *const texts[] = {
		"{\"Pod\":" POD ",\"NodeNameToMetaVictims\":{\"a\":{\"Pods\":[{}]}}}",
		"{\"Pod\":" POD ",\"NodeNameToMetaVictims\":{\"a\":{\"Pods\":[null]}}}",
		"{\"Pod\":" POD ",\"NodeNameToMetaVictims\":{\"a\":{\"Pods\":[{\"UID\":\"\"}]}}}",
		"{\"Pod\":" POD ",\"NodeNameToMetaVictims\":{\"a\":[]}}",
		"{\"Pod\":" POD ",\"NodeNameToMetaVictims\":{\"\":{\"Pods\":[]}}}",
		"{\"Pod\":" POD ",\"NodeNameToMetaVictims\":[]}",
		"{\"NodeNameToMetaVictims\":{}}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct err e = ERR_INIT;

		args = (struct kube_args){.item = item, .cap = ITEMS};
		assert_int_equal(kube_preempt_find(str_from(texts[i]), &args, &e), -EPROTO);
		assert_true(e.msg[0] != '\0');
	}
}

static void bindings(void **state)
{
	static char mem[256];
	struct kube_binding b;
	struct err e = ERR_INIT;
	struct buf t;

	(void)state;
	assert_int_equal(
		kube_binding_find(STR("{\"PodName\":\"p\",\"PodNamespace\":\"d\",\"PodUID\":"
				      "\"u\",\"Node\":\"n\"}"),
			&b, &e),
		0);
	must_be(b.pod, "p");
	must_be(b.namespace, "d");
	must_be(b.uid, "u");
	must_be(b.node, "n");
	assert_int_equal(
		kube_binding_find(STR("{\"PodName\":\"p\",\"Node\":\"n\"}"), &b, &e), -EPROTO);
	assert_int_equal(kube_binding_find(STR("{\"PodName\":7}"), &b, &e), -EPROTO);
	assert_int_equal(kube_binding_find(STR("[]"), &b, &e), -EPROTO);
	assert_int_equal(kube_binding_find(STR("{\"PodName\":\"p\""), &b, &e), -EINVAL);
	buf_init(&t, mem, sizeof(mem));
	kube_binding_reply(&t, NULL);
	must_be(buf_str(&t), "{\"Error\":\"\"}");
	buf_init(&t, mem, sizeof(mem));
	kube_binding_reply(&t, "no \"way\"");
	must_be(buf_str(&t), "{\"Error\":\"no \\\"way\\\"\"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_is_understood),
		cmocka_unit_test(a_real_request),
		cmocka_unit_test(addresses),
		cmocka_unit_test(what_is_wrong_is_named),
		cmocka_unit_test(more_nodes_than_places),
		cmocka_unit_test(answers_word_for_word),
		cmocka_unit_test(messages_are_safe),
		cmocka_unit_test(scores_and_errors),
		cmocka_unit_test(preemption_in_both_forms),
		cmocka_unit_test(victims_that_cannot_be_told),
		cmocka_unit_test(bindings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
