/* SPDX-License-Identifier: MIT */
/*
 * rdma-ds init: bring the VFs of this node up, then exit.
 *
 * Theory of operation: options and configuration say which PFs and what policy; the state
 * directory is made and locked, so that two of these never work at once; each PF is brought up on
 * its own (sriov/bringup.h) and a failure of one does not keep the others from it.
 */
#include <errno.h>

#include "base/clock.h"
#include "base/log.h"
#include "ds.h"
#include "init_options.h"
#include "ledger/read.h"
#include "sriov/bringup.h"
#include "sriov/node.h"
#include "sriov/select.h"
#include "sriov/speed.h"
#include "sriov/state.h"

/* One process brings up one node: its memory is here, untouched pages cost nothing. */
static struct init {
	struct init_opts opts;
	struct sriov_choice choice;
	struct sriov_kernel kernel;
	struct sriov_bringup bringup;
	struct ledger ledger;
	struct ledger_rec rec[LEDGER_MAX];
	char strings[LEDGER_MEM];
} in;

static int holders(void *arg, struct sriov_node *n, struct err *e)
{
	struct ledger *l = arg;
	int r = ledger_read(l, in.opts.conf.state_dir, e);

	if (r < 0) {
		return r;
	}
	(void)ledger_apply(l, n); /* records of other PFs' VFs are none of this PF's business */
	if (l->damaged > 0) {
		(void)err_set(e, EBADMSG, "%s", l->problem);
		return 1;
	}
	return 0;
}

/* Directories and the lock; returns the lock's descriptor. */
static int take_state(struct err *e)
{
	const char *dir = in.opts.conf.state_dir;
	cleanup_fd int state = sriov_state_make(dir, e);
	struct err why;
	int lock;

	if (state < 0) {
		return state;
	}
	lock = sriov_state_lock(state, clock_ms() + (int64_t)in.opts.timeout_s * 1000, e);
	if (lock < 0) {
		return err_wrap(e, "%s", dir);
	}
	if (sriov_state_give_speed(state, in.opts.speed_owner, &why) < 0) {
		log_warn("%s: rdma-ds serve cannot keep link speeds: %s", dir, why.msg);
	}
	return lock;
}

static int choose(struct err *e)
{
	const struct init_opts *o = &in.opts;
	int r;

	if (o->pf.n > 0) {
		return sriov_choose_named(
			in.kernel.sysfs, &in.opts.conf, o->pf.v, o->pf.n, &in.choice, e);
	}
	r = sriov_node_read(&in.kernel, &in.bringup.node, e);
	if (r == 0) {
		sriov_choose(&in.bringup.node, &in.opts.conf, o->all_sriov, &in.choice);
	}
	return r;
}

static int nothing_to_do(void)
{
	const struct sriov_choice *c = &in.choice;
	char text[256];
	struct buf b;

	buf_init(&b, text, sizeof(text));
	if (c->without_rdma > 0) {
		buf_printf(&b,
			"%zu SR-IOV capable PFs, none with an RDMA device (--all-sriov "
			"brings them up nevertheless)",
			c->without_rdma);
	} else if (c->forbidden > 0) {
		buf_printf(&b,
			"%zu SR-IOV capable PFs, none of them in \"pfs\" of the node "
			"configuration",
			c->forbidden);
	} else {
		buf_add_c(&b, "no SR-IOV capable network device on this node");
	}
	if (in.opts.require) {
		log_error("%.*s", STR_ARG(buf_str(&b)));
		return DS_EXIT_SYSTEM;
	}
	log_warn("%.*s: nothing to do", STR_ARG(buf_str(&b)));
	return DS_EXIT_OK;
}

/* The speed of a link that is up already; nobody waits for the others, rdma-ds serve sees them. */
static void keep_speed(void)
{
	struct sriov_node *n = &in.bringup.node;
	struct err e;

	sriov_speed_load(in.opts.conf.state_dir, n);
	if (sriov_speed_store(in.opts.conf.state_dir, &n->pf[0], &e) < 0) {
		log_warn("%s", e.msg);
	}
}

/* The command line, else a number in the configuration, else what suits. */
static uint32_t wanted(const char *name)
{
	const struct sriov_conf_pf *pf = sriov_conf_pf(&in.opts.conf, name);
	bool configured = pf != NULL && pf->num_vfs != SRIOV_VFS_MAX_WORD;

	return in.opts.num_vfs == SRIOV_NUM_DEFAULT && configured ? pf->num_vfs : in.opts.num_vfs;
}

static int bring_up_all(void)
{
	const struct sriov_choice *c = &in.choice;
	size_t failed = 0;
	char text[256];
	struct buf b;

	buf_init(&b, text, sizeof(text));
	for (size_t i = 0; i < c->n; i++) {
		struct err e;

		if (sriov_bringup(&in.bringup, c->name[i], wanted(c->name[i]), &e) < 0) {
			log_error("%s", e.msg);
			buf_printf(&b, "%s%s", failed > 0 ? ", " : "", c->name[i]);
			failed++;
		} else {
			keep_speed();
		}
	}
	if (failed > 0) {
		log_error("%zu of %zu PFs failed: %.*s", failed, c->n, STR_ARG(buf_str(&b)));
	}
	return failed > 0 ? DS_EXIT_SYSTEM : DS_EXIT_OK;
}

static int run(int *status, struct err *e)
{
	cleanup_fd int lock = -1;
	int r = sriov_kernel_open(&in.kernel, in.opts.sysfs, e);

	if (r == 0) {
		r = choose(e);
	}
	if (r < 0) {
		return r;
	}
	lock = take_state(e);
	if (lock < 0) {
		return lock;
	}
	if (in.choice.n == 0) {
		*status = nothing_to_do();
		return 0;
	}
	ledger_init(&in.ledger, in.rec, in.strings, sizeof(in.strings));
	in.bringup.k = &in.kernel;
	in.bringup.policy = (struct sriov_policy){in.opts.trust, in.opts.spoofchk};
	in.bringup.timeout_ms = (int64_t)in.opts.timeout_s * 1000;
	in.bringup.holders = holders;
	in.bringup.arg = &in.ledger;
	*status = bring_up_all();
	return 0;
}

int init_main(int argc, char **argv)
{
	int status = DS_EXIT_SYSTEM;
	struct err e;
	int r = init_opts_parse(&in.opts, argc, argv, &e);

	if (r < 0) {
		log_error("%s", e.msg);
		return DS_EXIT_USAGE;
	}
	if (in.opts.help) {
		return DS_EXIT_OK;
	}
	r = run(&status, &e);
	sriov_kernel_close(&in.kernel);
	if (r < 0) {
		log_error("%s", e.msg);
		/* A PF that was named wrongly; one that does not exist may still appear. */
		return r == -EINVAL || r == -ENOTSUP ? DS_EXIT_USAGE : DS_EXIT_SYSTEM;
	}
	return status;
}
