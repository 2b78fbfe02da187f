/* SPDX-License-Identifier: MIT */
/* See take.h. */
#include "take.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "ledger/copy.h"
#include "sriov/node.h"
#include "sriov/speed.h"
#include "sriov/survey.h"

/* One reading of the node; static because of its size, one call a process. */
static struct sriov_node node;
static struct ledger records;
static struct ledger_rec rec[LEDGER_MAX];
static char strings[LEDGER_MEM];

bool take_usable(const struct sriov_vf *vf)
{
	/* One that came after rtnetlink was asked has nothing yet that could be put back. */
	return sriov_vf_usable(vf) && (vf->kernel.has & NL_VF_PRESENT) != 0;
}

/* What the hardware was just read to have, less what is taken from it. */
static void subtract(struct call *c)
{
	(void)ledger_apply(&records, &node);
	sriov_conf_apply(&c->node, &node);
	sriov_speed_load(c->node.state_dir, &node);
}

static int read_ledger(struct call *c)
{
	ledger_init(&records, rec, strings, sizeof(strings));
	if (ledger_read(&records, c->node.state_dir, &c->fail.e) < 0) {
		return call_code(c, CNI_ERR_IO);
	}
	if (records.damaged > 0) {
		log_warn("%zu ledger records cannot be used; the first: %s", records.damaged,
			records.problem);
	}
	return 0;
}

int take_node(struct call *c, struct sriov_node **n, struct ledger **l)
{
	int r = call_mover(c);

	r = r < 0 ? r : read_ledger(c);
	if (r == 0 && sriov_node_read(&c->kernel, &node, &c->fail.e) < 0) {
		r = call_code(c, CNI_ERR_IO);
	}
	if (r < 0) {
		return r;
	}
	subtract(c);
	*n = &node;
	*l = &records;
	return 0;
}

/*
 * After a survey: is bandwidth that a VF without a record has in use, or was it left there? What
 * the kernel said was true before the lock, what sysfs says is now.
 */
static void look_at_rates(struct call *c)
{
	for (size_t i = 0; i < node.pf_n; i++) {
		const struct sriov_pf *pf = &node.pf[i];

		for (size_t k = 0; k < pf->vf_n; k++) {
			struct sriov_vf *vf = &node.vf[pf->vf_first + k];

			if (vf->holder == NULL && vf->kernel.min_tx_rate > 0) {
				sriov_survey_look(&c->kernel, pf, vf);
			}
		}
	}
}

/* The whole node, and its PFs remembered for surveys. */
static int read_whole(struct call *c)
{
	if (sriov_node_read(&c->kernel, &node, &c->fail.e) < 0) {
		return call_code(c, CNI_ERR_IO);
	}
	sriov_survey_remember(c->store.state, &node);
	subtract(c);
	return 0;
}

/* So that neither placement nor pick sees them. */
static void hide_sick(const struct taken *t)
{
	static const struct sriov_holder nobody;

	for (size_t i = 0; i < node.vf_n; i++) {
		struct sriov_vf *vf = &node.vf[i];

		for (size_t k = 0; k < t->sick_n && take_usable(vf); k++) {
			vf->holder = pci_same(&vf->pci, &t->sick[k]) ? &nobody : vf->holder;
		}
	}
}

static void free_of(const struct sriov_pf *pf, struct place_pf *out)
{
	struct sriov_usage u;

	sriov_pf_usage(&node, pf, &u);
	out->mbps = u.used < u.capacity ? u.capacity - u.used : 0;
	out->vfs = 0;
	for (size_t i = 0; i < pf->vf_n; i++) {
		out->vfs += take_usable(&node.vf[pf->vf_first + i]) ? 1 : 0;
	}
}

/* What is free, for the message of a pod that does not fit. */
static void describe(const struct place_in *in, struct buf *b)
{
	for (size_t i = 0; i < in->pf_n && buf_ok(b); i++) {
		buf_printf(b, "%s%s %u VFs %u Mb/s", i > 0 ? ", " : "", node.pf[i].name,
			(unsigned)in->pf[i].vfs, (unsigned)in->pf[i].mbps);
	}
	if (in->pf_n == 0) {
		buf_add_c(b, "no usable PF");
	}
}

