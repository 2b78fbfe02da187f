/* SPDX-License-Identifier: MIT */
/* Log lines that begin with RIT-CNI, on stderr and in the node's system log. */
#ifndef RDMA_CNI_LOG_H
#define RDMA_CNI_LOG_H

#include "cni/env.h"

/*
 * cni_log_open: from now on every line says command, container and pod of env (which stays in use)
 * and goes to stderr and, if a system log listens on /dev/log, there (RFC 3164, facility daemon).
 */
void cni_log_open(const struct cni_env *env);

#endif
