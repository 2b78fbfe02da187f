/* SPDX-License-Identifier: MIT */
/* The node configuration: what it takes, and above all what it refuses and how it says so. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "sriov/conf.h"

#define PF_LIST_MAX 8192

static char mem[SRIOV_CONF_MEM];
static struct sriov_conf conf;
static struct sriov_node node;
static char dir[64];

static int parse_n(const char *text, size_t n, struct err *e)
{
	char *copy = malloc(n + 1); /* exactly as long as the text: ASan sees a read behind it */
	struct arena a;
	int r;

	assert_non_null(copy);
	memcpy(copy, text, n);
	copy = realloc(copy, n > 0 ? n : 1);
	arena_init(&a, mem, sizeof(mem));
	sriov_conf_default(&conf);
	r = sriov_conf_parse(&conf, (struct str){copy, n}, "node.json", &a, e);
	assert_int_equal(a.used, 0);
	free(copy);
	return r;
}

static void takes(const char *text)
{
	struct err e = ERR_INIT;
	int r = parse_n(text, strlen(text), &e);

	if (r != 0) {
		fail_msg("%s: %s", text, e.msg);
	}
}

static void refuses(const char *text, const char *first, const char *second)
{
	struct err e = ERR_INIT;
	int r = parse_n(text, strlen(text), &e);

	if (r != -EINVAL || e.code != EINVAL) {
		fail_msg("%s: returned %d, code %d", text, r, e.code);
	}
	if (strncmp(e.msg, "node.json: ", 11) != 0) {
		fail_msg("%s: the file is not named: %s", text, e.msg);
	}
	if (strstr(e.msg, first) == NULL || strstr(e.msg, second) == NULL) {
		fail_msg("%s: '%s' and '%s' expected in: %s", text, first, second, e.msg);
	}
}

static void test_defaults(void **state)
{
	(void)state;
	takes("{}");
	assert_string_equal(conf.state_dir, "/run/ferrule");
	assert_string_equal(conf.listen, ":54005");
	assert_false(conf.pfs_given);
	assert_int_equal(conf.pf_n, 0);
	assert_int_equal(conf.headroom, 0);
	assert_int_equal(conf.max_age_ms, 100);
	assert_true(conf.trust);
	assert_false(conf.spoofchk);
}

static void test_every_key(void **state)
{
	(void)state;
	takes("{\"pfs\": [{\"name\": \"enp4s0f0\"},\n"
	      "  {\"numVfs\": 8, \"headroomMbps\": 0, \"capacityMbps\": 100000, \"name\": "
	      "\"p1\"},\n"
	      "  {\"name\": \"p\\u0032\", \"numVfs\": \"max\", \"headroomMbps\": 500}],\n"
	      " \"headroomMbps\": 1000, \"stateDir\": \"/var/lib/ferrule\",\n"
	      " \"vf\": {\"trust\": false, \"spoofCheck\": true},\n"
	      " \"listen\": \"[::1]:8080\", \"maxAgeMs\": 0}");
	assert_string_equal(conf.state_dir, "/var/lib/ferrule");
	assert_string_equal(conf.listen, "[::1]:8080");
	assert_int_equal(conf.max_age_ms, 0);
	assert_false(conf.trust);
	assert_true(conf.spoofchk);
	assert_true(conf.pfs_given);
	assert_int_equal(conf.pf_n, 3);
	assert_string_equal(conf.pf[0].name, "enp4s0f0");
	assert_int_equal(conf.pf[0].capacity, 0);
	/* The global headroom is the default even though it comes later in the text. */
	assert_int_equal(conf.pf[0].headroom, 1000);
	assert_true(conf.pf[0].num_vfs == SRIOV_NUM_DEFAULT); /* not the same as "max" */
	assert_string_equal(conf.pf[1].name, "p1");
	assert_int_equal(conf.pf[1].capacity, 100000);
	assert_int_equal(conf.pf[1].headroom, 0);
	assert_int_equal(conf.pf[1].num_vfs, 8);
	assert_string_equal(conf.pf[2].name, "p2");
	assert_int_equal(conf.pf[2].headroom, 500);
	assert_true(conf.pf[2].num_vfs == SRIOV_VFS_MAX_WORD);
	assert_ptr_equal(sriov_conf_pf(&conf, "p1"), &conf.pf[1]);
	assert_null(sriov_conf_pf(&conf, "p3"));
	assert_null(sriov_conf_pf(&conf, ""));
}

