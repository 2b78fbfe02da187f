/* SPDX-License-Identifier: MIT */
/* What the parts of rdma-ds know of each other. */
#ifndef RDMA_DS_H
#define RDMA_DS_H

#define DS_EXIT_OK     0
#define DS_EXIT_USAGE  100 /* wrong usage or configuration: starting again does not help */
#define DS_EXIT_SYSTEM 111 /* the system failed: starting again may help */

/* The two commands; argv[0] is the command's name. They return the exit status. */
int init_main(int argc, char **argv);
int serve_main(int argc, char **argv);

#endif
