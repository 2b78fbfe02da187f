/* SPDX-License-Identifier: MIT */
/* See sysfs.h. */
#include "sriov/sysfs.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/num.h"

/* Longest path built here: "class/net/" + 15 + "/device/" + a short attribute or virtfn number. */
#define PATH_LEN 160

PRINTF_LIKE(2, 3)
static void path_fmt(char *path, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(path, PATH_LEN, fmt, ap);
	va_end(ap);
	ASSERT(n >= 0 && n < PATH_LEN);
}

static bool read_word(int sysfs, const char *path, char *buf, size_t cap, struct str *out)
{
	struct err ignored;
	ssize_t n = file_read(sysfs, path, buf, cap, &ignored);

	if (n < 0) {
		return false; /* absent or not readable in this state: the caller has a default */
	}
	*out = str_trim((struct str){buf, (size_t)n});
	return true;
}

/* Base name of a link into out; empty when the link is absent. */
static void link_word(int sysfs, const char *path, char *out, size_t cap)
{
	struct err ignored;

	if (file_link_base(sysfs, path, out, cap, &ignored) < 0) {
		out[0] = '\0';
	}
}

struct first_entry {
	char *out;
	size_t cap;
};

/* Keeps the alphabetically first entry, so that the answer does not depend on readdir order. */
static int keep_first(void *arg, const char *name, struct err *e)
{
	struct first_entry *f = arg;
	struct str s = str_from(name);

	(void)e;
	if (f->out[0] == '\0' || strcmp(name, f->out) < 0) {
		/* Kernel names fit; one that does not is no name of this kind. */
		(void)!str_copy(s, f->out, f->cap);
	}
	return 0;
}

static void first_in_dir(int sysfs, const char *path, char *out, size_t cap)
{
	struct first_entry f = {out, cap};
	struct err ignored;

	out[0] = '\0';
	/* The directory is absent when there is no such device: out stays empty. */
	(void)!file_list(sysfs, path, keep_first, &f, &ignored);
}

/* phys_port_name of VF and SF representors: "pf0vf3", "c1pf0vf3", "pf0sf12" (net/core/devlink). */
static bool is_representor(int sysfs, const char *name)
{
	char path[PATH_LEN], text[64];
	struct str s;

	path_fmt(path, "class/net/%s/phys_port_name", name);
	if (!read_word(sysfs, path, text, sizeof(text), &s)) {
		return false;
	}
	for (size_t i = 0; i + 3 < s.n; i++) {
		if (s.p[i] == 'p' && s.p[i + 1] == 'f' && chr_digit(s.p[i + 2])) {
			return memmem(s.p + i, s.n - i, "vf", 2) != NULL ||
			       memmem(s.p + i, s.n - i, "sf", 2) != NULL;
		}
	}
	return false;
}

static uint32_t read_count(int sysfs, const char *name, const char *attr)
{
	char path[PATH_LEN], text[32];
	uint32_t v = 0;
	struct str s;

	path_fmt(path, "class/net/%s/%s", name, attr);
	if (!read_word(sysfs, path, text, sizeof(text), &s) || !num_u32(s, UINT32_MAX, &v)) {
		return 0;
	}
	return v;
}

static int32_t read_numa(int sysfs, const char *name)
{
	char path[PATH_LEN], text[32];
	int64_t v = -1;
	struct str s;

	path_fmt(path, "class/net/%s/device/numa_node", name);
	if (!read_word(sysfs, path, text, sizeof(text), &s) || !num_i64(s, &v) || v < -1 ||
		v > INT32_MAX) {
		return -1;
	}
	return (int32_t)v;
}

bool sriov_sysfs_has(int sysfs, const char *netdev)
{
	char path[PATH_LEN];

	if (!parse_ifname(str_from(netdev))) {
		return false;
	}
	path_fmt(path, "class/net/%s", netdev);
	return file_exists(sysfs, path);
}

