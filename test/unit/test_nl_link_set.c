/* SPDX-License-Identifier: MIT */
/* src/nl/link_set.c: the bytes of each request, and what is refused before it is sent. */
#include <net/if.h>

#include "unit.h"

#include "nl/devconf.h"
#include "nl/link.h"
#include "nl_script.h"

/* The request i: type, for interface 5, with exactly these attributes behind the header. */
static void sent(size_t i, uint16_t type, uint16_t flags, const void *attrs, size_t n)
{
	struct ifinfomsg ifi;

	assert_int_equal(script_sent(i)->nlmsg_type, type);
	assert_int_equal(script_sent(i)->nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK | flags);
	memcpy(&ifi, script.sent[i] + 16, sizeof(ifi));
	assert_int_equal(ifi.ifi_index, 5);
	assert_int_equal(script_sent(i)->nlmsg_len, 32 + n);
	assert_memory_equal(script.sent[i] + 32, attrs, n);
}

static void test_move(void **state)
{
	static const struct {
		struct nlattr fd_a;
		uint32_t fd;
		struct nlattr name_a;
		char name[12];
	} want = {{8, IFLA_NET_NS_FD}, 17, {4 + 9, IFLA_IFNAME}, "frl00180"};

	(void)state;
	script_result(0);
	assert_int_equal(nl_link_move(&script.sock, 5, 17, "frl00180", &e), 0);
	sent(0, RTM_SETLINK, 0, &want, sizeof(want));
	script_result(-EEXIST);
	assert_int_equal(nl_link_move(&script.sock, 5, 17, "frl00180", &e), -EEXIST);
	has_text("move interface 5 to its namespace as frl00180: File exists");
}

static void test_devconf(void **state)
{
	/* three nests, NLA_F_NESTED: interface settings, of IPv4, the list */
	static const uint32_t want[] = {28 | (uint32_t)(IFLA_AF_SPEC | 0x8000) << 16,
		24 | (uint32_t)(2 | 0x8000) << 16, 20 | (uint32_t)(1 | 0x8000) << 16, 8 | 19u << 16,
		1, 8 | 18u << 16, 2};
	static const struct nl_devconf conf[] = {{19, 1}, {18, 2}};

	(void)state;
	script_result(0);
	assert_int_equal(nl_devconf_set(&script.sock, 5, conf, 2, &e), 0);
	sent(0, RTM_SETLINK, 0, want, sizeof(want));
	script_result(-EAFNOSUPPORT);
	assert_int_equal(nl_devconf_set(&script.sock, 5, conf, 2, &e), -EAFNOSUPPORT);
	has_text("set IPv4 settings of interface 5: Address family not supported");
	assert_int_equal(nl_devconf_set(&script.sock, 0, conf, 2, &e), -EINVAL);
}

/* Settings 1 to n of IPv4, beside those of another family; n 0: of that alone. */
static void answer(uint16_t list, size_t n, size_t cut)
{
	struct ifinfomsg ifi = {.ifi_index = 5};
	uint32_t value[40], *p = value;
	struct mb *mb = script_step();

	assert_true(n <= 32);
	*p++ = 8 | 10u << 16; /* AF_INET6, 4 bytes */
	*p++ = 7;
	if (n > 0) {
		*p++ = (uint32_t)(8 + 4 * n) | 2u << 16; /* AF_INET */
		*p++ = (uint32_t)(4 + 4 * n) | (uint32_t)list << 16;
		for (uint32_t i = 0; i < n; i++) {
			*p++ = 100 + i;
		}
	}
	mb_msg(mb, RTM_NEWLINK, 0, &ifi, sizeof(ifi));
	mb_attr(mb, IFLA_IFNAME, "eth0", 5);
	mb_attr(mb, IFLA_AF_SPEC, value, (size_t)((char *)p - (char *)value) - cut);
	script_result(0);
}

static void test_devconf_read(void **state)
{
	struct nl_devconf conf[] = {{19, 0}, {1, 0}, {32, 0}};

	(void)state;
	answer(1, 32, 0);
	assert_int_equal(nl_devconf_get(&script.sock, 5, conf, 3, &e), 0);
	assert_int_equal(conf[0].value, 118);
	assert_int_equal(conf[1].value, 100);
	assert_int_equal(conf[2].value, 131);
	assert_int_equal(script_sent(0)->nlmsg_type, RTM_GETLINK);
	answer(1, 31, 0);
	assert_int_equal(nl_devconf_get(&script.sock, 5, conf, 3, &e), -ENODATA);
	has_text("IPv4 setting 32");
	answer(3, 32, 0);
	assert_int_equal(nl_devconf_get(&script.sock, 5, conf, 3, &e), -ENODATA);
	answer(1, 0, 0);
	assert_int_equal(nl_devconf_get(&script.sock, 5, conf, 3, &e), -ENODATA);
	has_text("has no IPv4");
}

