/* SPDX-License-Identifier: MIT */
/* Results, errors and rewritten configurations, byte for byte, for every version. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cni/addr.h"
#include "cni/result.h"
#include "cni/rewrite.h"

static char mem[CNI_CONF_MEM], out[1 << 16];
static struct cni_fail f;

static struct cni_iface ifaces[2] = {
	{.name = "eth0", .mac = {2, 0, 0, 0, 0, 1}, .mtu = 1500, .pci = "0000:01:10.0"},
	{.name = "eth1", .mac = {2, 0, 0, 0, 0, 2}, .mtu = 9000, .pci = "0000:01:10.2"},
};

static void fill(void)
{
	struct cni_ipam *ip = &ifaces[0].ip;

	memset(ip, 0, sizeof(*ip));
	ip->ip_n = 2;
	assert_true(cni_net_parse(STR("10.0.0.5/24"), &ip->ip[0].addr));
	assert_true(cni_ip_parse(STR("10.0.0.1"), &ip->ip[0].gw));
	ip->ip[0].has_gw = true;
	assert_true(cni_net_parse(STR("fd00::5/64"), &ip->ip[1].addr));
	ip->route_n = 1;
	assert_true(cni_net_parse(STR("0.0.0.0/0"), &ip->route[0].dst));
	ip->route[0].priority = 9;
	ip->dns = STR("{\"domain\":\"x\"}");
}

static void check(enum cni_version v, const char *prev, size_t n, const char *want)
{
	struct cni_result r = {.version = v, .sandbox = "/ns", .iface = ifaces, .iface_n = n};
	struct json_doc doc;
	struct arena a;
	struct buf b;
	struct err e;

	arena_init(&a, mem, sizeof(mem));
	buf_init(&b, out, sizeof(out) - 1);
	if (prev != NULL) {
		assert_int_equal(json_parse(&doc, str_from(prev), &a, 0, &e), 0);
		r.prev = json_root(&doc);
	}
	cni_result_write(&b, &r);
	assert_true(buf_ok(&b));
	out[b.n] = '\0';
	assert_string_equal(out, want);
}

static void by_version(void **state)
{
	static const char old[] =
		"{\"cniVersion\":\"%s\",\"ip4\":{\"ip\":\"10.0.0.5/24\",\"gateway\":\"10.0.0.1\","
		"\"routes\":[{\"dst\":\"0.0.0.0/0\"}]},\"ip6\":{\"ip\":\"fd00::5/"
		"64\",\"routes\":[]},"
		"\"dns\":{\"domain\":\"x\"}}";
	static const char family[] =
		"{\"cniVersion\":\"%s\",\"interfaces\":[{\"name\":\"eth0\",\"mac\":\"02:00:00:00:"
		"00:01\","
		"\"sandbox\":\"/ns\"},{\"name\":\"eth1\",\"mac\":\"02:00:00:00:00:02\",\"sandbox\":"
		"\"/ns\"}],\"ips\":[{\"version\":\"4\",\"interface\":0,\"address\":\"10.0.0.5/24\","
		"\"gateway\":\"10.0.0.1\"},{\"version\":\"6\",\"interface\":0,\"address\":"
		"\"fd00::5/64\"}],\"routes\":[{\"dst\":\"0.0.0.0/0\"}],\"dns\":{\"domain\":\"x\"}}";
	static const struct {
		enum cni_version v;
		const char *format;
	} rows[] = {{CNI_0_1_0, old}, {CNI_0_2_0, old}, {CNI_0_3_0, family}, {CNI_0_3_1, family},
		{CNI_0_4_0, family}};
	char want[1024];

	(void)state;
	fill();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *at = strstr(rows[i].format, "%s");

		(void)snprintf(want, sizeof(want), "%.*s%s%s", (int)(at - rows[i].format),
			rows[i].format, cni_version_name(rows[i].v), at + 2);
		check(rows[i].v, NULL, 2, want);
	}
	check(CNI_1_0_0, NULL, 1,
		"{\"cniVersion\":\"1.0.0\",\"interfaces\":[{\"name\":\"eth0\",\"mac\":"
		"\"02:00:00:00:00:01\",\"sandbox\":\"/ns\"}],\"ips\":[{\"interface\":0,\"address\":"
		"\"10.0.0.5/24\",\"gateway\":\"10.0.0.1\"},{\"interface\":0,\"address\":\"fd00::5/"
		"64\"}],"
		"\"routes\":[{\"dst\":\"0.0.0.0/0\"}],\"dns\":{\"domain\":\"x\"}}");
	check(CNI_1_1_0, NULL, 1,
		"{\"cniVersion\":\"1.1.0\",\"interfaces\":[{\"name\":\"eth0\",\"mac\":"
		"\"02:00:00:00:00:01\",\"sandbox\":\"/"
		"ns\",\"mtu\":1500,\"pciID\":\"0000:01:10.0\"}],"
		"\"ips\":[{\"interface\":0,\"address\":\"10.0.0.5/24\",\"gateway\":\"10.0.0.1\"},"
		"{\"interface\":0,\"address\":\"fd00::5/64\"}],\"routes\":[{\"dst\":\"0.0.0.0/0\","
		"\"priority\":9}],\"dns\":{\"domain\":\"x\"}}");
}

static void empty(void **state)
{
	(void)state;
	for (int v = CNI_0_1_0; v <= CNI_1_1_0; v++) {
		char want[64];

		(void)snprintf(want, sizeof(want), "{\"cniVersion\":\"%s\",\"dns\":{}}",
			cni_version_name((enum cni_version)v));
		check((enum cni_version)v, NULL, 0, want);
	}
}

/* What other plugins said stays, also what we do not know and odd spellings. */
static void chained(void **state)
{

	(void)state;
	fill();
	check(CNI_1_0_0, "{\"cniVersion\":\"1.0.0\",\"interfaces\":null}", 0,
		"{\"cniVersion\":\"1.0.0\",\"interfaces\":null}");
	check(CNI_1_0_0, "{ \"dns\": {},\"x\":1 }", 0, "{ \"dns\": {},\"x\":1 }");
	check(CNI_0_2_0, "{\"ip4\":{\"ip\":\"10.1.0.1/8\"},\"ip6\":null,\"dns\":{}}", 1,
		"{\"cniVersion\":\"0.2.0\",\"ip4\":{\"ip\":\"10.1.0.1/8\"},\"dns\":{},"
		"\"ip6\":{\"ip\":\"fd00::5/64\",\"routes\":[]}}");
	check(CNI_1_0_0,
		"{\"cniVersion\":\"1.0.0\",\"x\\n\":{ \"a\": 1 "
		"},\"interfaces\":[{\"name\":\"a\"},{}],"
		"\"ips\":[{\"interface\":0}],\"dns\":{\"y\":2}}",
		1,
		"{\"cniVersion\":\"1.0.0\",\"x\\n\":{ \"a\": 1 "
		"},\"interfaces\":[{\"name\":\"a\"},{},"
		"{\"name\":\"eth0\",\"mac\":\"02:00:00:00:00:01\",\"sandbox\":\"/ns\"}],\"ips\":["
		"{\"interface\":0},{\"interface\":2,\"address\":\"10.0.0.5/"
		"24\",\"gateway\":\"10.0.0.1\"}"
		",{\"interface\":2,\"address\":\"fd00::5/"
		"64\"}],\"dns\":{\"y\":2},\"routes\":[{\"dst\":"
		"\"0.0.0.0/0\"}]}");
}