static int check_capable(int sysfs, const char *name, struct err *e)
{
	char path[PATH_LEN];

	if (!sriov_sysfs_has(sysfs, name)) {
		return err_set(e, ENODEV, "%s: no such network interface", name);
	}
	path_fmt(path, "class/net/%s/device/physfn", name);
	if (file_exists(sysfs, path)) {
		return err_set(
			e, EINVAL, "%s: is a virtual function, not a physical function", name);
	}
	path_fmt(path, "class/net/%s/device/sriov_numvfs", name);
	if (!file_exists(sysfs, path)) {
		return err_set(e, ENOTSUP, "%s: not SR-IOV capable", name);
	}
	if (is_representor(sysfs, name)) {
		return err_set(e, EINVAL, "%s: is a representor, not a physical function", name);
	}
	return 0;
}

/* It is a PF, whatever went wrong: not one of the errors that say that it is none. */
static int unreadable(struct err *e)
{
	e->code = EIO;
	return -EIO;
}

/* How many VFs the device could have. netdevsim does not say: 0. */
static int read_total(int sysfs, struct sriov_pf *pf, struct err *e)
{
	char path[PATH_LEN];
	uint64_t v = 0;

	path_fmt(path, "class/net/%s/device/sriov_totalvfs", pf->name);
	if (!file_exists(sysfs, path)) {
		return 0;
	}
	if (file_read_u64(sysfs, path, UINT16_MAX, &v, e) < 0) {
		return unreadable(e);
	}
	if (v == 0) {
		return err_set(e, ENOTSUP, "%s: not SR-IOV capable: sriov_totalvfs is 0", pf->name);
	}
	pf->total_vfs = (uint32_t)v;
	return 0;
}

/*
 * How many VFs there are. Not sriov_numvfs of a PCI device: reading that waits while somebody
 * writes it (drivers/pci/iov.c, both under the device's lock), which takes minutes on big cards,
 * and a server must not stand still for that.
 */
static int count_vfs(int sysfs, struct sriov_pf *pf, struct err *e)
{
	char path[PATH_LEN], target[64];
	struct err none;

	if (!pf->has_pci) {
		return sriov_sysfs_num_vfs(sysfs, pf, &pf->num_vfs, e) < 0 ? unreadable(e) : 0;
	}
	for (pf->num_vfs = 0; pf->num_vfs < SRIOV_PF_VF_MAX; pf->num_vfs++) {
		path_fmt(path, "class/net/%s/device/virtfn%u", pf->name, pf->num_vfs);
		if (file_link(sysfs, path, target, sizeof(target), &none) < 0) {
			*e = none;
			return none.code == ENOENT ? 0 : unreadable(e);
		}
	}
	return err_set(e, EIO, "%s: more than %d VFs", pf->name, SRIOV_PF_VF_MAX);
}

/* Everything but the number of VFs. */
static int read_pf(int sysfs, const char *name, struct sriov_pf *pf, struct err *e)
{
	char path[PATH_LEN];
	int r;

	memset(pf, 0, sizeof(*pf));
	r = check_capable(sysfs, name, e);
	if (r < 0) {
		return r;
	}
	path_fmt(path, "class/net/%s/device", name);
	if (!str_copy(str_from(name), pf->name, sizeof(pf->name)) ||
		file_link_base(sysfs, path, pf->bus_id, sizeof(pf->bus_id), e) < 0) {
		return err_set(e, ENODEV, "%s: device vanished", name);
	}
	pf->has_pci = parse_pci(str_from(pf->bus_id), &pf->pci);
	pf->numa_node = read_numa(sysfs, name);
	path_fmt(path, "class/net/%s/device/driver", name);
	link_word(sysfs, path, pf->driver, sizeof(pf->driver));
	path_fmt(path, "class/net/%s/device/infiniband", name);
	first_in_dir(sysfs, path, pf->rdma, sizeof(pf->rdma));
	pf->ifindex = read_count(sysfs, name, "ifindex");
	return read_total(sysfs, pf, e);
}

int sriov_sysfs_capable(int sysfs, const char *name, struct err *e)
{
	struct sriov_pf unused;

	return read_pf(sysfs, name, &unused, e);
}

