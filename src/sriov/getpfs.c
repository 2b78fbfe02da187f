/* SPDX-License-Identifier: MIT */
/* The /getpfs list: see render.h. */
#include "sriov/render.h"

#include "json/write.h"
#include "sriov/spell.h"

static void put_vf(struct json_writer *w, const struct sriov_vf *vf)
{
	const struct nl_vf *k = &vf->kernel;

	json_put_object(w, NULL);
	json_put_u64(w, "vf", vf->index);
	spell_mac(w, "mac", k->mac);
	json_put_u64(w, "vlan", k->vlan);
	json_put_u64(w, "qos", k->qos);
	json_put_cstr(w, "vlan_proto", spell_vlan_proto(k));
	json_put_cstr(w, "spoof_check", k->spoofchk == NL_VF_ON ? "ON" : "OFF");
	json_put_cstr(w, "trust", k->trust == NL_VF_ON ? "ON" : "OFF");
	json_put_cstr(w, "link_state", spell_link_state(k));
	json_put_u64(w, "min_tx_rate", k->min_tx_rate);
	json_put_u64(w, "max_tx_rate", k->max_tx_rate);
	/* Settings of one vendor's own driver that the kernel's netlink does not know. */
	json_put_cstr(w, "vgt_plus", "OFF");
	json_put_u64(w, "rate_group", 0);
	/* As readers take it: whatever is not allocated may be promised to a pod. */
	json_put_bool(w, "allocated", !sriov_vf_usable(vf));
	json_put_end_object(w);
}

static void put_pf(struct json_writer *w, const struct sriov_node *n, const struct sriov_pf *pf)
{
	struct sriov_usage u;

	sriov_pf_usage(n, pf, &u);
	json_put_object(w, NULL);
	json_put_cstr(w, "name", pf->name);
	json_put_u64(w, "used_tx_rate", u.used);
	json_put_u64(w, "capacity_tx_rate", u.capacity);
	json_put_u64(w, "used_vfs", u.vfs - u.free_vfs);
	json_put_u64(w, "capacity_vfs", u.vfs);
	json_put_array(w, "vfs");
	for (size_t i = 0; i < pf->vf_n; i++) {
		put_vf(w, &n->vf[pf->vf_first + i]);
	}
	json_put_end_array(w);
	json_put_end_object(w);
}

bool sriov_getpfs(struct buf *b, const struct sriov_node *n)
{
	struct json_writer w;

	json_writer_init(&w, b);
	json_put_array(&w, NULL);
	for (size_t i = 0; i < n->pf_n; i++) {
		if (n->pf[i].vf_n > 0) {
			put_pf(&w, n, &n->pf[i]);
		}
	}
	json_put_end_array(&w);
	return json_writer_done(&w);
}
