/* SPDX-License-Identifier: MIT */
/* Every bound of the Kubernetes formats, with its reason. */
#ifndef KUBE_LIMITS_H
#define KUBE_LIMITS_H

#include "json/limits.h"
#include "place/limits.h"

/* Bytes of an annotation: Kubernetes allows 256 KiB for all annotations of an object together. */
#define KUBE_ANNOTATION_MAX (256u << 10)

/*
 * Arena bytes to read an annotation: 512 values and keys. The largest one without a mistake has
 * 161 (a list of 32 objects with two members each), so that more than fits is a mistake.
 */
#define KUBE_ANNOTATION_ARENA (512 * JSON_TOKEN_BYTES + 256)

_Static_assert(512 >= 1 + PLACE_REQ_MAX * 5, "the largest list of interfaces must fit");

#endif
