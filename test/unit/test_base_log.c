/* SPDX-License-Identifier: MIT */
/* base/log.h: the line as operators match on it, one write each. */
#include "unit.h"

#include "base/log.h"
#include "guard.h"

#define STAMP_LEN 20 /* "YYYY/MM/DD HH:MM:SS " */

static int saved = -1, reader = -1;

/* stderr is a packet-like pipe while a test runs: O_DIRECT keeps each write apart. */
static void divert(void)
{
	int p[2];

	fflush(stderr);
	assert_int_equal(pipe2(p, O_DIRECT | O_NONBLOCK | O_CLOEXEC), 0);
	saved = dup(STDERR_FILENO);
	assert_true(saved >= 0);
	assert_true(dup2(p[1], STDERR_FILENO) >= 0);
	close(p[1]);
	reader = p[0];
}

static void restore(void)
{
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	close(saved);
	close(reader);
}

/* One written line without time and newline, or "" if nothing was written. */
static const char *line(void)
{
	static const char stamp[] = "0000/00/00 00:00:00 ";
	static char text[4096];
	ssize_t n = read(reader, text, sizeof(text));

	if (n < 0) {
		return "";
	}
	assert_true(n > STAMP_LEN && (size_t)n < sizeof(text));
	for (size_t i = 0; i < STAMP_LEN; i++) {
		if (stamp[i] == '0') {
			assert_in_range(text[i], '0', '9');
		} else {
			assert_int_equal(text[i], stamp[i]);
		}
	}
	assert_int_equal(text[n - 1], '\n');
	text[n - 1] = '\0';
	assert_int_equal(strlen(text), n - 1);
	return text + STAMP_LEN;
}

static void test_format(void **state)
{
	(void)state;
	log_set_level(LOG_DEBUG);
	divert();
	log_info("RDMA scheduler extender listening on port:  %d", 8888);
	assert_string_equal(line(), "RDMA scheduler extender listening on port:  8888");
	log_error("%s", "e");
	assert_string_equal(line(), "error: e");
	log_warn("%s", "w");
	assert_string_equal(line(), "warning: w");
	log_debug("%s", "d");
	assert_string_equal(line(), "debug: d");
	log_info("%s", "100%n");
	assert_string_equal(line(), "100%n");
	restore();
	log_set_level(LOG_INFO);
}

static void test_levels(void **state)
{
	static const struct {
		enum log_level level;
		const char *lines[4];
	} cases[] = {
		{LOG_ERROR, {"error: 1", "", "", ""}},
		{LOG_WARN, {"error: 1", "warning: 2", "", ""}},
		{LOG_INFO, {"error: 1", "warning: 2", "3", ""}},
		{LOG_DEBUG, {"error: 1", "warning: 2", "3", "debug: 4"}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		log_set_level(cases[i].level);
		divert();
		log_error("1");
		log_warn("2");
		log_info("3");
		log_debug("4");
		log_always("5");
		for (size_t k = 0, seen = 0; k < 4; k++) {
			const char *want = cases[i].lines[k];

			if (want[0] != '\0') {
				assert_string_equal(line(), want);
				seen++;
			}
			assert_true(seen > 0);
		}
		assert_string_equal(line(), "5");
		assert_string_equal(line(), "");
		restore();
	}
	log_set_level(LOG_INFO);
}

static void test_control_characters(void **state)
{
	(void)state;
	divert();
	log_info("%s", "a\nerror: forged\r\x1b[2J\x7f\tb");
	assert_string_equal(line(), "a?error: forged??[2J??b");
	/* A C1 control, a right-to-left override, an isolate; what only begins like them stays. */
	log_info("%s", "a\xc2\x9b\x32J b\xe2\x80\xae c\xe2\x81\xa6");
	assert_string_equal(line(), "a??2J b??? c???");
	log_info("%s", "\xc2\xa0\xe2\x80\x94\xe2\x80");
	assert_string_equal(line(), "\xc2\xa0\xe2\x80\x94\xe2\x80");
	log_info("%s", "caf\xc3\xa9");
	assert_string_equal(line(), "caf\xc3\xa9");
	restore();
}

static void test_long_lines_are_cut(void **state)
{
	char big[3000];

	(void)state;
	memset(big, 'x', sizeof(big));
	divert();
	for (size_t n = 975; n < 985; n++) {
		size_t got;

		log_info("%.*s", (int)n, big);
		got = strlen(line()) + STAMP_LEN + 1;
		assert_int_equal(got, n + STAMP_LEN + 1 < 1000 ? n + STAMP_LEN + 1 : 1000);
	}
	log_error("%.*s", (int)sizeof(big), big);
	assert_int_equal(strlen(line()) + STAMP_LEN + 1, 1000);
	restore();
}

static void test_parse_level(void **state)
{
	static const char *const bad[] = {
		"", "Info", "INFO", "warning", "trace", "info ", "inf", "3"};
	enum log_level level = LOG_WARN;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_false(log_parse_level(str_from(bad[i]), &level));
		assert_int_equal(level, LOG_WARN);
	}
	assert_true(log_parse_level(STR("error"), &level) && level == LOG_ERROR);
	assert_true(log_parse_level(STR("warn"), &level) && level == LOG_WARN);
	assert_true(log_parse_level(STR("info"), &level) && level == LOG_INFO);
	assert_true(log_parse_level(STR("debug"), &level) && level == LOG_DEBUG);
}

/* A stderr that is gone or full must not stop anyone. */
static char sunk[1100];
static enum log_level sunk_level;

static void sink(enum log_level level, struct str line_of)
{
	sunk_level = level;
	assert_true(str_copy(line_of, sunk, sizeof(sunk)));
}

/* Without time and newline, still filtered by level and cut; and back to stderr. */
static void test_sink(void **state)
{
	(void)state;
	divert();
	log_set_level(LOG_INFO);
	log_set_sink(sink);
	log_warn("a\nb %d", 1);
	assert_string_equal(sunk, "warning: a?b 1");
	assert_int_equal(sunk_level, LOG_WARN);
	log_debug("not this");
	assert_string_equal(sunk, "warning: a?b 1");
	log_info("%2000d", 1);
	assert_int_equal(strlen(sunk), 999);
	assert_string_equal(line(), "");
	log_set_sink(NULL);
	log_info("x");
	assert_string_equal(line(), "x");
	restore();
}

static void test_no_stderr(void **state)
{
	(void)state;
	divert();
	for (int i = 0; i < 2000; i++) {
		log_info("filling the pipe");
	}
	close(STDERR_FILENO);
	log_info("nowhere");
	restore();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_control_characters),
		cmocka_unit_test(test_long_lines_are_cut),
		cmocka_unit_test(test_parse_level),
		cmocka_unit_test(test_sink),
		cmocka_unit_test(test_no_stderr),
	};

	log_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
