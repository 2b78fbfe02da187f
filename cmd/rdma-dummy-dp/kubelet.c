/* SPDX-License-Identifier: MIT */
/* See kubelet.h. */
#include "kubelet.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

#define REGISTER_MS 20000 /* a kubelet gives itself 10 s to call back */
#define STREAM_MS   30000 /* after Register, for ListAndWatch to come */
#define STEADY_MS   10000 /* a stream that lived so long was a good one */
#define RETRY_MS    50    /* first pause; doubled after each failure ... */
#define RETRY_STEPS 9     /* ... this often: 25.6 s */
#define QUIET_TRIES 3     /* refused connections that are no news: between its bind and listen */

static void look(struct kubelet *k, bool made);

const char *kubelet_state_name(enum kubelet_state s)
{
	static const char *const names[] = {
		[KUBELET_WAITING] = "waiting",
		[KUBELET_REGISTERING] = "registering",
		[KUBELET_FAILED] = "failed",
		[KUBELET_REGISTERED] = "registered",
		[KUBELET_STREAMING] = "streaming",
		[KUBELET_LOST] = "lost",
		[KUBELET_STANDBY] = "standby",
	};

	return names[s];
}

/* Every change is logged, and the same line never twice in a row: trying again is no news. */
static void enter(struct kubelet *k, enum kubelet_state state, const char *why)
{
	bool bad = state == KUBELET_FAILED || state == KUBELET_LOST || state == KUBELET_STANDBY;

	k->state = state;
	(void)snprintf(k->why, sizeof(k->why), "%s", why);
	if (state == KUBELET_REGISTERING || strcmp(k->said, why) == 0) {
		log_debug("%s", why);
		return;
	}
	(void)snprintf(k->said, sizeof(k->said), "%s", why);
	if (bad) {
		log_warn("%s", why);
	} else {
		log_info("%s", why);
	}
}

static void try_again(struct kubelet *k, int64_t at_least_ms)
{
	int64_t pause = (int64_t)RETRY_MS << (k->tries < RETRY_STEPS ? k->tries : RETRY_STEPS);

	k->tries++;
	loop_timer_set(
		k->loop, &k->retry, clock_ms() + (pause > at_least_ms ? pause : at_least_ms));
}

static void failed(struct kubelet *k, const char *why)
{
	k->failures++;
	enter(k, KUBELET_FAILED, why);
	try_again(k, 0);
}

/* What we had is gone: registering again, but never faster than the pauses grow. */
static void lost(struct kubelet *k, const char *why)
{
	if (k->state == KUBELET_STREAMING && clock_ms() - k->stream_ms >= STEADY_MS) {
		k->tries = 0;
	}
	grpc_client_cancel(&k->client);
	enter(k, KUBELET_LOST, why);
	try_again(k, 2L * RETRY_MS);
}

static void streaming(struct kubelet *k)
{
	loop_timer_del(k->loop, &k->retry);
	enter(k, KUBELET_STREAMING, "registered, and the kubelet watches the devices");
}

static void on_registered(void *arg, const struct grpc_result *r)
{
	struct kubelet *k = arg;
	char why[sizeof(k->why)];

	if (r->status != GRPC_OK) {
		(void)snprintf(why, sizeof(why), "%s %s: %s: %s",
			r->from_server ? "the kubelet refuses" : "cannot register", k->resource,
			grpc_status_name(r->status), r->text);
		failed(k, why);
		return;
	}
	k->registrations++;
	if (k->stream != NULL) {
		streaming(k);
		return;
	}
	enter(k, KUBELET_REGISTERED, "registered with the kubelet");
	loop_timer_set(k->loop, &k->retry, clock_ms() + STREAM_MS);
}

static int own_socket(struct kubelet *k, struct err *e)
{
	enum ownsock_state before = ownsock_look(&k->own);
	int fd;

	if (k->server->listener.fd >= 0 && before == OWNSOCK_OURS) {
		return 0;
	}
	fd = ownsock_make(&k->own, e);
	if (fd < 0) {
		return fd;
	}
	if (before == OWNSOCK_FOREIGN) {
		log_warn("%s/%s was another process's socket: its name is taken over", k->dir,
			k->own.name);
	}
	k->started = true;
	return grpc_server_listen(k->server, fd, e);
}

static int send_register(struct kubelet *k, struct err *e)
{
	struct grpc_dp_register m = {k->own.name, k->resource, {false, false}};
	struct grpc_request q = {.path = k->path,
		.method = GRPC_DP_REGISTER,
		.answer = k->answer,
		.cap = sizeof(k->answer),
		.timeout_ms = REGISTER_MS};
	struct buf b;

	buf_init(&b, k->request, sizeof(k->request));
	if (grpc_dp_put_register(&b, &m, e) < 0) {
		return -e->code;
	}
	q.message = buf_str(&b);
	return grpc_client_call(&k->client, k->loop, &q, on_registered, k, e);
}

