/* SPDX-License-Identifier: MIT */
/* Link messages with their VF lists: the input is one message, its length field aside. */
#include "nl/link.h"
#include "nl/vf.h"
#include "nl_fuzz.h"

enum { CAP = 1024 };

static void check_link(const struct nl_link *l)
{
	require(l->ifindex > 0 && l->name[0] != '\0');
	require(memchr(l->name, '\0', sizeof(l->name)) != NULL);
	require(memchr(l->kind, '\0', sizeof(l->kind)) != NULL);
	require(memchr(l->parent_dev, '\0', sizeof(l->parent_dev)) != NULL);
	require(memchr(l->parent_bus, '\0', sizeof(l->parent_bus)) != NULL);
	require(memchr(l->phys_port_name, '\0', sizeof(l->phys_port_name)) != NULL);
	require(l->addr_n <= NL_ADDR_CAP && l->perm_addr_n <= NL_ADDR_CAP);
	require(l->switch_id_n <= NL_SWITCH_ID_CAP);
	for (size_t i = 0; i < l->altname_n && i < NL_ALTNAMES_MAX; i++) {
		require(memchr(l->altname[i], '\0', NL_ALTNAME_CAP) != NULL);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct nl_vf vfs[CAP];
	struct nlmsghdr *nlh = fuzz_message(data, size);
	struct err e = ERR_INIT;
	struct nl_link l;
	size_t n = 0;
	int r;

	if (nlh == NULL) {
		return 0;
	}
	r = nl_link_parse(nlh, &l, &e);
	if (r == 0) {
		check_link(&l);
	} else {
		require(e.code == -r && e.msg[0] != '\0');
	}
	r = nl_vf_parse(nlh, vfs, CAP, &n, &e);
	require(n <= CAP && (r == 0 || (n == 0 && e.code == -r)));
	for (size_t i = 0; i < n; i++) {
		require(vfs[i].index == i);
		require(vfs[i].has == 0 || (vfs[i].has & NL_VF_PRESENT) != 0);
		require(vfs[i].link_state <= NL_VF_LINK_DISABLE);
		require(vfs[i].trust >= NL_VF_UNSUPPORTED && vfs[i].trust <= NL_VF_ON);
	}
	free(nlh);
	return 0;
}
