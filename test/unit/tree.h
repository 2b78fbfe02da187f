/* SPDX-License-Identifier: MIT */
/* A fake sysfs in a temporary directory, laid out as the kernel's: for tests that read one. */
#ifndef TEST_TREE_H
#define TEST_TREE_H

#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/attr.h"

struct tree {
	char path[64];
	int fd;
};

/* Each of these is a step of a test's set-up: it works, or the test program ends. */
static inline void tree_must(int ok, const char *what)
{
	if (!ok) {
		perror(what);
		exit(2);
	}
}

static inline void tree_init(struct tree *t)
{
	(void)snprintf(t->path, sizeof(t->path), "/tmp/ferrule-tree-XXXXXX");
	tree_must(mkdtemp(t->path) != NULL, "mkdtemp");
	t->fd = open(t->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	tree_must(t->fd >= 0, t->path);
}

static inline void tree_free(struct tree *t)
{
	char cmd[128];

	(void)close(t->fd);
	(void)snprintf(cmd, sizeof(cmd), "rm -rf '%s'", t->path);
	tree_must(system(cmd) == 0, cmd);
}

/* Makes the directories above the last '/' of path. */
static inline void tree_dirs(struct tree *t, const char *path)
{
	char part[512];

	for (const char *s = strchr(path, '/'); s != NULL; s = strchr(s + 1, '/')) {
		(void)snprintf(part, sizeof(part), "%.*s", (int)(s - path), path);
		(void)mkdirat(t->fd, part, 0755); /* it may be there; openat tells if not */
	}
}

PRINTF_LIKE(3, 4)
static inline void tree_file(struct tree *t, const char *text, const char *fmt, ...)
{
	char path[512];
	va_list ap;
	int fd;

	va_start(ap, fmt);
	(void)vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	tree_dirs(t, path);
	fd = openat(t->fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	tree_must(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), path);
	(void)close(fd);
}

PRINTF_LIKE(3, 4)
static inline void tree_link(struct tree *t, const char *target, const char *fmt, ...)
{
	char path[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	tree_dirs(t, path);
	(void)unlinkat(t->fd, path, 0);
	tree_must(symlinkat(target, t->fd, path) == 0, path);
}

PRINTF_LIKE(2, 3)
static inline void tree_remove(struct tree *t, const char *fmt, ...)
{
	char path[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	tree_must(unlinkat(t->fd, path, 0) == 0 || unlinkat(t->fd, path, AT_REMOVEDIR) == 0, path);
}

/* The content of a file, without the final newline. */
static inline const char *tree_text(struct tree *t, const char *path)
{
	static char text[256];
	int fd = openat(t->fd, path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	tree_must(n >= 0, path);
	(void)close(fd);
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return text;
}

/* A network interface of the device at bus address bdf. */
static inline void tree_netdev(struct tree *t, const char *name, const char *bdf)
{
	char target[256];

	tree_file(t, "0\n", "devices/%s/net/%s/dev_port", bdf, name);
	(void)snprintf(target, sizeof(target), "../../../%s", bdf);
	tree_link(t, target, "devices/%s/net/%s/device", bdf, name);
	(void)snprintf(target, sizeof(target), "../../devices/%s/net/%s", bdf, name);
	tree_link(t, target, "class/net/%s", name);
}

/* A PCI function, bound to driver (NULL: none). */
static inline void tree_pci(struct tree *t, const char *bdf, const char *driver)
{
	char target[256];

	tree_file(t, "-1\n", "devices/%s/numa_node", bdf);
	(void)snprintf(target, sizeof(target), "../../../devices/%s", bdf);
	tree_link(t, target, "bus/pci/devices/%s", bdf);
	if (driver != NULL) {
		tree_file(t, "", "bus/pci/drivers/%s/bind", driver);
		tree_file(t, "", "bus/pci/drivers/%s/unbind", driver);
		(void)snprintf(target, sizeof(target), "../../bus/pci/drivers/%s", driver);
		tree_link(t, target, "devices/%s/driver", bdf);
	}
}

static inline void tree_pf(struct tree *t, const char *name, const char *bdf, const char *driver,
	const char *total, const char *num)
{
	tree_pci(t, bdf, driver);
	tree_netdev(t, name, bdf);
	tree_file(t, num, "devices/%s/sriov_numvfs", bdf);
	if (total != NULL) {
		tree_file(t, total, "devices/%s/sriov_totalvfs", bdf);
	}
}

/* VF index of the PF at pf_bdf; netdev NULL: no interface is to be seen. */
static inline void tree_vf(struct tree *t, const char *pf_bdf, uint32_t index, const char *bdf,
	const char *driver, const char *netdev)
{
	char target[256];

	tree_pci(t, bdf, driver);
	(void)snprintf(target, sizeof(target), "../%s", pf_bdf);
	tree_link(t, target, "devices/%s/physfn", bdf);
	(void)snprintf(target, sizeof(target), "../%s", bdf);
	tree_link(t, target, "devices/%s/virtfn%u", pf_bdf, index);
	if (netdev != NULL) {
		tree_netdev(t, netdev, bdf);
	}
}

#endif