int sriov_sysfs_pf(int sysfs, const char *name, struct sriov_pf *pf, struct err *e)
{
	int r = read_pf(sysfs, name, pf, e);

	return r < 0 ? r : sriov_sysfs_num_vfs(sysfs, pf, &pf->num_vfs, e);
}

int sriov_sysfs_num_vfs(int sysfs, const struct sriov_pf *pf, uint32_t *out, struct err *e)
{
	char path[PATH_LEN];
	uint64_t v = 0;
	int r;

	path_fmt(path, "class/net/%s/device/sriov_numvfs", pf->name);
	r = file_read_u64(sysfs, path, SRIOV_PF_VF_MAX, &v, e);
	if (r == 0) {
		*out = (uint32_t)v;
	}
	return r;
}

int sriov_sysfs_set_num_vfs(int sysfs, const struct sriov_pf *pf, uint32_t n, struct err *e)
{
	char path[PATH_LEN], text[16];
	struct buf b;

	buf_init(&b, text, sizeof(text));
	buf_add_u64(&b, n);
	path_fmt(path, "class/net/%s/device/sriov_numvfs", pf->name);
	return file_write(sysfs, path, buf_str(&b), e);
}

bool sriov_sysfs_autoprobe(int sysfs, const struct sriov_pf *pf)
{
	char path[PATH_LEN], text[8];
	struct str s;

	path_fmt(path, "class/net/%s/device/sriov_drivers_autoprobe", pf->name);
	return !read_word(sysfs, path, text, sizeof(text), &s) || !str_eq_c(s, "0");
}

static int write_driver(
	int sysfs, const struct pci_addr *pci, const char *driver, const char *attr, struct err *e)
{
	char path[PATH_LEN], text[32];
	struct buf bdf;

	buf_init(&bdf, text, sizeof(text));
	buf_add_pci(&bdf, pci);
	path_fmt(path, "bus/pci/drivers/%s/%s", driver, attr);
	return file_write(sysfs, path, buf_str(&bdf), e);
}

int sriov_sysfs_unbind(int sysfs, const struct pci_addr *pci, const char *driver, struct err *e)
{
	return write_driver(sysfs, pci, driver, "unbind", e);
}

int sriov_sysfs_bind(int sysfs, const struct pci_addr *pci, const char *driver, struct err *e)
{
	return write_driver(sysfs, pci, driver, "bind", e);
}

uint32_t sriov_sysfs_speed(int sysfs, const char *netdev)
{
	uint32_t v = read_count(sysfs, netdev, "speed");

	return v <= SRIOV_RATE_MAX ? v : 0;
}

struct pf_walk {
	int sysfs;
	struct sriov_pf *pf;
	uint32_t port[SRIOV_PF_MAX]; /* dev_port of each: the first port of a function leads */
	size_t n;
	bool uncounted; /* how many VFs there are is not wanted */
};

static int walk_netdev(void *arg, const char *name, struct err *e)
{
	struct pf_walk *w = arg;
	struct err why;
	struct sriov_pf pf;
	uint32_t port;
	size_t i;
	int r = read_pf(w->sysfs, name, &pf, &why);

	if (r == -ENODEV || r == -ENOTSUP || r == -EINVAL) {
		return 0; /* most netdevs of a node are no PFs, or vanish while we look */
	}
	if (r == 0 && !w->uncounted) {
		r = count_vfs(w->sysfs, &pf, &why);
	}
	if (r < 0) {
		pf.num_vfs = 0;
		(void)snprintf(pf.problem, sizeof(pf.problem), "%.*s", (int)sizeof(pf.problem) - 1,
			why.msg);
	}
	port = read_count(w->sysfs, name, "dev_port");
	for (i = 0; i < w->n && strcmp(w->pf[i].bus_id, pf.bus_id) != 0; i++) {
	}
	if (i < w->n &&
		(w->port[i] < port || (w->port[i] == port && strcmp(w->pf[i].name, pf.name) < 0))) {
		return 0;
	}
	if (i == SRIOV_PF_MAX) {
		return err_set(e, E2BIG, "more than %d SR-IOV physical functions", SRIOV_PF_MAX);
	}
	w->pf[i] = pf;
	w->port[i] = port;
	w->n += i == w->n ? 1 : 0;
	return 0;
}

