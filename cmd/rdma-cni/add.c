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

/* The failure that is reported stays the first one. */
static void undo(struct call *c, size_t n)
{
	struct cni_fail why = c->fail;
	char more[sizeof(why.details)] = "";

	call_begin(c, CALL_UNDO_MS);
	log_error("%s", why.e.msg);
	while (n > 0) {
		const struct ledger_entry *en = &taken.entry[--n];

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
	if (more[0] != '\0') {
		memcpy(c->fail.details, more, sizeof(more));
	}
}

static int attach_all(struct call *c, struct sandbox_netns *ns)
{
	struct sriov_pod pod = SRIOV_POD_INIT;
	size_t first = chained(c) ? 1 : 0; /* in a chain another plugin has the default route */
	int r = 0;

	if (sriov_pod_open(&pod, &c->mover, ns, &c->fail.e) < 0) {
		r = call_code(c, CNI_ERR_NETNS);
	}
	for (size_t i = 0; r == 0 && i < taken.n; i++) {
		r = attach_one(c, &pod, &taken.entry[i], &taken.ref[i], first + i, &ifaces[i]);
	}
	r = r < 0 ? r : finish(c, taken.n);
	sriov_pod_close(&pod);
	if (r < 0) {
		undo(c, taken.n);
	}
	return r;
}

static int add_locked(struct call *c, struct wants *w, struct sandbox_netns *ns)
{
	int r;

	if (w->n == 0) {
		return delegate_add(c);
	}
	r = take_vfs(c, w, name_of, ns, &taken);
	return r < 0 ? r : attach_all(c, ns);
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