static void test_edges(void **state)
{
	(void)state;
	takes("{\"pfs\": []}");
	assert_true(conf.pfs_given);
	assert_int_equal(conf.pf_n, 0);
	takes("{\"vf\": {}}");
	assert_true(conf.trust);
	takes("{\"pfs\": [{\"name\": \"abcdefghijklmno\", \"capacityMbps\": 4000000,"
	      " \"headroomMbps\": 4000000, \"numVfs\": 2048}]}");
	assert_int_equal(conf.pf[0].num_vfs, 2048);
	takes("{\"pfs\": [{\"name\": \"a\", \"capacityMbps\": 1, \"numVfs\": 1}]}");
	takes("{\"maxAgeMs\": 10000, \"headroomMbps\": 4000000}");
	takes("{\"listen\": \"54005\"}");
	takes("{\"listen\": \"0.0.0.0:0\"}");
	takes("{\"stateDir\": \"/run/a..b/...\"}");
	takes("{\"stateDir\": \"/run/ferrule/\"}");
	assert_string_equal(conf.state_dir, "/run/ferrule/");
}

struct bad {
	const char *text, *first, *second;
};

static void refuse_all(const struct bad *bad, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		refuses(bad[i].text, bad[i].first, bad[i].second);
	}
}

static void test_no_json(void **state)
{
	static const struct bad bad[] = {
		{"", "line 1", "column 1"},
		{" \n\n", "line 3", "column 1"},
		{"{", "line 1", "column 2"},
		{"{\"headroomMbps\": 1,}", "line 1", "column"},
		{"{\"headroomMbps\" 1}", "line 1", "column"},
		{"{headroomMbps: 1}", "line 1", "column 2"},
		{"{'headroomMbps': 1}", "line 1", "column 2"},
		{"{} {}", "line 1", "column 4"},
		{"{}\n}", "line 2", "column 1"},
		{"{\"maxAgeMs\": 0100}", "line 1", "column"},
		{"{\"maxAgeMs\": +1}", "line 1", "column 14"},
		{"{\"maxAgeMs\": NaN}", "line 1", "column 14"},
		{"{\"vf\": {\"trust\": True}}", "line 1", "column 18"},
		{"{\"listen\": \":1\n\"}", "line 1", "column"},
		{"{ // a comment\n}", "line 1", "column 3"},
		{"{ # a comment\n}", "line 1", "column 3"},
		{"stateDir: /run/ferrule\n", "line 1", "column 1"},
		{"\xef\xbb\xbf{}", "line 1", "column"},
		{"{\"listen\": \"\xff\"}", "line 1", "column"},
	};
	struct err e = ERR_INIT;

	(void)state;
	refuse_all(bad, ARRAY_LEN(bad));
	assert_int_equal(parse_n("{}\0", 3, &e), -EINVAL);
	assert_int_equal(parse_n("{\0}", 3, &e), -EINVAL);
}

