/* SPDX-License-Identifier: MIT */
/* base/command.h: what the command lines of all programs have in common. */
#include "unit.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/command.h"
#include "base/log.h"
#include "base/version.h"

static struct command c;
static const char *where;
static char said[4096];
static size_t lines;

/* Parse words up to the first NULL; what was written is in said. */
static int parse(struct err *e, const char *const *words)
{
	const struct opt table[] = {
		{"where", OPT_STR, &where, 0, 0, "DIR", "where things are"},
		COMMAND_LOG_LEVEL(&c),
		COMMAND_CHECK_CONFIG(&c, "this and that"),
		COMMAND_VERSION(&c),
		COMMAND_HELP(&c),
	};
	char *argv[8] = {(char *)"tool"};
	int argc = 1, p[2], r;
	ssize_t n;

	c = (struct command){.name = "tool verb"};
	where = NULL;
	for (; words[argc - 1] != NULL; argc++) {
		assert_true(argc < (int)ARRAY_LEN(argv) - 1);
		argv[argc] = (char *)words[argc - 1];
	}
	assert_int_equal(pipe(p), 0);
	r = command_parse(&c, table, ARRAY_LEN(table), argc, argv, p[1], e);
	assert_int_equal(close(p[1]), 0);
	n = read(p[0], said, sizeof(said) - 1);
	assert_true(n >= 0);
	said[n] = '\0';
	assert_int_equal(close(p[0]), 0);
	return r;
}

#define PARSE(e, ...) parse(e, (const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static void test_nothing_asked(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(PARSE(&e), 0);
	assert_false(command_over(&c));
	assert_null(c.log_level);
	assert_int_equal(PARSE(&e, "--where", "/x", "--log-level=debug"), 0);
	assert_string_equal(where, "/x");
	assert_string_equal(c.log_level, "debug");
	assert_false(command_over(&c));
	assert_string_equal(said, "");
}

static void test_check_config(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(PARSE(&e, "--check-config"), 0); /* there is more to check */
	assert_true(command_over(&c));
	assert_string_equal(said, "");
}

static const char help[] = "usage: tool verb [OPTION]...\n"
			   "  --where DIR        where things are\n"
			   "  --log-level LEVEL  error, warn, info or debug (default info)\n"
			   "  --check-config     check this and that, then exit\n"
			   "  --version          print the version\n"
			   "  --help             this text\n";

static void test_help(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(PARSE(&e, "--help"), 1);
	assert_string_equal(said, help);
	assert_true(command_over(&c));
	assert_int_equal(PARSE(&e, "--version", "--log-level=nonsense", "--help"), 1);
	assert_string_equal(said, help);
}

static void test_version(void **state)
{
	struct err e = ERR_INIT;
	char want[128];
	struct buf b;

	(void)state;
	buf_init(&b, want, sizeof(want) - 1);
	buf_printf(&b, "tool verb %s\n", ferrule_version());
	want[b.n] = '\0';
	assert_int_equal(PARSE(&e, "--version"), 1);
	assert_string_equal(said, want);
	assert_true(command_over(&c));
}

#define BAD(why, ...)                                                                              \
	do {                                                                                       \
		struct err e = ERR_INIT;                                                           \
		assert_int_equal(PARSE(&e, __VA_ARGS__), -EINVAL);                                 \
		assert_string_equal(e.msg, why);                                                   \
		assert_string_equal(said, "");                                                     \
	} while (0)

static void test_errors(void **state)
{
	(void)state;
	BAD("unexpected argument 'word'", "word");
	BAD("unexpected argument 'word'", "--help", "word");
	BAD("unexpected argument '--help'", "--", "--help");
	BAD("unexpected argument ''", "");
	BAD("unknown option --nope", "--help", "--nope");
	BAD("--version takes no value", "--version=1");
	BAD("--where needs a value: DIR", "--help", "--where");
	BAD("--log-level is given twice", "--log-level=info", "--log-level=info");
}

/* A reader that has gone, or never was, changes nothing. */
static void test_nobody_reads(void **state)
{
	const struct opt table[] = {COMMAND_HELP(&c)};
	char *argv[] = {(char *)"tool", (char *)"--help", NULL};
	struct err e = ERR_INIT;

	(void)state;
	c = (struct command){.name = "tool"};
	assert_int_equal(command_parse(&c, table, 1, 2, argv, -1, &e), 1);
}

static void count(enum log_level level, struct str line)
{
	(void)level;
	(void)line;
	lines++;
}

/* How many of a line of each level come through. */
static size_t heard(void)
{
	lines = 0;
	log_set_sink(count);
	log_error("e");
	log_warn("w");
	log_info("i");
	log_debug("d");
	log_set_sink(NULL);
	return lines;
}

static void test_log_level(void **state)
{
	static const char *const bad[] = {"", "Info", "information", "infox", "4", " info"};
	struct err e = ERR_INIT;

	(void)state;
	c = (struct command){.log_level = "error"};
	assert_int_equal(command_log_level(&c, &e), 0);
	assert_int_equal(heard(), 1);
	c.log_level = "debug";
	assert_int_equal(command_log_level(&c, &e), 0);
	assert_int_equal(heard(), 4);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		c.log_level = bad[i];
		assert_int_equal(command_log_level(&c, &e), -EINVAL);
		assert_non_null(strstr(e.msg, "' is not error, warn, info or debug"));
		assert_memory_equal(e.msg, "--log-level: '", 14);
		assert_memory_equal(e.msg + 14, bad[i], strlen(bad[i]));
		assert_int_equal(heard(), 4); /* as it was */
	}
	c.log_level = NULL;
	assert_int_equal(command_log_level(&c, &e), 0);
	assert_int_equal(heard(), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_asked),
		cmocka_unit_test(test_check_config),
		cmocka_unit_test(test_help),
		cmocka_unit_test(test_version),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_nobody_reads),
		cmocka_unit_test(test_log_level),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
