/* SPDX-License-Identifier: MIT */
/* Answers of IPAM plugins, in every shape there has been. */
#include "unit.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "cni/addr.h"
#include "cni/ipam.h"

static char mem[1 << 20];
static struct cni_ipam r;
static struct err e;

static int parse(const char *text)
{
	struct arena a;

	arena_init(&a, mem, sizeof(mem));
	return cni_ipam_parse(&r, str_from(text), &a, &e);
}

static void is_net(const struct nl_ip *ip, const char *want)
{
	char text[64];
	struct buf b;

	buf_init(&b, text, sizeof(text));
	cni_net_write(&b, ip);
	assert_true(str_eq_c(buf_str(&b), want));
}

static void old_shape(void **state)
{
	(void)state;
	assert_int_equal(
		parse("{\"cniVersion\":\"0.2.0\",\"ip4\":{\"ip\":\"10.0.0.5/24\",\"gateway\":"
		      "\"10.0.0.1\",\"routes\":[{\"dst\":\"0.0.0.0/0\"}]},\"ip6\":{\"ip\":"
		      "\"fd00::5/64\",\"routes\":null},\"dns\":{\"nameservers\":[\"1.1.1.1\"]}}"),
		0);
	assert_int_equal(r.ip_n, 2);
	assert_int_equal(r.route_n, 1);
	is_net(&r.ip[0].addr, "10.0.0.5/24");
	is_net(&r.ip[1].addr, "fd00::5/64");
	assert_true(r.ip[0].has_gw);
	assert_false(r.ip[1].has_gw);
	assert_true(str_eq_c(r.dns, "{\"nameservers\":[\"1.1.1.1\"]}"));
	/* The route has no gateway of its own: its address's. */
	is_net(cni_ipam_gw(&r, &r.route[0]), "10.0.0.1/32");
}

static void new_shapes(void **state)
{
	static const char *const texts[] = {
		"{\"cniVersion\":\"0.4.0\",\"ips\":[{\"version\":\"4\",\"address\":\"10.0.0.5/"
		"24\"},"
		"{\"version\":\"6\",\"address\":\"fd00::5/"
		"64\",\"gateway\":\"fd00::1\"}],\"routes\":"
		"[{\"dst\":\"::/0\"},{\"dst\":\"10.1.0.0/16\",\"gw\":\"10.0.0.9\"}],\"dns\":{}}",
		"{\"cniVersion\":\"1.1.0\",\"ips\":[{\"address\":\"10.0.0.5/24\",\"gateway\":\"\"},"
		"{\"address\":\"fd00::5/64\",\"gateway\":\"fd00::1\"}],\"routes\":[{\"dst\":\"::/"
		"0\","
		"\"gw\":\"\"},{\"dst\":\"10.1.0.0/"
		"16\",\"gw\":\"10.0.0.9\",\"mtu\":1400,\"advmss\":9,"
		"\"priority\":7,\"table\":100,\"scope\":253}]}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		assert_int_equal(parse(texts[i]), 0);
		assert_int_equal(r.ip_n, 2);
		assert_int_equal(r.route_n, 2);
		is_net(&r.ip[1].addr, "fd00::5/64");
		is_net(cni_ipam_gw(&r, &r.route[0]), "fd00::1/128");
		is_net(cni_ipam_gw(&r, &r.route[1]), "10.0.0.9/32");
		assert_int_equal(r.dns.n, 0);
	}
	assert_int_equal(r.route[1].mtu, 1400);
	assert_int_equal(r.route[1].advmss, 9);
	assert_int_equal(r.route[1].priority, 7);
	assert_int_equal(r.route[1].table, 100);
	assert_true(r.route[1].has_scope);
	assert_int_equal(r.route[1].scope, 253);
}

static void no_gateway(void **state)
{
	(void)state;
	assert_int_equal(
		parse("{\"ips\":[{\"address\":\"10.0.0.5/24\"}],\"routes\":[{\"dst\":\"::/0\"}]}"),
		0);
	assert_null(cni_ipam_gw(&r, &r.route[0]));
}

