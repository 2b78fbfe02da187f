/* SPDX-License-Identifier: MIT */
/* CHECK: whether everything still is as ADD left it. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "attach.h"
#include "check.h"
#include "cni/addr.h"
#include "delegate.h"
#include "ipam.h"
#include "wants.h"

/* One call a process; static because of their size. */
static struct ledger_entry entry;
static char ids[LEDGER_EACH_MEM];

struct check {
	struct call *c;
	struct sriov_pod *pod;
	uint32_t ifindex; /* of the interface */
	size_t n;         /* records seen ... */
	uint32_t want_n;  /* ... of so many; 0: not known */
};

/* The addresses of an interface that are on record. */
struct addrs {
	uint32_t seen; /* bit i: entry.addr[i] */
};

static int see(uint32_t ifindex, const struct nl_ip *ip, void *arg, struct err *e)
{
	struct addrs *a = arg;
	struct nl_ip want;

	(void)ifindex;
	(void)e;
	for (size_t i = 0; i < entry.addr_n; i++) {
		if (cni_net_parse(str_from(entry.addr[i]), &want) && want.prefix == ip->prefix &&
			cni_ip_same(&want, ip)) {
			a->seen |= 1u << i;
		}
	}
	return 0;
}

static void see_again(void *arg)
{
	struct addrs *a = arg;

	a->seen = 0;
}

PRINTF_LIKE(2, 3) static int differs(struct call *c, const char *fmt, ...)
{
	char what[200];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, ap); /* cut when too long */
	va_end(ap);
	return cni_fail_set(&c->fail, CNI_ERR_CHECK, EINVAL, "%s, VF %u of %s: %s", entry.ifname,
		(unsigned)entry.vf, entry.pf, what);
}

static int check_addrs(struct check *k)
{
	struct addrs a = {0};
	const struct nl_addr_visitor v = {.addr = see, .restart = see_again, .arg = &a};

	if (nl_addr_list(&k->pod->route, k->ifindex, &v, &k->c->fail.e) < 0) {
		return call_code(k->c, CNI_ERR_CHECK);
	}
	for (size_t i = 0; i < entry.addr_n; i++) {
		if ((a.seen & (1u << i)) == 0) {
			return differs(k->c, "address %s is missing", entry.addr[i]);
		}
	}
	return 0;
}

static int check_arp(struct check *k)
{
	static const char *const names[ATTACH_ARP_N] = {"arp_ignore", "arp_announce", "rp_filter"};
	struct nl_devconf now[ATTACH_ARP_N];

	memcpy(now, attach_arp, sizeof(now));
	if (nl_devconf_get(&k->pod->route, k->ifindex, now, ATTACH_ARP_N, &k->c->fail.e) < 0) {
		return call_code(k->c, CNI_ERR_CHECK);
	}
	for (size_t i = 0; i < ATTACH_ARP_N; i++) {
		if (now[i].value != attach_arp[i].value) {
			return differs(k->c, "%s is %u, not %u", names[i], (unsigned)now[i].value,
				(unsigned)attach_arp[i].value);
		}
	}
	return 0;
}

static int check_rdma(struct check *k, const struct sriov_ref *ref)
{
	const char *name = entry.applied.rdma;
	int r;

	if (name[0] == '\0') {
		return 0;
	}
	r = sriov_vf_rdma_there(&k->c->mover, ref, k->pod, name, &k->c->fail.e);
	if (r < 0) {
		return call_code(k->c, CNI_ERR_CHECK);
	}
	return r > 0 ? 0
		     : differs(k->c, "RDMA device %s is not %s", name,
			       k->c->mover.rdma_exclusive ? "in the pod's namespace"
							  : "the VF's any more");
}

static int check_altnames(struct check *k, const struct sriov_saved *now)
{
	const struct sriov_saved *want = &entry.applied;

	for (size_t i = 0; i < want->altname_n || i < now->altname_n; i++) {
		const char *has = i < now->altname_n ? now->altname[i] : "none",
			   *had = i < want->altname_n ? want->altname[i] : "none";

		if (strcmp(has, had) != 0) {
			return differs(k->c, "alternative name is %.60s, not %.60s", has, had);
		}
	}
	return 0;
}

static int check_vf(struct check *k)
{
	static struct sriov_saved now;
	struct sriov_mover *m = &k->c->mover;
	struct sriov_ref ref;
	uint32_t lost;
	char text[160];
	int r;

	if (sriov_ref_find(m, &entry.pci, &ref, &k->c->fail.e) < 0 ||
		sriov_vf_read(m, &ref, k->pod, &now, &k->c->fail.e) < 0) {
		return call_code(k->c, CNI_ERR_CHECK);
	}
	if ((now.has & SRIOV_HAS_NETDEV) == 0) {
		return differs(k->c, "the interface is not in the pod's namespace");
	}
	if (!entry.has_applied) {
		return differs(k->c, "the record does not say what it was like");
	}
	if (sriov_saved_diff(&entry.applied, &now, UINT32_MAX, text, sizeof(text))) {
		return differs(k->c, "%s", text);
	}
	lost = entry.applied.has & ~now.has;
	if (lost != 0) {
		return differs(k->c, "the %s is not reported any more",
			sriov_saved_name(lost & (~lost + 1)));
	}
	r = check_altnames(k, &now);
	return r < 0 ? r : check_rdma(k, &ref);
}

