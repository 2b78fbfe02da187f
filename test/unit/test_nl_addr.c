/* SPDX-License-Identifier: MIT */
/* src/nl/addr.c: addresses and routes, byte by byte, and answers that are none. */
#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <stdio.h>

#include "unit.h"

#include "nl/addr.h"
#include "nl_script.h"

static struct nl_ip ip(const char *text, uint8_t prefix)
{
	struct nl_ip out = {.prefix = prefix};

	out.family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;
	assert_int_equal(inet_pton(out.family, text, out.ip), 1);
	return out;
}

/* The payload of attribute type in request i, behind fixed bytes of fixed header; NULL: none. */
static const uint8_t *attr(size_t i, size_t fixed, uint16_t type, size_t *n)
{
	size_t at = 16 + fixed;

	while (at < script_sent(i)->nlmsg_len) {
		const struct nlattr *a = (const void *)(script.sent[i] + at);

		if ((a->nla_type & NLA_TYPE_MASK) == type) {
			*n = a->nla_len - 4u;
			return script.sent[i] + at + 4;
		}
		at += (a->nla_len + 3) & ~3u;
	}
	return NULL;
}

static void has_bytes(size_t i, size_t fixed, uint16_t type, const void *want, size_t want_n)
{
	size_t n = 0;
	const uint8_t *p = attr(i, fixed, type, &n);

	assert_non_null(p);
	assert_int_equal(n, want_n);
	assert_memory_equal(p, want, want_n);
}

static void has_u32(size_t i, size_t fixed, uint16_t type, uint32_t want)
{
	has_bytes(i, fixed, type, &want, sizeof(want));
}

static struct ifaddrmsg ifa_of(size_t i)
{
	struct ifaddrmsg ifa;

	memcpy(&ifa, script.sent[i] + 16, sizeof(ifa));
	return ifa;
}

static struct rtmsg rtm_of(size_t i)
{
	struct rtmsg rtm;

	memcpy(&rtm, script.sent[i] + 16, sizeof(rtm));
	return rtm;
}

#define IFA sizeof(struct ifaddrmsg)
#define RTM sizeof(struct rtmsg)

static void test_add_ipv4(void **state)
{
	static const struct {
		const char *addr, *broadcast;
		uint8_t prefix;
	} cases[] = {
		{"10.9.0.2", "10.9.0.255", 24},
		{"10.9.0.2", "10.9.15.255", 20},
		{"10.9.0.130", "10.9.0.131", 30},
		{"10.9.0.2", "255.255.255.255", 0},
		{"10.9.0.2", "10.255.255.255", 8},
		{"10.9.0.2", NULL, 31},
		{"10.9.0.2", NULL, 32},
	};
	size_t n;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct nl_ip a = ip(cases[i].addr, cases[i].prefix);

		script_result(0);
		assert_int_equal(nl_addr_add(&script.sock, 5, &a, &e), 0);
		assert_int_equal(script_sent(i)->nlmsg_type, RTM_NEWADDR);
		assert_int_equal(script_sent(i)->nlmsg_flags,
			NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL);
		assert_int_equal(ifa_of(i).ifa_index, 5);
		assert_int_equal(ifa_of(i).ifa_family, AF_INET);
		assert_int_equal(ifa_of(i).ifa_prefixlen, cases[i].prefix);
		assert_int_equal(ifa_of(i).ifa_flags, 0);
		has_bytes(i, IFA, IFA_LOCAL, a.ip, 4);
		has_bytes(i, IFA, IFA_ADDRESS, a.ip, 4);
		if (cases[i].broadcast != NULL) {
			a = ip(cases[i].broadcast, 0);
			has_bytes(i, IFA, IFA_BROADCAST, a.ip, 4);
		} else {
			assert_null(attr(i, IFA, IFA_BROADCAST, &n));
		}
	}
}

static void test_add_ipv6_without_duplicate_detection(void **state)
{
	struct nl_ip a = ip("fd00:9::2", 64);
	size_t n;

	(void)state;
	script_result(0);
	assert_int_equal(nl_addr_add(&script.sock, 5, &a, &e), 0);
	assert_int_equal(ifa_of(0).ifa_family, AF_INET6);
	assert_int_equal(ifa_of(0).ifa_flags, IFA_F_NODAD);
	has_bytes(0, IFA, IFA_LOCAL, a.ip, 16);
	assert_null(attr(0, IFA, IFA_BROADCAST, &n));
}

