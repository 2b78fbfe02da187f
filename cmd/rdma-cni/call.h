/* SPDX-License-Identifier: MIT */
/* One call of the plugin: what came in, what is open, what goes out. */
#ifndef RDMA_CNI_CALL_H
#define RDMA_CNI_CALL_H

#include "cni/conf.h"
#include "cni/env.h"
#include "cni/result.h"
#include "ledger/write.h"
#include "sriov/attach.h"
#include "sriov/conf.h"

/* Budgets of one call. Runtimes give a pod's network about a minute; none of these adds up to it.
 */
#define CALL_LOCK_MS   30000 /* for other calls of this node */
#define CALL_KERNEL_MS 10000 /* for a VF that is busy */
#define CALL_UNDO_MS   15000 /* for IPAM and kernel together while an ADD is undone */

/* Large: static storage. Opened things are closed by call_close. */
struct call {
	struct cni_env env;
	const char *const *vars; /* our environment */
	struct str text;         /* the network configuration */
	struct cni_conf conf;
	struct sriov_conf node;
	struct arena mem;
	struct buf out;   /* for stdout */
	struct buf reply; /* of a delegated plugin */
	struct cni_fail fail;
	struct ledger_store store;
	int lock; /* of this attachment; -1 not held */
	struct sriov_kernel kernel;
	struct sriov_mover mover;
	bool mover_open;
	int64_t ipam_deadline_ms; /* clock_ms time, for all IPAM calls together */
};

/* call_code: c->fail.e was just set: the code that goes with it; returns -errno. */
int call_code(struct call *c, uint32_t code);

/* call_node_conf: read the node configuration. */
int call_node_conf(struct call *c) MUST_CHECK;

/*
 * call_lock: be the only call for this attachment. The lock is inherited by IPAM plugins: when a
 * runtime kills an ADD, the plugin that it ran may go on for a while, and a DEL has to wait for
 * what it does. -ETIMEDOUT.
 */
int call_lock(struct call *c, const char *container_id, const char *ifname) MUST_CHECK;
void call_unlock(struct call *c);

/* call_mover: open the doors to kernel and hardware, once. */
int call_mover(struct call *c) MUST_CHECK;

void call_close(struct call *c);

/* The commands. 0: done, c->out is what to print. Otherwise -errno with c->fail. */
int add_run(struct call *c) MUST_CHECK;
int del_run(struct call *c) MUST_CHECK;
int check_run(struct call *c) MUST_CHECK;
int status_run(struct call *c) MUST_CHECK;
int gc_run(struct call *c) MUST_CHECK;

#endif
