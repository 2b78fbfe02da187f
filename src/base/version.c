/* SPDX-License-Identifier: MIT */
/* See version.h. FERRULE_BUILD comes from the Makefile and is empty for a release. */
#include "base/version.h"

#ifndef FERRULE_BUILD
#define FERRULE_BUILD ""
#endif

const char *ferrule_version(void)
{
	return FERRULE_VERSION FERRULE_BUILD;
}