static void test_refusals_name_the_address(void **state)
{
	struct nl_ip a = ip("10.9.0.2", 24);

	(void)state;
	script_result(-EEXIST);
	assert_int_equal(nl_addr_add(&script.sock, 5, &a, &e), -EEXIST);
	has_text("add address 10.9.0.2/24 to interface 5: File exists");
	script_result(-EADDRNOTAVAIL);
	assert_int_equal(nl_addr_del(&script.sock, 5, &a, &e), -EADDRNOTAVAIL);
	has_text("remove address 10.9.0.2/24 from interface 5");
	assert_int_equal(script_sent(1)->nlmsg_type, RTM_DELADDR);
}

static void test_impossible_arguments_are_not_sent(void **state)
{
	struct nl_ip bad[] = {ip("10.9.0.2", 33), ip("fd00::1", 129), {.family = AF_UNIX}, {0}};
	struct nl_ip good = ip("10.9.0.2", 24);
	struct nl_route r = {.ifindex = 5, .has_gw = true};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(nl_addr_add(&script.sock, 5, &bad[i], &e), -EINVAL);
		assert_int_equal(nl_addr_del(&script.sock, 5, &bad[i], &e), -EINVAL);
		r.dst = r.gw = bad[i];
		assert_int_equal(nl_route_add(&script.sock, &r, &e), -EINVAL);
	}
	assert_int_equal(nl_addr_add(&script.sock, 0, &good, &e), -EINVAL);
	assert_int_equal(nl_addr_flush(&script.sock, 0, &e), -EINVAL);
	r.dst = good;
	r.gw = ip("fd00::1", 0);
	assert_int_equal(nl_route_add(&script.sock, &r, &e), -EINVAL);
	has_text("must be of one IP version");
	r.has_gw = false;
	r.has_src = true;
	r.src = r.gw;
	assert_int_equal(nl_route_del(&script.sock, &r, &e), -EINVAL);
	r.has_src = false;
	r.ifindex = 0;
	assert_int_equal(nl_route_add(&script.sock, &r, &e), -EINVAL);
	assert_int_equal(script.sent_n, 0);
}

/* An address as the kernel tells it. */
static void told(struct mb *b, uint32_t ifindex, const char *local, const char *peer)
{
	struct nl_ip l = ip(local, 24), p = ip(peer != NULL ? peer : local, 24);
	struct ifaddrmsg ifa = {.ifa_family = l.family, .ifa_prefixlen = 24, .ifa_index = ifindex};
	size_t n = l.family == AF_INET ? 4 : 16;

	mb_msg(b, RTM_NEWADDR, NLM_F_MULTI, &ifa, sizeof(ifa));
	mb_attr(b, IFA_ADDRESS, p.ip, n);
	if (l.family == AF_INET) {
		mb_attr(b, IFA_LOCAL, l.ip, n);
	}
}

static struct {
	char text[8][64];
	size_t n, restarts;
} seen;

static int see(uint32_t ifindex, const struct nl_ip *a, void *arg, struct err *err)
{
	char text[INET6_ADDRSTRLEN];

	(void)arg, (void)err;
	assert_non_null(inet_ntop(a->family, a->ip, text, sizeof(text)));
	(void)snprintf(seen.text[seen.n++], 64, "%u %s/%u", ifindex, text, a->prefix);
	return 0;
}

static void see_again(void *arg)
{
	(void)arg;
	seen.n = 0;
	seen.restarts++;
}

static const struct nl_addr_visitor visitor = {see, see_again, NULL};

static void test_list(void **state)
{
	struct mb *b = script_step();

	(void)state;
	memset(&seen, 0, sizeof(seen));
	told(b, 4, "10.0.0.1", NULL);
	told(b, 5, "10.9.0.2", "10.9.0.77");
	told(b, 5, "fd00:9::2", NULL);
	mb_done(b, 0, 0);
	assert_int_equal(nl_addr_list(&script.sock, 5, &visitor, &e), 0);
	assert_int_equal(seen.n, 2);
	assert_string_equal(seen.text[0], "5 10.9.0.2/24");
	assert_string_equal(seen.text[1], "5 fd00:9::2/24");
	assert_int_equal(script_sent(0)->nlmsg_type, RTM_GETADDR);
	assert_int_equal(ifa_of(0).ifa_index, 5);
}

