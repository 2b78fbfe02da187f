/* SPDX-License-Identifier: MIT */
/* See delegate.h. */
#include "delegate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/parse.h"
#include "cni/rewrite.h"
#include "json/value.h"
#include "json/write.h"

#define FILE_CAP (CNI_CONF_MAX + 4096)

/* A file's text, or one that is written; one at a time. */
static char text[FILE_CAP];
static char conf_text[FILE_CAP];

static int make_dir(struct call *c)
{
	if (mkdirat(c->store.state, DELEGATED_DIR, 0700) < 0 && errno != EEXIST) {
		(void)err_sys(&c->fail.e, errno, "%s/" DELEGATED_DIR, c->node.state_dir);
		return call_code(c, CNI_ERR_IO);
	}
	return 0;
}

/* -ENOENT, without a failure noted: nothing was ever delegated. */
static int open_dir(struct call *c)
{
	struct err e;
	int fd = c->store.state < 0 ? -ENOENT : file_open_dir(c->store.state, DELEGATED_DIR, &e);

	if (fd < 0 && fd != -ENOENT) {
		c->fail.e = e;
		(void)err_wrap(&c->fail.e, "%s", c->node.state_dir);
		return call_code(c, CNI_ERR_IO);
	}
	return fd;
}

static bool file_name(const char *container_id, const char *ifname, char out[LEDGER_NAME_CAP])
{
	return ledger_record_name(str_from(container_id), str_from(ifname), out, LEDGER_NAME_CAP);
}

static int run(struct call *c, enum cni_command command, const char *type, const char *container_id,
	const char *ifname, struct str conf)
{
	const struct cni_var set[] = {
		{"CNI_COMMAND", cni_command_name(command)},
		{"CNI_CONTAINERID", container_id},
		{"CNI_IFNAME", ifname},
	};
	struct cni_plugin p = call_plugin(c, "delegate", type, conf);

	p.set = set;
	p.set_n = container_id != NULL ? ARRAY_LEN(set) : 1;
	return cni_plugin_run(&p, &c->fail);
}

/* The configuration for the delegate, in conf_text. */
static int rewrite(struct call *c, bool with_prev, struct str *out)
{
	struct buf b;

	buf_init(&b, conf_text, sizeof(conf_text));
	cni_rewrite_delegate(&b, &c->conf, with_prev);
	if (!buf_ok(&b)) {
		return cni_fail_set(&c->fail, CNI_ERR_CONFIG, EMSGSIZE,
			"the delegate's configuration is too long");
	}
	*out = buf_str(&b);
	return 0;
}

static int store(struct call *c, int dir, const char *name, struct str conf)
{
	struct json_writer w;
	struct buf b;

	buf_init(&b, text, sizeof(text));
	json_writer_init(&w, &b);
	json_put_object(&w, NULL);
	json_put_cstr(&w, "network", c->conf.name);
	json_put_cstr(&w, "type", c->conf.delegate_type);
	json_put_raw(&w, "conf", conf);
	json_put_end_object(&w);
	if (!json_writer_done(&w)) {
		return cni_fail_set(&c->fail, CNI_ERR_CONFIG, EMSGSIZE,
			"the delegate's configuration is too long");
	}
	/* Configurations of other plugins may hold secrets. */
	if (file_replace(dir, name, buf_str(&b), 0600, &c->fail.e) < 0) {
		(void)err_wrap(&c->fail.e, "%s/" DELEGATED_DIR, c->node.state_dir);
		return call_code(c, CNI_ERR_IO);
	}
	return 0;
}

static int forget(struct call *c, int dir, const char *name)
{
	if (unlinkat(dir, name, 0) < 0 && errno != ENOENT) {
		(void)err_sys(
			&c->fail.e, errno, "%s/" DELEGATED_DIR "/%s", c->node.state_dir, name);
		return call_code(c, CNI_ERR_IO);
	}
	(void)fsync(dir); /* a file that comes back after a crash is deleted once more */
	return 0;
}

static int check_answer(struct call *c)
{
	struct arena mem = c->mem; /* a copy: what is taken is given back */
	struct json_doc doc;

	if (json_parse(&doc, buf_str(&c->reply), &mem, JSON_LAST_WINS, &c->fail.e) < 0 ||
		json_type(json_root(&doc)) != JSON_OBJECT) {
		return cni_fail_set(&c->fail, CNI_ERR_PLUGIN, EINVAL,
			"delegate %s: what it printed is no result", c->conf.delegate_type);
	}
	buf_add(&c->out, buf_str(&c->reply));
	return buf_ok(&c->out) ? 0
			       : cni_fail_set(&c->fail, CNI_ERR_PLUGIN, EMSGSIZE,
					 "delegate %s: result too long", c->conf.delegate_type);
}

