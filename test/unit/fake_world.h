/* SPDX-License-Identifier: MIT */
/*
 * A kernel of the test's own with a host and a pod namespace, behind the calls of nl/ and
 * sriov/sysfs.h that src/sriov/attach.h's functions make. It has the kernel's rules that matter:
 * names and altnames are unique in a namespace, a move takes an interface down. Every change of
 * it is counted; the one with a chosen number can fail, or be the first that a killed process
 * does not make.
 */
#ifndef TEST_FAKE_WORLD_H
#define TEST_FAKE_WORLD_H

#include <errno.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sriov/attach.h"
#include "sriov/sysfs.h"

#define W_LINKS  6
#define W_PF     2 /* ifindex */
#define W_VFS    3
#define W_HOSTFD 100
#define W_PODFD  101

enum place { W_HOST, W_POD, W_LIMBO /* a namespace that is dying, or another one */ };

struct w_link {
	bool there;
	enum place at;
	struct nl_link l;
};

static struct world {
	struct w_link link[W_LINKS];
	struct nl_vf vf[W_VFS];
	enum sriov_vf_state state; /* of the VFs whose interface is not on the host */
	bool vfs_gone, no_driver /* probing finds none */, undescribed;
	enum place rdma_at;
	bool has_rdma;
	int64_t now_ms;
	unsigned home_after; /* sleeps until what is in limbo is back as "dev<ifindex>"; 0 never */
	unsigned probes;
	unsigned reads, looks; /* requests that change nothing; readings of sysfs */
	/* Changes. */
	unsigned changes;
	unsigned fail_at,
		fail_times; /* the change with this number (from 1) fails with fail_code */
	int fail_code;
	bool killed; /* fail_code 0: from fail_at on nothing happens any more */
	int refuse_rate, refuse_mac, refuse_trust, refuse_mtu, refuse_vlan;
	char log[4096];
} w;

static struct sriov_kernel w_kernel;
static struct sriov_pod w_pod;

static inline int w_err(struct err *e, int code, const char *what)
{
	return err_sys(e, code, "%s", what);
}

/* Before each change: 0, or why it is not made. */
static inline int w_change(struct err *e)
{
	w.changes++;
	if (w.killed || (w.fail_at == w.changes && w.fail_code == 0)) {
		w.killed = true;
		return w_err(e, EINTR, "killed");
	}
	if (w.fail_at != 0 && w.changes >= w.fail_at && w.fail_times > 0) {
		w.fail_times--;
		return w_err(e, w.fail_code, "made to fail");
	}
	return 0;
}

static inline enum place w_place(const struct nl_sock *s)
{
	return s == &w_pod.route || s == &w_pod.rdma ? W_POD : W_HOST;
}

static inline struct w_link *w_at(enum place at, uint32_t ifindex)
{
	for (size_t i = 0; i < W_LINKS; i++) {
		if (w.link[i].there && w.link[i].at == at && w.link[i].l.ifindex == ifindex) {
			return &w.link[i];
		}
	}
	return NULL;
}

/* Of more altnames than a message is read for, the others come into sight one by one. */
static inline size_t w_altnames(const struct w_link *k)
{
	return k->l.altname_n < NL_ALTNAMES_MAX ? k->l.altname_n : NL_ALTNAMES_MAX;
}

static inline bool w_has_name(const struct w_link *k, const char *name)
{
	for (size_t i = 0; i < w_altnames(k); i++) {
		if (strcmp(k->l.altname[i], name) == 0) {
			return true;
		}
	}
	return strcmp(k->l.name, name) == 0;
}

static inline struct w_link *w_named(enum place at, const char *name)
{
	for (size_t i = 0; i < W_LINKS; i++) {
		if (w.link[i].there && w.link[i].at == at && w_has_name(&w.link[i], name)) {
			return &w.link[i];
		}
	}
	return NULL;
}

static inline void w_come_home(void)
{
	for (size_t i = 0; i < W_LINKS; i++) {
		if (w.link[i].there && w.link[i].at == W_LIMBO) {
			(void)snprintf(w.link[i].l.name, IFNAMSIZ, "dev%u", w.link[i].l.ifindex);
			w.link[i].at = W_HOST;
		}
	}
}

/*
 * What the program calls instead of the kernel's doors
 */

int64_t __wrap_clock_ms(void);
void __wrap_clock_sleep_ms(int64_t ms);
void __wrap_log_warn(const char *fmt, ...);
int __wrap_sriov_sysfs_vf_at(
	int sysfs, const struct pci_addr *pci, struct sriov_vf *vf, struct err *e);
int __wrap_sriov_sysfs_probe(int sysfs, const struct pci_addr *pci, struct err *e);
int __wrap_nl_link_get(struct nl_sock *s, uint32_t ifindex, struct nl_link *out, struct err *e);
int __wrap_nl_link_get_name(
	struct nl_sock *s, const char *name, struct nl_link *out, struct err *e);
