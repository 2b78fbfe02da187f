/* SPDX-License-Identifier: MIT */
/* See speed.h. */
#include "sriov/speed.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/num.h"
#include "sriov/state.h"

#define FILE_MODE 0644 /* the daemon that reads them is not root */

/* A bus address is the kernel's, but it becomes a file name: make sure that it is one. */
static bool usable_name(const char *bus_id)
{
	return bus_id[0] != '\0' && bus_id[0] != '.' && strchr(bus_id, '/') == NULL;
}

static int read_speed(int dir, const char *bus_id, uint32_t *out, struct err *e)
{
	char text[32];
	ssize_t n;
	struct str s;
	uint32_t speed;

	if (!usable_name(bus_id)) {
		return err_set(e, EINVAL, "'%s' cannot be a file name", bus_id);
	}
	n = file_read_regular(dir, bus_id, text, sizeof(text), e);
	if (n < 0) {
		return (int)n;
	}
	s = str_trim((struct str){text, (size_t)n});
	if (!num_u32(s, SRIOV_RATE_MAX, &speed) || speed == 0) {
		return err_set(
			e, EINVAL, "%s: not a number of Mb/s from 1 to %d", bus_id, SRIOV_RATE_MAX);
	}
	*out = speed;
	return 0;
}

/* The directory of the speed files; -errno, with -ENOENT while there is none. */
static int open_dir(const char *state_dir, struct err *e)
{
	cleanup_fd int state = file_open_dir(AT_FDCWD, state_dir, e);

	return state < 0 ? state : file_open_dir(state, SRIOV_STATE_SPEED, e);
}

static void warn_once(const char *state_dir, const struct err *e)
{
	/* Mutable for the process: its only use is to say a thing once, not at every reading. */
	static bool warned;

	if (!warned) {
		warned = true;
		log_warn(
			"ignoring a link speed in %s/%s: %s", state_dir, SRIOV_STATE_SPEED, e->msg);
	}
}

void sriov_speed_load(const char *state_dir, struct sriov_node *n)
{
	struct err e = ERR_INIT;
	cleanup_fd int dir = open_dir(state_dir, &e);

	if (dir < 0 && dir != -ENOENT) {
		warn_once(state_dir, &e);
	}
	for (size_t i = 0; i < n->pf_n; i++) {
		struct sriov_pf *pf = &n->pf[i];
		int r;

		pf->last_speed = 0;
		r = dir < 0 ? 0 : read_speed(dir, pf->bus_id, &pf->last_speed, &e);
		if (r < 0 && r != -ENOENT) {
			warn_once(state_dir, &e);
		}
	}
}

static int make_and_open_dir(const char *state_dir, struct err *e)
{
	cleanup_fd int state = -1;
	int fd = open_dir(state_dir, e);

	if (fd != -ENOENT) {
		return fd;
	}
	state = sriov_state_dir(AT_FDCWD, state_dir, e);
	return state < 0 ? state : sriov_state_dir(state, SRIOV_STATE_SPEED, e);
}

static int write_speed(const char *state_dir, const struct sriov_pf *pf, struct err *e)
{
	cleanup_fd int dir = -1;
	char mem[32];
	struct buf text;

	if (pf->speed > SRIOV_RATE_MAX) {
		return err_set(e, ERANGE, "%u Mb/s is beyond %d", pf->speed, SRIOV_RATE_MAX);
	}
	if (!usable_name(pf->bus_id)) {
		return err_set(e, EINVAL, "'%s' cannot be a file name", pf->bus_id);
	}
	dir = make_and_open_dir(state_dir, e);
	if (dir < 0) {
		return dir;
	}
	buf_init(&text, mem, sizeof(mem));
	buf_add_u64(&text, pf->speed);
	buf_add_chr(&text, '\n');
	ASSERT(buf_ok(&text));
	return file_replace(dir, pf->bus_id, buf_str(&text), FILE_MODE, e);
}

int sriov_speed_store(const char *state_dir, struct sriov_pf *pf, struct err *e)
{
	int r;

	if (pf->speed == 0 || pf->speed == pf->last_speed) {
		return 0;
	}
	r = write_speed(state_dir, pf, e);
	if (r < 0) {
		return err_wrap(e, "keep the link speed of %s in %s/%s", pf->name, state_dir,
			SRIOV_STATE_SPEED);
	}
	pf->last_speed = pf->speed;
	return 0;
}
