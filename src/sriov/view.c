/* SPDX-License-Identifier: MIT */
/* The /v1/node document: see render.h. */
#include "sriov/render.h"

#include "json/write.h"
#include "sriov/caps.h"
#include "sriov/spell.h"

const char *sriov_vf_drift(const struct sriov_pf *pf, const struct sriov_vf *vf)
{
	const struct sriov_holder *h = vf->holder;

	if (h == NULL) {
		if (sriov_vf_in_use(vf)) {
			return "used-without-record";
		}
		return vf->kernel.min_tx_rate != 0 ? "rate-left" : NULL;
	}
	if (vf->state == SRIOV_VF_FREE) {
		return "held-but-in-host";
	}
	if (h->max_tx_rate != vf->kernel.max_tx_rate) {
		return "rates-differ";
	}
	/* Where the card has no minimum rates, the promise is kept by accounting alone. */
	return h->min_tx_rate != vf->kernel.min_tx_rate && pf->caps.min_rate != SRIOV_NO
		       ? "rates-differ"
		       : NULL;
}

/* A string, or null where there is nothing to say. */
static void put_opt(struct json_writer *w, const char *key, const char *s)
{
	if (s == NULL || s[0] == '\0') {
		json_put_null(w, key);
	} else {
		json_put_cstr(w, key, s);
	}
}

static void put_pci(struct json_writer *w, bool has, const struct pci_addr *pci)
{
	char text[24];
	struct buf b;

	if (!has) {
		json_put_null(w, "pci");
		return;
	}
	buf_init(&b, text, sizeof(text));
	buf_add_pci(&b, pci);
	json_put_str(w, "pci", buf_str(&b));
}

static void put_tri(struct json_writer *w, const char *key, enum nl_vf_tri v)
{
	if (v == NL_VF_UNSUPPORTED) {
		json_put_null(w, key);
	} else {
		json_put_bool(w, key, v == NL_VF_ON);
	}
}

static void put_guid(struct json_writer *w, const char *key, bool has, uint64_t guid)
{
	char text[GUID_TEXT_LEN];
	struct buf b;

	if (!has) {
		json_put_null(w, key);
		return;
	}
	buf_init(&b, text, sizeof(text));
	buf_add_guid(&b, guid);
	json_put_str(w, key, buf_str(&b));
}

static void put_holder(struct json_writer *w, const struct sriov_holder *h)
{
	if (h == NULL) {
		json_put_null(w, "holder");
		return;
	}
	json_put_object(w, "holder");
	put_opt(w, "pod_namespace", h->pod_namespace);
	put_opt(w, "pod_name", h->pod_name);
	put_opt(w, "pod_uid", h->pod_uid);
	put_opt(w, "container_id", h->container_id);
	put_opt(w, "ifname", h->ifname);
	put_opt(w, "phase", h->phase);
	json_put_u64(w, "min_tx_rate", h->min_tx_rate);
	json_put_u64(w, "max_tx_rate", h->max_tx_rate);
	json_put_end_object(w);
}

static void put_vf(struct json_writer *w, const struct sriov_pf *pf, const struct sriov_vf *vf)
{
	const struct nl_vf *k = &vf->kernel;

	json_put_object(w, NULL);
	json_put_u64(w, "vf", vf->index);
	put_pci(w, vf->has_pci, &vf->pci);
	put_opt(w, "netdev", vf->netdev);
	put_opt(w, "driver", vf->driver);
	put_opt(w, "rdma_device", vf->rdma);
	json_put_cstr(w, "state", sriov_vf_state_name(vf->state));
	json_put_bool(w, "in_use", sriov_vf_in_use(vf));
	put_holder(w, vf->holder);
	put_opt(w, "drift", sriov_vf_drift(pf, vf));
	json_put_bool(w, "described", (k->has & NL_VF_PRESENT) != 0);
	spell_mac(w, "mac", k->mac);
	json_put_u64(w, "vlan", k->vlan);
	json_put_u64(w, "qos", k->qos);
	json_put_cstr(w, "vlan_proto", spell_vlan_proto(k));
	json_put_u64(w, "min_tx_rate", k->min_tx_rate);
	json_put_u64(w, "max_tx_rate", k->max_tx_rate);
	put_tri(w, "spoof_check", k->spoofchk);
	put_tri(w, "trust", k->trust);
	json_put_cstr(w, "link_state", spell_link_state(k));
	put_guid(w, "node_guid", (k->has & NL_VF_NODE_GUID) != 0, k->node_guid);
	put_guid(w, "port_guid", (k->has & NL_VF_PORT_GUID) != 0, k->port_guid);
	json_put_end_object(w);
}

