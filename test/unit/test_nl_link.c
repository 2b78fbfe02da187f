/* SPDX-License-Identifier: MIT */
/* src/nl/link.c: reading link messages, and the requests. */
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "nl/link.h"
#include "nl_script.h"

static int parse(struct nl_link *out)
{
	return nl_link_parse((const void *)m.p, out, &e);
}

/* lo of a new network namespace, Linux 6.18. */
static void test_recorded_loopback(void **state)
{
	static const uint8_t zero[6];
	struct nlmsghdr *nlh = nl_recorded("test/corpus/nl_link/lo");
	struct nl_link l;

	(void)state;
	assert_int_equal(nl_link_parse(nlh, &l, &e), 0);
	assert_int_equal(l.ifindex, 1);
	assert_string_equal(l.name, "lo");
	assert_int_equal(l.arphrd, 772);
	assert_int_equal(l.flags, IFF_LOOPBACK);
	assert_int_equal(l.mtu, 65536);
	assert_int_equal(l.operstate, 2);
	assert_int_equal(l.addr_n, 6);
	assert_memory_equal(l.addr, zero, 6);
	assert_false(l.has_netnsid);
	assert_string_equal(l.kind, "");
	free(nlh);
}

/* A veth in a bridge, with an altname, its peer in another namespace. */
static void test_recorded_veth(void **state)
{
	struct nlmsghdr *nlh = nl_recorded("test/corpus/nl_link/veth-in-bridge");
	struct nl_link l;

	(void)state;
	assert_int_equal(nl_link_parse(nlh, &l, &e), 0);
	assert_string_equal(l.name, "va");
	assert_string_equal(l.kind, "veth");
	assert_int_equal(l.addr_n, 6);
	assert_int_equal(l.altname_n, 1);
	assert_string_equal(l.altname[0], "another-name-of-va");
	assert_true(l.has_netnsid);
	assert_true(l.master != 0);
	assert_int_equal(l.promisc_n, 1);
	free(nlh);
}

static void full_link(void)
{
	static const uint8_t guid[20] = {1, 2, [19] = 20};
	static const uint8_t sw[8] = {9, 8};
	size_t nest;

	mb_link(&m, 7, "ib0");
	mb_attr(&m, IFLA_ADDRESS, guid, sizeof(guid));
	mb_attr(&m, IFLA_PERM_ADDRESS, guid, sizeof(guid));
	mb_attr(&m, IFLA_PHYS_SWITCH_ID, sw, sizeof(sw));
	mb_str(&m, IFLA_PHYS_PORT_NAME, "pf0vf3");
	mb_u32(&m, IFLA_MTU, 4092);
	mb_u32(&m, IFLA_MASTER, 12);
	mb_u32(&m, IFLA_LINK, 13);
	mb_u32(&m, IFLA_LINK_NETNSID, 0);
	mb_u32(&m, IFLA_PROMISCUITY, 2);
	mb_u32(&m, IFLA_ALLMULTI, 3);
	mb_u32(&m, IFLA_NUM_VF, 4);
	mb_u8(&m, IFLA_OPERSTATE, 6);
	mb_u8(&m, IFLA_CARRIER, 1);
	nest = mb_nest(&m, IFLA_LINKINFO | NLA_F_NESTED);
	mb_attr(&m, IFLA_INFO_KIND, "ipoib", 5); /* no NUL: allowed */
	mb_nest_end(&m, nest);
	nest = mb_nest(&m, IFLA_PROP_LIST | NLA_F_NESTED);
	mb_str(&m, IFLA_ALT_IFNAME, "ibp1s0");
	mb_u32(&m, 99, 1);
	mb_str(&m, IFLA_ALT_IFNAME, "ibx2");
	mb_nest_end(&m, nest);
	mb_str(&m, IFLA_PARENT_DEV_NAME, "10000:01:00.0");
	mb_str(&m, IFLA_PARENT_DEV_BUS_NAME, "pci");
	mb_u32(&m, 200, 1); /* of a later kernel */
}

