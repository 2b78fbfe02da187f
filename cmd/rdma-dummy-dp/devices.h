/* SPDX-License-Identifier: MIT */
/* The character devices of /dev/infiniband, and the devices the kubelet is told of. */
#ifndef RDMA_DUMMY_DP_DEVICES_H
#define RDMA_DUMMY_DP_DEVICES_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define DEVICES_COUNT_MAX 100000 /* ids have 5 digits */
#define DEVICES_NODES_MAX 1024   /* character devices; further ones are left out, and logged */
#define DEVICES_NAME_MAX  64     /* the kernel's own limit, IB_DEVICE_NAME_MAX */
#define DEVICES_CONTAINER "/dev/infiniband" /* where containers find them */

struct devices {
	const char *dir, *permissions;
	bool directory; /* --mode=directory */
	uint32_t count;

	char name[DEVICES_NODES_MAX][DEVICES_NAME_MAX]; /* sorted */
	size_t n;
	bool healthy;  /* n > 0 */
	bool cut;      /* there were more */
	char why[256]; /* why it is not healthy */

	/* Both lists the kubelet may be told, written when first needed. */
	struct buf list[2];
};

/* devices_init: memory for the lists; dir, permissions, directory and count are set. */
int devices_init(struct devices *d, struct err *e) MUST_CHECK;

/* devices_scan: look at the folder. true: healthy is another than before. */
bool devices_scan(struct devices *d);

/* devices_list: the ListAndWatchResponse for that state; stays as it is for ever. */
struct str devices_list(struct devices *d, bool healthy);

/* devices_index: which device has that id; false if none. */
bool devices_index(const struct devices *d, struct str id, uint32_t *index) MUST_CHECK;

/*
 * devices_put: the content of a ContainerAllocateResponse for the devices that are there now.
 * -ENODEV: there are none; -EMSGSIZE: b is too small.
 */
int devices_put(struct devices *d, struct buf *b, struct err *e) MUST_CHECK;

#endif
