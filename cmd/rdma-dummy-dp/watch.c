/* SPDX-License-Identifier: MIT */
/* See watch.h. */
#include "watch.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/inotify.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"
#include "base/str.h"

#define SELF    (IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)
#define FOLDER  (SELF | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO)
#define PARENT  (SELF | IN_CREATE | IN_MOVED_TO | IN_ATTRIB) /* a folder may become readable */
#define ABOVE   (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR)
#define ROUNDS  16 /* times the tree may change while it is being looked at */
#define POLL_MS 1000

/* Fails for a folder that has gone, and its watch with it. */
static void forget(struct watch *w, int *wd)
{
	if (*wd >= 0) {
		(void)!inotify_rm_watch(w->w.fd, *wd);
	}
	*wd = -1;
}

/* Cuts the last name off an absolute path of length n; 0 if there is none. */
static size_t cut_name(char *path, size_t n)
{
	char *slash = strrchr(path, '/');

	if (slash == NULL || n <= 1) {
		return 0;
	}
	n = slash == path ? 1 : (size_t)(slash - path);
	path[n] = '\0';
	return n;
}

/* Watches the deepest folder of the path that there is. Returns the length of its name; 0: none,
 * and why. Only a folder that is not there gives way to the one above. */
static size_t watch_deepest(struct watch *w, int *why)
{
	char path[WATCH_PATH_MAX];
	size_t n = strlen(w->path);

	memcpy(path, w->path, n + 1);
	*why = ENOENT;
	while (n > 0 && (*why == ENOENT || *why == ENOTDIR)) {
		int wd = inotify_add_watch(w->w.fd, path, w->path[n] == '\0' ? FOLDER : PARENT);

		if (wd >= 0) {
			if (w->wd != wd) {
				forget(w, &w->wd);
			}
			w->wd = wd;
			return n;
		}
		*why = errno;
		n = cut_name(path, n);
	}
	return 0;
}

static void watch_above(struct watch *w)
{
	char path[WATCH_PATH_MAX];
	size_t n = strlen(w->path);
	int wd = -1;

	memcpy(path, w->path, n + 1);
	if (cut_name(path, n) > 0) {
		wd = inotify_add_watch(w->w.fd, path, ABOVE);
	}
	if (w->up != wd && w->up != w->wd) {
		forget(w, &w->up);
	}
	w->up = wd;
}

static void unwatch_above(struct watch *w)
{
	if (w->up == w->wd) {
		w->up = -1;
	}
	forget(w, &w->up);
}

/* Nothing will be told: looking is left to the clock. Said once, until it works again. */
static void go_blind(struct watch *w, int why)
{
	unwatch_above(w);
	forget(w, &w->wd);
	if (w->blind != why) {
		log_warn("cannot watch %s: %s: looking once a second instead", w->path,
			strerror(why));
	}
	w->blind = why;
	loop_timer_set(w->loop, &w->poll, clock_ms() + POLL_MS);
}

static void see(struct watch *w)
{
	if (w->blind != 0) {
		log_info("watching %s", w->path);
	}
	w->blind = 0;
	loop_timer_del(w->loop, &w->poll);
}

void watch_again(struct watch *w)
{
	size_t before = 0;
	int why;

	/* What was created between the failure and the watch on the parent makes no event: look
	 * until twice the same folder is the deepest. */
	for (int i = 0; i < ROUNDS; i++) {
		size_t n = watch_deepest(w, &why);

		if (n == 0) {
			go_blind(w, why);
			return;
		}
		see(w);
		if (w->path[n] == '\0') {
			watch_above(w);
			return;
		}
		unwatch_above(w);
		if (i > 0 && n == before) {
			return;
		}
		before = n;
	}
}

static void on_poll(struct loop *l, struct loop_timer *t)
{
	struct watch *w = CONTAINER_OF(t, struct watch, poll);

	(void)l;
	watch_again(w);
	w->changed(w, false);
}

/* Whether an event is of interest: all but those of the folder's neighbours. */
static bool matters(const struct watch *w, const struct inotify_event *ev)
{
	const char *name = strrchr(w->path, '/');

	return ev->wd != w->up || ev->wd == w->wd || ev->len == 0 || name == NULL ||
	       strcmp(ev->name, name + 1) == 0;
}

static void on_events(struct loop *l, struct loop_fd *fd, uint32_t events)
{
	struct watch *w = CONTAINER_OF(fd, struct watch, w);
	_Alignas(struct inotify_event) char mem[4096];
	bool any = false, made = false;
	ssize_t n;

	(void)l;
	(void)events;
	while ((n = io_read(w->w.fd, mem, sizeof(mem))) > 0) {
		for (size_t at = 0; at < (size_t)n;) {
			const struct inotify_event *ev = (const void *)(mem + at);

			at += sizeof(*ev) + ev->len;
			any = any || matters(w, ev);
			made = made || (ev->mask & IN_Q_OVERFLOW) != 0 ||
			       (w->name != NULL && ev->len > 0 && ev->wd == w->wd &&
				       (ev->mask & (IN_CREATE | IN_MOVED_TO)) != 0 &&
				       strcmp(ev->name, w->name) == 0);
		}
	}
	if (any) {
		watch_again(w);
		w->changed(w, made);
	}
}

int watch_init(struct watch *w, struct loop *l, const char *path, struct err *e)
{
	w->loop = l;
	w->wd = w->up = -1;
	w->poll.fn = on_poll;
	if (!str_copy(str_from(path), w->path, sizeof(w->path))) {
		return err_set(e, ENAMETOOLONG, "%s is too long", path);
	}
	w->w.fn = on_events;
	w->w.fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (w->w.fd < 0) {
		return err_sys(e, errno, "inotify_init1");
	}
	watch_again(w);
	return loop_add(l, &w->w, EPOLLIN, e);
}