static void test_wrong_types(void **state)
{
	static const struct bad bad[] = {
		{"[]", "object", "line 1"},
		{"null", "object", "null"},
		{"\"x\"", "object", "got \"x\""},
		{"1", "object", "got 1"},
		{"{\"stateDir\": null}", "stateDir (line 1, column 14)", "string"},
		{"{\"stateDir\": 5}", "stateDir (line 1, column 14)", "string"},
		{"{\"stateDir\": [\"/run\"]}", "stateDir", "string"},
		{"{\"pfs\": null}", "pfs (line 1, column 9)", "null"},
		{"{\"pfs\": {}}", "pfs (line 1, column 9)", "got an object"},
		{"{\"pfs\": \"eth0\"}", "pfs (line 1, column 9)", "got \"eth0\""},
		{"{\"pfs\": [\"eth0\"]}", "pfs[0] (line 1, column 10)", "object"},
		{"{\"pfs\": [{\"name\": \"a\"}, null]}", "pfs[1] (line 1, column 25)", "object"},
		{"{\"pfs\": [[]]}", "pfs[0]", "object"},
		{"{\"pfs\": [{\"name\": 1}]}", "pfs[0].name", "string"},
		{"{\"pfs\": [{\"name\": null}]}", "pfs[0].name", "string"},
		{"{\"pfs\": [{\"name\": \"a\", \"capacityMbps\": \"100\"}]}", "pfs[0].capacityMbps",
			"number"},
		{"{\"pfs\": [{\"name\": \"a\", \"capacityMbps\": null}]}", "pfs[0].capacityMbps",
			"number"},
		{"{\"pfs\": [{\"name\": \"a\", \"headroomMbps\": true}]}", "pfs[0].headroomMbps",
			"number"},
		{"{\"pfs\": [{\"name\": \"a\", \"numVfs\": null}]}", "pfs[0].numVfs", "max"},
		{"{\"pfs\": [{\"name\": \"a\", \"numVfs\": [8]}]}", "pfs[0].numVfs", "max"},
		{"{\"headroomMbps\": \"1\"}", "headroomMbps (line 1, column 18)", "number"},
		{"{\"vf\": null}", "vf (line 1, column 8)", "object"},
		{"{\"vf\": true}", "vf", "object"},
		{"{\"vf\": {\"trust\": \"on\"}}", "vf.trust (line 1, column 18)", "got \"on\""},
		{"{\"vf\": {\"trust\": 1}}", "vf.trust", "1"},
		{"{\"vf\": {\"spoofCheck\": null}}", "vf.spoofCheck", "null"},
		{"{\"listen\": 54005}", "listen (line 1, column 12)", "string"},
		{"{\"listen\": null}", "listen", "string"},
		{"{\"maxAgeMs\": \"100\"}", "maxAgeMs", "number"},
		{"{\"maxAgeMs\": {}}", "maxAgeMs", "number"},
	};

	(void)state;
	refuse_all(bad, ARRAY_LEN(bad));
}

static void test_unknown_and_repeated(void **state)
{
	static const struct bad bad[] = {
		{"{\"statedir\": \"/run\"}", "statedir (line 1, column 2)", "unknown key"},
		{"{\"state_dir\": \"/run\"}", "state_dir", "unknown key"},
		{"{\"\": 1}", "line 1, column 2", "unknown key"},
		{"{\n  \"headroom\": 1}", "headroom (line 2, column 3)", "unknown key"},
		{"{\"trust\": true}", "trust", "unknown key"},
		{"{\"pfs\": [{\"name\": \"a\", \"capacity\": 1}]}", "pfs[0].capacity",
			"unknown key"},
		{"{\"pfs\": [{\"name\": \"a\"},\n{\"name\": \"b\", \"trust\": true}]}",
			"pfs[1].trust (line 2, column 15)", "unknown key"},
		{"{\"vf\": {\"spoofchk\": true}}", "vf.spoofchk", "unknown key"},
		{"{\"vf\": {\"Trust\": true}}", "vf.Trust", "unknown key"},
		{"{\"maxAgeMs\": 1, \"maxAgeMs\": 1}", "maxAgeMs", "line 1, column 17"},
		{"{\"maxAgeMs\": 1, \"max\\u0041geMs\": 1}", "twice", "line 1, column 17"},
		{"{\"vf\": {\"trust\": true,\n\"trust\": true}}", "trust", "line 2, column 1"},
		{"{\"pfs\": [{\"name\": \"a\", \"name\": \"b\"}]}", "name", "line 1, column 24"},
		{"{\"pfs\": [], \"pfs\": []}", "pfs", "line 1, column 13"},
	};

	(void)state;
	refuse_all(bad, ARRAY_LEN(bad));
}

