/* SPDX-License-Identifier: MIT */
/* Setting the VFs of a PF: see bringup_apply in bringup_priv.h. */
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "sriov/bringup_priv.h"
#include "sriov/sysfs.h"

#define MAC_LEN 6

/* A driver may apply what it has accepted a little later (iavf asks its PF first). */
#define SETTLE_MS 2000

/*
 * Errors that go away: i40e and ice while a VF resets; an interface that bounces. That of a signal
 * does not, but bringup_apply then ends before it comes to this VF again.
 */
static bool transient(int r)
{
	return r == -EAGAIN || r == -EBUSY || r == -ENODEV || r == -EINTR;
}

/* Whether somebody else has the VF. One that was ours a moment ago only bounces. */
static bool taken(
	const struct bringup_run *run, const struct sriov_vf *vf, const struct sriov_vf_work *w)
{
	bool bounces = vf->state == SRIOV_VF_AWAY || vf->state == SRIOV_VF_NO_DRIVER;

	if (vf->holder == NULL && bounces && (run->created || w->accepted != 0)) {
		return false;
	}
	/* Nobody's, as far as anybody can tell: bringup_wait would have marked it otherwise. */
	if (vf->holder == NULL && vf->state == SRIOV_VF_NO_DRIVER && run->autoprobe) {
		return false;
	}
	return sriov_vf_in_use(vf);
}

static void warn_no_support(struct bringup_run *run, uint32_t sets)
{
	for (int i = 0; i < SRIOV_SETS; i++) {
		uint32_t bit = 1u << i;

		if ((sets & bit) != 0 && (run->warned & bit) == 0) {
			log_warn("%s: driver %s does not support setting the %s of its VFs",
				run->name, run->found.driver, sriov_set_name(bit));
			run->warned |= bit;
		}
	}
}

static void warn_not_applied(struct bringup_run *run, const struct sriov_vf *vf, uint32_t sets)
{
	for (int i = 0; i < SRIOV_SETS; i++) {
		uint32_t bit = 1u << i;

		if ((sets & bit) != 0 && (run->warned & bit) == 0) {
			log_warn("%s: VF %u: driver %s accepted the %s but did not apply it",
				run->name, vf->index, run->found.driver, sriov_set_name(bit));
			run->warned |= bit;
		}
	}
}

/* Most drivers take a new address at any time, some only while the interface is down. */
static int set_netdev_mac(
	struct nl_sock *s, const struct nl_link *net, const uint8_t *mac, struct err *e)
{
	struct err up;
	int r = nl_link_set_addr(s, net->ifindex, mac, MAC_LEN, e);

	if ((r != -EBUSY && r != -EADDRNOTAVAIL) || (net->flags & IFF_UP) == 0) {
		return r;
	}
	r = nl_link_set_up(s, net->ifindex, false, e);
	if (r < 0) {
		return r;
	}
	r = nl_link_set_addr(s, net->ifindex, mac, MAC_LEN, e);
	if (nl_link_set_up(s, net->ifindex, true, &up) < 0 && r == 0) {
		*e = up;
		r = -up.code;
	}
	return r;
}

static int set_one(struct bringup_run *run, const struct sriov_vf *vf, const struct nl_link *net,
	const struct sriov_vf_plan *plan, enum sriov_set what, struct err *e)
{
	struct nl_sock *s = &run->b->k->route;
	uint32_t pf = run->b->node.pf[0].ifindex;

	switch (what) {
	case SRIOV_SET_MAC:
		return nl_vf_set_mac(s, pf, vf->index, plan->mac, MAC_LEN, e);
	case SRIOV_SET_NODE_GUID:
		return nl_vf_set_node_guid(s, pf, vf->index, plan->node_guid, e);
	case SRIOV_SET_PORT_GUID:
		return nl_vf_set_port_guid(s, pf, vf->index, plan->port_guid, e);
	case SRIOV_SET_LINK_STATE:
		return nl_vf_set_link_state(s, pf, vf->index, NL_VF_LINK_AUTO, e);
	case SRIOV_SET_TRUST:
		return nl_vf_set_trust(s, pf, vf->index, plan->trust, e);
	case SRIOV_SET_SPOOFCHK:
		return nl_vf_set_spoofchk(s, pf, vf->index, plan->spoofchk, e);
	case SRIOV_SET_NETDEV_MAC:
		return set_netdev_mac(s, net, plan->mac, e);
	}
	ASSERT(false);
}

