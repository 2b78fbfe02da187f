/* SPDX-License-Identifier: MIT */
/* Versions of the CNI specification and what differs between them. */
#ifndef CNI_VERSION_H
#define CNI_VERSION_H

#include "base/buf.h"
#include "base/str.h"

enum cni_version {
	CNI_0_1_0,
	CNI_0_2_0,
	CNI_0_3_0,
	CNI_0_3_1,
	CNI_0_4_0,
	CNI_1_0_0,
	CNI_1_1_0,
};

#define CNI_VERSIONS    (CNI_1_1_0 + 1)
#define CNI_VERSION_OWN CNI_1_1_0

const char *cni_version_name(enum cni_version v);

/* cni_version_parse: false, *out untouched: no version we speak. */
bool cni_version_parse(struct str s, enum cni_version *out) MUST_CHECK;

/* The shapes of a result: see cni/result.h. */
enum cni_shape {
	CNI_SHAPE_IP4,        /* 0.1.0, 0.2.0: ip4 and ip6, no interfaces */
	CNI_SHAPE_IPS_FAMILY, /* 0.3.0 to 0.4.0: each address names its family */
	CNI_SHAPE_IPS,        /* from 1.0.0 on */
};

enum cni_shape cni_version_shape(enum cni_version v);

/* cni_version_reply: the answer to VERSION; asked is what the configuration had. */
void cni_version_reply(struct buf *b, enum cni_version asked);

#endif
