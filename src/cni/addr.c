/* SPDX-License-Identifier: MIT */
/* See addr.h. */
#include "cni/addr.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/num.h"

bool cni_ip_parse(struct str s, struct nl_ip *out)
{
	char text[INET6_ADDRSTRLEN];
	struct nl_ip ip = {0};

	if (!str_copy(s, text, sizeof(text))) {
		return false;
	}
	ip.family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;
	ip.prefix = ip.family == AF_INET6 ? 128 : 32;
	if (inet_pton(ip.family, text, ip.ip) != 1) {
		return false;
	}
	*out = ip;
	return true;
}

bool cni_net_parse(struct str s, struct nl_ip *out)
{
	struct str head, tail;
	struct nl_ip ip;
	uint32_t bits;

	if (!str_cut(s, '/', &head, &tail) || !cni_ip_parse(head, &ip) ||
		!num_u32(tail, ip.prefix, &bits)) {
		return false;
	}
	ip.prefix = (uint8_t)bits;
	*out = ip;
	return true;
}

void cni_ip_write(struct buf *b, const struct nl_ip *ip)
{
	char text[INET6_ADDRSTRLEN];

	if (inet_ntop(ip->family, ip->ip, text, sizeof(text)) != NULL) {
		buf_add_c(b, text);
	}
}

void cni_net_write(struct buf *b, const struct nl_ip *ip)
{
	cni_ip_write(b, ip);
	buf_printf(b, "/%u", (unsigned)ip->prefix);
}

bool cni_ip_same(const struct nl_ip *a, const struct nl_ip *b)
{
	return a->family == b->family && memcmp(a->ip, b->ip, a->family == AF_INET ? 4 : 16) == 0;
}

bool cni_net_same(const struct nl_ip *a, const struct nl_ip *b)
{
	unsigned whole = a->prefix / 8, rest = a->prefix % 8;
	unsigned mask = 0xff00u >> rest & 0xffu;

	return a->family == b->family && a->prefix == b->prefix &&
	       memcmp(a->ip, b->ip, whole) == 0 &&
	       (rest == 0 || ((unsigned)a->ip[whole] & mask) == ((unsigned)b->ip[whole] & mask));
}
