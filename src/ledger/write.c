/* SPDX-License-Identifier: MIT */
/* See write.h. */
#include "ledger/write.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "ledger/entry_priv.h"
#include "ledger/list.h"
#include "sriov/state.h"

/* One record on its way to or from its file. Too large for the stack; programs have one thread. */
static struct {
	char text[LEDGER_RECORD_CAP + 1];
	char mem[LEDGER_ENTRY_MEM];
} work;

static int name_of(
	struct str container_id, struct str ifname, char out[static LEDGER_NAME_CAP], struct err *e)
{
	return ledger_record_name(container_id, ifname, out, LEDGER_NAME_CAP)
		       ? 0
		       : err_set(e, EINVAL, "no record can have the name %.*s:%.*s",
				 STR_ARG(container_id), STR_ARG(ifname));
}

static int open_dir(struct ledger_store *s, const char *path, struct err *e)
{
	s->dir = file_open_dir(s->state, LEDGER_DIR, e);
	if (s->dir < 0) {
		ledger_close(s);
		return err_wrap(e, "ledger in %s", path);
	}
	return 0;
}

int ledger_open(struct ledger_store *s, const char *path, struct err *e)
{
	int r;

	*s = (struct ledger_store)LEDGER_STORE_INIT;
	s->state = sriov_state_make(path, e);
	if (s->state < 0) {
		r = s->state;
		ledger_close(s);
		return r;
	}
	return open_dir(s, path, e);
}

int ledger_open_existing(struct ledger_store *s, const char *path, struct err *e)
{
	int r;

	*s = (struct ledger_store)LEDGER_STORE_INIT;
	s->state = file_open_dir(AT_FDCWD, path, e);
	if (s->state < 0) {
		r = s->state;
		ledger_close(s);
		return r == -ENOENT ? 0 : r;
	}
	s->dir = file_open_dir(s->state, LEDGER_DIR, e);
	if (s->dir >= 0) {
		return 1;
	}
	r = s->dir;
	s->dir = -1;
	if (r == -ENOENT) {
		return 0;
	}
	ledger_close(s);
	return err_wrap(e, "ledger in %s", path);
}

void ledger_close(struct ledger_store *s)
{
	cleanup_fd_close(&s->state);
	cleanup_fd_close(&s->dir);
	*s = (struct ledger_store)LEDGER_STORE_INIT;
}

int ledger_store_entry(const struct ledger_store *s, const struct ledger_entry *en, struct err *e)
{
	char name[LEDGER_NAME_CAP];
	struct buf b;
	int r;

	buf_init(&b, work.text, LEDGER_RECORD_CAP);
	r = ledger_entry_write(en, &b, e);
	if (r == 0) {
		r = name_of(str_from(en->container_id), str_from(en->ifname), name, e);
	}
	if (r == 0) {
		r = file_replace(s->dir, name, buf_str(&b), 0644, e);
	}
	return r < 0 ? err_wrap(e, "ledger record of %s", en->ifname) : 0;
}

int ledger_file_load(int dir, const char *path, struct ledger_entry *en, struct err *e)
{
	struct arena mem;
	ssize_t n = file_read_regular(dir, path, work.text, sizeof(work.text), e);

	if (n < 0) {
		return n == -EFBIG ? -(e->code = EINVAL) : (int)n;
	}
	arena_init(&mem, work.mem, sizeof(work.mem));
	return ledger_entry_parse(en, (struct str){work.text, (size_t)n}, &mem, e) < 0
		       ? err_wrap(e, "ledger record %s", path)
		       : 0;
}

int ledger_load(const struct ledger_store *s, struct str container_id, struct str ifname,
	struct ledger_entry *en, struct err *e)
{
	char name[LEDGER_NAME_CAP];
	int r = name_of(container_id, ifname, name, e);

	r = r < 0 ? r : ledger_file_load(s->dir, name, en, e);
	if (r < 0) {
		return r;
	}
	if (!str_eq_c(container_id, en->container_id) || !str_eq_c(ifname, en->ifname)) {
		return err_set(e, EINVAL, "ledger record %s: its content is of %s:%s", name,
			en->container_id, en->ifname);
	}
	return 0;
}

static int sync_dir(int dir, struct err *e)
{
	return fsync(dir) < 0 ? err_sys(e, errno, "fsync directory %s", LEDGER_DIR) : 0;
}

int ledger_remove(
	const struct ledger_store *s, struct str container_id, struct str ifname, struct err *e)
{
	char name[LEDGER_NAME_CAP];
	int r = name_of(container_id, ifname, name, e);

	if (r < 0) {
		return r;
	}
	if (unlinkat(s->dir, name, 0) < 0 && errno != ENOENT) {
		return err_sys(e, errno, "remove ledger record %s", name);
	}
	return sync_dir(s->dir, e);
}

/* The names of records, gathered before anything is done with them. */
struct names {
	char (*name)[LEDGER_NAME_CAP];
	size_t n;
	struct str container_id;
	int dir;
};

static bool split_name(const char *name, struct str *container_id, struct str *ifname)
{
	const struct str suffix = STR(".json");
	char check[LEDGER_NAME_CAP];
	struct str rest;

	if (!str_cut(str_from(name), ':', container_id, &rest) || rest.n <= suffix.n) {
		return false;
	}
	*ifname = (struct str){rest.p, rest.n - suffix.n};
	return ledger_record_name(*container_id, *ifname, check, sizeof(check)) &&
	       strcmp(check, name) == 0;
}