static void test_devconf_malformed(void **state)
{
	struct nl_devconf conf[] = {{19, 0}};

	(void)state;
	answer(1, 32, 4); /* shorter than it says */
	assert_int_equal(nl_devconf_get(&script.sock, 5, conf, 1, &e), -EBADMSG);
	script_result(-ENODEV);
	assert_int_equal(nl_devconf_get(&script.sock, 5, conf, 1, &e), -ENODEV);
	has_text("read IPv4 settings of interface 5");
	assert_int_equal(nl_devconf_get(&script.sock, 0, conf, 1, &e), -EINVAL);
	conf[0].number = 0;
	answer(1, 32, 0);
	assert_int_equal(nl_devconf_get(&script.sock, 5, conf, 1, &e), -ENODATA);
}

static void test_mtu(void **state)
{
	static const uint32_t want[] = {8 | IFLA_MTU << 16, 9000};

	(void)state;
	script_result(0);
	assert_int_equal(nl_link_set_mtu(&script.sock, 5, 9000, &e), 0);
	sent(0, RTM_SETLINK, 0, want, sizeof(want));
	script_result(-EINVAL);
	assert_int_equal(nl_link_set_mtu(&script.sock, 5, 9000, &e), -EINVAL);
	has_text("set MTU of interface 5 to 9000: Invalid argument");
}

static void test_flags_touch_only_the_mask(void **state)
{
	struct ifinfomsg ifi;

	(void)state;
	script_result(0);
	assert_int_equal(nl_link_set_flags(&script.sock, 5, IFF_UP | IFF_PROMISC,
				 IFF_PROMISC | IFF_ALLMULTI, &e),
		0);
	sent(0, RTM_SETLINK, 0, "", 0);
	memcpy(&ifi, script.sent[0] + 16, sizeof(ifi));
	assert_int_equal(ifi.ifi_change, IFF_PROMISC | IFF_ALLMULTI);
	assert_int_equal(ifi.ifi_flags, IFF_PROMISC);
}

static void test_altnames(void **state)
{
	static const struct {
		struct nlattr list, a;
		char name[12];
	} want = {{4 + 16, IFLA_PROP_LIST | NLA_F_NESTED}, {4 + 10, IFLA_ALT_IFNAME}, "enp1s0f0v"};

	(void)state;
	script_result(0);
	assert_int_equal(nl_link_add_altname(&script.sock, 5, "enp1s0f0v", &e), 0);
	sent(0, RTM_NEWLINKPROP, NLM_F_CREATE | NLM_F_EXCL | NLM_F_APPEND, &want, sizeof(want));
	script_result(0);
	assert_int_equal(nl_link_del_altname(&script.sock, 5, "enp1s0f0v", &e), 0);
	sent(1, RTM_DELLINKPROP, 0, &want, sizeof(want));
	script_result(-EEXIST);
	assert_int_equal(nl_link_add_altname(&script.sock, 5, "x", &e), -EEXIST);
	has_text("add alternative name x to interface 5: File exists");
	script_result(-ENOENT);
	assert_int_equal(nl_link_del_altname(&script.sock, 5, "x", &e), -ENOENT);
	has_text("remove alternative name x from interface 5: No such file");
}

static void test_the_longest_altname_fits(void **state)
{
	char name[NL_ALTNAME_CAP];

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	script_result(0);
	assert_int_equal(nl_link_add_altname(&script.sock, 5, name, &e), 0);
	assert_int_equal(script_sent(0)->nlmsg_len, 32 + 4 + 4 + 128);
}

static void test_impossible_arguments_are_not_sent(void **state)
{
	char name[NL_ALTNAME_CAP + 1];

	(void)state;
	memset(name, 'x', NL_ALTNAME_CAP);
	name[NL_ALTNAME_CAP] = '\0';
	assert_int_equal(nl_link_move(&script.sock, 0, 17, "a", &e), -EINVAL);
	assert_int_equal(nl_link_move(&script.sock, 0x80000000u, 17, "a", &e), -EINVAL);
	assert_int_equal(nl_link_move(&script.sock, 5, 17, "", &e), -EINVAL);
	assert_int_equal(nl_link_move(&script.sock, 5, 17, "..", &e), -EINVAL);
	assert_int_equal(nl_link_move(&script.sock, 5, 17, "0123456789abcdef", &e), -EINVAL);
	has_text("\"0123456789abcdef\" cannot be the name of an interface");
	assert_int_equal(nl_link_set_mtu(&script.sock, 0, 1500, &e), -EINVAL);
	assert_int_equal(nl_link_set_flags(&script.sock, 0, 0, IFF_PROMISC, &e), -EINVAL);
	assert_int_equal(nl_link_add_altname(&script.sock, 0, "a", &e), -EINVAL);
	assert_int_equal(nl_link_add_altname(&script.sock, 5, "", &e), -EINVAL);
	assert_int_equal(nl_link_add_altname(&script.sock, 5, name, &e), -EINVAL);
	assert_int_equal(nl_link_del_altname(&script.sock, 5, name, &e), -EINVAL);
	has_text("an alternative name has 1 to 127 bytes");
	assert_int_equal(script.sent_n, 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, script_setup, script_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_move),
		T(test_devconf),
		T(test_devconf_read),
		T(test_devconf_malformed),
		T(test_mtu),
		T(test_flags_touch_only_the_mask),
		T(test_altnames),
		T(test_the_longest_altname_fits),
		T(test_impossible_arguments_are_not_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