/* The last look before a VF is touched. */
static int check_free(struct bringup_run *run, const struct sriov_vf *vf, struct err *e)
{
	struct sriov_vf now;
	int r = sriov_sysfs_vf(run->b->k->sysfs, &run->found, vf->index, &now, e);

	if (r == 0) {
		r = bringup_holders(run, e);
	}
	if (r < 0) {
		return r;
	}
	now.holder = vf->holder;
	if (sriov_vf_in_use(&now)) {
		return err_set(e, EAGAIN, "somebody has just taken it");
	}
	if (run->damaged && !run->created) {
		return err_set(
			e, EIO, "left alone, its holder may be unreadable: %s", run->damage.msg);
	}
	return 0;
}

/* An InfiniBand VF reads its GUIDs when its driver is bound: the steps that are still to do. */
static int bind_again(
	struct bringup_run *run, const struct sriov_vf *vf, struct sriov_vf_work *w, struct err *e)
{
	int sysfs = run->b->k->sysfs, r = 0;

	if (!w->unbound) {
		r = sriov_sysfs_unbind(sysfs, &vf->pci, w->driver, e);
		w->unbound = r == 0;
	} else if (vf->driver[0] != '\0') {
		w->bind = false; /* somebody has bound it meanwhile */
		return 0;
	}
	if (r == 0) {
		r = sriov_sysfs_bind(sysfs, &vf->pci, w->driver, e);
		w->bind = r < 0;
	}
	return r;
}

/* Under the lock. */
static int set_all(struct bringup_run *run, const struct sriov_vf *vf, const struct nl_link *net,
	const struct sriov_vf_plan *plan, uint32_t todo, struct sriov_vf_work *w, struct err *e)
{
	const uint32_t guids = SRIOV_SET_NODE_GUID | SRIOV_SET_PORT_GUID;
	uint32_t before = w->accepted;
	int r = check_free(run, vf, e);

	for (int i = 0; r == 0 && i < SRIOV_SETS; i++) {
		uint32_t bit = 1u << i;

		if ((todo & bit) == 0) {
			continue;
		}
		r = set_one(run, vf, net, plan, bit, e);
		if (r == -EOPNOTSUPP) {
			run->no_support |= bit;
			warn_no_support(run, bit);
			r = 0;
		} else if (r == 0) {
			w->accepted |= bit;
		}
	}
	w->accepted_ms = clock_ms();
	if (((w->accepted & ~before) & guids) != 0 && vf->driver[0] != '\0') {
		w->bind = true;
		w->unbound = false;
		memcpy(w->driver, vf->driver, sizeof(w->driver));
	}
	return r == 0 && w->bind ? bind_again(run, vf, w, e) : r;
}

/* One step towards what the plan says. 0: done, or more to come with the next reading. */
static int settle(struct bringup_run *run, const struct sriov_vf *vf, const struct nl_link *net,
	struct sriov_vf_work *w, bool last, struct err *e)
{
	cleanup_fd int lock = -1;
	struct sriov_vf_plan plan;
	uint32_t todo;
	int r;

	sriov_plan_vf(vf, net, &run->b->policy, &run->origin, &plan);
	warn_no_support(run, plan.unsupported);
	todo = plan.set & ~run->no_support;
	if (todo == 0) {
		w->end = SRIOV_WORK_DONE;
		return 0;
	}
	if ((todo & ~w->accepted) == 0) {
		if (last || clock_ms() - w->accepted_ms >= SETTLE_MS) {
			warn_not_applied(run, vf, todo);
			w->end = SRIOV_WORK_DONE;
		}
		return 0;
	}
	lock = run->b->lock(run->b->arg, run->deadline_ms, e);
	if (lock < 0) {
		return lock;
	}
	r = set_all(run, vf, net, &plan, todo & ~w->accepted, w, e);
	if (r == 0 && last) {
		w->end = SRIOV_WORK_DONE;
	}
	return r;
}

