/* SPDX-License-Identifier: MIT */
/* What a container runtime says in the environment (CNI specification 1.1.0, "Parameters"). */
#ifndef CNI_ENV_H
#define CNI_ENV_H

#include <net/if.h>

#include "cni/error.h"
#include "cni/limits.h"

enum cni_command {
	CNI_ADD,
	CNI_DEL,
	CNI_CHECK,
	CNI_STATUS,
	CNI_GC,
	CNI_VERSION,
};

/* Strings point into the environment; absent ones are "". */
struct cni_env {
	enum cni_command command;
	const char *container_id;
	const char *netns;
	const char *ifname;
	const char *path;
	const char *args;
	char pod_namespace[64]; /* K8S_POD_NAMESPACE of CNI_ARGS; empty where not given */
	char pod_name[254];
	char pod_uid[65];
};

const char *cni_command_name(enum cni_command c);

/*
 * cni_env_read: check the variables (NAME=VALUE, as environ) that the command needs. Fails with
 * CNI_ERR_ENV; the message names every variable that is missing, or the one that is wrong. Unknown
 * keys in CNI_ARGS are ignored; of a key that is there twice the last one counts. A CNI_NETNS that
 * the command does not need and that is no absolute path counts as not given.
 */
int cni_env_read(struct cni_env *out, const char *const *vars, struct cni_fail *f) MUST_CHECK;

/* cni_name_ok: what the specification allows as container id and as name of a network. */
bool cni_name_ok(struct str s, size_t max) MUST_CHECK;

#endif
