/* SPDX-License-Identifier: MIT */
/* See exec.h. */
#include "cni/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"

#define TXTBSY_TRIES    10
#define TXTBSY_PAUSE_MS 300
#define LOOK_MS         20 /* without pidfd_open (before Linux 5.3): how often the child is looked at */
#define END_MS          250 /* at least as long is waited at the end: much may have been done beside it */
#define KILL_MS         1000 /* for what was killed to be gone */

static void close_end(int *fd)
{
	cleanup_fd_close(fd);
	*fd = -1;
}

/* In the child, between fork and exec: only async-signal-safe calls. */
NORETURN static void become(const struct cni_exec *x, pid_t parent, int in, int out, int report)
{
	char *argv[2];
	sigset_t none;
	int code;

	/*
	 * A caller that is killed enforces no deadline any more, and what the program did after
	 * the DEL that follows would be undone by nobody. It may be gone already.
	 */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent) {
		_exit(127);
	}
	argv[0] = (char *)(uintptr_t)x->path; /* execve's prototype predates const */
	argv[1] = NULL;
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)setpgid(0, 0);
	if (dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 &&
		(x->keep_fd < 0 || fcntl(x->keep_fd, F_SETFD, 0) == 0)) {
		(void)execve(x->path, argv, (char *const *)(uintptr_t)x->envp);
	}
	code = errno;
	(void)!write(report, &code, sizeof(code));
	_exit(127);
}

static int pipe_pair(int p[2], int flags, struct err *e)
{
	return pipe2(p, O_CLOEXEC | flags) < 0 ? err_sys(e, errno, "pipe") : 0;
}

