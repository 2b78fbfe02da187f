/* SPDX-License-Identifier: MIT */
/* Requests and replies of src/nl/sock.c, by script. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "nl/sock.h"
#include "nl_script.h"

static struct {
	size_t n, restarts;
	int fail_at; /* 1-based: refuse that message */
	uint16_t types[16];
} got;

static int take(const struct nlmsghdr *nlh, void *arg, struct err *err)
{
	assert_ptr_equal(arg, &got);
	got.types[got.n++ % 16] = nlh->nlmsg_type;
	if (got.fail_at != 0 && got.n == (size_t)got.fail_at) {
		return err_set(err, ERANGE, "the reader says no");
	}
	return 0;
}

static void forget(void *arg)
{
	(void)arg;
	got.n = 0;
	got.restarts++;
}

static int setup(void **state)
{
	memset(&got, 0, sizeof(got));
	return script_setup(state);
}

static int request(uint16_t flags)
{
	static uint8_t mem[64] __attribute__((aligned(4)));
	struct nlmsghdr *req = (void *)mem;
	struct nlattr a = {8, 29};
	const struct nl_reader r = {take, forget, &got};

	memset(mem, 0, sizeof(mem));
	req->nlmsg_len = 16 + 16 + 8;
	req->nlmsg_type = RTM_GETLINK;
	req->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	memcpy(mem + 32, &a, sizeof(a));
	e = (struct err)ERR_INIT;
	return nl_request(&script.sock, req, &r, "test it", &e);
}

#define FAILS(call, code_, text)                                                                   \
	do {                                                                                       \
		assert_int_equal((call), -(code_));                                                \
		assert_int_equal(e.code, (code_));                                                 \
		has_text(text);                                                                    \
	} while (0)

static void test_answer_then_ack(void **state)
{
	(void)state;
	mb_link(script_step(), 1, "lo");
	script_result(0);
	assert_int_equal(request(0), 0);
	assert_int_equal(got.n, 1);
	assert_int_equal(script_sent(0)->nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK);
	assert_int_equal(script_sent(0)->nlmsg_pid, script.sock.portid);
	assert_false(script.sock.stale);
}

static void test_dump_over_two_datagrams(void **state)
{
	struct mb *m = script_step();

	(void)state;
	mb_link(m, 1, "lo");
	mb_link(m, 2, "a");
	m = script_step();
	mb_link(m, 3, "b");
	mb_done(m, 0, 0);
	assert_int_equal(request(NLM_F_DUMP), 0);
	assert_int_equal(got.n, 3);
	assert_int_equal(got.restarts, 0);
	assert_int_equal(script_sent(0)->nlmsg_flags, NLM_F_REQUEST | NLM_F_DUMP);
}

static void test_refusal_names_reason_and_attribute(void **state)
{
	struct mb *m = script_result(-EINVAL);

	(void)state;
	mb_str(m, NLMSGERR_ATTR_MSG, "VF is in use");
	mb_u32(m, NLMSGERR_ATTR_OFFS, 32);
	FAILS(request(0), EINVAL,
		"test it: Invalid argument: VF is in use (attribute 29 at byte 32)");
	assert_false(script.sock.stale);
}

static void test_refusal_behind_a_copy_of_the_request(void **state)
{
	struct mb *m = script_step();
	struct nlmsgerr v = {.error = -EPERM, .msg = {.nlmsg_len = 42}};
	uint8_t rest[26] = {0};

	(void)state;
	mb_msg(m, NLMSG_ERROR, NLM_F_ACK_TLVS, &v, sizeof(v));
	mb_raw(m, rest, sizeof(rest));
	mb_str(m, NLMSGERR_ATTR_MSG, "not for you");
	FAILS(request(0), EPERM, "Operation not permitted: not for you");
}

static void test_refusal_with_broken_explanations(void **state)
{
	static const struct nlattr beyond = {200, NLMSGERR_ATTR_MSG};
	struct mb *m = script_result(-EBUSY);

	(void)state;
	mb_u16(m, NLMSGERR_ATTR_OFFS, 32); /* wrong size */
	mb_attr(m, NLMSGERR_ATTR_MSG, "no end", 6);
	mb_raw(m, &beyond, sizeof(beyond));
	mb_end(m);
	FAILS(request(0), EBUSY, "test it: Device or resource busy: no end");
	assert_null(strstr(e.msg, "attribute"));
}