static void test_out_of_range(void **state)
{
	static const struct bad bad[] = {
		{"{\"headroomMbps\": -1}", "headroomMbps", "0 to 4000000"},
		{"{\"headroomMbps\": 1.0}", "headroomMbps", "0 to 4000000"},
		{"{\"headroomMbps\": 1e3}", "headroomMbps", "0 to 4000000"},
		{"{\"headroomMbps\": 4000001}", "headroomMbps", "4000001"},
		{"{\"headroomMbps\": 4294967296}", "headroomMbps", "4294967296"},
		{"{\"headroomMbps\": 18446744073709551616}", "headroomMbps",
			"18446744073709551616"},
		{"{\"maxAgeMs\": 10001}", "maxAgeMs", "0 to 10000"},
		{"{\"maxAgeMs\": -100}", "maxAgeMs", "0 to 10000"},
		{"{\"maxAgeMs\": 0.5}", "maxAgeMs", "0 to 10000"},
		{"{\"pfs\": [{\"name\": \"a\", \"capacityMbps\": 0}]}", "pfs[0].capacityMbps",
			"1 to 4000000"},
		{"{\"pfs\": [{\"name\": \"a\"},\n {\"name\": \"b\",\n  \"capacityMbps\": "
		 "4000001}]}",
			"pfs[1].capacityMbps (line 3, column 19)", "1 to 4000000"},
		{"{\"pfs\": [{\"name\": \"a\", \"headroomMbps\": 4000001}]}", "pfs[0].headroomMbps",
			"0 to 4000000"},
		{"{\"pfs\": [{\"name\": \"a\", \"numVfs\": 0}]}", "pfs[0].numVfs", "1 to 2048"},
		{"{\"pfs\": [{\"name\": \"a\", \"numVfs\": 2049}]}", "pfs[0].numVfs", "1 to 2048"},
		{"{\"pfs\": [{\"name\": \"a\", \"numVfs\": 4294967295}]}", "pfs[0].numVfs",
			"1 to 2048"},
		{"{\"pfs\": [{\"name\": \"a\", \"numVfs\": \"MAX\"}]}", "pfs[0].numVfs", "max"},
		{"{\"pfs\": [{\"name\": \"a\", \"numVfs\": \"8\"}]}", "pfs[0].numVfs", "max"},
		{"{\"pfs\": [{\"name\": \"a\", \"numVfs\": \"\"}]}", "pfs[0].numVfs", "max"},
	};

	(void)state;
	refuse_all(bad, ARRAY_LEN(bad));
}

static void test_bad_names(void **state)
{
	static const struct bad bad[] = {
		{"{\"pfs\": [{}]}", "pfs[0] (line 1, column 10)", "\"name\" is missing"},
		{"{\"pfs\": [{\"capacityMbps\": 1}]}", "pfs[0]", "\"name\" is missing"},
		{"{\"pfs\": [{\"name\": \"\"}]}", "pfs[0].name", "the name of an interface"},
		{"{\"pfs\": [{\"name\": \".\"}]}", "pfs[0].name", "the name of an interface"},
		{"{\"pfs\": [{\"name\": \"..\"}]}", "pfs[0].name", "the name of an interface"},
		{"{\"pfs\": [{\"name\": \"a/b\"}]}", "pfs[0].name", "the name of an interface"},
		{"{\"pfs\": [{\"name\": \"a:b\"}]}", "pfs[0].name", "the name of an interface"},
		{"{\"pfs\": [{\"name\": \"a b\"}]}", "pfs[0].name", "the name of an interface"},
		{"{\"pfs\": [{\"name\": \"a\\n\"}]}", "pfs[0].name", "the name of an interface"},
		{"{\"pfs\": [{\"name\": \"a\\u0000b\"}]}", "pfs[0].name", "line 1, column 19"},
		{"{\"pfs\": [{\"name\": \"\\ud800\"}]}", "pfs[0].name", "line 1, column 19"},
		{"{\"pfs\": [{\"name\": \"abcdefghijklmnop\"}]}", "pfs[0].name",
			"the name of an interface"},
		{"{\"pfs\": [{\"name\": \"a\"}, {\"name\": \"b\"}, {\"name\": \"a\"}]}",
			"pfs[2].name", "'a' is in the list already"},
		{"{\"pfs\": [{\"name\": \"a\"}, {\"name\": \"\\u0061\"}]}", "pfs[1].name",
			"'a' is in the list already"},
	};

	(void)state;
	refuse_all(bad, ARRAY_LEN(bad));
}

