/* SPDX-License-Identifier: MIT */
/* What cmocka.h wants to have been included before it, in one place. */
#ifndef TEST_UNIT_H
#define TEST_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
