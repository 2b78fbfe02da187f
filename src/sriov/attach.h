/* SPDX-License-Identifier: MIT */
/* One VF on its way into a pod's network namespace and back. */
#ifndef SRIOV_ATTACH_H
#define SRIOV_ATTACH_H

#include "sandbox/netns.h"
#include "sriov/kernel.h"
#include "sriov/saved.h"

/*
 * Theory of operation
 *
 * A VF's interface is always found by the VF's PCI address, never by a name: in the host namespace
 * through sysfs, in the pod's through IFLA_PARENT_DEV_NAME (Linux 5.14) of its few interfaces. On
 * its way it carries a name made of the PCI address ("frl" and hexadecimal digits), which nobody
 * else has, and no altnames, so that it clashes with nothing on either side. Every step looks at
 * what is there first and does what is missing: a step that was done, half or whole, by a process
 * that was killed is simply done again.
 *
 * ADD: sriov_ref_of, sriov_vf_read (then the ledger entry is stored), sriov_vf_prepare,
 *	sriov_vf_move_in, the caller's own work in the namespace, sriov_vf_read for the record.
 * DEL: sriov_ref_find, sriov_vf_return. Also to undo an ADD, from any of its steps.
 *
 * The kernel's -EBUSY and -EAGAIN are tried again until deadline_ms, with growing pauses. The
 * caller sees to it that nobody else works on the same VF (ledger/lock.h).
 */
struct sriov_mover {
	struct sriov_kernel *k;    /* opened in the host namespace; the caller's */
	struct sandbox_netns home; /* the host namespace */
	int64_t deadline_ms;       /* clock_ms time; may be set anew between calls */
	bool rdma_exclusive;       /* RDMA devices move, too */
	bool trust, spoofchk;      /* the node's policy for VFs at work */
	bool (*lent)(void *arg, const struct pci_addr *vf); /* see sriov_vf_return; may be NULL */
	void *arg;
	struct nl_link pf; /* as sriov_vf_read found it last */
	/*
	 * After sriov_vf_prepare or sriov_vf_move_in has failed: whether it was over what is asked
	 * for, which another VF of the same PF would not be given either.
	 */
	bool asked_too_much;
	/*
	 * The interface that sriov_vf_prepare has just prepared, of the VF at seen_at; ifindex 0:
	 * none.
	 */
	struct nl_link seen;
	struct pci_addr seen_at;
};

int sriov_mover_open(struct sriov_mover *m, struct sriov_kernel *k, int64_t deadline_ms,
	struct err *e) MUST_CHECK;
void sriov_mover_close(struct sriov_mover *m);

/* A pod's network namespace with sockets in it; route is for the caller's requests, too. */
struct sriov_pod {
	struct sandbox_netns ns;
	struct nl_sock route;
	struct nl_sock rdma; /* open in exclusive mode only */
};

#define SRIOV_POD_INIT                                                                             \
	{                                                                                          \
		.ns = SANDBOX_NETNS_INIT, .route = NL_SOCK_INIT, .rdma = NL_SOCK_INIT              \
	}

/*
 * sriov_pod_open: open sockets in ns, which is taken over (also on failure). -EINVAL: it is the
 * host's own.
 */
int sriov_pod_open(struct sriov_pod *pod, const struct sriov_mover *m, struct sandbox_netns *ns,
	struct err *e) MUST_CHECK;
void sriov_pod_close(struct sriov_pod *pod);

/* Where a VF is now. */
struct sriov_ref {
	struct pci_addr pci;
	uint32_t vf;
	char pf[IFNAMSIZ]; /* empty: not in the host namespace; what it sets is then left alone */
	uint32_t pf_ifindex;
	char pf_driver[SRIOV_NAME_MAX];
};

/* sriov_ref_of: of a VF of the model. -ENOTSUP: it has no function of its own (netdevsim). */
int sriov_ref_of(const struct sriov_pf *pf, const struct sriov_vf *vf, struct sriov_ref *out,
	struct err *e) MUST_CHECK;

/* sriov_ref_find: by PCI address, from sysfs. -ENODEV: there is no such VF (any more). */
int sriov_ref_find(struct sriov_mover *m, const struct pci_addr *pci, struct sriov_ref *out,
	struct err *e) MUST_CHECK;

/*
 * sriov_vf_read: every setting of the VF as it is now. The interface is looked for in the host
 * namespace if pod is NULL, else in the pod's; where it is not there, SRIOV_HAS_NETDEV and
 * SRIOV_HAS_MAC are missing (and the call succeeds). Constant cost: one request for the PF with
 * its VFs, one for the interface (in the pod: a dump of the pod's interfaces), three to five for
 * the RDMA device where there is RDMA.
 *
 * A name that the kernel gave in an emergency ("dev5": the interface came back from a namespace
 * that died) is reported as it is in the pod, and in the host namespace as the name it ought to
 * have, "<pf>v<index>", if that is free and short enough; so that putting back what was read here
 * repairs it. Of more than SRIOV_ALTNAMES_MAX altnames only the first ones are reported.
 */
