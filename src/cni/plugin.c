/* SPDX-License-Identifier: MIT */
/* See plugin.h. */
#include "cni/plugin.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "json/value.h"

int cni_plugin_find(struct str path, const char *type, char out[CNI_PATH_MAX + 1], struct err *e)
{
	struct str rest = path;

	while (rest.n > 0) {
		struct str dir = rest;
		struct stat st;
		int n;

		if (!str_cut(rest, ':', &dir, &rest)) {
			rest.n = 0;
		}
		if (dir.n == 0 || dir.p[0] != '/') {
			continue; /* relative to what? */
		}
		n = snprintf(out, CNI_PATH_MAX + 1, "%.*s/%s", STR_ARG(dir), type);
		if (n > 0 && n <= CNI_PATH_MAX && stat(out, &st) == 0 && S_ISREG(st.st_mode)) {
			return 0;
		}
	}
	return err_set(e, ENOENT, "no plugin '%.64s' in CNI_PATH (%.*s)", type,
		(int)(path.n > 128 ? 128 : path.n), path.p);
}

static bool same_name(const char *var, const char *name)
{
	size_t n = strlen(name);

	return strncmp(var, name, n) == 0 && var[n] == '=';
}

/* As many as there are: the kernel has bounded them when we were executed. */
static size_t count(const char *const *vars)
{
	size_t n = 0;

	while (vars[n] != NULL) {
		n++;
	}
	return n;
}

static int make_env(const struct cni_plugin *p, struct arena *mem, const char ***envp,
	struct buf *text, struct err *e)
{
	size_t n = count(p->vars) + p->set_n + 1;
	const char **out = arena_alloc(mem, n, sizeof(*out));

	if (out == NULL) {
		return err_set(e, ENOMEM, "no memory for %zu environment variables", n);
	}
	*envp = out;
	n = 0;
	for (const char *const *v = p->vars; *v != NULL; v++) {
		bool ours = false;

		for (size_t i = 0; i < p->set_n; i++) {
			ours = ours || same_name(*v, p->set[i].name);
		}
		if (!ours) {
			out[n++] = *v;
		}
	}
	for (size_t i = 0; i < p->set_n; i++) {
		out[n++] = text->p + text->n;
		buf_printf(text, "%s=%s", p->set[i].name, p->set[i].value);
		buf_add_chr(text, '\0');
	}
	out[n] = NULL;
	return buf_ok(text) ? 0 : err_set(e, E2BIG, "environment variables too long");
}

/* What the plugin says of its failure; false when it says nothing that can be understood. */
static bool read_error(const struct cni_plugin *p, struct cni_fail *f)
{
	struct arena mem = *p->mem; /* a copy: what is taken is given back */
	struct json_doc doc;
	struct json_val root;
	uint32_t code = 0;
	char msg[160] = "", details[300] = "";
	struct str s;
	struct err e;

	if (json_parse(&doc, buf_str(p->reply), &mem, JSON_LAST_WINS, &e) < 0) {
		return false;
	}
	root = json_root(&doc);
	if (json_u32(json_get(root, "code"), 0, UINT32_MAX, &code, &e) < 0) {
		return false;
	}
	if (json_str(json_get(root, "msg"), &mem, &s, &e) == 0) {
		(void)snprintf(msg, sizeof(msg), "%.*s", (int)(s.n > 150 ? 150 : s.n), s.p);
	}
	if (json_str(json_get(root, "details"), &mem, &s, &e) == 0) {
		(void)snprintf(details, sizeof(details), "%.*s", (int)(s.n > 290 ? 290 : s.n), s.p);
	}
	(void)cni_fail_set(f, code != 0 ? code : CNI_ERR_PLUGIN, EREMOTEIO, "%s %s: %s", p->what,
		p->type, msg[0] != '\0' ? msg : "failed without a message");
	memcpy(f->details, details, sizeof(details));
	return true;
}

static int failed(const struct cni_plugin *p, int status, struct cni_fail *f)
{
	if (read_error(p, f)) {
		return -EREMOTEIO;
	}
	if (status > 128) {
		return cni_fail_set(f, CNI_ERR_PLUGIN, EREMOTEIO, "%s %s: ended by signal %d",
			p->what, p->type, status - 128);
	}
	return cni_fail_set(f, CNI_ERR_PLUGIN, EREMOTEIO,
		"%s %s: exit status %d, and no error message on stdout", p->what, p->type, status);
}

/* It was not to be run, or did not end as it should. */
static int no_answer(const struct cni_plugin *p, int r, struct cni_fail *f)
{
	(void)err_wrap(&f->e, "%s %s", p->what, p->type);
	f->code = CNI_ERR_PLUGIN;
	return r;
}

int cni_plugin_start(const struct cni_plugin *p, struct cni_plugin_job *j, struct cni_fail *f)
{
	const char **envp = NULL;
	struct buf vars;
	int r;

	buf_init(&vars, j->vars, sizeof(j->vars));
	buf_reset(p->reply);
	r = cni_plugin_find(str_from(p->path), p->type, j->path, &f->e);
	r = r < 0 ? r : make_env(p, p->mem, &envp, &vars, &f->e);
	j->x = (struct cni_exec){.path = j->path,
		.envp = envp,
		.input = p->conf,
		.output = p->reply,
		.keep_fd = p->keep_fd,
		.deadline_ms = p->deadline_ms};
	r = r < 0 ? r : cni_exec_start(&j->x, &j->child, &f->e);
	return r < 0 ? no_answer(p, r, f) : 0;
}

int cni_plugin_end(const struct cni_plugin *p, struct cni_plugin_job *j, struct cni_fail *f)
{
	int r = cni_exec_end(&j->x, &j->child, &f->e);

	if (r < 0) {
		return no_answer(p, r, f);
	}
	return r == 0 ? 0 : failed(p, r, f);
}

int cni_plugin_run(const struct cni_plugin *p, struct cni_fail *f)
{
	struct cni_plugin_job j;
	int r = cni_plugin_start(p, &j, f);

	return r < 0 ? r : cni_plugin_end(p, &j, f);
}
