/* SPDX-License-Identifier: MIT */
/* http/metrics.h: Prometheus' text format. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/version.h"
#include "http/metrics.h"
#include "http/server.h"

static char out[65536];
static struct buf b;

static int reset(void **state)
{
	(void)state;
	buf_init(&b, out, sizeof(out));
	return 0;
}

static void check(const char *expected)
{
	assert_true(buf_ok(&b));
	if (!str_eq_c(buf_str(&b), expected)) {
		fail_msg("%.*s instead of %s", STR_ARG(buf_str(&b)), expected);
	}
}

static void check_has(const char *line)
{
	assert_true(buf_ok(&b));
	out[b.n] = '\0';
	if (strstr(out, line) == NULL) {
		fail_msg("no %s in %s", line, out);
	}
}

static void test_family(void **state)
{
	(void)state;
	http_prom_family(&b, "ferrule_vfs", "gauge", "VFs by state.");
	check("# HELP ferrule_vfs VFs by state.\n# TYPE ferrule_vfs gauge\n");
}

static void test_help_escaped(void **state)
{
	(void)state;
	http_prom_family(&b, "x", "counter", "a\\b\nc\"d");
	check("# HELP x a\\\\b\\nc\"d\n# TYPE x counter\n");
}

static void test_values(void **state)
{
	const struct http_label l[] = {{"pf", STR("enp4s0f0")}, {"state", STR("free")}};

	(void)state;
	http_prom_u64(&b, "a", NULL, 0, UINT64_MAX);
	http_prom_i64(&b, "b", l, 1, INT64_MIN);
	http_prom_u64(&b, "c", l, 2, 0);
	http_prom_us(&b, "d", NULL, 0, 250);
	http_prom_us(&b, "e", NULL, 0, 61000001);
	check("a 18446744073709551615\n"
	      "b{pf=\"enp4s0f0\"} -9223372036854775808\n"
	      "c{pf=\"enp4s0f0\",state=\"free\"} 0\n"
	      "d 0.000250\n"
	      "e 61.000001\n");
}

static void test_whole_families(void **state)
{
	(void)state;
	http_prom_one(&b, "x_total", "counter", "Things", 7);
	check("# HELP x_total Things\n# TYPE x_total counter\nx_total 7\n");
	buf_reset(&b);
	http_prom_build(&b, "tool");
	check_has("# HELP ferrule_build_info 1, with the version of this program\n"
		  "# TYPE ferrule_build_info gauge\n"
		  "ferrule_build_info{program=\"tool\",version=\"" FERRULE_VERSION);
	check_has("\"} 1\n");
}

/* A label must not be able to end its line or its quotes: it may hold a name from outside. */
static void test_label_escaped(void **state)
{
	const struct http_label l = {"pf", STR("a\"} 1\nb{x=\"\\")};

	(void)state;
	http_prom_u64(&b, "a", &l, 1, 2);
	check("a{pf=\"a\\\"} 1\\nb{x=\\\"\\\\\"} 2\n");
}

static void test_histogram(void **state)
{
	const struct http_label l = {"route", STR("/x")};
	struct http_hist h = {{0}, 0};

	(void)state;
	http_hist_add(&h, -5);
	http_hist_add(&h, 100);
	http_hist_add(&h, 101);
	http_hist_add(&h, 5000000);
	http_hist_add(&h, 5000001);
	http_hist_add(&h, 3600000000);
	http_prom_hist(&b, "t", &l, 1, &h);
	check_has("t_bucket{route=\"/x\",le=\"0.000100\"} 2\n");
	check_has("t_bucket{route=\"/x\",le=\"0.000250\"} 3\n");
	check_has("t_bucket{route=\"/x\",le=\"1.000000\"} 3\n");
	check_has("t_bucket{route=\"/x\",le=\"5.000000\"} 4\n");
	check_has("t_bucket{route=\"/x\",le=\"+Inf\"} 6\n");
	check_has("t_sum{route=\"/x\"} 3610.000202\n");
	check_has("t_count{route=\"/x\"} 6\n");
}

static void test_histogram_without_labels(void **state)
{
	struct http_hist h = {{0}, 0};

	(void)state;
	http_prom_hist(&b, "t", NULL, 0, &h);
	check_has("t_bucket{le=\"+Inf\"} 0\n");
	check_has("t_sum 0.000000\nt_count 0\n");
}

static void test_overflow_is_sticky(void **state)
{
	char mem[40];

	(void)state;
	buf_init(&b, mem, sizeof(mem));
	http_prom_family(&b, "ferrule_vfs", "gauge", "far too much text for this buffer");
	http_prom_u64(&b, "a", NULL, 0, 1);
	assert_false(buf_ok(&b));
}

static void handler(void *arg, const struct http_req *req, struct http_resp *resp)
{
	(void)arg;
	(void)req;
	(void)resp;
}

/* Every line is a comment or a sample, every sample follows its family's TYPE line. */
static void test_server(void **state)
{
	static const struct http_route routes[] = {
		{"/getpfs", HTTP_BIT(HTTP_GET), handler, NULL, 0, NULL, NULL},
		{"/x", HTTP_BIT(HTTP_GET), handler, NULL, 0, NULL, NULL},
	};
	static struct http_server s;
	struct str family = STR_INIT, line, rest;

	(void)state;
	s.route = routes;
	s.route_n = 2;
	s.conf.conns = 256;
	s.conns_now = 3;
	s.stats[0].code[2] = 7;
	s.stats[2].code[4] = 9;
	http_hist_add(&s.stats[0].time, 300);
	http_prom_server(&b, &s);
	check_has("ferrule_http_requests_total{route=\"/getpfs\",code=\"2xx\"} 7\n");
	check_has("ferrule_http_requests_total{route=\"\",code=\"4xx\"} 9\n");
	check_has("ferrule_http_connections 3\n");
	check_has("ferrule_http_connections_limit 256\n");
	check_has("ferrule_http_request_duration_seconds_count{route=\"/getpfs\"} 1\n");
	assert_int_equal(out[b.n - 1], '\n');
	for (rest = buf_str(&b); str_cut(rest, '\n', &line, &rest);) {
		if (str_starts(line, STR("# TYPE "))) {
			assert_true(str_cut(str_skip(line, 7), ' ', &family, &line));
		} else if (!str_starts(line, STR("# HELP ")) &&
			   (family.n == 0 || !str_starts(line, family))) {
			fail_msg("%.*s outside of its family", STR_ARG(line));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_family, reset),
		cmocka_unit_test_setup(test_help_escaped, reset),
		cmocka_unit_test_setup(test_values, reset),
		cmocka_unit_test_setup(test_whole_families, reset),
		cmocka_unit_test_setup(test_label_escaped, reset),
		cmocka_unit_test_setup(test_histogram, reset),
		cmocka_unit_test_setup(test_histogram_without_labels, reset),
		cmocka_unit_test_setup(test_overflow_is_sticky, reset),
		cmocka_unit_test_setup(test_server, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