int sriov_vf_read(struct sriov_mover *m, const struct sriov_ref *ref, struct sriov_pod *pod,
	struct sriov_saved *out, struct err *e) MUST_CHECK;

/*
 * sriov_vf_read_seen: the same of a VF whose state, netdev and RDMA device were just read from
 * sysfs and that is in the host namespace (sriov_survey_look, sriov_node_read): two requests.
 */
int sriov_vf_read_seen(struct sriov_mover *m, const struct sriov_ref *ref,
	const struct sriov_vf *vf, struct sriov_saved *out, struct err *e) MUST_CHECK;

/* What the pod is to get. */
struct sriov_want {
	uint32_t min_tx_rate, max_tx_rate; /* Mb/s, 0 none */
	bool account_min;                  /* the minimum is for accounting: not set on the VF */
	uint32_t vlan, qos;                /* vlan 0: none */
	uint16_t vlan_proto;               /* NL_VLAN_*; 0: 802.1Q */
	bool has_mac;
	uint8_t mac[6]; /* else: the VF's own, administrative or derived (vfid.h) */
	uint32_t mtu;   /* 0: the PF's */
};

/*
 * sriov_vf_prepare: sanitise and configure the VF, whose interface is in the host namespace. now
 * is what sriov_vf_read has just given. Whatever a previous user left goes: VLAN, rates, link state
 * (auto), trust and spoof check (the mover's policy), promiscuous and allmulticast, MTU, MAC of the
 * interface other than the administrative one. Then want. Only what differs is set, a request each;
 * settings that neither driver reports nor want asks for are passed over.
 *
 * -errno with a message that names driver, PF, VF, setting and the kernel's reason, and for rates
 * the driver's known limit, when something that want asks for is refused. What was set until then
 * stays set: sriov_vf_return undoes it.
 */
int sriov_vf_prepare(struct sriov_mover *m, const struct sriov_ref *ref,
	const struct sriov_saved *now, const struct sriov_want *want, struct err *e) MUST_CHECK;

/*
 * sriov_vf_move_in: the interface (and in exclusive mode the RDMA device) from the host namespace
 * into the pod's, where it gets the name ifname and stays down. Also when an earlier try has
 * moved it already. *ifindex is its index there. -EEXIST: the pod has an interface ifname (looked
 * for before anything is moved). -ENODEV: the VF's interface is in neither namespace.
 */
int sriov_vf_move_in(struct sriov_mover *m, const struct sriov_ref *ref,
	const struct sriov_saved *now, struct sriov_pod *pod, const char *ifname, uint32_t *ifindex,
	struct err *e) MUST_CHECK;

/*
 * sriov_vf_rdma_there: whether the RDMA device called name is where the pod can use it: in
 * exclusive mode in the pod's namespace, in shared mode the VF's, in any. 1 or 0.
 */
int sriov_vf_rdma_there(struct sriov_mover *m, const struct sriov_ref *ref, struct sriov_pod *pod,
	const char *name, struct err *e) MUST_CHECK;

/* How a return ended, beyond success. */
struct sriov_returned {
	uint32_t refused; /* settings that the driver did not take back; each was logged */
	bool renamed;     /* not under its old name: that is taken; which one was logged */
	char netdev[IFNAMSIZ];
};

/*
 * sriov_vf_return: the interface back into the host namespace, every setting as in old, its name
 * last, so that who waits for the name sees it whole. pod NULL: the pod's namespace is gone. When
 * the interface is in neither namespace the kernel is still about to bring it back from one that
 * died: waits for it until the deadline, then -EBUSY. A VF that has lost its driver meanwhile is
 * offered to the kernel's drivers again. Nothing to do is success. Settings that the driver refuses
 * are logged, counted and do not stop it.
 *
 * Two errors say that trying again is of no use: -ENODEV: the VF itself is gone, and nothing is
 * left to be done. -ENXIO: it is there and cannot be put back: without a driver, also after the
 * kernel was asked to find one; bound to one without interfaces (vfio); or its PF's driver does not
 * describe it.
 *
 * The old name can be taken by another VF's interface that came back from a dead namespace under
 * that name. If m->lent says of that VF that it is lent (its name is on record), it is given its
 * temporary name. Otherwise the interface is called "<pf>v<index>", or keeps the temporary name.
 *
 * old->has == 0 (the record was damaged) puts defaults back: the name "<pf>v<index>", no VLAN, no
 * rates, link state auto, the mover's policy for trust and spoof check.
 */
int sriov_vf_return(struct sriov_mover *m, const struct sriov_ref *ref,
	const struct sriov_saved *old, struct sriov_pod *pod, struct sriov_returned *out,
	struct err *e) MUST_CHECK;

#endif
