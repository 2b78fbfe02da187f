/* SPDX-License-Identifier: MIT */
/* rdma-ds: a node's SR-IOV hardware. "init" brings VFs up, "serve" reports them. */
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/log.h"
#include "base/version.h"
#include "ds.h"
#include "sandbox/fds.h"
#include "sandbox/pages.h"

static const char usage[] =
	"usage: rdma-ds init [OPTION]...    create and configure the VFs of this node, then exit\n"
	"       rdma-ds serve [OPTION]...   answer GET /getpfs on port 54005\n"
	"       rdma-ds COMMAND --help      the options of a command\n"
	"       rdma-ds --version\n";

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
	{"init", init_main},
	{"serve", serve_main},
};

int main(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "";
	struct err e;

	sandbox_pages();
	if (sandbox_fds(&e) < 0) {
		log_error("%s", e.msg);
		return EXIT_SYSTEM;
	}
	log_init();
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		if (strcmp(word, commands[i].name) == 0) {
			return commands[i].run(argc - 1, argv + 1);
		}
	}
	if (strcmp(word, "--version") == 0) {
		return printf("rdma-ds %s\n", ferrule_version()) < 0 ? EXIT_SYSTEM : EXIT_OK;
	}
	if (strcmp(word, "--help") == 0) {
		return fputs(usage, stdout) < 0 ? EXIT_SYSTEM : EXIT_OK;
	}
	if (word[0] == '\0') {
		log_error("no command given: rdma-ds init or rdma-ds serve (rdma-ds --help)");
	} else {
		log_error(
			"'%s' is no command: rdma-ds init or rdma-ds serve (rdma-ds --help)", word);
	}
	return EXIT_USAGE;
}
