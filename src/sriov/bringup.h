/* SPDX-License-Identifier: MIT */
/* Bringing one PF up: as many VFs as wanted, each that is not in use set as the policy says. */
#ifndef SRIOV_BRINGUP_H
#define SRIOV_BRINGUP_H

#include "sriov/kernel.h"
#include "sriov/model.h"
#include "sriov/plan.h"

enum sriov_work_end {
	SRIOV_WORK_PENDING,
	SRIOV_WORK_DONE,      /* as the policy wants it, as far as the driver can */
	SRIOV_WORK_UNCHECKED, /* left as it is: its driver describes no VF */
	SRIOV_WORK_IN_USE,    /* left alone */
	SRIOV_WORK_FAILED,    /* the reason has been logged */
};

/* Where the work on one VF stands. */
struct sriov_vf_work {
	enum sriov_work_end end;
	uint32_t accepted; /* enum sriov_set: what the driver took */
	int64_t accepted_ms;
	bool bind;                   /* InfiniBand: its driver has still to be bound again, */
	bool unbound;                /* and has been unbound, */
	char driver[SRIOV_NAME_MAX]; /* which is this one */
};

/*
 * Large: give it static storage. Set what comes before node, then call sriov_bringup for one PF
 * after the other.
 */
struct sriov_bringup {
	struct sriov_kernel *k;
	struct sriov_policy policy;
	int64_t timeout_ms; /* for each PF */

	/*
	 * holders: point the VFs of n to who holds them, as of now; holder is NULL in all of them
	 * before the call. 0, or 1 when some records are damaged (e says which), or -errno when
	 * nothing can be said. With damaged records no VF that exists already is changed or
	 * removed, for one of them may be the damaged record's.
	 */
	int (*holders)(void *arg, struct sriov_node *n, struct err *e);

	/*
	 * lock: keep everybody else from taking VFs, until the descriptor that is returned is
	 * closed. Waits until deadline_ms (clock_ms time), then -ETIMEDOUT; -errno otherwise. It is
	 * held while VFs are checked and removed, and while one is checked and set. A driver that
	 * does not finish keeps it, with the process that writes sriov_numvfs.
	 */
	int (*lock)(void *arg, int64_t deadline_ms, struct err *e);

	bool (*stop)(void *arg); /* whether to leave off, with -EINTR, before the next VF */
	void *arg;
	int state; /* descriptor of the state directory */

	struct sriov_node node; /* afterwards: the one PF, as it was read last */
	struct sriov_vf_work work[SRIOV_PF_VF_MAX];
};

/*
 * sriov_bringup: bring up the PF called name with want VFs (or SRIOV_VFS_MAX_WORD,
 * SRIOV_NUM_DEFAULT: see plan.h).
 * Blocks, at most timeout_ms and what one last try takes. Needs CAP_NET_ADMIN and write access to
 * sysfs.
 *
 * VFs that are there are kept when their number is right; another number goes through 0, which is
 * refused while any of them is in use. A VF in use, by the kernel or by its holder, is never
 * changed: both are looked at again right before each VF is touched, under the lock. A VF without
 * driver that nobody holds is a failure, unless sriov_drivers_autoprobe is 0. Running it again on
 * a PF that is as it should be changes nothing.
 *
 * Logs progress, warnings, the reason of each VF's failure, and one line that sums the PF up.
 * -errno with the PF's name in e: nothing was done, or not all VFs could be set up.
 */
int sriov_bringup(
	struct sriov_bringup *b, const char *name, uint32_t want, struct err *e) MUST_CHECK;

#endif
