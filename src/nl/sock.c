/* SPDX-License-Identifier: MIT */
/* See sock.h. */
#include "nl/sock.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "nl/msg_priv.h"

/* One request on its way. */
struct exchange {
	struct nl_sock *s;
	const struct nlmsghdr *req;
	const struct nl_reader *r;
	const char *what;
	int64_t deadline_ms;
	bool dump;
	bool inconsistent; /* NLM_F_DUMP_INTR seen */
	int failed;        /* what the reader returned; the rest is read and dropped */
	int verdict;       /* the kernel's, once the answer is complete */
};

static int sock_options(int fd, int protocol, struct err *e)
{
	int one = 1;

	/* Old kernels lack the first two; error messages then say less, that is all. */
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	if (protocol != NETLINK_ROUTE) {
		return 0;
	}
	/* Without it (Linux < 4.20) a filter in a dump request that is not known is ignored. */
	if (setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &one, sizeof(one)) < 0 &&
		errno != ENOPROTOOPT) {
		return err_sys(e, errno, "ask netlink for strict checks");
	}
	return 0;
}

static int sock_bind(int fd, uint32_t *portid, struct err *e)
{
	struct sockaddr_nl sa = {.nl_family = AF_NETLINK};
	socklen_t n = sizeof(sa);

	if (bind(fd, (const void *)&sa, sizeof(sa)) < 0) {
		return err_sys(e, errno, "bind netlink socket");
	}
	if (getsockname(fd, (void *)&sa, &n) < 0) {
		return err_sys(e, errno, "address of netlink socket");
	}
	*portid = sa.nl_pid;
	return 0;
}

int nl_sock_adopt(struct nl_sock *s, int fd, int protocol, int timeout_ms, struct err *e)
{
	cleanup_fd int own = fd;
	uint32_t portid = 0;
	void *rx;
	int r;

	*s = (struct nl_sock)NL_SOCK_INIT;
	r = sock_options(own, protocol, e);
	if (r < 0) {
		return r;
	}
	r = sock_bind(own, &portid, e);
	if (r < 0) {
		return r;
	}
	rx = mmap(NULL, NL_RX_CAP_BYTES, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (rx == MAP_FAILED) {
		return err_sys(e, errno, "map %zu bytes for netlink replies", NL_RX_CAP_BYTES);
	}
	s->fd = steal_fd(&own);
	s->protocol = protocol;
	s->timeout_ms = timeout_ms > 0 ? timeout_ms : NL_TIMEOUT_MS_DEFAULT;
	s->portid = portid;
	s->rx = rx;
	return 0;
}

int nl_sock_open(struct nl_sock *s, int protocol, int timeout_ms, struct err *e)
{
	int fd;

	*s = (struct nl_sock)NL_SOCK_INIT;
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
	if (fd < 0) {
		return err_sys(e, errno, "open netlink socket of protocol %d", protocol);
	}
	return nl_sock_adopt(s, fd, protocol, timeout_ms, e);
}

void nl_sock_close(struct nl_sock *s)
{
	cleanup_fd_close(&s->fd);
	if (s->rx != NULL) {
		(void)munmap(s->rx, NL_RX_CAP_BYTES); /* our own mapping: cannot fail */
	}
	*s = (struct nl_sock)NL_SOCK_INIT;
}

/* The rest of the time, for poll(2). 0: it is over. */
static int time_left(const struct exchange *x)
{
	int64_t left = x->deadline_ms - clock_ms();

	return left > 0 ? (int)left : 0;
}

static int wait_readable(const struct exchange *x, struct err *e)
{
	struct pollfd p = {.fd = x->s->fd, .events = POLLIN};
	int r = poll(&p, 1, time_left(x));

	if (r < 0 && errno != EINTR) {
		return err_sys(e, errno, "%s: wait for the kernel", x->what);
	}
	return 0;
}

/* One datagram into s->rx. Its size, 0 if there was none to be had just now, or -errno. */
static ssize_t receive_once(const struct exchange *x, struct err *e)
{
	struct sockaddr_nl from = {0};
	struct iovec iov = {.iov_base = x->s->rx, .iov_len = NL_RX_CAP_BYTES};
	struct msghdr m = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
	};
	ssize_t n = recvmsg(x->s->fd, &m, MSG_DONTWAIT);

	if (n < 0 && (errno == EINTR || errno == EAGAIN)) {
		return errno == EAGAIN ? wait_readable(x, e) : 0;
	}
	if (n < 0 && errno == ENOBUFS) {
		return err_set(
			e, ENOBUFS, "%s: the kernel ran out of room and dropped replies", x->what);
	}
	if (n < 0) {
		return err_sys(e, errno, "%s: receive", x->what);
	}
	if (from.nl_pid != 0) {
		return 0; /* another process wrote to our port: not an answer */
	}
	if ((m.msg_flags & MSG_TRUNC) != 0) {
		return err_set(
			e, EMSGSIZE, "%s: reply larger than %zu bytes", x->what, NL_RX_CAP_BYTES);
	}
	return n > 0 ? n : err_set(e, EBADMSG, "%s: empty reply", x->what);
}