static void test_refusal_offset_outside_the_request(void **state)
{
	static const uint32_t offs[] = {0, 3, 37, 40, 41, UINT32_MAX};

	for (size_t i = 0; i < sizeof(offs) / sizeof(offs[0]); i++) {
		struct mb *m;

		script_teardown(state);
		setup(state);
		m = script_result(-EINVAL);
		mb_u32(m, NLMSGERR_ATTR_OFFS, offs[i]);
		FAILS(request(0), EINVAL, "test it: Invalid argument");
		assert_null(strstr(e.msg, "attribute"));
	}
}

static void test_refusal_missing_attribute(void **state)
{
	struct mb *m = script_result(-EINVAL);

	(void)state;
	mb_u32(m, NLMSGERR_ATTR_MISS_TYPE, 12);
	FAILS(request(0), EINVAL, "(attribute 12 is missing)");
}

static void test_refusal_without_tlv_flag_has_no_text(void **state)
{
	struct mb *m = script_result(-EINVAL);

	(void)state;
	mb_str(m, NLMSGERR_ATTR_MSG, "garbage");
	mb_hdr(m)->nlmsg_flags = NLM_F_CAPPED;
	FAILS(request(0), EINVAL, "Invalid argument");
	assert_null(strstr(e.msg, "garbage"));
}

static void test_dump_that_ends_in_an_error(void **state)
{
	struct mb *m = script_step();

	(void)state;
	mb_link(m, 1, "lo");
	mb_done(m, NLM_F_ACK_TLVS, -ENOMEM);
	mb_str(m, NLMSGERR_ATTR_MSG, "no room");
	FAILS(request(NLM_F_DUMP), ENOMEM, "Cannot allocate memory: no room");
}

static void test_results_that_are_no_errno(void **state)
{
	static const int bad[] = {1, -4096, INT32_MIN};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		script_teardown(state);
		setup(state);
		script_result(bad[i]);
		FAILS(request(0), EBADMSG, "is no error number");
	}
}

static void test_result_cut_off(void **state)
{
	struct mb *m = script_step();
	uint8_t few[12] = {0};

	(void)state;
	mb_msg(m, NLMSG_ERROR, 0, few, sizeof(few));
	FAILS(request(0), EBADMSG, "result cut off");
}

static void test_late_answer_is_skipped(void **state)
{
	(void)state;
	mb_link(script_step(), 1, "lo");
	script.steps[0].seq_delta = (uint32_t)-1;
	mb_link(script_step(), 2, "a");
	script_result(0);
	assert_int_equal(request(0), 0);
	assert_int_equal(got.n, 1);
}

static void test_late_refusal_is_not_ours(void **state)
{
	(void)state;
	script_result(-EIO);
	script.steps[0].seq_delta = (uint32_t)-1;
	script_result(0);
	assert_int_equal(request(0), 0);
}

static void test_only_wrong_sequence_numbers(void **state)
{
	(void)state;
	script_result(0);
	script.steps[0].seq_delta = 1;
	FAILS(request(0), ETIMEDOUT, "no answer from the kernel within 40 ms");
	assert_true(script.sock.stale);
}

static void test_wrong_port(void **state)
{
	(void)state;
	mb_link(script_step(), 1, "lo");
	script.steps[0].pid_delta = 1;
	script_result(0);
	FAILS(request(0), EBADMSG, "answer for port");
	assert_int_equal(got.n, 0);
}

static void test_other_sender_is_ignored(void **state)
{
	(void)state;
	script_result(-EIO);
	script.steps[0].from = 4711;
	script_result(0);
	assert_int_equal(request(0), 0);
}

static void test_truncated_reply_is_an_error(void **state)
{
	(void)state;
	mb_link(script_step(), 1, "lo");
	script.steps[0].truncated = true;
	script_result(0);
	FAILS(request(0), EMSGSIZE, "reply larger than 524288 bytes");
	assert_int_equal(got.n, 0);
	assert_true(script.sock.stale);
}