int __wrap_nl_link_list(struct nl_sock *s, const struct nl_link_visitor *v, struct err *e);
int __wrap_nl_link_set_up(struct nl_sock *s, uint32_t ifindex, bool up, struct err *e);
int __wrap_nl_link_set_flags(
	struct nl_sock *s, uint32_t ifindex, uint32_t flags, uint32_t mask, struct err *e);
int __wrap_nl_link_set_addr(
	struct nl_sock *s, uint32_t ifindex, const uint8_t *addr, size_t n, struct err *e);
int __wrap_nl_link_set_name(struct nl_sock *s, uint32_t ifindex, const char *name, struct err *e);
int __wrap_nl_link_set_mtu(struct nl_sock *s, uint32_t ifindex, uint32_t mtu, struct err *e);
int __wrap_nl_link_move(
	struct nl_sock *s, uint32_t ifindex, int fd, const char *name, struct err *e);
int __wrap_nl_link_add_altname(
	struct nl_sock *s, uint32_t ifindex, const char *name, struct err *e);
int __wrap_nl_link_del_altname(
	struct nl_sock *s, uint32_t ifindex, const char *name, struct err *e);
int __wrap_nl_vf_list_link(struct nl_sock *s, uint32_t ifindex, struct nl_link *pf,
	struct nl_vf *out, size_t cap, size_t *n, struct err *e);
int __wrap_nl_vf_set_mac(struct nl_sock *s, uint32_t ifindex, uint32_t vf, const uint8_t *mac,
	size_t n, struct err *e);
int __wrap_nl_vf_set_trust(
	struct nl_sock *s, uint32_t ifindex, uint32_t vf, bool on, struct err *e);
int __wrap_nl_vf_set_spoofchk(
	struct nl_sock *s, uint32_t ifindex, uint32_t vf, bool on, struct err *e);
int __wrap_nl_vf_set_rate(struct nl_sock *s, uint32_t ifindex, uint32_t vf, uint32_t min,
	uint32_t max, struct err *e);
int __wrap_nl_vf_set_vlan(struct nl_sock *s, uint32_t ifindex, uint32_t vf, uint32_t vlan,
	uint32_t qos, uint16_t proto, struct err *e);
int __wrap_nl_vf_set_link_state(
	struct nl_sock *s, uint32_t ifindex, uint32_t vf, enum nl_vf_link state, struct err *e);
int __wrap_nl_rdma_dev_list(
	struct nl_sock *s, struct nl_rdma_dev *out, size_t cap, size_t *n, struct err *e);
int __wrap_nl_rdma_set_netns(struct nl_sock *s, uint32_t index, int fd, struct err *e);

int64_t __wrap_clock_ms(void)
{
	return w.now_ms;
}

void __wrap_clock_sleep_ms(int64_t ms)
{
	w.now_ms += ms;
	if (w.home_after > 0 && --w.home_after == 0) {
		w_come_home();
	}
}

void __wrap_log_warn(const char *fmt, ...)
{
	size_t n = strlen(w.log);
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(w.log + n, sizeof(w.log) - n, fmt, ap);
	va_end(ap);
}

int __wrap_sriov_sysfs_vf_at(
	int sysfs, const struct pci_addr *pci, struct sriov_vf *vf, struct err *e)
{
	(void)sysfs;
	w.looks++;
	memset(vf, 0, sizeof(*vf));
	if (w.vfs_gone) {
		return w_err(e, ENODEV, "no such function");
	}
	vf->state = w.state;
	vf->pci = *pci;
	vf->has_pci = true;
	for (size_t i = 0; i < W_LINKS; i++) {
		struct pci_addr at;

		if (w.link[i].there && w.link[i].at == W_HOST &&
			parse_pci(str_from(w.link[i].l.parent_dev), &at) && at.dev == pci->dev &&
			at.fn == pci->fn) {
			vf->state = SRIOV_VF_FREE;
			memcpy(vf->netdev, w.link[i].l.name, IFNAMSIZ);
		}
	}
	if (w.has_rdma && w.rdma_at == W_HOST && pci->fn == 0) {
		(void)snprintf(vf->rdma, sizeof(vf->rdma), "mlx5_7");
	}
	return 0;
}

int __wrap_sriov_sysfs_probe(int sysfs, const struct pci_addr *pci, struct err *e)
{
	(void)sysfs, (void)pci, (void)e;
	w.probes++;
	if (w.no_driver) {
		return 0;
	}
	w.state = SRIOV_VF_AWAY;
	w.home_after = 1;
	return 0;
}