static ssize_t receive(const struct exchange *x, struct err *e)
{
	/*
	 * Look first, then at the clock: while the kernel waits for the RTNL lock, which the
	 * creation of VFs can hold for seconds, it is the sending that blocks.
	 */
	for (;;) {
		bool last = time_left(x) == 0;
		ssize_t n = receive_once(x, e);

		if (n != 0) {
			return n;
		}
		if (last) {
			return err_set(e, ETIMEDOUT, "%s: no answer from the kernel within %d ms",
				x->what, x->s->timeout_ms);
		}
	}
}

/*
 * Throw away what a failed request left. Reading also makes the kernel finish an abandoned dump,
 * during which it would answer another one with EBUSY.
 */
static void drain(struct exchange *x)
{
	ssize_t n;

	do {
		n = recv(x->s->fd, x->s->rx, NL_RX_CAP_BYTES, MSG_DONTWAIT);
	} while (time_left(x) > 0 && (n >= 0 || errno == EINTR || errno == ENOBUFS));
	x->s->stale = false;
}

static int send_request(struct exchange *x, struct err *e)
{
	struct sockaddr_nl to = {.nl_family = AF_NETLINK};
	ssize_t n;

	do {
		n = sendto(x->s->fd, x->req, x->req->nlmsg_len, 0, (const void *)&to, sizeof(to));
	} while (n < 0 && errno == EINTR && time_left(x) > 0);
	if (n < 0) {
		return err_sys(e, errno, "%s: send", x->what);
	}
	if ((size_t)n != x->req->nlmsg_len) {
		return err_set(e, EIO, "%s: request sent in part", x->what);
	}
	return 0;
}

/* The type of the attribute of our request that starts at byte off, 0 if there is none. */
static unsigned attr_at(const struct nlmsghdr *req, uint32_t off)
{
	struct nlattr a;

	if (off < MSG_HDR_BYTES || off > req->nlmsg_len || req->nlmsg_len - off < ATTR_HDR_BYTES) {
		return 0;
	}
	memcpy(&a, (const uint8_t *)req + off, sizeof(a));
	return attr_type(&a);
}

/* The kernel's refusal, with what the attributes behind it say (linux/netlink.h). */
static int refusal(const struct exchange *x, int code, struct attr_walk w, struct err *e)
{
	const struct nlattr *a;
	char text[160] = "", where[48] = "";
	uint32_t off = 0, missing = 0;
	unsigned type;

	/* Explanation only: what is malformed in it is left out. */
	while (attr_next(&w, &a) > 0) {
		if (attr_type(a) == NLMSGERR_ATTR_MSG) {
			(void)snprintf(text, sizeof(text), ": %.*s",
				(int)mnl_attr_get_payload_len(a),
				(const char *)mnl_attr_get_payload(a));
		} else if (attr_type(a) == NLMSGERR_ATTR_OFFS && !attr_u32(a, &off)) {
			off = 0;
		} else if (attr_type(a) == NLMSGERR_ATTR_MISS_TYPE && !attr_u32(a, &missing)) {
			missing = 0;
		}
	}
	type = attr_at(x->req, off);
	if (type != 0) {
		(void)snprintf(where, sizeof(where), " (attribute %u at byte %u)", type, off);
	} else if (missing != 0) {
		(void)snprintf(where, sizeof(where), " (attribute %u is missing)", missing);
	}
	return err_set(e, code, "%s: %s%s%s", x->what, strerror(code), text, where);
}

/*
 * NLMSG_ERROR (0: the acknowledgement) or NLMSG_DONE: struct nlmsgerr or an int, then attributes.
 * The first attribute of NLMSG_ERROR follows a copy of our request, unless that was left out.
 */
static int outcome(const struct exchange *x, const struct nlmsghdr *nlh, struct err *e)
{
	size_t fixed = nlh->nlmsg_type == NLMSG_DONE ? sizeof(int) : sizeof(struct nlmsgerr);
	struct attr_walk w = {0};
	struct nlmsgerr m = {0};

	if (!attr_walk_msg(nlh, fixed, &w)) {
		return err_set(e, EBADMSG, "%s: result cut off", x->what);
	}
	memcpy(&m, mnl_nlmsg_get_payload(nlh), fixed);
	if (m.error > 0 || m.error < -4095) {
		return err_set(e, EBADMSG, "%s: result %d is no error number", x->what, m.error);
	}
	if (m.error == 0) {
		return 0;
	}
	if (nlh->nlmsg_type == NLMSG_ERROR && (nlh->nlmsg_flags & NLM_F_CAPPED) == 0) {
		size_t copy = m.msg.nlmsg_len > MSG_HDR_BYTES
				      ? nl_align(m.msg.nlmsg_len) - MSG_HDR_BYTES
				      : 0;

		copy = copy < w.n ? copy : w.n;
		w.p += copy;
		w.n -= copy;
	}
	if ((nlh->nlmsg_flags & NLM_F_ACK_TLVS) == 0) {
		w.n = 0;
	}
	return refusal(x, -m.error, w, e);
}

