/* SPDX-License-Identifier: MIT */
/*
 * A PF driver of the test's own behind the netlink calls of sriov/bringup.h, with a clock that
 * only moves when somebody sleeps, and a log that can be read.
 */
#ifndef TEST_FAKE_DRIVER_H
#define TEST_FAKE_DRIVER_H

#include <errno.h>
#include <fcntl.h>
#include <net/if_arp.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#include "nl/link.h"
#include "nl/vf.h"
#include "sriov/plan.h"
#include "sriov/sysfs.h"
#include "tree.h"

#define FAKE_VFS 8
#define PF_INDEX 2
#define VF_INDEX 10 /* ifindex of VF 0's interface */

/* The next `times` calls that set `set` of VF `vf` give -code. */
struct fake_failure {
	uint32_t set, vf;
	int code, times;
};

static struct fake {
	struct tree t;
	int64_t now_ms;
	int64_t tick_ms;        /* by which the clock moves each time somebody looks at it */
	void (*at_sleep)(void); /* what happens in the world while the program sleeps */
	void (*before_set)(uint32_t vf, enum sriov_set what);
	struct nl_vf vf[FAKE_VFS];
	struct nl_link net[FAKE_VFS];
	struct nl_link pf;
	struct fake_failure failure[4];
	uint32_t ignored;   /* settings that are accepted and not applied */
	uint32_t order[64]; /* settings made, in order: vf << 8 | bit number */
	size_t sets;
	uint32_t made_max; /* the driver makes no more VFs than this */
	int write_code;    /* writing sriov_numvfs gives this error */
	bool write_hangs;
	bool stop;                 /* a signal came */
	int lock_code;             /* the lock cannot be had */
	void (*after_check)(void); /* holders have just been looked up */
	int bind_fails;            /* so many times */
	char bound[8][16];         /* "unbind 0", "bind 0", in order */
	size_t binds;
	char log[16384];
	size_t log_n;
} fake;

static inline void fake_log(const char *level, const char *fmt, va_list ap)
{
	int n = snprintf(fake.log + fake.log_n, sizeof(fake.log) - fake.log_n, "%s: ", level);

	fake.log_n += (size_t)n;
	n = vsnprintf(fake.log + fake.log_n, sizeof(fake.log) - fake.log_n, fmt, ap);
	fake.log_n += (size_t)n;
	tree_must(fake.log_n + 2 < sizeof(fake.log), "log full");
	fake.log[fake.log_n++] = '\n';
	fake.log[fake.log_n] = '\0';
}

/* What the ledger says: struct sriov_bringup.holders. */
static struct {
	struct sriov_holder record;
	bool held[FAKE_VFS];
	int code;     /* the ledger cannot be read */
	bool damaged; /* one of its records cannot */
} ledger;

static inline int holders(void *arg, struct sriov_node *n, struct err *err)
{
	(void)arg;
	if (ledger.code != 0) {
		return err_set(err, ledger.code, "attachments: not readable");
	}
	for (size_t i = 0; i < n->vf_n; i++) {
		tree_must(n->vf[i].holder == NULL, "a holder is left over");
		n->vf[i].holder = ledger.held[n->vf[i].index] ? &ledger.record : NULL;
	}
	if (fake.after_check != NULL) {
		fake.after_check();
	}
	if (ledger.damaged) {
		(void)err_set(err, EBADMSG, "abc:eth0.json: damaged");
		return 1;
	}
	return 0;
}

