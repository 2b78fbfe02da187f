/* SPDX-License-Identifier: MIT */
/* How values of the kernel are spelled in JSON, the same in /getpfs and /v1/node. */
#ifndef SRIOV_SPELL_H
#define SRIOV_SPELL_H

#include "json/write.h"
#include "nl/vf.h"

void spell_mac(struct json_writer *w, const char *key, const uint8_t mac[static 6]);

/* spell_vlan_proto: "N/A" without a VLAN, "802.1Q", "802.1ad". */
const char *spell_vlan_proto(const struct nl_vf *k);

/* spell_link_state: "Follow" (the PF's), "Up", "Down". */
const char *spell_link_state(const struct nl_vf *k);

#endif
