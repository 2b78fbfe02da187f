/* SPDX-License-Identifier: MIT */
/* Following a folder that may not be there yet, may go and may come back, by inotify(7). */
#ifndef RDMA_DUMMY_DP_WATCH_H
#define RDMA_DUMMY_DP_WATCH_H

#include "base/loop.h"

#define WATCH_PATH_MAX 512

/*
 * The folder and the one above it are watched: a folder that is deleted while somebody still has a
 * socket or a file in it open says nothing itself (its inode lives on), its parent does. While the
 * folder is missing its nearest existing parent is watched instead. changed is called
 * after something happened, with made set if an entry called name was created or moved there: the
 * owner looks at the folder for itself. Where no watch can be had (a folder that may not be read,
 * the user's number of watches used up) that is logged once and changed is called every second
 * until there is one. What inotify does not tell (a mount over the folder, a lost event) shows at
 * the owner's next look of its own.
 */
struct watch {
	struct loop *loop;
	struct loop_fd w;
	int wd;    /* of the deepest folder there is; -1: nothing is watched */
	int up;    /* of the folder's parent, while the folder is there; -1 */
	int blind; /* errno for which nothing is watched; 0: something is */
	struct loop_timer poll;
	char path[WATCH_PATH_MAX];
	const char *name; /* NULL: none is of interest */
	void (*changed)(struct watch *w, bool made);
};

#define WATCH_TIMERS 1 /* timers it may have set at one time */

/* watch_init: path is absolute, without a '/' at its end. */
int watch_init(struct watch *w, struct loop *l, const char *path, struct err *e) MUST_CHECK;

/* watch_again: see that the right folder is watched; cheap when it is. */
void watch_again(struct watch *w);

#endif
