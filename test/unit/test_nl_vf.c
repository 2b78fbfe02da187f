/* SPDX-License-Identifier: MIT */
/* src/nl/vf.c: VF lists, small, overflowed and broken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "nl/link.h"
#include "nl/vf.h"
#include "nl_script.h"

enum { CAP = 1024 };

static struct nl_vf vfs[CAP];
static size_t n;

static int setup(void **state)
{
	memset(vfs, 0xee, sizeof(vfs));
	n = 4711;
	return script_setup(state);
}

static int parse(void)
{
	return nl_vf_parse((const void *)m.p, vfs, CAP, &n, &e);
}

static void fails(int code, const char *text)
{
	assert_int_equal(parse(), -code);
	assert_int_equal(e.code, code);
	assert_int_equal(n, 0);
	has_text(text);
}

/* What mb_vf() puts into VF i. */
static void check_vf(uint32_t i, bool guids)
{
	const uint32_t has = NL_VF_PRESENT | NL_VF_MAC | NL_VF_VLAN | NL_VF_RATE | NL_VF_MIN_RATE |
			     NL_VF_SPOOFCHK | NL_VF_TRUST | NL_VF_LINK_STATE | NL_VF_RSS_QUERY;
	const struct nl_vf *v = &vfs[i];

	assert_int_equal(v->index, i);
	assert_int_equal(v->has, guids ? has | NL_VF_NODE_GUID | NL_VF_PORT_GUID : has);
	assert_int_equal(v->mac[4] << 8 | v->mac[5], i);
	assert_int_equal(v->vlan, i % 4095);
	assert_int_equal(v->qos, i % 8);
	assert_int_equal(v->proto, NL_VLAN_8021Q);
	assert_int_equal(v->min_tx_rate, 10);
	assert_int_equal(v->max_tx_rate, 1000 + i);
	assert_int_equal(v->spoofchk, NL_VF_ON);
	assert_int_equal(v->trust, i % 2 == 1 ? NL_VF_ON : NL_VF_OFF);
	assert_int_equal(v->rss_query, NL_VF_UNSUPPORTED);
	assert_int_equal(v->link_state, i % 3);
	assert_true(v->node_guid == (guids ? 0x1122334455660000u + i : 0));
	assert_true(v->port_guid == (guids ? 0x1122334555660000u + i : 0));
}

/* Around every count where the list's length passes a multiple of 65536, and far above. */
static void test_lists_of_every_size(void **state)
{
	static const uint32_t counts[] = {
		1, 2, 126, 277, 278, 334, 335, 400, 555, 668, 669, 1000, 1002, 1003, 1024};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(counts) / sizeof(counts[0]); i++) {
		uint32_t count = counts[i / 2];

		m.n = 0;
		mb_pf(&m, count, i % 2 == 1);
		assert_int_equal(parse(), 0);
		assert_int_equal(n, count);
		for (uint32_t k = 0; k < count; k++) {
			check_vf(k, i % 2 == 1);
		}
	}
}

/* 1024 entries whose list is 65536 or 65540 bytes long: its length wraps to 0, or to 4. */
static void test_length_that_wraps_to_nothing(void **state)
{
	static const uint8_t fill[44];

	(void)state;
	for (size_t extra = 0; extra <= 4; extra += 4) {
		size_t list;

		m.n = 0;
		mb_link(&m, 7, "a");
		mb_u32(&m, IFLA_NUM_VF, 1024);
		list = mb_nest(&m, IFLA_VFINFO_LIST);
		for (uint32_t i = 0; i < 1024; i++) {
			size_t at = mb_nest(&m, IFLA_VF_INFO);
			uint32_t trust[2] = {i, 1};

			mb_attr(&m, IFLA_VF_TRUST, trust, sizeof(trust));
			mb_attr(&m, 77, fill, i < 1023 ? sizeof(fill) : 40 + extra);
			mb_nest_end(&m, at);
		}
		mb_nest_end(&m, list);
		assert_int_equal(m.n - list, 65536 + extra);
		mb_str(&m, IFLA_PARENT_DEV_NAME, "0000:01:00.0");
		assert_int_equal(parse(), 0);
		assert_int_equal(n, 1024);
		assert_int_equal(vfs[1023].has, NL_VF_PRESENT | NL_VF_TRUST);
	}
}

