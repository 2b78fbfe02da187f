/* SPDX-License-Identifier: MIT */
/* See call.h. */
#include "call.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/lock.h"
#include "base/log.h"

#define CALLS_FILE "calls"
#define SYSFS      "/sys"

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

static int64_t plugin_until(const struct call *c)
{
	int64_t until = clock_ms() + c->conf.ipam_timeout_ms,
		last = c->deadline_ms - CALL_KERNEL_MS;

	return until < last ? until : last;
}

struct cni_plugin call_plugin(struct call *c, const char *what, const char *type, struct str conf)
{
	return (struct cni_plugin){.what = what,
		.type = type,
		.path = c->env.path,
		.vars = c->vars,
		.conf = conf,
		.reply = &c->reply,
		.keep_fd = c->lock,
		.deadline_ms = plugin_until(c),
		.mem = &c->mem};
}

static char conf_mem[SRIOV_CONF_MEM]; /* one call a process; static because of its size */

static const char *node_conf_path(const struct call *c)
{
	return c->conf.node_conf[0] != '\0' ? c->conf.node_conf : NULL;
}

int call_node_conf(struct call *c)
{
	struct arena a;

	if (c->conf.node_conf_bad.code != 0) {
		c->fail.e = c->conf.node_conf_bad;
		return call_code(c, CNI_ERR_CONFIG);
	}
	arena_init(&a, conf_mem, sizeof(conf_mem));
	if (sriov_conf_load(&c->node, node_conf_path(c), &a, &c->fail.e) < 0) {
		return call_code(c, CNI_ERR_CONFIG);
	}
	c->fail = (struct cni_fail)CNI_FAIL_INIT; /* that the file is missing is none */
	return 0;
}

void call_salvage_conf(struct call *c, struct cni_fail *why)
{
	struct arena a;

	*why = c->fail;
	c->fail = (struct cni_fail)CNI_FAIL_INIT;
	arena_init(&a, conf_mem, sizeof(conf_mem));
	sriov_conf_salvage(&c->node, node_conf_path(c), &a);
	log_warn("%s; records are looked for in %s", why->e.msg, c->node.state_dir);
}

/*
 * FNV-1a, its upper 20 bits: attachments that share a number only wait for each other, and the
 * process ids in the file (base/lock.h) take 4 MiB at most.
 */
static uint64_t place_of(const char *container_id, const char *ifname)
{
	uint64_t h = hash_fnv(HASH_FNV_BASIS, container_id, strlen(container_id));

	h = hash_fnv(h, ":", 1);
	return hash_fnv(h, ifname, strlen(ifname)) >> 44;
}

int call_not_now(struct call *c, int r)
{
	return call_code(c, r == -ETIMEDOUT || r == -ESTALE ? CNI_ERR_LATER : CNI_ERR_IO);
}

int call_lock(struct call *c, const char *container_id, const char *ifname)
{
	const struct lock_text text = {CALLS_FILE, "another call for this attachment"};
	int fd = lock_take_at(c->store.state, &text, place_of(container_id, ifname),
		call_until(c, CALL_LOCK_MS), &c->fail.e);

	if (fd < 0) {
		(void)err_wrap(&c->fail.e, "%.64s:%s", container_id, ifname);
		return call_not_now(c, fd);
	}
	c->lock = fd;
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
