/* SPDX-License-Identifier: MIT */
/*
 * The number of VFs: see bringup_number in bringup_priv.h.
 *
 * Writing sriov_numvfs blocks until the kernel has bound every VF, which takes minutes on big
 * cards. A child process writes; this one shows how far it is and keeps the deadline.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"
#include "sriov/bringup_priv.h"
#include "sriov/conf.h"
#include "sriov/state.h"
#include "sriov/sysfs.h"

NORETURN static void write_in_child(const struct bringup_run *run, uint32_t n, int fd)
{
	struct err e;
	int r = sriov_sysfs_set_num_vfs(run->b->k->sysfs, &run->found, n, &e);

	if (r < 0) {
		/* Smaller than PIPE_BUF: whole or not at all; then the exit status tells. */
		(void)!io_write_all(fd, &e, sizeof(e));
	}
	_exit(r < 0 ? 1 : 0);
}

/* What became of the child, once it has closed its end of the pipe. */
static int child_result(const struct bringup_run *run, pid_t pid, int fd, struct err *e)
{
	int status = 0;
	ssize_t n = io_read(fd, e, sizeof(*e));

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
	}
	if (n == (ssize_t)sizeof(*e)) {
		return err_wrap(e, "%s", run->name);
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		return err_set(e, EIO, "%s: the process that wrote sriov_numvfs died", run->name);
	}
	return 0;
}

/* Until the child is done; -ETIMEDOUT, -EINTR. n is the number of VFs it makes. */
static int wait_child(const struct bringup_run *run, uint32_t n, int fd, struct err *e)
{
	struct progress progress = {0};
	int64_t pause = POLL_FIRST_MS;

	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};

		if (poll(&p, 1, (int)pause) > 0) {
			return 0;
		}
		if (clock_ms() >= run->deadline_ms) {
			return err_set(e, ETIMEDOUT,
				"%s: the driver %s is still busy with sriov_numvfs after %lld s",
				run->name, run->found.driver,
				(long long)(run->b->timeout_ms / 1000));
		}
		if (bringup_stopped(run, e) < 0) {
			return err_set(e, EINTR,
				"%s: stopped by a signal; the driver %s is still busy with "
				"sriov_numvfs, which cannot be interrupted",
				run->name, run->found.driver);
		}
		if (n > 0) {
			/* Not sriov_numvfs: reading that blocks as long as the writing. */
			(void)progress_vfs(&progress, run, n);
		}
		pause = poll_longer(pause);
	}
}

static int write_num(const struct bringup_run *run, uint32_t n, struct err *e)
{
	cleanup_fd int rd = -1;
	int fds[2], r;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0) {
		return err_sys(e, errno, "%s: pipe", run->name);
	}
	rd = fds[0];
	pid = fork();
	if (pid == 0) {
		write_in_child(run, n, fds[1]);
	}
	cleanup_fd_close(&fds[1]);
	if (pid < 0) {
		return err_sys(e, errno, "%s: fork", run->name);
	}
	r = wait_child(run, n, rd, e);
	if (r == 0) {
		return child_result(run, pid, rd, e);
	}
	/*
	 * It cannot be waited for: until the kernel lets go of it, no signal reaches it. As long as
	 * it lives it keeps the locks that this process holds, which is as it should be.
	 */
	(void)kill(pid, SIGKILL);
	return r;
}

/* Writing 0 takes interfaces out of pods: nobody may have one, by anybody's account. */
static int refuse_in_use(struct bringup_run *run, uint32_t want, struct err *e)
{
	const struct sriov_node *n = &run->b->node;
	size_t used = 0;
	char text[200];
	int r = bringup_read(run, e);

	if (r < 0) {
		return r;
	}
	for (size_t i = 0; i < n->vf_n; i++) {
		struct buf b;

		if (!sriov_vf_in_use(&n->vf[i])) {
			continue;
		}
		used++;
		buf_init(&b, text, sizeof(text));
		sriov_plan_holder(&b, &n->vf[i]);
		log_error("%s: VF %u is in use: %.*s", run->name, n->vf[i].index,
			STR_ARG(buf_str(&b)));
	}
	if (used > 0) {
		return err_set(e, EBUSY, "%s: keeps its %u VFs (%u asked for): %zu of them in use",
			run->name, run->found.num_vfs, want, used);
	}
	if (run->damaged) {
		return err_set(e, EBUSY, "%s: keeps its %u VFs (%u asked for): %s", run->name,
			run->found.num_vfs, want, run->damage.msg);
	}
	return 0;
}

