/* SPDX-License-Identifier: MIT */
/* The format of one record: see read.h and docs/ledger.md. */
#include <errno.h>
#include <string.h>

#include "json/value.h"
#include "ledger/entry_priv.h"
#include "ledger/read.h"
#include "ledger/record_priv.h"

/*
 * Checked is what readers use. The rest ("netns", "restore") is for the one who puts the VF back,
 * and must not cost a record its claim on the VF here.
 */

static bool id_ok(struct str s) /* CNI: an alphanumeric, then those and "_.-" */
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!chr_alnum(c) && (i == 0 || (c != '_' && c != '.' && c != '-'))) {
			return false;
		}
	}
	return s.n > 0;
}

static bool phase_ok(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != '-' && (s.p[i] < 'a' || s.p[i] > 'z')) {
			return false;
		}
	}
	return s.n > 0;
}

bool ledger_printable(struct str s) /* ASCII without blanks; may be empty */
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f) {
			return false;
		}
	}
	return true;
}

/* Where strings go: those that the record keeps, and those that are only looked at. */
struct room {
	struct arena *keep, *scratch;
};

struct text_rule {
	const char *key;
	size_t max; /* bytes */
	bool (*ok)(struct str s);
	const char *what;
};

static const struct text_rule rule_id = {
	"containerId", LEDGER_ID_MAX, id_ok, "a container id of letters, digits, '_', '.' and '-'"};
static const struct text_rule rule_ifname = {
	"ifname", IFNAMSIZ - 1, parse_ifname, "an interface name"};
static const struct text_rule rule_pf = {"pf", IFNAMSIZ - 1, parse_ifname, "an interface name"};
static const struct text_rule rule_phase = {
	"phase", LEDGER_PHASE_MAX, phase_ok, "a word of lower case letters and '-'"};

/* A string that obeys its rule, kept. */
static int take_text(struct json_val v, const struct text_rule *rule, struct room m,
	const char **out, struct err *e)
{
	struct str s;
	int r = json_str(v, m.scratch, &s, e);
	char *copy;

	if (r < 0) {
		return r;
	}
	if (s.n > rule->max || !rule->ok(s)) {
		return json_wrong(v, e, "%s of at most %zu bytes", rule->what, rule->max);
	}
	copy = arena_dup(m.keep, s);
	if (copy == NULL) {
		return json_fail(v, e, ENOMEM, "no memory for it");
	}
	*out = copy;
	return 0;
}

static int need_text(struct json_val obj, const struct text_rule *rule, struct room m,
	const char **out, struct err *e)
{
	struct json_val v;
	int r = json_need(obj, rule->key, JSON_STRING, &v, e);

	return r < 0 ? r : take_text(v, rule, m, out, e);
}

static int need_u32(
	struct json_val obj, const char *key, uint32_t max, uint32_t *out, struct err *e)
{
	struct json_val v;
	int r = json_need(obj, key, JSON_NUMBER, &v, e);

	return r < 0 ? r : json_u32(v, 0, max, out, e);
}

/* "pod": may be absent, and so may each of its parts: then they are empty. */
static int read_pod(struct json_val root, struct sriov_holder *h, struct room m, struct err *e)
{
	const struct {
		struct text_rule rule;
		const char **out;
	} parts[] = {
		{{"namespace", LEDGER_NAMESPACE_MAX, ledger_printable, "printable ASCII"},
			&h->pod_namespace},
		{{"name", LEDGER_POD_MAX, ledger_printable, "printable ASCII"}, &h->pod_name},
		{{"uid", LEDGER_UID_MAX, ledger_printable, "printable ASCII"}, &h->pod_uid},
	};
	struct json_val pod = json_get(root, "pod");
	int r = 0;

	if (json_type(pod) != JSON_NONE && json_type(pod) != JSON_OBJECT) {
		return json_wrong(pod, e, "an object");
	}
	for (size_t i = 0; i < ARRAY_LEN(parts) && r == 0; i++) {
		struct json_val v = json_get(pod, parts[i].rule.key);

		*parts[i].out = "";
		if (json_type(v) != JSON_NONE) {
			r = take_text(v, &parts[i].rule, m, parts[i].out, e);
		}
	}
	return r;
}

static int read_holder(struct json_val root, struct sriov_holder *h, struct room m, struct err *e)
{
	int r = need_text(root, &rule_id, m, &h->container_id, e);

	if (r == 0) {
		r = need_text(root, &rule_ifname, m, &h->ifname, e);
	}
	if (r == 0) {
		r = need_text(root, &rule_phase, m, &h->phase, e);
	}
	if (r == 0) {
		r = read_pod(root, h, m, e);
	}
	if (r == 0) {
		r = need_u32(root, "minTxRate", SRIOV_RATE_MAX, &h->min_tx_rate, e);
	}
	return r == 0 ? need_u32(root, "maxTxRate", SRIOV_RATE_MAX, &h->max_tx_rate, e) : r;
}

