/* SPDX-License-Identifier: MIT */
/* IP addresses as CNI writes them. */
#ifndef CNI_ADDR_H
#define CNI_ADDR_H

#include "base/buf.h"
#include "nl/addr.h"

/* cni_ip_parse: "192.0.2.1" or "2001:db8::1"; the prefix is that of one host. */
bool cni_ip_parse(struct str s, struct nl_ip *out) MUST_CHECK;

/* cni_net_parse: with a prefix length, "192.0.2.1/24"; bits after the prefix stay. */
bool cni_net_parse(struct str s, struct nl_ip *out) MUST_CHECK;

/* cni_ip_same: the same address, whatever the prefix. */
bool cni_ip_same(const struct nl_ip *a, const struct nl_ip *b);

/* cni_net_same: the same network; bits after the prefix do not count. */
bool cni_net_same(const struct nl_ip *a, const struct nl_ip *b);

void cni_ip_write(struct buf *b, const struct nl_ip *ip);  /* without the prefix */
void cni_net_write(struct buf *b, const struct nl_ip *ip); /* with it */

#endif
