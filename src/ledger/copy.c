/* SPDX-License-Identifier: MIT */
/* See copy.h. */
#include "ledger/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "ledger/entry_priv.h"
#include "ledger/list.h"

#define PATH_CAP (sizeof(LEDGER_LENT_DIR) + 32)

static void path_of(const struct pci_addr *vf, char out[static PATH_CAP])
{
	struct buf b;

	buf_init(&b, out, PATH_CAP - 1);
	buf_add_c(&b, LEDGER_LENT_DIR "/");
	buf_add_pci(&b, vf);
	ASSERT(buf_ok(&b));
	out[b.n] = '\0';
}

static bool name_of(const struct ledger_entry *en, char out[static LEDGER_NAME_CAP])
{
	return ledger_record_name(
		str_from(en->container_id), str_from(en->ifname), out, LEDGER_NAME_CAP);
}

/* A reboot has put that VF back. */
static bool is_past(const struct ledger_store *s, const struct ledger_entry *en)
{
	static struct ledger_entry copy; /* large; programs have one thread */
	struct err e;

	return ledger_copy_load(s, &en->pci, &copy, &e) == 1 && en->boot_id[0] != '\0' &&
	       copy.boot_id[0] != '\0' && strcmp(copy.boot_id, en->boot_id) != 0;
}

bool ledger_copy_keep(const struct ledger_store *s, const struct ledger_entry *en)
{
	char name[LEDGER_NAME_CAP], path[PATH_CAP];
	int r;

	ASSERT(en->has_pci && name_of(en, name));
	path_of(&en->pci, path);
	r = linkat(s->dir, name, s->state, path, 0);
	if (r < 0 && errno == ENOENT && mkdirat(s->state, LEDGER_LENT_DIR, 0755) == 0) {
		r = linkat(s->dir, name, s->state, path, 0);
	} else if (r < 0 && errno == EEXIST) {
		if (!is_past(s, en)) {
			return false;
		}
		(void)unlinkat(s->state, path, 0);
		r = linkat(s->dir, name, s->state, path, 0);
	}
	if (r < 0) {
		log_warn("no second copy of ledger record %s: %s", name, strerror(errno));
	}
	return r == 0;
}

static bool same_file(int a_dir, const char *a, int b_dir, const char *b)
{
	struct stat x, y;

	return fstatat(a_dir, a, &x, AT_SYMLINK_NOFOLLOW) == 0 &&
	       fstatat(b_dir, b, &y, AT_SYMLINK_NOFOLLOW) == 0 && x.st_ino == y.st_ino &&
	       x.st_dev == y.st_dev;
}

void ledger_copy_drop(const struct ledger_store *s, const struct ledger_entry *en)
{
	char name[LEDGER_NAME_CAP], path[PATH_CAP];

	if (!en->has_pci || !name_of(en, name)) {
		return;
	}
	path_of(&en->pci, path);
	if (en->phase == LEDGER_PLANNED && !same_file(s->dir, name, s->state, path)) {
		return;
	}
	if (unlinkat(s->state, path, 0) < 0 && errno != ENOENT) {
		log_warn("remove %s: %s", path, strerror(errno));
	}
}

bool ledger_copy_is(const struct ledger_store *s, const struct pci_addr *vf)
{
	char path[PATH_CAP];

	path_of(vf, path);
	return faccessat(s->state, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int ledger_copy_load(const struct ledger_store *s, const struct pci_addr *vf,
	struct ledger_entry *out, struct err *e)
{
	char path[PATH_CAP];
	int r;

	path_of(vf, path);
	r = ledger_file_load(s->state, path, out, e);
	if (r == 0 && !(out->has_pci && pci_same(&out->pci, vf))) {
		return err_set(e, EINVAL, "%s is about another VF", path);
	}
	return r == -ENOENT ? 0 : r < 0 ? r : 1;
}

struct search {
	const struct ledger_store *s;
	struct str container_id, ifname;
	struct ledger_entry *out;
};

static int look_at(void *arg, const char *name, struct err *e)
{
	const struct search *k = arg;
	struct pci_addr vf;

	(void)e; /* those that cannot be read are passed over */
	if (parse_pci(str_from(name), &vf)) {
		struct err why;

		return ledger_copy_load(k->s, &vf, k->out, &why) == 1 &&
		       str_eq_c(k->container_id, k->out->container_id) &&
		       str_eq_c(k->ifname, k->out->ifname);
	}
	return 0;
}

int ledger_copy_find(const struct ledger_store *s, struct str container_id, struct str ifname,
	struct ledger_entry *out, struct err *e)
{
	struct search k = {s, container_id, ifname, out};
	int r = ledger_list(s->state, LEDGER_LENT_DIR, look_at, &k, e);

	return r == -ENOENT ? 0 : r;
}
