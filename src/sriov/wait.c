/* SPDX-License-Identifier: MIT */
/* Waiting for the interfaces of new VFs: see bringup_wait in bringup_priv.h. */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "sriov/bringup_priv.h"
#include "sriov/sysfs.h"

uint32_t progress_vfs(struct progress *p, const struct bringup_run *run, uint32_t n)
{
	int64_t now = clock_ms();
	uint32_t ready = 0;

	for (uint32_t i = 0; i < n; i++) {
		struct sriov_vf vf;
		struct err ignored; /* not there yet */

		if (sriov_sysfs_vf(run->b->k->sysfs, &run->found, i, &vf, &ignored) == 0 &&
			(vf.state == SRIOV_VF_FREE || vf.state == SRIOV_VF_VIRTUAL)) {
			ready++;
		}
	}
	if (p->next_ms == 0) {
		p->next_ms = now + PROGRESS_MS; /* short work needs no line */
	} else if (now >= p->next_ms && ready != p->shown) {
		log_info("%s: %u/%u VFs ready", run->name, ready, n);
		p->shown = ready;
		p->next_ms = now + PROGRESS_MS;
	}
	return ready;
}

/* The module that drives the VFs of a PF where it has another name. */
static const char *vf_module(const char *pf_driver)
{
	static const struct {
		const char *pf, *vf;
	} table[] = {
		{"igb", "igbvf"},
		{"ixgbe", "ixgbevf"},
		{"i40e", "iavf"},
		{"ice", "iavf"},
		{"cxgb4", "cxgb4vf"},
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		if (strcmp(table[i].pf, pf_driver) == 0) {
			return table[i].vf;
		}
	}
	return pf_driver;
}

static void name_missing(const struct bringup_run *run, const struct sriov_vf *vf)
{
	char pci[32];
	struct buf b;

	buf_init(&b, pci, sizeof(pci));
	buf_add_pci(&b, &vf->pci);
	if (vf->driver[0] == '\0') {
		log_error("%s: VF %u (%.*s) is bound to no driver: is the kernel module %s loaded?",
			run->name, vf->index, STR_ARG(buf_str(&b)), vf_module(run->found.driver));
	} else {
		log_error("%s: VF %u (%.*s): its driver %s has made no interface", run->name,
			vf->index, STR_ARG(buf_str(&b)), vf->driver);
	}
}

/* Marks the VFs without interface and names the first of them. */
static void mark_missing(struct bringup_run *run, enum sriov_work_end end)
{
	uint32_t missing = 0;

	for (uint32_t i = 0; i < run->found.num_vfs; i++) {
		struct sriov_vf vf;
		struct err e;

		if (sriov_sysfs_vf(run->b->k->sysfs, &run->found, i, &vf, &e) < 0) {
			run->b->work[i].end = SRIOV_WORK_FAILED;
			log_error("%s", e.msg);
			continue;
		}
		if (vf.state == SRIOV_VF_FREE || vf.state == SRIOV_VF_VIRTUAL) {
			continue;
		}
		run->b->work[i].end = end;
		missing++;
		if (end == SRIOV_WORK_FAILED && missing <= NAMED_MAX) {
			name_missing(run, &vf);
		}
	}
	if (end == SRIOV_WORK_FAILED && missing > 0) {
		log_error("%s: %u of %u VFs have no interface after %lld s", run->name, missing,
			run->found.num_vfs, (long long)(run->b->timeout_ms / 1000));
	}
}

void bringup_wait(struct bringup_run *run)
{
	uint32_t n = run->found.num_vfs;
	struct progress progress = {0};
	int64_t pause = POLL_FIRST_MS;

	if (n > 0 && !sriov_sysfs_autoprobe(run->b->k->sysfs, &run->found)) {
		log_warn("%s: sriov_drivers_autoprobe is 0: its VFs get no driver and are left "
			 "alone",
			run->name);
		mark_missing(run, SRIOV_WORK_IN_USE);
		return;
	}
	while (progress_vfs(&progress, run, n) < n) {
		if (clock_ms() >= run->deadline_ms) {
			mark_missing(run, SRIOV_WORK_FAILED);
			return;
		}
		clock_sleep_ms(pause);
		pause = poll_longer(pause);
	}
}
