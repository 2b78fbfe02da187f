/* SPDX-License-Identifier: MIT */
/*
 * ADD.
 *
 * Theory of operation. Under the node's lock VFs are chosen and recorded as "planned" (take.c).
 * Without it each of them becomes an interface (attach.c), in order. What goes wrong on the way is
 * undone from the records, the last one first, by what DEL does (release.c): there is one way
 * back, and a kill at any point leaves records that this way starts from.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "attach.h"
#include "base/clock.h"
#include "base/log.h"
#include "call.h"
#include "delegate.h"
#include "names.h"
#include "release.h"
#include "take.h"
#include "wants.h"

/* One call a process; static because of their size. */
static struct taken taken;
static struct cni_iface ifaces[PLACE_REQ_MAX];

static bool chained(const struct call *c)
{
	return json_type(c->conf.prev) == JSON_OBJECT;
}

static bool name_of(const struct call *c, size_t i, char out[IFNAMSIZ])
{
	return chained(c) ? names_chained(c->conf.prefix, i, out)
			  : names_primary(c->env.ifname, i, out);
}

static int finish(struct call *c, size_t n)
{
	const struct cni_result r = {.version = c->conf.version,
		.prev = c->conf.prev,
		.sandbox = c->env.netns,
		.iface = ifaces,
		.iface_n = n,
		.dns = c->conf.dns};

	cni_result_write(&c->out, &r);
	return buf_ok(&c->out) ? 0
			       : cni_fail_set(&c->fail, CNI_ERR_CONFIG, EMSGSIZE,
					 "the result would be longer than %zu bytes", c->out.cap);
}

static int open_netns(struct call *c, struct sandbox_netns *ns)
{
	struct sandbox_netns own = SANDBOX_NETNS_INIT;
	bool same;

	if (sandbox_netns_open(ns, c->env.netns, &c->fail.e) < 0) {
		(void)err_wrap(&c->fail.e, "CNI_NETNS");
		return call_code(c, CNI_ERR_NETNS);
	}
	if (sandbox_netns_self(&own, &c->fail.e) < 0) {
		return call_code(c, CNI_ERR_IO);
	}
	same = sandbox_netns_same(ns, &own);
	sandbox_netns_close(&own);
	if (same) {
		return cni_fail_set(&c->fail, CNI_ERR_NETNS, EINVAL,
			"CNI_NETNS %.128s is the host's own network namespace", c->env.netns);
	}
	return 0;
}

/* The failure that is reported stays the first one. false: not all is undone. */
static bool undo(struct call *c, size_t n)
{
	struct cni_fail why = c->fail;
	char more[sizeof(why.details)] = "";
	int64_t deadline = c->deadline_ms;

	call_begin(c, CALL_UNDO_MS);
	if (!c->sick_vf) {
		log_error("%s", why.e.msg); /* else it is told by who tries another one */
	}
	while (n > 0) {
		const struct ledger_entry *en = &taken.vf[--n].entry;

		c->fail = (struct cni_fail)CNI_FAIL_INIT;
		if (release_one(c, en->container_id, en->ifname) < 0) {
			log_error("undoing %s: %s", en->ifname, c->fail.e.msg);
			(void)snprintf(more, sizeof(more),
				"%.200s%sundoing %s failed, DEL has to finish it: %.200s",
				why.details, why.details[0] != '\0' ? "; " : "", en->ifname,
				c->fail.e.msg);
		}
	}
	c->fail = why;
	c->deadline_ms = deadline;
	if (more[0] != '\0') {
		memcpy(c->fail.details, more, sizeof(more));
	}
	return more[0] == '\0';
}

