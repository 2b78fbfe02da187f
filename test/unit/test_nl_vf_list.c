/* SPDX-License-Identifier: MIT */
/* src/nl/vf.c: a PF with its VFs by name: the request, and what is refused before it is sent. */
#include "unit.h"

#include "nl/vf.h"
#include "nl_script.h"

#define CAP 8

static struct nl_vf vfs[CAP];
static size_t n;

static void test_list_by_name(void **state)
{
	static const char *const no_names[] = {"", "a/b", "sixteen-bytes-00", ".."};
	struct nl_link pf;

	(void)state;
	mb_pf(script_step(), 3, false);
	script_result(0);
	assert_int_equal(nl_vf_list_name(&script.sock, "enp4s0f0", &pf, vfs, CAP, &n, &e), 0);
	assert_int_equal(n, 3);
	assert_true(pf.ifindex > 0 && pf.name[0] != '\0');
	assert_int_equal(script_sent(0)->nlmsg_type, RTM_GETLINK);
	assert_int_equal(script_sent(0)->nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK);
	assert_int_equal(script.sent[0][20], 0); /* ifi_index */
	assert_int_equal(script.sent[0][34], IFLA_IFNAME);
	assert_string_equal((const char *)script.sent[0] + 36, "enp4s0f0");
	script_result(-ENODEV);
	assert_int_equal(nl_vf_list_name(&script.sock, "enp4s0f0", &pf, vfs, CAP, &n, &e), -ENODEV);
	assert_int_equal(n, 0);
	assert_string_equal(e.msg, "enp4s0f0: list VFs: No such device");
	for (size_t i = 0; i < ARRAY_LEN(no_names); i++) {
		assert_int_equal(
			nl_vf_list_name(&script.sock, no_names[i], &pf, vfs, CAP, &n, &e), -EINVAL);
	}
	assert_int_equal(script.sent_n, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_list_by_name, script_setup, script_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