/*
 * One message of the answer: 1 it was the last, 0 more to come, or -errno if the rest of the
 * answer cannot be trusted.
 */
static int message(struct exchange *x, const struct nlmsghdr *nlh, struct err *e)
{
	int r;

	if (nlh->nlmsg_pid != x->s->portid) {
		return err_set(e, EBADMSG, "%s: answer for port %u, ours is %u", x->what,
			nlh->nlmsg_pid, x->s->portid);
	}
	if (nlh->nlmsg_seq != x->req->nlmsg_seq) {
		return 0; /* to a request that was given up */
	}
	if (x->dump && (nlh->nlmsg_flags & NLM_F_DUMP_INTR) != 0) {
		x->inconsistent = true;
	}
	switch (nlh->nlmsg_type) {
	case NLMSG_NOOP:
		return 0;
	case NLMSG_OVERRUN:
		return err_set(e, ENOBUFS, "%s: the kernel lost data", x->what);
	case NLMSG_ERROR:
	case NLMSG_DONE:
		x->verdict = outcome(x, nlh, e);
		return 1;
	default:
		break;
	}
	if (nlh->nlmsg_type < NLMSG_MIN_TYPE) {
		return err_set(e, EBADMSG, "%s: control message %u", x->what, nlh->nlmsg_type);
	}
	if (x->failed == 0 && !x->inconsistent && x->r != NULL) {
		r = x->r->msg(nlh, x->r->arg, e);
		x->failed = r < 0 ? r : 0;
	}
	return 0;
}

/* All messages of one datagram of n bytes: as message(). */
static int datagram(struct exchange *x, size_t n, struct err *e)
{
	const struct nlmsghdr *nlh = (const void *)x->s->rx;
	size_t step;
	int r = 0;

	while (r == 0 && n > 0) {
		if (n < MSG_HDR_BYTES || nlh->nlmsg_len < MSG_HDR_BYTES || nlh->nlmsg_len > n) {
			return err_set(e, EBADMSG, "%s: reply with %zu bytes that are no message",
				x->what, n);
		}
		r = message(x, nlh, e);
		step = nl_align(nlh->nlmsg_len);
		step = step < n ? step : n;
		n -= step;
		nlh = (const void *)((const uint8_t *)nlh + step);
	}
	return r;
}

/* Send the request once and read all that answers it. */
static int exchange(struct exchange *x, struct nlmsghdr *req, struct err *e)
{
	struct nl_sock *s = x->s;
	struct err late = ERR_INIT; /* of messages after the one that the reader refused */
	ssize_t n;
	int r;

	if (s->stale) {
		drain(x);
	}
	req->nlmsg_seq = ++s->seq;
	x->inconsistent = false;
	x->verdict = 0;
	r = send_request(x, e);
	if (r < 0) {
		return r;
	}
	s->stale = true;
	do {
		struct err *to = x->failed < 0 ? &late : e;

		n = receive(x, to);
		r = n < 0 ? (int)n : datagram(x, (size_t)n, to);
	} while (r == 0);
	s->stale = r < 0;
	if (x->failed < 0) {
		return x->failed;
	}
	return r < 0 ? r : x->verdict;
}

int nl_request(struct nl_sock *s, struct nlmsghdr *req, const struct nl_reader *r, const char *what,
	struct err *e)
{
	struct exchange x = {.s = s, .req = req, .r = r, .what = what};
	int rc;

	if (s->fd < 0) {
		return err_set(e, EBADF, "%s: netlink socket is not open", what);
	}
	x.dump = (req->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
	ASSERT(!x.dump || (r != NULL && r->restart != NULL));
	if (!x.dump) {
		req->nlmsg_flags |= NLM_F_ACK;
	}
	req->nlmsg_pid = s->portid;
	x.deadline_ms = clock_ms() + s->timeout_ms;
	for (int i = 0; i < NL_DUMP_TRIES; i++) {
		if (i > 0) {
			r->restart(r->arg);
		}
		rc = exchange(&x, req, e);
		if (rc < 0 || !x.inconsistent) {
			return rc;
		}
	}
	return err_set(
		e, EINTR, "%s: the list changed while it was read, %d times", what, NL_DUMP_TRIES);
}
