/* SPDX-License-Identifier: MIT */
/* See conf.h; docs/node-configuration.md describes every key. */
#include "sriov/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/parse.h"
#include "json/value.h"

void sriov_conf_default(struct sriov_conf *c)
{
	*c = (struct sriov_conf){
		.state_dir = SRIOV_STATE_DIR,
		.trust = true,
		.spoofchk = false,
		.listen = ":54005",
		.max_age_ms = 100,
	};
}

/* No "..", so that nobody who reads the file has to resolve it by hand; no control characters. */
static bool state_dir_ok(struct str s)
{
	struct str part, rest = s;
	bool named = false;

	if (s.n == 0 || s.p[0] != '/') {
		return false;
	}
	for (size_t i = 0; i < s.n; i++) {
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f) {
			return false;
		}
	}
	while (str_cut(rest, '/', &part, &rest)) {
		if (str_eq_c(part, "..")) {
			return false;
		}
		named = named || part.n > 0;
	}
	return !str_eq_c(rest, "..") && (named || rest.n > 0);
}

/* *out is NULL when the key is not there, whose default then stays. */
static int optional_text(struct json_val v, struct arena *mem, const char **out, struct err *e)
{
	*out = NULL;
	return json_type(v) == JSON_NONE ? 0 : json_cstr(v, mem, out, e);
}

static int read_state_dir(struct sriov_conf *c, struct json_val v, struct arena *mem, struct err *e)
{
	const char *text;
	int r = optional_text(v, mem, &text, e);

	if (r < 0 || text == NULL) {
		return r;
	}
	if (!state_dir_ok(str_from(text)) ||
		!str_copy(str_from(text), c->state_dir, sizeof(c->state_dir))) {
		return json_wrong(v, e, "an absolute path without '..', of at most %zu bytes",
			sizeof(c->state_dir) - 1);
	}
	return 0;
}

static int read_listen(struct sriov_conf *c, struct json_val v, struct arena *mem, struct err *e)
{
	struct err why = ERR_INIT;
	struct sock_addr unused;
	const char *text;
	int r = optional_text(v, mem, &text, e);

	if (r < 0 || text == NULL) {
		return r;
	}
	r = parse_listen(str_from(text), &unused, &why);
	if (r < 0) {
		return json_fail(v, e, EINVAL, "%s", why.msg);
	}
	if (!str_copy(str_from(text), c->listen, sizeof(c->listen))) {
		return json_wrong(v, e, "an address of at most %zu bytes", sizeof(c->listen) - 1);
	}
	return 0;
}

static int read_name(struct sriov_conf *c, struct sriov_conf_pf *pf, struct json_val v,
	struct arena *mem, struct err *e)
{
	const char *text;
	int r = json_cstr(v, mem, &text, e);

	if (r < 0) {
		return r;
	}
	if (!parse_ifname(str_from(text)) ||
		!str_copy(str_from(text), pf->name, sizeof(pf->name))) {
		return json_wrong(v, e, "the name of an interface, 1 to %d bytes", IFNAMSIZ - 1);
	}
	if (sriov_conf_pf(c, pf->name) != NULL) {
		return json_fail(v, e, EINVAL, "'%s' is in the list already", pf->name);
	}
	return 0;
}

static int read_num_vfs(struct sriov_conf_pf *pf, struct json_val v, struct err *e)
{
	pf->num_vfs = json_type(v) == JSON_NONE ? SRIOV_NUM_DEFAULT : SRIOV_VFS_MAX_WORD;
	if (json_type(v) == JSON_NONE || json_text_eq(v, STR("max"))) {
		return 0;
	}
	if (json_type(v) != JSON_NUMBER) {
		return json_wrong(v, e, "\"max\" or a number from 1 to %d", SRIOV_PF_VF_MAX);
	}
	return json_u32(v, 1, SRIOV_PF_VF_MAX, &pf->num_vfs, e);
}

