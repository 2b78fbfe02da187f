/* SPDX-License-Identifier: MIT */
/* base/parse.h: MAC, PCI and socket addresses, interface names. */
#include "unit.h"

#include <errno.h>

#include "base/parse.h"
#include "guard.h"

static char out[128];

static struct buf fresh(void)
{
	struct buf b;

	buf_init(&b, out, sizeof(out));
	return b;
}

static void test_mac(void **state)
{
	static const char *const bad[] = {"", "aa:bb:cc:dd:ee", "aa:bb:cc:dd:ee:f",
		"aa:bb:cc:dd:ee:ff:", "aa:bb:cc:dd:ee:ff:00", "aa-bb-cc-dd-ee-ff", "aabbccddeeff",
		"ga:bb:cc:dd:ee:ff", "aa:bb:cc:dd:ee:fg", "aa:bb:cc:dd:ee-ff", " a:bb:cc:dd:ee:ff",
		"aa:bb:cc:dd:ee:ff ", "aa::bb:cc:dd:ee:f", "aabb.ccdd.eeff.00"};
	static const uint8_t want[6] = {0xaa, 0xb0, 0x0c, 0xdd, 0xee, 0x01};
	uint8_t mac[6] = {7, 7, 7, 7, 7, 7};
	struct buf b = fresh();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct guard g = guard_copy(str_from(bad[i]));

		assert_false(parse_mac(g.s, mac));
		assert_int_equal(mac[0] + mac[5], 14);
		guard_free(&g);
	}
	assert_true(parse_mac(STR("aa:B0:0c:Dd:ee:01"), mac));
	assert_memory_equal(mac, want, 6);
	buf_add_mac(&b, mac);
	assert_true(str_eq_c(buf_str(&b), "aa:b0:0c:dd:ee:01"));
	assert_int_equal(b.n, MAC_TEXT_LEN);
	assert_false(mac_is_zero(mac));
	assert_true(parse_mac(STR("00:00:00:00:00:00"), mac));
	assert_true(mac_is_zero(mac));
	mac[5] = 1;
	assert_false(mac_is_zero(mac));
}

static void test_guid(void **state)
{
	char exact[GUID_TEXT_LEN];
	struct buf b = fresh();

	(void)state;
	buf_add_guid(&b, 0x0200c9fffe00a1f3u);
	assert_true(str_eq_c(buf_str(&b), "02:00:c9:ff:fe:00:a1:f3"));
	buf_init(&b, exact, sizeof(exact) - 1);
	buf_add_guid(&b, 0);
	assert_false(buf_ok(&b));
	buf_init(&b, exact, sizeof(exact));
	buf_add_guid(&b, 0);
	assert_true(buf_ok(&b) && str_eq_c(buf_str(&b), "00:00:00:00:00:00:00:00"));
}

static void test_pci(void **state)
{
	static const char *const bad[] = {"", "0000:00:00", "00:00.0", "000:00:00.0",
		"000000000:00:00.0", "0000:0:00.0", "0000:000:00.0", "0000:00:0.0", "0000:00:000.0",
		"0000:00:00.", "0000:00:00.00", "0000:00:00.8", "0000:00:20.0", "0000:00:00:0",
		"0000.00:00.0", "g000:00:00.0", "0000:g0:00.0", "0000:00:g0.0", "0000:00:00.g",
		" 0000:00:00.0", "0000:00:00.0 ", "0000:00:00.0\n", "-000:00:00.0",
		"../../00:00.0"};
	struct pci_addr a = {7, 7, 7, 7};
	struct buf b = fresh();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct guard g = guard_copy(str_from(bad[i]));

		assert_false(parse_pci(g.s, &a));
		assert_true(a.domain == 7 && a.bus == 7 && a.dev == 7 && a.fn == 7);
		guard_free(&g);
	}
	assert_true(parse_pci(STR("0000:3b:1f.7"), &a));
	assert_true(a.domain == 0 && a.bus == 0x3b && a.dev == 0x1f && a.fn == 7);
	buf_add_pci(&b, &a);
	assert_true(str_eq_c(buf_str(&b), "0000:3b:1f.7"));
	assert_true(parse_pci(STR("10000:E1:00.0"), &a));
	assert_true(a.domain == 0x10000 && a.bus == 0xe1);
	b = fresh();
	buf_add_pci(&b, &a);
	assert_true(str_eq_c(buf_str(&b), "10000:e1:00.0"));
	assert_true(parse_pci(STR("ffffffff:ff:1f.7"), &a));
	assert_true(a.domain == UINT32_MAX);
}

