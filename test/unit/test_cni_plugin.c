/* SPDX-License-Identifier: MIT */
/* Delegated plugins that do their work, fail, flood, hang, or are not there. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "cni/plugin.h"

static char dir[] = "/tmp/cni-plugin-XXXXXX";
static char mem[1 << 20], reply_mem[4096];
static struct buf reply;
static struct cni_fail f;

static void script(const char *name, const char *text)
{
	char path[128];
	FILE *out;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	out = fopen(path, "w");
	assert_non_null(out);
	assert_true(fprintf(out, "#!/bin/sh\n%s\n", text) > 0);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(chmod(path, 0755), 0);
}

static const char *const usual[] = {
	"PATH=/usr/bin:/bin", "CNI_COMMAND=ADD", "CNI_ARGS=a", "CNI_IFNAME=eth0", NULL};
static const char *const *vars = usual;

static struct cni_plugin ready(const char *type, struct str conf, int64_t timeout_ms)
{
	static const struct cni_var set[] = {{"CNI_COMMAND", "DEL"}, {"CNI_IFNAME", "eth1"}};
	static char path[256];
	static struct arena a;

	(void)snprintf(path, sizeof(path), ":/nowhere:relative:%s", dir);
	arena_init(&a, mem, sizeof(mem));
	buf_init(&reply, reply_mem, sizeof(reply_mem));
	f = (struct cni_fail)CNI_FAIL_INIT;
	return (struct cni_plugin){.what = "IPAM",
		.type = type,
		.path = path,
		.vars = vars,
		.set = set,
		.set_n = 2,
		.conf = conf,
		.reply = &reply,
		.keep_fd = -1,
		.deadline_ms = clock_ms() + timeout_ms,
		.mem = &a};
}

static int run(const char *type, struct str conf, int64_t timeout_ms)
{
	const struct cni_plugin p = ready(type, conf, timeout_ms);

	return cni_plugin_run(&p, &f);
}

static bool said(const char *text)
{
	return str_eq_c(buf_str(&reply), text);
}

int __real_execve(const char *path, char *const argv[], char *const envp[]);
int __wrap_execve(const char *path, char *const argv[], char *const envp[]);

/* In the child: as if the program were on a file system that does not answer. */
int __wrap_execve(const char *path, char *const argv[], char *const envp[])
{
	while (strstr(path, "/stuck") != NULL) {
		(void)pause();
	}
	return __real_execve(path, argv, envp);
}

static void does_its_work(void **state)
{
	(void)state;
	script("echo", "cat; echo $CNI_COMMAND $CNI_ARGS $CNI_IFNAME $#");
	assert_int_equal(run("echo", STR("{conf}"), 10000), 0);
	assert_true(said("{conf}DEL a eth1 0\n"));
}

/* A runtime's own environment is handed on whole, however much it is. */
static void many_variables(void **state)
{
	static char text[3000][16];
	static const char *many[3000 + 2];

	(void)state;
	many[0] = "PATH=/usr/bin:/bin";
	for (size_t i = 0; i < 3000; i++) {
		(void)snprintf(text[i], sizeof(text[i]), "VAR%zu=x", i);
		many[i + 1] = text[i];
	}
	script("vars", "env | grep -c '^VAR.*=x$'; echo $CNI_COMMAND");
	vars = many;
	assert_int_equal(run("vars", STR(""), 10000), 0);
	vars = usual;
	assert_true(said("3000\nDEL\n"));
}

