/* SPDX-License-Identifier: MIT */
/*
 * The lab's agent: runs in a guest, executes one command for each TCP connection.
 *
 * Theory of operation
 * Both directions carry frames: one type octet, a 32-bit big-endian length, the payload.
 *   client: 'A' the argument vector, each argument ended by NUL (first frame, exactly once);
 *           'I' bytes for the command's stdin, a length of 0 ends it.
 *   agent:  'O' stdout, 'E' stderr, 'X' 32-bit exit status (128 + signal if killed), last frame.
 * Each connection is a process of its own, so that commands run side by side. The command leads
 * a session of its own. A client that goes away takes the command's process group with it; when
 * the command ends, whatever it left running stays, and only what had been written to the pipes
 * by then is sent. The agent serves a private test network: there is no authentication.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define AGENT_PORT     2222
#define HEAD_BYTES     5
#define CHUNK_BYTES    65536
#define ARGS_BYTES_MAX (1u << 20)
#define ARGS_MAX       4096

enum { FD_SOCK, FD_CHILD, FD_IN, FD_OUT, FD_ERR, FD_N };

struct session {
	int fd[FD_N];
	pid_t pid;
	uint8_t in_buf[CHUNK_BYTES];
	size_t in_len; /* bytes of in_buf not yet taken by the command */
	size_t in_off;
	size_t frame_left; /* payload of the current 'I' frame still on the socket */
};

static struct session ses = {.fd = {-1, -1, -1, -1, -1}};

static _Noreturn void fail(const char *what)
{
	(void)fprintf(stderr, "agent: %s: %s\n", what, strerror(errno));
	_exit(111);
}

/* The client is gone or speaks nonsense: end the command and everything in its group. */
static _Noreturn void hang_up(void)
{
	if (ses.pid > 0) {
		(void)kill(-ses.pid, SIGKILL);
	}
	_exit(0);
}

static void drop(int which)
{
	if (ses.fd[which] >= 0) {
		(void)close(ses.fd[which]);
		ses.fd[which] = -1;
	}
}

static void sock_read(void *dst, size_t n)
{
	uint8_t *p = dst;

	while (n > 0) {
		ssize_t got = read(ses.fd[FD_SOCK], p, n);

		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got <= 0) {
			hang_up();
		}
		p += got;
		n -= (size_t)got;
	}
}

static void sock_write(const void *src, size_t n)
{
	const uint8_t *p = src;

	while (n > 0) {
		ssize_t put = send(ses.fd[FD_SOCK], p, n, MSG_NOSIGNAL);

		if (put < 0 && errno == EINTR) {
			continue;
		}
		if (put <= 0) {
			hang_up();
		}
		p += put;
		n -= (size_t)put;
	}
}

static void frame_send(char type, const void *data, size_t n)
{
	uint8_t head[HEAD_BYTES] = {(uint8_t)type};
	uint32_t len = htonl((uint32_t)n);

	memcpy(head + 1, &len, sizeof(len));
	sock_write(head, sizeof(head));
	sock_write(data, n);
}

static size_t frame_head(char want)
{
	uint8_t head[HEAD_BYTES];
	uint32_t len;

	sock_read(head, sizeof(head));
	if (head[0] != (uint8_t)want) {
		hang_up();
	}
	memcpy(&len, head + 1, sizeof(len));
	return ntohl(len);
}

/* Reads the argument vector; the strings live as long as this process. */
static char **args_read(void)
{
	static char *argv[ARGS_MAX + 1];
	static char text[ARGS_BYTES_MAX];
	size_t n = frame_head('A');
	size_t argc = 0;

	if (n == 0 || n > ARGS_BYTES_MAX) {
		hang_up();
	}
	sock_read(text, n);
	if (text[n - 1] != '\0') {
		hang_up();
	}
	for (size_t at = 0; at < n; at += strlen(text + at) + 1) {
		if (argc == ARGS_MAX) {
			hang_up();
		}
		argv[argc++] = text + at;
	}
	return argv;
}

