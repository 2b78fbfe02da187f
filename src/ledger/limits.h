/* SPDX-License-Identifier: MIT */
/* Bounds of the ledger's records, each with its reason. */
#ifndef LEDGER_LIMITS_H
#define LEDGER_LIMITS_H

#include "json/limits.h"
#include "sriov/limits.h"

#define LEDGER_MAX SRIOV_VF_MAX /* a VF has at most one record */

/* Bytes of one record file: the longest routes, altnames and path take two thirds. */
#define LEDGER_RECORD_CAP 32768

/* Bytes of text, without NUL. */
#define LEDGER_ID_MAX        200 /* container ids have 64; the file name must stay below NAME_MAX */
#define LEDGER_PHASE_MAX     32
#define LEDGER_NAMESPACE_MAX 63  /* RFC 1123 label */
#define LEDGER_POD_MAX       253 /* RFC 1123 subdomain */
#define LEDGER_UID_MAX       64  /* UUIDs have 36 */
#define LEDGER_NETWORK_MAX   253 /* network names are file names in practice */
#define LEDGER_IPAM_MAX      253 /* the file name of a plugin */
#define LEDGER_CNI_MAX       15  /* "1.1.0" */
#define LEDGER_PATH_MAX      4095
#define LEDGER_BOOT_ID_LEN   36

#define LEDGER_ADDRS_MAX     16 /* addresses of one interface; IPAM gives one or two */
#define LEDGER_ROUTES_MAX    64 /* of one interface: as many as are taken from IPAM */
#define LEDGER_ADDR_CAP      64 /* the longest, an IPv6 address with its prefix, has 49 and a NUL */

/* "<container id>:<interface>.json" and NUL. */
#define LEDGER_NAME_CAP (LEDGER_ID_MAX + 1 + 15 + 5 + 1)

_Static_assert(LEDGER_NAME_CAP + 16 <= 255, "the temporary name, with \".tmp.<pid>\", must fit");

/* What one record's strings take of the arena: text, NULs, and the alignment of six strings. */
#define LEDGER_STRINGS                                                                             \
	(LEDGER_ID_MAX + LEDGER_PHASE_MAX + LEDGER_NAMESPACE_MAX + LEDGER_POD_MAX +                \
		LEDGER_UID_MAX + 15 + 6 * 17)

/* What reading one record takes for a moment: its text, the index of it, unescaped strings. */
#define LEDGER_SCRATCH (2 * (size_t)LEDGER_RECORD_CAP + 512 + JSON_ARENA_WORST(LEDGER_RECORD_CAP))

#define LEDGER_MEM     (LEDGER_MAX * (size_t)LEDGER_STRINGS + LEDGER_SCRATCH)

#endif
