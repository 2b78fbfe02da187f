/* SPDX-License-Identifier: MIT */
/* Whole records: written and read back the same, and what is wrong with others. */
#include <errno.h>

#include "unit.h"

#include "ledger/entry.h"
#include "ledger/read.h"
#include "ledger_sample.h"

static char mem[LEDGER_ENTRY_MEM];
static char text[LEDGER_RECORD_CAP + 4096];
static struct ledger_entry en, back;
static struct err e;

static int parse(const char *json)
{
	struct arena a;
	int r;

	arena_init(&a, mem, sizeof(mem));
	r = ledger_entry_parse(&back, str_from(json), &a, &e);
	assert_int_equal(a.used, 0);
	return r;
}

static int write_entry(void)
{
	struct buf b;
	int r;

	buf_init(&b, text, sizeof(text) - 1);
	r = ledger_entry_write(&en, &b, &e);
	text[b.n] = '\0';
	return r;
}

static void write_sample(void)
{
	sample_entry(&en);
	assert_int_equal(write_entry(), 0);
}

static void round_trip(void)
{
	if (write_entry() != 0) {
		fail_msg("not written: %s", e.msg);
	}
	if (parse(text) != 0) {
		fail_msg("%s: %s", text, e.msg);
	}
	assert_true(pci_same(&en.pci, &back.pci));
	back.pci = en.pci; /* it has a byte of padding */
	assert_memory_equal(&en, &back, sizeof(en));
}

static void test_everything_comes_back(void **state)
{
	(void)state;
	sample_entry(&en);
	round_trip();
}

static void test_every_phase_comes_back(void **state)
{
	static const char *const names[] = {
		"planned", "attaching", "attached", "releasing", "ipam-pending"};

	(void)state;
	for (int p = LEDGER_PLANNED; p <= LEDGER_IPAM_PENDING; p++) {
		sample_entry(&en);
		en.phase = (enum ledger_phase)p;
		assert_string_equal(ledger_phase_name(en.phase), names[p]);
		round_trip();
	}
}

/* The settings of `has` are known and zero, the others unknown. */
static void known_only(uint32_t has)
{
	sample_entry(&en);
	en.restore = (struct sriov_saved){.vlan_proto = NL_VLAN_8021Q, .has = has};
	if ((has & SRIOV_HAS_NETDEV) != 0) {
		(void)snprintf(en.restore.netdev, sizeof(en.restore.netdev), "x");
	}
	round_trip();
}

static void test_each_unknown_setting_comes_back_unknown(void **state)
{
	(void)state;
	known_only(0);
	for (uint32_t bit = 1; bit <= SRIOV_HAS_NETDEV; bit <<= 1) {
		known_only(bit);
	}
}

static void test_least(void **state)
{
	(void)state;
	memset(&en, 0, sizeof(en));
	(void)snprintf(en.container_id, sizeof(en.container_id), "c");
	(void)snprintf(en.ifname, sizeof(en.ifname), "e");
	(void)snprintf(en.pf, sizeof(en.pf), "p");
	round_trip();
	/* Keys that a writer of another day may have left out. */
	assert_int_equal(parse("{\"version\": 1, \"phase\": \"planned\", \"containerId\": \"c\","
			       "\"ifname\": \"e\", \"pf\": \"p\", \"vf\": 0, \"minTxRate\": 0,"
			       "\"maxTxRate\": 0}"),
		0);
	assert_memory_equal(&en, &back, sizeof(en));
}

static void test_largest_fits(void **state)
{
	(void)state;
	sample_entry(&en);
	memset(en.netns, 'n', sizeof(en.netns) - 1);
	memset(en.container_id, 'c', sizeof(en.container_id) - 1);
	memset(en.pod_name, 'p', sizeof(en.pod_name) - 1);
	memset(en.network, 'w', sizeof(en.network) - 1);
	memset(en.ipam, 'i', sizeof(en.ipam) - 1);
	en.addr_n = LEDGER_ADDRS_MAX;
	en.route_n = LEDGER_ROUTES_MAX;
	for (size_t i = 0; i < LEDGER_ROUTES_MAX; i++) {
		memset(en.route[i].dst, 'd', sizeof(en.route[i].dst) - 1);
		memset(en.route[i].gw, 'g', sizeof(en.route[i].gw) - 1);
		en.route[i].metric = en.route[i].table = UINT32_MAX;
	}
	en.restore.altname_n = SRIOV_ALTNAMES_MAX;
	for (size_t i = 0; i < SRIOV_ALTNAMES_MAX; i++) {
		memset(en.restore.altname[i], 'a', sizeof(en.restore.altname[i]) - 1);
		memset(en.addr[i], 'f', sizeof(en.addr[i]) - 1);
	}
	round_trip();
	/* What must be escaped can be too much. */
	memset(en.netns, '\x01', sizeof(en.netns) - 1);
	assert_int_equal(write_entry(), -EMSGSIZE);
}

