/* SPDX-License-Identifier: MIT */
/* One ledger record: what it says, and everything that makes it a damaged one. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ledger/read.h"

static char mem[LEDGER_STRINGS + LEDGER_SCRATCH];
static struct ledger ledger;
static struct ledger_rec rec;

static const char full[] =
	"{\"version\": 1, \"phase\": \"attached\", \"containerId\": \"0a1B_c.d-e\",\n"
	" \"ifname\": \"eth0\", \"pod\": {\"namespace\": \"default\", \"name\": \"web-0\",\n"
	" \"uid\": \"5f0e9a3c-0d6e-4a35-9a3f-1c1f3a2b4c5d\"},\n"
	" \"netns\": {\"path\": \"/var/run/netns/cni-1\", \"inode\": 4026532281},\n"
	" \"pf\": \"enp4s0f0\", \"vf\": 3, \"pci\": \"0000:04:10.3\",\n"
	" \"minTxRate\": 1000, \"maxTxRate\": 2000,\n"
	" \"restore\": {\"netdev\": \"enp4s0f0v3\", \"altnames\": [], \"mtu\": 1500}}\n";

/* The least a record may say; %s stands before the closing brace. */
#define LEAST                                                                                      \
	"{\"version\": 1, \"phase\": \"p\", \"containerId\": \"c\", \"ifname\": \"e\","            \
	" \"pf\": \"x\", \"vf\": 0, \"minTxRate\": 0, \"maxTxRate\": 0%s}"

static int parse_n(const char *text, size_t n, struct err *e)
{
	char *copy = malloc(n > 0 ? n : 1);
	int r;

	assert_non_null(copy);
	memcpy(copy, text, n);
	ledger_init(&ledger, NULL, mem, sizeof(mem));
	memset(&rec, 0xa5, sizeof(rec));
	r = ledger_record_parse(&ledger, (struct str){copy, n}, &rec, e);
	assert_int_equal(ledger.strings.cap, sizeof(mem));
	if (r < 0) {
		assert_int_equal(ledger.strings.used, 0);
	}
	free(copy);
	return r;
}

static void takes(const char *text)
{
	struct err e = ERR_INIT;

	if (parse_n(text, strlen(text), &e) != 0) {
		fail_msg("%s: %s", text, e.msg);
	}
}

static void refuses(const char *text, int code, const char *want)
{
	struct err e = ERR_INIT;
	int r = parse_n(text, strlen(text), &e);

	if (r != -code || e.code != code) {
		fail_msg("%s: returned %d (%s)", text, r, e.msg);
	}
	if (strstr(e.msg, want) == NULL) {
		fail_msg("%s: '%s' expected in: %s", text, want, e.msg);
	}
}

/* The full record with one piece of its text replaced. */
static const char *with(const char *piece, const char *other)
{
	static char text[2048];
	const char *at = strstr(full, piece);
	int n;

	assert_non_null(at);
	n = snprintf(
		text, sizeof(text), "%.*s%s%s", (int)(at - full), full, other, at + strlen(piece));
	assert_true(n > 0 && (size_t)n < sizeof(text));
	return text;
}

static void test_full(void **state)
{
	(void)state;
	takes(full);
	assert_string_equal(rec.holder.container_id, "0a1B_c.d-e");
	assert_string_equal(rec.holder.ifname, "eth0");
	assert_string_equal(rec.holder.phase, "attached");
	assert_string_equal(rec.holder.pod_namespace, "default");
	assert_string_equal(rec.holder.pod_name, "web-0");
	assert_string_equal(rec.holder.pod_uid, "5f0e9a3c-0d6e-4a35-9a3f-1c1f3a2b4c5d");
	assert_int_equal(rec.holder.min_tx_rate, 1000);
	assert_int_equal(rec.holder.max_tx_rate, 2000);
	assert_string_equal(rec.pf, "enp4s0f0");
	assert_int_equal(rec.vf, 3);
	assert_true(rec.has_pci);
	assert_int_equal(rec.pci.bus, 4);
	assert_int_equal(rec.pci.dev, 0x10);
	assert_int_equal(rec.pci.fn, 3);
}

static void test_least(void **state)
{
	char text[512];

	(void)state;
	(void)snprintf(text, sizeof(text), LEAST, "");
	takes(text);
	assert_false(rec.has_pci);
	assert_string_equal(rec.holder.pod_name, "");
	assert_string_equal(rec.holder.pod_namespace, "");
	assert_string_equal(rec.holder.pod_uid, "");
	(void)snprintf(text, sizeof(text), LEAST, ", \"pod\": {\"name\": \"a\"}");
	takes(text);
	assert_string_equal(rec.holder.pod_name, "a");
	assert_string_equal(rec.holder.pod_uid, "");
	(void)snprintf(text, sizeof(text), LEAST, ", \"pod\": {\"uid\": \"\", \"more\": []}");
	takes(text);
}

