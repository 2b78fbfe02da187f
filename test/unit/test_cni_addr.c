/* SPDX-License-Identifier: MIT */
/* cni/addr.h: addresses as CNI writes them. */
#include "unit.h"

#include <string.h>
#include <sys/socket.h>

#include "cni/addr.h"

static struct nl_ip net(const char *text)
{
	struct nl_ip ip;

	assert_true(cni_net_parse(str_from(text), &ip));
	return ip;
}

static void refused(void **state)
{
	static const char *const bad[] = {"", "/", "/24", "10.0.0.1", "10.0.0.1/", "10.0.0.1/33",
		"10.0.0.1/-1", "10.0.0.1/24/24", "10.0.0/24", "10.0.0.1 /24", "2001:db8::1/129",
		"2001:db8:::1/64", "localhost/8", "10.0.0.1/4294967320",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999/64"};
	struct nl_ip ip = {.family = 7};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_false(cni_net_parse(str_from(bad[i]), &ip));
		assert_int_equal(ip.family, 7);
	}
	assert_false(cni_ip_parse(STR("10.0.0.1/24"), &ip));
	assert_false(cni_ip_parse(STR("10.0.0.1\0"), &ip));
	assert_int_equal(ip.family, 7);
}

static void read_and_written(void **state)
{
	static const char *const same[] = {"0.0.0.0/0", "10.56.0.7/24", "255.255.255.255/32",
		"::/0", "2001:db8::7/64", "fe80::1/128"};
	char text[64];
	struct nl_ip ip;
	struct buf b;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(same); i++) {
		ip = net(same[i]);
		buf_init(&b, text, sizeof(text));
		cni_net_write(&b, &ip);
		assert_true(str_eq_c(buf_str(&b), same[i]));
	}
	assert_true(cni_ip_parse(STR("2001:db8::1"), &ip));
	assert_int_equal(ip.family, AF_INET6);
	assert_int_equal(ip.prefix, 128);
}

static void compared(void **state)
{
	static const struct {
		const char *a, *b;
		bool ip, net;
	} rows[] = {
		{"10.1.2.3/24", "10.1.2.3/24", true, true},
		{"10.1.2.3/24", "10.1.2.3/16", true, false},
		{"10.1.2.3/24", "10.1.2.4/24", false, true},
		{"10.1.2.3/23", "10.1.3.3/23", false, true},
		{"10.1.2.3/23", "10.1.4.3/23", false, false},
		{"10.1.2.3/32", "10.1.2.2/32", false, false},
		{"10.1.2.3/0", "192.0.2.1/0", false, true},
		{"2001:db8::1/64", "2001:db8::1/64", true, true},
		{"2001:db8::1/64", "2001:db8::2/64", false, true},
		{"2001:db8::1/65", "2001:db8::8000:0:0:1/65", false, false},
		{"0.0.0.0/0", "::/0", false, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct nl_ip a = net(rows[i].a), b = net(rows[i].b);

		assert_int_equal(cni_ip_same(&a, &b), rows[i].ip);
		assert_int_equal(cni_ip_same(&b, &a), rows[i].ip);
		assert_int_equal(cni_net_same(&a, &b), rows[i].net);
		assert_int_equal(cni_net_same(&b, &a), rows[i].net);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused),
		cmocka_unit_test(read_and_written),
		cmocka_unit_test(compared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
