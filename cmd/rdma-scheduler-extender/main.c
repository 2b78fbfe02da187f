/* SPDX-License-Identifier: MIT */
/*
 * rdma-scheduler-extender: tells kube-scheduler which nodes can hold a pod's RDMA interfaces.
 *
 * Theory of operation: sockets are opened, capabilities dropped, then one loop serves schedulers
 * (calls.h) and follows nodes (watch.h); what is known and promised is in one model
 * (sched/sched.h).
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/version.h"
#include "pages.h"
#include "sandbox/caps.h"
#include "sandbox/fds.h"

#define EXIT_USAGE  100 /* wrong usage: starting again does not help */
#define EXIT_SYSTEM 111 /* the system failed: starting again may help */

#define SHUTDOWN_MS 4500   /* SIGTERM to exit: under the 5 s that are promised */
#define IDLE_MS     150000 /* schedulers keep connections for 90 s and do not repeat a POST */
#define CONNS       HTTP_CONNS_DEFAULT
#define TIMERS      (HTTP_SERVER_TIMERS(CONNS) + WATCH_TIMERS + CALLS_TIMERS + 2)

#define FILES_OWN   (CONNS + 64) /* descriptors that are not for nodes */
#define FILES_LEAST 16           /* connections to nodes at one time, however few descriptors */

#define PREFIX      "/scheduler/rdma_scheduling"

/* One process serves one cluster: its memory is here, untouched pages cost nothing. */
static struct extender {
	struct ext_opts opts;
	struct loop loop;
	struct loop_timer *heap[TIMERS];
	struct loop_timer deadline;
	struct loop_fd signals;
	struct http_server server;
	struct sched sched;
	struct watch watch;
	struct bodies bodies;
	struct calls calls;
	struct pages pages;
	struct http_route route[12];
} ex;

static void text_ok(void *arg, const struct http_req *req, struct http_resp *resp)
{
	(void)arg;
	(void)req;
	buf_add_c(&resp->text, "ok\n");
}

static struct http_route post(const char *path, http_handler *fn)
{
	return (struct http_route){.path = path,
		.methods = HTTP_BIT(HTTP_POST),
		.fn = fn,
		.arg = &ex.calls,
		.max_body = (uint64_t)ex.opts.max_body_mb << 20,
		.body_get = calls_body_get,
		.body_put = calls_body_put,
		.body_grow = calls_body_grow};
}

static struct http_route get(const char *path, http_handler *fn)
{
	return (struct http_route){
		.path = path, .methods = HTTP_BIT(HTTP_GET), .fn = fn, .arg = &ex.pages};
}

/* Verbs are joined to the URL prefix by the scheduler, so each is there beside the filter, too. */
static size_t set_routes(void)
{
	size_t n = 0;

	ex.route[n++] = post(PREFIX, calls_filter);
	ex.route[n++] = post(PREFIX "/prioritize", calls_prioritize);
	ex.route[n++] = post(PREFIX "/preempt", calls_preempt);
	ex.route[n++] = post("/scheduler/prioritize", calls_prioritize);
	ex.route[n++] = post("/scheduler/preempt", calls_preempt);
	ex.route[n++] = post(PREFIX "/bind", calls_bind);
	ex.route[n++] = post("/scheduler/bind", calls_bind);
	ex.route[n++] = get("/v1/nodes", pages_nodes);
	ex.route[n++] = get("/metrics", pages_metrics);
	ex.route[n++] = get("/healthz", text_ok);
	ex.route[n++] = get("/readyz", text_ok);
	ex.route[n++] = get("/", pages_summary);
	return n;
}

static void on_stopped(void *arg)
{
	loop_stop(arg);
}

static void on_deadline(struct loop *l, struct loop_timer *t)
{
	(void)t;
	log_warn("requests in flight did not finish within %d ms", SHUTDOWN_MS);
	loop_stop(l);
}

static void on_signal(struct loop *l, struct loop_fd *w, uint32_t events)
{
	struct signalfd_siginfo info;

	(void)events;
	if (read(w->fd, &info, sizeof(info)) != (ssize_t)sizeof(info)) {
		return; /* nothing there after all */
	}
	if (ex.deadline.slot != 0) {
		loop_stop(l); /* asked twice */
		return;
	}
	log_info("stopping");
	ex.deadline.fn = on_deadline;
	loop_timer_set(l, &ex.deadline, l->now_ms + SHUTDOWN_MS);
	http_server_stop(&ex.server, on_stopped, l);
}

