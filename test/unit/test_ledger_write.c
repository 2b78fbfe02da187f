/* SPDX-License-Identifier: MIT */
/* The ledger's files: stored, loaded, listed, removed, set aside, and who owns a VF. */
#include <errno.h>

#include "unit.h"

#include "base/clock.h"
#include "base/file.h"
#include "ledger/write.h"
#include "ledger_sample.h"
#include "tree.h"

static struct tree t;
static struct ledger_store store;
static struct ledger_entry en, back;
static struct ledger_rec recs[LEDGER_MAX];
static char mem[LEDGER_MEM], names[LEDGER_EACH_MEM];
static struct ledger ledger;
static struct err e;

static int setup(void **state)
{
	(void)state;
	tree_init(&t);
	sample_entry(&en);
	ledger_init(&ledger, recs, mem, sizeof(mem));
	return ledger_open(&store, t.path, &e);
}

static int teardown(void **state)
{
	(void)state;
	ledger_close(&store);
	tree_free(&t);
	return 0;
}

static void has_text(const char *word)
{
	if (strstr(e.msg, word) == NULL) {
		fail_msg("'%s' expected in: %s", word, e.msg);
	}
}

static void named(const char *id, const char *ifname)
{
	assert_true(str_copy(str_from(id), en.container_id, sizeof(en.container_id)));
	assert_true(str_copy(str_from(ifname), en.ifname, sizeof(en.ifname)));
}

static void stored(const char *id, const char *ifname, uint32_t vf)
{
	named(id, ifname);
	en.vf = vf;
	en.pci.fn = (uint8_t)vf;
	assert_int_equal(ledger_store_entry(&store, &en, &e), 0);
}

static int load(const char *id, const char *ifname)
{
	return ledger_load(&store, str_from(id), str_from(ifname), &back, &e);
}

static int ledger_remove_c(const char *id, const char *ifname)
{
	return ledger_remove(&store, str_from(id), str_from(ifname), &e);
}

static void test_stored_and_loaded(void **state)
{
	(void)state;
	stored("c1", "eth0", 3);
	assert_int_equal(load("c1", "eth0"), 0);
	assert_string_equal(back.netns, en.netns);
	assert_int_equal(back.restore.vlan, 100);
	en.phase = LEDGER_RELEASING;
	stored("c1", "eth0", 3);
	assert_int_equal(load("c1", "eth0"), 0);
	assert_int_equal(back.phase, LEDGER_RELEASING);
	/* Daemons without privilege read it, too. */
	assert_int_equal(ledger_read(&ledger, t.path, &e), 0);
	assert_int_equal(ledger.n, 1);
	assert_int_equal(ledger.damaged, 0);
	assert_string_equal(ledger.rec[0].holder.phase, "releasing");
}

static void test_none(void **state)
{
	(void)state;
	assert_int_equal(load("c1", "eth0"), -ENOENT);
	assert_int_equal(load("c1", "../eth0"), -EINVAL);
	assert_int_equal(load("", "eth0"), -EINVAL);
	assert_int_equal(ledger_remove_c("c1", "eth0"), 0);
	assert_int_equal(ledger_remove_c("c/1", "eth0"), -EINVAL);
	has_text("c/1");
}

static void test_removed(void **state)
{
	(void)state;
	stored("c1", "eth0", 3);
	stored("c1", "eth1", 4);
	assert_int_equal(ledger_remove_c("c1", "eth0"), 0);
	assert_int_equal(load("c1", "eth0"), -ENOENT);
	assert_int_equal(load("c1", "eth1"), 0);
	assert_int_equal(ledger_remove_c("c1", "eth0"), 0);
}

static void test_damaged_and_misplaced(void **state)
{
	char path[128];

	(void)state;
	tree_file(&t, "{\"version\": 1", "attachments/c1:eth0.json");
	assert_int_equal(load("c1", "eth0"), -EINVAL);
	has_text("ledger record c1:eth0.json");
	tree_file(&t, "{\"version\": 7}", "attachments/c1:eth0.json");
	assert_int_equal(load("c1", "eth0"), -ENOTSUP);
	tree_link(&t, "/etc/passwd", "attachments/c1:eth0.json");
	assert_int_equal(load("c1", "eth0"), -EINVAL);
	tree_remove(&t, "attachments/c1:eth0.json");
	stored("c2", "eth0", 1);
	assert_int_equal(renameat(store.dir, "c2:eth0.json", store.dir, "c1:eth0.json"), 0);
	assert_int_equal(load("c1", "eth0"), -EINVAL);
	has_text("its content is of c2:eth0");
	/* Larger than any record. */
	tree_file(&t, "", "attachments/c1:eth0.json");
	(void)snprintf(path, sizeof(path), "%s/attachments/c1:eth0.json", t.path);
	assert_int_equal(truncate(path, LEDGER_RECORD_CAP + 1), 0);
	assert_int_equal(load("c1", "eth0"), -EINVAL);
}

static int count(void *arg, const char *name, struct err *err)
{
	(void)err;
	assert_ptr_equal(strstr(name, "c1:eth0.json."), name);
	*(int *)arg += 1;
	return 0;
}