static void test_list_that_changes_is_read_again(void **state)
{
	struct mb *b = script_step();

	(void)state;
	memset(&seen, 0, sizeof(seen));
	told(b, 5, "10.9.0.2", NULL);
	mb_done(b, NLM_F_DUMP_INTR, 0);
	b = script_step();
	told(b, 5, "10.9.0.3", NULL);
	mb_done(b, 0, 0);
	assert_int_equal(nl_addr_list(&script.sock, 0, &visitor, &e), 0);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.restarts, 1);
}

static void test_malformed_addresses(void **state)
{
	static const struct {
		uint16_t type;
		uint8_t family, prefix;
		size_t n; /* bytes of IFA_ADDRESS */
	} cases[] = {
		{RTM_NEWROUTE, AF_INET, 24, 4},
		{RTM_NEWADDR, AF_INET, 33, 4},
		{RTM_NEWADDR, AF_INET, 24, 3},
		{RTM_NEWADDR, AF_INET, 24, 16},
		{RTM_NEWADDR, AF_INET6, 64, 4},
		{RTM_NEWADDR, AF_INET6, 64, 17},
		{RTM_NEWADDR, AF_UNIX, 24, 4},
		{RTM_NEWADDR, AF_INET, 24, 0},
	};
	static const uint8_t zero[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct ifaddrmsg ifa = {.ifa_family = cases[i].family,
			.ifa_prefixlen = cases[i].prefix,
			.ifa_index = 5};
		struct mb *b;

		assert_int_equal(script_teardown(state), 0);
		assert_int_equal(script_setup(state), 0);
		b = script_step();
		mb_msg(b, cases[i].type, NLM_F_MULTI, &ifa, sizeof(ifa));
		if (cases[i].n > 0) {
			mb_attr(b, IFA_ADDRESS, zero, cases[i].n);
		}
		mb_done(b, 0, 0);
		if (nl_addr_list(&script.sock, 5, &visitor, &e) != -EBADMSG) {
			fail_msg("case %zu was taken", i);
		}
	}
}

static void test_flush(void **state)
{
	struct mb *b = script_step();

	(void)state;
	told(b, 5, "10.9.0.2", NULL);
	told(b, 6, "10.9.1.2", NULL);
	told(b, 5, "10.9.0.3", NULL);
	mb_done(b, 0, 0);
	script_result(0);
	script_result(-EADDRNOTAVAIL); /* a secondary, gone with the primary */
	assert_int_equal(nl_addr_flush(&script.sock, 5, &e), 0);
	assert_int_equal(script.sent_n, 3);
	assert_int_equal(script_sent(2)->nlmsg_type, RTM_DELADDR);
}

static void test_flush_fails_where_the_kernel_refuses(void **state)
{
	struct mb *b = script_step();

	(void)state;
	told(b, 5, "10.9.0.2", NULL);
	mb_done(b, 0, 0);
	script_result(-EPERM);
	assert_int_equal(nl_addr_flush(&script.sock, 5, &e), -EPERM);
}

static void test_flush_is_bounded(void **state)
{
	struct mb *b = script_step();

	(void)state;
	for (unsigned i = 0; i <= NL_ADDR_FLUSH_MAX; i++) {
		char text[32];

		(void)snprintf(text, sizeof(text), "10.9.0.%u", i);
		told(b, 5, text, NULL);
	}
	mb_done(b, 0, 0);
	assert_int_equal(nl_addr_flush(&script.sock, 5, &e), -E2BIG);
	assert_int_equal(script.sent_n, 1);
}