static void test_ignores_what_it_need_not_know(void **state)
{
	(void)state;
	takes(with("\"phase\"", "\"later\": {\"version\": 2}, \"phase\""));
	/* The claim on the VF stands even when the way back is damaged. */
	takes(with("{\"netdev\": \"enp4s0f0v3\", \"altnames\": [], \"mtu\": 1500}", "false"));
	takes(with("{\"path\": \"/var/run/netns/cni-1\", \"inode\": 4026532281}", "null"));
	takes(with("\"default\"", "\"def\\u0061ult\""));
	assert_string_equal(rec.holder.pod_namespace, "default");
}

static void test_no_record(void **state)
{
	struct err e = ERR_INIT;
	static const char *const bad[] = {"", " ", "{", "}", "nul", "{}{}", "{\"version\": 1,}",
		"\xff", "{\"version\": 1, \"phase\": \"p\"", "version=1"};
	static const char *const other[] = {
		"null", "[]", "1", "\"x\"", "true", "[{\"version\": 1}]"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		refuses(bad[i], EINVAL, "line 1");
	}
	for (size_t i = 0; i < ARRAY_LEN(other); i++) {
		refuses(other[i], EINVAL, "object");
	}
	for (size_t n = 0; n < sizeof(full) - 2; n++) {
		assert_int_equal(parse_n(full, n, &e), -EINVAL); /* a torn file */
	}
	assert_int_equal(parse_n(full, sizeof(full), &e), -EINVAL); /* with a NUL */
}

static void test_version(void **state)
{
	(void)state;
	refuses("{}", EINVAL, "\"version\" is missing");
	refuses("{\"version\": 2}", ENOTSUP, "version 2");
	refuses("{\"version\": 0}", ENOTSUP, "version 0");
	refuses("{\"version\": 4294967295}", ENOTSUP, "version 4294967295");
	refuses("{\"version\": 4294967296}", EINVAL, "version");
	refuses("{\"version\": 1.0}", EINVAL, "version");
	refuses("{\"version\": -1}", EINVAL, "version");
	refuses("{\"version\": \"1\"}", EINVAL, "version");
	refuses("{\"version\": null}", EINVAL, "version");
	refuses("{\"version\": 1, \"version\": 1}", EINVAL, "version");
	/* Another version may give the other keys another meaning: they are not looked at. */
	refuses("{\"vf\": \"three\", \"version\": 2, \"new\": 1}", ENOTSUP, "version 2");
	refuses("{\"version\": 1}", EINVAL, "containerId");
}

