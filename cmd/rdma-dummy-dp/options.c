/* SPDX-License-Identifier: MIT */
/* See options.h. */
#include "options.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "devices.h"
#include "grpc/dp.h"
#include "kubelet.h"

#define DOMAIN_MAX (253 - (sizeof("requests.") - 1)) /* the kubelet checks "requests." + name */
#define NAME_MAX_N 63

static int read_argv(struct options *o, int argc, char **argv, struct err *e)
{
	const struct opt table[] = {
		{"plugin-dir", OPT_STR, &o->plugin_dir, 0, 0, "DIR",
			"the kubelet's folder (default /var/lib/kubelet/device-plugins)"},
		{"socket", OPT_STR, &o->socket, 0, 0, "NAME",
			"name of the own socket there (default rdma-dummy-dp.sock)"},
		{"resource", OPT_STR, &o->resource, 0, 0, "NAME",
			"what pods ask for (default rdma-sriov/dev-infiniband-mount)"},
		{"count", OPT_U32, &o->count, 1, DEVICES_COUNT_MAX, "N",
			"how many there are of it (default 10000)"},
		{"dev-dir", OPT_STR, &o->dev_dir, 0, 0, "DIR",
			"where the devices are (default /dev/infiniband)"},
		{"mode", OPT_STR, &o->mode, 0, 0, "MODE",
			"what containers get: devices, one by one, or directory (default devices)"},
		{"permissions", OPT_STR, &o->permissions, 0, 0, "PERM",
			"some of r, w and m (default rw)"},
		{"listen", OPT_LIST, &o->listen.opt, 0, 0, "[ADDR:]PORT",
			"serve /healthz, /readyz and /metrics there, repeatable (default: "
			"nowhere)"},
		COMMAND_LOG_LEVEL(&o->command),
		COMMAND_CHECK_CONFIG(&o->command, "the options"),
		COMMAND_VERSION(&o->command),
		COMMAND_HELP(&o->command),
	};

	return command_parse(&o->command, table, ARRAY_LEN(table), argc, argv, STDOUT_FILENO, e);
}

static bool lower_or_digit(char c)
{
	return chr_alnum(c) && chr_lower(c) == c;
}

/* RFC 1123: labels of lower-case letters, digits and inner '-', with dots between. */
static bool is_domain(struct str s)
{
	char before = '.';

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!(lower_or_digit(c) || (c == '-' && before != '.') ||
			    (c == '.' && before != '.' && before != '-'))) {
			return false;
		}
		before = c;
	}
	return s.n > 0 && s.n <= DOMAIN_MAX && lower_or_digit(before);
}

static bool is_name(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (!chr_alnum(s.p[i]) && s.p[i] != '-' && s.p[i] != '_' && s.p[i] != '.') {
			return false;
		}
	}
	return s.n > 0 && s.n <= NAME_MAX_N && chr_alnum(s.p[0]) && chr_alnum(s.p[s.n - 1]);
}

int options_resource(const char *name, struct err *e)
{
	struct str domain, rest;

	if (!str_cut(str_from(name), '/', &domain, &rest)) {
		return err_set(e, EINVAL, "'%s' has no '/': a resource is DOMAIN/NAME", name);
	}
	if (strstr(name, "kubernetes.io/") != NULL) {
		return err_set(e, EINVAL, "'%s': kubernetes.io/ is Kubernetes' own", name);
	}
	if (str_starts(domain, STR("requests."))) {
		return err_set(e, EINVAL, "'%s': a resource may not begin with 'requests.'", name);
	}
	if (!is_domain(domain)) {
		return err_set(e, EINVAL,
			"before '/' there is no lower-case domain name of at most %zu bytes: '%s'",
			DOMAIN_MAX, name);
	}
	if (!is_name(rest)) {
		return err_set(e, EINVAL,
			"behind '/' there must be 1 to %d letters, digits, '-', '_' and '.', with "
			"a "
			"letter or digit at both ends: '%s'",
			NAME_MAX_N, name);
	}
	return 0;
}

static int check_dir(const char *option, const char *dir, struct err *e)
{
	size_t n = strlen(dir);

	if (dir[0] != '/' || (n > 1 && dir[n - 1] == '/') || n > 255) {
		return err_set(e, EINVAL,
			"--%s: '%s' is not an absolute path of at most 255 bytes without '/' at "
			"its end",
			option, dir);
	}
	return 0;
}

static int check_socket(const struct options *o, struct err *e)
{
	if (strchr(o->socket, '/') != NULL || o->socket[0] == '.' ||
		strcmp(o->socket, KUBELET_SOCKET) == 0 ||
		strcmp(o->socket, KUBELET_CHECKPOINT) == 0) {
		return err_set(e, EINVAL,
			"--socket: '%s' is not a file name, is hidden or is the kubelet's own",
			o->socket);
	}
	if (!ownsock_fits(o->plugin_dir, o->socket) ||
		!ownsock_fits(o->plugin_dir, KUBELET_SOCKET)) {
		return err_set(e, EINVAL,
			"--plugin-dir and --socket: '%s/%s' is too long for a socket",
			o->plugin_dir, o->socket);
	}
	return 0;
}

static bool is_permissions(const char *p)
{
	for (; *p != '\0'; p++) {
		if (strchr("rwm", *p) == NULL || strchr(p + 1, *p) != NULL) {
			return false;
		}
	}
	return true;
}

static int check(struct options *o, struct err *e)
{
	if (command_log_level(&o->command, e) < 0) {
		return -e->code;
	}
	o->directory = strcmp(o->mode, "directory") == 0;
	if (!o->directory && strcmp(o->mode, "devices") != 0) {
		return err_set(e, EINVAL, "--mode: '%s' is not devices or directory", o->mode);
	}
	if (!is_permissions(o->permissions)) {
		return err_set(e, EINVAL,
			"--permissions: '%s' is not some of r, w and m, each once", o->permissions);
	}
	if (options_resource(o->resource, e) < 0) {
		return err_wrap(e, "--resource");
	}
	if (check_dir("plugin-dir", o->plugin_dir, e) < 0 ||
		check_dir("dev-dir", o->dev_dir, e) < 0 || check_socket(o, e) < 0) {
		return -e->code;
	}
	return http_listen_parse(&o->listen, NULL, NULL, e);
}

int options_parse(struct options *o, int argc, char **argv, struct err *e)
{
	int r;

	*o = (struct options){.command.name = "rdma-dummy-dp",
		.plugin_dir = "/var/lib/kubelet/device-plugins",
		.socket = "rdma-dummy-dp.sock",
		.resource = "rdma-sriov/dev-infiniband-mount",
		.count = 10000,
		.dev_dir = "/dev/infiniband",
		.mode = "devices",
		.permissions = "rw",
		.listen = HTTP_LISTEN_INIT(&o->listen)};
	r = read_argv(o, argc, argv, e);
	return r != 0 ? r : check(o, e);
}