static void test_none(void **state)
{
	(void)state;
	mb_link(&m, 7, "lo");
	assert_int_equal(parse(), 0);
	assert_int_equal(n, 0);
	mb_u32(&m, IFLA_NUM_VF, 0);
	assert_int_equal(parse(), 0);
	assert_int_equal(n, 0);
}

/* The driver cannot describe its VFs: they are there all the same. */
static void test_count_without_list(void **state)
{
	(void)state;
	mb_link(&m, 7, "a");
	mb_u32(&m, IFLA_NUM_VF, 3);
	assert_int_equal(parse(), 0);
	assert_int_equal(n, 3);
	assert_int_equal(vfs[2].index, 2);
	assert_int_equal(vfs[2].has, 0);
	assert_int_equal(vfs[2].trust, NL_VF_UNSUPPORTED);
}

/* Open a list of num VFs; close(list) ends the message. */
static size_t open_list(uint32_t num)
{
	m.n = 0;
	mb_link(&m, 7, "a");
	mb_u32(&m, IFLA_NUM_VF, num);
	return mb_nest(&m, IFLA_VFINFO_LIST);
}

static void close_list(size_t list)
{
	mb_nest_end(&m, list);
	mb_str(&m, IFLA_PARENT_DEV_BUS_NAME, "pci");
}

static void test_missing_and_unordered_vfs(void **state)
{
	size_t list = open_list(4);

	(void)state;
	mb_vf(&m, 3, false);
	mb_vf(&m, 1, true);
	close_list(list);
	assert_int_equal(parse(), 0);
	assert_int_equal(n, 4);
	check_vf(3, false);
	check_vf(1, true);
	assert_int_equal(vfs[0].has, 0);
	assert_int_equal(vfs[0].index, 0);
	assert_int_equal(vfs[2].has, 0);
}

static void test_index_out_of_range(void **state)
{
	static const uint32_t bad[] = {2, 1024, 0x7fffffff, UINT32_MAX - 1};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		size_t list = open_list(2);
		char want[64];

		mb_vf(&m, bad[i], false);
		close_list(list);
		(void)snprintf(want, sizeof(want), "VF %u of a device with 2 VFs", bad[i]);
		fails(EBADMSG, want);
	}
}

static void test_same_vf_twice(void **state)
{
	size_t list = open_list(2);

	(void)state;
	mb_vf(&m, 1, false);
	mb_vf(&m, 1, false);
	close_list(list);
	fails(EBADMSG, "VF 1 comes twice");
}

static void test_more_than_there_is_room_for(void **state)
{
	(void)state;
	open_list(CAP + 1);
	fails(EMSGSIZE, "1025 VFs are more than the 1024 there is room for");
	open_list(UINT32_MAX);
	fails(EMSGSIZE, "more than the 1024");
}

static void test_list_without_count(void **state)
{
	size_t list;

	(void)state;
	mb_link(&m, 7, "a");
	list = mb_nest(&m, IFLA_VFINFO_LIST);
	mb_vf(&m, 0, false);
	close_list(list);
	fails(EBADMSG, "VF 0 of a device with 0 VFs");
}

/* One entry with one attribute of the given size. */
static void one_attr(uint16_t type, const void *p, size_t size)
{
	size_t list = open_list(4), at = mb_nest(&m, IFLA_VF_INFO);

	mb_attr(&m, type, p, size);
	mb_nest_end(&m, at);
	close_list(list);
}

static void test_attributes_of_wrong_size(void **state)
{
	static const struct {
		uint16_t type;
		size_t right;
	} types[] = {
		{IFLA_VF_MAC, 36},
		{IFLA_VF_VLAN, 12},
		{IFLA_VF_TX_RATE, 8},
		{IFLA_VF_SPOOFCHK, 8},
		{IFLA_VF_LINK_STATE, 8},
		{IFLA_VF_RATE, 12},
		{IFLA_VF_RSS_QUERY_EN, 8},
		{IFLA_VF_TRUST, 8},
		{IFLA_VF_IB_NODE_GUID, 16},
		{IFLA_VF_IB_PORT_GUID, 16},
	};
	static const uint8_t zero[64];

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		for (size_t size = 0; size < sizeof(zero); size++) {
			one_attr(types[i].type, zero, size);
			if (size == types[i].right) {
				assert_int_equal(parse(), 0);
				assert_int_equal(n, 4);
				assert_true((vfs[0].has & NL_VF_PRESENT) != 0);
			} else {
				fails(EBADMSG, "VF list: attribute");
			}
		}
	}
}

