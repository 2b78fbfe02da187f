/* SPDX-License-Identifier: MIT */
/* Which VF a record means: see read.h. */
#include <stdio.h>
#include <string.h>

#include "ledger/read.h"

static bool is_function(const struct sriov_vf *vf, const struct pci_addr *pci)
{
	return vf->has_pci && pci_same(&vf->pci, pci);
}

static struct sriov_vf *by_index(struct sriov_node *n, const struct ledger_rec *rec)
{
	const struct sriov_pf *pf = sriov_node_pf(n, str_from(rec->pf));

	return pf != NULL && rec->vf < pf->vf_n ? &n->vf[pf->vf_first + rec->vf] : NULL;
}

static struct sriov_vf *find(struct sriov_node *n, const struct ledger_rec *rec)
{
	struct sriov_vf *vf = by_index(n, rec);

	/* The search is for the PF that was renamed: index and function agree on any other day. */
	if (!rec->has_pci || (vf != NULL && is_function(vf, &rec->pci))) {
		return vf;
	}
	for (size_t i = 0; i < n->vf_n; i++) {
		if (is_function(&n->vf[i], &rec->pci)) {
			return &n->vf[i];
		}
	}
	return NULL;
}

static void note_clash(
	struct ledger *l, const struct sriov_holder *first, const struct ledger_rec *rec)
{
	int n;

	if (l->clashes++ > 0) {
		return;
	}
	n = snprintf(l->clash, sizeof(l->clash),
		"VF %u of %s is in two records: %.64s:%s, %.64s:%s", (unsigned)rec->vf, rec->pf,
		first->container_id, first->ifname, rec->holder.container_id, rec->holder.ifname);
	ASSERT(n > 0 && (size_t)n < sizeof(l->clash));
}

bool ledger_holds(const struct ledger_rec *rec)
{
	return !rec->past && strcmp(rec->holder.phase, LEDGER_NO_VF) != 0;
}

bool ledger_held(const struct ledger *l, const struct pci_addr *vf)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct ledger_rec *r = &l->rec[i];

		if (ledger_holds(r) && r->has_pci && pci_same(&r->pci, vf)) {
			return true;
		}
	}
	return false;
}

size_t ledger_apply(struct ledger *l, struct sriov_node *n)
{
	size_t unknown = 0;

	l->clashes = 0;
	l->clash[0] = '\0';
	for (size_t i = 0; i < n->vf_n; i++) {
		n->vf[i].holder = NULL;
	}
	for (size_t i = 0; i < l->n; i++) {
		struct sriov_vf *vf = find(n, &l->rec[i]);

		if (!ledger_holds(&l->rec[i])) {
			continue;
		}
		if (vf == NULL) {
			unknown++;
		} else if (vf->holder != NULL) {
			note_clash(l, vf->holder, &l->rec[i]);
		} else {
			vf->holder = &l->rec[i].holder;
		}
	}
	return unknown;
}
