/* SPDX-License-Identifier: MIT */
/* src/nl/announce.c: the frames, byte by byte, and how they are sent. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <string.h>
#include <sys/socket.h>

#include "unit.h"

#include "nl/announce.h"

static const uint8_t mac[6] = {2, 0x11, 0x22, 0x33, 0x44, 0x55};

static struct {
	int error; /* sendto fails with it */
	int interrupted;
	uint8_t frame[NL_ANNOUNCE_CAP];
	size_t n;
	struct sockaddr_ll to;
} sent;

ssize_t __wrap_sendto(
	int fd, const void *p, size_t n, int flags, const struct sockaddr *to, socklen_t to_n);

ssize_t __wrap_sendto(
	int fd, const void *p, size_t n, int flags, const struct sockaddr *to, socklen_t to_n)
{
	assert_int_equal(fd, 9);
	assert_int_equal(flags, MSG_DONTWAIT);
	assert_int_equal(to_n, sizeof(sent.to));
	assert_true(n <= sizeof(sent.frame));
	if (sent.interrupted > 0) {
		sent.interrupted--;
		errno = EINTR;
		return -1;
	}
	if (sent.error != 0) {
		errno = sent.error;
		return -1;
	}
	memcpy(sent.frame, p, n);
	memcpy(&sent.to, to, sizeof(sent.to));
	sent.n = n;
	return (ssize_t)n;
}

static struct nl_ip ip(int family, const char *text)
{
	struct nl_ip out = {.family = (uint8_t)family};

	assert_int_equal(inet_pton(family, text, out.ip), 1);
	return out;
}

static void test_arp(void **state)
{
	static const uint8_t want[42] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0x11, 0x22, 0x33,
		0x44, 0x55, 8, 6,                             /* */
		0, 1, 8, 0, 6, 4, 0, 1,                       /* */
		2, 0x11, 0x22, 0x33, 0x44, 0x55, 10, 9, 0, 2, /* */
		0, 0, 0, 0, 0, 0, 10, 9, 0, 2};
	const struct nl_ip a = ip(AF_INET, "10.9.0.2");
	uint8_t frame[NL_ANNOUNCE_CAP];
	struct err e;

	(void)state;
	assert_int_equal(nl_announce_build(&a, mac, frame, &e), sizeof(want));
	assert_memory_equal(frame, want, sizeof(want));
}

static uint32_t ones_sum(const uint8_t *p, size_t n, uint32_t sum)
{
	for (size_t i = 0; i < n; i += 2) {
		sum += (uint32_t)(p[i] << 8 | p[i + 1]);
	}
	while (sum > 0xffff) {
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return sum;
}

static void test_neighbour_advertisement(void **state)
{
	static const uint8_t head[] = {0x33, 0x33, 0, 0, 0, 1, 2, 0x11, 0x22, 0x33, 0x44, 0x55,
		0x86, 0xdd, 0x60, 0, 0, 0, 0, 32, 58, 255};
	static const uint8_t option[] = {2, 1, 2, 0x11, 0x22, 0x33, 0x44, 0x55};
	static const char *const addresses[] = {
		"fd00:9::2", "2001:db8::ffff:ffff", "::", "fe80::1"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
		const struct nl_ip a = ip(AF_INET6, addresses[i]), all = ip(AF_INET6, "ff02::1");
		uint8_t f[NL_ANNOUNCE_CAP];
		struct err e;

		assert_int_equal(nl_announce_build(&a, mac, f, &e), 86);
		assert_memory_equal(f, head, sizeof(head));
		assert_memory_equal(f + 22, a.ip, 16);
		assert_memory_equal(f + 38, all.ip, 16);
		assert_int_equal(f[54], 136);
		assert_int_equal(f[58], 0x20); /* override; neither router nor solicited */
		assert_memory_equal(f + 62, a.ip, 16);
		assert_memory_equal(f + 78, option, sizeof(option));
		/* With its checksum in it the whole sums up to all ones. */
		assert_int_equal(ones_sum(f + 54, 32, ones_sum(f + 22, 32, 32 + 58)), 0xffff);
	}
}

static void test_other_families(void **state)
{
	const struct nl_ip a = {.family = AF_UNIX};
	uint8_t frame[NL_ANNOUNCE_CAP];
	struct err e;

	(void)state;
	assert_int_equal(nl_announce_build(&a, mac, frame, &e), -EINVAL);
	assert_int_equal(nl_announce(9, 5, &a, mac, &e), -EINVAL);
}

static void test_sent_to_the_frame_s_destination(void **state)
{
	const struct nl_ip a = ip(AF_INET, "10.9.0.2");
	struct err e;

	(void)state;
	memset(&sent, 0, sizeof(sent));
	sent.interrupted = 2;
	assert_int_equal(nl_announce(9, 5, &a, mac, &e), 0);
	assert_int_equal(sent.n, 42);
	assert_int_equal(sent.to.sll_family, AF_PACKET);
	assert_int_equal(sent.to.sll_ifindex, 5);
	assert_int_equal(sent.to.sll_protocol, htons(0x0806));
	assert_int_equal(sent.to.sll_addr[0], 0xff);
}

static void test_interface_down(void **state)
{
	const struct nl_ip a = ip(AF_INET6, "fd00::1");
	struct err e;

	(void)state;
	memset(&sent, 0, sizeof(sent));
	sent.error = ENETDOWN;
	assert_int_equal(nl_announce(9, 5, &a, mac, &e), -ENETDOWN);
	assert_non_null(strstr(e.msg, "interface 5"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arp),
		cmocka_unit_test(test_neighbour_advertisement),
		cmocka_unit_test(test_other_families),
		cmocka_unit_test(test_sent_to_the_frame_s_destination),
		cmocka_unit_test(test_interface_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
