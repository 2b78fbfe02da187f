/* SPDX-License-Identifier: MIT */
/* What our interfaces are called in a pod. */
#ifndef RDMA_CNI_NAMES_H
#define RDMA_CNI_NAMES_H

#include "call.h"

/*
 * names_primary: interface i of a network that is the pod's first plugin: CNI_IFNAME, then the next
 * numbers: eth0, eth1, ... names_chained: ifNamePrefix and a number: rdma0, rdma1, ...
 * false: longer than an interface's name may be.
 */
bool names_primary(const char *ifname, size_t i, char out[IFNAMSIZ]) MUST_CHECK;
bool names_chained(const char *prefix, size_t i, char out[IFNAMSIZ]) MUST_CHECK;

#endif