static void test_ifname(void **state)
{
	static const char *const bad[] = {"", ".", "..", "a/b", "../x", "/", "a:1", ":", "a b", " ",
		"a\t", "a\n", "a\x01", "a\x7f", "a\xa0", "1234567890123456"};
	static const char *const good[] = {"a", "eth0", "enp4s0f0np0", "123456789012345", "...",
		"a.b", "eth0.100", "veth-x_y", "100", "caf\xc3\xa9", "%d", "-x"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct guard g = guard_copy(str_from(bad[i]));

		assert_false(parse_ifname(g.s));
		guard_free(&g);
	}
	assert_false(parse_ifname(STR("a\0b")));
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_true(parse_ifname(str_from(good[i])));
	}
}

static void test_listen(void **state)
{
	static const struct {
		const char *text, *shown;
	} cases[] = {
		{"80", "[::]:80"},
		{":80", "[::]:80"},
		{"0", "[::]:0"},
		{":65535", "[::]:65535"},
		{"1.2.3.4:80", "1.2.3.4:80"},
		{"0.0.0.0:1", "0.0.0.0:1"},
		{"[::]:80", "[::]:80"},
		{"[::1]:80", "[::1]:80"},
		{"[2001:DB8::0:1]:443", "[2001:db8::1]:443"},
		{"[::ffff:1.2.3.4]:5", "[::ffff:1.2.3.4]:5"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct sock_addr a;
		struct buf b = fresh();
		struct err e = ERR_INIT;

		assert_int_equal(parse_listen(str_from(cases[i].text), &a, &e), 0);
		buf_add_sock_addr(&b, &a);
		assert_true(str_eq_c(buf_str(&b), cases[i].shown));
		assert_int_equal(
			a.len, a.u.sa.sa_family == AF_INET ? sizeof(a.u.in) : sizeof(a.u.in6));
	}
}

static void test_no_listen(void **state)
{
	static const struct {
		const char *text, *reason;
	} cases[] = {
		{"", "'': port must be a number from 0 to 65535"},
		{":", "':': port must be a number from 0 to 65535"},
		{"x", "'x': port must be a number from 0 to 65535"},
		{"65536", "'65536': port must be a number from 0 to 65535"},
		{"-1", "'-1': port must be a number from 0 to 65535"},
		{"80 ", "'80 ': port must be a number from 0 to 65535"},
		{"1.2.3.4", "'1.2.3.4': port must be a number from 0 to 65535"},
		{"1.2.3.4:", "'1.2.3.4:': port must be a number from 0 to 65535"},
		{"1.2.3.4:http", "'1.2.3.4:http': port must be a number from 0 to 65535"},
		{"::1:80", "'::1:80': port must be a number from 0 to 65535"},
		{"localhost:80", "'localhost:80': 'localhost' is not an IPv4 address"},
		{"1.2.3:80", "'1.2.3:80': '1.2.3' is not an IPv4 address"},
		{"1.2.3.4.5:80", "'1.2.3.4.5:80': '1.2.3.4.5' is not an IPv4 address"},
		{" 1.2.3.4:80", "' 1.2.3.4:80': ' 1.2.3.4' is not an IPv4 address"},
		{"[]:80", "'[]:80': '' is not an IPv6 address"},
		{"[1.2.3.4]:80", "'[1.2.3.4]:80': '1.2.3.4' is not an IPv6 address"},
		{"[::1%lo]:80", "'[::1%lo]:80': '::1%lo' is not an IPv6 address"},
		{"[::1]", "'[::1]': expected ADDR:PORT or [IPV6]:PORT"},
		{"[::1]80", "'[::1]80': expected ADDR:PORT or [IPV6]:PORT"},
		{"[::1", "'[::1': expected ADDR:PORT or [IPV6]:PORT"},
		{"[", "'[': expected ADDR:PORT or [IPV6]:PORT"},
		{"[::1]:", "'[::1]:': port must be a number from 0 to 65535"},
		{"[11111111111111111111111111111111111111111111111111]:1",
			"'[11111111111111111111111111111111111111111111111111]:1': address is too "
			"long"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct guard g = guard_copy(str_from(cases[i].text));
		struct sock_addr a = {.len = 7};
		struct err e = ERR_INIT;

		assert_int_equal(parse_listen(g.s, &a, &e), -EINVAL);
		assert_string_equal(e.msg, cases[i].reason);
		assert_int_equal(a.len, 7);
		guard_free(&g);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mac),
		cmocka_unit_test(test_guid),
		cmocka_unit_test(test_pci),
		cmocka_unit_test(test_ifname),
		cmocka_unit_test(test_listen),
		cmocka_unit_test(test_no_listen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