/* 1: each request has a PF. 0: they do not fit; otherwise -errno. */
static int place(
	struct call *c, const struct wants *w, const struct place_in *in, struct place_out *out)
{
	static struct place_work work;
	int r = place_assign(in, &work, out, &c->fail.e);

	if (r < 0) {
		return call_code(c, CNI_ERR_FULL);
	}
	if (r == PLACE_LIMIT) {
		return cni_fail_set(&c->fail, CNI_ERR_LATER, EBUSY,
			"whether %zu interfaces fit could not be found out in time", w->n);
	}
	return r == PLACE_YES || r == PLACE_ANY;
}

static int does_not_fit(struct call *c, const struct wants *w, const struct place_in *in,
	const struct place_out *out)
{
	char text[400];
	struct buf b;
	int r = cni_fail_set(&c->fail, CNI_ERR_FULL, ENOSPC,
		"not enough free RDMA resources for %zu interfaces: %s", w->n,
		place_why_text(out->why));

	buf_init(&b, text, sizeof(text));
	describe(in, &b);
	(void)!str_copy(buf_str(&b), c->fail.details, sizeof(c->fail.details));
	return r;
}

/* A free VF of pf, marked as taken; NULL: none. */
static struct sriov_vf *pick(struct call *c, const struct sriov_pf *pf, bool surveyed)
{
	static const struct sriov_holder ours;

	for (size_t i = 0; i < pf->vf_n; i++) {
		struct sriov_vf *vf = &node.vf[pf->vf_first + i];

		if (take_usable(vf) && surveyed) {
			sriov_survey_look(&c->kernel, pf, vf);
		}
		if (take_usable(vf)) {
			vf->holder = &ours;
			return vf;
		}
	}
	return NULL;
}

/* PFs and VFs for the requests: 1, else as place(). */
static int choose(struct call *c, const struct wants *w, bool surveyed, struct place_out *out,
	struct sriov_vf *vf[static PLACE_REQ_MAX])
{
	struct place_pf pf[SRIOV_PF_MAX];
	struct place_in in = {.pf = pf, .req = w->req, .req_n = w->n};
	int r;

	for (in.pf_n = 0; in.pf_n < node.pf_n; in.pf_n++) {
		free_of(&node.pf[in.pf_n], &pf[in.pf_n]);
	}
	r = place(c, w, &in, out);
	for (size_t i = 0; r == 1 && i < w->n; i++) {
		vf[i] = pick(c, &node.pf[out->pf[i]], surveyed);
		/* A survey hopes for VFs that somebody without a record may have. */
		ASSERT(vf[i] != NULL || surveyed);
		r = vf[i] != NULL;
	}
	return r == 0 && !surveyed ? does_not_fit(c, w, &in, out) : r;
}

void take_entry(const struct call *c, const char *boot_id, uint64_t inode,
	const struct sriov_ref *ref, struct ledger_entry *en)
{
	const struct cni_env *v = &c->env;

	memset(en, 0, sizeof(*en));
	en->phase = LEDGER_PLANNED;
	/* Bounds are those of the ledger: checked when they came in. */
	(void)!str_copy(str_from(v->container_id), en->container_id, sizeof(en->container_id));
	(void)!str_copy(str_from(v->ifname), en->request, sizeof(en->request));
	(void)!str_copy(str_from(c->conf.name), en->network, sizeof(en->network));
	(void)!str_copy(str_from(c->conf.ipam_type), en->ipam, sizeof(en->ipam));
	(void)!str_copy(str_from(cni_version_name(c->conf.version)), en->cni_version,
		sizeof(en->cni_version));
	(void)!str_copy(str_from(v->pod_namespace), en->pod_namespace, sizeof(en->pod_namespace));
	(void)!str_copy(str_from(v->pod_name), en->pod_name, sizeof(en->pod_name));
	(void)!str_copy(str_from(v->pod_uid), en->pod_uid, sizeof(en->pod_uid));
	(void)!str_copy(str_from(v->netns), en->netns, sizeof(en->netns));
	(void)!str_copy(str_from(boot_id), en->boot_id, sizeof(en->boot_id));
	(void)!str_copy(str_from(ref->pf), en->pf, sizeof(en->pf));
	en->netns_inode = inode;
	en->vf = ref->vf;
	en->has_pci = true;
	en->pci = ref->pci;
}

