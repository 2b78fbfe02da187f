/* SPDX-License-Identifier: MIT */
/* A survey of a sysfs tree of the test's own: what it says, what it costs, when it gives up. */
#include <errno.h>
#include <sys/types.h>

#include "unit.h"

#include "sriov/state.h"
#include "sriov/survey.h"
#include "tree.h"

static struct sriov_kernel kernel;
static struct sriov_node node, whole;
static struct tree tree;

/* The kernel's answers, and how often anything was asked of it or of the tree. */
static struct {
	int error;
	size_t listed;
	unsigned asked, opened, links;
} k;

int __wrap_nl_vf_list_name(struct nl_sock *s, const char *name, struct nl_link *pf,
	struct nl_vf *out, size_t cap, size_t *n, struct err *e);
ssize_t __wrap_readlinkat(int dir, const char *path, char *buf, size_t n);
ssize_t __real_readlinkat(int dir, const char *path, char *buf, size_t n);
int __wrap_openat(int dir, const char *path, int flags, ...);
int __real_openat(int dir, const char *path, int flags, ...);

int __wrap_nl_vf_list_name(struct nl_sock *s, const char *name, struct nl_link *pf,
	struct nl_vf *out, size_t cap, size_t *n, struct err *e)
{
	(void)s;
	k.asked++;
	if (k.error != 0) {
		return err_set(e, k.error, "no answer");
	}
	assert_true(k.listed <= cap);
	*pf = (struct nl_link){.ifindex = (uint32_t)(name[2] - '0') + 5,
		.flags = 1, /* IFF_UP */
		.carrier = true,
		.arphrd = 1,
		.addr = {2, 0, 0, 0, 0, 1}};
	for (size_t i = 0; i < k.listed; i++) {
		out[i] = (struct nl_vf){.index = (uint32_t)i, .has = NL_VF_PRESENT};
	}
	*n = k.listed;
	return 0;
}

ssize_t __wrap_readlinkat(int dir, const char *path, char *buf, size_t n)
{
	k.links++;
	return __real_readlinkat(dir, path, buf, n);
}

int __wrap_openat(int dir, const char *path, int flags, ...)
{
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = va_arg(ap, mode_t);
	va_end(ap);
	k.opened++;
	return __real_openat(dir, path, flags, mode);
}

/* As igb puts them: from function 16.0 of the PF's bus, every second one. */
static unsigned place(unsigned vf)
{
	return 0x100 + 0x80 + 2 * vf;
}

static void add_vf(unsigned vf)
{
	unsigned at = place(vf);
	char bdf[32];

	(void)snprintf(bdf, sizeof(bdf), "0000:%02x:%02x.%x", at >> 8, at >> 3 & 31, at & 7);
	tree_link(&tree, bdf, "bus/pci/devices/0000:01:00.0/virtfn%u", vf);
	tree_file(&tree, "", "bus/pci/devices/%s/net/eth%u/x", bdf, vf);
	tree_link(&tree, "../../drivers/igbvf", "bus/pci/devices/%s/driver", bdf);
}

static void add_vfs(unsigned n)
{
	for (unsigned i = (unsigned)k.listed; i < n; i++) {
		add_vf(i);
	}
	k.listed = n;
}

static int setup(void **state)
{
	(void)state;
	memset(&k, 0, sizeof(k));
	tree_init(&tree);
	memset(&kernel, 0, sizeof(kernel));
	kernel.sysfs = tree.fd;
	kernel.route.fd = kernel.genl.fd = kernel.rdma.fd = -1;
	tree_link(&tree, "../../../bus/pci/devices/0000:01:00.0", "class/net/pf0/device");
	tree_link(&tree, "../../drivers/igb", "bus/pci/devices/0000:01:00.0/driver");
	tree_file(&tree, "10000\n", "class/net/pf0/speed");
	whole.pf_n = 1;
	whole.pf[0] = (struct sriov_pf){.name = "pf0", .bus_id = "0000:01:00.0"};
	add_vfs(4);
	sriov_survey_remember(tree.fd, &whole);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tree_free(&tree);
	return 0;
}

static int survey(void)
{
	k.asked = k.opened = k.links = 0;
	return sriov_survey_read(&kernel, tree.fd, &node);
}