static int read_vf(struct json_val root, struct ledger_rec *rec, struct room m, struct err *e)
{
	const struct room passing = {m.scratch, m.scratch}; /* rec has room of its own */
	struct json_val pci = json_get(root, "pci");
	const char *pf = NULL;
	struct str s;
	bool copied;
	int r = need_text(root, &rule_pf, passing, &pf, e);

	if (r < 0) {
		return r;
	}
	copied = str_copy(str_from(pf), rec->pf, sizeof(rec->pf));
	ASSERT(copied); /* its rule has the bound */
	r = need_u32(root, "vf", SRIOV_PF_VF_MAX - 1, &rec->vf, e);
	if (r < 0 || json_type(pci) == JSON_NONE) {
		return r;
	}
	r = json_str(pci, m.scratch, &s, e);
	if (r < 0) {
		return r;
	}
	if (!parse_pci(s, &rec->pci)) {
		return json_wrong(pci, e, "a PCI address such as 0000:04:10.0");
	}
	rec->has_pci = true;
	return 0;
}

/* "bootId": may be absent or empty, of a writer that did not know it. */
static int read_boot(struct json_val root, const char *now, struct ledger_rec *rec, struct err *e)
{
	struct json_val v = json_get(root, "bootId");
	char then[LEDGER_BOOT_ID_LEN + 1] = "";
	int r = json_type(v) == JSON_NONE ? 0 : json_copy(v, then, sizeof(then), e);

	rec->past = r == 0 && now[0] != '\0' && then[0] != '\0' && strcmp(now, then) != 0;
	return r;
}

static int read_root(struct json_val root, struct ledger_rec *rec, struct room m, struct err *e)
{
	uint32_t version = 0;
	struct json_val v;
	int r = json_need(root, "version", JSON_NUMBER, &v, e);

	if (r == 0) {
		r = json_u32(v, 0, UINT32_MAX, &version, e);
	}
	if (r < 0) {
		return r;
	}
	/* Before anything else: what the other keys mean depends on it. */
	if (version != LEDGER_VERSION) {
		return json_fail(v, e, ENOTSUP, "version %u, but only version %d is known here",
			(unsigned)version, LEDGER_VERSION);
	}
	r = read_holder(root, &rec->holder, m, e);
	return r == 0 ? read_vf(root, rec, m, e) : r;
}

bool ledger_scratch_take(struct arena *a, size_t n, struct arena *out)
{
	if (n > a->cap - a->used) {
		return false;
	}
	a->cap -= n;
	arena_init(out, a->p + a->cap, n);
	return true;
}

void ledger_scratch_give(struct arena *a, const struct arena *scratch)
{
	a->cap += scratch->cap;
}

int ledger_record_parse(struct ledger *l, struct str text, struct ledger_rec *out, struct err *e)
{
	struct ledger_rec rec = {.has_pci = false};
	size_t used = l->strings.used;
	struct arena scratch;
	struct json_doc doc;
	int r;

	if (text.n > LEDGER_RECORD_CAP) {
		return err_set(e, EINVAL, "longer than %d bytes", LEDGER_RECORD_CAP);
	}
	if (!ledger_scratch_take(&l->strings, JSON_ARENA_WORST(text.n) + text.n + 256, &scratch)) {
		return err_set(e, ENOMEM, "no memory to read a record");
	}
	r = json_parse(&doc, text, &scratch, 0, e);
	if (r == 0) {
		r = read_root(json_root(&doc), &rec, (struct room){&l->strings, &scratch}, e);
		r = r < 0 ? r : read_boot(json_root(&doc), l->boot_id, &rec, e);
	}
	ledger_scratch_give(&l->strings, &scratch);
	if (r < 0) {
		l->strings.used = used;
		/* Too deep, too long: a damaged record like any other. */
		e->code = r == -ENOMEM ? ENOMEM : r == -ENOTSUP ? ENOTSUP : EINVAL;
		return -e->code;
	}
	*out = rec;
	return 0;
}

bool ledger_record_name(struct str container_id, struct str ifname, char *out, size_t cap)
{
	char name[LEDGER_NAME_CAP];
	struct buf b;

	if (container_id.n > LEDGER_ID_MAX || !id_ok(container_id) || !parse_ifname(ifname)) {
		return false;
	}
	buf_init(&b, name, sizeof(name));
	buf_add(&b, container_id);
	buf_add_chr(&b, ':');
	buf_add(&b, ifname);
	buf_add_c(&b, ".json");
	return buf_ok(&b) && str_copy(buf_str(&b), out, cap);
}
