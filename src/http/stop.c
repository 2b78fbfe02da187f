/* SPDX-License-Identifier: MIT */
/* See stop.h. */
#include "http/stop.h"

#include "base/log.h"

static void on_stopped(void *arg)
{
	loop_stop(arg);
}

static void on_deadline(struct loop *l, struct loop_timer *t)
{
	(void)t;
	log_warn("requests in flight did not finish within %d ms", HTTP_STOP_MS);
	loop_stop(l);
}

static void on_signal(struct loop *l, struct loop_signal *signal)
{
	struct http_stop *s = CONTAINER_OF(signal, struct http_stop, signal);

	if (s->deadline.slot != 0) {
		loop_stop(l); /* asked twice */
		return;
	}
	log_info("stopping");
	s->deadline.fn = on_deadline;
	loop_timer_set(l, &s->deadline, l->now_ms + HTTP_STOP_MS);
	http_server_stop(s->server, on_stopped, l);
	if (s->also != NULL) {
		s->also(s->arg);
	}
}

int http_stop_on_signal(struct http_stop *s, struct http_server *server, struct err *e)
{
	s->server = server;
	s->signal.fn = on_signal;
	return loop_signal_add(server->loop, &s->signal, e);
}