static void test_bad_paths_and_addresses(void **state)
{
	static const struct bad bad[] = {
		{"{\"stateDir\": \"\"}", "stateDir", "absolute path"},
		{"{\"stateDir\": \"/\"}", "stateDir", "absolute path"},
		{"{\"stateDir\": \"//\"}", "stateDir", "absolute path"},
		{"{\"stateDir\": \"run/ferrule\"}", "stateDir", "absolute path"},
		{"{\"stateDir\": \"./run\"}", "stateDir", "absolute path"},
		{"{\"stateDir\": \"/..\"}", "stateDir", "absolute path"},
		{"{\"stateDir\": \"/run/..\"}", "stateDir", "absolute path"},
		{"{\"stateDir\": \"/run/../etc\"}", "stateDir", "absolute path"},
		{"{\"stateDir\": \"/../etc\"}", "stateDir", "absolute path"},
		{"{\"stateDir\": \"/run/\\u0001\"}", "stateDir", "absolute path"},
		{"{\"stateDir\": \"/run/\\u007f\"}", "stateDir", "absolute path"},
		{"{\"stateDir\": \"/run\\u0000/x\"}", "stateDir", "line 1, column 14"},
		{"{\"listen\": \"\"}", "listen", "port"},
		{"{\"listen\": \":\"}", "listen", "port"},
		{"{\"listen\": \":65536\"}", "listen", "port"},
		{"{\"listen\": \":-1\"}", "listen", "port"},
		{"{\"listen\": \":http\"}", "listen", "port"},
		{"{\"listen\": \"localhost:80\"}", "listen", "not an IPv4 address"},
		{"{\"listen\": \"1.2.3:80\"}", "listen", "not an IPv4 address"},
		{"{\"listen\": \"[::1:80\"}", "listen", "expected"},
		{"{\"listen\": \" :80\"}", "listen (line 1, column 12)", "not an IPv4"},
		{"{\"listen\": "
		 "\":000000000000000000000000000000000000000000000000000000000000080\"}",
			"listen", "at most 63 bytes"},
	};
	char text[512];

	(void)state;
	refuse_all(bad, ARRAY_LEN(bad));
	(void)snprintf(text, sizeof(text), "{\"stateDir\": \"/%0126d\"}", 0);
	takes(text);
	(void)snprintf(text, sizeof(text), "{\"stateDir\": \"/%0127d\"}", 0);
	refuses(text, "stateDir", "127 bytes");
}

/* n entries with different names. */
static void pf_list(char *text, size_t cap, unsigned n)
{
	size_t at = (size_t)snprintf(text, cap, "{\"pfs\": [");

	for (unsigned i = 0; i < n; i++) {
		at += (size_t)snprintf(
			text + at, cap - at, "%s{\"name\": \"p%u\"}", i > 0 ? ",\n" : "", i);
	}
	at += (size_t)snprintf(text + at, cap - at, "]}");
	assert_true(at < cap);
}

static void test_number_of_pfs(void **state)
{
	char text[PF_LIST_MAX];

	(void)state;
	pf_list(text, sizeof(text), SRIOV_PF_MAX);
	takes(text);
	assert_int_equal(conf.pf_n, SRIOV_PF_MAX);
	assert_string_equal(conf.pf[SRIOV_PF_MAX - 1].name, "p31");
	pf_list(text, sizeof(text), SRIOV_PF_MAX + 1);
	refuses(text, "pfs[32] (line 33, column 1)", "more than 32 entries");
}