/* Whether somebody has the lock: nobody else could take a VF. */
static inline bool fake_locked(void)
{
	int fd = openat(fake.t.fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	bool locked = flock(fd, LOCK_EX | LOCK_NB) < 0;

	tree_must(fd >= 0, "lock");
	(void)close(fd);
	return locked;
}

static inline int fake_lock(void *arg, int64_t deadline_ms, struct err *err)
{
	int fd;

	(void)arg;
	(void)deadline_ms;
	if (fake.lock_code != 0) {
		return err_set(err, fake.lock_code, "another program is at work");
	}
	fd = openat(fake.t.fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	tree_must(fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0, "lock");
	return fd;
}

static inline bool fake_stop(void *arg)
{
	(void)arg;
	return fake.stop;
}

#define FAKE_LOG(fn, level)                                                                        \
	void __wrap_##fn(const char *fmt, ...);                                                    \
	void __wrap_##fn(const char *fmt, ...)                                                     \
	{                                                                                          \
		va_list ap;                                                                        \
                                                                                                   \
		va_start(ap, fmt);                                                                 \
		fake_log(level, fmt, ap);                                                          \
		va_end(ap);                                                                        \
	}

FAKE_LOG(log_error, "error")
FAKE_LOG(log_warn, "warning")
FAKE_LOG(log_info, "info")

/* How many times text occurs in the log. */
static inline int logged(const char *text)
{
	int n = 0;

	for (const char *p = fake.log; (p = strstr(p, text)) != NULL; p++) {
		n++;
	}
	return n;
}

int64_t __wrap_clock_ms(void);
void __wrap_clock_sleep_ms(int64_t ms);
int __wrap_sriov_sysfs_set_num_vfs(int sysfs, const struct sriov_pf *pf, uint32_t n, struct err *e);
int __real_sriov_sysfs_set_num_vfs(int sysfs, const struct sriov_pf *pf, uint32_t n, struct err *e);
int __wrap_nl_link_get(struct nl_sock *s, uint32_t ifindex, struct nl_link *out, struct err *e);
int __wrap_nl_link_get_name(
	struct nl_sock *s, const char *name, struct nl_link *out, struct err *e);
int __wrap_nl_link_set_up(struct nl_sock *s, uint32_t ifindex, bool up, struct err *e);
int __wrap_nl_link_set_addr(
	struct nl_sock *s, uint32_t ifindex, const uint8_t *addr, size_t addr_n, struct err *e);
int __wrap_nl_vf_list(struct nl_sock *s, uint32_t ifindex, struct nl_vf *out, size_t cap, size_t *n,
	struct err *e);
int __wrap_nl_vf_set_mac(struct nl_sock *s, uint32_t ifindex, uint32_t vf, const uint8_t *mac,
	size_t mac_n, struct err *e);
int __wrap_nl_vf_set_trust(
	struct nl_sock *s, uint32_t ifindex, uint32_t vf, bool on, struct err *e);
int __wrap_nl_vf_set_spoofchk(
	struct nl_sock *s, uint32_t ifindex, uint32_t vf, bool on, struct err *e);
int __wrap_nl_vf_set_link_state(
	struct nl_sock *s, uint32_t ifindex, uint32_t vf, enum nl_vf_link link, struct err *e);
int __wrap_nl_vf_set_node_guid(
	struct nl_sock *s, uint32_t ifindex, uint32_t vf, uint64_t guid, struct err *e);
int __wrap_nl_vf_set_port_guid(
	struct nl_sock *s, uint32_t ifindex, uint32_t vf, uint64_t guid, struct err *e);

int64_t __wrap_clock_ms(void)
{
	fake.now_ms += fake.tick_ms;
	return fake.now_ms;
}

void __wrap_clock_sleep_ms(int64_t ms)
{
	fake.now_ms += ms;
	if (fake.at_sleep != NULL) {
		fake.at_sleep();
	}
}

int __wrap_sriov_sysfs_set_num_vfs(int sysfs, const struct sriov_pf *pf, uint32_t n, struct err *e)
{
	while (fake.write_hangs) {
		(void)pause();
	}
	if (n == 0 && !fake_locked()) {
		return err_set(e, EPROTO, "removed without the lock");
	}
	if (fake.write_code != 0 && n > 0) {
		return err_set(e, fake.write_code, "write sriov_numvfs: refused");
	}
	return __real_sriov_sysfs_set_num_vfs(sysfs, pf, n < fake.made_max ? n : fake.made_max, e);
}

int __wrap_nl_link_get(struct nl_sock *s, uint32_t ifindex, struct nl_link *out, struct err *e)
{
	(void)s;
	if (ifindex != PF_INDEX) {
		return err_set(e, ENODEV, "no link %u", ifindex);
	}
	*out = fake.pf;
	return 0;
}

int __wrap_nl_link_get_name(struct nl_sock *s, const char *name, struct nl_link *out, struct err *e)
{
	if (strcmp(name, "pf") == 0) {
		return __wrap_nl_link_get(s, PF_INDEX, out, e);
	}
	for (int i = 0; i < FAKE_VFS; i++) {
		if (strcmp(name, fake.net[i].name) == 0) {
			*out = fake.net[i];
			return 0;
		}
	}
	return err_set(e, ENODEV, "no link %s", name);
}

/* Every setter: whether it fails this time, and whether the value is to be kept. */
static inline int fake_set(uint32_t vf, enum sriov_set what, bool *keep, struct err *e)
{
	tree_must(fake_locked() && !ledger.held[vf], "a VF that may be another's was touched");
	if (fake.before_set != NULL) {
		fake.before_set(vf, what);
	}
	for (size_t i = 0; i < ARRAY_LEN(fake.failure); i++) {
		struct fake_failure *f = &fake.failure[i];

		if (f->set == what && f->vf == vf && f->times > 0) {
			f->times--;
			return err_set(e, f->code, "%s refused", sriov_set_name(what));
		}
	}
	tree_must(fake.sets < ARRAY_LEN(fake.order), "too many settings");
	fake.order[fake.sets++] = vf << 8 | (uint32_t)__builtin_ctz((unsigned)what);
	*keep = (fake.ignored & what) == 0;
	return 0;
}

#define FAKE_SET(what, assignment)                                                                 \
	do {                                                                                       \
		bool keep = false;                                                                 \
		int r = fake_set(vf, what, &keep, e);                                              \
                                                                                                   \
		(void)s;                                                                           \
		tree_must(ifindex == PF_INDEX && vf < FAKE_VFS, "wrong PF or VF");                 \
		if (r == 0 && keep) {                                                              \
			assignment;                                                                \
		}                                                                                  \
		return r;                                                                          \
	} while (0)

int __wrap_nl_vf_set_mac(struct nl_sock *s, uint32_t ifindex, uint32_t vf, const uint8_t *mac,
	size_t mac_n, struct err *e)
{
	FAKE_SET(SRIOV_SET_MAC, memcpy(fake.vf[vf].mac, mac, mac_n));
}

int __wrap_nl_vf_set_trust(struct nl_sock *s, uint32_t ifindex, uint32_t vf, bool on, struct err *e)
{
	FAKE_SET(SRIOV_SET_TRUST, fake.vf[vf].trust = on ? NL_VF_ON : NL_VF_OFF);
}

int __wrap_nl_vf_set_spoofchk(
	struct nl_sock *s, uint32_t ifindex, uint32_t vf, bool on, struct err *e)
{
	FAKE_SET(SRIOV_SET_SPOOFCHK, fake.vf[vf].spoofchk = on ? NL_VF_ON : NL_VF_OFF);
}

int __wrap_nl_vf_set_link_state(
	struct nl_sock *s, uint32_t ifindex, uint32_t vf, enum nl_vf_link link, struct err *e)
{
	FAKE_SET(SRIOV_SET_LINK_STATE, fake.vf[vf].link_state = link);
}

int __wrap_nl_vf_set_node_guid(
	struct nl_sock *s, uint32_t ifindex, uint32_t vf, uint64_t guid, struct err *e)
{
	FAKE_SET(SRIOV_SET_NODE_GUID, fake.vf[vf].node_guid = guid);
}

int __wrap_nl_vf_set_port_guid(
	struct nl_sock *s, uint32_t ifindex, uint32_t vf, uint64_t guid, struct err *e)
{
	FAKE_SET(SRIOV_SET_PORT_GUID, fake.vf[vf].port_guid = guid);
}

int __wrap_nl_link_set_up(struct nl_sock *s, uint32_t ifindex, bool up, struct err *e)
{
	struct nl_link *l = ifindex == PF_INDEX ? &fake.pf : &fake.net[ifindex - VF_INDEX];

	(void)s;
	(void)e;
	l->flags = up ? l->flags | IFF_UP : l->flags & ~(uint32_t)IFF_UP;
	return 0;
}

int __wrap_nl_link_set_addr(
	struct nl_sock *s, uint32_t ifindex, const uint8_t *addr, size_t addr_n, struct err *e)
{
	bool keep = false;
	uint32_t vf = ifindex - VF_INDEX;
	int r = fake_set(vf, SRIOV_SET_NETDEV_MAC, &keep, e);

	(void)s;
	if (r == 0 && keep) {
		memcpy(fake.net[vf].addr, addr, addr_n);
	}
	return r;
}

/* Binding takes the VF's interface away and brings it back. */
static inline void fake_bound(const char *what, const struct pci_addr *pci)
{
	tree_must(fake_locked(), "bound without the lock");
	if (fake.binds < ARRAY_LEN(fake.bound)) {
		(void)snprintf(
			fake.bound[fake.binds], sizeof(fake.bound[0]), "%s %u", what, pci->fn);
	}
	fake.binds++;
}

int __wrap_sriov_sysfs_unbind(
	int sysfs, const struct pci_addr *pci, const char *driver, struct err *e);
int __wrap_sriov_sysfs_bind(
	int sysfs, const struct pci_addr *pci, const char *driver, struct err *e);

int __wrap_sriov_sysfs_unbind(
	int sysfs, const struct pci_addr *pci, const char *driver, struct err *e)
{
	(void)sysfs;
	(void)e;
	tree_must(strcmp(driver, "igbvf") == 0, driver);
	tree_remove(&fake.t, "devices/0000:01:10.%x/driver", pci->fn);
	fake_bound("unbind", pci);
	return 0;
}

int __wrap_sriov_sysfs_bind(
	int sysfs, const struct pci_addr *pci, const char *driver, struct err *e)
{
	(void)sysfs;
	fake_bound("bind", pci);
	if (fake.bind_fails > 0) {
		fake.bind_fails--;
		return err_set(e, EIO, "bind refused");
	}
	tree_link(&fake.t, "../../bus/pci/drivers/igbvf", "devices/0000:01:10.%x/driver", pci->fn);
	tree_must(strcmp(driver, "igbvf") == 0, driver);
	return 0;
}

int __wrap_nl_vf_list(struct nl_sock *s, uint32_t ifindex, struct nl_vf *out, size_t cap, size_t *n,
	struct err *e)
{
	(void)s;
	(void)e;
	tree_must(ifindex == PF_INDEX && cap >= FAKE_VFS, "wrong PF");
	memcpy(out, fake.vf, sizeof(fake.vf));
	*n = FAKE_VFS;
	return 0;
}

#endif