static void test_set_aside(void **state)
{
	int aside;

	(void)state;
	for (int i = 0; i < 2; i++) {
		tree_file(&t, "damaged", "attachments/c1:eth0.json");
		assert_int_equal(
			ledger_set_aside(&store, STR("c1"), STR("eth0"), false, "torn", &e), 0);
		assert_int_equal(load("c1", "eth0"), -ENOENT);
		assert_int_equal(ledger_read(&ledger, t.path, &e), 0);
		assert_int_equal(ledger.n + ledger.damaged, 0);
	}
	assert_int_equal(ledger_set_aside(&store, STR("c1"), STR("eth0"), false, "torn", &e), 0);
	assert_int_equal(
		ledger_set_aside(&store, STR("c 1"), STR("eth0"), false, "torn", &e), -EINVAL);
	/* One that is about to be replaced stays until then. */
	tree_file(&t, "damaged", "attachments/c1:eth0.json");
	assert_int_equal(ledger_set_aside(&store, STR("c1"), STR("eth0"), true, "torn", &e), 0);
	assert_int_equal(load("c1", "eth0"), -EINVAL);
	/* All are kept. */
	aside = 0;
	assert_int_equal(file_list(t.fd, LEDGER_DAMAGED_DIR, count, &aside, &e), 0);
	assert_int_equal(aside, 3);
}

static struct {
	char seen[32][64];
	size_t n;
	size_t stop_at;
	bool removes;
} walk;

static int see(void *arg, struct str id, struct str ifname, struct err *err)
{
	assert_ptr_equal(arg, &walk);
	assert_true(walk.n < 32);
	(void)snprintf(walk.seen[walk.n++], 64, "%.*s %.*s", STR_ARG(id), STR_ARG(ifname));
	if (walk.removes) {
		assert_int_equal(ledger_remove(&store, id, ifname, err), 0);
	}
	return walk.n == walk.stop_at ? err_set(err, ECANCELED, "enough") : 0;
}

static int each(const char *id)
{
	walk.n = 0;
	return ledger_each(&store, str_from(id), names, see, &walk, &e);
}

static void test_listed_in_order(void **state)
{
	static const char *const want[] = {"a eth0", "a eth1", "a-b eth0", "ab eth10", "ab eth2"};

	(void)state;
	memset(&walk, 0, sizeof(walk));
	stored("ab", "eth2", 1);
	stored("a-b", "eth0", 2);
	stored("a", "eth1", 3);
	stored("ab", "eth10", 4);
	stored("a", "eth0", 5);
	tree_file(&t, "", "attachments/.hidden");
	tree_file(&t, "", "attachments/a:eth0.json.tmp.77");
	tree_file(&t, "", "attachments/a:eth0.jso");
	tree_file(&t, "", "attachments/:eth0.json");
	tree_file(&t, "", "attachments/a.json");
	tree_file(&t, "", "attachments/a:.json");
	assert_int_equal(each(""), 0);
	assert_int_equal(walk.n, ARRAY_LEN(want));
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		assert_string_equal(walk.seen[i], want[i]);
	}
	assert_int_equal(each("a"), 0);
	assert_int_equal(walk.n, 2);
	assert_int_equal(each("b"), 0);
	assert_int_equal(walk.n, 0);
	walk.stop_at = 2;
	assert_int_equal(each(""), -ECANCELED);
	walk.stop_at = 0;
	walk.removes = true;
	assert_int_equal(each(""), 0);
	assert_int_equal(walk.n, 5);
	assert_int_equal(each(""), 0);
	assert_int_equal(walk.n, 0);
}

static int owns(const char *id)
{
	named(id, "eth0");
	assert_int_equal(ledger_read(&ledger, t.path, &e), 0);
	return ledger_owns(&ledger, &en, &e);
}

static void test_ownership(void **state)
{
	(void)state;
	stored("c1", "eth0", 3); /* of an earlier boot: owns nothing */
	assert_int_equal(owns("c1"), -ESTALE);
	en.boot_id[0] = '\0';
	stored("c2", "eth0", 3);
	stored("c9", "eth0", 4);
	en.vf = en.pci.fn = 3;
	assert_int_equal(owns("c2"), 0);
	assert_int_equal(owns("c3"), -ESTALE);
	has_text("belongs to c2:eth0");
	en.vf = en.pci.fn = 5;
	assert_int_equal(owns("c2"), -ESTALE);
	has_text("no record says");
	/* Of two that claim one VF the first by name has it. */
	stored("c1", "eth0", 3);
	assert_int_equal(owns("c1"), 0);
	assert_int_equal(owns("c2"), -ESTALE);
	/* One that only waits for IPAM has no VF. */
	en.phase = LEDGER_IPAM_PENDING;
	stored("c1", "eth0", 3);
	assert_int_equal(owns("c1"), -ESTALE);
	has_text("belongs to c2:eth0");
	assert_int_equal(owns("c2"), 0);
	en.phase = LEDGER_ATTACHED;
	stored("c1", "eth0", 3);
	/* The function counts, not the PF's name of the day; without one, PF and index. */
	(void)snprintf(en.pf, sizeof(en.pf), "renamed");
	assert_int_equal(owns("c1"), 0);
	en.has_pci = false;
	assert_int_equal(owns("c1"), -ESTALE);
}