int delegate_add(struct call *c)
{
	const char *id = c->env.container_id, *ifname = c->env.ifname,
		   *type = c->conf.delegate_type;
	char name[LEDGER_NAME_CAP];
	cleanup_fd int dir = -1;
	struct cni_fail why;
	struct str conf;
	int r = make_dir(c);

	r = r < 0 ? r : rewrite(c, false, &conf);
	if (r < 0) {
		return r;
	}
	dir = open_dir(c);
	if (dir < 0) {
		return cni_fail_set(&c->fail, CNI_ERR_IO, -dir, "%s/" DELEGATED_DIR " has gone",
			c->node.state_dir);
	}
	ASSERT(file_name(id, ifname, name)); /* both were checked */
	if (faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
		return cni_fail_set(&c->fail, CNI_ERR_CONFIG, EEXIST,
			"the container's %s is delegated already; DEL comes before another ADD",
			ifname);
	}
	r = store(c, dir, name, conf);
	if (r < 0) {
		return r;
	}
	r = run(c, CNI_ADD, type, id, ifname, conf);
	r = r < 0 ? r : check_answer(c);
	if (r == 0) {
		log_info("delegated to %s", type);
		return 0;
	}
	why = c->fail;
	r = run(c, CNI_DEL, type, id, ifname, conf);
	r = r < 0 ? r : forget(c, dir, name);
	if (r < 0) {
		log_error("undoing: %s", c->fail.e.msg); /* the runtime's DEL will try again */
	}
	c->fail = why;
	return -why.e.code;
}

/* One file: 1 read, 0 none or damaged (then it is removed). */
static int load(struct call *c, int dir, const char *name, struct arena *mem, struct json_val *root,
	struct json_doc *doc, char type[CNI_TYPE_MAX + 1])
{
	ssize_t n = file_read_regular(dir, name, text, sizeof(text), &c->fail.e);

	if (n == -ENOENT) {
		c->fail = (struct cni_fail)CNI_FAIL_INIT;
		return 0;
	}
	if (n < 0) {
		return call_code(c, CNI_ERR_IO);
	}
	if (json_parse(doc, (struct str){text, (size_t)n}, mem, 0, &c->fail.e) == 0) {
		*root = json_root(doc);
		if (json_copy(json_get(*root, "type"), type, CNI_TYPE_MAX + 1, &c->fail.e) == 0 &&
			json_type(json_get(*root, "conf")) == JSON_OBJECT &&
			strchr(type, '/') == NULL) {
			return 1;
		}
	}
	log_error("%s/" DELEGATED_DIR "/%s is damaged and removed: %s", c->node.state_dir, name,
		c->fail.e.msg);
	c->fail = (struct cni_fail)CNI_FAIL_INIT;
	return forget(c, dir, name);
}

static int drop_stale(void *arg, const char *name, struct err *e)
{
	(void)e;
	(void)file_drop_stale(*(const int *)arg, name);
	return 0;
}

static int del_by_conf(struct call *c, const char *container_id, const char *ifname)
{
	struct str conf;

	if (c->conf.delegate_type[0] == '\0') {
		return 0;
	}
	if (rewrite(c, c->conf.version >= CNI_0_4_0, &conf) < 0) {
		return -c->fail.e.code;
	}
	if (run(c, CNI_DEL, c->conf.delegate_type, container_id, ifname, conf) < 0) {
		log_warn("not on record: %s", c->fail.e.msg);
		c->fail = (struct cni_fail)CNI_FAIL_INIT;
	}
	return 0;
}

int delegate_del(struct call *c, const char *container_id, const char *ifname, bool maybe)
{
	struct arena mem = c->mem; /* a copy: what is taken is given back */
	char name[LEDGER_NAME_CAP], type[CNI_TYPE_MAX + 1];
	cleanup_fd int dir = -1;
	struct json_doc doc;
	struct json_val root;
	int r = 0;

	dir = open_dir(c);
	if (dir >= 0 && file_list(dir, ".", drop_stale, &dir, &c->fail.e) < 0) {
		return call_code(c, CNI_ERR_IO);
	}
	if (dir >= 0 && file_name(container_id, ifname, name)) {
		r = load(c, dir, name, &mem, &root, &doc, type);
	}
	if (r < 0 || (dir < 0 && dir != -ENOENT)) {
		return r < 0 ? r : dir;
	}
	if (r == 0) {
		return maybe ? del_by_conf(c, container_id, ifname) : 0;
	}
	r = run(c, CNI_DEL, type, container_id, ifname, json_raw(json_get(root, "conf")));
	r = r < 0 ? r : forget(c, dir, name);
	return r < 0 ? r : 1;
}

