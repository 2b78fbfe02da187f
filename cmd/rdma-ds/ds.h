/* SPDX-License-Identifier: MIT */
/* What the parts of rdma-ds know of each other. */
#ifndef RDMA_DS_H
#define RDMA_DS_H

#include "base/command.h" /* the exit codes */

/* The two commands; argv[0] is the command's name. They return the exit status. */
int init_main(int argc, char **argv);
int serve_main(int argc, char **argv);

#endif
