/* SPDX-License-Identifier: MIT */
/* Second copies of records: kept with the first, there when the record is not. */
#include <errno.h>

#include "unit.h"

#include "ledger/copy.h"
#include "ledger_sample.h"
#include "tree.h"

#define COPY "lent/10000:04:10.3"

static struct tree t;
static struct ledger_store store;
static struct ledger_entry en, back;
static struct err e;

static int setup(void **state)
{
	(void)state;
	tree_init(&t);
	sample_entry(&en);
	en.phase = LEDGER_PLANNED;
	return ledger_open(&store, t.path, &e);
}

static int teardown(void **state)
{
	(void)state;
	ledger_close(&store);
	tree_free(&t);
	return 0;
}

static void stored(enum ledger_phase phase)
{
	en.phase = phase;
	assert_int_equal(ledger_store_entry(&store, &en, &e), 0);
}

/* Whether the copy is this one's. */
static bool planned(const char *id)
{
	assert_true(str_copy(str_from(id), en.container_id, sizeof(en.container_id)));
	stored(LEDGER_PLANNED);
	return ledger_copy_keep(&store, &en);
}

static int find(const char *id)
{
	return ledger_copy_find(&store, str_from(id), STR("eth1"), &back, &e);
}

static void test_stays_as_it_was(void **state)
{
	(void)state;
	assert_false(ledger_copy_is(&store, &en.pci));
	assert_int_equal(ledger_copy_load(&store, &en.pci, &back, &e), 0);
	assert_int_equal(find("c1"), 0);
	assert_true(planned("c1"));
	en.restore.vlan = 7; /* a later phase that is wrong */
	stored(LEDGER_ATTACHED);
	tree_file(&t, "torn", "attachments/c1:eth1.json");
	assert_true(ledger_copy_is(&store, &en.pci));
	assert_int_equal(ledger_copy_load(&store, &en.pci, &back, &e), 1);
	assert_int_equal(back.phase, LEDGER_PLANNED);
	assert_int_equal(back.restore.vlan, 100);
	assert_int_equal(find("c1"), 1);
	assert_string_equal(back.container_id, "c1");
	assert_int_equal(find("c2"), 0);
	assert_int_equal(ledger_copy_find(&store, STR("c1"), STR("eth0"), &back, &e), 0);
	ledger_copy_drop(&store, &en);
	assert_false(ledger_copy_is(&store, &en.pci));
	ledger_copy_drop(&store, &en); /* none is no trouble */
}

/* What was not given back is not replaced by what a later user saw of it. */
static void test_the_first_one_stays(void **state)
{
	(void)state;
	assert_true(planned("c1"));
	assert_int_equal(ledger_remove(&store, STR("c1"), STR("eth1"), &e), 0);
	assert_false(planned("c2"));
	assert_int_equal(find("c2"), 0);
	assert_int_equal(find("c1"), 1);
	/* Nothing was touched: the first one is still true, */
	ledger_copy_drop(&store, &en);
	assert_int_equal(find("c1"), 1);
	/* until the VF has been put back. */
	en.phase = LEDGER_RELEASING;
	ledger_copy_drop(&store, &en);
	assert_int_equal(find("c1"), 0);
	/* A plan of one's own goes whole. */
	assert_true(planned("c3"));
	ledger_copy_drop(&store, &en);
	assert_false(ledger_copy_is(&store, &en.pci));
}

static void test_of_another_boot(void **state)
{
	(void)state;
	assert_true(planned("c1"));
	en.boot_id[0] = 'f';
	assert_true(planned("c2"));
	assert_int_equal(find("c1"), 0);
	assert_int_equal(find("c2"), 1);
}

static void test_damaged_and_misplaced(void **state)
{
	struct pci_addr other = en.pci;

	(void)state;
	assert_true(planned("c1"));
	other.fn = 4;
	tree_file(&t, "{}", "lent/10000:04:10.4");
	assert_int_equal(ledger_copy_load(&store, &other, &back, &e), -EINVAL);
	assert_true(ledger_copy_is(&store, &other));
	tree_file(&t, "{\"version\":2}", "lent/10000:04:10.4");
	assert_int_equal(ledger_copy_load(&store, &other, &back, &e), -ENOTSUP);
	tree_file(&t, "x", "lent/no address");
	assert_int_equal(mkdirat(t.fd, "lent/0000:00:00.0", 0755), 0);
	assert_int_equal(find("c1"), 1); /* those are in nobody's way */
	assert_int_equal(find("c2"), 0);
	assert_int_equal(unlinkat(t.fd, "lent/10000:04:10.4", 0), 0);
	assert_int_equal(renameat(t.fd, COPY, t.fd, "lent/10000:04:10.4"), 0);
	assert_int_equal(ledger_copy_load(&store, &other, &back, &e), -EINVAL);
	assert_int_equal(find("c1"), 0);
}

/* No copy is better than no pod. */
static void test_no_room(void **state)
{
	(void)state;
	tree_file(&t, "", "lent");
	assert_false(planned("c1"));
	assert_false(ledger_copy_is(&store, &en.pci));
	ledger_copy_drop(&store, &en);
	assert_true(ledger_copy_load(&store, &en.pci, &back, &e) < 0);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_stays_as_it_was),
		T(test_the_first_one_stays),
		T(test_of_another_boot),
		T(test_damaged_and_misplaced),
		T(test_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