static int pf_order(const void *pa, const void *pb)
{
	const struct sriov_pf *a = pa, *b = pb;
	uint64_t ka, kb;

	if (a->has_pci != b->has_pci) {
		return a->has_pci ? -1 : 1;
	}
	if (!a->has_pci) {
		return strcmp(a->bus_id, b->bus_id);
	}
	ka = (uint64_t)a->pci.domain << 24 | (uint64_t)a->pci.bus << 16 |
	     (uint64_t)a->pci.dev << 8 | a->pci.fn;
	kb = (uint64_t)b->pci.domain << 24 | (uint64_t)b->pci.bus << 16 |
	     (uint64_t)b->pci.dev << 8 | b->pci.fn;
	return ka < kb ? -1 : ka > kb ? 1 : 0;
}

int sriov_sysfs_pfs(int sysfs, struct sriov_pf *pf, size_t *n, struct err *e)
{
	struct pf_walk w = {.sysfs = sysfs, .pf = pf};
	int r = file_list(sysfs, "class/net", walk_netdev, &w, e);

	if (r < 0) {
		return r;
	}
	qsort(pf, w.n, sizeof(*pf), pf_order);
	*n = w.n;
	return 0;
}

static enum sriov_vf_state state_of(const struct sriov_vf *vf)
{
	static const char *const no_netdev[] = {
		"pci-stub", "uio_pci_generic", "igb_uio", "xen-pciback"};

	if (vf->netdev[0] != '\0') {
		return SRIOV_VF_FREE;
	}
	if (vf->driver[0] == '\0') {
		return SRIOV_VF_NO_DRIVER;
	}
	/* vfio-pci and its variants: mlx5_vfio_pci, hisi-acc-vfio-pci (drivers/vfio/pci). */
	if (strstr(vf->driver, "vfio") != NULL) {
		return SRIOV_VF_VFIO;
	}
	for (size_t i = 0; i < ARRAY_LEN(no_netdev); i++) {
		if (strcmp(vf->driver, no_netdev[i]) == 0) {
			return SRIOV_VF_OTHER;
		}
	}
	return SRIOV_VF_AWAY;
}

/* What the function at vf->pci is, from bus/pci/devices/<bdf>. */
static void describe_function(int sysfs, const char *bdf, struct sriov_vf *vf)
{
	char path[PATH_LEN];

	path_fmt(path, "bus/pci/devices/%s/net", bdf);
	first_in_dir(sysfs, path, vf->netdev, sizeof(vf->netdev));
	path_fmt(path, "bus/pci/devices/%s/driver", bdf);
	link_word(sysfs, path, vf->driver, sizeof(vf->driver));
	path_fmt(path, "bus/pci/devices/%s/infiniband", bdf);
	first_in_dir(sysfs, path, vf->rdma, sizeof(vf->rdma));
	vf->state = state_of(vf);
}

int sriov_sysfs_vf(
	int sysfs, const struct sriov_pf *pf, uint32_t index, struct sriov_vf *vf, struct err *e)
{
	char path[PATH_LEN], bdf[32];
	ssize_t r;

	memset(vf, 0, sizeof(*vf));
	vf->index = index;
	vf->state = SRIOV_VF_VIRTUAL;
	if (!pf->has_pci) {
		return 0;
	}
	path_fmt(path, "class/net/%s/device/virtfn%u", pf->name, (unsigned)index);
	r = file_link_base(sysfs, path, bdf, sizeof(bdf), e);
	if (r < 0) {
		return err_set(e, ENODEV, "VF %u of %s: vanished", (unsigned)index, pf->name);
	}
	vf->has_pci = parse_pci(str_from(bdf), &vf->pci);
	if (!vf->has_pci) {
		return err_set(e, EINVAL, "VF %u of %s: '%s' is no PCI address", (unsigned)index,
			pf->name, bdf);
	}
	describe_function(sysfs, bdf, vf);
	return 0;
}