static void no_entry(const char *word)
{
	if (write_entry() != -EINVAL) {
		fail_msg("written, where %s is wrong", word);
	}
	if (strstr(e.msg, word) == NULL) {
		fail_msg("'%s' expected in: %s", word, e.msg);
	}
	sample_entry(&en);
}

static void test_impossible_entries_are_not_written(void **state)
{
	(void)state;
	sample_entry(&en);
	en.container_id[0] = '\0';
	no_entry("container id");
	en.container_id[1] = '/';
	no_entry("container id");
	en.ifname[1] = ' ';
	no_entry("interface");
	en.pf[0] = '\0';
	no_entry("no PF");
	en.vf = SRIOV_PF_VF_MAX;
	no_entry("no PF");
	en.min_tx_rate = SRIOV_RATE_MAX + 1;
	no_entry("rates");
	en.max_tx_rate = UINT32_MAX;
	no_entry("rates");
	en.addr_n = LEDGER_ADDRS_MAX + 1;
	no_entry("addresses");
	en.route_n = LEDGER_ROUTES_MAX + 1;
	no_entry("routes");
	en.pod_name[1] = ' ';
	no_entry("the pod's name");
	en.pod_uid[1] = '\n';
	no_entry("the pod's uid");
	en.restore.netdev[0] = '\0';
	no_entry("no name of an interface");
	en.applied.vlan = 4095;
	no_entry("out of range");
	en.restore.altname_n = SRIOV_ALTNAMES_MAX + 1;
	no_entry("out of range");
	en.restore.mtu = UINT32_MAX;
	no_entry("out of range");
}

/* The sample's text with one piece replaced. */
static const char *with(const char *piece, const char *other)
{
	static char changed[sizeof(text)];
	const char *at;
	int n;

	write_sample();
	at = strstr(text, piece);
	assert_non_null(at);
	n = snprintf(changed, sizeof(changed), "%.*s%s%s", (int)(at - text), text, other,
		at + strlen(piece));
	assert_true(n > 0 && (size_t)n < sizeof(changed));
	return changed;
}

static void refuses(const char *piece, const char *other, int code, const char *word)
{
	int r = parse(with(piece, other));

	if (r != -code || e.code != code || strstr(e.msg, word) == NULL) {
		fail_msg("%s: %d, %s", other, r, r < 0 ? e.msg : "taken");
	}
}

static void test_damaged(void **state)
{
	static const char *const cases[][3] = {
		{"\"phase\":\"attached\"", "\"phase\":\"flying\"", "flying"},
		{"\"containerId\":\"0a1b2c\"", "\"containerId\":\"a:b\"", "containerId"},
		{"\"request\":\"eth0\"", "\"request\":\"a-name-of-16-byt\"", "request"},
		{"\"request\":\"eth0\"", "\"request\":7", "request"},
		{"\"network\":\"rdma\"", "\"network\":null", "network"},
		{"\"ipam\":\"host-local\"", "\"ipam\":[]", "ipam"},
		{"\"ipam\":\"host-local\"", "\"ipam\":\"a\\u0000\"", "ipam"},
		{"\"inode\":18446744073709551615", "\"inode\":18446744073709551616", "inode"},
		{"\"inode\":18446744073709551615", "\"inode\":-1", "inode"},
		{"\"path\":\"/var", "\"path\":[\"/var", "line"},
		{"\"bootId\":\"8", "\"bootId\":\"88", "bootId"},
		{"\"addresses\":[\"10.56.0.7/24\"", "\"addresses\":[10", "addresses[0]"},
		{"\"addresses\":[\"10.56.0.7/24\",\"fd00::7/64\"]", "\"addresses\":{}",
			"addresses"},
		{"\"addresses\":[", "\"addresses\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,",
			"at most 16"},
		{"\"interfaces\":2", "\"interfaces\":-2", "interfaces"},
		{"\"cniVersion\":\"1.0.0\"", "\"cniVersion\":1", "cniVersion"},
		{"\"routes\":[", "\"routes\":[7,", "routes[0]"},
		{"\"routes\":[{\"dst\"", "\"routes\":[{\"dest\"", "dst"},
		{"\"metric\":4097", "\"metric\":\"4097\"", "metric"},
		{"\"table\":4294967295", "\"table\":4294967296", "table"},
		{"\"gw\":\"10.56.0.1\"", "\"gw\":null", "gw"},
		{"\"vf\":3", "\"vf\":3,\"vf\":3", "vf"},
		{"}}", "}", "line"},
	};

	(void)state;
	refuses("{\"version\":1", "{\"version\":2", ENOTSUP, "version 2");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		refuses(cases[i][0], cases[i][1], EINVAL, cases[i][2]);
	}
}

