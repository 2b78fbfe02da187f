/* SPDX-License-Identifier: MIT */
/* Bounds of the CNI protocol, each with its reason. */
#ifndef CNI_LIMITS_H
#define CNI_LIMITS_H

#include "json/limits.h"

/* Network configuration on stdin: the annotations of a pod, at most 256 KiB, are the most of it. */
#define CNI_CONF_MAX ((size_t)1 << 20)

/* What a delegated plugin may print: a result of a few hundred bytes; more is a broken plugin. */
#define CNI_REPLY_MAX ((size_t)256 << 10)

/* Our own result: prevResult, at most what the configuration holds, and our share. */
#define CNI_RESULT_MAX (CNI_CONF_MAX + ((size_t)256 << 10))

#define CNI_ID_MAX     200  /* bytes of a container id; real ones have 64: LEDGER_ID_MAX */
#define CNI_NAME_MAX   128  /* bytes of a network's name, which plugins use in file names */
#define CNI_TYPE_MAX   128  /* bytes of a plugin's name */
#define CNI_PATH_MAX   4095 /* bytes of a path (PATH_MAX less NUL) */
#define CNI_PREFIX_MAX 12   /* bytes of ifNamePrefix: three digits still fit IFNAMSIZ */
#define CNI_IPS_MAX    16   /* addresses of one interface */
#define CNI_ROUTES_MAX 64   /* routes of one interface */
#define CNI_VALID_MAX  4096 /* valid attachments of a GC call; kubelet's pod limit is far below */

/* Of one run of a delegated plugin; runtimes give up on a pod after 60 s or more. */
#define CNI_TIMEOUT_MS     25000
#define CNI_TIMEOUT_MAX_MS 100000

#endif