static void test_default_route_with_metric(void **state)
{
	struct nl_route r = {.ifindex = 5, .has_gw = true, .metric = 4242};
	size_t n;

	(void)state;
	r.dst = ip("0.0.0.0", 0);
	r.gw = ip("10.9.0.1", 0);
	script_result(0);
	assert_int_equal(nl_route_add(&script.sock, &r, &e), 0);
	assert_int_equal(script_sent(0)->nlmsg_type, RTM_NEWROUTE);
	assert_int_equal(
		script_sent(0)->nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL);
	assert_int_equal(rtm_of(0).rtm_family, AF_INET);
	assert_int_equal(rtm_of(0).rtm_dst_len, 0);
	assert_int_equal(rtm_of(0).rtm_scope, RT_SCOPE_UNIVERSE);
	assert_int_equal(rtm_of(0).rtm_type, RTN_UNICAST);
	assert_int_equal(rtm_of(0).rtm_protocol, RTPROT_STATIC);
	assert_null(attr(0, RTM, RTA_DST, &n));
	has_bytes(0, RTM, RTA_GATEWAY, r.gw.ip, 4);
	has_u32(0, RTM, RTA_OIF, 5);
	has_u32(0, RTM, RTA_PRIORITY, 4242);
	has_u32(0, RTM, RTA_TABLE, RT_TABLE_MAIN);
	assert_null(attr(0, RTM, RTA_METRICS, &n));
}

static void test_route_with_everything(void **state)
{
	static const uint32_t metrics[] = {8 | RTAX_MTU << 16, 1400, 8 | RTAX_ADVMSS << 16, 1300};
	struct nl_route r = {.ifindex = 5,
		.mtu = 1400,
		.advmss = 1300,
		.table = 1000,
		.has_scope = true,
		.scope = RT_SCOPE_HOST,
		.has_src = true,
		.onlink = true,
		.has_gw = true};

	(void)state;
	r.dst = ip("fd00:77::", 48);
	r.gw = ip("fe80::1", 0);
	r.src = ip("fd00:9::2", 0);
	script_result(0);
	assert_int_equal(nl_route_add(&script.sock, &r, &e), 0);
	assert_int_equal(rtm_of(0).rtm_family, AF_INET6);
	assert_int_equal(rtm_of(0).rtm_dst_len, 48);
	assert_int_equal(rtm_of(0).rtm_scope, RT_SCOPE_HOST);
	assert_int_equal(rtm_of(0).rtm_flags, RTNH_F_ONLINK);
	has_bytes(0, RTM, RTA_DST, r.dst.ip, 16);
	has_bytes(0, RTM, RTA_GATEWAY, r.gw.ip, 16);
	has_bytes(0, RTM, RTA_PREFSRC, r.src.ip, 16);
	has_u32(0, RTM, RTA_TABLE, 1000);
	has_bytes(0, RTM, RTA_METRICS, metrics, sizeof(metrics));
}

static void test_route_of_a_link_and_its_end(void **state)
{
	struct nl_route r = {.ifindex = 5};
	size_t n;

	(void)state;
	r.dst = ip("10.7.0.0", 16);
	script_result(0);
	assert_int_equal(nl_route_add(&script.sock, &r, &e), 0);
	assert_int_equal(rtm_of(0).rtm_scope, RT_SCOPE_LINK);
	assert_null(attr(0, RTM, RTA_GATEWAY, &n));
	script_result(-ESRCH);
	assert_int_equal(nl_route_del(&script.sock, &r, &e), -ESRCH);
	assert_int_equal(script_sent(1)->nlmsg_type, RTM_DELROUTE);
	has_text("remove route to 10.7.0.0/16 from interface 5");
	script_result(-ENETUNREACH);
	assert_int_equal(nl_route_add(&script.sock, &r, &e), -ENETUNREACH);
	has_text("add route to 10.7.0.0/16 through interface 5: Network is unreachable");
}

#define T(f) cmocka_unit_test_setup_teardown(f, script_setup, script_teardown)

/*
 * Listing routes
 */

static struct nl_route routes[4];
static size_t routes_n;

static int take_route(const struct nl_route *r, void *arg, struct err *err)
{
	assert_ptr_equal(arg, routes);
	if (routes_n == ARRAY_LEN(routes)) {
		return err_set(err, ECANCELED, "enough");
	}
	routes[routes_n++] = *r;
	return 0;
}

static void routes_again(void *arg)
{
	(void)arg;
	routes_n = 0;
}