/*
 * A VF that its last user has not given back, since the record was lost, or no driver was there, is
 * not put on record as it is: what its second copy says is put back one day, or else defaults.
 */
static void mend(struct call *c, struct ledger_entry *en)
{
	static struct ledger_entry copy; /* one call a process; static because of its size */
	struct err why;
	int r = ledger_copy_load(&c->store, &en->pci, &copy, &why);

	if (r == 0 || (r == 1 && copy.boot_id[0] != '\0' && records.boot_id[0] != '\0' &&
			      strcmp(copy.boot_id, records.boot_id) != 0)) {
		return;
	}
	if (r == 1 && copy.has_restore) {
		en->restore = copy.restore;
		log_warn("VF %u of %s was not given back by %.64s:%s, and is put right",
			(unsigned)en->vf, en->pf, copy.container_id, copy.ifname);
		return;
	}
	/* Nothing is known: sriov_vf_return takes defaults. */
	en->restore.has = 0;
	en->restore.netdev[0] = '\0';
	en->restore.altname_n = 0;
	log_warn("VF %u of %s was not given back by its last user, and gets default settings: %s",
		(unsigned)en->vf, en->pf,
		r < 0 ? why.msg : "its copy does not say what it was like");
}

static int take_one(struct call *c, const struct sriov_pf *pf, const struct sriov_vf *vf,
	const struct place_request *req, const struct sandbox_netns *ns, const char *ifname,
	struct taken_vf *t)
{
	struct ledger_entry *en = &t->entry;

	if (sriov_ref_of(pf, vf, &t->ref, &c->fail.e) < 0) {
		return call_code(c, CNI_ERR_DEVICE);
	}
	take_entry(c, records.boot_id, ns->inode, &t->ref, en);
	(void)!str_copy(str_from(ifname), en->ifname, sizeof(en->ifname)); /* same size */
	en->min_tx_rate = req->min;
	en->max_tx_rate = req->max;
	if (sriov_vf_read_seen(&c->mover, &t->ref, vf, &t->now, &c->fail.e) < 0) {
		c->sick_vf = true;
		return call_code(c, CNI_ERR_DEVICE);
	}
	if ((t->now.has & SRIOV_HAS_NETDEV) == 0) {
		c->sick_vf = true;
		return cni_fail_set(&c->fail, CNI_ERR_LATER, EBUSY,
			"VF %u of %s: its interface has just gone", (unsigned)vf->index, pf->name);
	}
	en->restore = t->now;
	en->has_restore = true;
	mend(c, en);
	return 0;
}

static int record(struct call *c, struct taken_vf *t)
{
	t->alone = false;
	if (ledger_store_entry(&c->store, &t->entry, &c->fail.e) < 0) {
		return call_code(c, CNI_ERR_IO);
	}
	t->alone = ledger_copy_keep(&c->store, &t->entry);
	return 0;
}

int take_check_alone(struct call *c, const struct taken_vf *t)
{
	int r = t->alone ? 0 : read_ledger(c);

	if (r < 0 || t->alone) {
		return r;
	}
	if (ledger_owns(&records, &t->entry, &c->fail.e) != 0) {
		c->sick_vf = true;
		return call_code(c, CNI_ERR_LATER);
	}
	return 0;
}

static void forget(struct call *c, struct taken *t)
{
	struct err e;

	while (t->n > 0) {
		const struct ledger_entry *en = &t->vf[--t->n].entry;

		ledger_copy_drop(&c->store, en);
		if (ledger_remove(&c->store, str_from(en->container_id), str_from(en->ifname), &e) <
			0) {
			log_error("%s", e.msg);
		}
	}
}

