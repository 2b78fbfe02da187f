/* SPDX-License-Identifier: MIT */
/* Prometheus text format (exposition format 0.0.4) for every program's own numbers. */
#ifndef HTTP_METRICS_H
#define HTTP_METRICS_H

#include <stdint.h>

#include "base/buf.h"

#define HTTP_PROM_TYPE "text/plain; version=0.0.4; charset=utf-8" /* Content-Type of /metrics */

struct http_server;

/* A label; value is any bytes, escaped when written. name is ours: [a-zA-Z_][a-zA-Z0-9_]*. */
struct http_label {
	const char *name;
	struct str value;
};

/* Latencies in fixed buckets, from 100 us to 5 s. */
#define HTTP_HIST_BUCKETS 14

struct http_hist {
	uint64_t bucket[HTTP_HIST_BUCKETS + 1]; /* not cumulative; the last one is for the rest */
	uint64_t sum_us;
};

void http_hist_add(struct http_hist *h, int64_t us); /* negative counts as 0 */

/*
 * http_prom_family: the HELP and TYPE lines that come before the samples of one name; type is
 * "gauge", "counter" or "histogram". Then one http_prom_u64 and the like for each label set; all
 * samples of a family must follow each other. Overflow is sticky in b.
 */
void http_prom_family(struct buf *b, const char *name, const char *type, const char *help);
void http_prom_u64(
	struct buf *b, const char *name, const struct http_label *labels, size_t n, uint64_t v);
void http_prom_i64(
	struct buf *b, const char *name, const struct http_label *labels, size_t n, int64_t v);
/* http_prom_us: microseconds, written as seconds ("0.000250"), Prometheus' unit of time. */
void http_prom_us(
	struct buf *b, const char *name, const struct http_label *labels, size_t n, uint64_t us);
/* http_prom_one: a whole family with one sample and no labels. */
void http_prom_one(struct buf *b, const char *name, const char *type, const char *help, uint64_t v);
/* http_prom_build: the family ferrule_build_info, with program's name and version as labels. */
void http_prom_build(struct buf *b, const char *program);
/* http_prom_hist: the _bucket, _sum and _count samples of a histogram. n <= 7 labels. */
void http_prom_hist(struct buf *b, const char *name, const struct http_label *labels, size_t n,
	const struct http_hist *h);

/*
 * http_prom_server: a server's own numbers: ferrule_http_requests_total{route,code},
 * ferrule_http_request_duration_seconds{route}, ferrule_http_connections,
 * ferrule_http_connections_limit, ferrule_http_connections_accepted_total,
 * ferrule_http_connections_table_full_total, ferrule_http_accept_errors_total. About 2 KiB a route
 * (unknown paths count as one, with an empty name) and 1 KiB.
 */
void http_prom_server(struct buf *b, const struct http_server *s);

#endif