static int check_ipam(struct check *k)
{
	const struct ipam_for who = {.type = entry.ipam,
		.container_id = entry.container_id,
		.ifname = entry.ifname,
		.netns = k->c->env.netns};

	if (entry.ipam[0] == '\0' || strcmp(entry.ipam, k->c->conf.ipam_type) != 0) {
		return 0;
	}
	return ipam_run(k->c, CNI_CHECK, &who, k->c->text);
}

/* It has the recorded name, as was just seen. */
static int find_index(struct check *k)
{
	struct nl_link link;

	if (nl_link_get_name(&k->pod->route, entry.ifname, &link, &k->c->fail.e) < 0) {
		return call_code(k->c, CNI_ERR_CHECK);
	}
	k->ifindex = link.ifindex;
	return 0;
}

static int check_one(void *arg, struct str container_id, struct str ifname, struct err *e)
{
	struct check *k = arg;
	struct call *c = k->c;
	int r = ledger_load(&c->store, container_id, ifname, &entry, &c->fail.e);

	(void)e; /* what went wrong is in the call */
	if (r < 0) {
		return call_code(c, CNI_ERR_CHECK);
	}
	if (strcmp(entry.request, c->env.ifname) != 0) {
		return 0; /* another network's */
	}
	k->n++;
	k->want_n = entry.request_n;
	if (entry.phase != LEDGER_ATTACHED) {
		return differs(c, "%s", ledger_phase_name(entry.phase));
	}
	if (entry.netns_inode != k->pod->ns.inode) {
		return differs(c, "CNI_NETNS is another network namespace than at ADD");
	}
	r = check_vf(k);
	r = r < 0 ? r : find_index(k);
	r = r < 0 ? r : check_arp(k);
	r = r < 0 ? r : check_addrs(k);
	r = r < 0 ? r : check_routes(c, k->pod, k->ifindex, &entry);
	r = r < 0 ? r : check_prev(c, &entry);
	return r < 0 ? r : check_ipam(k);
}

static int check_pod(struct call *c, struct sandbox_netns *ns)
{
	static struct wants w;
	struct sriov_pod pod = SRIOV_POD_INIT;
	struct check k = {.c = c, .pod = &pod};
	struct err e = ERR_INIT;
	int r = sriov_pod_open(&pod, &c->mover, ns, &c->fail.e);

	r = r < 0 ? call_code(c, CNI_ERR_NETNS)
		  : ledger_each(&c->store, str_from(c->env.container_id), ids, check_one, &k, &e);
	sriov_pod_close(&pod);
	if (r < 0) {
		if (c->fail.e.code == 0) {
			c->fail.e = e;
		}
		return call_code(c, CNI_ERR_CHECK);
	}
	if (k.want_n > k.n) {
		return cni_fail_set(&c->fail, CNI_ERR_CHECK, ENOENT,
			"only %zu of the %u interfaces of this attachment are on record", k.n,
			(unsigned)k.want_n);
	}
	r = k.n == 0 ? delegate_check(c) : 1;
	if (r != 0) {
		return r < 0 ? r : 0;
	}
	r = wants_read(c, &w);
	if (r == 0 && w.n > 0) {
		return cni_fail_set(&c->fail, CNI_ERR_CHECK, ENOENT,
			"no record of the %zu interfaces that the pod asks for", w.n);
	}
	return r;
}

int check_run(struct call *c)
{
	struct sandbox_netns ns = SANDBOX_NETNS_INIT;
	int r = call_node_conf(c);

	if (r < 0) {
		return r;
	}
	if (json_type(c->conf.prev) != JSON_OBJECT) {
		return cni_fail_set(&c->fail, CNI_ERR_CONFIG, EINVAL, "CHECK needs prevResult");
	}
	if (ledger_open(&c->store, c->node.state_dir, &c->fail.e) < 0) {
		return call_code(c, CNI_ERR_IO);
	}
	r = call_lock(c, c->env.container_id, c->env.ifname);
	r = r < 0 ? r : call_mover(c);
	if (r < 0) {
		return r;
	}
	c->mover.deadline_ms = call_until(c, CALL_KERNEL_MS);
	if (sandbox_netns_open(&ns, c->env.netns, &c->fail.e) < 0) {
		(void)err_wrap(&c->fail.e, "CNI_NETNS");
		return call_code(c, CNI_ERR_NETNS);
	}
	return check_pod(c, &ns);
}
