/* SPDX-License-Identifier: MIT */
/* GC: take back what no valid attachment has. */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "call.h"
#include "cni/rewrite.h"
#include "delegate.h"
#include "ipam.h"
#include "release.h"

/* An interface on record, and the attachment it belongs to. */
struct held {
	char container_id[LEDGER_ID_MAX + 1];
	char ifname[IFNAMSIZ], request[IFNAMSIZ];
};

/* One call a process; static because of their size. */
static struct cni_valid valid[CNI_VALID_MAX];
static size_t valid_n;
static struct cni_valid wide[CNI_VALID_MAX + LEDGER_MAX]; /* valid, interface by interface */
static struct held held[LEDGER_MAX];
static size_t held_n;
static struct ledger_entry entry;
static char ids[LEDGER_EACH_MEM];
static char text[CNI_RESULT_MAX];

bool gc_is_valid(const struct cni_valid *v, size_t n, const char *container_id, const char *ifname)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(v[i].container_id, container_id) == 0 &&
			strcmp(v[i].ifname, ifname) == 0) {
			return true;
		}
	}
	return false;
}

static void hold(const char *container_id, const char *ifname, const char *request)
{
	struct held *h = &held[held_n];

	ASSERT(held_n < LEDGER_MAX);
	held_n++;
	/* Of records or their names, which have these bounds. */
	(void)!str_copy(str_from(container_id), h->container_id, sizeof(h->container_id));
	(void)!str_copy(str_from(ifname), h->ifname, sizeof(h->ifname));
	(void)!str_copy(str_from(request), h->request, sizeof(h->request));
}

/*
 * A record that cannot be read, of a container that has a valid attachment: its DEL makes the best
 * of it. Until then IPAM must hear of the interface as a valid one.
 */
static bool leave(struct str container_id, struct str ifname)
{
	char id[LEDGER_ID_MAX + 1], name[IFNAMSIZ];

	if (!str_copy(container_id, id, sizeof(id)) || !str_copy(ifname, name, sizeof(name))) {
		return false;
	}
	for (size_t i = 0; i < valid_n; i++) {
		if (strcmp(valid[i].container_id, id) == 0) {
			hold(id, name, valid[i].ifname);
			return true;
		}
	}
	return false;
}

/* Only records of this network: another network of ours has a GC of its own. */
static int note(void *arg, struct str container_id, struct str ifname, struct err *e)
{
	struct call *c = arg;
	int r = ledger_load(&c->store, container_id, ifname, &entry, e);

	if (r == -EINVAL || r == -ENOTSUP) {
		log_warn("%s", e->msg);
		if (leave(container_id, ifname)) {
			return 0;
		}
		r = release_load(c, container_id, ifname, &entry);
		if (r <= 0) {
			*e = r < 0 ? c->fail.e : *e;
			return r;
		}
	}
	if (r == -ENOENT) {
		return 0;
	}
	if (r >= 0 && strcmp(entry.network, c->conf.name) == 0) {
		hold(entry.container_id, entry.ifname, entry.request);
	}
	return r < 0 ? r : 0;
}

static int sweep(struct call *c)
{
	struct cni_fail first = CNI_FAIL_INIT;

	for (size_t i = 0; i < held_n; i++) {
		const struct held *h = &held[i];
		size_t found;

		if (gc_is_valid(valid, valid_n, h->container_id, h->request)) {
			continue;
		}
		log_info("%s:%s is not valid any more", h->container_id, h->request);
		call_begin(c, CALL_MS);
		if (call_lock(c, h->container_id, h->request) < 0 ||
			release_all(c, h->container_id, h->request, &found) < 0) {
			log_error("%s:%s: %s", h->container_id, h->request, c->fail.e.msg);
			first = first.e.code == 0 ? c->fail : first;
			c->fail = (struct cni_fail)CNI_FAIL_INIT;
		}
		call_unlock(c);
	}
	c->fail = first;
	return first.e.code != 0 ? -first.e.code : 0;
}

/* IPAM knows each interface by its own name, the runtime only the attachment's. */
static int ipam_gc(struct call *c)
{
	const struct ipam_for who = {
		.type = c->conf.ipam_type, .container_id = "", .ifname = "", .netns = ""};
	size_t n = valid_n;
	struct buf b;
	int r;

	if (c->conf.ipam_type[0] == '\0') {
		return 0;
	}
	memcpy(wide, valid, valid_n * sizeof(valid[0]));
	for (size_t i = 0; i < held_n; i++) {
		if (gc_is_valid(valid, valid_n, held[i].container_id, held[i].request) &&
			strcmp(held[i].ifname, held[i].request) != 0) {
			memcpy(wide[n].container_id, held[i].container_id,
				sizeof(wide[n].container_id));
			memcpy(wide[n].ifname, held[i].ifname, sizeof(wide[n].ifname));
			n++;
		}
	}
	buf_init(&b, text, sizeof(text));
	call_begin(c, CALL_MS);
	cni_rewrite_gc(&b, json_root(&c->conf.doc), wide, n);
	if (!buf_ok(&b)) {
		return cni_fail_set(&c->fail, CNI_ERR_CONFIG, EMSGSIZE,
			"the configuration for IPAM would be too long");
	}
	r = ipam_run(c, CNI_GC, &who, buf_str(&b));
	if (r < 0 && c->fail.code == CNI_ERR_ENV) {
		log_info("no garbage collection: %s", c->fail.e.msg);
		c->fail = (struct cni_fail)CNI_FAIL_INIT;
		return 0;
	}
	return r;
}

int gc_run(struct call *c)
{
	int r = call_node_conf(c);

	r = r < 0 ? r : cni_conf_valid(&c->conf, valid, &valid_n, &c->fail);
	if (r < 0) {
		return r;
	}
	if (c->conf.name[0] == '\0') {
		return cni_fail_set(&c->fail, CNI_ERR_CONFIG, EINVAL,
			"network configuration: name is missing or wrong: whose attachments are to "
			"be collected?");
	}
	r = ledger_open_existing(&c->store, c->node.state_dir, &c->fail.e);
	if (r > 0) {
		r = ledger_each(&c->store, (struct str)STR_INIT, ids, note, c, &c->fail.e);
	}
	if (r < 0) {
		return call_code(c, CNI_ERR_IO);
	}
	r = c->store.state >= 0 ? sweep(c) : 0;
	r = r < 0 ? r : delegate_gc(c, valid, valid_n);
	return r < 0 ? r : ipam_gc(c);
}