int delegate_check(struct call *c)
{
	struct arena mem = c->mem;
	char name[LEDGER_NAME_CAP], type[CNI_TYPE_MAX + 1];
	cleanup_fd int dir = -1;
	struct json_doc doc;
	struct json_val root;
	struct str conf;
	int r;

	dir = open_dir(c);
	if (dir < 0) {
		return dir == -ENOENT ? 0 : dir;
	}
	ASSERT(file_name(c->env.container_id, c->env.ifname, name)); /* both were checked */
	r = load(c, dir, name, &mem, &root, &doc, type);
	if (r <= 0) {
		return r;
	}
	if (rewrite(c, true, &conf) < 0) {
		return -c->fail.e.code;
	}
	r = run(c, CNI_CHECK, type, c->env.container_id, c->env.ifname, conf);
	return r < 0 ? r : 1;
}

/* A plugin from before STATUS and GC does not know what CNI_COMMAND says. */
static int tolerate(struct call *c, int r)
{
	if (r < 0 && c->fail.code == CNI_ERR_ENV) {
		log_info("%s", c->fail.e.msg);
		c->fail = (struct cni_fail)CNI_FAIL_INIT;
		return 0;
	}
	return r;
}

int delegate_status(struct call *c)
{
	struct str conf;
	int r;

	if (c->conf.delegate_type[0] == '\0') {
		return 0;
	}
	if (rewrite(c, false, &conf) < 0) {
		return -c->fail.e.code;
	}
	r = tolerate(c, run(c, CNI_STATUS, c->conf.delegate_type, NULL, NULL, conf));
	if (r < 0 && c->fail.code != CNI_ERR_LIMITED) {
		c->fail.code = CNI_ERR_UNAVAILABLE;
	}
	return r;
}

/* GC, file by file. */
struct sweep {
	struct call *c;
	const struct cni_valid *valid;
	size_t n;
	int dir;
	struct cni_fail first;
};

static int sweep_file(void *arg, const char *file, struct err *e)
{
	struct sweep *s = arg;
	struct arena mem = s->c->mem;
	char id[LEDGER_ID_MAX + 1], ifname[IFNAMSIZ], type[CNI_TYPE_MAX + 1];
	struct str head, tail, base;
	struct json_doc doc;
	struct json_val root;
	int r;

	(void)e; /* what went wrong is in s */
	if (!str_cut(str_from(file), ':', &head, &tail) || tail.n < 6 ||
		!str_eq_c(str_skip(tail, tail.n - 5), ".json")) {
		(void)file_drop_stale(s->dir, file);
		return 0; /* a write in progress */
	}
	base = (struct str){tail.p, tail.n - 5};
	if (!str_copy(head, id, sizeof(id)) || !str_copy(base, ifname, sizeof(ifname)) ||
		gc_is_valid(s->valid, s->n, id, ifname)) {
		return 0;
	}
	r = load(s->c, s->dir, file, &mem, &root, &doc, type);
	if (r == 1 && json_text_eq(json_get(root, "network"), str_from(s->c->conf.name))) {
		log_info("%s:%s is delegated and not valid any more", id, ifname);
		call_begin(s->c, CALL_MS);
		r = call_lock(s->c, id, ifname);
		r = r < 0 ? r : delegate_del(s->c, id, ifname, false);
		call_unlock(s->c);
	}
	if (r < 0) {
		log_error("%s:%s: %s", id, ifname, s->c->fail.e.msg);
		s->first = s->first.e.code == 0 ? s->c->fail : s->first;
		s->c->fail = (struct cni_fail)CNI_FAIL_INIT;
	}
	return 0;
}

static int gc_delegate(struct call *c, const struct cni_valid *valid, size_t n)
{
	struct arena mem = c->mem; /* a copy: what is taken is given back */
	struct json_doc doc;
	struct str conf;
	struct buf b;

	if (rewrite(c, false, &conf) < 0 ||
		json_parse(&doc, conf, &mem, JSON_LAST_WINS, &c->fail.e) < 0) {
		return call_code(c, CNI_ERR_CONFIG);
	}
	buf_init(&b, text, sizeof(text));
	cni_rewrite_gc(&b, json_root(&doc), valid, n);
	if (!buf_ok(&b)) {
		return cni_fail_set(&c->fail, CNI_ERR_CONFIG, EMSGSIZE,
			"the delegate's configuration would be too long");
	}
	call_begin(c, CALL_MS);
	return tolerate(c, run(c, CNI_GC, c->conf.delegate_type, NULL, NULL, buf_str(&b)));
}

int delegate_gc(struct call *c, const struct cni_valid *valid, size_t n)
{
	struct sweep s = {.c = c, .valid = valid, .n = n, .first = CNI_FAIL_INIT};

	s.dir = open_dir(c);
	if (s.dir < 0 && s.dir != -ENOENT) {
		return s.dir;
	}
	if (s.dir >= 0 && file_list(s.dir, ".", sweep_file, &s, &s.first.e) < 0) {
		(void)cni_fail(&s.first, CNI_ERR_IO);
	}
	cleanup_fd_close(&s.dir);
	c->fail = s.first;
	if (c->fail.e.code != 0) {
		return -c->fail.e.code;
	}
	return c->conf.delegate_type[0] != '\0' ? gc_delegate(c, valid, n) : 0;
}