/* A connection for each node: as many descriptors as we may have, less what is not for nodes. */
static uint32_t raise_files(void)
{
	struct rlimit lim = {.rlim_cur = FILES_LEAST};
	struct rlimit most;

	(void)getrlimit(RLIMIT_NOFILE, &lim); /* cannot fail for this resource */
	most = (struct rlimit){lim.rlim_max, lim.rlim_max};
	if (lim.rlim_cur < lim.rlim_max && setrlimit(RLIMIT_NOFILE, &most) == 0) {
		lim = most;
	}
	if (lim.rlim_cur >= (rlim_t)FILES_OWN + SCHED_NODES_MAX) {
		return SCHED_NODES_MAX;
	}
	return (uint32_t)(lim.rlim_cur > FILES_OWN + FILES_LEAST ? lim.rlim_cur - FILES_OWN
								 : FILES_LEAST);
}

static uint16_t port_of(const struct sock_addr *a)
{
	return ntohs(a->u.sa.sa_family == AF_INET6 ? a->u.in6.sin6_port : a->u.in.sin_port);
}

static int listen_all(struct err *e)
{
	for (size_t i = 0; i < ex.opts.listen.n; i++) {
		struct sock_addr addr = ex.opts.addr[i];
		int fd = http_server_listen(&ex.server, &addr, e);

		if (fd < 0) {
			return fd;
		}
		addr.len = sizeof(addr.u);
		if (getsockname(fd, &addr.u.sa, &addr.len) < 0) {
			return err_sys(e, errno, "getsockname");
		}
		/* Word for word what users of the document wait for. */
		log_info(
			"RDMA scheduler extender listening on port:  %u", (unsigned)port_of(&addr));
	}
	return 0;
}

static int set_up_model(uint32_t files, struct err *e)
{
	const struct ext_opts *o = &ex.opts;
	int r = sched_init(&ex.sched, (int64_t)o->claim_ttl_s * 1000, e);

	if (r == 0) {
		r = watch_init(&ex.watch, &ex.loop, &ex.sched, files, e);
	}
	if (r < 0) {
		return r;
	}
	ex.watch.timeout_ms = o->node_timeout_ms;
	ex.watch.forget_ms = o->forget_after_s * 1000;
	ex.watch.port = (uint16_t)o->node_port;
	ex.watch.done = calls_node_done;
	ex.watch.arg = &ex.calls;
	bodies_init(&ex.bodies, &ex.loop, 2 * ((size_t)o->max_body_mb << 20));
	ex.pages = (struct pages){.calls = &ex.calls, .server = &ex.server};
	return calls_init(&ex.calls, o, &ex.sched, &ex.watch, &ex.bodies, e);
}

static int set_up(struct err *e)
{
	const struct http_server_conf conf = {.conns = CONNS, .idle_ms = IDLE_MS};
	int r;

	r = loop_init(&ex.loop, ex.heap, TIMERS, e);
	if (r == 0) {
		r = set_up_model(raise_files(), e);
	}
	if (r == 0) {
		r = http_server_init(&ex.server, &ex.loop, ex.route, set_routes(), &conf, e);
	}
	if (r == 0) {
		r = listen_all(e);
	}
	if (r == 0) {
		ex.signals.fn = on_signal;
		ex.signals.fd = loop_signal_fd(e);
		r = ex.signals.fd < 0 ? ex.signals.fd : loop_add(&ex.loop, &ex.signals, EPOLLIN, e);
	}
	return r < 0 ? r : sandbox_drop_caps(e);
}

int main(int argc, char **argv)
{
	struct err e;
	int r;

	if (sandbox_fds(&e) < 0) {
		log_error("%s", e.msg);
		return EXIT_SYSTEM;
	}
	log_init();
	if (ext_opts_parse(&ex.opts, argc, argv, &e) < 0) {
		log_error("%s", e.msg);
		return EXIT_USAGE;
	}
	if (ex.opts.help || ex.opts.version || ex.opts.check_config) {
		return 0;
	}
	r = set_up(&e);
	if (r == 0) {
		r = loop_run(&ex.loop, &e);
	}
	if (r < 0) {
		log_error("%s", e.msg);
		return EXIT_SYSTEM;
	}
	http_server_free(&ex.server);
	watch_free(&ex.watch);
	calls_free(&ex.calls);
	bodies_free(&ex.bodies);
	sched_free(&ex.sched);
	log_info("stopped");
	return 0;
}