/* Two ADDs without a DEL between them: the second one must not take over what the first has. */
static int check_new(struct call *c, const char *ifname)
{
	static struct ledger_entry other; /* one call a process; static because of its size */
	struct err e;
	int r;

	for (size_t i = 0; i < records.n; i++) {
		const struct sriov_holder *h = &records.rec[i].holder;

		if (strcmp(h->container_id, c->env.container_id) == 0 &&
			strcmp(h->ifname, ifname) == 0) {
			return cni_fail_set(&c->fail, CNI_ERR_CONFIG, EEXIST,
				"the container has an interface %s already: VF %u of %s, phase %s; "
				"DEL comes before another ADD",
				ifname, (unsigned)records.rec[i].vf, records.rec[i].pf, h->phase);
		}
	}
	if (records.damaged == 0) {
		return 0;
	}
	r = ledger_load(&c->store, str_from(c->env.container_id), str_from(ifname), &other, &e);
	return r == -ENOENT ? 0
			    : cni_fail_set(&c->fail, CNI_ERR_CONFIG, EEXIST,
				      "the container may have an interface %s already, its record "
				      "cannot be read; DEL comes before another ADD",
				      ifname);
}

static int choose_somehow(struct call *c, const struct wants *w, const struct taken *t,
	bool surveyed, struct place_out *out, struct sriov_vf *vf[static PLACE_REQ_MAX])
{
	int r = read_ledger(c);

	if (r == 0 && surveyed) {
		subtract(c);
		look_at_rates(c);
		hide_sick(t);
		r = choose(c, w, true, out, vf);
	}
	if (r == 0) {
		r = read_whole(c);
		hide_sick(t);
		r = r < 0 ? r : choose(c, w, false, out, vf);
	}
	return r < 0 ? r : 0;
}

static int take_locked(struct call *c, const struct wants *w, take_name_fn *name,
	const struct sandbox_netns *ns, bool surveyed, struct taken *t)
{
	struct sriov_vf *vf[PLACE_REQ_MAX];
	struct place_out out;
	int r = choose_somehow(c, w, t, surveyed, &out, vf);

	for (size_t i = 0; r == 0 && i < w->n; i++) {
		const struct sriov_pf *pf = &node.pf[out.pf[i]];
		char ifname[IFNAMSIZ];

		if (!name(c, i, ifname)) {
			r = cni_fail_set(&c->fail, CNI_ERR_CONFIG, EINVAL,
				"interface %zu would have a name of more than 15 bytes", i);
			break;
		}
		t->failed = i;
		r = check_new(c, ifname);
		r = r < 0 ? r : take_one(c, pf, vf[i], &w->req[i], ns, ifname, &t->vf[i]);
		if (r == 0) {
			t->vf[i].entry.request_n = (uint32_t)w->n;
			t->n = i + 1; /* also one that is stored only half is removed */
			r = record(c, &t->vf[i]);
		}
	}
	if (r < 0) {
		forget(c, t);
	}
	return r;
}

/*
 * What has to wait for the kernel's lock on interfaces, which others hold for long while they move
 * theirs, is asked before ours is taken: else many ADDs at once would wait for each other twice.
 */
int take_vfs(struct call *c, const struct wants *w, take_name_fn *name,
	const struct sandbox_netns *ns, struct taken *t)
{
	cleanup_fd int lock = -1;
	bool surveyed;
	int r = call_mover(c);

	t->n = 0;
	c->sick_vf = false;
	if (r < 0) {
		return r;
	}
	surveyed = sriov_survey_read(&c->kernel, c->store.state, &node) == 1;
	lock = ledger_lock(c->store.state, call_until(c, CALL_LOCK_MS), &c->fail.e);
	if (lock < 0) {
		return call_not_now(c, lock);
	}
	return take_locked(c, w, name, ns, surveyed, t);
}