static void test_depth(void **state)
{
	char text[1024];

	(void)state;
	memset(text, '[', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	refuses(text, "node.json", "");
}

static void test_little_memory(void **state)
{
	const struct str text = STR("{\"pfs\": [{\"name\": \"a\"}]}");
	struct err e = ERR_INIT;
	struct arena a;

	(void)state;
	arena_init(&a, mem, 16);
	sriov_conf_default(&conf);
	assert_int_equal(sriov_conf_parse(&conf, text, "node.json", &a, &e), -ENOMEM);
	assert_non_null(strstr(e.msg, "node.json: "));
	assert_int_equal(a.used, 0);
	assert_int_equal(sriov_conf_load(&conf, "/nonexistent", &a, &e), -ENOMEM);
	assert_non_null(strstr(e.msg, "/nonexistent"));
}

static int make_dir(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/test-conf-XXXXXX");
	return mkdtemp(dir) == NULL ? -1 : 0;
}

static int drop_dir(void **state)
{
	char path[128];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/f", dir);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/link", dir);
	(void)unlink(path);
	return rmdir(dir);
}

static int load(const char *name, struct err *e)
{
	struct arena a;
	char path[128];
	int r;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	arena_init(&a, mem, sizeof(mem));
	memset(&conf, 0xa5, sizeof(conf));
	r = sriov_conf_load(&conf, path, &a, e);
	assert_int_equal(a.used, 0);
	return r;
}

static void put_file(const char *text, size_t blanks)
{
	char path[128];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/f", dir);
	f = fopen(path, "w");
	assert_non_null(f);
	(void)fputs(text, f);
	for (size_t i = 0; i < blanks; i++) {
		(void)fputc(' ', f);
	}
	assert_int_equal(fclose(f), 0);
}

static void test_load(void **state)
{
	struct err e = ERR_INIT;
	char path[128];

	(void)state;
	put_file("{\"maxAgeMs\": 7}\n", 0);
	assert_int_equal(load("f", &e), 0);
	assert_int_equal(conf.max_age_ms, 7);
	assert_string_equal(conf.state_dir, "/run/ferrule");
	(void)snprintf(path, sizeof(path), "%s/link", dir);
	assert_int_equal(symlink("f", path), 0);
	assert_int_equal(load("link", &e), 0);
	assert_int_equal(conf.max_age_ms, 7);
	put_file("{}", SRIOV_CONF_CAP - 2);
	assert_int_equal(load("f", &e), 0);
}

