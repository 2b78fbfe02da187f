/* SPDX-License-Identifier: MIT */
/* rdma-cni: gives pods VFs of this node and takes them back, as a CNI plugin. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"
#include "base/version.h"
#include "call.h"
#include "log.h"
#include "sandbox/fds.h"
#include "sandbox/pages.h"

#define EXIT_ERROR 1
#define STDIN_MS   10000 /* a runtime writes the configuration at once */
#define VERSION_MS 500   /* VERSION does without one */

static const char usage[] =
	"rdma-cni is a CNI plugin: a container runtime runs it, with CNI_COMMAND and the like in\n"
	"the environment and a network configuration on standard input.\n"
	"usage: rdma-cni --version | --help\n";

/* The memory of the one call that this process is for. */
static struct call call;
static char text_mem[CNI_CONF_MAX + 1];
static char call_mem[CNI_CONF_MEM + JSON_ARENA_WORST(CNI_REPLY_MAX) + 4 * CNI_REPLY_MAX];
static char out_mem[CNI_RESULT_MAX];
static char reply_mem[CNI_REPLY_MAX];

/* c->text is what has come, also when that was not all. */
static int read_stdin(struct call *c, int64_t ms)
{
	struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
	int64_t deadline = call_until(c, ms);
	size_t n = 0;

	while (n <= CNI_CONF_MAX) {
		int64_t left = deadline - clock_ms();
		ssize_t r;

		if (left <= 0) {
			return cni_fail_set(&c->fail, CNI_ERR_DECODE, ETIMEDOUT,
				"the network configuration on stdin does not end");
		}
		if (poll(&p, 1, (int)left) <= 0) {
			continue;
		}
		r = io_read(STDIN_FILENO, text_mem + n, sizeof(text_mem) - n);
		if (r < 0) {
			(void)err_sys(&c->fail.e, (int)-r, "read stdin");
			return cni_fail(&c->fail, CNI_ERR_IO);
		}
		n += (size_t)r;
		c->text = (struct str){text_mem, n};
		if (r == 0) {
			return 0;
		}
	}
	return cni_fail_set(&c->fail, CNI_ERR_DECODE, EFBIG,
		"the network configuration is longer than %zu bytes", CNI_CONF_MAX);
}

/* What the version of the configuration does not have. */
static int check_version(struct call *c)
{
	enum cni_command cmd = c->env.command;
	enum cni_version least = cmd == CNI_CHECK                     ? CNI_0_4_0
				 : cmd == CNI_STATUS || cmd == CNI_GC ? CNI_1_1_0
								      : CNI_0_1_0;

	if (c->conf.version >= least) {
		return 0;
	}
	return cni_fail_set(&c->fail, CNI_ERR_VERSION, EINVAL,
		"%s needs cniVersion %s, the configuration has %s", cni_command_name(cmd),
		cni_version_name(least), cni_version_name(c->conf.version));
}

/* What stdin says is only repeated: it may be empty, closed, or open for ever (a terminal). */
static int version(struct call *c)
{
	(void)!read_stdin(c, VERSION_MS);
	c->fail = (struct cni_fail)CNI_FAIL_INIT;
	cni_version_reply(&c->out, cni_conf_version(c->text, &c->mem));
	return 0;
}

static int run(struct call *c)
{
	static int (*const commands[])(struct call * c) = {
		[CNI_ADD] = add_run,
		[CNI_DEL] = del_run,
		[CNI_CHECK] = check_run,
		[CNI_STATUS] = status_run,
		[CNI_GC] = gc_run,
	};
	unsigned flags = c->env.command == CNI_ADD || c->env.command == CNI_CHECK ||
					 c->env.command == CNI_STATUS
				 ? 0
				 : CNI_CONF_LENIENT;
	int r;

	if (c->env.command == CNI_VERSION) {
		return version(c);
	}
	r = read_stdin(c, STDIN_MS);
	if (r < 0) {
		return r;
	}
	r = cni_conf_parse(&c->conf, c->text, flags, &c->mem, &c->fail);
	r = r < 0 ? r : check_version(c);
	if (r < 0) {
		return r;
	}
	return commands[c->env.command](c);
}

static int finish(struct call *c, int r)
{
	if (r < 0) {
		log_error("%s%s%s", c->fail.e.msg, c->fail.details[0] != '\0' ? ": " : "",
			c->fail.details);
		buf_reset(&c->out);
		cni_error_write(&c->out, c->conf.version, &c->fail);
	}
	if (c->out.n > 0) {
		buf_add_chr(&c->out, '\n');
	}
	if (io_write_all(STDOUT_FILENO, c->out.p, c->out.n) < 0) {
		log_error("stdout cannot be written");
		if (r == 0 && c->env.command == CNI_ADD) {
			add_undo(c); /* nobody knows of the interfaces */
		}
		return EXIT_ERROR;
	}
	return r < 0 ? EXIT_ERROR : 0;
}

static bool is_option(int argc, char **argv, const char *name)
{
	return argc == 2 && strcmp(argv[1], name) == 0;
}

int main(int argc, char **argv)
{
	struct call *c = &call;
	int r;

	sandbox_pages();
	if (sandbox_fds(&c->fail.e) < 0) {
		return EXIT_ERROR;
	}
	if (is_option(argc, argv, "--version")) {
		return printf("rdma-cni %s\n", ferrule_version()) < 0 ? EXIT_ERROR : 0;
	}
	if (is_option(argc, argv, "--help")) {
		return fputs(usage, stdout) < 0 ? EXIT_ERROR : 0;
	}
	(void)signal(SIGPIPE, SIG_IGN); /* a runtime that has died reads neither result nor log */
	c->store = (struct ledger_store)LEDGER_STORE_INIT;
	c->lock = -1;
	call_begin(c, CALL_MS);
	c->vars = (const char *const *)environ;
	c->conf.version = CNI_VERSION_OWN;
	arena_init(&c->mem, call_mem, sizeof(call_mem));
	buf_init(&c->out, out_mem, sizeof(out_mem));
	buf_init(&c->reply, reply_mem, sizeof(reply_mem));
	r = cni_env_read(&c->env, c->vars, &c->fail);
	cni_log_open(&c->env);
	r = r < 0 ? r : run(c);
	r = finish(c, r);
	call_close(c);
	return r;
}