/* The plugin is at work between the halves: it waits for nothing of ours but the end. */
static void beside_other_work(void **state)
{
	struct cni_plugin p;
	struct cni_plugin_job j;
	char path[128];

	(void)state;
	script("touch", "cat >$0.ran; echo done; exit 0");
	p = ready("touch", STR("{conf}"), 10000);
	assert_int_equal(cni_plugin_start(&p, &j, &f), 0);
	(void)snprintf(path, sizeof(path), "%s/touch.ran", dir);
	for (int i = 0; i < 1000 && access(path, F_OK) < 0; i++) {
		clock_sleep_ms(10);
	}
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(cni_plugin_end(&p, &j, &f), 0);
	assert_true(j.child.ran);
	assert_true(said("done\n"));
	assert_int_equal(unlink(path), 0);
	/* What goes wrong is said at the end. */
	p = ready("nowhere", STR(""), 10000);
	assert_int_equal(cni_plugin_start(&p, &j, &f), -ENOENT);
	script("no-shell", "");
	(void)snprintf(path, sizeof(path), "%s/no-shell", dir);
	assert_int_equal(chmod(path, 0644), 0);
	p = ready("no-shell", STR(""), 10000);
	assert_int_equal(cni_plugin_start(&p, &j, &f), 0);
	assert_int_equal(cni_plugin_end(&p, &j, &f), -EACCES);
	assert_false(j.child.ran);
	assert_non_null(strstr(f.e.msg, "IPAM no-shell"));
	assert_int_equal(f.code, CNI_ERR_PLUGIN);
	script("slow", "sleep 60");
	p = ready("slow", STR(""), 50);
	assert_int_equal(cni_plugin_start(&p, &j, &f), 0);
	assert_int_equal(cni_plugin_end(&p, &j, &f), -ETIMEDOUT);
	assert_true(j.child.ran);
}

/* More input than a pipe holds; the plugin reads it late, or not at all. */
static void long_input(void **state)
{
	static char text[1 << 20];

	(void)state;
	memset(text, 'x', sizeof(text));
	script("count", "sleep 0.1; wc -c");
	assert_int_equal(run("count", (struct str){text, sizeof(text)}, 10000), 0);
	assert_int_equal(atoi(reply_mem), sizeof(text));
	script("deaf", "exec 0</dev/null; echo done");
	assert_int_equal(run("deaf", (struct str){text, sizeof(text)}, 10000), 0);
	assert_true(said("done\n"));
}

static void its_error_is_ours(void **state)
{
	(void)state;
	script("fails", "echo '{\"code\":11,\"msg\":\"later\",\"details\":\"d\"}'; exit 1");
	assert_true(run("fails", STR(""), 10000) < 0);
	assert_int_equal(f.code, 11);
	assert_string_equal(f.e.msg, "IPAM fails: later");
	assert_string_equal(f.details, "d");
}