static int read_pf(struct sriov_conf *c, struct json_val v, struct arena *mem, struct err *e)
{
	struct sriov_conf_pf pf = {.headroom = c->headroom};
	struct json_val name = JSON_VAL_NONE, num_vfs = JSON_VAL_NONE;
	const struct json_field fields[] = {
		{"name", JSON_FIELD_VAL, &name, 0, 0, true},
		{"capacityMbps", JSON_FIELD_U32, &pf.capacity, 1, SRIOV_RATE_MAX, false},
		{"headroomMbps", JSON_FIELD_U32, &pf.headroom, 0, SRIOV_RATE_MAX, false},
		{"numVfs", JSON_FIELD_VAL, &num_vfs, 0, 0, false},
	};
	int r;

	if (c->pf_n == SRIOV_PF_MAX) {
		return json_fail(v, e, EINVAL, "more than %d entries", SRIOV_PF_MAX);
	}
	r = json_fields(v, fields, ARRAY_LEN(fields), mem, e);
	if (r == 0) {
		r = read_name(c, &pf, name, mem, e);
	}
	if (r == 0) {
		r = read_num_vfs(&pf, num_vfs, e);
	}
	if (r == 0) {
		c->pf[c->pf_n++] = pf;
	}
	return r;
}

static int read_pfs(struct sriov_conf *c, struct json_val v, struct arena *mem, struct err *e)
{
	struct json_iter it = json_iter(v);
	struct json_val entry;

	if (json_type(v) == JSON_NONE) {
		return 0;
	}
	if (json_type(v) != JSON_ARRAY) {
		return json_wrong(v, e, "a list");
	}
	c->pfs_given = true;
	c->pf_n = 0;
	while (json_next(&it, NULL, &entry)) {
		int r = read_pf(c, entry, mem, e);

		if (r < 0) {
			return r;
		}
	}
	return 0;
}

static int read_vf(struct sriov_conf *c, struct json_val v, struct arena *mem, struct err *e)
{
	const struct json_field fields[] = {
		{"trust", JSON_FIELD_BOOL, &c->trust, 0, 0, false},
		{"spoofCheck", JSON_FIELD_BOOL, &c->spoofchk, 0, 0, false},
	};

	return json_type(v) == JSON_NONE ? 0 : json_fields(v, fields, ARRAY_LEN(fields), mem, e);
}

static int read_root(struct sriov_conf *c, struct json_val root, struct arena *mem, struct err *e)
{
	struct json_val state_dir = JSON_VAL_NONE, pfs = JSON_VAL_NONE, vf = JSON_VAL_NONE;
	struct json_val addr = JSON_VAL_NONE;
	const struct json_field fields[] = {
		{"stateDir", JSON_FIELD_VAL, &state_dir, 0, 0, false},
		{"pfs", JSON_FIELD_VAL, &pfs, 0, 0, false},
		{"headroomMbps", JSON_FIELD_U32, &c->headroom, 0, SRIOV_RATE_MAX, false},
		{"vf", JSON_FIELD_VAL, &vf, 0, 0, false},
		{"listen", JSON_FIELD_VAL, &addr, 0, 0, false},
		{"maxAgeMs", JSON_FIELD_U32, &c->max_age_ms, 0, SRIOV_MAX_AGE_MS, false},
	};
	int r = json_fields(root, fields, ARRAY_LEN(fields), mem, e);

	if (r == 0) {
		r = read_state_dir(c, state_dir, mem, e);
	}
	if (r == 0) {
		r = read_vf(c, vf, mem, e);
	}
	if (r == 0) {
		r = read_listen(c, addr, mem, e);
	}
	/* After headroomMbps, which is the default of each entry's. */
	return r == 0 ? read_pfs(c, pfs, mem, e) : r;
}

int sriov_conf_parse(
	struct sriov_conf *c, struct str text, const char *place, struct arena *mem, struct err *e)
{
	size_t used = mem->used;
	struct json_doc doc;
	int r = json_parse(&doc, text, mem, 0, e);

	if (r == 0) {
		r = read_root(c, json_root(&doc), mem, e);
	}
	mem->used = used;
	if (r < 0) {
		/* Too deep, too long: to the user it is all the same, a wrong configuration. */
		e->code = r == -ENOMEM ? ENOMEM : EINVAL;
		return err_wrap(e, "%s", place);
	}
	return 0;
}

