/* SPDX-License-Identifier: MIT */
/* What the parts of bringing a PF up share: bringup.c, number.c, wait.c, apply.c. */
#ifndef SRIOV_BRINGUP_PRIV_H
#define SRIOV_BRINGUP_PRIV_H

#include "sriov/bringup.h"

/* Polling begins short, for the fast case, and grows to what costs nothing in the long one. */
#define POLL_FIRST_MS   20
#define POLL_LONGEST_MS 250

/* How long VFs that were there before may be without a driver: somebody is just binding one. */
#define UNBOUND_MS  2000

#define PROGRESS_MS 3000 /* at most one line in this time */
#define NAMED_MAX   4    /* VFs that are named one by one when many have the same trouble */

/* The work on one PF. */
struct bringup_run {
	struct sriov_bringup *b;
	const char *name;
	int64_t deadline_ms;
	struct sriov_pf found; /* as sysfs described it last */
	struct sriov_origin origin;
	bool created;        /* all its VFs were made by this run */
	bool autoprobe;      /* the kernel binds drivers to its VFs */
	bool damaged;        /* some ledger records cannot be read: ... */
	struct err damage;   /* ... this one, for this reason */
	uint32_t no_support; /* enum sriov_set: what the driver turned out not to have */
	uint32_t warned;     /* enum sriov_set: settings that a warning named already */
};

/* bringup_read: the PF and its VFs from the kernel, their holders from the ledger. */
int bringup_read(struct bringup_run *run, struct err *e) MUST_CHECK;
int bringup_holders(struct bringup_run *run, struct err *e) MUST_CHECK;

/* bringup_number: have want VFs, or fail. Sets run->found and run->created. */
int bringup_number(struct bringup_run *run, uint32_t want, struct err *e) MUST_CHECK;

/*
 * bringup_wait: until every VF made by this run has its interface, and every other one a driver, or
 * somebody has it. At the deadline (UNBOUND_MS when the VFs were there before) those that have not
 * are marked failed and named. Those that somebody has, or nothing was to bind, are marked in use.
 */
int bringup_wait(struct bringup_run *run, struct err *e) MUST_CHECK;

/* bringup_unbound: the error of a VF that no driver is bound to. */
int bringup_unbound(const struct bringup_run *run, struct err *e);

/* bringup_stopped: -EINTR once b->stop says so. */
int bringup_stopped(const struct bringup_run *run, struct err *e) MUST_CHECK;

/* bringup_apply: set what differs, try again what is transient, read back. */
int bringup_apply(struct bringup_run *run, struct err *e) MUST_CHECK;

/* A progress line now and then: "enp4s0f0: 37/120 VFs ready". Zero-initialise. */
struct progress {
	size_t shown;
	int64_t next_ms;
};

/* progress_vfs: count the first n VFs of the PF that have their interface, and tell. */
uint32_t progress_vfs(struct progress *p, const struct bringup_run *run, uint32_t n);

/* poll_longer: the next pause after ms. */
int64_t poll_longer(int64_t ms);

#endif