static void test_missing(void **state)
{
	static const char *const piece[][2] = {
		{"\"phase\": \"attached\", ", "\"phase\" is missing"},
		{"\"containerId\": \"0a1B_c.d-e\",", "\"containerId\" is missing"},
		{"\"ifname\": \"eth0\", ", "\"ifname\" is missing"},
		{"\"pf\": \"enp4s0f0\", ", "\"pf\" is missing"},
		{"\"vf\": 3, ", "\"vf\" is missing"},
		{"\"minTxRate\": 1000, ", "\"minTxRate\" is missing"},
		{"\"maxTxRate\": 2000,", "\"maxTxRate\" is missing"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(piece); i++) {
		refuses(with(piece[i][0], ""), EINVAL, piece[i][1]);
	}
}

static void test_bad_values(void **state)
{
	static const char *const bad[][3] = {
		{"\"attached\"", "\"\"", "phase (line 1, column 25)"},
		{"\"attached\"", "\"Attached\"", "phase"},
		{"\"attached\"", "\"a b\"", "phase"},
		{"\"attached\"", "\"abcdefghijklmnopqrstuvwxyzabcdefg\"", "at most 32 bytes"},
		{"\"attached\"", "3", "phase"},
		{"\"attached\"", "null", "phase"},
		{"\"0a1B_c.d-e\"", "\"\"", "containerId"},
		{"\"0a1B_c.d-e\"", "\".a\"", "containerId"},
		{"\"0a1B_c.d-e\"", "\"-a\"", "containerId"},
		{"\"0a1B_c.d-e\"", "\"a/b\"", "containerId"},
		{"\"0a1B_c.d-e\"", "\"a:b\"", "containerId"},
		{"\"0a1B_c.d-e\"", "\"a\\u0000\"", "containerId"},
		{"\"0a1B_c.d-e\"", "\"\\udc00\"", "containerId"},
		{"\"0a1B_c.d-e\"", "\"\xc3\xa9\"", "containerId"},
		{"\"0a1B_c.d-e\"", "12", "containerId"},
		{"\"eth0\"", "\"\"", "ifname (line 2, column 12)"},
		{"\"eth0\"", "\"..\"", "ifname"},
		{"\"eth0\"", "\"a/b\"", "ifname"},
		{"\"eth0\"", "\"a:1\"", "ifname"},
		{"\"eth0\"", "\"abcdefghijklmnop\"", "ifname"},
		{"\"eth0\"", "[\"eth0\"]", "ifname"},
		{"\"enp4s0f0\"", "\"\"", "pf (line 5"},
		{"\"enp4s0f0\"", "\"a\\n\"", "pf"},
		{"\"enp4s0f0\"", "\"abcdefghijklmnop\"", "pf"},
		{"\"enp4s0f0\"", "{}", "pf"},
		{": 3,", ": 2048,", "vf (line 5, column 26)"},
		{": 3,", ": -1,", "vf"},
		{": 3,", ": 3.0,", "vf"},
		{": 3,", ": \"3\",", "vf"},
		{": 3,", ": 4294967299,", "vf"},
		{"\"0000:04:10.3\"", "\"\"", "pci (line 5"},
		{"\"0000:04:10.3\"", "\"04:10.3\"", "pci"},
		{"\"0000:04:10.3\"", "\"0000:04:20.0\"", "pci"},
		{"\"0000:04:10.3\"", "\"0000:04:10.8\"", "pci"},
		{"\"0000:04:10.3\"", "\"0000:04:10.3 \"", "pci"},
		{"\"0000:04:10.3\"", "null", "pci"},
		{"1000,", "-1,", "minTxRate"},
		{"1000,", "4000001,", "minTxRate"},
		{"1000,", "1e3,", "minTxRate"},
		{"1000,", "\"1000\",", "minTxRate"},
		{"2000,", "4000001,", "maxTxRate"},
		{"2000,", "null,", "maxTxRate"},
		{"2000,", "true,", "maxTxRate"},
		{"\"default\"", "\"a b\"", "pod.namespace"},
		{"\"default\"", "\"a\\u001b[31m\"", "pod.namespace"},
		{"\"default\"", "null", "pod.namespace"},
		{"\"default\"",
			"\"0123456789012345678901234567890123456789012345678901234567890123\"",
			"pod.namespace"},
		{"\"web-0\"", "\"\\u00e9\"", "pod.name"},
		{"\"web-0\"", "7", "pod.name"},
		{"\"5f0e9a3c-0d6e-4a35-9a3f-1c1f3a2b4c5d\"", "\"\\u007f\"", "pod.uid"},
		{"\"5f0e9a3c-0d6e-4a35-9a3f-1c1f3a2b4c5d\"", "false", "pod.uid"},
		{"\"vf\": 3", "\"vf\": 3, \"vf\": 3", "vf"},
		{"\"name\": \"web-0\"", "\"name\": \"web-0\", \"name\": \"a\"", "name"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		refuses(with(bad[i][0], bad[i][1]), EINVAL, bad[i][2]);
	}
}

static void test_bad_pod(void **state)
{
	static const char *const bad[] = {
		"null", "[]", "\"web-0\"", "1", "[\"default\", \"web-0\"]"};
	char text[512], member[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		(void)snprintf(member, sizeof(member), ", \"pod\": %s", bad[i]);
		(void)snprintf(text, sizeof(text), LEAST, member);
		refuses(text, EINVAL, "pod (line 1");
	}
}

static void test_longest(void **state)
{
	char text[2048], id[LEDGER_ID_MAX + 2], pod[LEDGER_POD_MAX + 2];

	(void)state;
	memset(id, 'a', sizeof(id));
	memset(pod, 'b', sizeof(pod));
	for (int over = 0; over < 2; over++) {
		id[LEDGER_ID_MAX] = 'a';
		id[LEDGER_ID_MAX + over] = '\0';
		(void)snprintf(text, sizeof(text), "\"%s\"", id);
		if (over == 0) {
			takes(with("\"0a1B_c.d-e\"", text));
			assert_int_equal(strlen(rec.holder.container_id), LEDGER_ID_MAX);
		} else {
			refuses(with("\"0a1B_c.d-e\"", text), EINVAL, "at most 200 bytes");
		}
		pod[LEDGER_POD_MAX] = 'b';
		pod[LEDGER_POD_MAX + over] = '\0';
		(void)snprintf(text, sizeof(text), "\"%s\"", pod);
		if (over == 0) {
			takes(with("\"web-0\"", text));
		} else {
			refuses(with("\"web-0\"", text), EINVAL, "at most 253 bytes");
		}
	}
}

/* A record that makes the most of every bound; a text with the most tokens that one can have. */
static void test_memory(void **state)
{
	static char text[LEDGER_RECORD_CAP + 2];
	struct err e = ERR_INIT;
	int n;

	(void)state;
	n = snprintf(text, sizeof(text),
		"{\"version\":1,\"phase\":\"%032d\",\"containerId\":\"%0200d\",\"ifname\":\"%"
		"015d\","
		"\"pod\":{\"namespace\":\"%063d\",\"name\":\"%0253d\",\"uid\":\"\\u0030%063d\"},"
		"\"pf\":\"%015d\",\"vf\":0,\"minTxRate\":0,\"maxTxRate\":0,\"x\":[",
		0, 0, 0, 0, 0, 0, 0);
	memset(strstr(text, "phase") + 8, 'a', LEDGER_PHASE_MAX);
	while (n < LEDGER_RECORD_CAP - 4) {
		text[n++] = '1';
		text[n++] = ',';
	}
	memcpy(text + n, "1]}", 4);
	n += 3;
	assert_in_range(n, LEDGER_RECORD_CAP - 1, LEDGER_RECORD_CAP);
	takes(text);
	assert_int_equal(strlen(rec.holder.pod_uid), LEDGER_UID_MAX);
	memset(text, ' ', sizeof(text));
	memcpy(text, full, sizeof(full) - 1);
	assert_int_equal(parse_n(text, LEDGER_RECORD_CAP, &e), 0);
	assert_int_equal(parse_n(text, LEDGER_RECORD_CAP + 1, &e), -EINVAL);
	memset(text, '[', LEDGER_RECORD_CAP);
	assert_int_equal(parse_n(text, LEDGER_RECORD_CAP, &e), -EINVAL);
}

static void test_no_memory(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	for (size_t n = 0; n < 64; n++) {
		ledger_init(&ledger, NULL, mem, n);
		assert_int_equal(ledger_record_parse(&ledger, STR(LEAST), &rec, &e), -ENOMEM);
		assert_int_equal(ledger.strings.used, 0);
		assert_int_equal(ledger.strings.cap, n);
	}
	/* Room for the index, but not for the strings. */
	ledger_init(&ledger, NULL, mem,
		JSON_ARENA_WORST(sizeof(full) - 1) + sizeof(full) - 1 + 256 + 20);
	assert_int_equal(ledger_record_parse(&ledger, STR(full), &rec, &e), -ENOMEM);
	assert_int_equal(ledger.strings.used, 0);
}

static void test_name(void **state)
{
	static const char *const bad[][2] = {{"", "eth0"}, {"c", ""}, {".c", "eth0"},
		{"a/b", "eth0"}, {"a:b", "eth0"}, {"c", "a/b"}, {"c", ".."}, {"c", "e:0"},
		{"c", "abcdefghijklmnop"}, {"c d", "eth0"}};
	char name[LEDGER_NAME_CAP], id[LEDGER_ID_MAX + 2];

	(void)state;
	assert_true(ledger_record_name(STR("c1"), STR("eth0"), name, sizeof(name)));
	assert_string_equal(name, "c1:eth0.json");
	assert_false(ledger_record_name(STR("c1"), STR("eth0"), name, 12));
	assert_true(ledger_record_name(STR("c1"), STR("eth0"), name, 13));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_false(ledger_record_name(
			str_from(bad[i][0]), str_from(bad[i][1]), name, sizeof(name)));
	}
	memset(id, 'a', sizeof(id));
	assert_true(ledger_record_name(
		(struct str){id, LEDGER_ID_MAX}, STR("abcdefghijklmno"), name, sizeof(name)));
	assert_false(ledger_record_name(
		(struct str){id, LEDGER_ID_MAX + 1}, STR("e"), name, sizeof(name)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_least),
		cmocka_unit_test(test_ignores_what_it_need_not_know),
		cmocka_unit_test(test_no_record),
		cmocka_unit_test(test_version),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_bad_values),
		cmocka_unit_test(test_bad_pod),
		cmocka_unit_test(test_longest),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
