/* SPDX-License-Identifier: MIT */
/*
 * rdma-ds init: bring the VFs of this node up, then exit.
 *
 * Theory of operation: options and configuration say which PFs and what policy; the state
 * directory is made and locked, so that two of these never work at once; each PF is brought up on
 * its own (sriov/bringup.h) and a failure of one does not keep the others from it.
 *
 * Reading sriov_numvfs blocks while another process writes it. So it is read only by the one that
 * holds the lock; whether there is anything to do at all is found out without.
 */
#include <errno.h>
#include <signal.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "ds.h"
#include "init_options.h"
#include "ledger/lock.h"
#include "ledger/read.h"
#include "sriov/bringup.h"
#include "sriov/node.h"
#include "sriov/select.h"
#include "sriov/speed.h"
#include "sriov/state.h"
#include "sriov/survey.h"
#include "sriov/sysfs.h"

#define LOCK_STEP_MS 200 /* how soon a signal is noticed while a lock is waited for */

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

static volatile sig_atomic_t stopped; /* by SIGTERM or SIGINT */

static void on_signal(int number)
{
	(void)number;
	stopped = 1;
}

/* Even as process 1, to which a signal without handler does nothing. */
static void catch_signals(void)
{
	struct sigaction a = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

	(void)sigaction(SIGTERM, &a, NULL); /* neither can fail: */
	(void)sigaction(SIGINT, &a, NULL);  /* the numbers are valid */
}

static bool stop(void *arg)
{
	(void)arg;
	return stopped != 0;
}

/* Takes a lock of the state directory, in short steps that a signal ends. */
static int take(int (*lock)(int state, int64_t deadline_ms, struct err *e), int state,
	int64_t deadline_ms, struct err *e)
{
	bool told = false;

	for (;;) {
		int64_t next = clock_ms() + LOCK_STEP_MS;
		int r = lock(state, next < deadline_ms ? next : deadline_ms, e);

		if (r != -ETIMEDOUT || clock_ms() >= deadline_ms) {
			return r;
		}
		if (stopped != 0) {
			return err_set(e, EINTR, "stopped by a signal while waiting for a lock");
		}
		if (!told) {
			log_info("%s: waiting", e->msg);
			told = true;
		}
	}
}

static int lock_ledger(void *arg, int64_t deadline_ms, struct err *e)
{
	(void)arg;
	return take(ledger_lock, in.bringup.state, deadline_ms, e);
}

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

/* Directories and the lock, whose descriptor is returned; *state is the state directory's. */
static int take_state(int *state, struct err *e)
{
	const char *dir = in.opts.conf.state_dir;
	struct err why;
	int lock;

	*state = sriov_state_make(dir, e);
	if (*state < 0) {
		return *state;
	}
	lock = take(sriov_state_lock, *state, clock_ms() + (int64_t)in.opts.timeout_s * 1000, e);
	if (lock < 0) {
		return err_wrap(e, "%s", dir);
	}
	if (sriov_state_give_speed(*state, in.opts.speed_owner, &why) < 0) {
		log_warn("%s: rdma-ds serve cannot keep link speeds: %s", dir, why.msg);
	}
	return lock;
}

static int count_capable(void *arg, const char *name, struct err *e)
{
	size_t *n = arg;
	struct err ignored; /* most netdevs are no PFs */

	(void)e;
	*n += sriov_sysfs_capable(in.kernel.sysfs, name, &ignored) == 0 ? 1 : 0;
	return 0;
}

/* Those named must be PFs; without names *n is how many there are. */
static int look_around(size_t *n, struct err *e)
{
	const struct opt_list *pf = &in.opts.pf;

	*n = pf->n;
	for (size_t i = 0; i < pf->n; i++) {
		int r = sriov_sysfs_capable(in.kernel.sysfs, pf->v[i], e);

		if (r < 0) {
			return r;
		}
	}
	return pf->n > 0 ? 0 : file_list(in.kernel.sysfs, "class/net", count_capable, n, e);
}

