/* SPDX-License-Identifier: MIT */
/* DEL: see release.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "call.h"
#include "delegate.h"
#include "ipam.h"
#include "json/value.h"
#include "names.h"
#include "release.h"
#include "wants.h"

/* What IPAM says of addresses that may never have been is no reason to try for ever. */
static void ipam_name(struct call *c, const char *ifname)
{
	const struct ipam_for who = {.type = c->conf.ipam_type,
		.container_id = c->env.container_id,
		.ifname = ifname,
		.netns = c->env.netns};

	if (ipam_del(c, &who, c->conf.name, "") < 0) {
		log_warn("%s: %s", ifname, c->fail.e.msg);
		c->fail = (struct cni_fail)CNI_FAIL_INIT;
	}
}

/*
 * No record says what the pod had: a reboot cleared them, DEL comes again, or there never was
 * anything. IPAM plugins keep their state where a reboot does not clear it, so they are told about
 * every interface that the pod can have had: as many as it asks for, under both kinds of names.
 */
static void ipam_without_record(struct call *c)
{
	static struct wants w;
	char name[IFNAMSIZ];

	if (c->conf.ipam_type[0] == '\0') {
		return;
	}
	if (wants_read(c, &w) < 0) {
		w.n = 0; /* not known any more */
		c->fail = (struct cni_fail)CNI_FAIL_INIT;
	}
	ipam_name(c, c->env.ifname);
	for (size_t i = 1; i < w.n; i++) {
		if (names_primary(c->env.ifname, i, name)) {
			ipam_name(c, name);
		}
	}
	/* prevResult is the whole chain's result here: it does not say whether we are the first. */
	for (size_t i = 0; i < w.n && json_type(c->conf.prev) == JSON_OBJECT; i++) {
		if (names_chained(c->conf.prefix, i, name)) {
			ipam_name(c, name);
		}
	}
}

/*
 * A plugin that hangs, left over from an ADD that was killed, must not keep the pod from ending for
 * ever: each VF has a lock of its own, so only what that plugin may still do is at stake.
 */
static int lock(struct call *c)
{
	if (call_lock(c, c->env.container_id, c->env.ifname) == 0) {
		return 0;
	}
	if (c->fail.e.code != ETIMEDOUT) {
		return -c->fail.e.code;
	}
	log_warn("%s; going on without it", c->fail.e.msg);
	c->fail = (struct cni_fail)CNI_FAIL_INIT;
	return 0;
}

/* An ADD with this configuration would go to the delegate. */
static bool delegable(struct call *c)
{
	static struct wants w;

	if (wants_read(c, &w) < 0) {
		c->fail = (struct cni_fail)CNI_FAIL_INIT;
		return false;
	}
	return w.n == 0;
}

static int release(struct call *c, bool *known)
{
	size_t found = 0;
	bool maybe;
	int r = ledger_open_existing(&c->store, c->node.state_dir, &c->fail.e);

	if (r < 0) {
		return call_code(c, CNI_ERR_IO);
	}
	if (c->store.state >= 0 && lock(c) < 0) {
		return -c->fail.e.code;
	}
	if (r == 1) {
		r = release_all(c, c->env.container_id, c->env.ifname, &found);
	}
	if (r < 0) {
		return r;
	}
	maybe = found == 0 && delegable(c);
	r = delegate_del(c, c->env.container_id, c->env.ifname, maybe);
	*known = r > 0 || found > 0;
	return r;
}

int del_run(struct call *c)
{
	struct cni_fail why = CNI_FAIL_INIT;
	bool known = false;
	int r;

	if (call_node_conf(c) < 0) {
		call_salvage_conf(c, &why);
	}
	r = release(c, &known);
	if (r < 0 || known) {
		return r < 0 ? r : 0;
	}
	if (why.e.code != 0) {
		c->fail = why; /* there may be a record where it says */
		return -why.e.code;
	}
	log_info("no record of %s:%s", c->env.container_id, c->env.ifname);
	ipam_without_record(c);
	return 0;
}
