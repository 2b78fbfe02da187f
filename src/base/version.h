/* SPDX-License-Identifier: MIT */
/* What this build calls itself. */
#ifndef BASE_VERSION_H
#define BASE_VERSION_H

#define FERRULE_VERSION "0.1.0"

/*
 * ferrule_version: FERRULE_VERSION, followed for builds that are no release by "+" and what git
 * says of the tree ("0.1.0+12-g3c73bbf-dirty").
 */
const char *ferrule_version(void);

#endif