int __wrap_nl_link_get(struct nl_sock *s, uint32_t ifindex, struct nl_link *out, struct err *e)
{
	const struct w_link *k = w_at(w_place(s), ifindex);

	w.reads++;
	if (k == NULL) {
		return w_err(e, ENODEV, "get");
	}
	*out = k->l;
	return 0;
}

int __wrap_nl_link_get_name(struct nl_sock *s, const char *name, struct nl_link *out, struct err *e)
{
	const struct w_link *k = w_named(w_place(s), name);

	w.reads++;
	if (k == NULL) {
		return w_err(e, ENODEV, name);
	}
	*out = k->l;
	return 0;
}

int __wrap_nl_link_list(struct nl_sock *s, const struct nl_link_visitor *v, struct err *e)
{
	w.reads++;
	for (size_t i = 0; i < W_LINKS; i++) {
		if (w.link[i].there && w.link[i].at == w_place(s)) {
			int r = v->link(&w.link[i].l, v->arg, e);

			if (r < 0) {
				return r;
			}
		}
	}
	return 0;
}

/* The interface that a setter means, if the change is to be made. */
static inline int w_set(struct nl_sock *s, uint32_t ifindex, struct w_link **k, struct err *e)
{
	*k = w_at(w_place(s), ifindex);
	return *k == NULL ? w_err(e, ENODEV, "set") : w_change(e);
}

int __wrap_nl_link_set_up(struct nl_sock *s, uint32_t ifindex, bool up, struct err *e)
{
	return __wrap_nl_link_set_flags(s, ifindex, up ? IFF_UP : 0, IFF_UP, e);
}

int __wrap_nl_link_set_flags(
	struct nl_sock *s, uint32_t ifindex, uint32_t flags, uint32_t mask, struct err *e)
{
	struct w_link *k;
	int r = w_set(s, ifindex, &k, e);

	if (r == 0) {
		k->l.flags = (k->l.flags & ~mask) | (flags & mask);
	}
	return r;
}

int __wrap_nl_link_set_addr(
	struct nl_sock *s, uint32_t ifindex, const uint8_t *addr, size_t n, struct err *e)
{
	struct w_link *k;
	int r = w_set(s, ifindex, &k, e);

	if (r == 0 && w.refuse_mac != 0 && w.vf[0].trust != NL_VF_ON) {
		return w_err(e, w.refuse_mac, "set address");
	}
	if (r == 0) {
		memcpy(k->l.addr, addr, n);
	}
	return r;
}

int __wrap_nl_link_set_name(struct nl_sock *s, uint32_t ifindex, const char *name, struct err *e)
{
	struct w_link *k;
	int r = w_set(s, ifindex, &k, e);

	if (r == 0 && w_named(k->at, name) != NULL) {
		return w_err(e, EEXIST, "rename");
	}
	if (r == 0 && (k->l.flags & IFF_UP) != 0) {
		return w_err(e, EBUSY, "rename");
	}
	if (r == 0) {
		(void)snprintf(k->l.name, IFNAMSIZ, "%s", name);
	}
	return r;
}

int __wrap_nl_link_set_mtu(struct nl_sock *s, uint32_t ifindex, uint32_t mtu, struct err *e)
{
	struct w_link *k;
	int r = w_set(s, ifindex, &k, e);

	if (r == 0 && w.refuse_mtu != 0) {
		return w_err(e, w.refuse_mtu, "set mtu");
	}
	if (r == 0) {
		k->l.mtu = mtu;
	}
	return r;
}

int __wrap_nl_link_move(
	struct nl_sock *s, uint32_t ifindex, int fd, const char *name, struct err *e)
{
	enum place to = fd == W_PODFD ? W_POD : W_HOST;
	struct w_link *k;
	int r = w_set(s, ifindex, &k, e);

	if (r < 0) {
		return r;
	}
	if (strcmp(k->l.name, name) != 0 || w_named(to, name) != NULL) {
		return w_err(e, EEXIST, "move");
	}
	for (size_t i = 0; i < w_altnames(k); i++) {
		if (w_named(to, k->l.altname[i]) != NULL) {
			return w_err(e, EEXIST, "move with altname");
		}
	}
	k->l.flags &= ~(uint32_t)IFF_UP;
	k->at = to;
	return 0;
}

int __wrap_nl_link_add_altname(struct nl_sock *s, uint32_t ifindex, const char *name, struct err *e)
{
	struct w_link *k;
	int r = w_set(s, ifindex, &k, e);

	if (r == 0 && w_named(k->at, name) != NULL) {
		return w_err(e, EEXIST, "add altname");
	}
	if (r == 0) {
		(void)snprintf(k->l.altname[k->l.altname_n++], NL_ALTNAME_CAP, "%s", name);
	}
	return r;
}

