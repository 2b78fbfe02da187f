/* SPDX-License-Identifier: MIT */
/* /etc/ferrule/node.json: the one configuration of a node that all its programs read. */
#ifndef SRIOV_CONF_H
#define SRIOV_CONF_H

#include "base/arena.h"
#include "base/err.h"
#include "sriov/model.h"

#define SRIOV_CONF_PATH    "/etc/ferrule/node.json"
#define SRIOV_CONF_CAP     65536 /* bytes of the file; 32 PFs need under 4 KiB */
#define SRIOV_STATE_DIR    "/run/ferrule"
#define SRIOV_VFS_MAX_WORD UINT32_MAX /* num_vfs: as many as the device has */

/* One entry of "pfs". */
struct sriov_conf_pf {
	char name[IFNAMSIZ];
	uint32_t capacity; /* "capacityMbps": instead of the link speed; 0 not set */
	uint32_t headroom; /* "headroomMbps": kept free; default the global one */
	uint32_t num_vfs;  /* "numVfs": a number or "max"; default SRIOV_VFS_MAX_WORD */
};

/* Every key has a default; sriov_conf_default sets them all. */
struct sriov_conf {
	char state_dir[128];                   /* "stateDir", absolute */
	bool pfs_given;                        /* "pfs" is there: only those may be used */
	struct sriov_conf_pf pf[SRIOV_PF_MAX]; /* "pfs" */
	size_t pf_n;
	uint32_t headroom;    /* "headroomMbps", default 0 */
	bool trust, spoofchk; /* "vf": {"trust": true, "spoofCheck": false} */
	char listen[64];      /* "listen", default ":54005" */
	uint32_t max_age_ms;  /* "maxAgeMs", default 100 */
};

void sriov_conf_default(struct sriov_conf *c);

/*
 * sriov_conf_parse: read text over what *c holds. Strict: an unknown or repeated key, a wrong
 * type or a value out of range is -EINVAL with the key and "line L, column C"; *c is then
 * undefined. place names the file in the message. Memory is needed during the call only.
 */
int sriov_conf_parse(struct sriov_conf *c, struct str text, const char *place, struct arena *mem,
	struct err *e) MUST_CHECK;

/*
 * sriov_conf_load: defaults, then the file at path. path NULL means SRIOV_CONF_PATH, which may be
 * missing; a path that was named must exist.
 */
int sriov_conf_load(
	struct sriov_conf *c, const char *path, struct arena *mem, struct err *e) MUST_CHECK;

/* sriov_conf_pf: the entry for a PF, or NULL. */
const struct sriov_conf_pf *sriov_conf_pf(const struct sriov_conf *c, const char *name);

/*
 * sriov_conf_apply: drop from n the PFs that the configuration does not allow, and set
 * fixed_speed and headroom of the others.
 */
void sriov_conf_apply(const struct sriov_conf *c, struct sriov_node *n);

#endif
