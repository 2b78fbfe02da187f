/* SPDX-License-Identifier: MIT */
/* See metrics.h. */
#include "metrics.h"

#include "sriov/render.h"

/* One sample for each PF: a family is a name, a help text and how to get its number. */
typedef uint64_t pf_number(const struct sriov_pf *pf, const struct sriov_usage *u);

static uint64_t pf_total(const struct sriov_pf *pf, const struct sriov_usage *u)
{
	(void)u;
	return pf->total_vfs;
}

static uint64_t pf_link(const struct sriov_pf *pf, const struct sriov_usage *u)
{
	(void)u;
	return pf->link_up ? 1 : 0;
}

static uint64_t pf_readable(const struct sriov_pf *pf, const struct sriov_usage *u)
{
	(void)u;
	return pf->problem[0] == '\0' ? 1 : 0;
}

static uint64_t pf_capacity(const struct sriov_pf *pf, const struct sriov_usage *u)
{
	(void)pf;
	return u->capacity;
}

static uint64_t pf_reserved(const struct sriov_pf *pf, const struct sriov_usage *u)
{
	(void)pf;
	return u->used;
}

static uint64_t pf_free(const struct sriov_pf *pf, const struct sriov_usage *u)
{
	(void)pf;
	return u->used < u->capacity ? u->capacity - u->used : 0;
}

static uint64_t pf_used_vfs(const struct sriov_pf *pf, const struct sriov_usage *u)
{
	(void)pf;
	return u->used_vfs;
}

static uint64_t pf_free_vfs(const struct sriov_pf *pf, const struct sriov_usage *u)
{
	(void)pf;
	return u->free_vfs;
}

static const struct {
	const char *name, *help;
	pf_number *get;
} pf_families[] = {
	{"ferrule_pf_total_vfs", "VFs the device could have", pf_total},
	{"ferrule_pf_used_vfs", "VFs in use, by ledger or kernel", pf_used_vfs},
	{"ferrule_pf_free_vfs", "VFs that can still be given to pods", pf_free_vfs},
	{"ferrule_pf_link_up", "1 while the link is up", pf_link},
	{"ferrule_pf_readable", "0 when the VFs could not be read", pf_readable},
	{"ferrule_pf_capacity_mbps", "Mb/s that may be promised", pf_capacity},
	{"ferrule_pf_reserved_mbps", "Mb/s promised to VFs in use", pf_reserved},
	{"ferrule_pf_free_mbps", "Mb/s that can still be promised", pf_free},
};

static void put_pfs(struct buf *b, const struct sriov_node *n)
{
	for (size_t f = 0; f < ARRAY_LEN(pf_families); f++) {
		http_prom_family(b, pf_families[f].name, "gauge", pf_families[f].help);
		for (size_t i = 0; i < n->pf_n; i++) {
			const struct sriov_pf *pf = &n->pf[i];
			struct http_label l = {"pf", str_from(pf->name)};
			struct sriov_usage u;

			sriov_pf_usage(n, pf, &u);
			http_prom_u64(b, pf_families[f].name, &l, 1, pf_families[f].get(pf, &u));
		}
	}
}

static void put_vfs(struct buf *b, const struct sriov_node *n)
{
	static const char vfs[] = "ferrule_vfs", drift[] = "ferrule_vfs_drift";

	http_prom_family(b, vfs, "gauge", "VFs by what the kernel shows of them");
	for (size_t i = 0; i < n->pf_n; i++) {
		uint64_t count[SRIOV_VF_STATES] = {0};

		for (size_t v = 0; v < n->pf[i].vf_n; v++) {
			count[n->vf[n->pf[i].vf_first + v].state]++;
		}
		for (size_t s = 0; s < SRIOV_VF_STATES; s++) {
			struct http_label l[] = {{"pf", str_from(n->pf[i].name)},
				{"state", str_from(sriov_vf_state_name((enum sriov_vf_state)s))}};

			http_prom_u64(b, vfs, l, ARRAY_LEN(l), count[s]);
		}
	}
	http_prom_family(b, drift, "gauge", "VFs on which ledger and kernel differ");
	for (size_t i = 0; i < n->pf_n; i++) {
		struct http_label l = {"pf", str_from(n->pf[i].name)};
		uint64_t count = 0;

		for (size_t v = 0; v < n->pf[i].vf_n; v++) {
			const struct sriov_vf *vf = &n->vf[n->pf[i].vf_first + v];

			count += sriov_vf_drift(&n->pf[i], vf) != NULL ? 1 : 0;
		}
		http_prom_u64(b, drift, &l, 1, count);
	}
}

bool metrics_render(struct buf *b, const struct reading *r, const struct http_server *server)
{
	static const char time[] = "ferrule_node_read_seconds";
	bool up = r->why.code == 0;

	http_prom_build(b, "rdma-ds");
	http_prom_one(b, "ferrule_node_up", "gauge", "1 when the node could be read", up ? 1 : 0);
	http_prom_one(b, "ferrule_node_read_failures_total", "counter", "Readings that failed",
		r->failures);
	http_prom_family(b, time, "histogram", "Time one reading of the node took");
	http_prom_hist(b, time, NULL, 0, &r->time);
	if (up) {
		http_prom_one(b, "ferrule_pfs", "gauge", "SR-IOV physical functions", r->node.pf_n);
		http_prom_one(
			b, "ferrule_ledger_records", "gauge", "Attachments on record", r->ledger.n);
		http_prom_one(b, "ferrule_ledger_damaged", "gauge", "Records that cannot be used",
			r->ledger.damaged);
		http_prom_one(b, "ferrule_ledger_clashes", "gauge",
			"Records that name a VF another has", r->ledger.clashes);
		http_prom_one(b, "ferrule_ledger_unmatched", "gauge",
			"Records that name no VF here", r->unmatched);
		put_pfs(b, &r->node);
		put_vfs(b, &r->node);
	}
	http_prom_server(b, server);
	return buf_ok(b);
}
