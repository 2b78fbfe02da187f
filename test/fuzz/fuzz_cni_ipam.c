/* SPDX-License-Identifier: MIT */
/* Answers of IPAM plugins: whatever they say, what is taken is a set of real addresses. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "cni/addr.h"
#include "cni/ipam.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SIZE_MAX_FUZZ (64u << 10)

static char mem[JSON_ARENA_WORST(SIZE_MAX_FUZZ) + 4096];

static void must(bool promise)
{
	if (!promise) {
		abort();
	}
}

static void check_ip(const struct nl_ip *ip)
{
	struct nl_ip back;
	char text[64];
	struct buf b;

	must((ip->family == AF_INET && ip->prefix <= 32) ||
		(ip->family == AF_INET6 && ip->prefix <= 128));
	buf_init(&b, text, sizeof(text));
	cni_net_write(&b, ip);
	must(buf_ok(&b) && cni_net_parse(buf_str(&b), &back));
	must(memcmp(&back, ip, sizeof(back)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct cni_ipam r;
	struct arena a;
	struct err e;

	if (size > SIZE_MAX_FUZZ) {
		return 0;
	}
	arena_init(&a, mem, sizeof(mem));
	if (cni_ipam_parse(&r, (struct str){(const char *)data, size}, &a, &e) < 0) {
		must(e.msg[0] != '\0');
		return 0;
	}
	must(r.ip_n > 0 && r.ip_n <= CNI_IPS_MAX && r.route_n <= CNI_ROUTES_MAX);
	for (size_t i = 0; i < r.ip_n; i++) {
		check_ip(&r.ip[i].addr);
		must(!r.ip[i].has_gw || r.ip[i].gw.family == r.ip[i].addr.family);
	}
	for (size_t i = 0; i < r.route_n; i++) {
		const struct nl_ip *gw = cni_ipam_gw(&r, &r.route[i]);

		check_ip(&r.route[i].dst);
		must(gw == NULL || gw->family == r.route[i].dst.family);
	}
	return 0;
}
