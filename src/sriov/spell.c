/* SPDX-License-Identifier: MIT */
/* See spell.h. */
#include "sriov/spell.h"

#include <linux/if_ether.h>

#include "base/parse.h"

void spell_mac(struct json_writer *w, const char *key, const uint8_t mac[static 6])
{
	char text[MAC_TEXT_LEN];
	struct buf b;

	buf_init(&b, text, sizeof(text));
	buf_add_mac(&b, mac);
	json_put_str(w, key, buf_str(&b));
}

const char *spell_vlan_proto(const struct nl_vf *k)
{
	if (k->vlan == 0 && k->qos == 0) {
		return "N/A";
	}
	return k->proto == ETH_P_8021AD ? "802.1ad" : "802.1Q";
}

const char *spell_link_state(const struct nl_vf *k)
{
	switch (k->link_state) {
	case NL_VF_LINK_ENABLE:
		return "Up";
	case NL_VF_LINK_DISABLE:
		return "Down";
	case NL_VF_LINK_AUTO:
		break;
	}
	return "Follow";
}
