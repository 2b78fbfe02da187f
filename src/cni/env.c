/* SPDX-License-Identifier: MIT */
/* See env.h. */
#include "cni/env.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"

enum {
	NEED_ID = 1 << 0,
	NEED_NETNS = 1 << 1,
	NEED_IFNAME = 1 << 2,
	NEED_PATH = 1 << 3,
};

static const struct {
	const char *name;
	unsigned needs;
} commands[] = {
	[CNI_ADD] = {"ADD", NEED_ID | NEED_NETNS | NEED_IFNAME | NEED_PATH},
	[CNI_DEL] = {"DEL", NEED_ID | NEED_IFNAME | NEED_PATH},
	[CNI_CHECK] = {"CHECK", NEED_ID | NEED_NETNS | NEED_IFNAME | NEED_PATH},
	[CNI_STATUS] = {"STATUS", NEED_PATH},
	[CNI_GC] = {"GC", NEED_PATH},
	[CNI_VERSION] = {"VERSION", 0},
};

const char *cni_command_name(enum cni_command c)
{
	return commands[c].name;
}

bool cni_name_ok(struct str s, size_t max)
{
	if (s.n == 0 || s.n > max || !chr_alnum(s.p[0])) {
		return false;
	}
	for (size_t i = 1; i < s.n; i++) {
		if (!chr_alnum(s.p[i]) && strchr("_.-", s.p[i]) == NULL) {
			return false;
		}
	}
	return true;
}

static const char *var(const char *const *vars, const char *name)
{
	size_t n = strlen(name);

	for (; *vars != NULL; vars++) {
		if (strncmp(*vars, name, n) == 0 && (*vars)[n] == '=') {
			return *vars + n + 1;
		}
	}
	return "";
}

static int read_command(struct cni_env *out, const char *word, struct cni_fail *f)
{
	if (word[0] == '\0') {
		return cni_fail_set(f, CNI_ERR_ENV, EINVAL,
			"CNI_COMMAND is missing: this program is run by a container runtime");
	}
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		if (strcmp(word, commands[i].name) == 0) {
			out->command = (enum cni_command)i;
			return 0;
		}
	}
	return cni_fail_set(f, CNI_ERR_ENV, EINVAL,
		"CNI_COMMAND is '%.32s', expected ADD, DEL, CHECK, STATUS, GC or VERSION", word);
}

static int check_missing(const struct cni_env *v, unsigned needs, struct cni_fail *f)
{
	const struct {
		unsigned bit;
		const char *name, *value;
	} all[] = {
		{NEED_ID, "CNI_CONTAINERID", v->container_id},
		{NEED_NETNS, "CNI_NETNS", v->netns},
		{NEED_IFNAME, "CNI_IFNAME", v->ifname},
		{NEED_PATH, "CNI_PATH", v->path},
	};
	char names[80];
	struct buf b;

	buf_init(&b, names, sizeof(names));
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		if ((needs & all[i].bit) != 0 && all[i].value[0] == '\0') {
			buf_add_c(&b, b.n > 0 ? ", " : "");
			buf_add_c(&b, all[i].name);
		}
	}
	if (b.n == 0) {
		return 0;
	}
	return cni_fail_set(f, CNI_ERR_ENV, EINVAL, "missing in the environment of %s: %.*s",
		cni_command_name(v->command), (int)b.n, b.p);
}

static bool netns_ok(const char *path)
{
	return path[0] == '/' && strlen(path) <= CNI_PATH_MAX;
}

static int check_values(const struct cni_env *v, unsigned needs, struct cni_fail *f)
{
	if ((needs & NEED_ID) != 0 && !cni_name_ok(str_from(v->container_id), CNI_ID_MAX)) {
		return cni_fail_set(f, CNI_ERR_ENV, EINVAL,
			"CNI_CONTAINERID '%.64s' (%zu bytes) is not 1 to %d letters, digits, '_', "
			"'.' "
			"or '-', first a letter or digit",
			v->container_id, strlen(v->container_id), CNI_ID_MAX);
	}
	if ((needs & NEED_IFNAME) != 0 && !parse_ifname(str_from(v->ifname))) {
		return cni_fail_set(f, CNI_ERR_ENV, EINVAL,
			"CNI_IFNAME '%.64s' is no interface name (1 to 15 bytes, no '/', ':' or "
			"blank, not '.' or '..')",
			v->ifname);
	}
	if ((needs & NEED_NETNS) != 0 && !netns_ok(v->netns)) {
		return cni_fail_set(f, CNI_ERR_ENV, EINVAL,
			"CNI_NETNS '%.64s' is no absolute path of at most %d bytes", v->netns,
			CNI_PATH_MAX);
	}
	return 0;
}

/* A value of CNI_ARGS that could not stand in a record counts as not given. */
static void take(struct str value, char *dst, size_t cap)
{
	for (size_t i = 0; i < value.n; i++) {
		if (value.p[i] <= 0x20 || value.p[i] >= 0x7f) {
			return;
		}
	}
	(void)!str_copy(value, dst, cap);
}

static void read_args(struct cni_env *v)
{
	struct str rest = str_from(v->args);

	while (rest.n > 0) {
		struct str part = rest, key, value;

		if (str_cut(rest, ';', &part, &rest)) {
			/* rest is what follows */
		} else {
			rest.n = 0;
		}
		if (!str_cut(part, '=', &key, &value)) {
			continue;
		}
		if (str_eq_c(key, "K8S_POD_NAMESPACE")) {
			take(value, v->pod_namespace, sizeof(v->pod_namespace));
		} else if (str_eq_c(key, "K8S_POD_NAME")) {
			take(value, v->pod_name, sizeof(v->pod_name));
		} else if (str_eq_c(key, "K8S_POD_UID")) {
			take(value, v->pod_uid, sizeof(v->pod_uid));
		}
	}
}

int cni_env_read(struct cni_env *out, const char *const *vars, struct cni_fail *f)
{
	unsigned needs;
	int r;

	memset(out, 0, sizeof(*out));
	out->container_id = var(vars, "CNI_CONTAINERID");
	out->netns = var(vars, "CNI_NETNS");
	out->ifname = var(vars, "CNI_IFNAME");
	out->path = var(vars, "CNI_PATH");
	out->args = var(vars, "CNI_ARGS");
	r = read_command(out, var(vars, "CNI_COMMAND"), f);
	if (r < 0) {
		return r;
	}
	needs = commands[out->command].needs;
	r = check_missing(out, needs, f);
	if (r == 0) {
		r = check_values(out, needs, f);
	}
	if (r == 0) {
		read_args(out);
	}
	/* DEL: a namespace that cannot be, like one that is gone, must not keep a VF. */
	if (r == 0 && !netns_ok(out->netns)) {
		out->netns = "";
	}
	return r;
}