/* The command line, else the configuration, else what suits. */
static uint32_t wanted(const char *name)
{
	const struct sriov_conf_pf *pf = sriov_conf_pf(&in.opts.conf, name);

	return in.opts.num_vfs == SRIOV_NUM_DEFAULT && pf != NULL ? pf->num_vfs : in.opts.num_vfs;
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

/* Before any PF is touched: can each of them have as many VFs as it is to have? */
static int check_numbers(struct err *e)
{
	for (size_t i = 0; i < in.choice.n; i++) {
		const char *name = in.choice.name[i];
		struct sriov_pf pf;
		uint32_t n;
		int r = sriov_sysfs_pf(in.kernel.sysfs, name, &pf, e);

		if (r == 0) {
			r = sriov_plan_num(&pf, wanted(name), &n, e);
		}
		if (r < 0) {
			return r;
		}
	}
	return 0;
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
		return EXIT_SYSTEM;
	}
	log_warn("%.*s: nothing to do", STR_ARG(buf_str(&b)));
	return EXIT_OK;
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

static int bring_up_all(void)
{
	const struct sriov_choice *c = &in.choice;
	size_t failed = 0;
	char text[SRIOV_PF_MAX * (IFNAMSIZ + 2)];
	struct buf b;

	buf_init(&b, text, sizeof(text));
	for (size_t i = 0; i < c->n; i++) {
		struct err e;
		int r = sriov_bringup(&in.bringup, c->name[i], wanted(c->name[i]), &e);

		if (r == 0) {
			keep_speed();
			continue;
		}
		log_error("%s", e.msg);
		if (r == -EINTR) {
			return EXIT_SYSTEM;
		}
		buf_printf(&b, "%s%s", failed > 0 ? ", " : "", c->name[i]);
		failed++;
	}
	if (failed > 0) {
		log_error("%zu of %zu PFs failed: %.*s", failed, c->n, STR_ARG(buf_str(&b)));
	}
	return failed > 0 ? EXIT_SYSTEM : EXIT_OK;
}

/* What was asked for cannot be; an interface that does not exist may still appear. */
static int asked_wrongly(int r)
{
	return r == -EINVAL || r == -ENOTSUP || r == -ERANGE || r == -E2BIG ? EXIT_USAGE
									    : EXIT_SYSTEM;
}

/* With the lock held. */
static int work(int *status, struct err *e)
{
	int r = choose(e);

	if (r < 0) {
		*status = in.opts.pf.n > 0 ? asked_wrongly(r) : EXIT_SYSTEM;
		return r;
	}
	if (in.choice.n == 0) {
		*status = nothing_to_do();
		return 0;
	}
	r = check_numbers(e);
	if (r < 0) {
		*status = asked_wrongly(r);
		return r;
	}
	ledger_init(&in.ledger, in.rec, in.strings, sizeof(in.strings));
	in.bringup.k = &in.kernel;
	in.bringup.policy = (struct sriov_policy){in.opts.trust, in.opts.spoofchk};
	in.bringup.timeout_ms = (int64_t)in.opts.timeout_s * 1000;
	in.bringup.holders = holders;
	in.bringup.lock = lock_ledger;
	in.bringup.stop = stop;
	in.bringup.arg = &in.ledger;
	*status = bring_up_all();
	return 0;
}

static int run(int *status, struct err *e)
{
	cleanup_fd int state = -1, lock = -1;
	size_t n = 0;
	int r = sriov_kernel_open(&in.kernel, in.opts.sysfs, e);

	if (r < 0) {
		return r;
	}
	r = look_around(&n, e);
	if (r < 0) {
		*status = in.opts.pf.n > 0 ? asked_wrongly(r) : EXIT_SYSTEM;
		return r;
	}
	if (n == 0) {
		*status = nothing_to_do();
		return 0;
	}
	lock = take_state(&state, e);
	if (lock < 0) {
		return lock;
	}
	in.bringup.state = state;
	sriov_survey_forget(state); /* there may be PFs that are new */
	return work(status, e);
}

int init_main(int argc, char **argv)
{
	int status = EXIT_SYSTEM;
	struct err e;
	int r = init_opts_parse(&in.opts, argc, argv, &e);

	if (r < 0) {
		log_error("%s", e.msg);
		return EXIT_USAGE;
	}
	if (command_over(&in.opts.command)) {
		return EXIT_OK;
	}
	catch_signals();
	r = run(&status, &e);
	sriov_kernel_close(&in.kernel);
	if (r < 0) {
		log_error("%s", e.msg);
	}
	return status;
}