static const char *const bad[] = {"", "null", "[]", "{", "{}", "{\"ips\":[]}", "{\"ips\":{}}",
	"{\"ips\":[1]}", "{\"ips\":[{}]}", "{\"ips\":[{\"address\":1}]}",
	"{\"ips\":[{\"address\":\"10.0.0.5\"}]}", "{\"ips\":[{\"address\":\"10.0.0.5/33\"}]}",
	"{\"ips\":[{\"address\":\"fd00::5/129\"}]}", "{\"ips\":[{\"address\":\"10.0.0/24\"}]}",
	"{\"ips\":[{\"address\":\"10.0.0.5/2 4\"}]}", "{\"ips\":[{\"address\":\"/24\"}]}",
	"{\"ips\":[{\"version\":\"6\",\"address\":\"10.0.0.5/24\"}]}",
	"{\"ips\":[{\"address\":\"10.0.0.5/24\",\"gateway\":\"fd00::1\"}]}",
	"{\"ips\":[{\"address\":\"10.0.0.5/24\",\"gateway\":\"x\"}]}",
	"{\"ips\":[{\"address\":\"10.0.0.5/24\",\"gateway\":7}]}",
	"{\"ips\":[{\"address\":\"10.0.0.5/24\"}],\"routes\":{}}",
	"{\"ips\":[{\"address\":\"10.0.0.5/24\"}],\"routes\":[{}]}",
	"{\"ips\":[{\"address\":\"10.0.0.5/24\"}],\"routes\":[{\"dst\":\"0.0.0.0\"}]}",
	"{\"ips\":[{\"address\":\"10.0.0.5/24\"}],\"routes\":[{\"dst\":\"0.0.0.0/"
	"0\",\"gw\":\"::1\"}]}",
	"{\"ips\":[{\"address\":\"10.0.0.5/24\"}],\"routes\":[{\"dst\":\"0.0.0.0/0\",\"mtu\":-1}]}",
	"{\"ips\":[{\"address\":\"10.0.0.5/24\"}],\"routes\":[{\"dst\":\"0.0.0.0/"
	"0\",\"scope\":256}]}",
	"{\"ip4\":{\"ip\":\"fd00::5/64\"}}", "{\"ip6\":{\"ip\":\"10.0.0.5/24\"}}", "{\"ip4\":{}}",
	"{\"ip4\":[]}"};

static void mistakes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		if (parse(bad[i]) >= 0) {
			fail_msg("accepted: %s", bad[i]);
		}
		assert_true(e.msg[0] != '\0');
	}
}

static void too_many(void **state)
{
	static char text[1 << 16];
	struct buf b;

	(void)state;
	buf_init(&b, text, sizeof(text) - 1);
	buf_add_c(&b, "{\"ips\":[");
	for (int i = 0; i <= CNI_IPS_MAX; i++) {
		buf_printf(&b, "%s{\"address\":\"10.0.0.%d/24\"}", i > 0 ? "," : "", i);
	}
	buf_add_c(&b, "]}");
	text[b.n] = '\0';
	assert_int_equal(parse(text), -E2BIG);
	buf_reset(&b);
	buf_add_c(&b, "{\"ips\":[{\"address\":\"10.0.0.1/24\"}],\"routes\":[");
	for (int i = 0; i <= CNI_ROUTES_MAX; i++) {
		buf_printf(&b, "%s{\"dst\":\"10.%d.0.0/16\"}", i > 0 ? "," : "", i);
	}
	buf_add_c(&b, "]}");
	text[b.n] = '\0';
	assert_int_equal(parse(text), -E2BIG);
}

static void ranks(void **state)
{
	static const struct {
		uint32_t given, rank, want;
	} rows[] = {{0, 0, 0}, {7, 0, 7}, {0, 1, 4097}, {0, 2, 4098}, {1, 1, 8193}, {1, 2, 12289},
		{UINT32_MAX, 0, UINT32_MAX}, {UINT32_MAX, 1, UINT32_MAX}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		memset(&r, 0, sizeof(r));
		r.route_n = 2;
		r.route[0].priority = rows[i].given;
		cni_ipam_rank(&r, rows[i].rank);
		assert_int_equal(r.route[0].priority, rows[i].want);
		assert_int_equal(r.route[1].priority, rows[i].rank == 0 ? 0 : 4096 + rows[i].rank);
		assert_int_equal(r.route[2].priority, 0);
	}
}

static void connected(void **state)
{
	static const struct {
		const char *dst;
		bool want;
	} rows[] = {{"10.0.16.0/20", true}, {"10.0.32.0/20", false}, {"10.0.16.0/24", false},
		{"0.0.0.0/0", false}, {"fd00::/64", true}, {"fd00:0:0:1::/64", false}};

	(void)state;
	assert_int_equal(parse("{\"ips\":[{\"address\":\"10.0.17.5/20\"},"
			       "{\"address\":\"fd00::5/64\"}]}"),
		0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct cni_route route = {0};

		assert_true(cni_net_parse(str_from(rows[i].dst), &route.dst));
		assert_int_equal(cni_ipam_connected(&r, &route), rows[i].want);
		route.has_gw = true;
		assert_false(cni_ipam_connected(&r, &route));
		route.has_gw = false;
		route.table = 7;
		assert_false(cni_ipam_connected(&r, &route));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(old_shape),
		cmocka_unit_test(new_shapes),
		cmocka_unit_test(no_gateway),
		cmocka_unit_test(mistakes),
		cmocka_unit_test(too_many),
		cmocka_unit_test(ranks),
		cmocka_unit_test(connected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
