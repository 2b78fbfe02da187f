/* SPDX-License-Identifier: MIT */
/* Network configurations: what is ours is strict, what is not is left alone. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cni/conf.h"
#include "nl/vf.h"

static char mem[CNI_CONF_MEM];
static struct cni_conf c;
static struct cni_fail f;

static int parse(const char *text, unsigned flags)
{
	struct arena a;

	arena_init(&a, mem, sizeof(mem));
	f = (struct cni_fail)CNI_FAIL_INIT;
	return cni_conf_parse(&c, str_from(text), flags, &a, &f);
}

#define HEAD "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"type\":\"rdma-cni\""

static void defaults(void **state)
{
	(void)state;
	assert_int_equal(parse("{\"name\":\"n\"}", 0), 0);
	assert_int_equal(c.version, CNI_0_1_0);
	assert_string_equal(c.prefix, "rdma");
	assert_string_equal(c.ipam_type, "");
	assert_string_equal(c.delegate_type, "");
	assert_false(c.account_min);
	assert_int_equal(c.vlan, 0);
	assert_int_equal(c.vlan_proto, NL_VLAN_8021Q);
	assert_int_equal(c.mtu, 0);
	assert_int_equal(c.ipam_timeout_ms, CNI_TIMEOUT_MS);
	assert_int_equal(json_type(c.prev), JSON_NONE);
	assert_int_equal(json_type(c.annotations), JSON_NONE);
	assert_int_equal(json_type(c.interfaces), JSON_NONE);
}

static void everything(void **state)
{
	(void)state;
	assert_int_equal(
		parse(HEAD ",\"ipam\":{\"type\":\"host-local\"},\"dns\":{},\"args\":{\"cni\":{}},"
			   "\"capabilities\":{\"x\":true},\"runtimeConfig\":{"
			   "\"io.kubernetes.cri.pod-annotations\":{\"a\":\"1\"}},\"prevResult\":{},"
			   "\"interfaces\":[{}],\"delegate\":{\"type\":\"ptp\"},\"ifNamePrefix\":"
			   "\"ib\","
			   "\"min_tx_rate\":\"account\",\"vlan\":5,\"vlanQoS\":3,\"vlanProto\":"
			   "\"802.1AD\","
			   "\"mtu\":9000,\"nodeConfig\":\"/x\",\"ipamTimeoutMs\":100,\"other\":1}",
			0),
		0);
	assert_string_equal(c.ipam_type, "host-local");
	assert_string_equal(c.delegate_type, "ptp");
	assert_string_equal(c.prefix, "ib");
	assert_true(c.account_min);
	assert_int_equal(c.vlan, 5);
	assert_int_equal(c.qos, 3);
	assert_int_equal(c.vlan_proto, NL_VLAN_8021AD);
	assert_int_equal(c.mtu, 9000);
	assert_string_equal(c.node_conf, "/x");
	assert_int_equal(c.ipam_timeout_ms, 100);
	assert_true(json_text_eq(cni_conf_annotation(&c, "a"), STR("1")));
	assert_int_equal(json_type(cni_conf_annotation(&c, "b")), JSON_NONE);
	assert_int_equal(json_type(c.prev), JSON_OBJECT);
}

/* What a Go runtime writes for what it does not have. */
static void nulls(void **state)
{
	(void)state;
	assert_int_equal(parse(HEAD ",\"ipam\":null,\"prevResult\":null,\"runtimeConfig\":{"
				    "\"io.kubernetes.cri.pod-annotations\":null}}",
				 0),
		0);
	assert_int_equal(json_type(c.prev), JSON_NONE);
	assert_int_equal(json_type(c.annotations), JSON_NULL);
	assert_int_equal(parse(HEAD ",\"ipam\":{}}", 0), 0);
	assert_string_equal(c.ipam_type, "");
	assert_int_equal(parse(HEAD ",\"ipam\":{\"type\":\"\"}}", 0), 0);
	assert_string_equal(c.ipam_type, "");
}