/* As the kernel writes it in sysfs. */
static void bdf_text(const struct pci_addr *pci, char out[static 32])
{
	struct buf b;

	buf_init(&b, out, 31);
	buf_add_pci(&b, pci);
	ASSERT(buf_ok(&b));
	out[b.n] = '\0';
}

static int check_is_vf(int sysfs, const char *bdf, struct err *e)
{
	char path[PATH_LEN];

	path_fmt(path, "bus/pci/devices/%s/physfn", bdf);
	return file_exists(sysfs, path)
		       ? 0
		       : err_set(e, ENODEV, "there is no virtual function %s", bdf);
}

int sriov_sysfs_vf_at(int sysfs, const struct pci_addr *pci, struct sriov_vf *vf, struct err *e)
{
	char bdf[32];
	int r;

	memset(vf, 0, sizeof(*vf));
	bdf_text(pci, bdf);
	r = check_is_vf(sysfs, bdf, e);
	if (r < 0) {
		return r;
	}
	vf->has_pci = true;
	vf->pci = *pci;
	describe_function(sysfs, bdf, vf);
	return 0;
}

/* Number of a VF by its place behind the PF (PCIe SR-IOV 2.1.2: routing ids), -1 if unknown. */
static int64_t index_by_place(int sysfs, const struct sriov_pf *pf, const struct pci_addr *vf)
{
	uint32_t offset = read_count(sysfs, pf->name, "device/sriov_offset");
	uint32_t stride = read_count(sysfs, pf->name, "device/sriov_stride");
	int64_t place = (vf->bus - pf->pci.bus) * 256 + (vf->dev - pf->pci.dev) * 8 +
			(vf->fn - pf->pci.fn) - (int64_t)offset;

	if (place == 0) {
		return 0; /* one VF needs no stride */
	}
	return stride == 0 || place < 0 ? -1 : place / stride;
}

/* The PCI address of VF index as text; empty: the PF has no such VF. */
static void virtfn(int sysfs, const struct sriov_pf *pf, uint32_t index, char out[static 32])
{
	char path[PATH_LEN];

	path_fmt(path, "class/net/%s/device/virtfn%u", pf->name, (unsigned)index);
	link_word(sysfs, path, out, 32);
}

int sriov_sysfs_parent(
	int sysfs, const struct pci_addr *pci, struct sriov_pf *pf, uint32_t *index, struct err *e)
{
	struct pf_walk w = {.sysfs = sysfs, .pf = pf, .uncounted = true};
	char path[PATH_LEN], bdf[32], found[32] = "";
	struct err ignored;
	int64_t place;
	int r;

	memset(pf, 0, sizeof(*pf));
	*index = 0;
	bdf_text(pci, bdf);
	r = check_is_vf(sysfs, bdf, e);
	if (r < 0) {
		return r;
	}
	/* All of them are netdevs of one function, so that at most one is kept. */
	path_fmt(path, "bus/pci/devices/%s/physfn/net", bdf);
	if (file_list(sysfs, path, walk_netdev, &w, &ignored) < 0 || w.n != 1) {
		memset(pf, 0, sizeof(*pf));
		return 0;
	}
	place = index_by_place(sysfs, pf, pci);
	if (place >= 0 && place < SRIOV_PF_VF_MAX) {
		virtfn(sysfs, pf, (uint32_t)place, found);
		*index = strcmp(found, bdf) == 0 ? (uint32_t)place : 0;
	}
	for (uint32_t i = 0; strcmp(found, bdf) != 0 && i < SRIOV_PF_VF_MAX; i++) {
		virtfn(sysfs, pf, i, found);
		if (found[0] == '\0') {
			break;
		}
		*index = i;
	}
	if (strcmp(found, bdf) == 0) {
		return 0;
	}
	*index = 0;
	return err_set(e, ENODEV, "%s is no virtual function of %s", bdf, pf->name);
}

int sriov_sysfs_probe(int sysfs, const struct pci_addr *pci, struct err *e)
{
	char bdf[32];

	bdf_text(pci, bdf);
	return file_write(sysfs, "bus/pci/drivers_probe", str_from(bdf), e);
}