/* ns becomes pod, the first time. */
static int attach_all(struct call *c, struct sandbox_netns *ns, struct sriov_pod *pod)
{
	size_t first = chained(c) ? 1 : 0; /* in a chain another plugin has the default route */
	int r = 0;

	if (ns->fd >= 0 && sriov_pod_open(pod, &c->mover, ns, &c->fail.e) < 0) {
		r = call_code(c, CNI_ERR_NETNS);
	}
	for (size_t i = 0; r == 0 && i < taken.n; i++) {
		taken.failed = i;
		r = attach_one(c, pod, &taken.vf[i], first + i, &ifaces[i]);
	}
	r = r < 0 ? r : finish(c, taken.n);
	if (r < 0 && !undo(c, taken.n)) {
		c->sick_vf = false; /* first things first: DEL */
	}
	return r;
}

/* Whether it is worth while to try without the VF that has failed. */
static bool leave_out(struct call *c)
{
	const struct ledger_entry *en = &taken.vf[taken.failed].entry;

	if (!c->sick_vf || taken.sick_n == TAKE_SICK_MAX ||
		clock_ms() + CALL_KERNEL_MS >= c->deadline_ms) {
		return false;
	}
	taken.sick[taken.sick_n++] = en->pci;
	log_warn("VF %u of %s cannot be used, another one is tried: %s", (unsigned)en->vf, en->pf,
		c->fail.e.msg);
	return true;
}

/*
 * A VF that a former user has ruined, or that is out of order, is no reason for the pod to fail as
 * long as there are others: placement is done again without it. If that ends badly, the first
 * reason is what is reported.
 */
static int add_vfs(struct call *c, struct wants *w, struct sandbox_netns *ns)
{
	struct sriov_pod pod = SRIOV_POD_INIT;
	struct cni_fail first = CNI_FAIL_INIT;
	int r;

	do {
		first = taken.sick_n == 1 ? c->fail : first;
		c->fail = (struct cni_fail)CNI_FAIL_INIT;
		r = take_vfs(c, w, name_of, ns->fd >= 0 ? ns : &pod.ns, &taken);
		r = r < 0 ? r : attach_all(c, ns, &pod);
	} while (r < 0 && leave_out(c));
	sriov_pod_close(&pod);
	if (r < 0 && taken.sick_n > 0) {
		log_error("%s", c->fail.e.msg);
		c->fail = first;
	}
	return r < 0 ? -c->fail.e.code : 0;
}

static int add_locked(struct call *c, struct wants *w, struct sandbox_netns *ns)
{
	return w->n == 0 ? delegate_add(c) : add_vfs(c, w, ns);
}

static int add_open(struct call *c, struct wants *w, struct sandbox_netns *ns)
{
	int r;

	if (w->n == 0 && (chained(c) || c->conf.delegate_type[0] == '\0')) {
		log_info("no RDMA interface is asked for (%s)", w->source);
		return finish(c, 0);
	}
	if (ledger_open(&c->store, c->node.state_dir, &c->fail.e) < 0) {
		return call_code(c, CNI_ERR_IO);
	}
	r = call_lock(c, c->env.container_id, c->env.ifname);
	return r < 0 ? r : add_locked(c, w, ns);
}

int add_run(struct call *c)
{
	static struct wants w;
	struct sandbox_netns ns = SANDBOX_NETNS_INIT;
	int r = call_node_conf(c);

	if (r == 0 && chained(c)) {
		r = cni_prev_check(c->conf.prev, c->conf.version, &c->fail);
	}
	r = r < 0 ? r : wants_read(c, &w);
	r = r < 0 ? r : open_netns(c, &ns);
	r = r < 0 ? r : add_open(c, &w, &ns);
	sandbox_netns_close(&ns);
	return r;
}

void add_undo(struct call *c)
{
	const char *id = c->env.container_id, *ifname = c->env.ifname;
	size_t found = 0;
	int r;

	if (c->store.state < 0) {
		return; /* no interface was asked for */
	}
	call_begin(c, CALL_UNDO_MS);
	r = release_all(c, id, ifname, &found);
	r = r < 0 ? r : delegate_del(c, id, ifname, false);
	if (r < 0) {
		log_error("undoing: %s", c->fail.e.msg); /* the runtime's DEL will try again */
	}
}
