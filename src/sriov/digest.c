/* SPDX-License-Identifier: MIT */
/* Whether a node looks the same to a scheduler: see render.h. */
#include "sriov/render.h"

#include <string.h>

#include "base/hash.h"

/* A NUL after each text keeps neighbours apart. */
static uint64_t add_text(uint64_t h, const char *s)
{
	return s == NULL ? hash_fnv(h, "", 1) : hash_fnv(h, s, strlen(s) + 1);
}

static uint64_t add_holder(uint64_t h, uint32_t index, const struct sriov_holder *holder)
{
	h = hash_fnv(h, &index, sizeof(index));
	h = add_text(h, holder->pod_namespace);
	h = add_text(h, holder->pod_name);
	h = add_text(h, holder->pod_uid);
	h = add_text(h, holder->container_id);
	h = add_text(h, holder->ifname);
	return hash_fnv(h, &holder->min_tx_rate, sizeof(holder->min_tx_rate));
}

uint64_t sriov_node_digest(const struct sriov_node *n)
{
	uint64_t h = HASH_FNV_BASIS;

	for (size_t p = 0; p < n->pf_n; p++) {
		const struct sriov_pf *pf = &n->pf[p];
		struct sriov_usage u;

		sriov_pf_usage(n, pf, &u);
		h = add_text(h, pf->name);
		h = add_text(h, pf->problem);
		h = hash_fnv(h, &pf->num_vfs, sizeof(pf->num_vfs));
		h = hash_fnv(h, &u, sizeof(u)); /* five words, no padding */
		for (size_t v = 0; v < pf->vf_n; v++) {
			const struct sriov_vf *vf = &n->vf[pf->vf_first + v];

			if (vf->holder != NULL) {
				h = add_holder(h, vf->index, vf->holder);
			}
		}
	}
	return h;
}
