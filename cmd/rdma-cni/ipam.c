/* SPDX-License-Identifier: MIT */
/* See ipam.h. */
#include "ipam.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "cni/rewrite.h"
#include "json/value.h"
#include "json/write.h"

int ipam_run(struct call *c, enum cni_command command, const struct ipam_for *who, struct str conf)
{
	const struct cni_var set[] = {
		{"CNI_COMMAND", cni_command_name(command)},
		{"CNI_CONTAINERID", who->container_id},
		{"CNI_NETNS", who->netns},
		{"CNI_IFNAME", who->ifname},
	};
	struct cni_plugin p = call_plugin(c, "IPAM", who->type, conf);
	struct cni_plugin_job j;
	int r;

	p.set = set;
	p.set_n = command == CNI_STATUS || command == CNI_GC ? 1 : ARRAY_LEN(set);
	r = cni_plugin_start(&p, &j, &c->fail);
	if (r < 0) {
		return r;
	}
	if (who->meanwhile != NULL) {
		who->meanwhile(who->arg);
	}
	r = cni_plugin_end(&p, &j, &c->fail);
	if (who->ran != NULL) {
		*who->ran = *who->ran || j.child.ran;
	}
	return r;
}

bool ipam_apart(const char *type)
{
	static const char *const known[] = {"host-local", "static", "whereabouts"};

	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (strcmp(type, known[i]) == 0) {
			return true;
		}
	}
	return false;
}

int ipam_add(struct call *c, const struct ipam_for *who, struct cni_ipam *out)
{
	char *copy;
	int r = ipam_run(c, CNI_ADD, who, c->text);

	if (r < 0) {
		return r;
	}
	/* The answer is kept: results are written from it, and the next one comes into reply. */
	copy = arena_dup(&c->mem, buf_str(&c->reply));
	if (copy == NULL) {
		return cni_fail_set(&c->fail, CNI_ERR_PLUGIN, ENOMEM,
			"IPAM %s: the answers are too long to keep", who->type);
	}
	r = cni_ipam_parse(out, (struct str){copy, c->reply.n}, &c->mem, &c->fail.e);
	if (r < 0) {
		(void)err_wrap(&c->fail.e, "IPAM %s: answer", who->type);
		return call_code(c, CNI_ERR_PLUGIN);
	}
	return 0;
}

/* The configuration of an ADD in another version or network: as it is now, but for that. */
static int del_rewritten(
	struct call *c, const struct ipam_for *who, const char *network, const char *version)
{
	static char text[CNI_CONF_MAX + 512]; /* one call a process; static because of its size */
	struct buf b;

	buf_init(&b, text, sizeof(text));
	cni_rewrite_as(&b, json_root(&c->conf.doc), version, network);
	if (!buf_ok(&b)) {
		return cni_fail_set(&c->fail, CNI_ERR_CONFIG, EMSGSIZE,
			"the configuration for IPAM would be too long");
	}
	return ipam_run(c, CNI_DEL, who, buf_str(&b));
}

/*
 * What every IPAM plugin needs; those that keep their state by network release with it. host-local
 * wants a range, of which it only checks the form: it releases what the container has.
 */
static int del_minimal(
	struct call *c, const struct ipam_for *who, const char *network, const char *version)
{
	char text[512];
	struct json_writer w;
	struct buf b;

	log_warn("the network configuration is another one than at ADD: IPAM %s of network %s "
		 "releases %s with a minimal one",
		who->type, network, who->ifname);
	buf_init(&b, text, sizeof(text));
	json_writer_init(&w, &b);
	json_put_object(&w, NULL);
	json_put_cstr(&w, "cniVersion", version);
	json_put_cstr(&w, "name", network);
	json_put_cstr(&w, "type", "rdma-cni");
	json_put_object(&w, "ipam");
	json_put_cstr(&w, "type", who->type);
	json_put_raw(&w, "ranges", STR("[[{\"subnet\":\"0.0.0.0/0\"}]]"));
	json_put_end_object(&w);
	json_put_end_object(&w);
	if (!json_writer_done(&w)) {
		return cni_fail_set(&c->fail, CNI_ERR_IO, EMSGSIZE, "names are too long");
	}
	return ipam_run(c, CNI_DEL, who, buf_str(&b));
}

int ipam_del(struct call *c, const struct ipam_for *who, const char *network, const char *version)
{
	const char *now = cni_version_name(c->conf.version);

	version = version[0] != '\0' ? version : now;
	if (strcmp(who->type, c->conf.ipam_type) != 0) {
		return del_minimal(c, who, network, version);
	}
	return strcmp(version, now) == 0 && strcmp(network, c->conf.name) == 0
		       ? ipam_run(c, CNI_DEL, who, c->text)
		       : del_rewritten(c, who, network, version);
}