static void attempt(struct kubelet *k)
{
	struct err e;

	grpc_client_cancel(&k->client);
	loop_timer_del(k->loop, &k->retry);
	k->stream = NULL;
	enter(k, KUBELET_REGISTERING, "registering");
	if (own_socket(k, &e) == 0 && send_register(k, &e) == 0) {
		k->pid = grpc_client_pid(&k->client);
		return;
	}
	if (e.code == ECONNREFUSED && k->tries < QUIET_TRIES) {
		try_again(k, 0);
	} else {
		failed(k, e.msg);
	}
}

/* Another process, started later, has put its socket in the place of ours: a rolling update. */
static bool stand_by(struct kubelet *k)
{
	if (!k->started || ownsock_look(&k->own) != OWNSOCK_FOREIGN) {
		return false;
	}
	grpc_client_cancel(&k->client);
	loop_timer_del(k->loop, &k->retry);
	enter(k, KUBELET_STANDBY,
		"another process has taken over the name of this plugin's socket");
	return true;
}

static void wait_for_kubelet(struct kubelet *k)
{
	char why[sizeof(k->why)];
	struct stat st;

	grpc_client_cancel(&k->client);
	loop_timer_del(k->loop, &k->retry);
	k->known = false;
	if (ownsock_look(&k->own) != OWNSOCK_OURS) {
		grpc_server_unlisten(k->server); /* nobody can find it any more */
		k->own.made = false;
	}
	if (stat(k->dir, &st) < 0) {
		(void)snprintf(why, sizeof(why), "waiting for the kubelet: %s: %s", k->dir,
			strerror(errno));
	} else if (lstat(k->path, &st) == 0) {
		(void)snprintf(
			why, sizeof(why), "waiting for the kubelet: %s is no socket", k->path);
	} else if (errno != ENOENT) {
		(void)snprintf(why, sizeof(why), "waiting for the kubelet: %s: %s", k->path,
			strerror(errno));
	} else {
		(void)snprintf(why, sizeof(why), "waiting for the kubelet: no %s", k->path);
	}
	enter(k, KUBELET_WAITING, why);
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static void look(struct kubelet *k, bool made)
{
	struct stat st;
	bool standby;

	if (stat(k->path, &st) < 0 || !S_ISSOCK(st.st_mode)) {
		wait_for_kubelet(k);
		return;
	}
	if (!k->known || made || !same_file(&st, &k->id)) {
		k->known = true;
		k->id = st;
		k->tries = 0;
		k->said[0] = '\0'; /* a new kubelet: everything is news again */
		if (!stand_by(k)) {
			attempt(k);
		}
		return;
	}
	if (k->state == KUBELET_FAILED || k->state == KUBELET_LOST ||
		ownsock_look(&k->own) == OWNSOCK_OURS) {
		return; /* the timer sees to it; or all is well */
	}
	standby = k->state == KUBELET_STANDBY;
	if (!stand_by(k)) {
		lost(k, standby ? "the process that had taken over has gone"
				: "this plugin's socket was removed");
	}
}

void kubelet_look(struct kubelet *k)
{
	watch_again(&k->watch);
	look(k, false);
}

static void on_change(struct watch *w, bool made)
{
	look(CONTAINER_OF(w, struct kubelet, watch), made);
}

static void on_retry(struct loop *l, struct loop_timer *t)
{
	struct kubelet *k = CONTAINER_OF(t, struct kubelet, retry);
	struct stat st;

	(void)l;
	if (stat(k->path, &st) < 0 || !S_ISSOCK(st.st_mode)) {
		wait_for_kubelet(k);
		return;
	}
	if (k->state == KUBELET_REGISTERED) {
		failed(k, "registered, but the kubelet does not ask for the devices");
		return;
	}
	if (!stand_by(k)) {
		attempt(k);
	}
}

/* Which process is at the other end tells the kubelet from others, unless it cannot be known. */
static bool by_kubelet(const struct kubelet *k, const struct grpc_call *call)
{
	pid_t pid = grpc_call_pid(call);

	return pid == k->pid || pid < 0 || k->pid < 0;
}

void kubelet_stream(struct kubelet *k, const struct grpc_call *call, bool up)
{
	bool asked = k->state == KUBELET_REGISTERING || k->state == KUBELET_REGISTERED;

	if (up && asked && k->stream == NULL && by_kubelet(k, call)) {
		k->stream = call;
		k->stream_ms = clock_ms();
		if (k->state == KUBELET_REGISTERED) {
			streaming(k);
		}
	} else if (!up && k->stream == call) {
		if (k->state == KUBELET_STREAMING) {
			lost(k, "the kubelet ended the stream");
		}
		k->stream = NULL;
	}
}

int kubelet_init(struct kubelet *k, struct loop *l, struct err *e)
{
	k->loop = l;
	k->retry.fn = on_retry;
	k->watch.name = KUBELET_SOCKET;
	k->watch.changed = on_change;
	k->own.dir = k->dir;
	ownsock_path(k->path, k->dir, KUBELET_SOCKET);
	return watch_init(&k->watch, l, k->dir, e);
}

void kubelet_stop(struct kubelet *k)
{
	grpc_client_cancel(&k->client);
	loop_timer_del(k->loop, &k->retry);
	k->state = KUBELET_WAITING; /* streams that end now are no news */
	ownsock_remove(&k->own);
}
