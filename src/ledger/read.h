/* SPDX-License-Identifier: MIT */
/* Reading the ledger: which pod holds which VF of this node. */
#ifndef LEDGER_READ_H
#define LEDGER_READ_H

#include "base/arena.h"
#include "base/err.h"
#include "sriov/model.h"

/*
 * <stateDir>/attachments holds one file an attachment, "<container id>.<interface>.json"
 * (docs/ledger.md has the format). Names that begin with '.' or hold ".tmp." are writes in
 * progress and passed over.
 */
#define LEDGER_DIR        "attachments"
#define LEDGER_VERSION    1
#define LEDGER_MAX        SRIOV_VF_MAX /* a VF has at most one record */
#define LEDGER_RECORD_CAP 16384        /* bytes of one record file */

/* One record, as far as readers need it. The strings live as long as the ledger. */
struct ledger_rec {
	struct sriov_holder holder;
	char pf[IFNAMSIZ];
	uint32_t vf;
	bool has_pci;
	struct pci_addr pci; /* of the VF */
};

struct ledger {
	struct ledger_rec *rec; /* LEDGER_MAX of them, the caller's */
	size_t n;
	size_t damaged;       /* files that could not be understood */
	char problem[256];    /* the first of those, with the reason */
	struct arena strings; /* over the caller's memory */
};

/*
 * ledger_init: rec has LEDGER_MAX entries, mem holds the strings; both are the caller's and must
 * outlive l.
 */
void ledger_init(struct ledger *l, struct ledger_rec *rec, void *mem, size_t mem_n);

/*
 * ledger_read: read all records below state_dir, forgetting those read before. A missing
 * directory is an empty ledger. A damaged record, or one of another version, is counted and
 * described in problem, never fatal. -errno when the directory cannot be read (-EACCES) or holds
 * more than LEDGER_MAX records.
 */
int ledger_read(struct ledger *l, const char *state_dir, struct err *e) MUST_CHECK;

/*
 * ledger_record_parse: one record file. The strings go to l->strings. -EINVAL: damaged;
 * -ENOTSUP: another version.
 */
int ledger_record_parse(
	struct ledger *l, struct str text, struct ledger_rec *out, struct err *e) MUST_CHECK;

/*
 * ledger_apply: point each VF of n that a record names (by PCI address if the record has one,
 * else by PF name and index) to its holder. Returns how many records name no VF of n.
 */
size_t ledger_apply(const struct ledger *l, struct sriov_node *n);

#endif