static void test_every_field(void **state)
{
	struct nl_link l;

	(void)state;
	full_link();
	assert_int_equal(parse(&l), 0);
	assert_int_equal(l.ifindex, 7);
	assert_int_equal(l.flags, 0x1043);
	assert_int_equal(l.addr_n, 20);
	assert_int_equal(l.addr[19], 20);
	assert_int_equal(l.perm_addr_n, 20);
	assert_int_equal(l.switch_id_n, 8);
	assert_string_equal(l.phys_port_name, "pf0vf3");
	assert_int_equal(l.mtu, 4092);
	assert_int_equal(l.master, 12);
	assert_int_equal(l.lower, 13);
	assert_true(l.has_netnsid);
	assert_int_equal(l.netnsid, 0);
	assert_int_equal(l.promisc_n, 2);
	assert_int_equal(l.allmulti_n, 3);
	assert_int_equal(l.num_vf, 4);
	assert_int_equal(l.operstate, 6);
	assert_true(l.carrier);
	assert_string_equal(l.kind, "ipoib");
	assert_int_equal(l.altname_n, 2);
	assert_string_equal(l.altname[0], "ibp1s0");
	assert_string_equal(l.altname[1], "ibx2");
	assert_string_equal(l.parent_dev, "10000:01:00.0");
	assert_string_equal(l.parent_bus, "pci");
}

/* Every shorter message parses to an error, or to the same name; ASan watches the rest. */
static void test_cut_at_every_length(void **state)
{
	size_t bad = 0;

	(void)state;
	full_link();
	for (size_t n = sizeof(struct nlmsghdr); n < m.n; n++) {
		struct nlmsghdr *cut = nl_cut((const void *)m.p, n);
		struct nl_link l;

		if (nl_link_parse(cut, &l, &e) < 0) {
			assert_int_equal(e.code, EBADMSG);
			bad++;
		} else {
			assert_string_equal(l.name, "ib0");
		}
		free(cut);
	}
	assert_true(bad > m.n / 2);
}

static void test_wrong_kind_of_message(void **state)
{
	struct ifinfomsg ifi = {.ifi_index = 1};
	struct nl_link l;

	(void)state;
	mb_msg(&m, RTM_DELLINK, 0, &ifi, sizeof(ifi));
	assert_int_equal(parse(&l), -EBADMSG);
	has_text("type 17 is not RTM_NEWLINK");
}

static void test_index_and_name_are_required(void **state)
{
	static const int bad[] = {0, -1, INT32_MIN};
	struct nl_link l;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		m.n = 0;
		mb_link(&m, bad[i], "a");
		assert_int_equal(parse(&l), -EBADMSG);
		has_text("interface index");
	}
	m.n = 0;
	mb_link(&m, 3, "");
	assert_int_equal(parse(&l), -EBADMSG);
	has_text("interface 3 has no name");
}

static void test_wrong_sizes(void **state)
{
	static const struct {
		uint16_t type;
		uint8_t n;
	} bad[] = {
		{IFLA_IFNAME, 16},
		{IFLA_ADDRESS, 33},
		{IFLA_PERM_ADDRESS, 40},
		{IFLA_PHYS_SWITCH_ID, 33},
		{IFLA_PHYS_PORT_NAME, 17},
		{IFLA_MTU, 3},
		{IFLA_MTU, 8},
		{IFLA_MASTER, 0},
		{IFLA_LINK, 2},
		{IFLA_PROMISCUITY, 1},
		{IFLA_ALLMULTI, 5},
		{IFLA_NUM_VF, 2},
		{IFLA_OPERSTATE, 4},
		{IFLA_CARRIER, 0},
		{IFLA_LINK_NETNSID, 1},
	};
	static const char text[64] = "0123456789012345678901234567890123456789";
	struct nl_link l;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char want[64];

		m.n = 0;
		mb_link(&m, 3, "a");
		mb_attr(&m, bad[i].type, text, bad[i].n);
		assert_int_equal(parse(&l), -EBADMSG);
		(void)snprintf(want, sizeof(want), "attribute %u cannot have %u bytes", bad[i].type,
			bad[i].n);
		has_text(want);
	}
}

