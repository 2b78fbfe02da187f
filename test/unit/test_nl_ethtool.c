/* SPDX-License-Identifier: MIT */
/* src/nl/ethtool.c: generic netlink families, link speed and link state. */
#include <linux/ethtool_netlink.h>
#include <linux/genetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "nl/ethtool.h"
#include "nl_script.h"

enum { FAMILY = 0x15 };

static void genl(struct mb *b, uint16_t family, uint8_t cmd)
{
	struct genlmsghdr g = {.cmd = cmd, .version = 1};

	mb_msg(b, family, 0, &g, sizeof(g));
}

static void test_family(void **state)
{
	struct nl_ethtool eth;
	struct mb *b = script_step();

	(void)state;
	genl(b, GENL_ID_CTRL, CTRL_CMD_NEWFAMILY);
	mb_str(b, CTRL_ATTR_FAMILY_NAME, "ethtool");
	mb_u16(b, CTRL_ATTR_FAMILY_ID, FAMILY);
	mb_u32(b, CTRL_ATTR_VERSION, 1);
	script_result(0);
	assert_int_equal(nl_ethtool_init(&eth, &script.sock, &e), 0);
	assert_int_equal(eth.family, FAMILY);
	assert_int_equal(script_sent(0)->nlmsg_type, GENL_ID_CTRL);
	assert_int_equal(script.sent[0][16], CTRL_CMD_GETFAMILY);
	assert_string_equal(script.sent[0] + 24, "ethtool");
}

static void test_family_that_is_not_there(void **state)
{
	uint16_t id;

	(void)state;
	script_result(-ENOENT);
	assert_int_equal(nl_genl_family(&script.sock, "ethtool", &id, &e), -ENOENT);
	has_text("look up netlink family ethtool: No such file or directory");
	script_result(0);
	assert_int_equal(nl_genl_family(&script.sock, "ethtool", &id, &e), -EBADMSG);
	has_text("acknowledged without an answer");
	assert_int_equal(nl_genl_family(&script.sock, "sixteen-bytes-xx", &id, &e), -EINVAL);
}

static void test_family_malformed(void **state)
{
	uint16_t id = 0;

	(void)state;
	genl(&m, GENL_ID_CTRL, CTRL_CMD_NEWFAMILY);
	assert_int_equal(nl_genl_family_parse((void *)m.p, &id, &e), -EBADMSG);
	has_text("family without a number");
	mb_u32(&m, CTRL_ATTR_FAMILY_ID, FAMILY);
	assert_int_equal(nl_genl_family_parse((void *)m.p, &id, &e), -EBADMSG);
	has_text("cannot have 4 bytes");
	m.n = 0;
	genl(&m, GENL_ID_CTRL, CTRL_CMD_NEWFAMILY);
	mb_u16(&m, CTRL_ATTR_FAMILY_ID, 3); /* NLMSG_DONE */
	assert_int_equal(nl_genl_family_parse((void *)m.p, &id, &e), -EBADMSG);
	m.n = 0;
	genl(&m, GENL_ID_CTRL, CTRL_CMD_DELFAMILY);
	mb_u16(&m, CTRL_ATTR_FAMILY_ID, FAMILY);
	assert_int_equal(nl_genl_family_parse((void *)m.p, &id, &e), -EBADMSG);
	has_text("reply 2 where 1 was expected");
}

static void modes(struct mb *b)
{
	size_t nest;

	genl(b, FAMILY, ETHTOOL_MSG_LINKMODES_GET_REPLY);
	nest = mb_nest(b, ETHTOOL_A_LINKMODES_HEADER);
	mb_u32(b, ETHTOOL_A_HEADER_DEV_INDEX, 7);
	mb_nest_end(b, nest);
}

static void test_speeds(void **state)
{
	static const struct {
		uint32_t sent, mbps;
		bool known;
	} t[] = {{1, 1, true}, {25000, 25000, true}, {800000, 800000, true}, {0, 0, false},
		{UINT32_MAX, 0, false}};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		uint32_t mbps = 99;
		bool known = !t[i].known;

		m.n = 0;
		modes(&m);
		mb_u32(&m, ETHTOOL_A_LINKMODES_SPEED, t[i].sent);
		assert_int_equal(nl_ethtool_speed_parse((void *)m.p, &mbps, &known, &e), 0);
		assert_int_equal(mbps, t[i].mbps);
		assert_int_equal(known, t[i].known);
	}
}