static int look(
	struct bringup_run *run, const struct sriov_vf *vf, struct nl_link *net, struct err *e)
{
	if ((vf->kernel.has & NL_VF_PRESENT) == 0) {
		return err_set(e, EAGAIN, "driver %s does not describe it", run->found.driver);
	}
	if (vf->state == SRIOV_VF_VIRTUAL) {
		return 0;
	}
	if (vf->state == SRIOV_VF_NO_DRIVER) {
		return bringup_unbound(run, e);
	}
	if (vf->netdev[0] == '\0') {
		return err_set(e, ENODEV, "its interface is gone");
	}
	return nl_link_get_name(&run->b->k->route, vf->netdev, net, e);
}

static int work_on(struct bringup_run *run, const struct sriov_vf *vf, struct sriov_vf_work *w,
	bool last, struct err *e)
{
	cleanup_fd int lock = -1;
	struct nl_link net;
	int r;

	if (w->bind) {
		lock = run->b->lock(run->b->arg, run->deadline_ms, e);
		return lock < 0 ? lock : bind_again(run, vf, w, e);
	}
	r = look(run, vf, &net, e);
	return r < 0 ? r : settle(run, vf, vf->state == SRIOV_VF_VIRTUAL ? NULL : &net, w, last, e);
}

static void step(struct bringup_run *run, uint32_t i, bool last)
{
	const struct sriov_vf *vf = &run->b->node.vf[i];
	struct sriov_vf_work *w = &run->b->work[i];
	struct err e;
	int r;

	if (taken(run, vf, w)) {
		w->end = SRIOV_WORK_IN_USE;
		return;
	}
	r = work_on(run, vf, w, last, &e);
	/* A VF without driver is no use to anybody: binding it again is tried whatever it says. */
	if (r < 0 && (last || (!transient(r) && !w->bind))) {
		w->end = SRIOV_WORK_FAILED;
		log_error("%s: VF %u: %s", run->name, vf->index, e.msg);
	}
}

/* A driver without ndo_get_vf_config says nothing of any VF: there is nothing to compare with. */
static bool describes_none(const struct sriov_node *n)
{
	for (size_t i = 0; i < n->vf_n; i++) {
		if ((n->vf[i].kernel.has & NL_VF_PRESENT) != 0) {
			return false;
		}
	}
	return n->vf_n > 0;
}

static void leave_undescribed(struct bringup_run *run)
{
	log_warn("%s: driver %s does not describe its VFs: address, trust and spoof check stay "
		 "as they are",
		run->name, run->found.driver);
	for (size_t i = 0; i < run->b->node.vf_n; i++) {
		struct sriov_vf_work *w = &run->b->work[i];

		if (w->end == SRIOV_WORK_PENDING) {
			w->end = sriov_vf_in_use(&run->b->node.vf[i]) ? SRIOV_WORK_IN_USE
								      : SRIOV_WORK_UNCHECKED;
		}
	}
}

int bringup_apply(struct bringup_run *run, struct err *e)
{
	int64_t pause = POLL_FIRST_MS;
	size_t pending;

	do {
		bool last = clock_ms() >= run->deadline_ms;
		int r = bringup_read(run, e);

		if (r < 0) {
			return r;
		}
		if (describes_none(&run->b->node)) {
			leave_undescribed(run);
			return 0;
		}
		pending = 0;
		for (uint32_t i = 0; i < run->b->node.vf_n; i++) {
			if (run->b->work[i].end == SRIOV_WORK_PENDING) {
				r = bringup_stopped(run, e);
				if (r < 0) {
					return r;
				}
				step(run, i, last);
				pending += run->b->work[i].end == SRIOV_WORK_PENDING ? 1 : 0;
			}
		}
		if (pending > 0) {
			clock_sleep_ms(pause);
			pause = poll_longer(pause);
		}
	} while (pending > 0);
	return 0;
}