static int prev_check(enum cni_version v, const char *text)
{
	struct json_doc doc;
	struct arena a;
	struct err e;

	arena_init(&a, mem, sizeof(mem));
	f = (struct cni_fail)CNI_FAIL_INIT;
	assert_int_equal(json_parse(&doc, str_from(text), &a, 0, &e), 0);
	return cni_prev_check(json_root(&doc), v, &f);
}

static void prev_mistakes(void **state)
{
	(void)state;
	assert_int_equal(prev_check(CNI_1_0_0, "{}"), 0);
	assert_int_equal(prev_check(CNI_1_1_0, "{\"cniVersion\":\"1.0.0\",\"ips\":null}"), 0);
	assert_int_equal(prev_check(CNI_0_4_0, "{\"cniVersion\":\"0.3.0\"}"), 0);
	assert_true(prev_check(CNI_1_0_0, "{\"ips\":{}}") < 0);
	assert_int_equal(f.code, CNI_ERR_CONFIG);
	assert_true(prev_check(CNI_1_0_0, "{\"interfaces\":\"\"}") < 0);
	assert_true(prev_check(CNI_1_0_0, "{\"routes\":1}") < 0);
	assert_true(prev_check(CNI_1_0_0, "{\"cniVersion\":\"0.4.0\"}") < 0);
	assert_int_equal(f.code, CNI_ERR_VERSION);
	assert_true(prev_check(CNI_1_0_0, "{\"cniVersion\":\"x\"}") < 0);
	assert_int_equal(f.code, CNI_ERR_VERSION);
}