static void test_no_speed_in_the_reply(void **state)
{
	uint32_t mbps = 99;
	bool known = true;

	(void)state;
	modes(&m);
	assert_int_equal(nl_ethtool_speed_parse((void *)m.p, &mbps, &known, &e), 0);
	assert_false(known);
	assert_int_equal(mbps, 0);
}

static void test_malformed_replies(void **state)
{
	static const struct nlattr over = {12, ETHTOOL_A_LINKMODES_DUPLEX};
	uint32_t mbps;
	bool known, up;

	(void)state;
	modes(&m);
	mb_u16(&m, ETHTOOL_A_LINKMODES_SPEED, 1000);
	assert_int_equal(nl_ethtool_speed_parse((void *)m.p, &mbps, &known, &e), -EBADMSG);
	has_text("ethtool link modes: attribute 5 cannot have 2 bytes");
	assert_int_equal(nl_ethtool_link_parse((void *)m.p, &up, &known, &e), -EBADMSG);
	has_text("reply 4 where 6 was expected");
	m.n = 0;
	modes(&m);
	mb_raw(&m, &over, sizeof(over));
	mb_end(&m);
	assert_int_equal(nl_ethtool_speed_parse((void *)m.p, &mbps, &known, &e), -EBADMSG);
	has_text("runs past the end");
	m.n = 0;
	genl(&m, FAMILY, ETHTOOL_MSG_LINKSTATE_GET_REPLY);
	mb_u32(&m, ETHTOOL_A_LINKSTATE_LINK, 1);
	assert_int_equal(nl_ethtool_link_parse((void *)m.p, &up, &known, &e), -EBADMSG);
	mb_hdr(&m)->nlmsg_len = 19;
	assert_int_equal(nl_ethtool_link_parse((void *)m.p, &up, &known, &e), -EBADMSG);
	has_text("19 bytes are too short");
}

static void test_cut_at_every_length(void **state)
{
	(void)state;
	modes(&m);
	mb_u32(&m, ETHTOOL_A_LINKMODES_SPEED, 1000);
	for (size_t n = sizeof(struct nlmsghdr); n < m.n; n++) {
		struct nlmsghdr *cut = nl_cut((void *)m.p, n);
		uint32_t mbps;
		bool known;
		int r = nl_ethtool_speed_parse(cut, &mbps, &known, &e);

		assert_true(r == -EBADMSG || (r == 0 && !known));
		free(cut);
	}
}

static void test_ask(void **state)
{
	struct nl_ethtool eth = {&script.sock, FAMILY};
	struct mb *b = script_step();
	uint32_t mbps = 0, index;
	bool known = false, up = false;

	(void)state;
	modes(b);
	mb_u32(b, ETHTOOL_A_LINKMODES_SPEED, 40000);
	script_result(0);
	assert_int_equal(nl_ethtool_speed(&eth, 7, &mbps, &known, &e), 0);
	assert_true(known);
	assert_int_equal(mbps, 40000);
	assert_int_equal(script_sent(0)->nlmsg_type, FAMILY);
	assert_int_equal(script.sent[0][16], ETHTOOL_MSG_LINKMODES_GET);
	memcpy(&index, script.sent[0] + 28, sizeof(index));
	assert_int_equal(index, 7);
	b = script_step();
	genl(b, FAMILY, ETHTOOL_MSG_LINKSTATE_GET_REPLY);
	mb_u8(b, ETHTOOL_A_LINKSTATE_LINK, 1);
	script_result(0);
	assert_int_equal(nl_ethtool_link(&eth, 7, &up, &known, &e), 0);
	assert_true(known && up);
	assert_int_equal(script.sent[1][16], ETHTOOL_MSG_LINKSTATE_GET);
}

static void test_driver_without_speeds_and_no_device(void **state)
{
	struct nl_ethtool eth = {&script.sock, FAMILY};
	uint32_t mbps = 5;
	bool known = true, up = true;

	(void)state;
	script_result(-EOPNOTSUPP);
	assert_int_equal(nl_ethtool_speed(&eth, 7, &mbps, &known, &e), 0);
	assert_false(known);
	assert_int_equal(mbps, 0);
	script_result(-ENODEV);
	assert_int_equal(nl_ethtool_link(&eth, 7, &up, &known, &e), -ENODEV);
	has_text("ask ethtool for the link of interface 7: No such device");
	assert_false(known);
}

#define T(f) cmocka_unit_test_setup_teardown(f, script_setup, script_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_family),
		T(test_family_that_is_not_there),
		T(test_family_malformed),
		T(test_speeds),
		T(test_no_speed_in_the_reply),
		T(test_malformed_replies),
		T(test_cut_at_every_length),
		T(test_ask),
		T(test_driver_without_speeds_and_no_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