static void test_entry_of_no_vf_or_of_two(void **state)
{
	static const uint8_t bc[32];
	size_t list, at;
	uint32_t a[2] = {1, 0}, b[2] = {2, 0};

	(void)state;
	one_attr(IFLA_VF_BROADCAST, bc, sizeof(bc));
	fails(EBADMSG, "cut off or of no VF");
	list = open_list(4);
	at = mb_nest(&m, IFLA_VF_INFO);
	mb_nest_end(&m, at);
	close_list(list);
	fails(EBADMSG, "cut off or of no VF");
	list = open_list(4);
	at = mb_nest(&m, IFLA_VF_INFO);
	mb_attr(&m, IFLA_VF_TRUST, a, sizeof(a));
	mb_attr(&m, IFLA_VF_SPOOFCHK, b, sizeof(b));
	mb_nest_end(&m, at);
	close_list(list);
	fails(EBADMSG, "one entry for VFs 1 and 2");
}

static void test_list_lengths_that_fit_nowhere(void **state)
{
	static const int wrong[] = {-4, 4, 1, 2, 3, 100, -196};
	size_t list;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		uint16_t len;

		list = open_list(4);
		mb_vf(&m, 0, false);
		mb_vf(&m, 1, false);
		mb_nest_end(&m, list);
		len = (uint16_t)(m.n - list + (size_t)wrong[i]);
		memcpy(m.p + list, &len, sizeof(len));
		mb_u32(&m, IFLA_MTU, 1500);
		if (wrong[i] == -196) {
			/* Ends behind the first entry; the second is a strange attribute. */
			assert_int_equal(parse(), 0);
			assert_int_equal(vfs[1].has, 0);
			continue;
		}
		fails(EBADMSG, "does not end where an entry does");
	}
}

static void test_broken_entries(void **state)
{
	static const uint16_t lens[] = {0, 3, 5, 195, 197, 0xffff};
	size_t list;

	(void)state;
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		list = open_list(4);
		mb_vf(&m, 0, false);
		mb_nest_end(&m, list);
		memcpy(m.p + list + 4, &lens[i], sizeof(lens[i]));
		mb_end(&m);
		fails(EBADMSG, "");
	}
	/* The first attribute of the entry, then the VLAN list, reach over their end. */
	for (int nested = 0; nested < 2; nested++) {
		uint16_t len = 200;

		list = open_list(4);
		mb_vf(&m, 0, false);
		memcpy(m.p + (nested ? m.n - 20 : list + 8), &len, sizeof(len));
		close_list(list);
		fails(EBADMSG, "VF list");
	}
}

static void test_cut_at_every_length(void **state)
{
	(void)state;
	mb_pf(&m, 2, true);
	for (size_t len = sizeof(struct nlmsghdr); len < m.n; len++) {
		struct nlmsghdr *cut = nl_cut((const void *)m.p, len);

		/* Whole without list, or whole with it: nothing in between. */
		if (nl_vf_parse(cut, vfs, CAP, &n, &e) < 0) {
			assert_int_equal(e.code, EBADMSG);
			assert_int_equal(n, 0);
		} else if (n == 2) {
			assert_true(vfs[0].has == vfs[1].has);
		} else {
			assert_int_equal(n, 0);
		}
		free(cut);
	}
}

/* An overflowed list that loses its last entry no longer ends where its length says. */
static void test_overflowed_list_cut_between_entries(void **state)
{
	size_t list;

	(void)state;
	list = open_list(400);
	for (uint32_t i = 0; i < 400; i++) {
		mb_vf(&m, i, false);
	}
	mb_nest_end(&m, list);
	for (size_t cut = 196; cut <= 196 * 50; cut += 196) {
		mb_hdr(&m)->nlmsg_len = (uint32_t)(m.n - cut);
		fails(EBADMSG, "does not end where an entry does");
	}
}

static void test_settings(void **state)
{
	static const struct {
		uint32_t value;
		enum nl_vf_tri want;
	} tri[] = {{0, NL_VF_OFF}, {1, NL_VF_ON}, {7, NL_VF_ON}, {UINT32_MAX, NL_VF_UNSUPPORTED}};
	uint32_t v[2] = {1, 0};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		v[1] = tri[i].value;
		one_attr(IFLA_VF_TRUST, v, sizeof(v));
		assert_int_equal(parse(), 0);
		assert_int_equal(vfs[1].trust, tri[i].want);
		assert_int_equal(vfs[1].spoofchk, NL_VF_UNSUPPORTED);
		assert_int_equal(vfs[1].has, NL_VF_PRESENT | NL_VF_TRUST);
		one_attr(IFLA_VF_SPOOFCHK, v, sizeof(v));
		assert_int_equal(parse(), 0);
		assert_int_equal(vfs[1].spoofchk, tri[i].want);
		assert_int_equal(vfs[1].trust, NL_VF_UNSUPPORTED);
	}
	v[1] = 3;
	one_attr(IFLA_VF_LINK_STATE, v, sizeof(v));
	assert_int_equal(parse(), 0);
	assert_int_equal(vfs[1].has, NL_VF_PRESENT);
}