static void errors(void **state)
{
	struct buf b;

	(void)state;
	f = (struct cni_fail)CNI_FAIL_INIT;
	buf_init(&b, out, sizeof(out) - 1);
	assert_int_equal(cni_fail_set(&f, CNI_ERR_FULL, ENOSPC, "no \"%s\"\n", "room"), -ENOSPC);
	cni_error_write(&b, CNI_0_4_0, &f);
	memcpy(f.details, "a\\b", 4);
	cni_error_write(&b, CNI_1_1_0, &f);
	out[b.n] = '\0';
	assert_string_equal(out,
		"{\"cniVersion\":\"0.4.0\",\"code\":101,\"msg\":\"no \\\"room\\\"?\"}"
		"{\"cniVersion\":\"1.1.0\",\"code\":101,\"msg\":\"no \\\"room\\\"?\",\"details\":"
		"\"a\\\\b\"}");
	f = (struct cni_fail)CNI_FAIL_INIT;
	assert_int_equal(err_set(&f.e, EIO, "x"), -EIO);
	assert_int_equal(cni_fail(&f, CNI_ERR_DEVICE), -EIO);
	assert_int_equal(cni_fail(&f, CNI_ERR_IO), -EIO);
	assert_int_equal(f.code, CNI_ERR_DEVICE); /* the first one stays */
}

static void version_reply(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, out, sizeof(out) - 1);
	cni_version_reply(&b, CNI_0_3_1);
	out[b.n] = '\0';
	assert_string_equal(out,
		"{\"cniVersion\":\"0.3.1\",\"supportedVersions\":[\"0.1.0\",\"0.2.0\","
		"\"0.3.0\",\"0.3.1\",\"0.4.0\",\"1.0.0\",\"1.1.0\"]}");
}

static void rewrite(const char *text, bool with_prev, const char *want)
{
	static struct cni_conf c;
	struct arena a;
	struct buf b;

	arena_init(&a, mem, sizeof(mem));
	buf_init(&b, out, sizeof(out) - 1);
	f = (struct cni_fail)CNI_FAIL_INIT;
	assert_int_equal(cni_conf_parse(&c, str_from(text), 0, &a, &f), 0);
	cni_rewrite_delegate(&b, &c, with_prev);
	out[b.n] = '\0';
	assert_string_equal(out, want);
}

static void delegates(void **state)
{
	static const char text[] =
		"{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"args\":{\"cni\":{}},\"prevResult\":{"
		"\"a\":1},"
		"\"runtimeConfig\":{\"mac\":\"x\",\"portMappings\":[],\"ips\":[]},\"delegate\":"
		"{\"type\":\"bridge\",\"cniVersion\":\"0.1.0\",\"capabilities\":{\"portMappings\":"
		"true,"
		"\"ips\":false},\"b\\u0072\":1}}";

	(void)state;
	rewrite(text, false,
		"{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"type\":\"bridge\",\"capabilities\":"
		"{\"portMappings\":true,\"ips\":false},\"b\\u0072\":1,\"runtimeConfig\":"
		"{\"portMappings\":[]},\"args\":{\"cni\":{}}}");
	rewrite("{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"prevResult\":{\"a\":1},\"delegate\":"
		"{\"type\":\"x\",\"name\":\"own\"}}",
		true,
		"{\"cniVersion\":\"1.0.0\",\"type\":\"x\",\"name\":\"own\",\"prevResult\":{\"a\":1}"
		"}");
}

static void collections(void **state)
{
	static const struct cni_valid keep[] = {{"a", "eth0"}, {"a", "eth1"}};
	struct json_doc doc;
	struct arena a;
	struct buf b;
	struct err e;

	(void)state;
	arena_init(&a, mem, sizeof(mem));
	buf_init(&b, out, sizeof(out) - 1);
	assert_int_equal(
		json_parse(&doc,
			STR("{\"name\":\"n\",\"cni.dev/valid-attachments\":[1],\"ipam\":{},"
			    "\"cni.dev/attachments\":[2]}"),
			&a, 0, &e),
		0);
	cni_rewrite_gc(&b, json_root(&doc), keep, 2);
	out[b.n] = '\0';
#define LIST                                                                                       \
	"[{\"containerID\":\"a\",\"ifname\":\"eth0\"},{\"containerID\":\"a\",\"ifname\":\"eth1\"}" \
	"]"
	assert_string_equal(out, "{\"name\":\"n\",\"ipam\":{},\"cni.dev/valid-attachments\":" LIST
				 ",\"cni.dev/attachments\":" LIST "}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_version),
		cmocka_unit_test(empty),
		cmocka_unit_test(chained),
		cmocka_unit_test(prev_mistakes),
		cmocka_unit_test(errors),
		cmocka_unit_test(version_reply),
		cmocka_unit_test(delegates),
		cmocka_unit_test(collections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
