/* SPDX-License-Identifier: MIT */
/* See attach.h. */
#include "attach.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/ip.h>

#include "base/clock.h"
#include "base/log.h"
#include "cni/addr.h"
#include "ipam.h"
#include "nl/announce.h"
#include "nl/neigh.h"

/* One attachment on its way, so that the steps below have short signatures. */
struct work {
	struct call *c;
	struct sriov_pod *pod;
	const struct taken_vf *vf;
	struct ledger_entry *en; /* of vf */
	const struct sriov_ref *ref;
	const struct sriov_saved *now;
	size_t rank;
	uint32_t ifindex;
	struct cni_iface *out;
	int in_r; /* what became of bring_in_and_up; its failure, while IPAM ran */
	struct cni_fail in_fail;
};

static int store(struct work *w, enum ledger_phase phase)
{
	w->en->phase = phase;
	if (ledger_store_entry(&w->c->store, w->en, &w->c->fail.e) < 0) {
		return call_code(w->c, CNI_ERR_IO);
	}
	return 0;
}

/*
 * ADD fails, and IPAM was never executed: undoing must not depend on it. Until here the record says
 * that it may have run, for a kill may come at any time. What is reported is what failed before.
 */
static int without_ipam(struct work *w, int r)
{
	struct cni_fail why = w->c->fail;

	w->en->ipam[0] = '\0';
	if (store(w, w->en->phase) < 0) {
		log_warn("%s", w->c->fail.e.msg);
	}
	w->c->fail = why;
	return r;
}

static int device(struct work *w, const char *step)
{
	(void)err_wrap(&w->c->fail.e, "%s", step);
	return call_code(w->c, CNI_ERR_DEVICE);
}

/* The same where another VF would perhaps not fail. */
static int device_alone(struct work *w, const char *step)
{
	w->c->sick_vf = true;
	return device(w, step);
}

/* The VF as the pod is to have it, in the pod's namespace. */
static int bring_in(struct work *w)
{
	const struct cni_conf *conf = &w->c->conf;
	struct sriov_want want = {.min_tx_rate = w->en->min_tx_rate,
		.max_tx_rate = w->en->max_tx_rate,
		.account_min = conf->account_min,
		.vlan = conf->vlan,
		.qos = conf->qos,
		.vlan_proto = conf->vlan_proto,
		.mtu = conf->mtu};
	struct sriov_mover *m = &w->c->mover;
	struct err *e = &w->c->fail.e;

	m->deadline_ms = call_until(w->c, CALL_KERNEL_MS);
	if (sriov_vf_prepare(m, w->ref, w->now, &want, e) < 0) {
		return m->asked_too_much ? device(w, "configure") : device_alone(w, "configure");
	}
	if (sriov_vf_move_in(m, w->ref, w->now, w->pod, w->en->ifname, &w->ifindex, e) < 0) {
		return m->asked_too_much ? device(w, "move") : device_alone(w, "move");
	}
	return 0;
}

const struct nl_devconf attach_arp[ATTACH_ARP_N] = {
	{IPV4_DEVCONF_ARP_IGNORE, 1},
	{IPV4_DEVCONF_ARP_ANNOUNCE, 2},
	{IPV4_DEVCONF_RP_FILTER, 2},
};

static int set_up(struct work *w)
{
	struct err *e = &w->c->fail.e;

	if (nl_devconf_set(&w->pod->route, w->ifindex, attach_arp, ATTACH_ARP_N, e) < 0) {
		return device_alone(w, "ARP settings");
	}
	if (nl_link_set_up(&w->pod->route, w->ifindex, true, e) < 0) {
		return device_alone(w, "set up");
	}
	return 0;
}

static int add_addrs(struct work *w)
{
	const struct cni_ipam *ip = &w->out->ip;
	struct buf b;

	ASSERT(ip->ip_n <= LEDGER_ADDRS_MAX);
	for (size_t i = 0; i < ip->ip_n; i++) {
		if (nl_addr_add(&w->pod->route, w->ifindex, &ip->ip[i].addr, &w->c->fail.e) < 0) {
			return device(w, "address");
		}
		buf_init(&b, w->en->addr[i], LEDGER_ADDR_CAP - 1);
		cni_net_write(&b, &ip->ip[i].addr);
		w->en->addr[i][b.n] = '\0';
		w->en->addr_n = i + 1;
	}
	return 0;
}