static void trouble(void **state)
{
	static const struct {
		const char *name, *text, *says;
	} rows[] = {
		{"silent", "exit 3", "exit status 3"},
		{"garbage", "echo '{\"code\":'; exit 1", "exit status 1"},
		{"nocode", "echo '{\"msg\":\"x\"}'; exit 1", "exit status 1"},
		{"killed", "kill -KILL $$", "signal 9"},
		{"flood", "cat /dev/zero", "more than 4096 bytes"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		script(rows[i].name, rows[i].text);
		assert_true(run(rows[i].name, STR("{}"), 10000) < 0);
		assert_int_equal(f.code, CNI_ERR_PLUGIN);
		assert_non_null(strstr(f.e.msg, rows[i].name));
		assert_non_null(strstr(f.e.msg, rows[i].says));
	}
}

/* The whole group is killed, also what ignores SIGTERM. */
static void hangs(void **state)
{
	char path[128], text[32];
	pid_t pid;
	struct err e;

	(void)state;
	script("hangs", "trap '' TERM HUP; sleep 1000 & echo $! >${0%/*}/pid; wait");
	assert_int_equal(run("hangs", STR("{}"), 700), -ETIMEDOUT);
	assert_int_equal(f.code, CNI_ERR_PLUGIN);
	assert_non_null(strstr(f.e.msg, "in time"));
	(void)snprintf(path, sizeof(path), "%s/pid", dir);
	assert_true(file_read(AT_FDCWD, path, text, sizeof(text), &e) > 0);
	pid = (pid_t)strtol(text, NULL, 10);
	assert_true(pid > 1);
	for (int i = 0; kill(pid, 0) == 0 && i < 200; i++) {
		clock_sleep_ms(10); /* init reaps it */
	}
	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	if (file_read(AT_FDCWD, path, reply_mem, sizeof(reply_mem), &e) > 0) {
		assert_non_null(strstr(reply_mem, "zombie"));
	}
}

/* The deadline passes during the caller's work: what has ended counts, what hangs is killed. */
static void work_that_takes_longer(void **state)
{
	static struct cni_plugin_job job;
	struct cni_plugin p;

	(void)state;
	script("quick", "echo done");
	p = ready("quick", STR("{}"), 100);
	assert_int_equal(cni_plugin_start(&p, &job, &f), 0);
	clock_sleep_ms(200);
	assert_int_equal(cni_plugin_end(&p, &job, &f), 0);
	assert_true(said("done\n"));
	script("slow", "exec sleep 1000");
	p = ready("slow", STR("{}"), 100);
	assert_int_equal(cni_plugin_start(&p, &job, &f), 0);
	clock_sleep_ms(200);
	assert_int_equal(cni_plugin_end(&p, &job, &f), -ETIMEDOUT);
}

/* There is a deadline before the program is executed, too; then it may have been. */
static void is_never_executed(void **state)
{
	static struct cni_plugin_job job;
	struct cni_plugin p;

	(void)state;
	script("stuck", "echo done");
	(void)alarm(60); /* rather than waiting for ever */
	p = ready("stuck", STR("{}"), 100);
	assert_int_equal(cni_plugin_start(&p, &job, &f), 0);
	assert_int_equal(cni_plugin_end(&p, &job, &f), -ETIMEDOUT);
	(void)alarm(0);
	assert_true(job.child.ran);
	assert_int_equal(kill(job.child.pid, 0), -1);
	assert_int_equal(errno, ESRCH);
	assert_int_equal(f.code, CNI_ERR_PLUGIN);
	assert_non_null(strstr(f.e.msg, "stuck did not end in time"));
}

/* What it left running in the background does not count, though it has our pipe. */
static void leaves_something_behind(void **state)
{
	int64_t begin = clock_ms();

	(void)state;
	script("forks", "sleep 5 & echo done");
	assert_int_equal(run("forks", STR("{}"), 60000), 0);
	assert_true(said("done\n"));
	assert_true(clock_ms() - begin < 60000);
}

/* One that is killed leaves no plugin without a deadline: its standard error ends. */
static void dies_with_its_caller(void **state)
{
	int p[2];
	char c;
	pid_t pid;

	(void)state;
	script("stays", "echo x >&2; exec sleep 1000");
	assert_int_equal(pipe(p), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)dup2(p[1], STDERR_FILENO);
		(void)close(p[0]);
		(void)close(p[1]);
		(void)run("stays", STR("{}"), 600000);
		_exit(1);
	}
	(void)close(p[1]);
	assert_int_equal(read(p[0], &c, 1), 1); /* it runs */
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	while (read(p[0], &c, 1) > 0) {
	}
	(void)close(p[0]);
}

static void not_there(void **state)
{
	char path[128];

	(void)state;
	assert_int_equal(run("none", STR("{}"), 1000), -ENOENT);
	assert_int_equal(f.code, CNI_ERR_PLUGIN);
	assert_non_null(strstr(f.e.msg, "none"));
	(void)snprintf(path, sizeof(path), "%s/folder", dir);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(run("folder", STR("{}"), 1000), -ENOENT);
	script("plain", "true");
	(void)snprintf(path, sizeof(path), "%s/plain", dir);
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(run("plain", STR("{}"), 1000), -EACCES);
}

static int set_up(void **state)
{
	(void)state;
	return mkdtemp(dir) != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
	char command[64];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(does_its_work),
		cmocka_unit_test(many_variables),
		cmocka_unit_test(beside_other_work),
		cmocka_unit_test(long_input),
		cmocka_unit_test(its_error_is_ours),
		cmocka_unit_test(trouble),
		cmocka_unit_test(hangs),
		cmocka_unit_test(work_that_takes_longer),
		cmocka_unit_test(is_never_executed),
		cmocka_unit_test(leaves_something_behind),
		cmocka_unit_test(dies_with_its_caller),
		cmocka_unit_test(not_there),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