static void test_what_it_says(void **state)
{
	(void)state;
	assert_string_equal(tree_text(&tree, SRIOV_STATE_PFS), "pf0 0000:01:00.0");
	assert_int_equal(survey(), 1);
	assert_int_equal(node.pf_n, 1);
	assert_string_equal(node.pf[0].name, "pf0");
	assert_string_equal(node.pf[0].driver, "igb");
	assert_int_equal(node.pf[0].ifindex, 5);
	assert_int_equal(node.pf[0].pci.bus, 1);
	assert_int_equal(node.pf[0].num_vfs, 4);
	assert_int_equal(node.pf[0].speed, 10000);
	assert_true(node.pf[0].link_up);
	assert_string_equal(node.pf[0].problem, "");
	assert_int_equal(node.vf_n, 4);
	for (unsigned i = 0; i < 4; i++) {
		const struct sriov_vf *vf = &node.vf[i];

		assert_int_equal(vf->index, i);
		assert_int_equal(vf->state, SRIOV_VF_FREE);
		assert_true(vf->has_pci);
		assert_int_equal(vf->pci.bus << 8 | vf->pci.dev << 3 | vf->pci.fn, place(i));
		assert_true((vf->kernel.has & NL_VF_PRESENT) != 0);
		assert_null(vf->holder);
	}
}

/* VFs and other interfaces come, and as much is asked as before. */
static void test_what_it_costs(void **state)
{
	unsigned asked, opened, links;

	(void)state;
	assert_int_equal(survey(), 1);
	asked = k.asked, opened = k.opened, links = k.links;
	assert_int_equal(asked, 1);
	assert_int_equal(links, 5);
	assert_int_equal(opened, 2); /* the file, the speed */
	add_vfs(500);
	for (unsigned i = 0; i < 100; i++) {
		tree_file(&tree, "", "class/net/veth%u/ifindex", i);
	}
	assert_int_equal(survey(), 1);
	assert_int_equal(node.vf_n, 500);
	assert_int_equal(
		node.vf[499].pci.bus << 8 | node.vf[499].pci.dev << 3 | node.vf[499].pci.fn,
		place(499));
	assert_int_equal(k.asked, asked);
	assert_int_equal(k.opened, opened);
	assert_int_equal(k.links, links);
	sriov_survey_look(&kernel, &node.pf[0], &node.vf[499]);
	assert_int_equal(k.links, links + 2);
	assert_int_equal(k.opened, opened + 2);
}

static void test_few_vfs(void **state)
{
	(void)state;
	k.listed = 1;
	assert_int_equal(survey(), 1);
	assert_int_equal(node.vf_n, 1);
	k.listed = 0;
	assert_int_equal(survey(), 1);
	assert_int_equal(node.pf_n, 1);
	assert_int_equal(node.vf_n, 0);
}

static void test_a_look(void **state)
{
	struct sriov_vf *vf = node.vf;

	(void)state;
	assert_int_equal(survey(), 1);
	sriov_survey_look(&kernel, &node.pf[0], &vf[1]);
	assert_int_equal(vf[1].state, SRIOV_VF_FREE);
	assert_string_equal(vf[1].netdev, "eth1");
	assert_string_equal(vf[1].driver, "igbvf");
	tree_remove(&tree, "bus/pci/devices/0000:01:10.4/net/eth2/x");
	tree_remove(&tree, "bus/pci/devices/0000:01:10.4/net/eth2");
	sriov_survey_look(&kernel, &node.pf[0], &vf[2]);
	assert_int_equal(vf[2].state, SRIOV_VF_AWAY);
	assert_string_equal(vf[2].netdev, "");
	tree_link(&tree, "../../drivers/vfio-pci", "bus/pci/devices/0000:01:10.4/driver");
	sriov_survey_look(&kernel, &node.pf[0], &vf[2]);
	assert_int_equal(vf[2].state, SRIOV_VF_VFIO);
	tree_remove(&tree, "bus/pci/devices/0000:01:00.0/virtfn3");
	sriov_survey_look(&kernel, &node.pf[0], &vf[3]);
	assert_int_equal(vf[3].state, SRIOV_VF_NO_DRIVER);
	/* Another function than it was taken for. */
	tree_link(&tree, "../0000:01:10.4", "bus/pci/devices/0000:01:00.0/virtfn1");
	sriov_survey_look(&kernel, &node.pf[0], &vf[1]);
	assert_int_equal(vf[1].state, SRIOV_VF_NO_DRIVER);
}

