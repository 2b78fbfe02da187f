/* SPDX-License-Identifier: MIT */
/* The directory of records and the VFs that they name. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "ledger/read.h"

static char mem[LEDGER_MEM];
static struct ledger_rec recs[LEDGER_MAX];
static struct ledger ledger;
static struct sriov_node node;
static char top[64];
static int records = -1;

static int make_top(void **state)
{
	struct err e = ERR_INIT;
	char path[128];

	(void)state;
	(void)snprintf(top, sizeof(top), "/tmp/test-ledger-XXXXXX");
	if (mkdtemp(top) == NULL) {
		return -1;
	}
	(void)snprintf(path, sizeof(path), "%s/attachments", top);
	if (mkdir(path, 0755) < 0) {
		return -1;
	}
	records = file_open_dir(AT_FDCWD, path, &e);
	ledger_init(&ledger, recs, mem, sizeof(mem));
	return records < 0 ? -1 : 0;
}

static int drop_top(void **state)
{
	char command[128];

	(void)state;
	(void)close(records);
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", top);
	return system(command);
}

static void put_text(const char *name, const char *text)
{
	int fd = openat(records, name, O_CREAT | O_TRUNC | O_WRONLY, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(close(fd), 0);
}

static const char *record_of(
	const char *id, const char *ifname, const char *pf, unsigned vf, const char *pci)
{
	static char text[512];

	(void)snprintf(text, sizeof(text),
		"{\"version\": 1, \"phase\": \"attached\", \"containerId\": \"%s\","
		" \"ifname\": \"%s\", \"pod\": {\"name\": \"pod-%s\"}, \"pf\": \"%s\", \"vf\": %u,"
		" %s%s%s \"minTxRate\": 10, \"maxTxRate\": 20}",
		id, ifname, id, pf, vf, pci[0] != '\0' ? "\"pci\": \"" : "", pci,
		pci[0] != '\0' ? "\"," : "");
	return text;
}

static void put(const char *id, const char *ifname, const char *pf, unsigned vf, const char *pci)
{
	char name[LEDGER_NAME_CAP];

	assert_true(ledger_record_name(str_from(id), str_from(ifname), name, sizeof(name)));
	put_text(name, record_of(id, ifname, pf, vf, pci));
}

static void read_ok(size_t n, size_t damaged)
{
	struct err e = ERR_INIT;
	int r = ledger_read(&ledger, top, &e);

	if (r != 0 || ledger.n != n || ledger.damaged != damaged) {
		fail_msg("returned %d, %zu records, %zu damaged: %s%s", r, ledger.n, ledger.damaged,
			e.msg, ledger.problem);
	}
	assert_int_equal(ledger.problem[0] != '\0', damaged > 0);
}

static void read_fails(const char *dir, int code)
{
	struct err e = ERR_INIT;

	assert_int_equal(ledger_read(&ledger, dir, &e), -code);
	assert_non_null(strstr(e.msg, dir));
	assert_int_equal(ledger.n, 0);
	assert_int_equal(ledger.damaged, 0);
}

static void assert_problem(const char *first, const char *second)
{
	if (strstr(ledger.problem, first) == NULL || strstr(ledger.problem, second) == NULL) {
		fail_msg("'%s' and '%s' expected in: %s", first, second, ledger.problem);
	}
}

static void test_no_directory(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	put("c1", "eth0", "p0", 1, "");
	read_ok(1, 0);
	assert_int_equal(ledger_read(&ledger, "/nonexistent/ferrule", &e), 0);
	assert_int_equal(ledger.n, 0); /* what was read before is forgotten */
	assert_int_equal(ledger_read(&ledger, "/proc/self", &e), 0);
	assert_int_equal(ledger.n, 0);
}

static void test_order(void **state)
{
	(void)state;
	read_ok(0, 0);
	put("b", "eth1", "p0", 2, "");
	put("c", "eth0", "p0", 3, "");
	put("b", "eth0", "p0", 1, "");
	put("a", "net1", "p1", 0, "0000:04:10.0");
	read_ok(4, 0);
	assert_string_equal(ledger.rec[0].holder.container_id, "a");
	assert_string_equal(ledger.rec[0].holder.pod_name, "pod-a");
	assert_true(ledger.rec[0].has_pci);
	assert_string_equal(ledger.rec[1].holder.ifname, "eth0");
	assert_string_equal(ledger.rec[2].holder.ifname, "eth1");
	assert_string_equal(ledger.rec[3].holder.container_id, "c");
	assert_int_equal(unlinkat(records, "b:eth0.json", 0), 0);
	read_ok(3, 0);
	assert_int_equal(ledger.rec[1].vf, 2);
}

