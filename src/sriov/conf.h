/* SPDX-License-Identifier: MIT */
/* /etc/ferrule/node.json: the one configuration of a node that all its programs read. */
#ifndef SRIOV_CONF_H
#define SRIOV_CONF_H

#include "base/arena.h"
#include "base/err.h"
#include "json/limits.h"
#include "sriov/model.h"

#define SRIOV_CONF_PATH    "/etc/ferrule/node.json"
#define SRIOV_CONF_CAP     16384 /* bytes of the file; 32 PFs with every key need under 6 KiB */
#define SRIOV_STATE_DIR    "/run/ferrule"
#define SRIOV_VFS_MAX_WORD UINT32_MAX       /* num_vfs: as many as the device has */
#define SRIOV_NUM_DEFAULT  (UINT32_MAX - 1) /* num_vfs: nobody asked for a number (plan.h) */
#define SRIOV_MAX_AGE_MS   10000            /* of maxAgeMs; older than that is no state of a node */

/* Bytes of arena with which no configuration fails for lack of memory: text, index, strings. */
#define SRIOV_CONF_MEM (2 * (size_t)SRIOV_CONF_CAP + JSON_ARENA_WORST(SRIOV_CONF_CAP) + 4096)

/* One entry of "pfs". */
struct sriov_conf_pf {
	char name[IFNAMSIZ];
	uint32_t capacity; /* "capacityMbps": instead of the link speed; 0 not set */
	uint32_t headroom; /* "headroomMbps": kept free; default the global one */
	uint32_t num_vfs;  /* "numVfs": a number or "max"; default SRIOV_NUM_DEFAULT */
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
 * sriov_conf_parse: read text over what *c holds. Strict: text that is not JSON, an unknown or
 * repeated key, a wrong type or a value out of range is -EINVAL; the message begins with place,
 * which names the file, and has key and position: "node.json: pfs[1].capacityMbps (line 4,
 * column 20): ...". *c is then undefined. -ENOMEM: mem is smaller than SRIOV_CONF_MEM. It is
 * needed during the call only, and *c does not point into it.
 */
int sriov_conf_parse(struct sriov_conf *c, struct str text, const char *place, struct arena *mem,
	struct err *e) MUST_CHECK;

/*
 * sriov_conf_load: defaults, then the file at path. path NULL means SRIOV_CONF_PATH, which may be
 * missing; a path that was named must exist. Errors as sriov_conf_parse, -EFBIG for a file of more
 * than SRIOV_CONF_CAP bytes, -errno when it cannot be read. Symbolic links are followed: the files
 * of a Kubernetes ConfigMap are links.
 */
int sriov_conf_load(
	struct sriov_conf *c, const char *path, struct arena *mem, struct err *e) MUST_CHECK;

/*
 * sriov_conf_salvage: of a file that sriov_conf_load refuses, for who has to give something back
 * all the same: defaults, and stateDir if that can be read.
 */
void sriov_conf_salvage(struct sriov_conf *c, const char *path, struct arena *mem);

/* sriov_conf_pf: the entry for a PF, or NULL. */
const struct sriov_conf_pf *sriov_conf_pf(const struct sriov_conf *c, const char *name);

/*
 * sriov_conf_apply: drop from n the PFs that the configuration does not allow, with their VFs, and
 * set fixed_speed and headroom of the others. Moves VFs within n: pointers to them are void. Call
 * ledger_apply before it, lest the records of dropped PFs seem to name VFs that do not exist.
 */
void sriov_conf_apply(const struct sriov_conf *c, struct sriov_node *n);

#endif