static void test_load_refused(void **state)
{
	struct err e = ERR_INIT;
	char path[128];

	(void)state;
	assert_int_equal(load("f", &e), -ENOENT);
	assert_non_null(strstr(e.msg, dir));
	assert_int_equal(load("", &e), -EISDIR);
	put_file("{}", SRIOV_CONF_CAP - 1);
	assert_int_equal(load("f", &e), -EFBIG);
	assert_non_null(strstr(e.msg, "larger than 16384 bytes"));
	put_file("", 0);
	assert_int_equal(load("f", &e), -EINVAL);
	assert_non_null(strstr(e.msg, dir));
	put_file("{\"pfs\": [\n{\"name\": \"a\", \"capacityMbps\": -1}]}", 0);
	assert_int_equal(load("f", &e), -EINVAL);
	assert_non_null(strstr(e.msg, dir));
	assert_non_null(strstr(e.msg, "/f: pfs[0].capacityMbps (line 2, column 31)"));
	(void)snprintf(path, sizeof(path), "%s/f", dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(load("f", &e), -EINVAL);
}

static void test_load_default(void **state)
{
	struct err e = ERR_INIT;
	struct arena a;

	(void)state;
	if (access(SRIOV_CONF_PATH, F_OK) == 0) {
		print_message("this machine has " SRIOV_CONF_PATH "\n");
		skip();
	}
	memset(&conf, 0xa5, sizeof(conf));
	arena_init(&a, mem, sizeof(mem));
	assert_int_equal(sriov_conf_load(&conf, NULL, &a, &e), 0);
	assert_string_equal(conf.listen, ":54005");
	assert_false(conf.pfs_given);
	assert_int_equal(sriov_conf_load(&conf, SRIOV_CONF_PATH, &a, &e), -ENOENT);
}

static void add_pf(const char *name, size_t vf_first, size_t vf_n)
{
	struct sriov_pf *pf = &node.pf[node.pf_n++];

	memset(pf, 0, sizeof(*pf));
	(void)snprintf(pf->name, sizeof(pf->name), "%s", name);
	pf->vf_first = vf_first;
	pf->vf_n = vf_n;
	pf->fixed_speed = pf->headroom = 77;
	for (size_t i = 0; i < vf_n; i++) {
		struct sriov_vf *vf = &node.vf[vf_first + i];

		vf->index = (uint32_t)i;
		(void)snprintf(vf->netdev, sizeof(vf->netdev), "%.8sv%u", name, (unsigned)i % 100);
	}
	if (vf_first + vf_n > node.vf_n) {
		node.vf_n = vf_first + vf_n;
	}
}

static void test_apply(void **state)
{
	(void)state;
	takes("{\"headroomMbps\": 10, \"pfs\": [{\"name\": \"d\", \"headroomMbps\": 0},"
	      " {\"name\": \"gone\"}, {\"name\": \"e\"}, {\"name\": \"b\", \"capacityMbps\": 5}]}");
	memset(&node, 0, sizeof(node));
	add_pf("a", 0, 3);
	add_pf("b", 7, 2); /* not in the order of the VFs */
	add_pf("c", 5, 2);
	add_pf("d", 3, 2);
	add_pf("e", 0, 0);
	sriov_conf_apply(&conf, &node);
	assert_int_equal(node.pf_n, 3);
	assert_int_equal(node.vf_n, 4);
	assert_string_equal(node.pf[0].name, "b");
	assert_int_equal(node.pf[0].fixed_speed, 5);
	assert_int_equal(node.pf[0].headroom, 10);
	assert_string_equal(node.vf[node.pf[0].vf_first].netdev, "bv0");
	assert_string_equal(node.vf[node.pf[0].vf_first + 1].netdev, "bv1");
	assert_string_equal(node.pf[1].name, "d");
	assert_int_equal(node.pf[1].fixed_speed, 0);
	assert_int_equal(node.pf[1].headroom, 0);
	assert_string_equal(node.vf[node.pf[1].vf_first].netdev, "dv0");
	assert_string_equal(node.vf[node.pf[1].vf_first + 1].netdev, "dv1");
	assert_string_equal(node.pf[2].name, "e");
	assert_int_equal(node.pf[2].vf_n, 0);
}

static void test_apply_all_or_none(void **state)
{
	(void)state;
	takes("{\"headroomMbps\": 10}");
	memset(&node, 0, sizeof(node));
	add_pf("a", 0, 3);
	add_pf("b", 3, 2);
	sriov_conf_apply(&conf, &node);
	assert_int_equal(node.pf_n, 2);
	assert_int_equal(node.vf_n, 5);
	assert_int_equal(node.pf[1].vf_first, 3);
	assert_int_equal(node.pf[1].fixed_speed, 0);
	assert_int_equal(node.pf[1].headroom, 10);
	takes("{\"pfs\": []}");
	sriov_conf_apply(&conf, &node);
	assert_int_equal(node.pf_n, 0);
	assert_int_equal(node.vf_n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_every_key),
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_no_json),
		cmocka_unit_test(test_wrong_types),
		cmocka_unit_test(test_unknown_and_repeated),
		cmocka_unit_test(test_out_of_range),
		cmocka_unit_test(test_bad_names),
		cmocka_unit_test(test_bad_paths_and_addresses),
		cmocka_unit_test(test_number_of_pfs),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_little_memory),
		cmocka_unit_test_setup_teardown(test_load, make_dir, drop_dir),
		cmocka_unit_test_setup_teardown(test_load_refused, make_dir, drop_dir),
		cmocka_unit_test(test_load_default),
		cmocka_unit_test(test_apply),
		cmocka_unit_test(test_apply_all_or_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
