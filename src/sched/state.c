/* SPDX-License-Identifier: MIT */
/* See state.h. Replies come from machines that may lie: every number is checked. */
#include "sched/state.h"

#include <errno.h>
#include <string.h>

#include "base/num.h"
#include "json/cursor.h"

/* The members of a PF under the names of one of the two documents. */
struct spelling {
	const char *vfs, *used_vfs, *mbps, *used_mbps;
};

static const struct spelling in_getpfs = {
	"capacity_vfs", "used_vfs", "capacity_tx_rate", "used_tx_rate"};
static const struct spelling in_node = {"num_vfs", "used_vfs", "capacity_mbps", "reserved_mbps"};

enum {
	HAS_NAME = 1,
	HAS_VFS = 2,
	HAS_USED_VFS = 4,
	HAS_MBPS = 8,
	HAS_USED_MBPS = 16,
	HAS_ALL = 31
};

/* What was seen of a PF beside its state. */
struct members {
	unsigned has;
	bool problem, has_free;
	uint32_t free_vfs;
};

struct reader {
	struct json_cur c;
	struct sched_state *out;
	const struct spelling *as;
};

static uint64_t hash_on(uint64_t h, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		h = (h ^ (unsigned char)s.p[i]) * 1099511628211u;
	}
	return h;
}

uint64_t sched_uid_hash(struct str uid)
{
	return hash_on(14695981039346656037u, uid);
}

/* As the hash of "namespace/name", which stands in where there is no uid. */
static uint64_t hash_name(struct str namespace, struct str name)
{
	return hash_on(hash_on(sched_uid_hash(namespace), STR("/")), name);
}

static int bad(struct reader *r, const char *key, const char *what)
{
	return err_set(r->c.e, EINVAL, "%s %s", key, what);
}

static int read_number(struct reader *r, const char *key, uint64_t max, uint32_t *out)
{
	struct str raw;
	int n = json_cur_skip(&r->c, &raw);

	if (n < 0) {
		return n;
	}
	return num_u32(raw, (uint32_t)max, out) ? 0 : bad(r, key, "is not credible");
}

static int read_name(struct reader *r, char name[static SCHED_PF_NAME])
{
	struct str raw;
	size_t len;
	int n = json_cur_skip(&r->c, &raw);

	if (n < 0) {
		return n;
	}
	if (json_raw_text(raw, name, SCHED_PF_NAME, &len) < 0 || len == 0) {
		return bad(r, "name", "is no interface name");
	}
	return 0;
}

/* true when a value was entered; r->c.e is set on failure. */
static int enter(struct reader *r, enum json_type type, const char *key)
{
	enum json_type got = json_cur_type(&r->c);
	int n;

	if (got == JSON_NULL) {
		return json_cur_skip(&r->c, NULL);
	}
	if (got != type) {
		return bad(r, key, "has another type");
	}
	n = json_cur_open(&r->c, type);
	return n < 0 ? n : 1;
}

static int read_holder(struct reader *r, struct sched_hold *h, bool *named)
{
	struct str key, raw, uid = STR_INIT, name = STR_INIT, namespace = STR_INIT;
	int n = enter(r, JSON_OBJECT, "holder");

	if (n <= 0) {
		return n;
	}
	while ((n = json_cur_member(&r->c, &key)) > 0) {
		struct str *to = json_key_is(key, "pod_uid")         ? &uid
				 : json_key_is(key, "pod_name")      ? &name
				 : json_key_is(key, "pod_namespace") ? &namespace
								     : NULL;
		if (to != NULL) {
			n = json_cur_skip(&r->c, &raw);
			*to = n == 0 && raw.n > 2 && raw.p[0] == '"'
				      ? (struct str){raw.p + 1, raw.n - 2}
				      : (struct str)STR_INIT;
		} else if (json_key_is(key, "min_tx_rate")) {
			n = read_number(r, "holder.min_tx_rate", SCHED_MBPS_MAX, &h->mbps);
		} else {
			n = json_cur_skip(&r->c, NULL);
		}
		if (n < 0) {
			return n;
		}
	}
	*named = uid.n > 0 || name.n > 0;
	h->by_name = uid.n == 0;
	h->uid = uid.n > 0 ? sched_uid_hash(uid) : hash_name(namespace, name);
	return n;
}

static int read_vf(struct reader *r)
{
	struct sched_hold h = {.pf = (uint8_t)r->out->pf_n};
	struct str key;
	bool named = false;
	int n = enter(r, JSON_OBJECT, "a VF");

	while (n > 0 && (n = json_cur_member(&r->c, &key)) > 0) {
		n = json_key_is(key, "holder") ? read_holder(r, &h, &named)
					       : json_cur_skip(&r->c, NULL);
		n = n < 0 ? n : 1;
	}
	if (n < 0 || !named) {
		return n;
	}
	if (r->out->hold_n == SCHED_HOLDS_MAX) {
		return bad(r, "vfs", "has more holders than a node can have");
	}
	r->out->hold[r->out->hold_n++] = h;
	return 0;
}

static int read_vfs(struct reader *r)
{
	int n;

	if (!r->out->full) {
		return json_cur_skip(&r->c, NULL);
	}
	n = enter(r, JSON_ARRAY, "vfs");
	while (n > 0 && (n = json_cur_element(&r->c)) > 0) {
		n = read_vf(r);
		n = n < 0 ? n : 1;
	}
	return n;
}

/* One member of a PF. */
static int read_member(
	struct reader *r, struct str key, struct sched_pf_state *pf, struct members *m)
{
	const struct spelling *as = r->as;

