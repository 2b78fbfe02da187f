/* SPDX-License-Identifier: MIT */
/* src/nl/neigh.c: the two requests, and what is refused before anything is sent. */
#include <linux/neighbour.h>

#include "unit.h"

#include "nl/neigh.h"
#include "nl_script.h"

static const struct nl_ip ip4 = {.family = AF_INET, .prefix = 24, .ip = {10, 9, 0, 2}};

static void sent(size_t i, uint16_t type, uint16_t flags, uint8_t ndm_flags)
{
	const struct {
		struct ndmsg ndm;
		struct nlattr dst;
		uint8_t ip[4];
	} want = {{.ndm_family = AF_INET, .ndm_ifindex = 5, .ndm_flags = ndm_flags}, {8, NDA_DST},
		{10, 9, 0, 2}};

	assert_int_equal(script_sent(i)->nlmsg_type, type);
	assert_int_equal(script_sent(i)->nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK | flags);
	assert_int_equal(script_sent(i)->nlmsg_len, 16 + sizeof(want));
	assert_memory_equal(script.sent[i] + 16, &want, sizeof(want));
}

static void test_asked_for_and_forgotten(void **state)
{
	(void)state;
	script_result(0);
	script_result(0);
	assert_int_equal(nl_neigh_announce(&script.sock, 5, &ip4, &e), 0);
	assert_int_equal(script.sent_n, 2);
	sent(0, RTM_NEWNEIGH, NLM_F_CREATE, NTF_USE);
	sent(1, RTM_DELNEIGH, 0, 0);
}

static void test_forgotten_already(void **state)
{
	(void)state;
	script_result(0);
	script_result(-ENOENT);
	assert_int_equal(nl_neigh_announce(&script.sock, 5, &ip4, &e), 0);
}

static void test_refused(void **state)
{
	struct nl_ip ip6 = ip4;

	(void)state;
	script_result(-ENETDOWN);
	assert_int_equal(nl_neigh_announce(&script.sock, 5, &ip4, &e), -ENETDOWN);
	has_text("announce an address on interface 5: Network is down");
	script_result(0);
	script_result(-EPERM);
	assert_int_equal(nl_neigh_announce(&script.sock, 5, &ip4, &e), -EPERM);
	ip6.family = AF_INET6;
	assert_int_equal(nl_neigh_announce(&script.sock, 5, &ip6, &e), -EINVAL);
	assert_int_equal(nl_neigh_announce(&script.sock, 0, &ip4, &e), -EINVAL);
	assert_int_equal(script.sent_n, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_asked_for_and_forgotten, script_setup, script_teardown),
		cmocka_unit_test_setup_teardown(
			test_forgotten_already, script_setup, script_teardown),
		cmocka_unit_test_setup_teardown(test_refused, script_setup, script_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