static void test_after_failure_old_replies_are_drained(void **state)
{
	(void)state;
	FAILS(request(0), ETIMEDOUT, "no answer");
	assert_int_equal(script.drained, 0);
	script_result(0);
	assert_int_equal(request(0), 0);
	assert_int_equal(script.drained, 1);
	assert_true(script_sent(1)->nlmsg_seq != script_sent(0)->nlmsg_seq);
}

static void dump_step(uint16_t flags)
{
	struct mb *m = script_step();

	mb_link(m, 1, "lo");
	mb_hdr(m)->nlmsg_flags |= flags;
	mb_link(m, 2, "a");
	mb_done(m, 0, 0);
}

static void test_interrupted_dump_is_repeated(void **state)
{
	(void)state;
	dump_step(NLM_F_DUMP_INTR);
	dump_step(0);
	assert_int_equal(request(NLM_F_DUMP), 0);
	assert_int_equal(got.n, 2);
	assert_int_equal(got.restarts, 1);
	assert_int_equal(script.sent_n, 2);
}

static void test_interrupted_mark_on_the_last_message(void **state)
{
	struct mb *m = script_step();

	(void)state;
	mb_link(m, 1, "lo");
	mb_done(m, NLM_F_DUMP_INTR, 0);
	dump_step(0);
	assert_int_equal(request(NLM_F_DUMP), 0);
	assert_int_equal(got.n, 2);
	assert_int_equal(got.restarts, 1);
}

static void test_dump_interrupted_for_ever(void **state)
{
	(void)state;
	for (int i = 0; i < NL_DUMP_TRIES + 1; i++) {
		dump_step(NLM_F_DUMP_INTR);
	}
	FAILS(request(NLM_F_DUMP), EINTR, "test it: the list changed while it was read, 3 times");
	assert_int_equal(script.sent_n, NL_DUMP_TRIES);
}

static void test_reader_failure_reads_the_dump_to_its_end(void **state)
{
	(void)state;
	dump_step(0);
	got.fail_at = 1;
	FAILS(request(NLM_F_DUMP), ERANGE, "the reader says no");
	assert_int_equal(got.n, 1);
	assert_int_equal(script.at, script.n);
	assert_false(script.sock.stale);
}

static void test_reader_failure_wins_over_what_follows(void **state)
{
	struct mb *m = script_step();

	(void)state;
	mb_link(m, 1, "lo");
	got.fail_at = 1;
	FAILS(request(0), ERANGE, "the reader says no"); /* and then no acknowledgement comes */
	assert_true(script.sock.stale);
}

static void test_interrupted_and_unready_receives(void **state)
{
	(void)state;
	script_step();
	script.steps[0].error = EINTR;
	script_step();
	script.steps[1].error = EAGAIN;
	script.poll_error = EINTR;
	script_result(0);
	script.send_error = EINTR;
	assert_int_equal(request(0), 0);
	assert_int_equal(script.sent_n, 1);
}

static void test_no_answer(void **state)
{
	(void)state;
	FAILS(request(0), ETIMEDOUT, "test it: no answer from the kernel within 40 ms");
}

/* The kernel got its lock only after our time was up, but its answer is there. */
static void test_request_that_took_longer_than_the_timeout(void **state)
{
	(void)state;
	script.send_us = 2 * 1000 * SCRIPT_TIMEOUT_MS;
	mb_link(script_step(), 1, "lo");
	script_result(0);
	assert_int_equal(request(0), 0);
	assert_int_equal(got.n, 1);
}

static void test_dump_without_end(void **state)
{
	(void)state;
	mb_link(script_step(), 1, "lo");
	FAILS(request(NLM_F_DUMP), ETIMEDOUT, "no answer");
}

static void test_system_errors(void **state)
{
	script_step();
	script.steps[0].error = ENOBUFS;
	FAILS(request(0), ENOBUFS, "the kernel ran out of room and dropped replies");
	script_teardown(state);
	setup(state);
	script_step();
	script.steps[0].error = ECONNREFUSED;
	FAILS(request(0), ECONNREFUSED, "test it: receive: Connection refused");
	script_teardown(state);
	setup(state);
	script.send_error = EPERM;
	FAILS(request(0), EPERM, "test it: send: Operation not permitted");
	script.poll_error = EINVAL;
	FAILS(request(0), EINVAL, "test it: wait for the kernel");
}