static bool same_route(const struct cni_route *a, const struct cni_route *b)
{
	return a->dst.family == b->dst.family && a->dst.prefix == b->dst.prefix &&
	       memcmp(a->dst.ip, b->dst.ip, sizeof(a->dst.ip)) == 0 && a->priority == b->priority &&
	       a->table == b->table;
}

static int add_route(struct work *w, const struct cni_route *r)
{
	const struct nl_ip *gw = cni_ipam_gw(&w->out->ip, r);
	struct nl_route n = {.dst = r->dst,
		.ifindex = w->ifindex,
		.metric = r->priority,
		.mtu = r->mtu,
		.advmss = r->advmss,
		.table = r->table,
		.has_scope = r->has_scope,
		.scope = r->scope};

	if (gw != NULL) {
		n.has_gw = true;
		n.gw = *gw;
	}
	return nl_route_add(&w->pod->route, &n, &w->c->fail.e);
}

/* gw: of the route that is there, NULL for none. */
static void note_route(struct work *w, const struct cni_route *r, const struct nl_ip *gw)
{
	struct ledger_route *to = &w->en->route[w->en->route_n++];
	struct buf b;

	_Static_assert(CNI_ROUTES_MAX <= LEDGER_ROUTES_MAX, "all are on record");
	buf_init(&b, to->dst, sizeof(to->dst) - 1);
	cni_net_write(&b, &r->dst);
	to->dst[b.n] = '\0';
	buf_init(&b, to->gw, sizeof(to->gw) - 1);
	if (gw != NULL) {
		cni_ip_write(&b, gw);
	}
	to->gw[b.n] = '\0';
	to->metric = r->priority;
	to->table = r->table;
}

static int add_routes(struct work *w)
{
	struct cni_ipam *ip = &w->out->ip;

	cni_ipam_rank(ip, (uint32_t)w->rank);
	for (size_t i = 0; i < ip->route_n; i++) {
		const struct cni_route *r = &ip->route[i];
		bool again = false;

		for (size_t k = 0; k < i; k++) {
			again = again || same_route(&ip->route[k], r);
		}
		if (again) {
			continue;
		}
		if (add_route(w, r) < 0) {
			if (w->c->fail.e.code != EEXIST || !cni_ipam_connected(ip, r)) {
				return device(w, "route");
			}
			w->c->fail = (struct cni_fail)CNI_FAIL_INIT;
			note_route(w, r, NULL); /* the kernel made it */
			continue;
		}
		note_route(w, r, cni_ipam_gw(ip, r));
	}
	return 0;
}

static void announce_frames(struct work *w)
{
	struct err e;
	cleanup_fd int fd =
		sandbox_netns_socket(&w->pod->ns, &w->c->mover.home, AF_PACKET, SOCK_RAW, 0, &e);

	for (size_t i = 0; fd >= 0 && i < w->out->ip.ip_n; i++) {
		if (nl_announce(fd, w->ifindex, &w->out->ip.ip[i].addr, w->out->mac, &e) < 0) {
			log_debug("%s is not announced: %s", w->en->ifname, e.msg);
		}
	}
	if (fd < 0) {
		log_warn("%s is not announced: %s", w->en->ifname, e.msg);
	}
}

/* Neighbours may still have the MAC of the address's last user. Nothing fails over it. */
static void announce(struct work *w)
{
	const struct cni_ipam *ip = &w->out->ip;
	struct err e;

	if (ip->ip_n == 1 && ip->ip[0].addr.family == AF_INET) {
		if (nl_neigh_announce(&w->pod->route, w->ifindex, &ip->ip[0].addr, &e) < 0) {
			log_debug("%s is not announced: %s", w->en->ifname, e.msg);
		}
	} else if (ip->ip_n > 0) {
		announce_frames(w);
	}
}

static int bring_in_and_up(struct work *w)
{
	int r = bring_in(w);

	return r < 0 ? r : set_up(w);
}