static void test_unfinished(void **state)
{
	(void)state;
	put("c1", "eth0", "p0", 1, "");
	put_text("c1:eth0.json.tmp.4711", "{\"vers");
	put_text("c2:eth0.json.tmp.1", "");
	put_text(".hidden", "x");
	put_text(".json", "x");
	read_ok(1, 0);
	/* These only look like it. */
	put("a.tmp.1", "eth0", "p0", 2, "");
	put("a.tmp.2", "e.tmp.x", "p0", 3, "");
	read_ok(3, 0);
	put_text("c1:eth0.json.tmp.", "");
	put_text("c1:eth0.json.tmp.x", "");
	put_text("c1:eth0.json.tmp.1x", "");
	read_ok(3, 3);
}

static void test_damaged(void **state)
{
	(void)state;
	put("good", "eth0", "p0", 1, "");
	put_text("c:eth0.json", "");
	read_ok(1, 1);
	assert_problem("record c:eth0.json: ", "line 1");
	put_text("b:eth0.json", "{\"version\": 2}");
	read_ok(1, 2);
	assert_problem("record b:eth0.json: ", "version 2");
	put_text("d:eth0.json", "{\"version\": 1}");
	read_ok(1, 3);
	assert_problem("record b:eth0.json: ", "version 2");
	assert_string_equal(ledger.rec[0].holder.container_id, "good");
	assert_int_equal(unlinkat(records, "b:eth0.json", 0), 0);
	assert_int_equal(unlinkat(records, "c:eth0.json", 0), 0);
	read_ok(1, 1);
	assert_problem("record d:eth0.json: ", "containerId");
}

static void test_wrong_name(void **state)
{
	static const char *const names[] = {"c2:eth0.json", "c1:eth1.json", "c1.eth0.json",
		"c1:eth0", "c1:eth0.json.bak", "c1:eth0.json~", "record.json", "x"};

	(void)state;
	put("c1", "eth0", "p0", 1, "");
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		put_text(names[i], record_of("c1", "eth0", "p0", 1, ""));
		read_ok(1, 1);
		assert_problem(names[i], "belongs into c1:eth0.json");
		assert_int_equal(unlinkat(records, names[i], 0), 0);
	}
}

static void test_no_regular_file(void **state)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	put("real", "eth0", "p0", 1, "");
	assert_int_equal(mkfifoat(records, "a:eth0.json", 0644), 0);
	assert_int_equal(mkdirat(records, "b:eth0.json", 0755), 0);
	assert_int_equal(symlinkat("real:eth0.json", records, "c:eth0.json"), 0);
	assert_int_equal(symlinkat("/dev/zero", records, "d:eth0.json"), 0);
	assert_int_equal(symlinkat("nowhere", records, "e:eth0.json"), 0);
	assert_true(s >= 0);
	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s/attachments/f:eth0.json", top);
	assert_int_equal(bind(s, (struct sockaddr *)&a, sizeof(a)), 0);
	read_ok(1, 6);
	assert_problem("a:eth0.json", "not a regular file");
	(void)close(s);
}

static void test_size(void **state)
{
	static char text[LEDGER_RECORD_CAP + 2];
	const char *small = record_of("c1", "eth0", "p0", 1, "");

	(void)state;
	memset(text, ' ', sizeof(text) - 1);
	memcpy(text, small, strlen(small));
	text[LEDGER_RECORD_CAP] = '\0';
	put_text("c1:eth0.json", text);
	read_ok(1, 0);
	text[LEDGER_RECORD_CAP] = ' ';
	put_text("c1:eth0.json", text);
	read_ok(0, 1);
	assert_problem("c1:eth0.json", "larger than 32768 bytes");
}

static void test_unreadable(void **state)
{
	char path[128];
	FILE *f;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/file", top);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fclose(f), 0);
	read_fails(path, ENOTDIR);
	if (geteuid() != 0) {
		print_message("the rest needs root to become somebody else\n");
		skip();
	}
	put("c1", "eth0", "p0", 1, "");
	put("c2", "eth0", "p0", 2, "");
	assert_int_equal(chmod(top, 0755), 0);
	assert_int_equal(fchmodat(records, "c2:eth0.json", 0600, 0), 0);
	assert_int_equal(seteuid(65534), 0);
	/* A VF whose record may not be read must not look free. */
	read_fails(top, EACCES);
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(fchmodat(records, "c2:eth0.json", 0644, 0), 0);
	assert_int_equal(seteuid(65534), 0);
	read_ok(2, 0);
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(fchmod(records, 0700), 0);
	assert_int_equal(seteuid(65534), 0);
	read_fails(top, EACCES);
	assert_int_equal(seteuid(0), 0);
}

