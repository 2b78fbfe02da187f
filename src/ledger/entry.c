/* SPDX-License-Identifier: MIT */
/* Whole records: see entry.h. */
#include "ledger/entry.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "ledger/entry_priv.h"
#include "ledger/read.h"
#include "ledger/record_priv.h"

static const char *const phases[] = {"planned", "attaching", "attached", "releasing", LEDGER_NO_VF};

const char *ledger_phase_name(enum ledger_phase p)
{
	ASSERT((size_t)p < ARRAY_LEN(phases));
	return phases[p];
}

static bool phase_of(const char *name, enum ledger_phase *out)
{
	for (size_t i = 0; i < ARRAY_LEN(phases); i++) {
		if (strcmp(phases[i], name) == 0) {
			*out = (enum ledger_phase)i;
			return true;
		}
	}
	return false;
}

/* The texts of a record that are not ruled by more than being printable. */
struct text {
	const char *object, *key; /* object NULL: at the top */
	char *s;
	size_t cap;
};

#define TEXTS 7

static void texts_of(struct ledger_entry *en, struct text out[static TEXTS])
{
	const struct text all[TEXTS] = {
		{NULL, "request", en->request, sizeof(en->request)},
		{NULL, "network", en->network, sizeof(en->network)},
		{NULL, "ipam", en->ipam, sizeof(en->ipam)},
		{NULL, "cniVersion", en->cni_version, sizeof(en->cni_version)},
		{NULL, "bootId", en->boot_id, sizeof(en->boot_id)},
		{"netns", "path", en->netns, sizeof(en->netns)},
		{NULL, NULL, NULL, 0},
	};

	memcpy(out, all, sizeof(all));
}

/*
 * Writing
 */

static int check_pod(const struct ledger_entry *en, struct err *e)
{
	const struct {
		const char *what, *s;
	} pod[] = {
		{"namespace", en->pod_namespace},
		{"name", en->pod_name},
		{"uid", en->pod_uid},
	};

	for (size_t i = 0; i < ARRAY_LEN(pod); i++) {
		if (!ledger_printable(str_from(pod[i].s))) {
			return err_set(e, EINVAL, "the pod's %s \"%s\" is not printable ASCII",
				pod[i].what, pod[i].s);
		}
	}
	return 0;
}

static int check(const struct ledger_entry *en, struct err *e)
{
	char name[LEDGER_NAME_CAP];
	int r = check_pod(en, e);

	if (r < 0) {
		return r;
	}
	if (!ledger_record_name(
		    str_from(en->container_id), str_from(en->ifname), name, sizeof(name))) {
		return err_set(e, EINVAL, "container id \"%s\" or interface \"%s\" is impossible",
			en->container_id, en->ifname);
	}
	if (!parse_ifname(str_from(en->pf)) || en->vf >= SRIOV_PF_VF_MAX) {
		return err_set(e, EINVAL, "\"%s\" with VF %u is no PF", en->pf, en->vf);
	}
	if (en->min_tx_rate > SRIOV_RATE_MAX || en->max_tx_rate > SRIOV_RATE_MAX) {
		return err_set(e, EINVAL, "rates of %u and %u Mb/s are out of range",
			en->min_tx_rate, en->max_tx_rate);
	}
	if (en->addr_n > LEDGER_ADDRS_MAX) {
		return err_set(
			e, EINVAL, "%zu addresses are more than %d", en->addr_n, LEDGER_ADDRS_MAX);
	}
	if (en->route_n > LEDGER_ROUTES_MAX) {
		return err_set(
			e, EINVAL, "%zu routes are more than %d", en->route_n, LEDGER_ROUTES_MAX);
	}
	if (en->has_restore) {
		r = ledger_saved_check(&en->restore, e);
	}
	return r == 0 && en->has_applied ? ledger_saved_check(&en->applied, e) : r;
}

static void put_pci(struct json_writer *w, const struct pci_addr *pci)
{
	char text[32];
	struct buf b;

	buf_init(&b, text, sizeof(text));
	buf_add_pci(&b, pci);
	json_put_str(w, "pci", buf_str(&b));
}

