/* SPDX-License-Identifier: MIT */
/*
 * rdma-ds serve.
 *
 * Theory of operation: everything that needs a path or a socket is opened first (configuration,
 * sysfs, netlink, listening sockets), then capabilities are dropped, then one loop answers
 * requests. A reading of the node is shared by all requests within max_age_ms. SIGTERM closes the
 * listening sockets, lets requests in flight finish, and bounds that by HTTP_STOP_MS.
 */
#include <unistd.h>

#include "base/log.h"
#include "base/version.h"
#include "ds.h"
#include "http/stop.h"
#include "metrics.h"
#include "options.h"
#include "page.h"
#include "poll.h"
#include "sandbox/caps.h"
#include "sriov/render.h"

static const char endpoints[] = "rdma-ds: SR-IOV physical and virtual functions of this node\n"
				"\n"
				"GET /getpfs    PFs with capacity and VFs, for schedulers (JSON)\n"
				"GET /v1/node   everything known of the node (JSON);\n"
				"               ?after=REVISION&timeout_s=N waits for a change,\n"
				"               ?vfs=used leaves out free VFs\n"
				"GET /metrics   numbers for Prometheus\n"
				"GET /healthz   200 while the program runs\n"
				"GET /readyz    200 while the node can be read\n";

/* One process serves one node: its memory is here, untouched pages cost nothing. */
static struct serve {
	struct loop loop;
	struct loop_timer *heap[HTTP_SERVER_TIMERS(HTTP_CONNS_DEFAULT) + HTTP_STOP_TIMERS + 1];
	struct http_server server;
	struct http_stop stop;
	struct reading reading;
	struct page getpfs, node, used, metrics;
	struct poll poll;
	char hostname[256];
} sv;

static void say_endpoints(void *arg, const struct http_req *req, struct http_resp *resp)
{
	(void)arg;
	(void)req;
	buf_add_c(&resp->text, endpoints);
}

static void readyz(void *arg, const struct http_req *req, struct http_resp *resp)
{
	struct err e;

	(void)arg;
	(void)req;
	if (reading_get(&sv.reading, &e) < 0 || reading_complete(&sv.reading, &e) < 0) {
		http_resp_error(resp, 503, e.msg);
		return;
	}
	buf_add_c(&resp->text, "ok\n");
}

static bool render_getpfs(struct buf *b, const void *arg)
{
	const struct reading *r = arg;

	return sriov_getpfs(b, &r->node);
}

static bool render(struct buf *b, const struct reading *r, bool used_only)
{
	struct sriov_node_info info = {
		.hostname = sv.hostname,
		.version = ferrule_version(),
		.revision = r->revision,
		.used_only = used_only,
		.ledger_records = r->ledger.n,
		.ledger_damaged = r->ledger.damaged,
		.ledger_clashes = r->ledger.clashes,
		.ledger_unmatched = r->unmatched,
		.ledger_problem = r->ledger.problem,
		.ledger_clash = r->ledger.clash,
	};

	return sriov_node_render(b, &r->node, &info);
}

static bool render_node(struct buf *b, const void *arg)
{
	return render(b, arg, false);
}

static bool render_used(struct buf *b, const void *arg)
{
	return render(b, arg, true);
}

static bool render_metrics(struct buf *b, const void *arg)
{
	const struct serve *s = arg;

	return metrics_render(b, &s->reading, &s->server);
}

static const struct http_route routes[] = {
	{.path = "/getpfs", .methods = HTTP_BIT(HTTP_GET), .fn = page_serve, .arg = &sv.getpfs},
	{.path = "/v1/node", .methods = HTTP_BIT(HTTP_GET), .fn = poll_serve, .arg = &sv.poll},
	{.path = "/metrics", .methods = HTTP_BIT(HTTP_GET), .fn = page_serve, .arg = &sv.metrics},
	{.path = "/healthz", .methods = HTTP_BIT(HTTP_GET), .fn = http_handle_ok},
	{.path = "/readyz", .methods = HTTP_BIT(HTTP_GET), .fn = readyz},
	{.path = "/", .methods = HTTP_BIT(HTTP_GET), .fn = say_endpoints},
};

static void set_pages(void)
{
	static const char json[] = "application/json";
	struct reading *r = &sv.reading;

	sv.getpfs = (struct page){.reading = r,
		.server = &sv.server,
		.type = json,
		.cap = SRIOV_GETPFS_CAP,
		.render = render_getpfs,
		.arg = r};
	sv.node = (struct page){.reading = r,
		.server = &sv.server,
		.type = json,
		.cap = SRIOV_NODE_CAP,
		.render = render_node,
		.arg = r};
	sv.used = sv.node;
	sv.used.render = render_used;
	sv.poll = (struct poll){.loop = &sv.loop, .page = &sv.node, .used = &sv.used};
	sv.metrics = (struct page){.reading = r,
		.server = &sv.server,
		.type = HTTP_PROM_TYPE,
		.cap = METRICS_CAP,
		.render = render_metrics,
		.arg = &sv,
		.live = true};
}

static void stop_polls(void *arg)
{
	poll_stop(arg);
}

static void log_opened(const struct sock_addr *addr, struct str text)
{
	(void)addr;
	log_always("rdma-ds %s listening on %.*s", ferrule_version(), STR_ARG(text));
}

static int set_up(const struct serve_opts *o, struct err *e)
{
	static const struct http_server_conf defaults;
	int r = loop_init(&sv.loop, sv.heap, ARRAY_LEN(sv.heap), e);

	if (r == 0) {
		r = reading_init(&sv.reading, &o->conf, o->sysfs, e);
	}
	if (r == 0) {
		set_pages();
		r = http_server_init(&sv.server, &sv.loop, routes, ARRAY_LEN(routes), &defaults, e);
	}
	if (r == 0) {
		sv.stop.also = stop_polls;
		sv.stop.arg = &sv.poll;
		r = http_stop_on_signal(&sv.stop, &sv.server, e);
	}
	if (r == 0) {
		r = http_listen_all(&o->listen, &sv.server, log_opened, e);
	}
	return r < 0 ? r : sandbox_drop_caps(e);
}

int serve_main(int argc, char **argv)
{
	static struct serve_opts o; /* holds the configuration: too large for the stack */
	struct err e;
	int r = serve_opts_parse(&o, argc, argv, &e);

	if (r < 0) {
		log_error("%s", e.msg);
		return EXIT_USAGE;
	}
	if (command_over(&o.command)) {
		return EXIT_OK;
	}
	if (gethostname(sv.hostname, sizeof(sv.hostname) - 1) < 0) {
		sv.hostname[0] = '\0'; /* only shown in /v1/node */
	}
	r = set_up(&o, &e);
	if (r == 0) {
		/* Logs what there is, or why it cannot be read: /readyz says so until it can. */
		(void)!reading_get(&sv.reading, &e);
		r = loop_run(&sv.loop, &e);
	}
	if (r < 0) {
		log_error("%s", e.msg);
		return EXIT_SYSTEM;
	}
	http_server_free(&sv.server);
	log_info("stopped");
	return EXIT_OK;
}
