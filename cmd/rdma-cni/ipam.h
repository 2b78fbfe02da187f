/* SPDX-License-Identifier: MIT */
/* The IPAM plugin of the network configuration. */
#ifndef RDMA_CNI_IPAM_H
#define RDMA_CNI_IPAM_H

#include "call.h"

/* Whose address it is about. */
struct ipam_for {
	const char *type; /* the plugin */
	const char *container_id, *ifname, *netns;
	/*
	 * NULL, or work of the caller's to be done while the plugin runs. It is not called when
	 * there is no such plugin, and must leave c->reply and c->fail alone.
	 */
	void (*meanwhile)(void *arg);
	void *arg;
	bool *ran; /* NULL, or becomes true unless the plugin is known not to have been executed */
};

/*
 * ipam_apart: whether a plugin is known to have nothing to do with the interface, so that it can
 * run while that is moved. Others may look at it or, like dhcp, use it.
 */
bool ipam_apart(const char *type);

/* ipam_add: get addresses; *out points into memory of the call. */
int ipam_add(struct call *c, const struct ipam_for *who, struct cni_ipam *out) MUST_CHECK;

/* ipam_run: CHECK, DEL, STATUS or GC with this configuration. */
int ipam_run(struct call *c, enum cni_command command, const struct ipam_for *who,
	struct str conf) MUST_CHECK;

/*
 * ipam_del: with the configuration that came in if it is for that plugin, else with a minimal one;
 * under the name of the network and in the cniVersion of the ADD (empty: that of the
 * configuration), for a plugin may have stopped speaking, or never spoken, another one.
 */
int ipam_del(struct call *c, const struct ipam_for *who, const char *network,
	const char *version) MUST_CHECK;

#endif
