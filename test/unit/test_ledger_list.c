/* SPDX-License-Identifier: MIT */
/* ledger_list on tmpfs, where records are. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "ledger/limits.h"
#include "ledger/list.h"

#define FILES   600
#define WRITERS 3
#define ROUNDS  2000

static char top[] = "/dev/shm/ledger-list-XXXXXX";
static int dir = -1;
static struct err e;

struct seen {
	bool file[FILES];
	size_t n, others;
};

/* As long as a record's name with a container id of 64 digits. */
static void name_of(unsigned i, char out[static 128])
{
	(void)snprintf(out, 128, "%064x:eth0.json", i);
}

static int see(void *arg, const char *name, struct err *unused)
{
	struct seen *s = arg;
	unsigned long i = strtoul(name, NULL, 16);
	char want[128];

	(void)unused;
	name_of((unsigned)i, want);
	if (i >= FILES || strcmp(want, name) != 0) {
		s->others++;
	} else {
		s->n += !s->file[i];
		s->file[i] = true;
	}
	return 0;
}

static int stop_at_once(void *arg, const char *name, struct err *unused)
{
	(void)arg;
	(void)name;
	(void)unused;
	return -EBUSY;
}

static int make(void **state)
{
	struct err why;

	(void)state;
	if (mkdtemp(top) == NULL) {
		return -1;
	}
	dir = file_open_dir(AT_FDCWD, top, &why);
	for (unsigned i = 0; dir >= 0 && i < FILES; i++) {
		char name[128];

		name_of(i, name);
		if (file_replace(dir, name, STR("x"), 0644, &why) < 0) {
			return -1;
		}
	}
	return dir >= 0 ? 0 : -1;
}

static int clean(void **state)
{
	char command[64];

	(void)state;
	(void)close(dir);
	(void)snprintf(command, sizeof(command), "rm -rf %s", top);
	return system(command);
}

static pid_t start_writer(unsigned seed)
{
	pid_t pid = fork();

	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (unsigned i = seed;; i = (i * 31 + 7) % FILES) {
			char name[128];

			name_of(i, name);
			if (file_replace(dir, name, STR("y"), 0644, &e) < 0) {
				_exit(1);
			}
		}
	}
	return pid;
}

/* readdir misses some in one of ten such listings. */
static void replaced_files_are_never_missed(void **state)
{
	pid_t pid[WRITERS];

	(void)state;
	for (unsigned i = 0; i < WRITERS; i++) {
		pid[i] = start_writer(i);
		assert_true(pid[i] > 0);
	}
	for (int i = 0; i < ROUNDS; i++) {
		struct seen s = {.n = 0};

		assert_int_equal(ledger_list(dir, ".", see, &s, &e), 0);
		assert_int_equal(s.n, FILES);
		assert_true(s.others <= WRITERS);
	}
	for (unsigned i = 0; i < WRITERS; i++) {
		int status = 0;

		assert_int_equal(kill(pid[i], SIGKILL), 0);
		assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
		assert_true(WIFSIGNALED(status)); /* it wrote until then */
	}
}

static void what_fn_says_ends_it(void **state)
{
	(void)state;
	assert_int_equal(ledger_list(dir, ".", stop_at_once, NULL, &e), -EBUSY);
}

static void not_there(void **state)
{
	char name[128];

	(void)state;
	assert_int_equal(ledger_list(dir, "none", see, NULL, &e), -ENOENT);
	name_of(0, name);
	assert_int_equal(ledger_list(dir, name, see, NULL, &e), -ENOTDIR);
}

static void empty(void **state)
{
	struct seen s = {.n = 0};

	(void)state;
	assert_int_equal(mkdirat(dir, "empty", 0755), 0);
	assert_int_equal(ledger_list(dir, "empty", see, &s, &e), 0);
	assert_int_equal(s.n + s.others, 0);
	assert_int_equal(unlinkat(dir, "empty", AT_REMOVEDIR), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replaced_files_are_never_missed),
		cmocka_unit_test(what_fn_says_ends_it),
		cmocka_unit_test(not_there),
		cmocka_unit_test(empty),
	};

	return cmocka_run_group_tests(tests, make, clean);
}