static int gather(void *arg, const char *name, struct err *e)
{
	struct names *all = arg;
	struct str container_id, ifname;
	bool fits;

	if (file_drop_stale(all->dir, name)) {
		return 0;
	}
	/* Whatever else there is is no record: writes in progress, what somebody put there. */
	if (!split_name(name, &container_id, &ifname) ||
		(all->container_id.n > 0 && !str_eq(all->container_id, container_id))) {
		return 0;
	}
	if (all->n == LEDGER_MAX) {
		return err_set(e, E2BIG, "more than %d records", LEDGER_MAX);
	}
	fits = str_copy(str_from(name), all->name[all->n++], LEDGER_NAME_CAP);
	ASSERT(fits); /* it has just been made in as much room */
	return 0;
}

/* By container id, then interface: ':' is not in the one and '.' is in every one's end. */
static int by_name(const void *a, const void *b)
{
	struct str id_a, id_b, if_a, if_b;
	bool ok = split_name(a, &id_a, &if_a) && split_name(b, &id_b, &if_b);
	size_t n = id_a.n < id_b.n ? id_a.n : id_b.n;
	int order;

	ASSERT(ok);
	order = memcmp(id_a.p, id_b.p, n);
	if (order == 0 && id_a.n != id_b.n) {
		order = id_a.n < id_b.n ? -1 : 1;
	}
	return order != 0 ? order : strcmp(if_a.p, if_b.p);
}

int ledger_each(const struct ledger_store *s, struct str container_id, void *mem,
	ledger_each_fn *fn, void *arg, struct err *e)
{
	struct names all = {.name = mem, .container_id = container_id, .dir = s->dir};
	int r = ledger_list(s->dir, ".", gather, &all, e);

	if (r < 0) {
		return r;
	}
	qsort(all.name, all.n, LEDGER_NAME_CAP, by_name);
	for (size_t i = 0; i < all.n && r == 0; i++) {
		struct str id, ifname;
		bool ok = split_name(all.name[i], &id, &ifname);

		ASSERT(ok);
		r = fn(arg, id, ifname, e);
	}
	return r;
}

int ledger_set_aside(const struct ledger_store *s, struct str container_id, struct str ifname,
	bool stay, const char *why, struct err *e)
{
	char name[LEDGER_NAME_CAP], to[sizeof(LEDGER_DAMAGED_DIR) + LEDGER_NAME_CAP + 32];
	int r = name_of(container_id, ifname, name, e), n;

	if (r < 0) {
		return r;
	}
	if (mkdirat(s->state, LEDGER_DAMAGED_DIR, 0755) < 0 && errno != EEXIST) {
		return err_sys(e, errno, "make directory %s", LEDGER_DAMAGED_DIR);
	}
	/* The same attachment's records may be damaged more than once. */
	n = snprintf(to, sizeof(to), LEDGER_DAMAGED_DIR "/%s.%lld", name, (long long)clock_us());
	ASSERT(n > 0 && (size_t)n < sizeof(to));
	r = stay ? linkat(s->dir, name, s->state, to, 0) : renameat(s->dir, name, s->state, to);
	if (r < 0) {
		return errno == ENOENT ? 0 : err_sys(e, errno, "set ledger record %s aside", name);
	}
	log_warn("ledger record %s is set aside as %s: %s", name, to, why);
	return sync_dir(s->dir, e);
}

int ledger_confirm(const struct ledger_store *s, const struct ledger_entry *en,
	struct ledger_entry *now, struct err *e)
{
	int r = ledger_load(s, str_from(en->container_id), str_from(en->ifname), now, e);

	if (r == -ENOENT) {
		return err_set(e, ESTALE, "its record was removed meanwhile");
	}
	if (r < 0) {
		return r;
	}
	if (now->phase != LEDGER_PLANNED || now->has_pci != en->has_pci ||
		!pci_same(&now->pci, &en->pci) || strcmp(now->boot_id, en->boot_id) != 0 ||
		strcmp(now->request, en->request) != 0 || now->netns_inode != en->netns_inode) {
		return err_set(e, ESTALE,
			"its record was replaced meanwhile: VF %u of %s, phase %s",
			(unsigned)now->vf, now->pf, ledger_phase_name(now->phase));
	}
	return 0;
}

static bool same_vf(const struct ledger_rec *rec, const struct ledger_entry *en)
{
	if (rec->has_pci && en->has_pci) {
		return pci_same(&rec->pci, &en->pci);
	}
	return strcmp(rec->pf, en->pf) == 0 && rec->vf == en->vf;
}

static bool same_attachment(const struct sriov_holder *h, const struct ledger_entry *en)
{
	return strcmp(h->container_id, en->container_id) == 0 && strcmp(h->ifname, en->ifname) == 0;
}

int ledger_owns(const struct ledger *l, const struct ledger_entry *en, struct err *e)
{
	const struct sriov_holder *other = NULL;
	bool mine = false;

	for (size_t i = 0; i < l->n; i++) {
		if (!same_vf(&l->rec[i], en) || !ledger_holds(&l->rec[i])) {
			continue;
		}
		if (same_attachment(&l->rec[i].holder, en)) {
			mine = true;
		} else if (other == NULL) {
			other = &l->rec[i].holder;
		}
	}
	if (other != NULL) {
		(void)err_set(e, ESTALE, "VF %u of %s belongs to %.64s:%s (pod %s/%s)", en->vf,
			en->pf, other->container_id, other->ifname, other->pod_namespace,
			other->pod_name);
		return mine ? 1 : -ESTALE;
	}
	if (!mine) {
		return err_set(e, ESTALE, "VF %u of %s: no record says that %.64s:%s has it",
			en->vf, en->pf, en->container_id, en->ifname);
	}
	return 0;
}