static void test_little_memory(void **state)
{
	(void)state;
	put("c1", "eth0", "p0", 1, "");
	put("c2", "eth0", "p0", 2, "");
	ledger_init(&ledger, recs, mem, LEDGER_SCRATCH);
	read_ok(2, 0); /* small records leave enough */
	ledger_init(&ledger, recs, mem, LEDGER_RECORD_CAP);
	read_fails(top, ENOMEM);
	ledger_init(&ledger, recs, mem, 0);
	read_fails(top, ENOMEM);
}

static void test_number(void **state)
{
	char id[32];

	(void)state;
	for (unsigned i = 0; i < LEDGER_MAX; i++) {
		(void)snprintf(id, sizeof(id), "c%u", i);
		put(id, "eth0", "p0", i % SRIOV_PF_VF_MAX, "");
	}
	read_ok(LEDGER_MAX, 0);
	put("one-more", "eth0", "p0", 1, "");
	read_fails(top, E2BIG);
}

/* A neighbour replaces one record all the time, as a plugin that goes from phase to phase does. */
static void test_while_written(void **state)
{
	pid_t child;

	(void)state;
	put("stable", "eth0", "p0", 1, "");
	put("busy", "eth0", "p0", 2, "");
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct err e = ERR_INIT;
		const char *text = record_of("busy", "eth0", "p0", 2, "");

		while (file_replace(records, "busy:eth0.json", str_from(text), 0644, &e) == 0) {
		}
		_exit(1);
	}
	for (int i = 0; i < 300; i++) {
		struct err e = ERR_INIT;

		assert_int_equal(ledger_read(&ledger, top, &e), 0);
		assert_int_equal(ledger.damaged, 0);
		assert_in_range(ledger.n, 1, 2);
		assert_string_equal(ledger.rec[ledger.n - 1].holder.container_id, "stable");
	}
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	put("busy", "eth0", "p0", 2, "");
	read_ok(2, 0); /* whatever the killed one left */
}

/* p0 has VFs 0000:04:10.0 to .3, ns0 has two without a function. */
static void make_node(void)
{
	memset(&node, 0, sizeof(node));
	node.pf_n = 2;
	node.vf_n = 6;
	(void)snprintf(node.pf[0].name, IFNAMSIZ, "p0");
	node.pf[0].vf_n = 4;
	(void)snprintf(node.pf[1].name, IFNAMSIZ, "ns0");
	node.pf[1].vf_first = 4;
	node.pf[1].vf_n = 2;
	for (uint32_t i = 0; i < 6; i++) {
		node.vf[i].index = i < 4 ? i : i - 4;
		node.vf[i].has_pci = i < 4;
		node.vf[i].pci = (struct pci_addr){0, 4, 0x10, (uint8_t)(i < 4 ? i : 0)};
	}
}

static const char *holder_of(size_t vf)
{
	return node.vf[vf].holder != NULL ? node.vf[vf].holder->container_id : "";
}

static void test_apply(void **state)
{
	(void)state;
	make_node();
	put("a", "eth0", "p0", 1, "0000:04:10.1");
	put("b", "eth0", "p0", 2, "");
	put("c", "eth0", "renamed", 0, "0000:04:10.3"); /* the function counts */
	put("d", "eth0", "ns0", 1, "");
	read_ok(4, 0);
	assert_int_equal(ledger_apply(&ledger, &node), 0);
	assert_int_equal(ledger.clashes, 0);
	assert_string_equal(ledger.clash, "");
	assert_string_equal(holder_of(0), "");
	assert_string_equal(holder_of(1), "a");
	assert_string_equal(holder_of(2), "b");
	assert_string_equal(holder_of(3), "c");
	assert_string_equal(holder_of(4), "");
	assert_string_equal(holder_of(5), "d");
	assert_int_equal(node.vf[1].holder->min_tx_rate, 10);
	assert_int_equal(unlinkat(records, "a:eth0.json", 0), 0);
	read_ok(3, 0);
	assert_int_equal(ledger_apply(&ledger, &node), 0);
	assert_null(node.vf[1].holder);
	assert_string_equal(holder_of(2), "b");
}

static void test_apply_unknown(void **state)
{
	(void)state;
	make_node();
	put("a", "eth0", "p0", 4, "");
	put("b", "eth0", "p9", 0, "");
	put("c", "eth0", "p0", 1, "0000:04:10.7");
	put("d", "eth0", "p0", 1, "0001:04:10.1");
	put("e", "eth0", "ns0", 0, "0000:04:11.0");
	put("f", "eth0", "ns0", 2, "");
	read_ok(6, 0);
	assert_int_equal(ledger_apply(&ledger, &node), 6);
	for (size_t i = 0; i < node.vf_n; i++) {
		assert_null(node.vf[i].holder);
	}
}

