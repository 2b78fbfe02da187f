/* SPDX-License-Identifier: MIT */
/* The node as last read: hardware, ledger and configuration together, shared for a short time. */
#ifndef RDMA_DS_READING_H
#define RDMA_DS_READING_H

#include "http/metrics.h"
#include "ledger/read.h"
#include "sriov/conf.h"
#include "sriov/kernel.h"
#include "sriov/model.h"

/* Large: static storage. */
struct reading {
	struct sriov_kernel kernel;
	struct sriov_conf conf;

	/* What was read last. number counts readings, so that rendered pages can tell their age. */
	uint64_t number;
	int64_t at_ms; /* CLOCK_MONOTONIC */
	/*
	 * Grows when a good reading differs, for a scheduler, from the good one before; begins at
	 * the time of day in ms, so that it differs from what an earlier process said. 0: none was
	 * good.
	 */
	uint64_t revision, digest;
	struct err why; /* code 0: the reading is good; else nothing below may be used */
	struct sriov_node node;
	struct ledger ledger;
	size_t unmatched; /* records that name no VF of this node */

	/* Speeds seen with the link up, for when the state directory cannot be written. */
	struct {
		char bus_id[SRIOV_NAME_MAX];
		uint32_t speed;
	} seen[SRIOV_PF_MAX];
	size_t seen_n;
	bool store_failed;

	/* Numbers for /metrics */
	uint64_t failures;
	struct http_hist time;

	struct sriov_pf before[SRIOV_PF_MAX]; /* the PFs of the reading before, to log changes */
	size_t before_n;
	struct ledger_rec rec[LEDGER_MAX];
	char strings[LEDGER_MEM];
};

/*
 * reading_init: conf is copied; the kernel is opened, nothing is read yet.
 */
int reading_init(struct reading *r, const struct sriov_conf *conf, const char *sysfs,
	struct err *e) MUST_CHECK;

/*
 * reading_get: read the node unless the last reading is younger than conf.max_age_ms. A failure
 * is kept as long as a success, so that a broken node is not asked more often than a sound one.
 * 0, or -errno with e filled. Changes of the set of PFs, of the ledger's condition, and the first
 * of equal failures are logged.
 */
int reading_get(struct reading *r, struct err *e) MUST_CHECK;

/* reading_complete: after a good reading_get: -EIO with the first PF that could not be read. */
int reading_complete(const struct reading *r, struct err *e) MUST_CHECK;

#endif
