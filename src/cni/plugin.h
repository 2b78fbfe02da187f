/* SPDX-License-Identifier: MIT */
/* Delegated plugins: IPAM and the network for pods without RDMA (CNI 1.1.0, "Delegation"). */
#ifndef CNI_PLUGIN_H
#define CNI_PLUGIN_H

#include "base/arena.h"
#include "cni/env.h"
#include "cni/error.h"
#include "cni/exec.h"

#define CNI_PLUGIN_VARS 5120 /* bytes of the variables that differ */

/* Variables of the environment that the plugin gets other values for. */
struct cni_var {
	const char *name, *value;
};

struct cni_plugin {
	const char *what;          /* for messages: "IPAM", "delegate" */
	const char *type;          /* its name */
	const char *path;          /* CNI_PATH */
	const char *const *vars;   /* our environment */
	const struct cni_var *set; /* what differs from it */
	size_t set_n;
	struct str conf;     /* its standard input */
	struct buf *reply;   /* takes its standard output */
	int keep_fd;         /* lock that must last as long as the plugin runs, or -1 */
	int64_t deadline_ms; /* clock_ms time */
	struct arena *mem;   /* for its environment, and its error, which is given back */
};

/*
 * cni_plugin_run: find the plugin and run it. 0: it ended with status 0, reply has what it said.
 * Otherwise -errno with f: the plugin's own code and message (after "IPAM host-local: "), or
 * CNI_ERR_PLUGIN when there is no such plugin, it hangs, or prints no error.
 */
int cni_plugin_run(const struct cni_plugin *p, struct cni_fail *f) MUST_CHECK;

/*
 * The same in two halves (see cni_exec_start), with the same p. After a start that succeeded the
 * end must be called.
 */
struct cni_plugin_job {
	struct cni_exec x;
	struct cni_child child;
	char path[CNI_PATH_MAX + 1];
	char vars[CNI_PLUGIN_VARS];
};

int cni_plugin_start(
	const struct cni_plugin *p, struct cni_plugin_job *j, struct cni_fail *f) MUST_CHECK;
int cni_plugin_end(
	const struct cni_plugin *p, struct cni_plugin_job *j, struct cni_fail *f) MUST_CHECK;

/* cni_plugin_find: the first regular file of that name in the directories of path; -ENOENT. */
int cni_plugin_find(
	struct str path, const char *type, char out[CNI_PATH_MAX + 1], struct err *e) MUST_CHECK;

#endif