/* A record that only waits for IPAM holds nothing, clashes with nothing and knows every VF. */
static void test_apply_ipam_pending(void **state)
{
	(void)state;
	make_node();
	put("a", "eth0", "p0", 1, "");
	put("b", "eth0", "p0", 1, "");
	put("c", "eth0", "p9", 1, "");
	read_ok(3, 0);
	assert_true(ledger_holds(&ledger.rec[0]));
	ledger.rec[0].holder.phase = ledger.rec[2].holder.phase = "ipam-pending";
	assert_false(ledger_holds(&ledger.rec[0]));
	assert_int_equal(ledger_apply(&ledger, &node), 0);
	assert_string_equal(holder_of(1), "b");
	assert_int_equal(ledger.clashes, 0);
}

static void put_boot(const char *id, const char *boot)
{
	char text[512], name[64];

	(void)snprintf(text, sizeof(text),
		"{\"version\":1,\"phase\":\"attached\",\"containerId\":\"%s\","
		"\"ifname\":\"eth0\",\"pf\":\"p0\",\"vf\":1,\"minTxRate\":10,"
		"\"maxTxRate\":0,\"bootId\":%s}",
		id, boot);
	(void)snprintf(name, sizeof(name), "%s:eth0.json", id);
	put_text(name, text);
}

/* A state directory that a reboot does not clear: every VF is back, and free for the next pod. */
static void test_apply_of_another_boot(void **state)
{
	char now[LEDGER_BOOT_ID_LEN + 3];
	struct err e;

	(void)state;
	make_node();
	assert_int_equal(ledger_boot_id(now + 1, &e), 0);
	now[0] = now[LEDGER_BOOT_ID_LEN + 1] = '"';
	now[LEDGER_BOOT_ID_LEN + 2] = '\0';
	put_boot("a", "\"8b7c0d5e-3f43-4a8a-9c55-1b9b8d0c6e21\"");
	read_ok(1, 0);
	assert_false(ledger_holds(&ledger.rec[0]));
	assert_int_equal(ledger_apply(&ledger, &node), 0);
	assert_null(node.vf[1].holder);
	put_boot("b", now);
	read_ok(2, 0);
	assert_int_equal(ledger_apply(&ledger, &node), 0);
	assert_int_equal(ledger.clashes, 0);
	assert_string_equal(holder_of(1), "b");
	put_boot("b", "\"\""); /* not known: it may be of this one */
	read_ok(2, 0);
	assert_int_equal(ledger_apply(&ledger, &node), 0);
	assert_string_equal(holder_of(1), "b");
	put_boot("b", "7");
	read_ok(1, 1);
}

static void test_apply_clash(void **state)
{
	(void)state;
	make_node();
	put("b", "eth0", "p0", 1, "");
	put("a", "eth1", "old", 7, "0000:04:10.1");
	put("c", "eth0", "p0", 1, "0000:04:10.1");
	put("d", "eth0", "p0", 2, "");
	read_ok(4, 0);
	assert_int_equal(ledger_apply(&ledger, &node), 0);
	assert_string_equal(holder_of(1), "a");
	assert_string_equal(holder_of(2), "d");
	assert_int_equal(ledger.clashes, 2);
	assert_string_equal(ledger.clash, "VF 1 of p0 is in two records: a:eth1, b:eth0");
	assert_int_equal(ledger_apply(&ledger, &node), 0);
	assert_int_equal(ledger.clashes, 2); /* counted anew */
	read_ok(4, 0);
	assert_int_equal(ledger.clashes, 0);
	assert_string_equal(ledger.clash, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_no_directory, make_top, drop_top),
		cmocka_unit_test_setup_teardown(test_order, make_top, drop_top),
		cmocka_unit_test_setup_teardown(test_unfinished, make_top, drop_top),
		cmocka_unit_test_setup_teardown(test_damaged, make_top, drop_top),
		cmocka_unit_test_setup_teardown(test_wrong_name, make_top, drop_top),
		cmocka_unit_test_setup_teardown(test_no_regular_file, make_top, drop_top),
		cmocka_unit_test_setup_teardown(test_size, make_top, drop_top),
		cmocka_unit_test_setup_teardown(test_unreadable, make_top, drop_top),
		cmocka_unit_test_setup_teardown(test_little_memory, make_top, drop_top),
		cmocka_unit_test_setup_teardown(test_number, make_top, drop_top),
		cmocka_unit_test_setup_teardown(test_while_written, make_top, drop_top),
		cmocka_unit_test_setup_teardown(test_apply, make_top, drop_top),
		cmocka_unit_test_setup_teardown(test_apply_unknown, make_top, drop_top),
		cmocka_unit_test_setup_teardown(test_apply_ipam_pending, make_top, drop_top),
		cmocka_unit_test_setup_teardown(test_apply_of_another_boot, make_top, drop_top),
		cmocka_unit_test_setup_teardown(test_apply_clash, make_top, drop_top),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
