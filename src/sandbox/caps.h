/* SPDX-License-Identifier: MIT */
/* Giving up privileges for good. */
#ifndef SANDBOX_CAPS_H
#define SANDBOX_CAPS_H

#include "base/err.h"

/*
 * sandbox_drop_caps: clear the bounding, ambient, permitted, effective and inheritable
 * capability sets (capabilities(7)) and set no_new_privs, so that neither this process nor
 * anything it could execute gets them back. Works for root and for users who have none. The
 * bounding set is left alone where the process may not change it (no CAP_SETPCAP): there is
 * nothing to gain from it then, for no_new_privs is set.
 */
int sandbox_drop_caps(struct err *e) MUST_CHECK;

#endif
