/* SPDX-License-Identifier: MIT */
/* See lock.h. */
#include "ledger/lock.h"

#include "base/lock.h"

int ledger_lock(int state, int64_t deadline_ms, struct err *e)
{
	const struct lock_text text = {
		LEDGER_LOCK_FILE, "another program that takes VFs for a pod"};

	return lock_take(state, &text, deadline_ms, e);
}

int ledger_lock_vf(int state, const struct pci_addr *vf, int64_t deadline_ms, struct err *e)
{
	const struct lock_text text = {
		LEDGER_BUSY_FILE, "another program that attaches or releases this VF"};
	uint64_t at = (uint64_t)vf->domain << 16 | (uint64_t)vf->bus << 8 | (uint64_t)vf->dev << 3 |
		      vf->fn;

	return lock_take_at(state, &text, at, deadline_ms, e);
}
