/* SPDX-License-Identifier: MIT */
/* The two ends of a VF's way, and where the VF is: see attach.h. */
#include "sriov/attach.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/netlink.h>

#include "base/clock.h"
#include "base/num.h"
#include "sriov/attach_priv.h"
#include "sriov/sysfs.h"

#define PAUSE_FIRST_MS   10
#define PAUSE_LONGEST_MS 250
#define TEMP_PREFIX      "frl"

int sriov_mover_open(
	struct sriov_mover *m, struct sriov_kernel *k, int64_t deadline_ms, struct err *e)
{
	int r;

	*m = (struct sriov_mover){.k = k, .deadline_ms = deadline_ms};
	r = sandbox_netns_self(&m->home, e);
	if (r < 0) {
		return r;
	}
	r = nl_rdma_exclusive(&k->rdma, e);
	if (r < 0) {
		sriov_mover_close(m);
		return r;
	}
	m->rdma_exclusive = r > 0;
	return 0;
}

void sriov_mover_close(struct sriov_mover *m)
{
	sandbox_netns_close(&m->home);
}

static int open_inside(const struct sriov_pod *pod, const struct sriov_mover *m, int protocol,
	struct nl_sock *s, struct err *e)
{
	int fd = sandbox_netns_socket(&pod->ns, &m->home, AF_NETLINK, SOCK_RAW, protocol, e);

	return fd < 0 ? fd : nl_sock_adopt(s, fd, protocol, 0, e);
}

int sriov_pod_open(
	struct sriov_pod *pod, const struct sriov_mover *m, struct sandbox_netns *ns, struct err *e)
{
	int r;

	*pod = (struct sriov_pod)SRIOV_POD_INIT;
	pod->ns = *ns;
	*ns = (struct sandbox_netns)SANDBOX_NETNS_INIT;
	if (sandbox_netns_same(&pod->ns, &m->home)) {
		sandbox_netns_close(&pod->ns);
		return err_set(e, EINVAL, "the network namespace is the host's own");
	}
	r = open_inside(pod, m, NETLINK_ROUTE, &pod->route, e);
	if (r == 0 && m->rdma_exclusive) {
		r = open_inside(pod, m, NETLINK_RDMA, &pod->rdma, e);
	}
	if (r < 0) {
		sriov_pod_close(pod);
	}
	return r;
}

void sriov_pod_close(struct sriov_pod *pod)
{
	nl_sock_close(&pod->route);
	nl_sock_close(&pod->rdma);
	sandbox_netns_close(&pod->ns);
}

int sriov_ref_of(
	const struct sriov_pf *pf, const struct sriov_vf *vf, struct sriov_ref *out, struct err *e)
{
	bool fits;

	if (!vf->has_pci) {
		return err_set(
			e, ENOTSUP, "VF %u of %s has no interface of its own", vf->index, pf->name);
	}
	*out = (struct sriov_ref){.pci = vf->pci, .vf = vf->index, .pf_ifindex = pf->ifindex};
	fits = str_copy(str_from(pf->name), out->pf, sizeof(out->pf)) &&
	       str_copy(str_from(pf->driver), out->pf_driver, sizeof(out->pf_driver));
	ASSERT(fits); /* same sizes */
	return 0;
}

int sriov_ref_find(
	struct sriov_mover *m, const struct pci_addr *pci, struct sriov_ref *out, struct err *e)
{
	struct sriov_vf vf = {.has_pci = true, .pci = *pci};
	struct sriov_pf pf;
	int r = sriov_sysfs_parent(m->k->sysfs, pci, &pf, &vf.index, e);

	return r < 0 ? r : sriov_ref_of(&pf, &vf, out, e);
}

struct attach_retry attach_retry(const struct sriov_mover *m)
{
	return (struct attach_retry){.deadline_ms = m->deadline_ms};
}

bool attach_again(struct attach_retry *t, int r)
{
	int64_t left = t->deadline_ms - clock_ms();

	if ((r != -EBUSY && r != -EAGAIN) || left <= 0) {
		return false;
	}
	t->pause_ms = t->pause_ms == 0 ? PAUSE_FIRST_MS : 2 * t->pause_ms;
	t->pause_ms = t->pause_ms < PAUSE_LONGEST_MS ? t->pause_ms : PAUSE_LONGEST_MS;
	clock_sleep_ms(t->pause_ms < left ? t->pause_ms : left);
	return true;
}

void attach_temp_name(const struct pci_addr *pci, char out[static IFNAMSIZ])
{
	int n = snprintf(out, IFNAMSIZ, TEMP_PREFIX "%x%02x%02x", (unsigned)pci->domain, pci->bus,
		(unsigned)(pci->dev << 3 | pci->fn));

	_Static_assert(sizeof(TEMP_PREFIX) - 1 + 8 + 2 + 2 < IFNAMSIZ, "the longest domain fits");
	ASSERT(n > 0 && n < IFNAMSIZ);
}

bool attach_name_is_stray(const char *name)
{
	struct str s = str_from(name);
	uint64_t n;

	if (str_starts(s, STR("dev"))) { /* net/core/dev.c default_device_exit_net */
		return num_u64(str_skip(s, 3), UINT32_MAX, &n);
	}
	return str_starts(s, STR(TEMP_PREFIX)) && s.n >= sizeof(TEMP_PREFIX) - 1 + 5 &&
	       num_hex(str_skip(s, sizeof(TEMP_PREFIX) - 1), UINT64_MAX, &n);
}

bool attach_stable_name(const struct sriov_ref *ref, char out[static IFNAMSIZ])
{
	char text[IFNAMSIZ + 16];
	int n = snprintf(text, sizeof(text), "%sv%u", ref->pf, ref->vf);

	out[0] = '\0';
	return n > 0 && ref->pf[0] != '\0' && str_copy(str_from(text), out, IFNAMSIZ);
}

bool attach_is_at(const struct nl_link *l, const struct pci_addr *pci)
{
	struct pci_addr at;

	return parse_pci(str_from(l->parent_dev), &at) && pci_same(&at, pci);
}

int attach_find_host(struct sriov_mover *m, const struct sriov_ref *ref, struct sriov_vf *vf,
	struct nl_link *out, struct err *e)
{
	struct sriov_vf local;
	struct sriov_vf *at = vf != NULL ? vf : &local;
	int r = sriov_sysfs_vf_at(m->k->sysfs, &ref->pci, at, e);

	if (r < 0 || at->netdev[0] == '\0') {
		return r;
	}
	r = nl_link_get_name(&m->k->route, at->netdev, out, e);
	if (r == -ENODEV) {
		return 0; /* just renamed or moved: who waits for it looks again */
	}
	/* Kernels before 5.14 do not tell: then the name from sysfs has to do. */
	return r < 0 ? r : out->parent_dev[0] == '\0' || attach_is_at(out, &ref->pci);
}

struct search {
	const struct pci_addr *pci;
	struct nl_link *out;
	bool found;
};

static int search_link(const struct nl_link *l, void *arg, struct err *e)
{
	struct search *s = arg;

	(void)e;
	if (attach_is_at(l, s->pci)) {
		*s->out = *l;
		s->found = true;
	}
	return 0;
}

static void search_again(void *arg)
{
	struct search *s = arg;

	s->found = false;
}

int attach_find_pod(
	struct sriov_pod *pod, const struct sriov_ref *ref, struct nl_link *out, struct err *e)
{
	struct search s = {.pci = &ref->pci, .out = out};
	const struct nl_link_visitor v = {search_link, search_again, &s};
	int r = nl_link_list(&pod->route, &v, e);

	return r < 0 ? r : s.found;
}
