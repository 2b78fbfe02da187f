/* SPDX-License-Identifier: MIT */
/* The documents that others read: /getpfs to the letter, /v1/node by value, and their bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "json/read.h"
#include "sriov/render.h"

static struct sriov_node node;
static char out[1 << 20];
static char mem[1 << 20];

static struct sriov_vf *add_pf(const char *name, size_t vf_n)
{
	struct sriov_pf *pf = &node.pf[node.pf_n++];

	assert_true(str_copy(str_from(name), pf->name, sizeof(pf->name)));
	pf->vf_first = node.vf_n;
	pf->vf_n = vf_n;
	pf->num_vfs = (uint32_t)vf_n;
	for (size_t i = 0; i < vf_n; i++) {
		node.vf[node.vf_n + i].index = (uint32_t)i;
		node.vf[node.vf_n + i].kernel.has = NL_VF_PRESENT;
		node.vf[node.vf_n + i].has_pci = true;
	}
	node.vf_n += vf_n;
	return &node.vf[pf->vf_first];
}

static int reset(void **state)
{
	(void)state;
	memset(&node, 0, sizeof(node));
	return 0;
}

static struct str getpfs(void)
{
	struct buf b;

	buf_init(&b, out, sizeof(out));
	assert_true(sriov_getpfs(&b, &node));
	return buf_str(&b);
}

static void assert_getpfs(const char *want)
{
	struct str got = getpfs();

	assert_int_equal(got.n, strlen(want));
	assert_memory_equal(got.p, want, got.n);
}

static void no_pf_is_an_empty_list(void **state)
{
	(void)state;
	assert_getpfs("[]");
}

static void a_pf_without_vfs_is_not_listed(void **state)
{
	(void)state;
	(void)add_pf("enp4s0f0", 0);
	assert_getpfs("[]");
}

static void a_free_vf_reads_as_in_the_contract(void **state)
{
	struct sriov_vf *vf = add_pf("enp4s0f0", 1);

	(void)state;
	node.pf[0].speed = 100000;
	memcpy(vf->kernel.mac, "\x7a\x90\xdb\x7b\x30\xac", 6);
	vf->kernel.trust = NL_VF_ON;
	assert_getpfs("[{\"name\":\"enp4s0f0\",\"used_tx_rate\":0,\"capacity_tx_rate\":100000,"
		      "\"used_vfs\":0,\"capacity_vfs\":1,\"vfs\":[{\"vf\":0,"
		      "\"mac\":\"7a:90:db:7b:30:ac\",\"vlan\":0,\"qos\":0,\"vlan_proto\":\"N/A\","
		      "\"spoof_check\":\"OFF\",\"trust\":\"ON\",\"link_state\":\"Follow\","
		      "\"min_tx_rate\":0,\"max_tx_rate\":0,\"vgt_plus\":\"OFF\",\"rate_group\":0,"
		      "\"allocated\":false}]}]");
}

static void every_setting_has_its_spelling(void **state)
{
	struct sriov_vf *vf = add_pf("p", 1);

	(void)state;
	vf->state = SRIOV_VF_AWAY;
	vf->kernel.vlan = 100;
	vf->kernel.qos = 3;
	vf->kernel.proto = 0x88a8;
	vf->kernel.spoofchk = NL_VF_ON;
	vf->kernel.trust = NL_VF_UNSUPPORTED;
	vf->kernel.link_state = NL_VF_LINK_DISABLE;
	vf->kernel.min_tx_rate = 15000;
	vf->kernel.max_tx_rate = 20000;
	assert_getpfs("[{\"name\":\"p\",\"used_tx_rate\":15000,\"capacity_tx_rate\":0,"
		      "\"used_vfs\":1,\"capacity_vfs\":1,\"vfs\":[{\"vf\":0,"
		      "\"mac\":\"00:00:00:00:00:00\",\"vlan\":100,\"qos\":3,"
		      "\"vlan_proto\":\"802.1ad\",\"spoof_check\":\"ON\",\"trust\":\"OFF\","
		      "\"link_state\":\"Down\",\"min_tx_rate\":15000,\"max_tx_rate\":20000,"
		      "\"vgt_plus\":\"OFF\",\"rate_group\":0,\"allocated\":true}]}]");
}

/* Schedulers promise what is not allocated, and capacity less use. */
static void what_no_pod_can_be_given_is_not_offered(void **state)
{
	struct sriov_vf *vf = add_pf("p", 3);
	const char *at = out;

	(void)state;
	vf[0].has_pci = false;
	vf[0].state = SRIOV_VF_VIRTUAL;
	vf[1].undescribed = true;
	assert_true(getpfs().n > 0);
	assert_non_null(strstr(at, "\"used_vfs\":2,\"capacity_vfs\":3"));
	for (int i = 0; i < 3; i++) {
		at = strstr(at, "\"allocated\":") + strlen("\"allocated\":");
		assert_int_equal(strncmp(at, i < 2 ? "true" : "false", 4 + (i == 2)), 0);
	}
}