static void test_cut_at_every_length(void **state)
{
	static char whole[sizeof(text)];
	size_t n;

	(void)state;
	write_sample();
	n = strlen(text);
	memcpy(whole, text, n + 1);
	for (size_t i = 0; i < n; i++) {
		whole[i] = '\0';
		assert_int_equal(parse(whole), -EINVAL);
		whole[i] = text[i];
	}
}

/* What is wrong with the settings costs them, not the record. */
static void test_damaged_settings_leave_the_record(void **state)
{
	static const char *const cases[][2] = {
		{"\"restore\":{", "\"restore\":[],\"x\":{"},
		{"\"restore\":{", "\"restore\":null,\"x\":{"},
		{"\"netdev\":\"enp4s0f0v3\"", "\"netdev\":\"a/b\""},
		{"\"netdev\":\"enp4s0f0v3\"", "\"netdev\":\"a-name-of-16-byt\""},
		{"\"altnames\":[", "\"altnames\":[\"\","},
		{"\"altnames\":[", "\"altnames\":[7,"},
		{"\"altnames\":[\"ens1f0v3\"", "\"altnames\":{\"ens1f0v3\":1},\"y\":[1"},
		{"\"adminMac\":\"02:", "\"adminMac\":\"2:"},
		{"\"mac\":\"02:", "\"mac\":\"02:02:"},
		{"\"vlan\":100", "\"vlan\":4095"},
		{"\"qos\":3", "\"qos\":8"},
		{"\"vlanProto\":\"802.1ad\"", "\"vlanProto\":\"802.1x\""},
		{"\"minTxRate\":10,", "\"minTxRate\":4294967296,"},
		{"\"spoofCheck\":true", "\"spoofCheck\":\"on\""},
		{"\"linkState\":\"disable\"", "\"linkState\":\"off\""},
		{"\"nodeGuid\":\"02:", "\"nodeGuid\":\"0g:"},
		{"\"portGuid\":\"ff:ee", "\"portGuid\":\"ff-ee"},
		{"\"portGuid\":\"ff:ee", "\"portGuid\":\"ff"},
		{"\"mtu\":9000", "\"mtu\":2147483648"},
		{"\"up\":true", "\"up\":1"},
		{"\"rdma\":\"rocep4s0f0v3\"", "\"rdma\":7"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		if (parse(with(cases[i][0], cases[i][1])) != 0) {
			fail_msg("%s: %s", cases[i][1], e.msg);
		}
		if (back.has_restore || !back.has_applied) {
			fail_msg("%s was believed", cases[i][1]);
		}
		assert_int_equal(back.restore.has, 0);
		assert_string_equal(back.netns, "/var/run/netns/cni-1");
	}
}

static void test_no_room(void **state)
{
	struct arena a;

	(void)state;
	write_sample();
	arena_init(&a, mem, sizeof(mem) - 1);
	assert_int_equal(ledger_entry_parse(&back, str_from(text), &a, &e), -ENOMEM);
}

static void test_boot_id(void **state)
{
	char id[LEDGER_BOOT_ID_LEN + 1], again[LEDGER_BOOT_ID_LEN + 1];

	(void)state;
	assert_int_equal(ledger_boot_id(id, &e), 0);
	assert_int_equal(ledger_boot_id(again, &e), 0);
	assert_int_equal(strlen(id), LEDGER_BOOT_ID_LEN);
	assert_string_equal(id, again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything_comes_back),
		cmocka_unit_test(test_every_phase_comes_back),
		cmocka_unit_test(test_each_unknown_setting_comes_back_unknown),
		cmocka_unit_test(test_least),
		cmocka_unit_test(test_largest_fits),
		cmocka_unit_test(test_impossible_entries_are_not_written),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_cut_at_every_length),
		cmocka_unit_test(test_damaged_settings_leave_the_record),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_boot_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
