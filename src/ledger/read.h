/* SPDX-License-Identifier: MIT */
/* Reading the ledger: which pod holds which VF of this node. */
#ifndef LEDGER_READ_H
#define LEDGER_READ_H

#include "base/arena.h"
#include "base/err.h"
#include "ledger/limits.h"
#include "sriov/model.h"

/*
 * <stateDir>/attachments holds one file an attachment, "<container id>:<interface>.json"; neither
 * part can hold a ':', so that two attachments never share a name. docs/ledger.md has the format.
 * Names that begin with '.' or end in ".tmp.<number>" are writes in progress and passed over.
 */
#define LEDGER_DIR     "attachments"
#define LEDGER_VERSION 1
#define LEDGER_NO_VF   "ipam-pending" /* the phase that does not hold the VF */

/* One record, as far as readers need it. The strings live until the ledger is read again. */
struct ledger_rec {
	struct sriov_holder holder;
	char pf[IFNAMSIZ];
	uint32_t vf;
	bool has_pci;
	struct pci_addr pci; /* of the VF */
	bool past;           /* made in an earlier boot: nothing of it is true of a VF any more */
};

struct ledger {
	struct ledger_rec *rec; /* LEDGER_MAX of them, the caller's; by container id, interface */
	size_t n;
	size_t damaged;       /* files that could not be understood */
	char problem[256];    /* the first of those by name, with the reason; empty when none */
	size_t clashes;       /* records that name a VF which another one has (ledger_apply) */
	char clash[256];      /* the first of those; empty when none */
	struct arena strings; /* over the caller's memory */
	char boot_id[LEDGER_BOOT_ID_LEN + 1]; /* of this boot; empty where it cannot be told */
};

/*
 * ledger_init: rec has LEDGER_MAX entries, mem holds the strings; both are the caller's and must
 * outlive l. With LEDGER_MEM bytes the strings of LEDGER_MAX records always fit.
 */
void ledger_init(struct ledger *l, struct ledger_rec *rec, void *mem, size_t mem_n);

/*
 * ledger_read: read all records below state_dir, forgetting those read before. A missing directory
 * is an empty ledger. A record that is damaged, of another version, under a wrong name or no
 * regular file (symbolic links are not followed, FIFOs not waited for) is counted and described in
 * problem, never fatal. -errno when the directory or a record cannot be read, which says nothing of
 * its content (-EACCES); -E2BIG for more than LEDGER_MAX files; -ENOMEM when the strings do not
 * fit. l then holds nothing. Reads the kernel's boot id, the first time.
 *
 * Needs no lock: a record is replaced as a whole, and one that is replaced at this very moment is
 * never missed (list.h; -EAGAIN where that cannot be had).
 */
int ledger_read(struct ledger *l, const char *state_dir, struct err *e) MUST_CHECK;

/*
 * ledger_record_parse: one record file. The strings go to l->strings, of which the call needs
 * LEDGER_SCRATCH more for a moment. -EINVAL: damaged; -ENOTSUP: another version; -ENOMEM: no room.
 */
int ledger_record_parse(
	struct ledger *l, struct str text, struct ledger_rec *out, struct err *e) MUST_CHECK;

/* ledger_boot_id: the kernel's id of this boot, from /proc. */
int ledger_boot_id(char out[static LEDGER_BOOT_ID_LEN + 1], struct err *e) MUST_CHECK;

/*
 * ledger_record_name: the file name of an attachment as a C string in out[cap]. false: it does not
 * fit LEDGER_NAME_CAP, or one of the two could not stand in a record.
 */
bool ledger_record_name(
	struct str container_id, struct str ifname, char *out, size_t cap) MUST_CHECK;

/*
 * ledger_holds: whether the record's VF is still its attachment's: not when only IPAM has to be
 * told, nor after the node has booted, which puts every VF back.
 */
bool ledger_holds(const struct ledger_rec *rec);

/* ledger_held: whether a record of l holds the VF with that PCI address. */
bool ledger_held(const struct ledger *l, const struct pci_addr *vf);

/*
 * ledger_apply: point each VF of n that a record names (by PCI address if the record has one, else
 * by PF name and index) to its holder, the others to none. Returns how many records name no VF of
 * n. Records that hold none (ledger_holds) are passed over. Where two name the same VF the first by
 * container id, then interface, has it; the other is counted in clashes and the first such pair
 * described in clash.
 */
size_t ledger_apply(struct ledger *l, struct sriov_node *n);

#endif