static void a_vlan_without_a_protocol_of_its_own_is_802_1q(void **state)
{
	struct sriov_vf *vf = add_pf("p", 1);

	(void)state;
	vf->kernel.vlan = 7;
	vf->kernel.proto = 0x8100;
	vf->kernel.link_state = NL_VF_LINK_ENABLE;
	assert_non_null(strstr(getpfs().p, "\"vlan_proto\":\"802.1Q\""));
	assert_non_null(strstr(out, "\"link_state\":\"Up\""));
}

static void a_pf_that_could_not_be_read_is_no_empty_pf(void **state)
{
	(void)state;
	(void)add_pf("enp4s0f0", 0);
	memcpy(node.pf[0].problem, "why", 4);
	node.pf[0].num_vfs = 8;
	assert_getpfs("[]");
}

static void too_small_a_buffer_is_told(void **state)
{
	struct buf b;

	(void)state;
	(void)add_pf("enp4s0f0", 2);
	buf_init(&b, out, 100);
	assert_false(sriov_getpfs(&b, &node));
}

/* Everything at its widest, so that the advertised room is enough for any node. */
static const char wide64[] = "\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01"
			     "\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01"
			     "\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01"
			     "\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01";

static void widen(struct sriov_vf *vf, const struct sriov_holder *h)
{
	vf->index = SRIOV_PF_VF_MAX - 1;
	vf->has_pci = true;
	vf->pci = (struct pci_addr){UINT32_MAX, 255, 31, 7};
	vf->state = SRIOV_VF_OTHER;
	vf->holder = h;
	vf->kernel.has = UINT32_MAX;
	vf->kernel.vlan = vf->kernel.qos = UINT32_MAX;
	vf->kernel.min_tx_rate = vf->kernel.max_tx_rate = UINT32_MAX;
	vf->kernel.node_guid = vf->kernel.port_guid = UINT64_MAX;
	memcpy(vf->netdev, wide64, sizeof(vf->netdev) - 1);
	memcpy(vf->driver, wide64, sizeof(vf->driver) - 1);
	memcpy(vf->rdma, wide64, sizeof(vf->rdma) - 1);
}

static void widen_pf(struct sriov_pf *pf)
{
	memcpy(pf->name, wide64, sizeof(pf->name) - 1);
	memcpy(pf->bus_id, wide64, sizeof(pf->bus_id) - 1);
	memcpy(pf->driver, wide64, sizeof(pf->driver) - 1);
	memcpy(pf->rdma, wide64, sizeof(pf->rdma) - 1);
	memset(pf->problem, 1, sizeof(pf->problem) - 1);
	pf->has_pci = true;
	pf->pci = (struct pci_addr){UINT32_MAX, 255, 31, 7};
	pf->numa_node = INT32_MAX;
	pf->speed = pf->last_speed = pf->fixed_speed = pf->total_vfs = pf->num_vfs = UINT32_MAX;
}

static void the_widest_getpfs_fits_its_bounds(void **state)
{
	struct sriov_vf *vf = add_pf("p", 2);
	size_t with_two;

	(void)state;
	widen_pf(&node.pf[0]);
	widen(&vf[0], NULL);
	widen(&vf[1], NULL);
	with_two = getpfs().n;
	node.pf[0].vf_n = 1;
	assert_in_range(with_two - getpfs().n, 1, SRIOV_GETPFS_VF_BYTES);
	assert_in_range(2 * getpfs().n - with_two, 1, SRIOV_GETPFS_PF_BYTES);
}

static size_t render_node(void)
{
	struct sriov_node_info info = {.hostname = "node1",
		.version = "0.1.0",
		.ledger_records = 3,
		.ledger_damaged = 1,
		.ledger_clashes = 4,
		.ledger_unmatched = 2,
		.ledger_problem = "x.json: not JSON",
		.ledger_clash = ""};
	struct buf b;

	buf_init(&b, out, sizeof(out));
	assert_true(sriov_node_render(&b, &node, &info));
	return b.n;
}

static void the_widest_node_fits_its_bounds(void **state)
{
	static char wide[254];
	struct sriov_holder h = {.min_tx_rate = UINT32_MAX, .max_tx_rate = UINT32_MAX};
	struct sriov_vf *vf = add_pf("p", 2);
	size_t with_two, with_one;

	(void)state;
	/* Names in Kubernetes are ASCII; this is what the ledger lets through at most. */
	memset(wide, 'x', sizeof(wide) - 1);
	h.pod_namespace = h.pod_uid = wide64;
	h.pod_name = wide;
	h.container_id = wide;
	h.ifname = wide64 + 48;
	h.phase = wide64 + 32;
	widen_pf(&node.pf[0]);
	widen(&vf[0], &h);
	widen(&vf[1], &h);
	with_two = render_node();
	node.pf[0].vf_n = 1;
	with_one = render_node();
	assert_in_range(with_two - with_one, 1, SRIOV_NODE_VF_BYTES);
	assert_in_range(2 * with_one - with_two, 1, SRIOV_NODE_PF_BYTES + 512);
}