static _Noreturn void command_exec(char **argv, const int *in, const int *out, const int *err)
{
	sigset_t none;

	(void)setsid();
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
	if (dup2(in[0], 0) < 0 || dup2(out[1], 1) < 0 || dup2(err[1], 2) < 0) {
		fail("dup2");
	}
	if (chdir("/root") != 0) {
		fail("/root");
	}
	(void)execvp(argv[0], argv);
	(void)fprintf(stderr, "agent: %s: %s\n", argv[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

static void command_start(char **argv)
{
	int in[2];
	int out[2];
	int err[2];
	sigset_t chld;

	(void)sigemptyset(&chld);
	(void)sigaddset(&chld, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &chld, NULL);
	ses.fd[FD_CHILD] = signalfd(-1, &chld, SFD_CLOEXEC);
	if (ses.fd[FD_CHILD] < 0 || pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0 ||
		pipe2(err, O_CLOEXEC) != 0) {
		fail("pipe");
	}
	ses.pid = fork();
	if (ses.pid < 0) {
		fail("fork");
	}
	if (ses.pid == 0) {
		command_exec(argv, in, out, err);
	}
	(void)close(in[0]);
	(void)close(out[1]);
	(void)close(err[1]);
	if (fcntl(in[1], F_SETFL, O_NONBLOCK) != 0) {
		fail("fcntl");
	}
	ses.fd[FD_IN] = in[1];
	ses.fd[FD_OUT] = out[0];
	ses.fd[FD_ERR] = err[0];
}

/* Moves one read of the command's output to the client; false at its end. */
static bool output_pump(int which, size_t max)
{
	static uint8_t buf[CHUNK_BYTES];
	ssize_t n = read(ses.fd[which], buf, max < sizeof(buf) ? max : sizeof(buf));

	if (n < 0 && errno == EINTR) {
		return true;
	}
	if (n <= 0) {
		drop(which);
		return false;
	}
	frame_send(which == FD_OUT ? 'O' : 'E', buf, (size_t)n);
	return true;
}

/* Takes what the client has sent for stdin; called only when in_buf is empty. */
static void input_take(void)
{
	ssize_t n;

	if (ses.frame_left == 0) {
		ses.frame_left = frame_head('I');
		if (ses.frame_left == 0) {
			drop(FD_IN);
		}
		return;
	}
	n = read(ses.fd[FD_SOCK], ses.in_buf,
		ses.frame_left < CHUNK_BYTES ? ses.frame_left : CHUNK_BYTES);
	if (n < 0 && errno == EINTR) {
		return;
	}
	if (n <= 0) {
		hang_up();
	}
	ses.frame_left -= (size_t)n;
	ses.in_off = 0;
	ses.in_len = ses.fd[FD_IN] >= 0 ? (size_t)n : 0;
}

static void input_give(void)
{
	ssize_t n = write(ses.fd[FD_IN], ses.in_buf + ses.in_off, ses.in_len);

	if (n < 0 && (errno == EINTR || errno == EAGAIN)) {
		return;
	}
	if (n < 0) {
		ses.in_len = 0;
		drop(FD_IN);
		return;
	}
	ses.in_off += (size_t)n;
	ses.in_len -= (size_t)n;
}

/*
 * Waits for the client to close: closing first, with input of the client's still unread, would
 * reset the connection and could take the last frames with it.
 */
static _Noreturn void linger(void)
{
	ssize_t n;

	(void)shutdown(ses.fd[FD_SOCK], SHUT_WR);
	do {
		n = read(ses.fd[FD_SOCK], ses.in_buf, sizeof(ses.in_buf));
	} while (n > 0 || (n < 0 && errno == EINTR));
	_exit(0);
}

/* The command has ended: send what it had written by now, then its status. */
static _Noreturn void command_end(int status)
{
	uint32_t code =
		(uint32_t)(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));

	for (int i = FD_OUT; i <= FD_ERR; i++) {
		int left = 0;

		if (ses.fd[i] < 0 || ioctl(ses.fd[i], FIONREAD, &left) != 0) {
			continue;
		}
		while (left > 0) {
			int now = left < CHUNK_BYTES ? left : CHUNK_BYTES;

			if (!output_pump(i, (size_t)now)) {
				break;
			}
			left -= now;
		}
	}
	code = htonl(code);
	frame_send('X', &code, sizeof(code));
	linger();
}

static void child_check(void)
{
	struct signalfd_siginfo info;
	int status;

	if (read(ses.fd[FD_CHILD], &info, sizeof(info)) < 0 && errno != EINTR) {
		fail("signalfd");
	}
	if (waitpid(ses.pid, &status, WNOHANG) == ses.pid) {
		command_end(status);
	}
}

static void poll_once(void)
{
	struct pollfd p[FD_N];

	for (int i = 0; i < FD_N; i++) {
		p[i].fd = ses.fd[i];
		p[i].events = POLLIN;
		p[i].revents = 0;
	}
	p[FD_SOCK].events = (short)(POLLRDHUP | (ses.in_len == 0 ? POLLIN : 0));
	p[FD_IN].events = ses.in_len > 0 ? POLLOUT : 0;
	if (poll(p, FD_N, -1) < 0) {
		if (errno == EINTR) {
			return;
		}
		fail("poll");
	}
	if (p[FD_SOCK].revents & (POLLRDHUP | POLLHUP | POLLERR)) {
		hang_up();
	}
	if (p[FD_OUT].revents != 0) {
		(void)output_pump(FD_OUT, CHUNK_BYTES);
	}
	if (p[FD_ERR].revents != 0) {
		(void)output_pump(FD_ERR, CHUNK_BYTES);
	}
	if (p[FD_IN].revents & POLLERR) {
		ses.in_len = 0;
		drop(FD_IN);
	} else if (p[FD_IN].revents & POLLOUT) {
		input_give();
	}
	if (p[FD_SOCK].revents & POLLIN) {
		input_take();
	}
	if (p[FD_CHILD].revents != 0) {
		child_check();
	}
}

static int listen_on(uint16_t port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
	int one = 1;
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (s < 0 || setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
		bind(s, (struct sockaddr *)&a, sizeof(a)) != 0 || listen(s, 64) != 0) {
		fail("listen");
	}
	return s;
}

/* Commands get the same small environment however the agent was started. */
static void environment(void)
{
	if (clearenv() != 0 || setenv("HOME", "/root", 1) != 0 ||
		setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1) !=
			0) {
		fail("environment");
	}
}

int main(void)
{
	int s = listen_on(AGENT_PORT);

	environment();
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGCHLD, SIG_IGN);
	/* The one that init gives has no /usr/local, where the programs of build/bin are. */
	if (setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1) < 0) {
		return 1;
	}
	for (;;) {
		int one = 1;
		int c = accept4(s, NULL, NULL, SOCK_CLOEXEC);

		if (c < 0) {
			continue;
		}
		if (fork() == 0) {
			(void)close(s);
			(void)signal(SIGCHLD, SIG_DFL);
			(void)setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
			ses.fd[FD_SOCK] = c;
			command_start(args_read());
			for (;;) {
				poll_once();
			}
		}
		(void)close(c);
	}
}