static void test_functions_without_pci(void **state)
{
	(void)state;
	tree_file(&tree, "pf0 netdevsim5\n", SRIOV_STATE_PFS);
	tree_link(&tree, "../../../devices/netdevsim5", "class/net/pf0/device");
	assert_int_equal(survey(), 0); /* without a driver nothing is certain */
	tree_link(&tree, "../../drivers/netdevsim", "devices/netdevsim5/driver");
	assert_int_equal(survey(), 1);
	assert_int_equal(node.vf_n, 4);
	assert_int_equal(node.vf[2].state, SRIOV_VF_VIRTUAL);
	assert_false(node.vf[2].has_pci);
}

/* Each of them calls for a whole reading. */
static void test_nothing_remembered(void **state)
{
	static const char *const files[] = {"", "\n", "pf0", "pf0\n", "pf0 0000:01:00.0",
		"pf0 0000:01:00.1\n", "pf1 0000:01:00.0\n", "../net/pf0 0000:01:00.0\n",
		"pf0  0000:01:00.0\n", "pf0 0000:01:00.0\npf", "pf0 0000:01:00.0\n\n",
		"pf0 0000:01:00.0\npf7 0000:07:00.0\n"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		tree_file(&tree, files[i], SRIOV_STATE_PFS);
		if (survey() != 0) {
			fail_msg("file %zu was taken", i);
		}
	}
	tree_remove(&tree, SRIOV_STATE_PFS);
	assert_int_equal(survey(), 0);
	tree_link(&tree, "class/net/pf0/speed", SRIOV_STATE_PFS);
	assert_int_equal(survey(), 0);
}

static void test_a_file_too_long(void **state)
{
	char text[(SRIOV_PF_MAX + 1) * 17 + 1] = "";

	(void)state;
	for (size_t i = 0; i <= SRIOV_PF_MAX; i++) {
		memcpy(text + i * 17, "pf0 0000:01:00.0\n", 18);
	}
	tree_file(&tree, text, SRIOV_STATE_PFS);
	k.listed = 1;
	assert_int_equal(survey(), 0);
}

static void test_not_as_it_was(void **state)
{
	(void)state;
	k.error = ENODEV;
	assert_int_equal(survey(), 0);
	k.error = 0;
	tree_remove(&tree, "bus/pci/devices/0000:01:00.0/virtfn3"); /* of the 4 that are listed */
	assert_int_equal(survey(), 0);
	tree_link(&tree, "../0000:01:12.0", "bus/pci/devices/0000:01:00.0/virtfn3");
	assert_int_equal(survey(), 0); /* no arithmetic series */
	tree_link(&tree, "../0001:01:10.6", "bus/pci/devices/0000:01:00.0/virtfn3");
	assert_int_equal(survey(), 0);
	tree_link(&tree, "../nonsense", "bus/pci/devices/0000:01:00.0/virtfn3");
	assert_int_equal(survey(), 0);
	add_vf(3);
	assert_int_equal(survey(), 1);
}

static void test_forgotten(void **state)
{
	(void)state;
	assert_int_equal(survey(), 1);
	sriov_survey_forget(tree.fd);
	assert_int_equal(survey(), 0);
	sriov_survey_forget(tree.fd);
	sriov_survey_remember(tree.fd, &whole);
	assert_int_equal(survey(), 1);
}

/* Only a whole reading says which one it is and why. */
static void test_a_pf_with_a_problem(void **state)
{
	(void)state;
	whole.pf_n = 2;
	whole.pf[1] = (struct sriov_pf){.name = "pf1", .problem = "of another namespace"};
	sriov_survey_remember(tree.fd, &whole);
	assert_int_equal(survey(), 0);
	assert_int_equal(faccessat(tree.fd, SRIOV_STATE_PFS, F_OK, 0), -1);
	whole.pf_n = 1;
	sriov_survey_remember(tree.fd, &whole);
	assert_int_equal(survey(), 1);
}

static void test_it_cannot_be_kept(void **state)
{
	(void)state;
	tree_remove(&tree, SRIOV_STATE_PFS);
	assert_int_equal(mkdirat(tree.fd, SRIOV_STATE_PFS, 0755), 0);
	sriov_survey_remember(tree.fd, &whole); /* a warning */
	sriov_survey_forget(tree.fd);           /* another one */
	assert_int_equal(survey(), 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_what_it_says),
		T(test_what_it_costs),
		T(test_few_vfs),
		T(test_a_look),
		T(test_functions_without_pci),
		T(test_nothing_remembered),
		T(test_a_file_too_long),
		T(test_not_as_it_was),
		T(test_forgotten),
		T(test_a_pf_with_a_problem),
		T(test_it_cannot_be_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
