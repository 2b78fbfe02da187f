/* SPDX-License-Identifier: MIT */
/*
 * What the parts of lending a VF share: attach.c, vfread.c, saved.c, setting.c, prepare.c, carry.c,
 * giveback.c.
 */
#ifndef SRIOV_ATTACH_PRIV_H
#define SRIOV_ATTACH_PRIV_H

#include "sriov/attach.h"

#define ATTACH_MAC_LEN 6

/*
 * Trying again what may work in a moment. attach_again: true when r is -EBUSY or -EAGAIN and there
 * is time left, after a pause.
 */
struct attach_retry {
	int64_t deadline_ms, pause_ms;
};

struct attach_retry attach_retry(const struct sriov_mover *m);
bool attach_again(struct attach_retry *t, int r);

/* The name a VF's interface has on its way: "frl" and the PCI address in hexadecimal. */
void attach_temp_name(const struct pci_addr *pci, char out[static IFNAMSIZ]);

/* Whether name is one that nobody chose: "dev5" of the kernel's, or a temporary one of ours. */
bool attach_name_is_stray(const char *name);

/* "<pf>v<index>"; false, and out empty, where that is no possible name. */
bool attach_stable_name(const struct sriov_ref *ref, char out[static IFNAMSIZ]);

bool attach_is_at(const struct nl_link *l, const struct pci_addr *pci);

/*
 * The VF's interface: 1 and *out, 0 not in that namespace. host: vf (may be NULL) gets what sysfs
 * says of the function; -ENODEV when there is no such function.
 */
int attach_find_host(struct sriov_mover *m, const struct sriov_ref *ref, struct sriov_vf *vf,
	struct nl_link *out, struct err *e) MUST_CHECK;
int attach_find_pod(struct sriov_pod *pod, const struct sriov_ref *ref, struct nl_link *out,
	struct err *e) MUST_CHECK;

/* What the PF says of the VF into the fields of out that it is asked for; the PF into m->pf. */
int attach_read_pf(struct sriov_mover *m, const struct sriov_ref *ref, struct sriov_saved *out,
	struct err *e) MUST_CHECK;

/* The settings that are made through the PF, in the order they are made in; bits of a set. */
#define ATTACH_PF_SETS                                                                             \
	(SRIOV_HAS_TRUST | SRIOV_HAS_ADMIN_MAC | SRIOV_HAS_VLAN | SRIOV_HAS_MIN_RATE |             \
		SRIOV_HAS_MAX_RATE | SRIOV_HAS_SPOOFCHK | SRIOV_HAS_LINK_STATE |                   \
		SRIOV_HAS_NODE_GUID | SRIOV_HAS_PORT_GUID)

/* Which settings of mask both know and have differently. */
uint32_t attach_differ(
	const struct sriov_saved *want, const struct sriov_saved *now, uint32_t mask);

/*
 * attach_set: make the settings in todo as they are in to. refused decides what becomes of each
 * that the driver refuses: it returns 0 to go on, or what the whole is to return.
 */
typedef int attach_refused_fn(void *arg, uint32_t setting, struct err *e);

struct attach_setter {
	struct sriov_mover *m;
	const struct sriov_ref *ref;
	attach_refused_fn *refused;
	void *arg;
};

int attach_set(const struct attach_setter *s, const struct sriov_saved *to, uint32_t todo,
	struct err *e) MUST_CHECK;

/*
 * attach_set_netdev: MAC (where to knows it), MTU (0: leave it), promiscuous and allmulticast of
 * the interface l, which is in the host namespace. Refusals are told as SRIOV_HAS_MAC and
 * SRIOV_HAS_NETDEV.
 */
int attach_set_netdev(const struct attach_setter *s, const struct nl_link *l,
	const struct sriov_saved *to, struct err *e) MUST_CHECK;

/* Requests that are tried again while the device is busy. */
int attach_down(
	struct sriov_mover *m, struct nl_sock *s, struct nl_link *l, struct err *e) MUST_CHECK;
int attach_rename(struct sriov_mover *m, struct nl_sock *s, struct nl_link *l, const char *name,
	struct err *e) MUST_CHECK;

/* attach_drop_altnames: all but the first keep; all if there are more than NL_ALTNAMES_MAX. */
int attach_drop_altnames(struct sriov_mover *m, struct nl_sock *s, struct nl_link *l, size_t keep,
	struct err *e) MUST_CHECK;

/*
 * attach_carry: l, of the namespace of from, down and under its temporary name without altnames, to
 * the namespace to.
 */
int attach_carry(struct sriov_mover *m, const struct sriov_ref *ref, struct nl_sock *from,
	struct nl_link *l, int to, struct err *e) MUST_CHECK;

/* attach_move_rdma: the RDMA device called name to the namespace to. 1 moved, 0 it is not here. */
int attach_move_rdma(struct sriov_mover *m, struct nl_sock *from, const char *name, int to,
	struct err *e) MUST_CHECK;

#endif