static const struct {
	const char *text;
	uint32_t code;
	const char *says;
} bad[] = {
	{"", CNI_ERR_DECODE, "network configuration"},
	{"{", CNI_ERR_DECODE, "line 1"},
	{"[]", CNI_ERR_DECODE, "object"},
	{"{\"name\":\"a\",\"name\":\"a\"}", CNI_ERR_DECODE, "name"},
	{"{\"cniVersion\":2,\"name\":\"a\"}", CNI_ERR_DECODE, "cniVersion"},
	{"{\"cniVersion\":\"0.5.0\",\"name\":\"a\"}", CNI_ERR_VERSION, "0.5.0"},
	{"{\"cniVersion\":\"1.0.0 \",\"name\":\"a\"}", CNI_ERR_VERSION, "1.1.0"},
	{"{}", CNI_ERR_CONFIG, "name"},
	{"{\"name\":\"\"}", CNI_ERR_CONFIG, "name"},
	{"{\"name\":\"a/b\"}", CNI_ERR_CONFIG, "name"},
	{"{\"name\":\".a\"}", CNI_ERR_CONFIG, "name"},
	{"{\"name\":1}", CNI_ERR_CONFIG, "name"},
	{HEAD ",\"ipam\":1}", CNI_ERR_CONFIG, "ipam"},
	{HEAD ",\"ipam\":{\"type\":\"a/b\"}}", CNI_ERR_CONFIG, "ipam.type"},
	{HEAD ",\"ipam\":{\"type\":\"..\"}}", CNI_ERR_CONFIG, "ipam.type"},
	{HEAD ",\"ipam\":{\"type\":1}}", CNI_ERR_CONFIG, "ipam.type"},
	{HEAD ",\"prevResult\":[]}", CNI_ERR_CONFIG, "prevResult"},
	{HEAD ",\"runtimeConfig\":[]}", CNI_ERR_CONFIG, "runtimeConfig"},
	{HEAD ",\"runtimeConfig\":{\"io.kubernetes.cri.pod-annotations\":[]}}", CNI_ERR_CONFIG,
		"pod-annotations"},
	{HEAD ",\"interfaces\":{}}", CNI_ERR_CONFIG, "interfaces"},
	{HEAD ",\"interfaces\":null}", CNI_ERR_CONFIG, "interfaces"},
	{HEAD ",\"delegate\":{}}", CNI_ERR_CONFIG, "type"},
	{HEAD ",\"delegate\":{\"type\":\"\"}}", CNI_ERR_CONFIG, "delegate.type"},
	{HEAD ",\"delegate\":{\"type\":\"x/ptp\"}}", CNI_ERR_CONFIG, "delegate.type"},
	{HEAD ",\"delegate\":[]}", CNI_ERR_CONFIG, "delegate"},
	{HEAD ",\"delegate\":{\"plugins\":[]}}", CNI_ERR_CONFIG, "chain"},
	{HEAD ",\"ifNamePrefix\":\"\"}", CNI_ERR_CONFIG, "ifNamePrefix"},
	{HEAD ",\"ifNamePrefix\":\"a%d\"}", CNI_ERR_CONFIG, "ifNamePrefix"},
	{HEAD ",\"ifNamePrefix\":\"0123456789abc\"}", CNI_ERR_CONFIG, "ifNamePrefix"},
	{HEAD ",\"min_tx_rate\":100}", CNI_ERR_CONFIG, "min_tx_rate"},
	{HEAD ",\"min_tx_rate\":\"Account\"}", CNI_ERR_CONFIG, "account"},
	{HEAD ",\"vlan\":4095}", CNI_ERR_CONFIG, "4094"},
	{HEAD ",\"vlan\":-1}", CNI_ERR_CONFIG, "vlan"},
	{HEAD ",\"vlan\":1,\"vlanQoS\":8}", CNI_ERR_CONFIG, "vlanQoS"},
	{HEAD ",\"vlanQoS\":1}", CNI_ERR_CONFIG, "without vlan"},
	{HEAD ",\"vlanProto\":\"802.1ad\"}", CNI_ERR_CONFIG, "without vlan"},
	{HEAD ",\"mtu\":67}", CNI_ERR_CONFIG, "mtu"},
	{HEAD ",\"nodeConfig\":\"x\"}", CNI_ERR_CONFIG, "absolute"},
	{HEAD ",\"ipamTimeoutMs\":0}", CNI_ERR_CONFIG, "ipamTimeoutMs"},
	{HEAD ",\"min-tx-rate\":\"account\"}", CNI_ERR_CONFIG, "'min_tx_rate'"},
	{HEAD ",\"MTU\":1500}", CNI_ERR_CONFIG, "'mtu'"},
	{HEAD ",\"if_name_prefix\":\"x\"}", CNI_ERR_CONFIG, "'ifNamePrefix'"},
	{"{\"cniVersion\":\"0.2.0\",\"name\":\"n\",\"ifNamePrefix\":\"x\"}", CNI_ERR_CONFIG,
		"0.3.0"},
};