static void test_long_parent_and_kind_are_left_out(void **state)
{
	static const char text[80] =
		"01234567890123456789012345678901234567890123456789012345678901234";
	struct nl_link l;
	size_t nest;

	(void)state;
	mb_link(&m, 3, "a");
	mb_str(&m, IFLA_PARENT_DEV_NAME, text);
	mb_str(&m, IFLA_PARENT_DEV_BUS_NAME, text);
	nest = mb_nest(&m, IFLA_LINKINFO);
	mb_str(&m, IFLA_INFO_KIND, text);
	mb_nest_end(&m, nest);
	assert_int_equal(parse(&l), 0);
	assert_string_equal(l.parent_dev, "");
	assert_string_equal(l.parent_bus, "");
	assert_string_equal(l.kind, "");
}

static void test_many_altnames(void **state)
{
	struct nl_link l;
	size_t nest;

	(void)state;
	mb_link(&m, 3, "a");
	nest = mb_nest(&m, IFLA_PROP_LIST);
	for (int i = 0; i < NL_ALTNAMES_MAX + 4; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "alt%d", i);
		mb_str(&m, IFLA_ALT_IFNAME, name);
	}
	mb_nest_end(&m, nest);
	assert_int_equal(parse(&l), 0);
	assert_int_equal(l.altname_n, NL_ALTNAMES_MAX + 4);
	assert_string_equal(l.altname[NL_ALTNAMES_MAX - 1], "alt15");
}

static void test_broken_nests(void **state)
{
	static const uint16_t nests[] = {IFLA_PROP_LIST, IFLA_LINKINFO};
	static const struct nlattr bad[] = {{0, 1}, {3, 1}, {9, 1}, {0xffff, 1}};
	char longname[NL_ALTNAME_CAP];
	struct nl_link l;
	size_t nest;

	(void)state;
	for (size_t i = 0; i < 8; i++) {
		m.n = 0;
		mb_link(&m, 3, "a");
		mb_attr(&m, nests[i / 4], &bad[i % 4], sizeof(bad[0]));
		assert_int_equal(parse(&l), -EBADMSG);
		has_text("broken li");
	}
	memset(longname, 'x', sizeof(longname));
	m.n = 0;
	mb_link(&m, 3, "a");
	nest = mb_nest(&m, IFLA_PROP_LIST);
	mb_attr(&m, IFLA_ALT_IFNAME, longname, sizeof(longname));
	mb_nest_end(&m, nest);
	assert_int_equal(parse(&l), -EBADMSG);
	has_text("alternative name: attribute 53 cannot have 128 bytes");
}

static void test_attribute_past_the_end(void **state)
{
	static const struct nlattr bad[] = {{0, 4}, {3, 4}, {5, 4}, {0xffff, 4}};
	struct nl_link l;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		m.n = 0;
		mb_link(&m, 3, "a");
		mb_raw(&m, &bad[i], sizeof(bad[i]));
		mb_end(&m);
		assert_int_equal(parse(&l), -EBADMSG);
		has_text("attribute runs past the end");
	}
}

static void test_vf_list_is_stepped_over(void **state)
{
	static const uint32_t counts[] = {0, 1, 126, 334, 335, 400, 1000};
	struct nl_link l;

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		m.n = 0;
		mb_pf(&m, counts[i], i % 2 == 1);
		assert_int_equal(parse(&l), 0);
		assert_int_equal(l.num_vf, counts[i]);
		assert_int_equal(l.altname_n, 1);
		assert_int_equal(l.perm_addr_n, 6);
		assert_string_equal(l.parent_dev, "0000:01:00.0");
	}
}