static void put_who(struct json_writer *w, const struct ledger_entry *en)
{
	json_put_cstr(w, "containerId", en->container_id);
	json_put_cstr(w, "ifname", en->ifname);
	json_put_cstr(w, "request", en->request);
	json_put_u64(w, "interfaces", en->request_n);
	json_put_cstr(w, "network", en->network);
	json_put_cstr(w, "ipam", en->ipam);
	json_put_cstr(w, "cniVersion", en->cni_version);
	json_put_object(w, "pod");
	json_put_cstr(w, "namespace", en->pod_namespace);
	json_put_cstr(w, "name", en->pod_name);
	json_put_cstr(w, "uid", en->pod_uid);
	json_put_end_object(w);
	json_put_object(w, "netns");
	json_put_cstr(w, "path", en->netns);
	json_put_u64(w, "inode", en->netns_inode);
	json_put_end_object(w);
	json_put_cstr(w, "bootId", en->boot_id);
}

static void put_routes(struct json_writer *w, const struct ledger_entry *en)
{
	json_put_array(w, "routes");
	for (size_t i = 0; i < en->route_n; i++) {
		const struct ledger_route *r = &en->route[i];

		json_put_object(w, NULL);
		json_put_cstr(w, "dst", r->dst);
		if (r->gw[0] != '\0') {
			json_put_cstr(w, "gw", r->gw);
		}
		json_put_u64(w, "metric", r->metric);
		json_put_u64(w, "table", r->table);
		json_put_end_object(w);
	}
	json_put_end_array(w);
}

int ledger_entry_write(const struct ledger_entry *en, struct buf *b, struct err *e)
{
	struct json_writer w;
	int r = check(en, e);

	if (r < 0) {
		return r;
	}
	json_writer_init(&w, b);
	json_put_object(&w, NULL);
	json_put_u64(&w, "version", LEDGER_VERSION);
	json_put_cstr(&w, "phase", ledger_phase_name(en->phase));
	put_who(&w, en);
	json_put_cstr(&w, "pf", en->pf);
	json_put_u64(&w, "vf", en->vf);
	if (en->has_pci) {
		put_pci(&w, &en->pci);
	}
	json_put_u64(&w, "minTxRate", en->min_tx_rate);
	json_put_u64(&w, "maxTxRate", en->max_tx_rate);
	json_put_array(&w, "addresses");
	for (size_t i = 0; i < en->addr_n; i++) {
		json_put_cstr(&w, NULL, en->addr[i]);
	}
	json_put_end_array(&w);
	put_routes(&w, en);
	if (en->has_restore) {
		ledger_saved_write(&w, "restore", &en->restore);
	}
	if (en->has_applied) {
		ledger_saved_write(&w, "applied", &en->applied);
	}
	json_put_end_object(&w);
	if (!json_writer_done(&w) || buf_str(b).n > LEDGER_RECORD_CAP) {
		return err_set(
			e, EMSGSIZE, "the record is longer than %d bytes", LEDGER_RECORD_CAP);
	}
	return 0;
}

/*
 * Reading
 */

/* What every reader checks, by its code, into the fields of en. */
static int take_record(struct ledger_entry *en, struct str text, struct arena *mem, struct err *e)
{
	struct ledger l = {.strings = *mem};
	const struct sriov_holder *h;
	struct ledger_rec rec;
	int r = ledger_record_parse(&l, text, &rec, e);
	bool fits;

	if (r < 0) {
		return r;
	}
	h = &rec.holder;
	if (!phase_of(h->phase, &en->phase)) {
		return err_set(e, EINVAL, "phase \"%s\" is none that is known", h->phase);
	}
	fits = str_copy(str_from(h->container_id), en->container_id, sizeof(en->container_id)) &&
	       str_copy(str_from(h->ifname), en->ifname, sizeof(en->ifname)) &&
	       str_copy(str_from(h->pod_namespace), en->pod_namespace, sizeof(en->pod_namespace)) &&
	       str_copy(str_from(h->pod_name), en->pod_name, sizeof(en->pod_name)) &&
	       str_copy(str_from(h->pod_uid), en->pod_uid, sizeof(en->pod_uid)) &&
	       str_copy(str_from(rec.pf), en->pf, sizeof(en->pf));
	ASSERT(fits); /* the rules of the record have these bounds */
	en->vf = rec.vf;
	en->has_pci = rec.has_pci;
	en->pci = rec.pci;
	en->min_tx_rate = h->min_tx_rate;
	en->max_tx_rate = h->max_tx_rate;
	return 0;
}

static int take_texts(struct ledger_entry *en, struct json_val root, struct err *e)
{
	struct text texts[TEXTS];
	int r = 0;

	texts_of(en, texts);
	for (const struct text *t = texts; r == 0 && t->key != NULL; t++) {
		struct json_val in = t->object != NULL ? json_get(root, t->object) : root;
		struct json_val v = json_get(in, t->key);

		if (json_type(v) != JSON_NONE) {
			r = json_copy(v, t->s, t->cap, e);
		}
	}
	return r;
}

