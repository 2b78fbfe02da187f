/* SPDX-License-Identifier: MIT */
/*
 * A kernel that answers by script: sendto, recvmsg, recv and poll of the program are replaced
 * (-Wl,--wrap, see tests.mk). Steps are delivered in order, one a receive; a message gets the
 * sequence number and port id that the request has, plus the step's deltas.
 */
#ifndef TEST_NL_SCRIPT_H
#define TEST_NL_SCRIPT_H

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nl/sock.h"
#include "nl_build.h"

#define SCRIPT_TIMEOUT_MS 40

struct step {
	int error; /* != 0: recvmsg fails with it */
	bool truncated;
	uint32_t from; /* port id of the sender, 0 the kernel */
	uint32_t seq_delta, pid_delta;
	struct mb m;
};

static struct {
	struct step steps[8];
	size_t n, at;
	uint8_t sent[8][NL_REQ_CAP_BYTES];
	size_t sent_n;
	int send_error, poll_error; /* fail so once */
	unsigned send_us;           /* how long the kernel works on a request */
	size_t drained;
	struct nl_sock sock;
} script;

int __real_poll(struct pollfd *p, nfds_t n, int timeout);

ssize_t __wrap_sendto(
	int fd, const void *p, size_t n, int flags, const struct sockaddr *to, socklen_t to_n);
ssize_t __wrap_recvmsg(int fd, struct msghdr *m, int flags);
ssize_t __wrap_recv(int fd, void *p, size_t n, int flags);
int __wrap_poll(struct pollfd *p, nfds_t n, int timeout);

ssize_t __wrap_sendto(
	int fd, const void *p, size_t n, int flags, const struct sockaddr *to, socklen_t to_n)
{
	(void)fd, (void)flags, (void)to, (void)to_n;
	if (script.send_error != 0) {
		errno = script.send_error;
		script.send_error = 0;
		return -1;
	}
	if (n > NL_REQ_CAP_BYTES || script.sent_n == 8) {
		abort();
	}
	memcpy(script.sent[script.sent_n++], p, n);
	usleep(script.send_us);
	return (ssize_t)n;
}

static inline const struct nlmsghdr *script_sent(size_t i)
{
	return (const void *)script.sent[i];
}

static void script_stamp(const struct step *s, uint8_t *p, size_t n)
{
	const struct nlmsghdr *req = script_sent(script.sent_n - 1);
	struct nlmsghdr h;

	for (size_t at = 0; n - at >= sizeof(h);) {
		memcpy(&h, p + at, sizeof(h));
		h.nlmsg_seq = req->nlmsg_seq + s->seq_delta;
		h.nlmsg_pid = req->nlmsg_pid + s->pid_delta;
		memcpy(p + at, &h, sizeof(h));
		if (h.nlmsg_len < sizeof(h) || h.nlmsg_len > n - at) {
			break;
		}
		at += (h.nlmsg_len + 3) & ~3u;
	}
}

ssize_t __wrap_recvmsg(int fd, struct msghdr *m, int flags)
{
	struct sockaddr_nl from = {.nl_family = AF_NETLINK};
	struct step *s = &script.steps[script.at];

	(void)fd, (void)flags;
	if (script.at == script.n) {
		errno = EAGAIN;
		return -1;
	}
	script.at++;
	if (s->error != 0) {
		errno = s->error;
		return -1;
	}
	if (s->m.n > m->msg_iov->iov_len) {
		abort();
	}
	from.nl_pid = s->from;
	memcpy(m->msg_name, &from, sizeof(from));
	memcpy(m->msg_iov->iov_base, s->m.p, s->m.n);
	script_stamp(s, m->msg_iov->iov_base, s->m.n);
	m->msg_flags = s->truncated ? MSG_TRUNC : 0;
	return (ssize_t)s->m.n;
}

ssize_t __wrap_recv(int fd, void *p, size_t n, int flags)
{
	(void)fd, (void)p, (void)n, (void)flags;
	script.drained++;
	errno = EAGAIN;
	return -1;
}

int __wrap_poll(struct pollfd *p, nfds_t n, int timeout)
{
	if (script.poll_error != 0) {
		errno = script.poll_error;
		script.poll_error = 0;
		return -1;
	}
	return script.at < script.n ? 1 : __real_poll(p, n, timeout);
}

/* What every test works with: a message to parse, and the error of the last call. */
static struct mb m;
static struct err e;

static inline void has_text(const char *text)
{
	if (strstr(e.msg, text) == NULL) {
		fail_msg("\"%s\" is not in \"%s\"", text, e.msg);
	}
}

/* For cmocka: a fresh script, socket, message and error for each test. */
static int script_setup(void **state)
{
	(void)state;
	memset(&script, 0, sizeof(script));
	memset(&m, 0, sizeof(m));
	e = (struct err)ERR_INIT;
	return nl_sock_open(&script.sock, NETLINK_ROUTE, SCRIPT_TIMEOUT_MS, &e);
}

static int script_teardown(void **state)
{
	(void)state;
	nl_sock_close(&script.sock);
	return 0;
}

static inline struct mb *script_step(void)
{
	return &script.steps[script.n++].m;
}

/* A step of its own with the kernel's result: 0 acknowledges. */
static inline struct mb *script_result(int error)
{
	struct mb *m = script_step();
	struct nlmsgerr v = {.error = error, .msg = {.nlmsg_len = sizeof(struct nlmsghdr)}};

	mb_msg(m, NLMSG_ERROR, NLM_F_CAPPED | NLM_F_ACK_TLVS, &v, sizeof(v));
	return m;
}

static inline void mb_done(struct mb *m, uint16_t flags, int error)
{
	mb_msg(m, NLMSG_DONE, (uint16_t)(NLM_F_MULTI | flags), &error, sizeof(error));
}

#endif
