/* SPDX-License-Identifier: MIT */
/* rdma-dummy-dp: the kubelet device plugin for access to /dev/infiniband. */
#include "base/log.h"
#include "base/version.h"
#include "kubelet.h"
#include "metrics.h"
#include "options.h"
#include "sandbox/caps.h"
#include "sandbox/fds.h"
#include "service.h"

#define TICK_MS    30000 /* for what inotify does not tell: a mount over a folder */
#define HTTP_CONNS 16    /* a Prometheus, the kubelet's probes, somebody with curl */

/* One process serves one kubelet: its memory is here, untouched pages cost nothing. */
static struct plugin {
	struct loop loop;
	struct loop_timer *heap[GRPC_SERVER_TIMERS + KUBELET_TIMERS + WATCH_TIMERS +
				HTTP_SERVER_TIMERS(HTTP_CONNS) + 1];
	struct loop_timer tick;
	struct loop_signal signals;
	struct watch dev_watch;
	struct devices devices;
	struct service service;
	struct grpc_server server;
	struct kubelet kubelet;
	struct http_server http;
	char metrics[METRICS_CAP];
} pl;

static void readyz(void *arg, const struct http_req *req, struct http_resp *resp)
{
	(void)arg;
	(void)req;
	if (pl.kubelet.state != KUBELET_STREAMING) {
		http_resp_error(resp, 503, pl.kubelet.why);
		return;
	}
	buf_add_c(&resp->text, "ok\n");
}

static bool metrics_busy; /* one answer at a time is being sent from pl.metrics */

static void metrics_sent(void *arg)
{
	(void)arg;
	metrics_busy = false;
}

static void metrics(void *arg, const struct http_req *req, struct http_resp *resp)
{
	struct buf b;

	(void)arg;
	(void)req;
	buf_init(&b, pl.metrics, sizeof(pl.metrics));
	if (metrics_busy || !metrics_render(&b, &pl.kubelet, &pl.service, &pl.http)) {
		http_resp_error(resp, 503, "another answer is still being read");
		return;
	}
	metrics_busy = true;
	resp->type = HTTP_PROM_TYPE;
	resp->body = (struct http_body){.p = b.p, .n = b.n, .release = metrics_sent};
}

static const struct http_route routes[] = {
	{.path = "/healthz", .methods = HTTP_BIT(HTTP_GET), .fn = http_handle_ok},
	{.path = "/readyz", .methods = HTTP_BIT(HTTP_GET), .fn = readyz},
	{.path = "/metrics", .methods = HTTP_BIT(HTTP_GET), .fn = metrics},
};

static void look_at_devices(void)
{
	struct devices *d = &pl.devices;

	if (!devices_scan(d)) {
		return;
	}
	if (d->healthy) {
		log_info("%u devices are healthy: %s has %zu", d->count, d->dir, d->n);
	} else {
		log_warn("%u devices are unhealthy: %s: %s", d->count, d->dir, d->why);
	}
	service_update(&pl.service);
}

static void on_dev_change(struct watch *w, bool made)
{
	(void)w;
	(void)made;
	look_at_devices();
}

static void on_stream(void *arg, const struct grpc_call *call, bool up)
{
	(void)arg;
	kubelet_stream(&pl.kubelet, call, up);
}

static void on_tick(struct loop *l, struct loop_timer *t)
{
	loop_timer_set(l, t, l->now_ms + TICK_MS);
	watch_again(&pl.dev_watch);
	look_at_devices();
	kubelet_look(&pl.kubelet);
}

static void on_signal(struct loop *l, struct loop_signal *s)
{
	(void)s;
	loop_stop(l);
}

static void log_opened(const struct sock_addr *addr, struct str text)
{
	(void)addr;
	log_always("listening on %.*s", STR_ARG(text));
}

static int set_up_http(const struct options *o, struct err *e)
{
	static const struct http_server_conf conf = {.conns = HTTP_CONNS};
	int r;

	if (o->listen.opt.n == 0) {
		return 0;
	}
	r = http_server_init(&pl.http, &pl.loop, routes, ARRAY_LEN(routes), &conf, e);
	return r < 0 ? r : http_listen_all(&o->listen, &pl.http, log_opened, e);
}

static int set_up_plugin(const struct options *o, struct err *e)
{
	pl.devices.dir = o->dev_dir;
	pl.devices.count = o->count;
	pl.devices.permissions = o->permissions;
	pl.devices.directory = o->directory;
	pl.service.devices = &pl.devices;
	pl.service.stream = on_stream;
	pl.dev_watch.changed = on_dev_change;
	pl.kubelet.dir = o->plugin_dir;
	pl.kubelet.own.name = o->socket;
	pl.kubelet.resource = o->resource;
	pl.kubelet.server = &pl.server;
	if (devices_init(&pl.devices, e) < 0 ||
		watch_init(&pl.dev_watch, &pl.loop, o->dev_dir, e) < 0) {
		return -e->code;
	}
	service_init(&pl.service);
	grpc_server_init(&pl.server, &pl.loop, pl.service.method, SERVICE_METHODS);
	return kubelet_init(&pl.kubelet, &pl.loop, e);
}

static int set_up(const struct options *o, struct err *e)
{
	pl.signals.fn = on_signal;
	if (loop_init(&pl.loop, pl.heap, ARRAY_LEN(pl.heap), e) < 0 ||
		loop_signal_add(&pl.loop, &pl.signals, e) < 0 || set_up_http(o, e) < 0 ||
		set_up_plugin(o, e) < 0) {
		return -e->code;
	}
	return sandbox_drop_caps(e);
}

static void begin(const struct options *o)
{
	log_always("rdma-dummy-dp %s: %u of %s in %s", ferrule_version(), o->count, o->resource,
		o->plugin_dir);
	look_at_devices();
	if (!pl.devices.healthy) { /* no change, and yet the first thing to know */
		log_warn("%u devices are unhealthy: %s: %s", o->count, o->dev_dir, pl.devices.why);
	}
	pl.tick.fn = on_tick;
	on_tick(&pl.loop, &pl.tick); /* the first look */
}

/* However it ended: our socket goes, and everybody is told. Right also where nothing was set up. */
static void finish(void)
{
	if (pl.kubelet.loop != NULL) {
		kubelet_stop(&pl.kubelet);
		grpc_server_free(&pl.server);
	}
	if (pl.http.loop != NULL) {
		http_server_free(&pl.http);
	}
}

int main(int argc, char **argv)
{
	static struct options o;
	struct err e;
	int r = sandbox_fds(&e);

	log_init();
	if (r == 0 && options_parse(&o, argc, argv, &e) < 0) {
		log_error("%s", e.msg);
		return EXIT_USAGE;
	}
	if (r == 0 && command_over(&o.command)) {
		return EXIT_OK;
	}
	if (r == 0) {
		r = set_up(&o, &e);
	}
	if (r == 0) {
		begin(&o);
		r = loop_run(&pl.loop, &e);
	}
	finish();
	if (r < 0) {
		log_error("%s", e.msg);
		return EXIT_SYSTEM;
	}
	log_info("stopped");
	return EXIT_OK;
}