static struct json_val parse_node(struct json_doc *d)
{
	size_t n = render_node();
	struct arena a;
	struct err e;

	arena_init(&a, mem, sizeof(mem));
	assert_int_equal(json_parse(d, (struct str){out, n}, &a, 0, &e), 0);
	return json_root(d);
}

static void assert_text(struct json_val v, const char *want)
{
	assert_true(json_text_eq(v, str_from(want)));
}

static struct json_val first(struct json_val list)
{
	struct json_iter it = json_iter(list);
	struct json_val v;

	assert_true(json_next(&it, NULL, &v));
	return v;
}

static void node_says_who_holds_a_vf(void **state)
{
	struct sriov_holder h = {"ns", "pod", "uid", "cid", "eth0", "attached", 100, 200};
	struct sriov_vf *vf = add_pf("enp4s0f0", 1);
	struct json_val root, v;
	struct json_doc d;

	(void)state;
	vf->holder = &h;
	vf->state = SRIOV_VF_AWAY;
	vf->kernel.min_tx_rate = 100;
	vf->kernel.max_tx_rate = 200;
	root = parse_node(&d);
	v = first(json_get(first(json_get(root, "pfs")), "vfs"));
	assert_text(json_get(v, "state"), "away");
	assert_text(json_get(json_get(v, "holder"), "pod_name"), "pod");
	assert_text(json_get(json_get(v, "holder"), "ifname"), "eth0");
	assert_int_equal(json_type(json_get(v, "drift")), JSON_NULL);
	assert_int_equal(json_type(json_get(v, "netdev")), JSON_NULL);
	assert_true(str_eq_c(json_raw(json_get(v, "in_use")), "true"));
	assert_true(str_eq_c(json_raw(json_get(json_get(root, "ledger"), "damaged")), "1"));
}

static void node_tells_what_is_free_from_what_is_not_used(void **state)
{
	struct sriov_vf *vf = add_pf("enp4s0f0", 3);
	struct json_doc d;
	struct json_val pf;

	(void)state;
	vf[0].state = SRIOV_VF_AWAY;
	vf[1].undescribed = true;
	pf = first(json_get(parse_node(&d), "pfs"));
	assert_true(str_eq_c(json_raw(json_get(pf, "num_vfs")), "3"));
	assert_true(str_eq_c(json_raw(json_get(pf, "used_vfs")), "1"));
	assert_true(str_eq_c(json_raw(json_get(pf, "free_vfs")), "1"));
}

static void drift_names_each_difference(void **state)
{
	struct sriov_holder h = {.min_tx_rate = 10, .max_tx_rate = 20};
	struct sriov_pf pf = {.caps = {.min_rate = SRIOV_UNKNOWN}};
	struct sriov_vf vf = {.state = SRIOV_VF_FREE};

	(void)state;
	assert_null(sriov_vf_drift(&pf, &vf));
	vf.kernel.min_tx_rate = 10;
	assert_string_equal(sriov_vf_drift(&pf, &vf), "rate-left");
	vf.state = SRIOV_VF_VFIO;
	assert_string_equal(sriov_vf_drift(&pf, &vf), "used-without-record");
	vf.holder = &h;
	assert_string_equal(sriov_vf_drift(&pf, &vf), "rates-differ");
	vf.kernel.max_tx_rate = 20;
	assert_null(sriov_vf_drift(&pf, &vf));
	vf.kernel.min_tx_rate = 0;
	assert_string_equal(sriov_vf_drift(&pf, &vf), "rates-differ");
	pf.caps.min_rate = SRIOV_NO;
	assert_null(sriov_vf_drift(&pf, &vf));
	vf.state = SRIOV_VF_FREE;
	assert_string_equal(sriov_vf_drift(&pf, &vf), "held-but-in-host");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(no_pf_is_an_empty_list, reset),
		cmocka_unit_test_setup(a_pf_without_vfs_is_not_listed, reset),
		cmocka_unit_test_setup(a_free_vf_reads_as_in_the_contract, reset),
		cmocka_unit_test_setup(every_setting_has_its_spelling, reset),
		cmocka_unit_test_setup(what_no_pod_can_be_given_is_not_offered, reset),
		cmocka_unit_test_setup(a_vlan_without_a_protocol_of_its_own_is_802_1q, reset),
		cmocka_unit_test_setup(a_pf_that_could_not_be_read_is_no_empty_pf, reset),
		cmocka_unit_test_setup(too_small_a_buffer_is_told, reset),
		cmocka_unit_test_setup(the_widest_getpfs_fits_its_bounds, reset),
		cmocka_unit_test_setup(the_widest_node_fits_its_bounds, reset),
		cmocka_unit_test_setup(node_says_who_holds_a_vf, reset),
		cmocka_unit_test_setup(node_tells_what_is_free_from_what_is_not_used, reset),
		cmocka_unit_test_setup(drift_names_each_difference, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