static void mistakes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_true(parse(bad[i].text, 0) < 0);
		if (f.code != bad[i].code || strstr(f.e.msg, bad[i].says) == NULL) {
			fail_msg("%s: code %u, %s", bad[i].text, (unsigned)f.code, f.e.msg);
		}
	}
}

/* A mistake in our own keys must not keep DEL from its work; others still do. */
static void lenient(void **state)
{
	(void)state;
	assert_int_equal(parse(HEAD ",\"vlan\":\"x\",\"mtu\":0,\"Vlan\":1,\"delegate\":{},"
				    "\"interfaces\":7,\"vlanQoS\":4}",
				 CNI_CONF_LENIENT),
		0);
	assert_int_equal(f.e.code, 0);
	assert_int_equal(c.vlan, 0);
	assert_int_equal(json_type(c.interfaces), JSON_NONE);
}

/* What was not taken is nowhere: no plugin is called by a name that could not be one. */
static void lenient_delegate(void **state)
{
	const char *const types[] = {"\"ptp/\"", "\"../x\"", "\"..\"", "\"\"", "7", "null"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		char text[300];

		(void)snprintf(text, sizeof(text),
			HEAD ",\"ipam\":{\"type\":\"ipam\"},\"delegate\":{\"type\":%s}}", types[i]);
		assert_int_equal(parse(text, CNI_CONF_LENIENT), 0);
		assert_string_equal(c.delegate_type, "");
		assert_int_equal(json_type(c.delegate), JSON_NONE);
		assert_string_equal(c.ipam_type, "ipam");
	}
}

/* Records may be where nodeConfig was to lead: its mistake is not forgotten. */
static void lenient_node_conf(void **state)
{
	const char *const wrong[] = {
		"\"nodeConfig\":7", "\"nodeConfig\":\"x\"", "\"NodeConfig\":\"/x\""};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		char text[300];

		(void)snprintf(text, sizeof(text), HEAD ",%s,\"vlan\":7}", wrong[i]);
		assert_int_equal(parse(text, CNI_CONF_LENIENT), 0);
		assert_int_equal(f.e.code, 0);
		assert_int_not_equal(c.node_conf_bad.code, 0);
		assert_non_null(strstr(c.node_conf_bad.msg, "odeConfig"));
		assert_string_equal(c.node_conf, "");
		assert_int_equal(c.vlan, 7);
	}
	assert_int_equal(parse(HEAD ",\"nodeConfig\":\"/x\"}", CNI_CONF_LENIENT), 0);
	assert_int_equal(c.node_conf_bad.code, 0);
}

