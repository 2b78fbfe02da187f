/* SPDX-License-Identifier: MIT */
/* The result of ADD, in the shape of the configuration's version. */
#ifndef CNI_RESULT_H
#define CNI_RESULT_H

#include <net/if.h>

#include "cni/error.h"
#include "cni/ipam.h"

/* One interface that was given to the pod. */
struct cni_iface {
	char name[IFNAMSIZ];
	uint8_t mac[6];
	uint32_t mtu;
	char pci[16];       /* "0000:04:10.3" */
	struct cni_ipam ip; /* what it got from IPAM; empty: nothing */
};

struct cni_result {
	enum cni_version version;
	struct json_val prev; /* prevResult, or none */
	const char *sandbox;  /* CNI_NETNS */
	const struct cni_iface *iface;
	size_t iface_n;
	struct json_val dns; /* of the configuration: where neither prev nor IPAM has one */
};

/* cni_prev_check: what must be true of a prevResult to add to it; CNI_ERR_CONFIG. */
int cni_prev_check(struct json_val prev, enum cni_version v, struct cni_fail *f) MUST_CHECK;

/*
 * cni_result_write: without interfaces of ours, prev byte for byte where there is one. Else
 * everything in prev stays as it is, byte for byte but for white space between
 * members, and in its order; our interfaces, addresses and routes follow those that are there. The
 * versions 0.1.0 and 0.2.0 know one address a family and no interfaces: that of prev, else the
 * first interface's.
 */
void cni_result_write(struct buf *b, const struct cni_result *r);

#endif