static void meanwhile(void *arg)
{
	struct work *w = arg;

	w->in_r = bring_in_and_up(w);
	w->in_fail = w->c->fail;
	w->c->fail = (struct cni_fail)CNI_FAIL_INIT;
}

static int get_addrs(struct work *w)
{
	bool ran = false; /* then ipam_add has failed */
	const struct ipam_for who = {.type = w->en->ipam,
		.container_id = w->en->container_id,
		.ifname = w->en->ifname,
		.netns = w->c->env.netns,
		.meanwhile = ipam_apart(w->en->ipam) ? meanwhile : NULL,
		.arg = w,
		.ran = &ran};
	int r = ipam_add(w->c, &who, &w->out->ip);

	if (w->in_r < 0) {
		w->c->fail = w->in_fail;
		r = w->in_r;
	}
	if (!ran) {
		return without_ipam(w, r);
	}
	r = r < 0 ? r : add_addrs(w);
	return r < 0 ? r : add_routes(w);
}

/* IPAM needs longer than anything else: what can be done beside it is done meanwhile. */
static int bring_in_with_addrs(struct work *w)
{
	int r = ipam_apart(w->en->ipam) ? 0 : bring_in_and_up(w);

	if (w->en->ipam[0] == '\0') {
		return r;
	}
	return r < 0 ? without_ipam(w, r) : get_addrs(w);
}

static int look(struct work *w)
{
	struct sriov_saved *now = &w->en->applied;
	struct buf b;

	if (sriov_vf_read(&w->c->mover, w->ref, w->pod, now, &w->c->fail.e) < 0) {
		return device(w, "read back");
	}
	if ((now->has & SRIOV_HAS_NETDEV) == 0) {
		return cni_fail_set(&w->c->fail, CNI_ERR_DEVICE, ENODEV,
			"the interface has left the pod's namespace");
	}
	memcpy(now->rdma, w->now->rdma, sizeof(now->rdma));
	w->en->has_applied = true;
	memcpy(w->out->name, w->en->ifname, sizeof(w->out->name));
	memcpy(w->out->mac, now->mac, sizeof(w->out->mac));
	w->out->mtu = now->mtu;
	buf_init(&b, w->out->pci, sizeof(w->out->pci) - 1);
	buf_add_pci(&b, &w->ref->pci);
	w->out->pci[b.n] = '\0';
	return 0;
}

static int attach(struct work *w)
{
	static struct ledger_entry now; /* large */
	int r;

	/* Whoever held the lock before may have been a DEL that took the record back. */
	r = ledger_confirm(&w->c->store, w->en, &now, &w->c->fail.e);
	if (r < 0) {
		return call_not_now(w->c, r);
	}
	r = take_check_alone(w->c, w->vf);
	r = r < 0 ? r : store(w, LEDGER_ATTACHING);
	r = r < 0 ? r : bring_in_with_addrs(w);
	r = r < 0 ? r : look(w);
	if (r == 0) {
		announce(w);
		r = store(w, LEDGER_ATTACHED);
	}
	return r;
}

int attach_one(struct call *c, struct sriov_pod *pod, struct taken_vf *vf, size_t rank,
	struct cni_iface *out)
{
	struct ledger_entry *en = &vf->entry;
	struct work w = {.c = c,
		.pod = pod,
		.vf = vf,
		.en = en,
		.ref = &vf->ref,
		.now = &vf->now,
		.rank = rank,
		.out = out};
	cleanup_fd int lock =
		ledger_lock_vf(c->store.state, &en->pci, call_until(c, CALL_LOCK_MS), &c->fail.e);
	int r;

	memset(out, 0, sizeof(*out));
	r = lock < 0 ? call_not_now(c, lock) : attach(&w);
	if (r < 0) {
		(void)err_wrap(&c->fail.e, "%s, VF %u of %s", en->ifname, (unsigned)en->vf, en->pf);
		return -c->fail.e.code;
	}
	log_info("%s is VF %u of %s, min %u max %u Mb/s%s%s", en->ifname, (unsigned)en->vf, en->pf,
		(unsigned)en->min_tx_rate, (unsigned)en->max_tx_rate,
		en->addr_n > 0 ? ", address " : "", en->addr_n > 0 ? en->addr[0] : "");
	return 0;
}
