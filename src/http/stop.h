/* SPDX-License-Identifier: MIT */
/* The end of a program that serves HTTP: in good order at a signal, and never late. */
#ifndef HTTP_STOP_H
#define HTTP_STOP_H

#include "http/server.h"

/* Embedded in its owner's struct, zeroed; then http_stop_on_signal. */
struct http_stop {
	void (*also)(void *arg); /* what else has to end, or NULL: once, after http_server_stop */
	void *arg;

	struct loop_signal signal;
	struct loop_timer deadline;
	struct http_server *server;
};

#define HTTP_STOP_TIMERS 1 /* what to add to the capacity of the loop */

/*
 * http_stop_on_signal: from now on a first SIGTERM, SIGINT or SIGHUP stops the server (see
 * http_server_stop), which is logged, and then its loop: when the last request has been answered,
 * or after HTTP_STOP_MS with a warning. A second signal stops the loop at once.
 */
int http_stop_on_signal(struct http_stop *s, struct http_server *server, struct err *e) MUST_CHECK;

#endif