static int confirm(void)
{
	return ledger_confirm(&store, &en, &back, &e);
}

static void test_confirmed_only_as_planned(void **state)
{
	static struct ledger_entry other;

	(void)state;
	en.phase = LEDGER_PLANNED;
	stored("c1", "eth0", 3);
	assert_int_equal(confirm(), 0);
	for (int i = 0; i < 5; i++) {
		other = en;
		other.phase = i == 0 ? LEDGER_RELEASING : LEDGER_PLANNED;
		other.pci.fn = (uint8_t)(i == 1 ? 4 : 3);
		other.request[0] = i == 2 ? 'x' : en.request[0];
		other.boot_id[0] = i == 3 ? 'f' : en.boot_id[0];
		other.netns_inode = en.netns_inode + (i == 4 ? 1 : 0);
		assert_int_equal(ledger_store_entry(&store, &other, &e), 0);
		assert_int_equal(confirm(), -ESTALE);
		has_text("replaced");
	}
	assert_int_equal(ledger_remove_c("c1", "eth0"), 0);
	assert_int_equal(confirm(), -ESTALE);
	has_text("removed");
	assert_int_equal(load("c1", "eth0"), -ENOENT); /* it does not come back */
}

static void test_no_ledger(void **state)
{
	struct ledger_store s;
	char path[128];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/none", t.path);
	assert_int_equal(ledger_open_existing(&s, path, &e), 0);
	assert_int_equal(s.dir, -1);
	assert_int_equal(s.state, -1);
	tree_file(&t, "", "none/x");
	assert_int_equal(ledger_open_existing(&s, path, &e), 0);
	assert_int_equal(s.dir, -1);
	assert_true(s.state >= 0); /* for what else is in it */
	ledger_close(&s);
	(void)snprintf(path, sizeof(path), "%s/none/x", t.path);
	assert_int_equal(ledger_open_existing(&s, path, &e), -ENOTDIR);
	assert_int_equal(ledger_open(&s, path, &e), -ENOTDIR);
	has_text(path);
	(void)snprintf(path, sizeof(path), "%s/a/b", t.path);
	assert_int_equal(ledger_open(&s, path, &e), -ENOENT);
	has_text(path);
	tree_file(&t, "", "blocked/attachments");
	(void)snprintf(path, sizeof(path), "%s/blocked", t.path);
	assert_int_equal(ledger_open(&s, path, &e), -ENOTDIR);
	has_text("attachments");
	assert_int_equal(s.state, -1);
	ledger_close(&s);
}

static void test_a_store_that_fails_leaves_the_old_record(void **state)
{
	(void)state;
	stored("c1", "eth0", 3);
	assert_int_equal(mkdirat(store.dir, "c7:eth0.json", 0755), 0);
	named("c7", "eth0");
	assert_true(ledger_store_entry(&store, &en, &e) < 0);
	has_text("ledger record of eth0");
	en.pod_name[0] = ' ';
	named("c1", "eth0");
	assert_int_equal(ledger_store_entry(&store, &en, &e), -EINVAL);
	assert_int_equal(load("c1", "eth0"), 0);
	assert_string_equal(back.pod_name, "web-0");
}

static void test_locks(void **state)
{
	struct pci_addr other;
	int node, vf, second;

	(void)state;
	node = ledger_lock(store.state, clock_ms(), &e);
	assert_true(node >= 0);
	assert_int_equal(ledger_lock(store.state, clock_ms() + 20, &e), -ETIMEDOUT);
	has_text("(process ");
	vf = ledger_lock_vf(store.state, &en.pci, clock_ms(), &e);
	assert_true(vf >= 0);
	assert_int_equal(ledger_lock_vf(store.state, &en.pci, clock_ms() + 20, &e), -ETIMEDOUT);
	has_text("attaches or releases this VF");
	for (int i = 0; i < 4; i++) {
		other = en.pci;
		other.domain ^= i == 0;
		other.bus = (uint8_t)(other.bus ^ (i == 1));
		other.dev = (uint8_t)(other.dev ^ (i == 2));
		other.fn = (uint8_t)(other.fn ^ (i == 3));
		second = ledger_lock_vf(store.state, &other, clock_ms(), &e);
		assert_true(second >= 0);
		(void)close(second);
	}
	(void)close(vf);
	vf = ledger_lock_vf(store.state, &en.pci, clock_ms(), &e);
	assert_true(vf >= 0);
	(void)close(vf);
	(void)close(node);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_stored_and_loaded),
		T(test_none),
		T(test_removed),
		T(test_damaged_and_misplaced),
		T(test_set_aside),
		T(test_listed_in_order),
		T(test_ownership),
		T(test_confirmed_only_as_planned),
		T(test_no_ledger),
		T(test_a_store_that_fails_leaves_the_old_record),
		T(test_locks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
