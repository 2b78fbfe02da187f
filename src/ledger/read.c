/* SPDX-License-Identifier: MIT */
/* See read.h. */
#include "ledger/read.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "ledger/list.h"
#include "ledger/record_priv.h"

/* One walk through the directory. */
struct walk {
	struct ledger *l;
	int dir;
	size_t files;
	char first[256]; /* name of the damaged file that l->problem is about */
};

void ledger_init(struct ledger *l, struct ledger_rec *rec, void *mem, size_t mem_n)
{
	*l = (struct ledger){.rec = rec};
	arena_init(&l->strings, mem, mem_n);
}

static void forget(struct ledger *l)
{
	l->n = l->damaged = l->clashes = 0;
	l->problem[0] = l->clash[0] = '\0';
	arena_reset(&l->strings);
}

/* Of several damaged files the first by name is described: the order of reading is chance. */
static void note_damaged(struct walk *w, const char *name, const struct err *why)
{
	struct err e = *why;

	w->l->damaged++;
	if (w->first[0] != '\0' && strcmp(w->first, name) < 0) {
		return;
	}
	if (!str_copy(str_from(name), w->first, sizeof(w->first))) {
		w->first[0] = '\0';
	}
	(void)err_wrap(&e, "record %s", name); /* the message is what is wanted of it */
	(void)snprintf(w->l->problem, sizeof(w->l->problem), "%s", e.msg); /* same size */
}

static int check_name(const struct ledger_rec *rec, const char *name, struct err *e)
{
	char want[LEDGER_NAME_CAP] = "";

	if (!ledger_record_name(str_from(rec->holder.container_id), str_from(rec->holder.ifname),
		    want, sizeof(want)) ||
		strcmp(want, name) != 0) {
		return err_set(e, EINVAL, "its content belongs into %.100s", want);
	}
	return 0;
}

static int load(struct walk *w, const char *name, struct err *e)
{
	struct ledger *l = w->l;
	size_t used = l->strings.used;
	struct arena scratch;
	ssize_t n;
	int r;

	if (!ledger_scratch_take(&l->strings, LEDGER_RECORD_CAP + 1, &scratch)) {
		return err_set(e, ENOMEM, "no memory for another record");
	}
	n = file_read_regular(w->dir, name, scratch.p, scratch.cap, e);
	r = n < 0 ? (int)n
		  : ledger_record_parse(l, (struct str){scratch.p, (size_t)n}, &l->rec[l->n], e);
	ledger_scratch_give(&l->strings, &scratch);
	if (r == 0) {
		r = check_name(&l->rec[l->n], name, e);
	}
	if (r < 0) {
		l->strings.used = used;
		return r;
	}
	l->n++;
	return 0;
}

static int visit(void *arg, const char *name, struct err *e)
{
	struct walk *w = arg;
	int r;

	if (name[0] == '.' || file_is_temporary(name)) {
		return 0;
	}
	if (++w->files > LEDGER_MAX) {
		return err_set(e, E2BIG, "more than %d records", LEDGER_MAX);
	}
	r = load(w, name, e);
	if (r == -EINVAL || r == -ENOTSUP || r == -EFBIG) {
		note_damaged(w, name, e);
		return 0;
	}
	/* -ENOENT: deleted since the directory was listed. */
	return r == -ENOENT ? 0 : r;
}

static int by_attachment(const void *a, const void *b)
{
	const struct sriov_holder *x = &((const struct ledger_rec *)a)->holder;
	const struct sriov_holder *y = &((const struct ledger_rec *)b)->holder;
	int order = strcmp(x->container_id, y->container_id);

	return order != 0 ? order : strcmp(x->ifname, y->ifname);
}

/* By attachment, each once: a directory that comes in parts (list.h) may have a record twice. */
static void sort_unique(struct ledger *l)
{
	size_t kept = 0;

	qsort(l->rec, l->n, sizeof(l->rec[0]), by_attachment);
	for (size_t i = 0; i < l->n; i++) {
		if (kept > 0 && by_attachment(&l->rec[kept - 1], &l->rec[i]) == 0) {
			continue;
		}
		if (kept != i) {
			l->rec[kept] = l->rec[i];
		}
		kept++;
	}
	l->n = kept;
}

int ledger_boot_id(char out[static LEDGER_BOOT_ID_LEN + 1], struct err *e)
{
	char text[LEDGER_BOOT_ID_LEN + 8];
	ssize_t n = file_read(AT_FDCWD, "/proc/sys/kernel/random/boot_id", text, sizeof(text), e);
	struct str s;

	if (n < 0) {
		return (int)n;
	}
	s = str_trim((struct str){text, (size_t)n});
	if (s.n != LEDGER_BOOT_ID_LEN || !str_copy(s, out, LEDGER_BOOT_ID_LEN + 1)) {
		return err_set(e, EINVAL, "the kernel's boot id has %zu bytes", s.n);
	}
	return 0;
}

static int open_dir(const char *state_dir, struct err *e)
{
	cleanup_fd int state = file_open_dir(AT_FDCWD, state_dir, e);

	return state < 0 ? state : file_open_dir(state, LEDGER_DIR, e);
}

int ledger_read(struct ledger *l, const char *state_dir, struct err *e)
{
	cleanup_fd int dir = -1;
	struct walk w = {.l = l};
	struct err ignored;
	int r;

	forget(l);
	if (l->boot_id[0] == '\0' && ledger_boot_id(l->boot_id, &ignored) < 0) {
		l->boot_id[0] = '\0'; /* then records of other boots count as of this one */
	}
	dir = open_dir(state_dir, e);
	if (dir == -ENOENT) {
		return 0;
	}
	w.dir = dir;
	r = dir < 0 ? dir : ledger_list(dir, ".", visit, &w, e);
	if (r < 0) {
		forget(l);
		return err_wrap(e, "ledger in %s", state_dir);
	}
	sort_unique(l);
	return 0;
}