	if (json_key_is(key, "name")) {
		m->has |= HAS_NAME;
		return read_name(r, pf->name);
	}
	if (json_key_is(key, as->vfs)) {
		m->has |= HAS_VFS;
		return read_number(r, as->vfs, SCHED_VFS_MAX, &pf->vfs);
	}
	if (json_key_is(key, as->used_vfs)) {
		m->has |= HAS_USED_VFS;
		return read_number(r, as->used_vfs, SCHED_VFS_MAX, &pf->used_vfs);
	}
	if (json_key_is(key, as->mbps)) {
		m->has |= HAS_MBPS;
		return read_number(r, as->mbps, SCHED_MBPS_MAX, &pf->mbps);
	}
	if (json_key_is(key, as->used_mbps)) {
		m->has |= HAS_USED_MBPS;
		/* May exceed the capacity, so the VFs' sum is the bound. */
		return read_number(r, as->used_mbps, UINT32_MAX, &pf->used_mbps);
	}
	if (json_key_is(key, "vfs")) {
		return read_vfs(r);
	}
	if (r->out->full && json_key_is(key, "free_vfs")) {
		m->has_free = true;
		return read_number(r, "free_vfs", SCHED_VFS_MAX, &m->free_vfs);
	}
	if (r->out->full && json_key_is(key, "problem")) {
		m->problem = json_cur_type(&r->c) != JSON_NULL;
	}
	return json_cur_skip(&r->c, NULL);
}

static bool repeats(const struct sched_state *s)
{
	for (uint32_t i = 0; i < s->pf_n; i++) {
		if (strcmp(s->pf[i].name, s->pf[s->pf_n].name) == 0) {
			return true;
		}
	}
	return false;
}

static int read_pf(struct reader *r)
{
	struct sched_state *out = r->out;
	struct sched_pf_state *pf = &out->pf[out->pf_n];
	uint32_t holds = out->hold_n;
	struct str key;
	struct members m = {.has = 0};
	int n;

	if (out->pf_n == PLACE_PF_MAX) {
		return bad(r, "the list", "has more than 32 PFs");
	}
	*pf = (struct sched_pf_state){.vfs = 0};
	if (json_cur_type(&r->c) != JSON_OBJECT) {
		return bad(r, "a PF", "is no object");
	}
	n = json_cur_open(&r->c, JSON_OBJECT);
	while (n >= 0 && (n = json_cur_member(&r->c, &key)) > 0) {
		n = read_member(r, key, pf, &m);
	}
	if (n < 0) {
		return n;
	}
	if (m.has != HAS_ALL) {
		return bad(r, "a PF", "lacks its name, capacity or use");
	}
	if (pf->used_vfs > pf->vfs) {
		return bad(r, pf->name, "has more VFs in use than VFs");
	}
	if (m.has_free && m.free_vfs > pf->vfs - pf->used_vfs) {
		return bad(r, pf->name, "has more VFs free than are not in use");
	}
	pf->used_vfs = m.has_free ? pf->vfs - m.free_vfs : pf->used_vfs;
	if (repeats(out)) {
		return bad(r, pf->name, "is there twice");
	}
	if (m.problem || pf->vfs == 0) {
		out->hold_n = holds;
	} else {
		out->pf_n++;
	}
	return 0;
}

static int read_pfs(struct reader *r)
{
	int n = enter(r, JSON_ARRAY, "the list of PFs");

	r->out->pf_n = r->out->hold_n = 0;
	while (n > 0 && (n = json_cur_element(&r->c)) > 0) {
		n = read_pf(r);
		n = n < 0 ? n : 1;
	}
	return n;
}

static int begin(struct reader *r, struct str body, struct sched_state *out, struct err *e)
{
	out->revision = 0;
	out->pf_n = out->hold_n = 0;
	r->out = out;
	if (body.n > JSON_TEXT_MAX) {
		return err_set(e, EINVAL, "%zu bytes", body.n);
	}
	json_cur_init(&r->c, body, e);
	return 0;
}

int sched_state_getpfs(struct str body, struct sched_state *out, struct err *e)
{
	struct reader r = {.as = &in_getpfs};
	int n = begin(&r, body, out, e);

	out->full = false;
	if (n == 0) {
		n = read_pfs(&r);
	}
	if (n == 0) {
		n = json_cur_end(&r.c);
	}
	return n < 0 ? -EINVAL : 0;
}

static int read_revision(struct reader *r)
{
	struct str raw;
	int n = json_cur_skip(&r->c, &raw);

	if (n == 0 && !num_u64(raw, INT64_MAX, &r->out->revision)) {
		return bad(r, "revision", "is no number");
	}
	return n;
}

int sched_state_node(struct str body, struct sched_state *out, struct err *e)
{
	struct reader r = {.as = &in_node};
	struct str key;
	bool pfs = false;
	int n = begin(&r, body, out, e);

	out->full = true;
	if (n == 0) {
		n = json_cur_open(&r.c, JSON_OBJECT);
	}
	while (n >= 0 && (n = json_cur_member(&r.c, &key)) > 0) {
		if (json_key_is(key, "pfs")) {
			pfs = true;
			n = read_pfs(&r);
		} else if (json_key_is(key, "revision")) {
			n = read_revision(&r);
		} else {
			n = json_cur_skip(&r.c, NULL);
		}
	}
	if (n >= 0) {
		n = json_cur_end(&r.c);
	}
	if (n >= 0 && !pfs) {
		n = bad(&r, "pfs", "is missing");
	}
	return n < 0 ? -EINVAL : 0;
}
