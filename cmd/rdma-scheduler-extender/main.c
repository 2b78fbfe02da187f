/* SPDX-License-Identifier: MIT */
/*
 * rdma-scheduler-extender: tells kube-scheduler which nodes can hold a pod's RDMA interfaces.
 *
 * Theory of operation: sockets are opened, capabilities dropped, then one loop serves schedulers
 * (calls.h) and follows nodes (watch.h); what is known and promised is in one model
 * (sched/sched.h).
 */
#include <sys/resource.h>

#include "base/log.h"
#include "base/version.h"
#include "http/stop.h"
#include "pages.h"
#include "sandbox/caps.h"
#include "sandbox/fds.h"

#define IDLE_MS     150000 /* schedulers keep connections for 90 s and do not repeat a POST */
#define CONNS       HTTP_CONNS_DEFAULT
#define TIMERS      (HTTP_SERVER_TIMERS(CONNS) + WATCH_TIMERS + CALLS_TIMERS + HTTP_STOP_TIMERS + 1)

#define FILES_OWN   (CONNS + 64) /* descriptors that are not for nodes */
#define FILES_LEAST 16           /* connections to nodes at one time, however few descriptors */

#define PREFIX      "/scheduler/rdma_scheduling"

/* One process serves one cluster: its memory is here, untouched pages cost nothing. */
static struct extender {
	struct ext_opts opts;
	struct loop loop;
	struct loop_timer *heap[TIMERS];
	struct http_server server;
	struct http_stop stop;
	struct sched sched;
	struct watch watch;
	struct bodies bodies;
	struct calls calls;
	struct pages pages;
	struct http_route route[12];
} ex;

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
	ex.route[n++] = get("/healthz", http_handle_ok);
	ex.route[n++] = get("/readyz", http_handle_ok);
	ex.route[n++] = get("/", pages_summary);
	return n;
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

static void log_opened(const struct sock_addr *addr, struct str text)
{
	bool v6 = addr->u.sa.sa_family == AF_INET6;

	(void)text;
	/* Word for word what users of the document wait for. */
	log_always("RDMA scheduler extender listening on port:  %u",
		(unsigned)ntohs(v6 ? addr->u.in6.sin6_port : addr->u.in.sin_port));
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
	bodies_init(&ex.bodies, &ex.loop, &ex.server, 2 * ((size_t)o->max_body_mb << 20));
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
		r = http_stop_on_signal(&ex.stop, &ex.server, e);
	}
	if (r == 0) {
		r = http_listen_all(&ex.opts.listen, &ex.server, log_opened, e);
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
	if (command_over(&ex.opts.command)) {
		return EXIT_OK;
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
	return EXIT_OK;
}
