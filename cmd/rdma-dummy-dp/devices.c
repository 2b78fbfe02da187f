/* SPDX-License-Identifier: MIT */
/* See devices.h. */
#include "devices.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/log.h"
#include "base/num.h"
#include "grpc/dp.h"
#include "grpc/limits.h"

#define ID_PREFIX   "infiniband-"
#define ID_DIGITS   5
#define DEVICE_SIZE 48 /* an entry of the list has at most so many bytes */

_Static_assert(DEVICES_COUNT_MAX * 40 < GRPC_MESSAGE_MAX, "the kubelet takes no larger message");
_Static_assert(sizeof(ID_PREFIX) + ID_DIGITS + 16 < DEVICE_SIZE, "an entry fits");

int devices_init(struct devices *d, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(d->list); i++) {
		size_t size = (size_t)d->count * DEVICE_SIZE;
		void *mem = mmap(
			NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (mem == MAP_FAILED) {
			return err_sys(e, errno, "memory for %u devices", d->count);
		}
		buf_init(&d->list[i], mem, size);
	}
	(void)snprintf(d->why, sizeof(d->why), "not looked at yet");
	return 0;
}

struct str devices_list(struct devices *d, bool healthy)
{
	struct buf *b = &d->list[healthy ? 1 : 0];
	char id[sizeof(ID_PREFIX) + 10];
	struct err e;

	for (uint32_t i = 0; b->n == 0 || (i > 0 && i < d->count); i++) {
		int r;

		(void)snprintf(id, sizeof(id), ID_PREFIX "%0*u", ID_DIGITS, i);
		r = grpc_dp_put_device(b, id, healthy, &e);
		ASSERT(r == 0);
	}
	return buf_str(b);
}

bool devices_index(const struct devices *d, struct str id, uint32_t *index)
{
	return id.n == sizeof(ID_PREFIX) - 1 + ID_DIGITS && str_starts(id, STR(ID_PREFIX)) &&
	       num_u32(str_skip(id, sizeof(ID_PREFIX) - 1), d->count - 1, index);
}

struct scan {
	struct devices *d;
	int dirfd;
};

static int add_node(void *arg, const char *name, struct err *e)
{
	struct scan *s = arg;
	struct devices *d = s->d;
	struct stat st;

	(void)e;
	if (fstatat(s->dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISCHR(st.st_mode)) {
		return 0;
	}
	if (d->n == DEVICES_NODES_MAX ||
		!str_copy(str_from(name), d->name[d->n], sizeof(d->name[d->n]))) {
		d->cut = true;
		return 0;
	}
	d->n++;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

bool devices_scan(struct devices *d)
{
	bool was_healthy = d->healthy, was_cut = d->cut;
	struct err e = ERR_INIT;
	cleanup_fd int fd = file_open_dir(AT_FDCWD, d->dir, &e);

	d->n = 0;
	d->cut = false;
	if (fd >= 0) {
		struct scan s = {d, fd};

		if (file_list(fd, ".", add_node, &s, &e) < 0) {
			d->n = 0; /* some are not all */
		}
	}
	qsort(d->name, d->n, sizeof(d->name[0]), by_name);
	d->healthy = d->n > 0;
	if (!d->healthy) {
		(void)snprintf(d->why, sizeof(d->why), "%s",
			e.code != 0 ? e.msg : "no character device is there");
	}
	if (d->cut && !was_cut) {
		log_warn("%s has more devices than %d, or names of over %d bytes: the rest is left "
			 "out",
			d->dir, DEVICES_NODES_MAX, DEVICES_NAME_MAX - 1);
	}
	return d->healthy != was_healthy;
}

int devices_put(struct devices *d, struct buf *b, struct err *e)
{
	struct grpc_dp_spec s = {DEVICES_CONTAINER, d->dir, d->permissions};
	char container[GRPC_DP_PATH_MAX + 1], host[GRPC_DP_PATH_MAX + 1];
	int r = 0;

	if (d->n == 0) {
		return err_set(e, ENODEV, "%s: %s", d->dir, d->why);
	}
	if (d->directory) {
		return grpc_dp_put_spec(b, &s, e);
	}
	s.container_path = container;
	s.host_path = host;
	for (size_t i = 0; i < d->n && r == 0; i++) {
		(void)snprintf(
			container, sizeof(container), "%s/%s", DEVICES_CONTAINER, d->name[i]);
		if (snprintf(host, sizeof(host), "%s/%s", d->dir, d->name[i]) >=
			(int)sizeof(host)) {
			return err_set(e, EMSGSIZE, "%s is too long", d->dir);
		}
		r = grpc_dp_put_spec(b, &s, e);
	}
	return r;
}