static const struct nlattr *sent_attr(size_t i, size_t at)
{
	return (const void *)(script.sent[i] + at);
}

static void test_get_asks_for_one_without_vfs(void **state)
{
	struct nl_link l;
	uint32_t mask;

	(void)state;
	mb_pf(script_step(), 0, false);
	script_result(0);
	assert_int_equal(nl_link_get(&script.sock, 7, &l, &e), 0);
	assert_string_equal(l.name, "enp1s0f0");
	assert_int_equal(script_sent(0)->nlmsg_type, RTM_GETLINK);
	assert_int_equal(script_sent(0)->nlmsg_len, 40);
	assert_int_equal(sent_attr(0, 32)->nla_type, IFLA_EXT_MASK);
	memcpy(&mask, script.sent[0] + 36, sizeof(mask));
	assert_int_equal(mask, RTEXT_FILTER_SKIP_STATS);
}

static void test_get_by_name_chooses_the_attribute(void **state)
{
	struct nl_link l;

	(void)state;
	script_result(-ENODEV);
	assert_int_equal(nl_link_get_name(&script.sock, "fifteen-bytes-x", &l, &e), -ENODEV);
	has_text("read interface fifteen-bytes-x: No such device");
	assert_int_equal(sent_attr(0, 32)->nla_type, IFLA_IFNAME);
	script_result(-ENODEV);
	assert_int_equal(nl_link_get_name(&script.sock, "sixteen-bytes-xx", &l, &e), -ENODEV);
	assert_int_equal(sent_attr(1, 32)->nla_type, IFLA_ALT_IFNAME);
}

static void test_impossible_arguments_are_not_sent(void **state)
{
	char name[NL_ALTNAME_CAP + 1];
	uint8_t addr[NL_ADDR_CAP + 1] = {2};
	struct nl_link l;

	(void)state;
	memset(name, 'x', NL_ALTNAME_CAP);
	name[NL_ALTNAME_CAP] = '\0';
	assert_int_equal(nl_link_get_name(&script.sock, name, &l, &e), -EINVAL);
	assert_int_equal(nl_link_get_name(&script.sock, "", &l, &e), -EINVAL);
	assert_int_equal(nl_link_get(&script.sock, 0, &l, &e), -EINVAL);
	assert_int_equal(nl_link_get(&script.sock, 0x80000000u, &l, &e), -EINVAL);
	assert_int_equal(nl_link_set_up(&script.sock, 0, true, &e), -EINVAL);
	assert_int_equal(nl_link_set_name(&script.sock, 0, "a", &e), -EINVAL);
	assert_int_equal(nl_link_set_name(&script.sock, 1, "a/b", &e), -EINVAL);
	has_text("\"a/b\" cannot be the name of an interface");
	assert_int_equal(nl_link_set_name(&script.sock, 1, "0123456789abcdef", &e), -EINVAL);
	assert_int_equal(nl_link_set_name(&script.sock, 1, "", &e), -EINVAL);
	assert_int_equal(nl_link_set_addr(&script.sock, 0, addr, 6, &e), -EINVAL);
	assert_int_equal(nl_link_set_addr(&script.sock, 1, addr, 0, &e), -EINVAL);
	assert_int_equal(nl_link_set_addr(&script.sock, 1, addr, sizeof(addr), &e), -EINVAL);
	assert_int_equal(script.sent_n, 0);
}

static void test_ack_without_answer(void **state)
{
	struct nl_link l;

	(void)state;
	script_result(0);
	assert_int_equal(nl_link_get(&script.sock, 1, &l, &e), -EBADMSG);
	has_text("read interface 1: acknowledged without an answer");
}

