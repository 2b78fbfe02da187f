/* SPDX-License-Identifier: MIT */
/* Ledger records: whatever the text, what is taken keeps every promise of ledger/read.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ledger/entry.h"
#include "ledger/read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char mem[LEDGER_STRINGS + LEDGER_SCRATCH];

static void must(bool promise)
{
	if (!promise) {
		abort();
	}
}

/* A C string of the arena, printable, of at most max bytes. */
static void check_text(const struct ledger *l, const char *s, size_t max)
{
	size_t n = strlen(s);

	must(n == 0 || (s >= mem && s + n < mem + l->strings.used));
	must(n <= max);
	for (size_t i = 0; i < n; i++) {
		must(s[i] > ' ' && s[i] != 0x7f);
	}
}

static bool same_settings(const struct sriov_saved *a, const struct sriov_saved *b)
{
	char text[256];

	return a->has == b->has && a->altname_n == b->altname_n &&
	       memcmp(a->altname, b->altname, sizeof(a->altname)) == 0 &&
	       !sriov_saved_diff(a, b, UINT32_MAX, text, sizeof(text));
}

/* The whole record: refused where readers refuse it, and the same after writing and reading. */
static void whole(const uint8_t *data, size_t size, int read)
{
	static char entry_mem[LEDGER_ENTRY_MEM], text[LEDGER_RECORD_CAP];
	static struct ledger_entry en, again;
	struct err e = ERR_INIT;
	struct arena a;
	struct buf b;
	int r;

	log_set_level(LOG_ERROR); /* damaged settings are a warning each */
	arena_init(&a, entry_mem, sizeof(entry_mem));
	r = ledger_entry_parse(&en, (struct str){(const char *)data, size}, &a, &e);
	must(a.used == 0 && (r == 0 || r == -EINVAL || r == -ENOTSUP));
	must(read == 0 || r == read);
	if (r < 0) {
		must(e.code == -r && e.msg[0] != '\0');
		return;
	}
	buf_init(&b, text, sizeof(text));
	r = ledger_entry_write(&en, &b, &e);
	if (r == -EMSGSIZE) {
		return; /* what is written names what the text left out */
	}
	must(r == 0);
	must(ledger_entry_parse(&again, buf_str(&b), &a, &e) == 0);
	must(strcmp(en.netns, again.netns) == 0 && en.netns_inode == again.netns_inode);
	must(en.addr_n == again.addr_n && memcmp(en.addr, again.addr, sizeof(en.addr)) == 0);
	must(en.has_restore == again.has_restore && en.has_applied == again.has_applied);
	must(same_settings(&en.restore, &again.restore));
	must(same_settings(&en.applied, &again.applied));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ledger_rec rec;
	struct ledger l;
	struct err e = ERR_INIT;
	char name[LEDGER_NAME_CAP];
	int r;

	ledger_init(&l, NULL, mem, sizeof(mem));
	r = ledger_record_parse(&l, (struct str){(const char *)data, size}, &rec, &e);
	must(l.strings.cap == sizeof(mem));
	whole(data, size, r);
	if (r != 0) {
		/* Never for lack of memory. */
		must(r == -EINVAL || r == -ENOTSUP);
		must(e.code == -r && e.msg[0] != '\0' && l.strings.used == 0);
		return 0;
	}
	check_text(&l, rec.holder.container_id, LEDGER_ID_MAX);
	check_text(&l, rec.holder.phase, LEDGER_PHASE_MAX);
	check_text(&l, rec.holder.pod_namespace, LEDGER_NAMESPACE_MAX);
	check_text(&l, rec.holder.pod_name, LEDGER_POD_MAX);
	check_text(&l, rec.holder.pod_uid, LEDGER_UID_MAX);
	must(ledger_record_name(str_from(rec.holder.container_id), str_from(rec.holder.ifname),
		name, sizeof(name)));
	must(parse_ifname(str_from(rec.pf)) && rec.vf < SRIOV_PF_VF_MAX);
	must(rec.holder.min_tx_rate <= SRIOV_RATE_MAX && rec.holder.max_tx_rate <= SRIOV_RATE_MAX);
	must(!rec.has_pci || (rec.pci.dev <= 31 && rec.pci.fn <= 7));
	return 0;
}
