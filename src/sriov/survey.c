/* SPDX-License-Identifier: MIT */
/* See survey.h. */
#include "sriov/survey.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "nl/vf.h"
#include "sriov/node_priv.h"
#include "sriov/state.h"
#include "sriov/sysfs.h"

#define LINE_MAX_BYTES (IFNAMSIZ + SRIOV_NAME_MAX + 2)
#define FILE_MAX_BYTES (SRIOV_PF_MAX * LINE_MAX_BYTES + 1)
#define PATH_CAP       96

void sriov_survey_remember(int state, const struct sriov_node *n)
{
	char text[FILE_MAX_BYTES];
	struct err e;
	struct buf b;

	buf_init(&b, text, sizeof(text));
	for (size_t i = 0; i < n->pf_n; i++) {
		if (n->pf[i].problem[0] != '\0') {
			sriov_survey_forget(state); /* it would not be found again */
			return;
		}
		buf_printf(&b, "%s %s\n", n->pf[i].name, n->pf[i].bus_id);
	}
	ASSERT(buf_ok(&b)); /* room for the longest names */
	if (file_replace(state, SRIOV_STATE_PFS, buf_str(&b), 0644, &e) < 0) {
		log_warn("which PFs there are cannot be kept: %s", e.msg);
	}
}

void sriov_survey_forget(int state)
{
	if (unlinkat(state, SRIOV_STATE_PFS, 0) < 0 && errno != ENOENT) {
		log_warn("which PFs there were cannot be forgotten: %s", strerror(errno));
	}
}

/* The base name of a link below the PF's directory in sysfs. */
static bool link_of(int sysfs, const char *pf, const char *link, char *out, size_t cap)
{
	char path[PATH_CAP];
	struct err ignored;
	int n = snprintf(path, sizeof(path), "class/net/%s/%s", pf, link);

	ASSERT(n > 0 && (size_t)n < sizeof(path));
	return file_link_base(sysfs, path, out, cap, &ignored) >= 0;
}

/* Where in its PCI domain VF index of the PF is; -1 unknown. */
static int64_t place_of_vf(int sysfs, const struct sriov_pf *pf, uint32_t index)
{
	char link[32], bdf[32];
	struct pci_addr a;

	(void)snprintf(link, sizeof(link), "device/virtfn%u", index);
	if (!link_of(sysfs, pf->name, link, bdf, sizeof(bdf)) || !parse_pci(str_from(bdf), &a) ||
		a.domain != pf->pci.domain) {
		return -1;
	}
	return a.bus << 8 | a.dev << 3 | a.fn;
}

/* The first two and the last tell of all. */
static bool address_vfs(struct sriov_kernel *k, const struct sriov_pf *pf, struct sriov_vf *vf)
{
	int64_t first = place_of_vf(k->sysfs, pf, 0), last = first, stride = 0;

	if (pf->num_vfs > 1) {
		stride = place_of_vf(k->sysfs, pf, 1) - first;
		last = place_of_vf(k->sysfs, pf, pf->num_vfs - 1);
	}
	if (first < 0 || stride < 0 || first + stride * (pf->num_vfs - 1) != last) {
		return false;
	}
	for (uint32_t i = 0; i < pf->num_vfs; i++) {
		uint32_t at = (uint32_t)(first + stride * i);

		vf[i].has_pci = true;
		vf[i].pci = (struct pci_addr){.domain = pf->pci.domain,
			.bus = (uint8_t)(at >> 8),
			.dev = (uint8_t)(at >> 3 & 31),
			.fn = (uint8_t)(at & 7)};
	}
	return true;
}

static bool read_vfs(
	struct sriov_kernel *k, struct sriov_node *n, struct sriov_pf *pf, struct nl_link *link)
{
	struct sriov_vf *vf = &n->vf[n->vf_n];
	struct err ignored;
	size_t listed;

	if (nl_vf_list_name(&k->route, pf->name, link, k->vf, SRIOV_PF_VF_MAX, &listed, &ignored) <
			0 ||
		listed > SRIOV_VF_MAX - n->vf_n) {
		return false;
	}
	pf->num_vfs = (uint32_t)listed;
	pf->vf_first = n->vf_n;
	pf->vf_n = listed;
	for (uint32_t i = 0; i < listed; i++) {
		vf[i] = (struct sriov_vf){.index = i,
			.kernel = k->vf[i],
			.state = pf->has_pci ? SRIOV_VF_FREE : SRIOV_VF_VIRTUAL};
	}
	n->vf_n += listed;
	return listed == 0 || !pf->has_pci || address_vfs(k, pf, vf);
}

/* One line of the file: whether it still holds, and what there is to know of that PF. */
static bool read_pf(struct sriov_kernel *k, struct sriov_node *n, struct str line)
{
	struct nl_link link;
	struct sriov_pf *pf = &n->pf[n->pf_n];
	char bus_id[SRIOV_NAME_MAX];
	struct str name, rest;

	memset(pf, 0, sizeof(*pf));
	pf->numa_node = -1;
	if (!str_cut(line, ' ', &name, &rest) || !parse_ifname(name) ||
		!str_copy(name, pf->name, sizeof(pf->name)) ||
		!link_of(k->sysfs, pf->name, "device", bus_id, sizeof(bus_id)) ||
		!str_eq_c(rest, bus_id) ||
		!link_of(k->sysfs, pf->name, "device/driver", pf->driver, sizeof(pf->driver))) {
		return false;
	}
	memcpy(pf->bus_id, bus_id, sizeof(bus_id));
	pf->has_pci = parse_pci(str_from(bus_id), &pf->pci);
	if (!read_vfs(k, n, pf, &link)) {
		return false;
	}
	node_take_link(k, pf, &link);
	n->pf_n++;
	return true;
}

int sriov_survey_read(struct sriov_kernel *k, int state, struct sriov_node *n)
{
	char text[FILE_MAX_BYTES];
	struct err ignored;
	struct str rest, line;
	ssize_t size = file_read_regular(state, SRIOV_STATE_PFS, text, sizeof(text), &ignored);

	n->pf_n = 0;
	n->vf_n = 0;
	rest = (struct str){text, size < 0 ? 0 : (size_t)size};
	while (str_cut(rest, '\n', &line, &rest)) {
		if (n->pf_n == SRIOV_PF_MAX || !read_pf(k, n, line)) {
			return 0;
		}
	}
	return n->pf_n > 0 && rest.n == 0;
}

void sriov_survey_look(struct sriov_kernel *k, const struct sriov_pf *pf, struct sriov_vf *vf)
{
	struct sriov_vf now;
	struct err ignored;

	if (sriov_sysfs_vf(k->sysfs, pf, vf->index, &now, &ignored) < 0 ||
		(vf->has_pci && !pci_same(&now.pci, &vf->pci))) {
		vf->state = SRIOV_VF_NO_DRIVER;
		return;
	}
	vf->state = now.state;
	memcpy(vf->netdev, now.netdev, sizeof(vf->netdev));
	memcpy(vf->driver, now.driver, sizeof(vf->driver));
	memcpy(vf->rdma, now.rdma, sizeof(vf->rdma));
}
