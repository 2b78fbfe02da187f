/* SPDX-License-Identifier: MIT */
/* See reading.h. */
#include "reading.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "sriov/node.h"
#include "sriov/render.h"
#include "sriov/speed.h"

int reading_init(struct reading *r, const struct sriov_conf *conf, const char *sysfs, struct err *e)
{
	r->conf = *conf;
	ledger_init(&r->ledger, r->rec, r->strings, sizeof(r->strings));
	return sriov_kernel_open(&r->kernel, sysfs, e);
}

static void remember_speed(struct reading *r, const struct sriov_pf *pf)
{
	size_t i;

	for (i = 0; i < r->seen_n && strcmp(r->seen[i].bus_id, pf->bus_id) != 0; i++) {
	}
	if (i == SRIOV_PF_MAX) {
		return; /* cards were swapped while we ran; the state directory still knows */
	}
	memcpy(r->seen[i].bus_id, pf->bus_id, sizeof(pf->bus_id));
	r->seen[i].speed = pf->speed;
	r->seen_n += i == r->seen_n ? 1 : 0;
}

static uint32_t recall_speed(const struct reading *r, const struct sriov_pf *pf)
{
	for (size_t i = 0; i < r->seen_n; i++) {
		if (strcmp(r->seen[i].bus_id, pf->bus_id) == 0) {
			return r->seen[i].speed;
		}
	}
	return 0;
}

static void keep_speeds(struct reading *r)
{
	struct err e;

	sriov_speed_load(r->conf.state_dir, &r->node);
	for (size_t i = 0; i < r->node.pf_n; i++) {
		struct sriov_pf *pf = &r->node.pf[i];

		if (pf->speed == 0) {
			uint32_t own = recall_speed(r, pf);

			pf->last_speed = own != 0 ? own : pf->last_speed;
			continue;
		}
		/* Where the directory cannot be written, one attempt a new speed is enough. */
		if (recall_speed(r, pf) != pf->speed &&
			sriov_speed_store(r->conf.state_dir, pf, &e) < 0 && !r->store_failed) {
			log_warn("link speeds are not kept across restarts: %s", e.msg);
			r->store_failed = true;
		}
		remember_speed(r, pf);
		pf->last_speed = pf->speed;
	}
}

static int read_all(struct reading *r, struct err *e)
{
	int n = sriov_node_read(&r->kernel, &r->node, e);

	if (n == 0) {
		n = ledger_read(&r->ledger, r->conf.state_dir, e);
	}
	if (n < 0) {
		return n;
	}
	r->unmatched = ledger_apply(&r->ledger, &r->node);
	sriov_conf_apply(&r->conf, &r->node);
	keep_speeds(r);
	return 0;
}

static const struct sriov_pf *find_pf(const struct sriov_pf *pf, size_t n, const char *bus_id)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(pf[i].bus_id, bus_id) == 0) {
			return &pf[i];
		}
	}
	return NULL;
}

static void log_changes(struct reading *r)
{
	for (size_t i = 0; i < r->node.pf_n; i++) {
		const struct sriov_pf *pf = &r->node.pf[i];
		const struct sriov_pf *old = find_pf(r->before, r->before_n, pf->bus_id);

		if (old == NULL || old->num_vfs != pf->num_vfs) {
			log_info("%s (%s, %s): %u of %u VFs enabled", pf->name, pf->bus_id,
				pf->driver, (unsigned)pf->num_vfs, (unsigned)pf->total_vfs);
		}
		if (pf->problem[0] != '\0' && (old == NULL || old->problem[0] == '\0')) {
			log_warn("%s: VFs cannot be read: %s", pf->name, pf->problem);
		}
	}
	for (size_t i = 0; i < r->before_n; i++) {
		if (find_pf(r->node.pf, r->node.pf_n, r->before[i].bus_id) == NULL) {
			log_warn("%s (%s): gone", r->before[i].name, r->before[i].bus_id);
		}
	}
	memcpy(r->before, r->node.pf, r->node.pf_n * sizeof(r->node.pf[0]));
	r->before_n = r->node.pf_n;
}

/* damaged, clashes: as they were at the reading before. */
static void log_ledger(const struct ledger *l, size_t damaged, size_t clashes)
{
	if (l->damaged != damaged && l->damaged > 0) {
		log_warn(
			"%zu ledger records cannot be used; the first: %s", l->damaged, l->problem);
	}
	if (l->clashes != clashes && l->clashes > 0) {
		log_warn("%zu ledger records clash; the first: %s", l->clashes, l->clash);
	}
}

static void set_revision(struct reading *r)
{
	uint64_t digest = sriov_node_digest(&r->node);

	if (r->revision == 0) {
		struct timespec now = {0};

		(void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail for this clock */
		r->revision = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000 + 1;
	} else if (digest != r->digest) {
		r->revision++;
	}
	r->digest = digest;
}

int reading_get(struct reading *r, struct err *e)
{
	int64_t begin = clock_us();
	size_t damaged = r->ledger.damaged, clashes = r->ledger.clashes;
	struct err now = ERR_INIT;

	if (r->number > 0 && begin / 1000 - r->at_ms < r->conf.max_age_ms) {
		*e = r->why;
		return -r->why.code;
	}
	r->number++;
	if (read_all(r, &now) < 0) {
		if (strcmp(now.msg, r->why.msg) != 0) {
			log_error("the node cannot be read: %s", now.msg);
		}
		r->failures++;
	} else {
		now = (struct err)ERR_INIT;
		log_changes(r);
		log_ledger(&r->ledger, damaged, clashes);
		set_revision(r);
		if (r->why.code != 0) {
			log_info("the node can be read again");
		}
	}
	r->why = now;
	r->at_ms = begin / 1000; /* what was read may be as old as this */
	http_hist_add(&r->time, clock_us() - begin);
	*e = r->why;
	return -r->why.code;
}

int reading_complete(const struct reading *r, struct err *e)
{
	for (size_t i = 0; i < r->node.pf_n; i++) {
		const struct sriov_pf *pf = &r->node.pf[i];

		if (pf->problem[0] != '\0') {
			return err_set(e, EIO, "%s: %s", pf->name, pf->problem);
		}
	}
	return 0;
}
