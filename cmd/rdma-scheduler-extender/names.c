/* SPDX-License-Identifier: MIT */
/*
 * See names.h. Questions and answers are packets on one socket that all helpers read: the kernel
 * gives each question to one of them. A helper ends with the extender: its socket does, and it is
 * killed if it waits for a name server then.
 */
#include "names.h"

#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "sandbox/fds.h"

struct question {
	int64_t deadline_ms;
	uint32_t node, serial;
	char name[SCHED_NAME_MAX + 1];
};

struct reply {
	uint32_t node, serial;
	struct sock_addr addr; /* len 0: there is none */
	char why[64];
};

/* --- In a helper */

static void look_up(const struct question *q, struct reply *r)
{
	const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct addrinfo *list = NULL;
	const char *why;
	int code = getaddrinfo(q->name, NULL, &hints, &list);

	if (code == 0 && list->ai_addrlen <= sizeof(r->addr.u)) {
		memcpy(&r->addr.u, list->ai_addr, list->ai_addrlen);
		r->addr.len = list->ai_addrlen;
	} else {
		why = code == 0 ? "an address of another kind" : gai_strerror(code);
		(void)snprintf(r->why, sizeof(r->why), "%.60s", why); /* cut is well enough */
	}
	if (code == 0) {
		freeaddrinfo(list);
	}
}

NORETURN static void help(int fd, pid_t parent)
{
	struct question q;
	struct err e;

	/* The socket becomes standard input, everything else of the extender is closed. */
	if (dup2(fd, STDIN_FILENO) < 0 || sandbox_fds(&e) < 0 ||
		prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent) {
		_exit(1);
	}
	while (recv(STDIN_FILENO, &q, sizeof(q), 0) == (ssize_t)sizeof(q)) {
		struct reply r = {.node = q.node, .serial = q.serial, .why = "too late"};

		if (clock_ms() < q.deadline_ms) {
			look_up(&q, &r);
		}
		if (send(STDIN_FILENO, &r, sizeof(r), MSG_NOSIGNAL) != (ssize_t)sizeof(r)) {
			break;
		}
	}
	_exit(0);
}

/* --- In the extender */

static void stop(struct names *n)
{
	if (n->w.fd < 0) {
		return;
	}
	loop_del(n->loop, &n->w);
	(void)close(n->w.fd); /* sockets have nothing to lose here */
	(void)close(n->far);
	n->w.fd = n->far = -1;
	for (size_t i = 0; i < NAMES_HELPERS; i++) {
		if (n->pid[i] > 0) {
			(void)kill(n->pid[i], SIGKILL); /* gone already, perhaps */
			(void)waitpid(n->pid[i], NULL, 0);
			n->pid[i] = 0;
		}
	}
}

static void on_reply(struct loop *l, struct loop_fd *w, uint32_t events)
{
	struct names *n = CONTAINER_OF(w, struct names, w);
	struct reply r;
	ssize_t got = recv(w->fd, &r, sizeof(r), MSG_DONTWAIT);

	(void)l;
	(void)events;
	if (got == (ssize_t)sizeof(r)) {
		r.why[sizeof(r.why) - 1] = '\0';
		n->done(n->arg, r.node, r.serial, r.addr.len > 0 ? &r.addr : NULL, r.why);
	} else if (got >= 0 || (errno != EAGAIN && errno != EINTR)) {
		log_warn("a helper that resolves host names sends what is no answer");
		stop(n);
	}
}

/* A helper for each place that has none. */
static int start_helpers(struct names *n, struct err *e)
{
	pid_t self = getpid();

	for (size_t i = 0; i < NAMES_HELPERS; i++) {
		if (n->pid[i] > 0) {
			continue;
		}
		n->pid[i] = fork();
		if (n->pid[i] == 0) {
			help(n->far, self);
		}
		if (n->pid[i] < 0) {
			return err_sys(e, errno, "fork");
		}
	}
	return 0;
}

static int start(struct names *n, struct err *e)
{
	int64_t now = clock_ms();
	int pair[2];
	int r;

	if (now - n->begun_ms < NAMES_PAUSE_MS) {
		return err_set(e, EAGAIN, "helpers that resolve names are being started");
	}
	n->begun_ms = now;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		return err_sys(e, errno, "socketpair");
	}
	n->w.fd = pair[0];
	n->far = pair[1];
	r = loop_add(n->loop, &n->w, EPOLLIN, e);
	if (r == 0) {
		r = start_helpers(n, e);
	}
	if (r < 0) {
		stop(n);
	}
	return r;
}

static bool is_host_name(struct str name)
{
	if (name.n == 0 || name.n > SCHED_NAME_MAX || name.p[0] == '-') {
		return false;
	}
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];

		if (!chr_alnum(c) && c != '-' && c != '.' && c != '_') {
			return false;
		}
	}
	return true;
}

int names_ask(struct names *n, uint32_t node, uint32_t serial, struct str name, int64_t deadline_ms,
	struct err *e)
{
	struct question q = {.deadline_ms = deadline_ms, .node = node, .serial = serial};

	if (!is_host_name(name)) {
		return err_set(e, EINVAL, "the name is no host name");
	}
	if (n->w.fd < 0 && start(n, e) < 0) {
		return -e->code;
	}
	memcpy(q.name, name.p, name.n);
	if (send(n->w.fd, &q, sizeof(q), MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)sizeof(q)) {
		return 0;
	}
	return err_sys(e, errno, "asking a helper");
}

void names_check(struct names *n)
{
	bool died = false;
	struct err e;

	for (size_t i = 0; i < NAMES_HELPERS && n->w.fd >= 0; i++) {
		if (n->pid[i] > 0 && waitpid(n->pid[i], NULL, WNOHANG) == n->pid[i]) {
			n->pid[i] = 0;
			died = true;
			log_warn("a helper that resolves host names has ended");
		}
	}
	if (died && start_helpers(n, &e) < 0) {
		log_warn("%s", e.msg);
		stop(n); /* the next question starts them all */
	}
}

void names_init(struct names *n, struct loop *loop, names_done_fn *done, void *arg)
{
	*n = (struct names){
		.loop = loop, .w = {.fd = -1, .fn = on_reply}, .far = -1, .done = done, .arg = arg};
	n->begun_ms = clock_ms() - NAMES_PAUSE_MS;
}

void names_free(struct names *n)
{
	stop(n);
}
