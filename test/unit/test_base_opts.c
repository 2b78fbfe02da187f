/* SPDX-License-Identifier: MIT */
/* base/opts.h: options from a table. */
#include "unit.h"

#include <errno.h>

#include "base/opts.h"
#include "guard.h"

static bool verbose, trust;
static const char *listen_at;
static uint32_t timeout;
static const char *names[2];
static struct opt_list pfs;

static const struct opt table[] = {
	{"verbose", OPT_FLAG, &verbose, 0, 0, NULL, "say more"},
	{"trust", OPT_ONOFF, &trust, 0, 0, "on|off", "trust VFs"},
	{"listen", OPT_STR, &listen_at, 0, 0, "ADDR:PORT", "where to listen"},
	{"timeout", OPT_U32, &timeout, 1, 600, "SECONDS", "how long to wait"},
	{"pf", OPT_LIST, &pfs, 0, 0, "NAME", "a PF; may be repeated"},
};

/* Words up to the first NULL, after a program name. */
static int parse(struct err *e, const char *const *words)
{
	char *argv[12] = {(char *)"tool"};
	int argc = 1;

	verbose = false;
	trust = false;
	listen_at = "default";
	timeout = 5;
	pfs = (struct opt_list){names, 0, ARRAY_LEN(names)};
	for (; words[argc - 1] != NULL; argc++) {
		assert_true(argc < (int)ARRAY_LEN(argv) - 1);
		argv[argc] = (char *)words[argc - 1];
	}
	return opts_parse(table, ARRAY_LEN(table), argc, argv, e);
}

#define PARSE(e, ...) parse(e, (const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static void test_values(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(PARSE(&e), 1);
	assert_string_equal(listen_at, "default");
	assert_int_equal(PARSE(&e, "--verbose", "--trust", "on", "--listen=:80", "--timeout", "600",
				 "--pf", "a", "--pf=b"),
		10);
	assert_true(verbose && trust);
	assert_string_equal(listen_at, ":80");
	assert_int_equal(timeout, 600);
	assert_int_equal(pfs.n, 2);
	assert_string_equal(names[0], "a");
	assert_string_equal(names[1], "b");
	assert_int_equal(PARSE(&e, "--trust=off", "--listen=a=b", "--timeout=1"), 4);
	assert_false(trust);
	assert_string_equal(listen_at, "a=b");
	assert_int_equal(timeout, 1);
	assert_int_equal(PARSE(&e, "--verbose", "--verbose"), 3);
}

static void test_operands(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(PARSE(&e, "up", "--verbose"), 1);
	assert_false(verbose);
	assert_int_equal(PARSE(&e, "--verbose", "up"), 2);
	assert_int_equal(PARSE(&e, "--verbose", "--", "--trust"), 3);
	assert_int_equal(PARSE(&e, "--"), 2);
	assert_int_equal(PARSE(&e, "-"), 1);
	assert_int_equal(PARSE(&e, ""), 1);
}

static void check_bad(const char *message, const char *const *words)
{
	struct err e = ERR_INIT;

	assert_int_equal(parse(&e, words), -EINVAL);
	assert_string_equal(e.msg, message);
}

#define BAD(message, ...) check_bad(message, (const char *const[]){__VA_ARGS__, NULL})

static void test_errors(void **state)
{
	(void)state;
	BAD("unknown option --colour", "--colour");
	BAD("unknown option --colour", "--colour=red");
	BAD("unknown option --verbos", "--verbos");
	BAD("unknown option --verbosee", "--verbosee");
	BAD("unknown option --Verbose", "--Verbose");
	BAD("unknown option --", "--=x");
	BAD("unknown option -v: options begin with --", "-v");
	BAD("unknown option -verbose: options begin with --", "-verbose");
	BAD("--verbose takes no value", "--verbose=on");
	BAD("--verbose takes no value", "--verbose=");
	BAD("--trust needs a value: on|off", "--trust");
	BAD("--trust: 'yes' is neither 'on' nor 'off'", "--trust", "yes");
	BAD("--trust: 'On' is neither 'on' nor 'off'", "--trust=On");
	BAD("--trust: the value is empty", "--trust=");
	BAD("--trust: the value is empty", "--trust", "");
	BAD("--trust is given twice", "--trust", "on", "--trust", "on");
	BAD("--listen needs a value: ADDR:PORT", "--verbose", "--listen");
	BAD("--listen: the value is empty", "--listen=");
	BAD("--listen is given twice", "--listen=a", "--listen", "b");
	BAD("--timeout: '0' is not a number from 1 to 600", "--timeout", "0");
	BAD("--timeout: '601' is not a number from 1 to 600", "--timeout=601");
	BAD("--timeout: '4294967297' is not a number from 1 to 600", "--timeout=4294967297");
	BAD("--timeout: '-1' is not a number from 1 to 600", "--timeout", "-1");
	BAD("--timeout: '5s' is not a number from 1 to 600", "--timeout", "5s");
	BAD("--timeout: ' 5' is not a number from 1 to 600", "--timeout", " 5");
	BAD("--pf: given more than 2 times", "--pf=a", "--pf=b", "--pf=c");
	BAD("--pf: the value is empty", "--pf", "");
	BAD("--pf needs a value: NAME", "--pf");
}

static void test_bad_number_changes_nothing(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(PARSE(&e, "--timeout", "0"), -EINVAL);
	assert_int_equal(timeout, 5);
	assert_int_equal(PARSE(&e, "--timeout", "601"), -EINVAL);
	assert_int_equal(timeout, 5);
}

static void test_help(void **state)
{
	static const char want[] = "  --verbose           say more\n"
				   "  --trust on|off      trust VFs\n"
				   "  --listen ADDR:PORT  where to listen\n"
				   "  --timeout SECONDS   how long to wait\n"
				   "  --pf NAME           a PF; may be repeated\n";
	char mem[512];
	struct buf b;

	(void)state;
	buf_init(&b, mem, sizeof(mem));
	opts_help(&b, table, ARRAY_LEN(table));
	assert_true(buf_ok(&b));
	assert_int_equal(b.n, sizeof(want) - 1);
	assert_memory_equal(mem, want, b.n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_operands),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_bad_number_changes_nothing),
		cmocka_unit_test(test_help),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