static int take_netns(struct ledger_entry *en, struct json_val root, struct err *e)
{
	struct json_val v = json_get(json_get(root, "netns"), "inode");

	return json_type(v) == JSON_NONE ? 0 : json_u64(v, 0, UINT64_MAX, &en->netns_inode, e);
}

static int take_addresses(struct ledger_entry *en, struct json_val root, struct err *e)
{
	struct json_val list = json_get(root, "addresses"), v;
	struct json_iter it = json_iter(list);
	int r = 0;

	if (json_type(list) != JSON_NONE &&
		(json_type(list) != JSON_ARRAY || json_count(list) > LEDGER_ADDRS_MAX)) {
		return json_wrong(list, e, "a list of at most %d addresses", LEDGER_ADDRS_MAX);
	}
	while (r == 0 && json_next(&it, NULL, &v)) {
		r = json_copy(v, en->addr[en->addr_n++], LEDGER_ADDR_CAP, e);
	}
	return r;
}

/* A number that may be missing: 0. */
static int take_u32(struct json_val v, uint32_t *out, struct err *e)
{
	return json_type(v) == JSON_NONE ? 0 : json_u32(v, 0, UINT32_MAX, out, e);
}

static int take_route(struct json_val v, struct ledger_route *r, struct err *e)
{
	struct json_val gw = json_get(v, "gw"), dst;
	int n = json_need(v, "dst", JSON_STRING, &dst, e);

	n = n < 0 ? n : json_copy(dst, r->dst, sizeof(r->dst), e);
	n = n < 0 || json_type(gw) == JSON_NONE ? n : json_copy(gw, r->gw, sizeof(r->gw), e);
	n = n < 0 ? n : take_u32(json_get(v, "metric"), &r->metric, e);
	return n < 0 ? n : take_u32(json_get(v, "table"), &r->table, e);
}

static int take_routes(struct ledger_entry *en, struct json_val root, struct err *e)
{
	struct json_val list = json_get(root, "routes"), v;
	struct json_iter it = json_iter(list);
	int r = take_u32(json_get(root, "interfaces"), &en->request_n, e);

	if (json_type(list) != JSON_NONE &&
		(json_type(list) != JSON_ARRAY || json_count(list) > LEDGER_ROUTES_MAX)) {
		return json_wrong(list, e, "a list of at most %d routes", LEDGER_ROUTES_MAX);
	}
	while (r == 0 && json_next(&it, NULL, &v)) {
		r = take_route(v, &en->route[en->route_n++], e);
	}
	return r;
}

static bool take_saved(const struct ledger_entry *en, struct json_val root, const char *key,
	struct sriov_saved *out, struct arena *a)
{
	struct json_val v = json_get(root, key);
	struct err why;

	if (json_type(v) == JSON_NONE) {
		return false;
	}
	if (ledger_saved_parse(v, out, a, &why) < 0) {
		log_warn("record %s:%s: %s", en->container_id, en->ifname, why.msg);
		memset(out, 0, sizeof(*out));
		return false;
	}
	return true;
}

static int take_rest(struct ledger_entry *en, struct str text, struct arena *mem, struct err *e)
{
	struct json_doc doc;
	struct json_val root;
	int r = json_parse(&doc, text, mem, 0, e);

	if (r < 0) {
		return r;
	}
	root = json_root(&doc);
	r = take_texts(en, root, e);
	if (r == 0) {
		r = take_netns(en, root, e);
	}
	if (r == 0) {
		r = take_addresses(en, root, e);
	}
	if (r == 0) {
		r = take_routes(en, root, e);
	}
	if (r == 0) {
		en->has_restore = take_saved(en, root, "restore", &en->restore, mem);
		en->has_applied = take_saved(en, root, "applied", &en->applied, mem);
	}
	return r;
}

int ledger_entry_parse(struct ledger_entry *en, struct str text, struct arena *mem, struct err *e)
{
	size_t used = mem->used;
	int r;

	memset(en, 0, sizeof(*en));
	if (mem->cap - mem->used < LEDGER_ENTRY_MEM) {
		return err_set(e, ENOMEM, "no memory to read a record");
	}
	r = take_record(en, text, mem, e);
	if (r == 0) {
		r = take_rest(en, text, mem, e);
		mem->used = used;
		if (r < 0) {
			e->code = EINVAL; /* too long a text, a wrong type: damaged */
			r = -EINVAL;
		}
	}
	return r;
}
