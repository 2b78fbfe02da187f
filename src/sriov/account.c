/* SPDX-License-Identifier: MIT */
/* Who uses what of a PF: see model.h. */
#include "sriov/model.h"

const char *sriov_vf_state_name(enum sriov_vf_state s)
{
	static const char *const names[] = {
		[SRIOV_VF_FREE] = "free",
		[SRIOV_VF_VIRTUAL] = "virtual",
		[SRIOV_VF_AWAY] = "away",
		[SRIOV_VF_VFIO] = "vfio",
		[SRIOV_VF_OTHER] = "other-driver",
		[SRIOV_VF_NO_DRIVER] = "no-driver",
	};

	ASSERT((size_t)s < ARRAY_LEN(names));
	return names[s];
}

bool sriov_vf_in_use(const struct sriov_vf *vf)
{
	return vf->holder != NULL || (vf->state != SRIOV_VF_FREE && vf->state != SRIOV_VF_VIRTUAL);
}

bool sriov_vf_usable(const struct sriov_vf *vf)
{
	return vf->state == SRIOV_VF_FREE && vf->holder == NULL && vf->has_pci && !vf->undescribed;
}

uint32_t sriov_pf_capacity(const struct sriov_pf *pf)
{
	uint32_t speed = pf->fixed_speed != 0 ? pf->fixed_speed
			 : pf->speed != 0     ? pf->speed
					      : pf->last_speed;

	return speed > pf->headroom ? speed - pf->headroom : 0;
}

uint32_t sriov_vf_reserved(const struct sriov_vf *vf)
{
	uint32_t kernel = vf->kernel.min_tx_rate;

	if (!sriov_vf_in_use(vf)) {
		return 0;
	}
	return vf->holder != NULL && vf->holder->min_tx_rate > kernel ? vf->holder->min_tx_rate
								      : kernel;
}

void sriov_pf_usage(const struct sriov_node *n, const struct sriov_pf *pf, struct sriov_usage *out)
{
	*out = (struct sriov_usage){.vfs = (uint32_t)pf->vf_n, .capacity = sriov_pf_capacity(pf)};
	for (size_t i = 0; i < pf->vf_n; i++) {
		const struct sriov_vf *vf = &n->vf[pf->vf_first + i];
		uint32_t sum;

		out->used_vfs += sriov_vf_in_use(vf) ? 1 : 0;
		out->free_vfs += sriov_vf_usable(vf) ? 1 : 0;
		/* A driver can report anything: stay at the top rather than wrap to a small sum. */
		out->used = __builtin_add_overflow(out->used, sriov_vf_reserved(vf), &sum)
				    ? UINT32_MAX
				    : sum;
	}
}

const struct sriov_pf *sriov_node_pf(const struct sriov_node *n, struct str name)
{
	for (size_t i = 0; i < n->pf_n; i++) {
		if (str_eq_c(name, n->pf[i].name)) {
			return &n->pf[i];
		}
	}
	return NULL;
}
