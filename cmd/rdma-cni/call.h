/* SPDX-License-Identifier: MIT */
/* One call of the plugin: what came in, what is open, what goes out. */
#ifndef RDMA_CNI_CALL_H
#define RDMA_CNI_CALL_H

#include "cni/conf.h"
#include "cni/env.h"
#include "cni/plugin.h"
#include "cni/result.h"
#include "ledger/write.h"
#include "sriov/attach.h"
#include "sriov/conf.h"

/*
 * Every wait of a call ends at the call's deadline. With the undoing of an ADD that used all of it,
 * that is below the two minutes after which kubelet gives up on a call.
 */
#define CALL_MS        95000 /* for all of a call, of a GC: for each attachment */
#define CALL_UNDO_MS   20000 /* while an ADD is undone */
#define CALL_LOCK_MS   30000 /* of it for other calls of this node */
#define CALL_KERNEL_MS 10000 /* of it for a VF that is busy; plugins leave that much */

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
	int64_t deadline_ms; /* clock_ms time: the end of every wait */
	bool sick_vf;        /* what failed, if something did, is one VF: another one may do */
};

/* call_code: c->fail.e was just set: the code that goes with it; returns -errno. */
int call_code(struct call *c, uint32_t code);

/* call_begin: ms are left from now on. */
void call_begin(struct call *c, int64_t ms);

/* call_until: the deadline of a wait of at most ms that begins now. */
int64_t call_until(const struct call *c, int64_t ms);

/*
 * call_plugin: a delegated plugin (what: "IPAM", "delegate") that is run now, with conf and all
 * that does not depend on which it is. The caller adds set and set_n.
 */
struct cni_plugin call_plugin(struct call *c, const char *what, const char *type, struct str conf);

/*
 * call_node_conf: read the node configuration. call_salvage_conf: after that has failed, take of it
 * what is needed to find records; why is the failure, which is then no longer c->fail.
 */
int call_node_conf(struct call *c) MUST_CHECK;
void call_salvage_conf(struct call *c, struct cni_fail *why);

/*
 * call_lock: be the only call for this attachment. The lock is inherited by IPAM plugins: when a
 * runtime kills an ADD, its plugin is killed, too, but what that had started may go on for a while,
 * and a DEL has to wait for what it does. -ETIMEDOUT.
 */
int call_lock(struct call *c, const char *container_id, const char *ifname) MUST_CHECK;
/*
 * call_not_now: the code of a failure r to be alone with something: CNI_ERR_LATER if another call
 * was there first (-ETIMEDOUT of a lock, -ESTALE of a record), else CNI_ERR_IO.
 */
int call_not_now(struct call *c, int r);
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

/* add_undo: take back what an add_run that succeeded has done. */
void add_undo(struct call *c);

#endif