static void nonblocking(int fd)
{
	(void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

/* Fork; that the child has executed the program, or why not, comes out of c->report. */
static int launch(const struct cni_exec *x, struct cni_child *c, struct err *e)
{
	int in[2] = {-1, -1}, out[2] = {-1, -1}, report[2] = {-1, -1};
	pid_t self = getpid();
	int r;

	*c = (struct cni_child){.pidfd = -1};
	r = pipe_pair(in, 0, e);
	r = r < 0 ? r : pipe_pair(out, 0, e);
	r = r < 0 ? r : pipe_pair(report, O_NONBLOCK, e);
	if (r == 0) {
		c->pid = fork();
		if (c->pid == 0) {
			become(x, self, in[0], out[1], report[1]);
		}
		r = c->pid < 0 ? err_sys(e, errno, "fork") : 0;
	}
	close_end(&in[0]);
	close_end(&out[1]);
	close_end(&report[1]);
	c->in = in[1];
	c->out = out[0];
	c->report = report[0];
	if (r == 0) {
		(void)setpgid(c->pid, c->pid); /* the child does it, too: whoever is first */
		c->pidfd = (int)syscall(SYS_pidfd_open, c->pid, 0);
		nonblocking(c->in);
		nonblocking(c->out);
	}
	return r;
}

static void close_all(struct cni_child *c)
{
	close_end(&c->in);
	close_end(&c->out);
	close_end(&c->report);
	close_end(&c->pidfd);
}

static void look(struct cni_child *c)
{
	c->ended = c->ended || waitpid(c->pid, &c->status, WNOHANG) == c->pid;
}

static int wait_ms(int64_t until_ms, const struct cni_child *c)
{
	int64_t left = until_ms - clock_ms();

	left = left < 0 ? 0 : left;
	if (c->pidfd < 0 && left > LOOK_MS) {
		left = LOOK_MS;
	}
	return left > 1000 ? 1000 : (int)left;
}

/* What hangs in the kernel, on a file system that does not answer, is gone when it comes back. */
static void kill_group(struct cni_child *c)
{
	int64_t until = clock_ms() + KILL_MS;

	(void)kill(-c->pid, SIGKILL);
	for (look(c); !c->ended && clock_ms() < until; look(c)) {
		struct pollfd p = {.fd = c->pidfd, .events = POLLIN};

		(void)poll(&p, 1, wait_ms(until, c));
	}
}

static int too_late(const struct cni_exec *x, struct err *e)
{
	return err_set(e, ETIMEDOUT, "%s did not end in time and was killed", x->path);
}

/* Wait until the program is executed; if it is not, the child is gone, or killed. */
static int launched(const struct cni_exec *x, struct cni_child *c, struct err *e)
{
	struct pollfd p = {.fd = c->report, .events = POLLIN};
	int code = 0;
	ssize_t n;

	while ((n = io_read(c->report, &code, sizeof(code))) == -EAGAIN &&
		clock_ms() < x->deadline_ms) {
		(void)poll(&p, 1, wait_ms(x->deadline_ms, c));
	}
	c->ran = n != (ssize_t)sizeof(code);
	if (n == -EAGAIN) {
		kill_group(c);
		close_all(c);
		return too_late(x, e);
	}
	if (c->ran) {
		close_end(&c->report);
		return 0;
	}
	while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR) {
	}
	close_all(c);
	return err_sys(e, code, "%s", x->path);
}

static void feed(const struct cni_exec *x, struct cni_child *c)
{
	ssize_t n = io_write(c->in, x->input.p + c->sent, x->input.n - c->sent);

	if (n > 0) {
		c->sent += (size_t)n;
	}
	/* A program that does not want its input may still answer. */
	if ((n < 0 && n != -EAGAIN) || c->sent == x->input.n) {
		close_end(&c->in);
	}
}

/* A program that is being written is launched again for some time. */
static int running(const struct cni_exec *x, struct cni_child *c, struct err *e)
{
	int r = launched(x, c, e);

	for (int i = 0; r == -ETXTBSY && i < TXTBSY_TRIES && clock_ms() < x->deadline_ms; i++) {
		clock_sleep_ms(TXTBSY_PAUSE_MS);
		r = launch(x, c, e);
		if (r < 0) {
			close_all(c);
			return r;
		}
		r = launched(x, c, e);
	}
	return r;
}

static int drain(const struct cni_exec *x, struct cni_child *c, struct err *e)
{
	char part[4096];
	ssize_t n = io_read(c->out, part, sizeof(part));

	if (n == -EAGAIN) {
		return 0;
	}
	if (n <= 0) {
		close_end(&c->out);
		return 0;
	}
	buf_add(x->output, (struct str){part, (size_t)n});
	if (!buf_ok(x->output)) {
		return err_set(
			e, EMSGSIZE, "%s printed more than %zu bytes", x->path, x->output->cap);
	}
	return 1;
}

/* One round: wait for something, do it. */
static int turn(const struct cni_exec *x, struct cni_child *c, struct err *e)
{
	struct pollfd p[3] = {
		{.fd = c->in, .events = POLLOUT},
		{.fd = c->out, .events = POLLIN},
		{.fd = c->pidfd, .events = POLLIN},
	};
	int r = 0;

	if (clock_ms() >= x->deadline_ms) {
		return too_late(x, e);
	}
	if (poll(p, 3, wait_ms(x->deadline_ms, c)) < 0 && errno != EINTR) {
		return err_sys(e, errno, "poll");
	}
	if (c->in >= 0 && p[0].revents != 0) {
		feed(x, c);
	}
	if (c->out >= 0 && p[1].revents != 0) {
		r = drain(x, c, e);
	}
	look(c);
	return r < 0 ? r : 0;
}

int cni_exec_start(const struct cni_exec *x, struct cni_child *c, struct err *e)
{
	int r;

	(void)signal(SIGPIPE, SIG_IGN);
	r = launch(x, c, e);
	if (r < 0) {
		close_all(c);
		return r;
	}
	feed(x, c);
	return 0;
}

int cni_exec_end(const struct cni_exec *limits, struct cni_child *c, struct err *e)
{
	struct cni_exec late = *limits, *x = &late;
	int64_t least = clock_ms() + END_MS;
	int r;

	x->deadline_ms = x->deadline_ms < least ? least : x->deadline_ms;
	r = running(x, c, e);
	if (r < 0) {
		return r;
	}
	while (r == 0 && !c->ended) {
		r = turn(x, c, e);
	}
	while (r >= 0 && c->out >= 0) {
		r = drain(x, c, e); /* what it printed last */
		if (r <= 0) {
			break;
		}
	}
	if (r < 0) {
		kill_group(c);
	}
	close_all(c);
	if (r < 0) {
		return r;
	}
	return WIFEXITED(c->status) ? WEXITSTATUS(c->status) : 128 + WTERMSIG(c->status);
}

int cni_exec_run(const struct cni_exec *x, struct err *e)
{
	struct cni_child c;
	int r = cni_exec_start(x, &c, e);

	return r < 0 ? r : cni_exec_end(x, &c, e);
}
