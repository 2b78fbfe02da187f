/* SPDX-License-Identifier: MIT */
/* Being registered with the kubelet, and staying so. */
#ifndef RDMA_DUMMY_DP_KUBELET_H
#define RDMA_DUMMY_DP_KUBELET_H

#include <sys/stat.h>

#include "grpc/client.h"
#include "grpc/dp.h"
#include "grpc/server.h"
#include "ownsock.h"
#include "watch.h"

#define KUBELET_SOCKET     "kubelet.sock"
#define KUBELET_CHECKPOINT "kubelet_internal_checkpoint" /* its own file in the folder */

/*
 * Theory of operation: a kubelet that starts removes every socket in its folder and then makes
 * kubelet.sock. So only a new kubelet.sock means that there is somebody to register with, our own
 * socket is made (again) right before Register, and its disappearance alone is no reason to act
 * while there is no kubelet.sock. A new kubelet.sock is one with another inode or time, or one that
 * inotify saw being made (inode numbers are used again). Everything that could have changed ends in
 * look(); what to do is decided there alone, from what is there now.
 *
 * Register is answered only after the kubelet has called us back (1.26 and later), or before (until
 * 1.25): it runs on the same loop as our server, so that order does not matter.
 */
enum kubelet_state {
	KUBELET_WAITING,     /* no kubelet.sock */
	KUBELET_REGISTERING, /* Register is open */
	KUBELET_FAILED,      /* it failed or was refused: tried again later */
	KUBELET_REGISTERED,  /* accepted; ListAndWatch has not come yet */
	KUBELET_STREAMING,   /* all is well */
	KUBELET_LOST,        /* the stream or our socket has gone: registering again soon */
	KUBELET_STANDBY,     /* another process has our socket's name: it was started later */
};

struct kubelet {
	/* Set before kubelet_init. */
	const char *dir, *resource;
	struct ownsock own; /* dir and name */
	struct grpc_server *server;

	/* Numbers */
	uint64_t registrations, failures;

	struct loop *loop;
	struct watch watch;
	struct loop_timer retry; /* next try, or end of patience */
	struct grpc_client client;
	enum kubelet_state state;
	char said[512]; /* the last line logged, so that each is logged once */
	char why[320];  /* the present state in words */
	bool known;     /* id is of the kubelet.sock we have registered with or try to */
	bool started;   /* the name was taken over from whoever had it, once */
	pid_t pid;      /* of the kubelet Register was sent to, as grpc_conn_pid */
	/* The kubelet's own ListAndWatch, the first from its pid since Register was sent; or NULL.
	 * Anybody else's are served and mean nothing. */
	const struct grpc_call *stream;
	int64_t stream_ms; /* when it came */
	uint32_t tries;    /* failures in a row */
	struct stat id;
	char path[OWNSOCK_PATH]; /* of kubelet.sock */
	char request[512], answer[64];
};

#define KUBELET_TIMERS                                                                             \
	(1 + WATCH_TIMERS + GRPC_CLIENT_TIMERS) /* timers it may have set at one time */

/* kubelet_init: begins to follow the folder; the first attempt is made by kubelet_look. */
int kubelet_init(struct kubelet *k, struct loop *l, struct err *e) MUST_CHECK;

/* kubelet_look: see what is there and do what has to be done; also for events that got lost. */
void kubelet_look(struct kubelet *k);

/* kubelet_stream: a ListAndWatch stream, anybody's, began (up) or ended. */
void kubelet_stream(struct kubelet *k, const struct grpc_call *call, bool up);

/* kubelet_stop: no further attempts; the own socket is removed if it is ours. */
void kubelet_stop(struct kubelet *k);

const char *kubelet_state_name(enum kubelet_state s);

#endif