int sriov_conf_load(struct sriov_conf *c, const char *path, struct arena *mem, struct err *e)
{
	const char *file = path != NULL ? path : SRIOV_CONF_PATH;
	size_t used = mem->used;
	char *text = arena_alloc(mem, SRIOV_CONF_CAP + 1, 1);
	ssize_t n;
	int r;

	sriov_conf_default(c);
	if (text == NULL) {
		return err_set(e, ENOMEM, "%s: no memory to read it", file);
	}
	n = file_read(AT_FDCWD, file, text, SRIOV_CONF_CAP + 1, e);
	if (n >= 0) {
		r = sriov_conf_parse(c, (struct str){text, (size_t)n}, file, mem, e);
	} else {
		r = n == -ENOENT && path == NULL ? 0 : (int)n;
	}
	mem->used = used;
	return r;
}

static void find_state_dir(struct sriov_conf *c, struct str text, struct arena *mem)
{
	struct sriov_conf found = *c;
	struct json_doc doc;
	struct err e;

	if (json_parse(&doc, text, mem, JSON_LAST_WINS, &e) == 0 &&
		read_state_dir(&found, json_get(json_root(&doc), "stateDir"), mem, &e) == 0) {
		*c = found;
	}
}

void sriov_conf_salvage(struct sriov_conf *c, const char *path, struct arena *mem)
{
	size_t used = mem->used;
	char *text = arena_alloc(mem, SRIOV_CONF_CAP + 1, 1);
	struct err e;
	ssize_t n;

	sriov_conf_default(c);
	if (text == NULL) {
		return;
	}
	n = file_read(
		AT_FDCWD, path != NULL ? path : SRIOV_CONF_PATH, text, SRIOV_CONF_CAP + 1, &e);
	if (n >= 0) {
		find_state_dir(c, (struct str){text, (size_t)n}, mem);
	}
	mem->used = used;
}

const struct sriov_conf_pf *sriov_conf_pf(const struct sriov_conf *c, const char *name)
{
	for (size_t i = 0; i < c->pf_n; i++) {
		if (strcmp(c->pf[i].name, name) == 0) {
			return &c->pf[i];
		}
	}
	return NULL;
}

/* The PF whose VFs come first among those at or behind from; NULL when there is none. */
static struct sriov_pf *next_block(struct sriov_node *n, size_t from)
{
	struct sriov_pf *best = NULL;

	for (size_t i = 0; i < n->pf_n; i++) {
		struct sriov_pf *pf = &n->pf[i];

		if (pf->vf_n > 0 && pf->vf_first >= from &&
			(best == NULL || pf->vf_first < best->vf_first)) {
			best = pf;
		}
	}
	return best;
}

/* Close the gaps that dropped PFs left: who walks all VFs must not meet theirs. */
static void close_gaps(struct sriov_node *n)
{
	size_t read = 0, kept = 0;
	struct sriov_pf *pf;

	while ((pf = next_block(n, read)) != NULL) {
		memmove(&n->vf[kept], &n->vf[pf->vf_first], pf->vf_n * sizeof(n->vf[0]));
		read = pf->vf_first + pf->vf_n;
		pf->vf_first = kept;
		kept += pf->vf_n;
	}
	n->vf_n = kept;
}

void sriov_conf_apply(const struct sriov_conf *c, struct sriov_node *n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n->pf_n; i++) {
		const struct sriov_conf_pf *conf = sriov_conf_pf(c, n->pf[i].name);

		if (c->pfs_given && conf == NULL) {
			continue;
		}
		if (kept != i) {
			n->pf[kept] = n->pf[i];
		}
		n->pf[kept].fixed_speed = conf != NULL ? conf->capacity : 0;
		n->pf[kept].headroom = conf != NULL ? conf->headroom : c->headroom;
		kept++;
	}
	if (kept != n->pf_n) {
		n->pf_n = kept;
		close_gaps(n);
	}
}
