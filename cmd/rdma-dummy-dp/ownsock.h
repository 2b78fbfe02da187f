/* SPDX-License-Identifier: MIT */
/* The plugin's own socket: nobody meets it half-made, and it is removed only while it is ours. */
#ifndef RDMA_DUMMY_DP_OWNSOCK_H
#define RDMA_DUMMY_DP_OWNSOCK_H

#include <sys/types.h>

#include "base/err.h"
#include "base/str.h"

struct ownsock {
	const char *dir, *name;
	bool made;
	dev_t dev; /* of the file, while made; the listening socket keeps its inode from reuse */
	ino_t ino;
};

enum ownsock_state {
	OWNSOCK_OURS,
	OWNSOCK_GONE,    /* no file of that name */
	OWNSOCK_DEAD,    /* a file that nobody listens on: left behind */
	OWNSOCK_FOREIGN, /* another process listens there, or nobody can tell */
};

/* ownsock_fits: whether all paths that will be used are short enough for a socket's. */
bool ownsock_fits(const char *dir, const char *name) MUST_CHECK;

enum ownsock_state ownsock_look(const struct ownsock *s);

/* ownsock_make: a listening socket in the place of what is there: fd (the caller's) or -errno. */
int ownsock_make(struct ownsock *s, struct err *e) MUST_CHECK;

/* ownsock_remove: the file, if it is ours. */
void ownsock_remove(struct ownsock *s);

/* ownsock_path: "dir/name" in dst[108]. */
#define OWNSOCK_PATH 108
void ownsock_path(char dst[static OWNSOCK_PATH], const char *dir, const char *name);

#endif
