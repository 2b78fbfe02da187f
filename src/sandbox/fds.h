/* SPDX-License-Identifier: MIT */
/* A known set of descriptors to start from. */
#ifndef SANDBOX_FDS_H
#define SANDBOX_FDS_H

#include "base/err.h"

/*
 * sandbox_fds: the first thing a program does. Opens /dev/null for whichever of the descriptors
 * 0 to 2 is closed (else the next file opened would become "stderr" and be written to), closes
 * everything from 3 on that the parent leaked (close_range(2), Linux 5.9; older kernels keep
 * them), and sets the umask to 022 so that records and speeds stay readable to the daemons.
 */
int sandbox_fds(struct err *e) MUST_CHECK;

#endif
