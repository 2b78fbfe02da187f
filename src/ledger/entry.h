/* SPDX-License-Identifier: MIT */
/* One whole record of the ledger: what rdma-cni writes before it touches a VF. */
#ifndef LEDGER_ENTRY_H
#define LEDGER_ENTRY_H

#include "base/arena.h"
#include "ledger/limits.h"
#include "sriov/saved.h"

/*
 * How far an attachment has come. After a crash the phase tells what can have happened:
 * planned	the VF is taken; nothing of the kernel's or IPAM's was touched. Remove the record.
 * attaching	anything between nothing and everything of ADD was done.
 * attached	ADD is complete.
 * releasing	DEL, GC or the undoing of an ADD has begun; anything of it was done.
 * ipam-pending	the VF is back and no longer held; IPAM DEL failed and is to be tried again.
 * In the three before that: IPAM DEL and sriov_vf_return with restore, in this order or side by
 * side, then the record is removed.
 */
enum ledger_phase {
	LEDGER_PLANNED,
	LEDGER_ATTACHING,
	LEDGER_ATTACHED,
	LEDGER_RELEASING,
	LEDGER_IPAM_PENDING,
};

const char *ledger_phase_name(enum ledger_phase p); /* "planned", ... */

/* One route as it was made. */
struct ledger_route {
	char dst[LEDGER_ADDR_CAP]; /* "10.1.0.0/16" */
	char gw[LEDGER_ADDR_CAP];  /* "10.56.0.1"; empty: none */
	uint32_t metric, table;    /* 0: the kernel's default */
};

/*
 * Strings are fixed arrays, empty where not known: about 21 KiB, give it static storage. Bounds and
 * meaning of every field: docs/ledger.md.
 */
struct ledger_entry {
	enum ledger_phase phase;
	char container_id[LEDGER_ID_MAX + 1];
	char ifname[IFNAMSIZ];  /* in the pod: "eth1", "rdma0" */
	char request[IFNAMSIZ]; /* CNI_IFNAME of the ADD that this interface belongs to */
	uint32_t request_n;     /* how many interfaces that ADD made; 0: not known */
	char network[LEDGER_NETWORK_MAX + 1]; /* "name" of the network configuration */
	char ipam[LEDGER_IPAM_MAX + 1];       /* IPAM plugin; empty: no address was asked for */
	char cni_version[LEDGER_CNI_MAX + 1]; /* of that configuration; empty: not known */
	char pod_namespace[LEDGER_NAMESPACE_MAX + 1];
	char pod_name[LEDGER_POD_MAX + 1];
	char pod_uid[LEDGER_UID_MAX + 1];
	char netns[LEDGER_PATH_MAX + 1];
	uint64_t netns_inode;
	char boot_id[LEDGER_BOOT_ID_LEN + 1]; /* of the boot it was made in */
	char pf[IFNAMSIZ];
	uint32_t vf;
	bool has_pci;
	struct pci_addr pci;
	uint32_t min_tx_rate, max_tx_rate; /* promised */
	size_t addr_n;
	char addr[LEDGER_ADDRS_MAX][LEDGER_ADDR_CAP]; /* "10.56.0.7/24" */
	size_t route_n;
	struct ledger_route route[LEDGER_ROUTES_MAX];
	bool has_restore, has_applied;
	struct sriov_saved restore; /* as it was before */
	struct sriov_saved applied; /* as ADD left it, for CHECK; names in it are the pod's */
};

/*
 * ledger_entry_write: the record as JSON in b. -EINVAL: a field that is required is missing or
 * one could not be read back; the message names it. -EMSGSIZE: more than LEDGER_RECORD_CAP bytes.
 */
int ledger_entry_write(const struct ledger_entry *en, struct buf *b, struct err *e) MUST_CHECK;

/*
 * ledger_entry_parse: the whole of one record; mem needs LEDGER_ENTRY_MEM bytes during the call.
 * -EINVAL damaged; -ENOTSUP another version. A "restore" or "applied" that is damaged or missing
 * clears its has_ flag, says so in the log, and is no failure: the VF still has to be given back.
 */
#define LEDGER_ENTRY_MEM (LEDGER_STRINGS + LEDGER_SCRATCH)

int ledger_entry_parse(
	struct ledger_entry *en, struct str text, struct arena *mem, struct err *e) MUST_CHECK;

#endif
