/* SPDX-License-Identifier: MIT */
/* Waiting for the interfaces of new VFs: see bringup_wait in bringup_priv.h. */
#include <errno.h>
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

int bringup_unbound(const struct bringup_run *run, struct err *e)
{
	return err_set(e, ENODEV, "bound to no driver: is the kernel module %s loaded?",
		vf_module(run->found.driver));
}

static void name_missing(const struct bringup_run *run, const struct sriov_vf *vf)
{
	char pci[32];
	struct err e;
	struct buf b;

	buf_init(&b, pci, sizeof(pci));
	buf_add_pci(&b, &vf->pci);
	if (vf->driver[0] == '\0') {
		(void)bringup_unbound(run, &e); /* the message is what is wanted of it */
	} else {
		(void)err_set(&e, ENODEV, "its driver %s has made no interface", vf->driver);
	}
	log_error("%s: VF %u (%.*s): %s", run->name, vf->index, STR_ARG(buf_str(&b)), e.msg);
}

enum standing { READY, OTHERS, MISSING };

/* OTHERS: somebody has it, or nobody is going to bind it. */
static enum standing standing(const struct bringup_run *run, const struct sriov_vf *vf)
{
	switch (vf->state) {
	case SRIOV_VF_FREE:
	case SRIOV_VF_VIRTUAL:
		return READY;
	case SRIOV_VF_VFIO:
	case SRIOV_VF_OTHER:
		return OTHERS;
	case SRIOV_VF_AWAY:
		return vf->holder == NULL && run->created ? MISSING : OTHERS;
	case SRIOV_VF_NO_DRIVER:
		return vf->holder == NULL && run->autoprobe ? MISSING : OTHERS;
	}
	ASSERT(false);
}

/* Marks the VFs that are not to be set; names the first of those without interface. */
static void mark(struct bringup_run *run, int64_t waited_ms)
{
	const struct sriov_node *n = &run->b->node;
	uint32_t missing = 0;

	for (size_t i = 0; i < n->vf_n; i++) {
		enum standing s = standing(run, &n->vf[i]);

		if (s == OTHERS) {
			run->b->work[i].end = SRIOV_WORK_IN_USE;
		}
		if (s == MISSING) {
			run->b->work[i].end = SRIOV_WORK_FAILED;
			missing++;
			if (missing <= NAMED_MAX) {
				name_missing(run, &n->vf[i]);
			}
		}
	}
	if (missing > 0) {
		log_error("%s: %u of %zu VFs have no interface after %lld s", run->name, missing,
			n->vf_n, (long long)(waited_ms / 1000));
	}
}

static size_t count_missing(const struct bringup_run *run)
{
	const struct sriov_node *n = &run->b->node;
	size_t missing = 0;

	for (size_t i = 0; i < n->vf_n; i++) {
		missing += standing(run, &n->vf[i]) == MISSING ? 1 : 0;
	}
	return missing;
}

int bringup_wait(struct bringup_run *run, struct err *e)
{
	int64_t all_ms = run->b->timeout_ms, pause = POLL_FIRST_MS;
	int64_t wait_ms = run->created || all_ms < UNBOUND_MS ? all_ms : UNBOUND_MS;
	int64_t until = clock_ms() + wait_ms;
	struct progress progress = {0};
	int r;

	run->autoprobe = sriov_sysfs_autoprobe(run->b->k->sysfs, &run->found);
	if (run->created && run->found.num_vfs > 0 && !run->autoprobe) {
		log_warn("%s: sriov_drivers_autoprobe is 0: its VFs get no driver and are left "
			 "alone",
			run->name);
	}
	for (;;) {
		bool last = clock_ms() >= (until < run->deadline_ms ? until : run->deadline_ms);

		r = bringup_read(run, e);
		if ((r < 0 && last) || (r == 0 && (last || count_missing(run) == 0))) {
			break;
		}
		r = bringup_stopped(run, e);
		if (r < 0) {
			break;
		}
		if (run->created) {
			(void)progress_vfs(&progress, run, run->found.num_vfs);
		}
		clock_sleep_ms(pause);
		pause = poll_longer(pause);
	}
	if (r == 0) {
		mark(run, wait_ms);
	}
	return r;
}