static void test_closed_socket(void **state)
{
	(void)state;
	nl_sock_close(&script.sock);
	FAILS(request(0), EBADF, "not open");
	nl_sock_close(&script.sock); /* twice is fine */
}

static void test_overrun_and_control_messages(void **state)
{
	uint8_t none[4] = {0};

	mb_msg(script_step(), NLMSG_NOOP, 0, none, 4);
	mb_msg(script_step(), NLMSG_OVERRUN, 0, none, 4);
	FAILS(request(0), ENOBUFS, "the kernel lost data");
	script_teardown(state);
	setup(state);
	mb_msg(script_step(), 9, 0, none, 4);
	FAILS(request(0), EBADMSG, "control message 9");
	assert_int_equal(got.n, 0);
}

/* One good message, then bytes that are none: nlmsg_len of 0, 15, beyond the end; a short rest. */
static void test_malformed_datagrams(void **state)
{
	static const uint32_t lens[] = {0, 15, 17, UINT32_MAX};

	for (size_t i = 0; i < 4; i++) {
		struct mb *m;

		script_teardown(state);
		setup(state);
		m = script_step();
		mb_link(m, 1, "lo");
		mb_msg(m, RTM_NEWLINK, 0, NULL, 0);
		mb_hdr(m)->nlmsg_len = lens[i];
		FAILS(request(NLM_F_DUMP), EBADMSG, "16 bytes that are no message");
	}
	for (size_t rest = 1; rest < 16; rest++) {
		struct mb *m;

		script_teardown(state);
		setup(state);
		m = script_step();
		mb_link(m, 1, "lo");
		m->n += rest;
		FAILS(request(NLM_F_DUMP), EBADMSG, "bytes that are no message");
	}
	script_teardown(state);
	setup(state);
	script_step();
	FAILS(request(0), EBADMSG, "empty reply");
}

static void test_open(void **state)
{
	struct nl_sock s;

	(void)state;
	e = (struct err)ERR_INIT;
	assert_int_equal(nl_sock_open(&s, 31, 0, &e), -EPROTONOSUPPORT);
	assert_int_equal(s.fd, -1);
	assert_non_null(strstr(e.msg, "protocol 31"));
	nl_sock_close(&s);
	assert_int_equal(nl_sock_open(&s, NETLINK_GENERIC, 0, &e), 0);
	assert_int_equal(s.timeout_ms, NL_TIMEOUT_MS_DEFAULT);
	assert_true((fcntl(s.fd, F_GETFD) & FD_CLOEXEC) != 0);
	assert_true(s.portid != 0);
	nl_sock_close(&s);
	assert_int_equal(s.fd, -1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, script_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_answer_then_ack),
		T(test_dump_over_two_datagrams),
		T(test_refusal_names_reason_and_attribute),
		T(test_refusal_behind_a_copy_of_the_request),
		T(test_refusal_with_broken_explanations),
		T(test_refusal_offset_outside_the_request),
		T(test_refusal_missing_attribute),
		T(test_refusal_without_tlv_flag_has_no_text),
		T(test_dump_that_ends_in_an_error),
		T(test_results_that_are_no_errno),
		T(test_result_cut_off),
		T(test_late_answer_is_skipped),
		T(test_late_refusal_is_not_ours),
		T(test_only_wrong_sequence_numbers),
		T(test_wrong_port),
		T(test_other_sender_is_ignored),
		T(test_truncated_reply_is_an_error),
		T(test_after_failure_old_replies_are_drained),
		T(test_interrupted_dump_is_repeated),
		T(test_interrupted_mark_on_the_last_message),
		T(test_dump_interrupted_for_ever),
		T(test_reader_failure_reads_the_dump_to_its_end),
		T(test_reader_failure_wins_over_what_follows),
		T(test_interrupted_and_unready_receives),
		T(test_no_answer),
		T(test_request_that_took_longer_than_the_timeout),
		T(test_dump_without_end),
		T(test_system_errors),
		T(test_closed_socket),
		T(test_overrun_and_control_messages),
		T(test_malformed_datagrams),
		T(test_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
