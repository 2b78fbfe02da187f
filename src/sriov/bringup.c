/* SPDX-License-Identifier: MIT */
/*
 * See bringup.h.
 *
 * Theory of operation: number.c makes the VFs, wait.c waits for their interfaces, apply.c sets
 * them. Nothing is remembered between the steps but what the driver has accepted: each pass reads
 * the PF and the ledger again and plans from that (plan.c), so that a VF that was taken into use
 * meanwhile is seen, and reading back is the same code as the first look.
 */
#include "sriov/bringup.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "nl/link.h"
#include "sriov/bringup_priv.h"
#include "sriov/node.h"
#include "sriov/sysfs.h"

int64_t poll_longer(int64_t ms)
{
	return ms * 2 < POLL_LONGEST_MS ? ms * 2 : POLL_LONGEST_MS;
}

int bringup_stopped(const struct bringup_run *run, struct err *e)
{
	return run->b->stop(run->b->arg)
		       ? err_set(e, EINTR, "%s: stopped by a signal, not all is done", run->name)
		       : 0;
}

int bringup_holders(struct bringup_run *run, struct err *e)
{
	struct sriov_node *n = &run->b->node;
	int r;

	for (size_t i = 0; i < n->vf_n; i++) {
		n->vf[i].holder = NULL;
	}
	r = run->b->holders(run->b->arg, n, &run->damage);
	run->damaged = r > 0;
	if (r < 0) {
		*e = run->damage;
		return err_wrap(e, "%s: who holds its VFs cannot be known", run->name);
	}
	return 0;
}

int bringup_read(struct bringup_run *run, struct err *e)
{
	struct sriov_node *n = &run->b->node;
	int r = sriov_sysfs_pf(run->b->k->sysfs, run->name, &run->found, e);

	if (r < 0) {
		return r;
	}
	n->pf_n = 0;
	n->vf_n = 0;
	r = sriov_pf_read(run->b->k, n, &run->found, e);
	if (r < 0) {
		return err_wrap(e, "%s", run->name);
	}
	if (n->pf[0].problem[0] != '\0') {
		return err_set(e, EIO, "%s: %s", run->name, n->pf[0].problem);
	}
	return bringup_holders(run, e);
}

/* Many drivers give their VFs no link while the PF is down. */
static int set_up(struct bringup_run *run, struct err *e)
{
	struct nl_sock *s = &run->b->k->route;
	struct nl_link link;
	int r = bringup_read(run, e);

	if (r < 0) {
		return r;
	}
	r = nl_link_get(s, run->b->node.pf[0].ifindex, &link, e);
	if (r == 0 && !run->b->node.pf[0].admin_up) {
		r = nl_link_set_up(s, link.ifindex, true, e);
		if (r == 0) {
			log_info("%s: set up", run->name);
		}
	}
	if (r < 0) {
		return err_wrap(e, "%s: set up", run->name);
	}
	sriov_origin_of(&link, &run->origin);
	return 0;
}

static int sum_up(const struct bringup_run *run, struct err *e)
{
	const struct sriov_bringup *b = run->b;
	uint32_t total = (uint32_t)b->node.pf[0].vf_n, n[SRIOV_WORK_FAILED + 1] = {0};
	uint32_t changed = 0;
	char text[200];
	struct buf t;

	for (uint32_t i = 0; i < total; i++) {
		n[b->work[i].end]++;
		changed += b->work[i].end == SRIOV_WORK_DONE && b->work[i].accepted != 0 ? 1 : 0;
	}
	buf_init(&t, text, sizeof(text));
	buf_printf(&t, "%s: %u VFs", run->name, total);
	buf_add_c(&t, run->created && total > 0 ? " made" : "");
	if (changed > 0) {
		buf_printf(&t, ", %u set up", changed);
	}
	if (total > 0 && n[SRIOV_WORK_DONE] == total && changed == 0) {
		buf_add_c(&t, ", all as they should be");
	} else if (n[SRIOV_WORK_DONE] > changed) {
		buf_printf(&t, ", %u as they should be", n[SRIOV_WORK_DONE] - changed);
	}
	if (n[SRIOV_WORK_UNCHECKED] > 0) {
		buf_printf(&t, ", %u not checked", n[SRIOV_WORK_UNCHECKED]);
	}
	if (n[SRIOV_WORK_IN_USE] > 0) {
		buf_printf(&t, ", %u in use and left alone", n[SRIOV_WORK_IN_USE]);
	}
	if (n[SRIOV_WORK_FAILED] > 0) {
		return err_set(
			e, EIO, "%.*s, %u failed", STR_ARG(buf_str(&t)), n[SRIOV_WORK_FAILED]);
	}
	log_info("%.*s", STR_ARG(buf_str(&t)));
	return 0;
}

int sriov_bringup(struct sriov_bringup *b, const char *name, uint32_t want, struct err *e)
{
	struct bringup_run run = {.b = b, .name = name, .deadline_ms = clock_ms() + b->timeout_ms};
	int r = bringup_number(&run, want, e);

	memset(b->work, 0, sizeof(b->work));
	if (r == 0) {
		r = set_up(&run, e);
	}
	if (r == 0) {
		r = bringup_wait(&run, e);
	}
	if (r == 0) {
		r = bringup_apply(&run, e);
	}
	return r < 0 ? r : sum_up(&run, e);
}
