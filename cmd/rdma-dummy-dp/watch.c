/* SPDX-License-Identifier: MIT */
/* See watch.h. */
#include "watch.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/inotify.h>

#include "base/io.h"
#include "base/str.h"

#define SELF   (IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)
#define FOLDER (SELF | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO)
#define PARENT (SELF | IN_CREATE | IN_MOVED_TO)
#define ROUNDS 16 /* times the tree may change while it is being looked at */

/* Watches the deepest folder of the path that there is. Returns the length of its name; 0: none. */
static size_t watch_deepest(struct watch *w)
{
	char path[WATCH_PATH_MAX];
	size_t n = strlen(w->path);

	memcpy(path, w->path, n + 1);
	for (;;) {
		bool all = path[n] == '\0' && w->path[n] == '\0';
		int wd = inotify_add_watch(w->w.fd, path, all ? FOLDER : PARENT);
		char *slash;

		if (wd >= 0) {
			if (w->wd >= 0 && w->wd != wd) {
				/* Fails if the folder has gone, and its watch with it. */
				(void)!inotify_rm_watch(w->w.fd, w->wd);
			}
			w->wd = wd;
			return n;
		}
		slash = strrchr(path, '/');
		if (slash == NULL || path[1] == '\0') {
			return 0;
		}
		n = slash == path ? 1 : (size_t)(slash - path);
		path[n] = '\0';
	}
}

void watch_again(struct watch *w)
{
	size_t before = 0;

	/* What was created between the failure and the watch on the parent makes no event: look
	 * until twice the same folder is the deepest. */
	for (int i = 0; i < ROUNDS; i++) {
		size_t n = watch_deepest(w);

		if (w->path[n] == '\0' || (i > 0 && n == before)) {
			return;
		}
		before = n;
	}
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
		any = true;
		for (size_t at = 0; at < (size_t)n;) {
			const struct inotify_event *ev = (const void *)(mem + at);

			at += sizeof(*ev) + ev->len;
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
	w->wd = -1;
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