static void test_old_rate_only(void **state)
{
	uint32_t v[2] = {1, 500};

	(void)state;
	one_attr(IFLA_VF_TX_RATE, v, sizeof(v));
	assert_int_equal(parse(), 0);
	assert_int_equal(vfs[1].max_tx_rate, 500);
	assert_int_equal(vfs[1].has, NL_VF_PRESENT | NL_VF_RATE);
}

/* The newer attribute wins, whichever comes first. */
static void test_both_rates(void **state)
{
	struct ifla_vf_rate rate = {1, 100, 900};
	uint32_t old[2] = {1, 500};

	(void)state;
	for (int order = 0; order < 2; order++) {
		size_t list = open_list(2), at = mb_nest(&m, IFLA_VF_INFO);

		if (order == 0) {
			mb_attr(&m, IFLA_VF_TX_RATE, old, sizeof(old));
		}
		mb_attr(&m, IFLA_VF_RATE, &rate, sizeof(rate));
		if (order == 1) {
			mb_attr(&m, IFLA_VF_TX_RATE, old, sizeof(old));
		}
		mb_nest_end(&m, at);
		close_list(list);
		assert_int_equal(parse(), 0);
		assert_int_equal(vfs[1].min_tx_rate, 100);
		assert_int_equal(vfs[1].max_tx_rate, 900);
	}
}

static void test_vlan_protocol(void **state)
{
	struct ifla_vf_vlan plain = {1, 30, 2};
	struct ifla_vf_vlan_info info = {.vf = 1, .vlan = 31, .qos = 3, .vlan_proto = 0xa888};

	(void)state;
	one_attr(IFLA_VF_VLAN, &plain, sizeof(plain));
	assert_int_equal(parse(), 0);
	assert_int_equal(vfs[1].vlan, 30);
	assert_int_equal(vfs[1].proto, NL_VLAN_8021Q);
	for (int order = 0; order < 2; order++) {
		size_t list = open_list(2), at = mb_nest(&m, IFLA_VF_INFO), vlans;

		if (order == 0) {
			mb_attr(&m, IFLA_VF_VLAN, &plain, sizeof(plain));
		}
		vlans = mb_nest(&m, IFLA_VF_VLAN_LIST);
		mb_attr(&m, IFLA_VF_VLAN_INFO, &info, sizeof(info));
		mb_nest_end(&m, vlans);
		if (order == 1) {
			mb_attr(&m, IFLA_VF_VLAN, &plain, sizeof(plain));
		}
		mb_nest_end(&m, at);
		close_list(list);
		assert_int_equal(parse(), 0);
		assert_int_equal(vfs[1].vlan, 31);
		assert_int_equal(vfs[1].qos, 3);
		assert_int_equal(vfs[1].proto, NL_VLAN_8021AD);
	}
}

/* Linux 6.12, igb: VF 1 trusted without spoof check, VF 2 limited, VF 3 with a VLAN. */
static void test_recorded_igb(void **state)
{
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 0x10};
	struct nlmsghdr *nlh = nl_recorded("test/corpus/nl_link/igb-4-vfs");
	struct nl_link l;

	(void)state;
	assert_int_equal(nl_link_parse(nlh, &l, &e), 0);
	assert_string_equal(l.name, "enp1s0f0");
	assert_string_equal(l.parent_bus, "pci");
	assert_string_equal(l.parent_dev, "0000:01:00.0");
	assert_int_equal(l.num_vf, 4);
	assert_int_equal(nl_vf_parse(nlh, vfs, CAP, &n, &e), 0);
	assert_int_equal(n, 4);
	assert_memory_equal(vfs[0].mac, mac, 6);
	assert_int_equal(vfs[0].trust, NL_VF_OFF);
	assert_int_equal(vfs[0].spoofchk, NL_VF_ON);
	assert_int_equal(vfs[0].rss_query, NL_VF_UNSUPPORTED);
	assert_int_equal(vfs[1].trust, NL_VF_ON);
	assert_int_equal(vfs[1].spoofchk, NL_VF_OFF);
	assert_int_equal(vfs[2].max_tx_rate, 500);
	assert_int_equal(vfs[3].vlan, 100);
	assert_int_equal(vfs[3].qos, 2);
	assert_int_equal(vfs[3].proto, NL_VLAN_8021Q);
	free(nlh);
}