/* So that asking for all VFs again does not remove them for the sake of those it does not make. */
static void remember(const struct bringup_run *run, uint32_t asked, uint32_t made)
{
	struct err e;

	log_warn("%s: %u VFs were asked for, driver %s made %u", run->name, asked,
		run->found.driver, made);
	if (made > 0 &&
		sriov_state_keep_made(run->b->state, run->found.bus_id, asked, made, &e) < 0) {
		log_warn("%s: the next run will make its VFs anew: %s", run->name, e.msg);
	}
}

static int make(struct bringup_run *run, uint32_t had, uint32_t n, struct err *e)
{
	uint32_t got = 0;
	int r;

	if (n > 0) {
		log_info("%s: making %u VFs", run->name, n);
		r = write_num(run, n, e);
		if (r < 0 && had > 0) {
			return err_wrap(e, "%s: had %u VFs and now has none", run->name, had);
		}
		if (r < 0) {
			return r;
		}
	}
	r = sriov_sysfs_num_vfs(run->b->k->sysfs, &run->found, &got, e);
	if (r < 0) {
		return err_wrap(e, "%s", run->name);
	}
	if (got < n) {
		remember(run, n, got);
	}
	run->found.num_vfs = got;
	run->created = true;
	return 0;
}

/* Through none, for the kernel knows no other way. */
static int change(struct bringup_run *run, uint32_t n, struct err *e)
{
	cleanup_fd int lock = -1;
	uint32_t had = run->found.num_vfs;
	int r;

	if (had == 0) {
		return make(run, had, n, e);
	}
	lock = run->b->lock(run->b->arg, run->deadline_ms, e);
	if (lock < 0) {
		return err_wrap(e, "%s", run->name);
	}
	r = refuse_in_use(run, n, e);
	if (r < 0) {
		return r;
	}
	/* The reading above may be of another number than the one before it. */
	had = run->found.num_vfs;
	log_info("%s: removing its %u VFs, none of them in use", run->name, had);
	r = write_num(run, 0, e);
	return r < 0 ? r : make(run, had, n, e);
}

/* Whether the VFs that are there are what the driver makes when all are asked for. */
static bool is_all(const struct bringup_run *run, uint32_t want, uint32_t n)
{
	const struct sriov_pf *pf = &run->found;

	if (want != SRIOV_VFS_MAX_WORD || pf->num_vfs == 0 ||
		!sriov_state_made(run->b->state, pf->bus_id, n, pf->num_vfs)) {
		return false;
	}
	log_info("%s: keeps its %u VFs: driver %s made no more when %u were asked for", run->name,
		pf->num_vfs, pf->driver, n);
	return true;
}

int bringup_number(struct bringup_run *run, uint32_t want, struct err *e)
{
	uint32_t n = 0;
	int r = sriov_sysfs_pf(run->b->k->sysfs, run->name, &run->found, e);

	if (r == 0) {
		r = sriov_plan_num(&run->found, want, &n, e);
	}
	if (r < 0) {
		return r;
	}
	if (n == run->found.num_vfs) {
		if (want == SRIOV_NUM_DEFAULT && n < run->found.total_vfs) {
			log_info("%s: keeps its %u VFs; the device can have %u (--num-vfs max)",
				run->name, n, run->found.total_vfs);
		}
		return 0;
	}
	return is_all(run, want, n) ? 0 : change(run, n, e);
}
