/* SPDX-License-Identifier: MIT */
/* The parts of the network configuration's parser, for each other. */
#ifndef CNI_CONF_PRIV_H
#define CNI_CONF_PRIV_H

#include "cni/conf.h"

/*
 * cni_conf_plugin_type: the "type" of ipam or delegate, which becomes the name of a file. out is
 * left alone when it cannot be one.
 */
int cni_conf_plugin_type(struct json_val v, char out[CNI_TYPE_MAX + 1], struct cni_fail *f);

/* conf_own.c: the keys that only this plugin knows. */
void cni_conf_own_default(struct cni_conf *c);
int cni_conf_own(struct cni_conf *c, struct json_val root, bool lenient, struct cni_fail *f);

#endif