/* Nor one in a key that others have, too; what is right beside it counts. */
static void lenient_of_all(void **state)
{
	const char *const wrong[] = {"\"cniVersion\":\"1.0.0\"",
		"\"name\":\"a/b\",\"ipam\":[],\"prevResult\":1,\"runtimeConfig\":2",
		"\"name\":7,\"ipam\":{\"type\":\"../x\"},\"args\":[],\"dns\":\"\"",
		"\"name\":\"\",\"ipam\":{\"type\":1},\"runtimeConfig\":{"
		"\"io.kubernetes.cri.pod-annotations\":3}"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		char text[300];

		(void)snprintf(text, sizeof(text), "{%s,\"vlan\":7}", wrong[i]);
		assert_true(parse(text, 0) < 0);
		assert_int_equal(f.code, CNI_ERR_CONFIG);
		assert_int_equal(parse(text, CNI_CONF_LENIENT), 0);
		assert_int_equal(f.e.code, 0);
		assert_string_equal(c.name, "");
		assert_string_equal(c.ipam_type, "");
		assert_int_equal(json_type(c.ipam), JSON_NONE);
		assert_int_equal(json_type(c.prev), JSON_NONE);
		assert_int_equal(json_type(c.annotations), JSON_NONE);
		assert_int_equal(c.vlan, 7);
	}
	assert_true(parse("[]", CNI_CONF_LENIENT) < 0);
	assert_true(parse("{\"cniVersion\":\"9\",\"name\":\"a\"}", CNI_CONF_LENIENT) < 0);
	assert_int_equal(f.code, CNI_ERR_VERSION);
}

static struct cni_valid valid[CNI_VALID_MAX];

static int get_valid(const char *text, size_t *n)
{
	assert_int_equal(parse(text, 0), 0);
	return cni_conf_valid(&c, valid, n, &f);
}

static void valid_attachments(void **state)
{
	size_t n;

	(void)state;
	assert_int_equal(get_valid(HEAD ",\"cni.dev/valid-attachments\":[{\"containerID\":\"a\","
					"\"ifname\":\"eth0\"}],\"cni.dev/attachments\":["
					"{\"containerID\":\"a\",\"ifname\":\"eth0\"},"
					"{\"containerID\":\"b\",\"ifname\":\"eth1\"}]}",
				 &n),
		0);
	assert_int_equal(n, 2);
	assert_string_equal(valid[1].container_id, "b");
	assert_string_equal(valid[1].ifname, "eth1");
	assert_int_equal(get_valid(HEAD ",\"cni.dev/attachments\":null}", &n), 0);
	assert_int_equal(n, 0);
	assert_true(get_valid(HEAD "}", &n) < 0);
	assert_int_equal(f.code, CNI_ERR_CONFIG);
	assert_true(get_valid(HEAD ",\"cni.dev/attachments\":{}}", &n) < 0);
	assert_true(get_valid(HEAD ",\"cni.dev/attachments\":[1]}", &n) < 0);
	assert_true(get_valid(HEAD ",\"cni.dev/attachments\":[{\"containerID\":\"a\"}]}", &n) < 0);
}

static void version_of_anything(void **state)
{
	static const struct {
		const char *text;
		enum cni_version v;
	} rows[] = {{"", CNI_1_1_0}, {"{}", CNI_1_1_0}, {"{\"cniVersion\":\"0.3.1\"}", CNI_0_3_1},
		{"{\"cniVersion\":\"7\"}", CNI_1_1_0}, {"{\"cniVersion\":7}", CNI_1_1_0},
		{"[", CNI_1_1_0}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena a;

		arena_init(&a, mem, sizeof(mem));
		assert_int_equal(cni_conf_version(str_from(rows[i].text), &a), rows[i].v);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(everything),
		cmocka_unit_test(nulls),
		cmocka_unit_test(mistakes),
		cmocka_unit_test(lenient),
		cmocka_unit_test(lenient_delegate),
		cmocka_unit_test(lenient_node_conf),
		cmocka_unit_test(lenient_of_all),
		cmocka_unit_test(valid_attachments),
		cmocka_unit_test(version_of_anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