int __wrap_nl_link_del_altname(struct nl_sock *s, uint32_t ifindex, const char *name, struct err *e)
{
	struct w_link *k;
	int r = w_set(s, ifindex, &k, e);

	for (size_t i = 0, n = r == 0 ? w_altnames(k) : 0; i < n; i++) {
		if (strcmp(k->l.altname[i], name) == 0) {
			memmove(k->l.altname[i], k->l.altname[i + 1], (n - 1 - i) * NL_ALTNAME_CAP);
			memset(k->l.altname[n - 1], 0, NL_ALTNAME_CAP);
			if (k->l.altname_n-- > NL_ALTNAMES_MAX) {
				(void)snprintf(k->l.altname[n - 1], NL_ALTNAME_CAP, "more%zu",
					k->l.altname_n);
			}
			return 0;
		}
	}
	return r < 0 ? r : w_err(e, ENOENT, "del altname");
}

int __wrap_nl_vf_list_link(struct nl_sock *s, uint32_t ifindex, struct nl_link *pf,
	struct nl_vf *out, size_t cap, size_t *n, struct err *e)
{
	if (ifindex != W_PF || cap < W_VFS) {
		return w_err(e, ENODEV, "list VFs");
	}
	memcpy(out, w.vf, sizeof(w.vf));
	*n = w.undescribed ? 0 : W_VFS;
	return __wrap_nl_link_get(s, W_PF, pf, e);
}

static inline int w_vf(uint32_t pf, uint32_t vf, int refused, struct err *e)
{
	int r = pf == W_PF && vf < W_VFS ? w_change(e) : w_err(e, ENODEV, "set VF");

	return r == 0 && refused != 0 ? w_err(e, refused, "set VF") : r;
}

int __wrap_nl_vf_set_mac(struct nl_sock *s, uint32_t ifindex, uint32_t vf, const uint8_t *mac,
	size_t n, struct err *e)
{
	int r = w_vf(ifindex, vf, 0, e);

	(void)s;
	if (r == 0) {
		memcpy(w.vf[vf].mac, mac, n);
	}
	return r;
}

int __wrap_nl_vf_set_trust(struct nl_sock *s, uint32_t ifindex, uint32_t vf, bool on, struct err *e)
{
	int r = w_vf(ifindex, vf, w.refuse_trust, e);

	(void)s;
	if (r == 0) {
		w.vf[vf].trust = on ? NL_VF_ON : NL_VF_OFF;
	}
	return r;
}

int __wrap_nl_vf_set_spoofchk(
	struct nl_sock *s, uint32_t ifindex, uint32_t vf, bool on, struct err *e)
{
	int r = w_vf(ifindex, vf, 0, e);

	(void)s;
	if (r == 0) {
		w.vf[vf].spoofchk = on ? NL_VF_ON : NL_VF_OFF;
	}
	return r;
}

int __wrap_nl_vf_set_rate(
	struct nl_sock *s, uint32_t ifindex, uint32_t vf, uint32_t min, uint32_t max, struct err *e)
{
	int r = w_vf(ifindex, vf, w.refuse_rate, e);

	(void)s;
	if (r == 0) {
		w.vf[vf].min_tx_rate = min;
		w.vf[vf].max_tx_rate = max;
	}
	return r;
}

int __wrap_nl_vf_set_vlan(struct nl_sock *s, uint32_t ifindex, uint32_t vf, uint32_t vlan,
	uint32_t qos, uint16_t proto, struct err *e)
{
	int r = w_vf(ifindex, vf, w.refuse_vlan, e);

	(void)s;
	if (r == 0) {
		w.vf[vf].vlan = vlan;
		w.vf[vf].qos = qos;
		w.vf[vf].proto = proto;
	}
	return r;
}

int __wrap_nl_vf_set_link_state(
	struct nl_sock *s, uint32_t ifindex, uint32_t vf, enum nl_vf_link state, struct err *e)
{
	int r = w_vf(ifindex, vf, 0, e);

	(void)s;
	if (r == 0) {
		w.vf[vf].link_state = state;
	}
	return r;
}

int __wrap_nl_rdma_dev_list(
	struct nl_sock *s, struct nl_rdma_dev *out, size_t cap, size_t *n, struct err *e)
{
	(void)cap, (void)e;
	w.reads++;
	*n = w.has_rdma && w.rdma_at == w_place(s) ? 1 : 0;
	out[0] = (struct nl_rdma_dev){.index = 3, .name = "mlx5_7"};
	return 0;
}

int __wrap_nl_rdma_set_netns(struct nl_sock *s, uint32_t index, int fd, struct err *e)
{
	int r = w_change(e);

	if (r == 0 && (index != 3 || w.rdma_at != w_place(s))) {
		return w_err(e, ENODEV, "move RDMA device");
	}
	if (r == 0) {
		w.rdma_at = fd == W_PODFD ? W_POD : W_HOST;
	}
	return r;
}

#endif