static void test_setters(void **state)
{
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 9};
	struct ifinfomsg ifi;

	(void)state;
	script_result(0);
	assert_int_equal(nl_link_set_up(&script.sock, 5, true, &e), 0);
	script_result(0);
	assert_int_equal(nl_link_set_up(&script.sock, 5, false, &e), 0);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(script_sent(i)->nlmsg_type, RTM_SETLINK);
		memcpy(&ifi, script.sent[i] + 16, sizeof(ifi));
		assert_int_equal(ifi.ifi_index, 5);
		assert_int_equal(ifi.ifi_change, IFF_UP);
		assert_int_equal(ifi.ifi_flags, i == 0 ? IFF_UP : 0);
	}
	script_result(0);
	assert_int_equal(nl_link_set_addr(&script.sock, 5, mac, 6, &e), 0);
	assert_int_equal(sent_attr(2, 32)->nla_type, IFLA_ADDRESS);
	assert_memory_equal(script.sent[2] + 36, mac, 6);
	script_result(-EEXIST);
	assert_int_equal(nl_link_set_name(&script.sock, 5, "eth0", &e), -EEXIST);
	has_text("rename interface 5 to eth0: File exists");
	assert_int_equal(sent_attr(3, 32)->nla_type, IFLA_IFNAME);
	assert_string_equal(script.sent[3] + 36, "eth0");
}

static struct {
	size_t n, restarts;
	int fail;
} seen;

static int visit(const struct nl_link *l, void *arg, struct err *err)
{
	assert_ptr_equal(arg, &seen);
	assert_true(l->ifindex > 0);
	seen.n++;
	return seen.fail != 0 ? err_set(err, -seen.fail, "enough") : 0;
}

static void restart(void *arg)
{
	(void)arg;
	seen.n = 0;
	seen.restarts++;
}

static const struct nl_link_visitor visitor = {visit, restart, &seen};

static void list_step(uint16_t flags)
{
	struct mb *s = script_step();

	mb_link(s, 1, "lo");
	mb_link(s, 2, "a");
	mb_done(s, flags, 0);
}

static void test_list(void **state)
{
	(void)state;
	memset(&seen, 0, sizeof(seen));
	list_step(NLM_F_DUMP_INTR);
	list_step(0);
	assert_int_equal(nl_link_list(&script.sock, &visitor, &e), 0);
	assert_int_equal(seen.n, 2);
	assert_int_equal(seen.restarts, 1);
	assert_int_equal(script_sent(0)->nlmsg_flags, NLM_F_REQUEST | NLM_F_DUMP);
	assert_int_equal(sent_attr(0, 32)->nla_type, IFLA_EXT_MASK);
}

static void test_list_stopped_by_visitor_and_by_bad_link(void **state)
{
	struct mb *s;

	memset(&seen, 0, sizeof(seen));
	seen.fail = -ENOSPC;
	list_step(0);
	assert_int_equal(nl_link_list(&script.sock, &visitor, &e), -ENOSPC);
	assert_string_equal(e.msg, "enough");
	assert_int_equal(seen.n, 1);
	script_teardown(state);
	script_setup(state);
	memset(&seen, 0, sizeof(seen));
	s = script_step();
	mb_link(s, 1, "lo");
	mb_link(s, 0, "a");
	mb_done(s, 0, 0);
	assert_int_equal(nl_link_list(&script.sock, &visitor, &e), -EBADMSG);
}

#define T(f) cmocka_unit_test_setup_teardown(f, script_setup, script_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_recorded_loopback),
		T(test_recorded_veth),
		T(test_every_field),
		T(test_cut_at_every_length),
		T(test_wrong_kind_of_message),
		T(test_index_and_name_are_required),
		T(test_wrong_sizes),
		T(test_long_parent_and_kind_are_left_out),
		T(test_many_altnames),
		T(test_broken_nests),
		T(test_attribute_past_the_end),
		T(test_vf_list_is_stepped_over),
		T(test_get_asks_for_one_without_vfs),
		T(test_get_by_name_chooses_the_attribute),
		T(test_impossible_arguments_are_not_sent),
		T(test_ack_without_answer),
		T(test_setters),
		T(test_list),
		T(test_list_stopped_by_visitor_and_by_bad_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