static void put_caps(struct json_writer *w, const struct sriov_caps *c)
{
	json_put_object(w, "supports");
	json_put_cstr(w, "min_tx_rate", sriov_support_name(c->min_rate));
	json_put_cstr(w, "max_tx_rate", sriov_support_name(c->max_rate));
	json_put_cstr(w, "trust", sriov_support_name(c->trust));
	json_put_cstr(w, "spoof_check", sriov_support_name(c->spoofchk));
	json_put_cstr(w, "link_state", sriov_support_name(c->link_state));
	json_put_end_object(w);
}

static void put_pf_head(struct json_writer *w, const struct sriov_pf *pf)
{
	json_put_cstr(w, "name", pf->name);
	json_put_cstr(w, "bus_id", pf->bus_id);
	put_pci(w, pf->has_pci, &pf->pci);
	if (pf->numa_node < 0) {
		json_put_null(w, "numa_node");
	} else {
		json_put_i64(w, "numa_node", pf->numa_node);
	}
	put_opt(w, "driver", pf->driver);
	put_opt(w, "rdma_device", pf->rdma);
	json_put_cstr(w, "link_type", pf->infiniband ? "infiniband" : "ethernet");
	spell_mac(w, "mac", pf->mac);
	json_put_bool(w, "admin_up", pf->admin_up);
	json_put_bool(w, "link_up", pf->link_up);
	put_caps(w, &pf->caps);
	put_opt(w, "problem", pf->problem);
}

static void put_pf(struct json_writer *w, const struct sriov_node *n, const struct sriov_pf *pf,
	bool used_only)
{
	struct sriov_usage u;

	sriov_pf_usage(n, pf, &u);
	json_put_object(w, NULL);
	put_pf_head(w, pf);
	json_put_u64(w, "speed_mbps", pf->speed);
	json_put_u64(w, "last_speed_mbps", pf->last_speed);
	json_put_u64(w, "configured_mbps", pf->fixed_speed);
	json_put_u64(w, "headroom_mbps", pf->headroom);
	json_put_u64(w, "capacity_mbps", u.capacity);
	json_put_u64(w, "reserved_mbps", u.used);
	json_put_u64(w, "free_mbps", u.used < u.capacity ? u.capacity - u.used : 0);
	json_put_u64(w, "total_vfs", pf->total_vfs);
	json_put_u64(w, "num_vfs", pf->num_vfs);
	json_put_u64(w, "used_vfs", u.used_vfs);
	json_put_u64(w, "free_vfs", u.free_vfs);
	json_put_array(w, "vfs");
	for (size_t i = 0; i < pf->vf_n; i++) {
		const struct sriov_vf *vf = &n->vf[pf->vf_first + i];

		if (!used_only || sriov_vf_in_use(vf)) {
			put_vf(w, pf, vf);
		}
	}
	json_put_end_array(w);
	json_put_end_object(w);
}

bool sriov_node_render(struct buf *b, const struct sriov_node *n, const struct sriov_node_info *i)
{
	struct json_writer w;

	json_writer_init(&w, b);
	json_put_object(&w, NULL);
	json_put_cstr(&w, "hostname", i->hostname);
	json_put_cstr(&w, "version", i->version);
	json_put_u64(&w, "revision", i->revision);
	json_put_object(&w, "ledger");
	json_put_u64(&w, "records", i->ledger_records);
	json_put_u64(&w, "damaged", i->ledger_damaged);
	json_put_u64(&w, "clashes", i->ledger_clashes);
	json_put_u64(&w, "unmatched", i->ledger_unmatched);
	put_opt(&w, "problem", i->ledger_problem);
	put_opt(&w, "clash", i->ledger_clash);
	json_put_end_object(&w);
	json_put_array(&w, "pfs");
	for (size_t p = 0; p < n->pf_n; p++) {
		put_pf(&w, n, &n->pf[p], i->used_only);
	}
	json_put_end_array(&w);
	json_put_end_object(&w);
	return json_writer_done(&w);
}
