/* SPDX-License-Identifier: MIT */
/* See call.h. */
#include "call.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define CALLS_FILE "calls"
#define SYSFS      "/sys"
#define PAUSE_MS   20

int call_code(struct call *c, uint32_t code)
{
	return cni_fail(&c->fail, code);
}

void call_begin(struct call *c, int64_t ms)
{
	c->deadline_ms = clock_ms() + ms;
}

int64_t call_until(const struct call *c, int64_t ms)
{
	int64_t until = clock_ms() + ms;

	return until < c->deadline_ms ? until : c->deadline_ms;
}

int64_t call_plugin_until(const struct call *c)
{
	int64_t until = clock_ms() + c->conf.ipam_timeout_ms,
		last = c->deadline_ms - CALL_KERNEL_MS;

	return until < last ? until : last;
}

int call_node_conf(struct call *c)
{
	static char mem[SRIOV_CONF_MEM];
	const char *path = c->conf.node_conf[0] != '\0' ? c->conf.node_conf : NULL;
	struct arena a;

	arena_init(&a, mem, sizeof(mem));
	if (sriov_conf_load(&c->node, path, &a, &c->fail.e) < 0) {
		return call_code(c, CNI_ERR_CONFIG);
	}
	return 0;
}

/* FNV-1a: attachments that share a number only wait for each other. */
static off_t place_of(const char *container_id, const char *ifname)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (const char *p = container_id; *p != '\0'; p++) {
		h = (h ^ (unsigned char)*p) * 0x100000001b3u;
	}
	h = (h ^ ':') * 0x100000001b3u;
	for (const char *p = ifname; *p != '\0'; p++) {
		h = (h ^ (unsigned char)*p) * 0x100000001b3u;
	}
	return (off_t)(h >> 2); /* below 2^62: with its one byte it stays a valid offset */
}

int call_lock(struct call *c, const char *container_id, const char *ifname)
{
	struct flock l = {.l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = place_of(container_id, ifname),
		.l_len = 1};
	int64_t deadline = call_until(c, CALL_LOCK_MS);
	cleanup_fd int fd =
		openat(c->store.state, CALLS_FILE, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0) {
		(void)err_sys(&c->fail.e, errno, "%s/" CALLS_FILE, c->node.state_dir);
		return call_code(c, CNI_ERR_IO);
	}
	/* F_OFD_SETLK: the lock belongs to the open file, which a plugin inherits (fcntl(2)). */
	while (fcntl(fd, F_OFD_SETLK, &l) < 0) {
		if (errno != EAGAIN && errno != EACCES && errno != EINTR) {
			(void)err_sys(&c->fail.e, errno, "lock %s/" CALLS_FILE, c->node.state_dir);
			return call_code(c, CNI_ERR_IO);
		}
		if (clock_ms() >= deadline) {
			return cni_fail_set(&c->fail, CNI_ERR_LATER, ETIMEDOUT,
				"another call for %.64s:%s is still at work", container_id, ifname);
		}
		clock_sleep_ms(PAUSE_MS);
	}
	c->lock = steal_fd(&fd);
	return 0;
}

void call_unlock(struct call *c)
{
	cleanup_fd_close(&c->lock);
	c->lock = -1;
}

int call_mover(struct call *c)
{
	if (c->mover_open) {
		return 0;
	}
	if (sriov_kernel_open(&c->kernel, SYSFS, &c->fail.e) < 0) {
		return call_code(c, CNI_ERR_IO);
	}
	if (sriov_mover_open(&c->mover, &c->kernel, call_until(c, CALL_KERNEL_MS), &c->fail.e) <
		0) {
		sriov_kernel_close(&c->kernel);
		return call_code(c, CNI_ERR_IO);
	}
	c->mover.trust = c->node.trust;
	c->mover.spoofchk = c->node.spoofchk;
	c->mover_open = true;
	return 0;
}

void call_close(struct call *c)
{
	if (c->mover_open) {
		sriov_mover_close(&c->mover);
		sriov_kernel_close(&c->kernel);
		c->mover_open = false;
	}
	call_unlock(c);
	ledger_close(&c->store);
}
