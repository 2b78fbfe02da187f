/* SPDX-License-Identifier: MIT */
/*
 * Network configurations and the prevResult in them: what is taken keeps the promises of its
 * header, and the result and the configurations written from it are JSON again.
 */
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "cni/conf.h"
#include "cni/env.h"
#include "cni/result.h"
#include "cni/rewrite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SIZE_MAX_FUZZ (64u << 10)

static char mem[JSON_ARENA_WORST(SIZE_MAX_FUZZ) + 4096];
static char again[JSON_ARENA_WORST(8 * SIZE_MAX_FUZZ) + 4096], out[8 * SIZE_MAX_FUZZ];
static struct cni_conf conf;
static struct cni_valid valid[CNI_VALID_MAX];

static void must(bool promise)
{
	if (!promise) {
		abort();
	}
}

static void must_be_json(struct buf *b)
{
	struct json_doc doc;
	struct arena a;
	struct err e;

	must(buf_ok(b));
	arena_init(&a, again, sizeof(again));
	must(json_parse(&doc, buf_str(b), &a, JSON_LAST_WINS, &e) == 0);
	must(json_type(json_root(&doc)) == JSON_OBJECT);
	buf_reset(b);
}

static void write_all(void)
{
	static const struct cni_iface iface = {.name = "eth0", .mtu = 1500, .pci = "0000:01:10.0"};
	struct cni_fail f = CNI_FAIL_INIT;
	struct cni_result r = {.version = conf.version,
		.prev = conf.prev,
		.sandbox = "/ns",
		.iface = &iface,
		.iface_n = 1,
		.dns = conf.dns};
	struct buf b;
	size_t n;

	buf_init(&b, out, sizeof(out));
	if (cni_prev_check(conf.prev, conf.version, &f) == 0) {
		cni_result_write(&b, &r);
		must_be_json(&b);
	}
	cni_rewrite_as(&b, json_root(&conf.doc), "0.3.1", "other");
	must_be_json(&b);
	if (conf.delegate_type[0] != '\0') {
		cni_rewrite_delegate(&b, &conf, true);
		must_be_json(&b);
	}
	f = (struct cni_fail)CNI_FAIL_INIT;
	if (cni_conf_valid(&conf, valid, &n, &f) == 0) {
		cni_rewrite_gc(&b, json_root(&conf.doc), valid, n > 4 ? 4 : n);
		must_be_json(&b);
	} else {
		must(f.code == CNI_ERR_CONFIG);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = {(const char *)data, size};
	struct arena a;

	if (size > SIZE_MAX_FUZZ) {
		return 0;
	}
	for (unsigned flags = 0; flags <= CNI_CONF_LENIENT; flags++) {
		struct cni_fail f = CNI_FAIL_INIT;
		int r;

		arena_init(&a, mem, sizeof(mem));
		r = cni_conf_parse(&conf, text, flags, &a, &f);
		if (r < 0) {
			must(f.e.msg[0] != '\0' && (f.code == 1 || f.code == 6 || f.code == 7));
			continue;
		}
		must(f.e.code == 0);
		must(cni_name_ok(str_from(conf.name), CNI_NAME_MAX) ||
			(flags == CNI_CONF_LENIENT && conf.name[0] == '\0'));
		must(parse_ifname(str_from(conf.prefix)) && conf.vlan <= 4094 && conf.qos <= 7);
		must(strchr(conf.ipam_type, '/') == NULL &&
			strchr(conf.delegate_type, '/') == NULL);
		write_all();
	}
	return 0;
}