static const struct nl_route_visitor route_visitor = {take_route, routes_again, routes};

static void route_msg(struct mb *mb, uint8_t family, uint8_t prefix, uint32_t oif)
{
	struct rtmsg rtm = {.rtm_family = family, .rtm_dst_len = prefix, .rtm_table = 254};

	mb_msg(mb, RTM_NEWROUTE, NLM_F_MULTI, &rtm, sizeof(rtm));
	if (oif != 0) {
		mb_u32(mb, RTA_OIF, oif);
	}
}

static void test_list_routes(void **state)
{
	struct nl_ip dst = ip("10.1.0.0", 16), gw = ip("10.9.0.1", 32);
	struct mb *mb = script_step();

	(void)state;
	route_msg(mb, AF_INET, 0, 5);
	mb_attr(mb, RTA_GATEWAY, gw.ip, 4);
	mb_u32(mb, RTA_PRIORITY, 4097);
	route_msg(mb, AF_INET, 16, 6); /* another interface's, from a kernel without filter */
	mb_attr(mb, RTA_DST, dst.ip, 4);
	route_msg(mb, AF_INET, 16, 0); /* through several */
	route_msg(mb, AF_INET, 16, 5);
	mb_attr(mb, RTA_DST, dst.ip, 4);
	mb_u32(mb, RTA_TABLE, 1000);
	mb_done(mb, 0, 0);
	routes_n = 0;
	assert_int_equal(nl_route_list(&script.sock, AF_INET, 5, &route_visitor, &e), 0);
	assert_int_equal(script_sent(0)->nlmsg_type, RTM_GETROUTE);
	assert_int_equal(script_sent(0)->nlmsg_flags & NLM_F_DUMP, NLM_F_DUMP);
	assert_int_equal(rtm_of(0).rtm_family, AF_INET);
	has_u32(0, RTM, RTA_OIF, 5);
	assert_int_equal(routes_n, 2);
	assert_true(routes[0].has_gw);
	assert_memory_equal(routes[0].gw.ip, gw.ip, 4);
	assert_int_equal(routes[0].dst.prefix, 0);
	assert_int_equal(routes[0].metric, 4097);
	assert_int_equal(routes[0].table, 254);
	assert_false(routes[1].has_gw);
	assert_memory_equal(&routes[1].dst, &dst, sizeof(dst));
	assert_int_equal(routes[1].table, 1000);
}

static void test_malformed_routes(void **state)
{
	for (int i = 0; i < 5; i++) {
		struct rtmsg rtm = {.rtm_family = AF_INET};
		struct mb *mb;

		(void)script_teardown(state);
		assert_int_equal(script_setup(state), 0);
		mb = script_step();
		if (i == 0) {
			mb_msg(mb, RTM_NEWROUTE, NLM_F_MULTI, &rtm, 4);
		} else if (i == 1) {
			route_msg(mb, AF_INET, 33, 5);
		} else if (i == 2) {
			route_msg(mb, AF_UNSPEC, 0, 5);
		} else if (i == 3) {
			route_msg(mb, AF_INET, 0, 5);
			mb_attr(mb, RTA_GATEWAY, &rtm, 6);
		} else {
			mb_msg(mb, RTM_NEWADDR, NLM_F_MULTI, &rtm, sizeof(rtm));
		}
		mb_done(mb, 0, 0);
		routes_n = 0;
		assert_int_equal(
			nl_route_list(&script.sock, AF_INET, 5, &route_visitor, &e), -EBADMSG);
		has_text("route message");
	}
	assert_int_equal(nl_route_list(&script.sock, AF_INET, 0, &route_visitor, &e), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_add_ipv4),
		T(test_add_ipv6_without_duplicate_detection),
		T(test_refusals_name_the_address),
		T(test_impossible_arguments_are_not_sent),
		T(test_list),
		T(test_list_that_changes_is_read_again),
		T(test_malformed_addresses),
		T(test_flush),
		T(test_flush_fails_where_the_kernel_refuses),
		T(test_flush_is_bounded),
		T(test_default_route_with_metric),
		T(test_route_with_everything),
		T(test_route_of_a_link_and_its_end),
		T(test_list_routes),
		T(test_malformed_routes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