/* Linux 6.12, netdevsim; its driver says VLAN protocol 0 where none was set. */
static void test_recorded_126_vfs(void **state)
{
	struct nlmsghdr *nlh = nl_recorded("test/data/vf126.bin");

	(void)state;
	assert_int_equal(nl_vf_parse(nlh, vfs, CAP, &n, &e), 0);
	assert_int_equal(n, 126);
	for (size_t i = 0; i < n; i++) {
		assert_true((vfs[i].has & NL_VF_PRESENT) != 0);
		assert_int_equal(vfs[i].mac[5], i);
		assert_int_equal(vfs[i].proto, i == 3 ? NL_VLAN_8021AD : NL_VLAN_8021Q);
	}
	assert_int_equal(vfs[3].min_tx_rate, 10);
	assert_int_equal(vfs[3].max_tx_rate, 100);
	assert_int_equal(vfs[5].link_state, NL_VF_LINK_DISABLE);
	assert_int_equal(vfs[125].min_tx_rate, 5);
	free(nlh);
}

static void test_not_a_link_message(void **state)
{
	struct ifinfomsg ifi = {.ifi_index = 1};

	(void)state;
	mb_msg(&m, RTM_NEWADDR, 0, &ifi, sizeof(ifi));
	fails(EBADMSG, "not RTM_NEWLINK");
	m.n = 0;
	mb_link(&m, 7, "a");
	mb_u16(&m, IFLA_NUM_VF, 1);
	fails(EBADMSG, "attribute 21 cannot have 2 bytes");
}

static void test_list_from_the_kernel(void **state)
{
	uint32_t mask;

	(void)state;
	mb_pf(script_step(), 400, true);
	script_result(0);
	assert_int_equal(nl_vf_list(&script.sock, 7, vfs, CAP, &n, &e), 0);
	assert_int_equal(n, 400);
	check_vf(399, true);
	assert_int_equal(script_sent(0)->nlmsg_type, RTM_GETLINK);
	assert_int_equal(script_sent(0)->nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK);
	memcpy(&mask, script.sent[0] + 36, sizeof(mask));
	assert_int_equal(mask, RTEXT_FILTER_VF | RTEXT_FILTER_SKIP_STATS);
}

static void test_list_failures(void **state)
{
	(void)state;
	assert_int_equal(nl_vf_list(&script.sock, 0, vfs, CAP, &n, &e), -EINVAL);
	assert_int_equal(n, 0);
	script_result(-ENODEV);
	assert_int_equal(nl_vf_list(&script.sock, 7, vfs, CAP, &n, &e), -ENODEV);
	assert_string_equal(e.msg, "list VFs: No such device");
	script_result(0);
	assert_int_equal(nl_vf_list(&script.sock, 7, vfs, CAP, &n, &e), -EBADMSG);
	mb_pf(script_step(), 3, false);
	script_result(0);
	assert_int_equal(nl_vf_list(&script.sock, 7, vfs, 2, &n, &e), -EMSGSIZE);
	assert_int_equal(n, 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, script_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_lists_of_every_size),
		T(test_length_that_wraps_to_nothing),
		T(test_none),
		T(test_count_without_list),
		T(test_missing_and_unordered_vfs),
		T(test_index_out_of_range),
		T(test_same_vf_twice),
		T(test_more_than_there_is_room_for),
		T(test_list_without_count),
		T(test_attributes_of_wrong_size),
		T(test_entry_of_no_vf_or_of_two),
		T(test_list_lengths_that_fit_nowhere),
		T(test_broken_entries),
		T(test_cut_at_every_length),
		T(test_overflowed_list_cut_between_entries),
		T(test_settings),
		T(test_old_rate_only),
		T(test_both_rates),
		T(test_vlan_protocol),
		T(test_recorded_igb),
		T(test_recorded_126_vfs),
		T(test_not_a_link_message),
		T(test_list_from_the_kernel),
		T(test_list_failures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
