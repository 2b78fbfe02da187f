/* SPDX-License-Identifier: MIT */
/* The one model of a node's SR-IOV hardware that every program shares. Data only. */
#ifndef SRIOV_MODEL_H
#define SRIOV_MODEL_H

#include <net/if.h>
#include <stdint.h>

#include "base/parse.h"
#include "nl/vf.h"
#include "sriov/limits.h"

/* What the kernel shows of a VF. Everything but FREE and VIRTUAL means that somebody uses it. */
enum sriov_vf_state {
	SRIOV_VF_FREE,      /* its netdev is in this network namespace */
	SRIOV_VF_VIRTUAL,   /* no PCI function of its own (netdevsim): the kernel cannot say */
	SRIOV_VF_AWAY,      /* a network driver holds it, its netdev is in another namespace */
	SRIOV_VF_VFIO,      /* bound to a vfio driver: a virtual machine or DPDK has it */
	SRIOV_VF_OTHER,     /* bound to a driver that makes no netdev (uio, pci-stub) */
	SRIOV_VF_NO_DRIVER, /* bound to nothing */
};

#define SRIOV_VF_STATES (SRIOV_VF_NO_DRIVER + 1)

/* Who holds a VF, as the ledger says. The strings belong to the ledger's records. */
struct sriov_holder {
	const char *pod_namespace, *pod_name, *pod_uid; /* empty where not known */
	const char *container_id, *ifname;
	const char *phase;
	uint32_t min_tx_rate, max_tx_rate; /* what the pod was promised, Mb/s */
};

struct sriov_vf {
	uint32_t index;
	bool has_pci; /* pci is valid */
	struct pci_addr pci;
	struct nl_vf kernel; /* what rtnetlink says; without NL_VF_PRESENT nothing */
	bool undescribed;    /* rtnetlink lists it, but its driver fails to say anything of it */
	enum sriov_vf_state state;
	char netdev[IFNAMSIZ];             /* empty when not in this namespace */
	char driver[SRIOV_NAME_MAX];       /* empty when unbound */
	char rdma[SRIOV_NAME_MAX];         /* empty when none is visible */
	const struct sriov_holder *holder; /* NULL: no ledger record */
};

/* Whether a driver takes a setting: what is known without trying it. */
enum sriov_support { SRIOV_UNKNOWN, SRIOV_NO, SRIOV_YES };

struct sriov_caps {
	enum sriov_support min_rate, max_rate, trust, spoofchk, link_state;
};

struct sriov_pf {
	char name[IFNAMSIZ];
	uint32_t ifindex;
	char bus_id[SRIOV_NAME_MAX]; /* "0000:04:00.0", "netdevsim5" */
	bool has_pci;
	struct pci_addr pci;
	int32_t numa_node; /* -1: none */
	char driver[SRIOV_NAME_MAX];
	char rdma[SRIOV_NAME_MAX];
	bool infiniband; /* link type is InfiniBand */
	bool admin_up, link_up;
	uint8_t mac[6];
	uint32_t total_vfs; /* what the device could have; 0 when it does not say */
	uint32_t num_vfs;   /* enabled now */

	uint32_t speed;       /* Mb/s now; 0: link down or not known */
	uint32_t last_speed;  /* Mb/s the last time the link was up; 0: never seen */
	uint32_t fixed_speed; /* Mb/s from the node configuration; 0: not set */
	uint32_t headroom;    /* Mb/s kept free by the node configuration */

	struct sriov_caps caps;
	size_t vf_first, vf_n; /* its VFs in struct sriov_node.vf, in index order */
	char problem[128];     /* why its VFs could not be read; empty when they were */
};

/*
 * A node as it was at one moment. Large: give it static storage. pf is sorted by PCI address
 * (then name), so that order never depends on the order of discovery.
 */
struct sriov_node {
	struct sriov_pf pf[SRIOV_PF_MAX];
	size_t pf_n;
	struct sriov_vf vf[SRIOV_VF_MAX];
	size_t vf_n;
};

/* The word for a state in JSON, metrics and logs: "free", "away", "vfio", ... */
const char *sriov_vf_state_name(enum sriov_vf_state s);

/* sriov_vf_in_use: whether anybody uses the VF, as the kernel or the ledger sees it. */
bool sriov_vf_in_use(const struct sriov_vf *vf);

/*
 * sriov_vf_usable: whether a pod can be given the VF: nobody uses it, and it is a PCI function
 * whose settings can be read, to be put back one day. What is reported as free and what is taken
 * must not differ, or pods are sent to nodes that refuse them.
 */
bool sriov_vf_usable(const struct sriov_vf *vf);

/* sriov_pf_capacity: Mb/s that may be promised on the PF: speed (configured, else now, else last
 * known) less headroom. 0 when no speed is known. */
uint32_t sriov_pf_capacity(const struct sriov_pf *pf);

/* sriov_vf_reserved: Mb/s the VF takes from its PF: for a VF in use the larger of what the ledger
 * promised and what the kernel has set; 0 for a free one, whatever rate was left on it. */
uint32_t sriov_vf_reserved(const struct sriov_vf *vf);

struct sriov_usage {
	uint32_t vfs, used_vfs, free_vfs; /* enabled; in use; usable */
	uint32_t capacity, used; /* Mb/s; used may exceed capacity when a card was swapped */
};

void sriov_pf_usage(const struct sriov_node *n, const struct sriov_pf *pf, struct sriov_usage *out);

/* sriov_node_pf: the PF of that name, or NULL. */
const struct sriov_pf *sriov_node_pf(const struct sriov_node *n, struct str name);

#endif
