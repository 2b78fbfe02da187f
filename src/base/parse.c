/* SPDX-License-Identifier: MIT */
/* See parse.h. */
#include "base/parse.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "base/num.h"

bool parse_mac(struct str s, uint8_t mac[static 6])
{
	uint8_t out[6];

	if (s.n != MAC_TEXT_LEN) {
		return false;
	}
	for (size_t i = 0; i < 6; i++) {
		int hi = chr_hex(s.p[3 * i]), lo = chr_hex(s.p[3 * i + 1]);

		if (hi < 0 || lo < 0 || (i < 5 && s.p[3 * i + 2] != ':')) {
			return false;
		}
		out[i] = (uint8_t)(hi << 4 | lo);
	}
	memcpy(mac, out, 6);
	return true;
}

/* At most 8 bytes, in hexadecimal with colons between them. */
static void add_bytes(struct buf *b, const uint8_t *byte, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	char text[8 * 3];

	ASSERT(n <= 8);
	for (size_t i = 0; i < n; i++) {
		text[3 * i] = digits[byte[i] >> 4];
		text[3 * i + 1] = digits[byte[i] & 15];
		text[3 * i + 2] = ':';
	}
	buf_add(b, (struct str){text, 3 * n - 1});
}

void buf_add_mac(struct buf *b, const uint8_t mac[static 6])
{
	add_bytes(b, mac, 6);
}

void buf_add_guid(struct buf *b, uint64_t guid)
{
	uint8_t byte[8];

	for (size_t i = 0; i < sizeof(byte); i++) {
		byte[i] = (uint8_t)(guid >> (56 - 8 * i));
	}
	add_bytes(b, byte, sizeof(byte));
}

bool mac_is_zero(const uint8_t mac[static 6])
{
	static const uint8_t zero[6];

	return memcmp(mac, zero, 6) == 0;
}

bool parse_pci(struct str s, struct pci_addr *out)
{
	struct str domain, bus, dev, fn;
	uint64_t d, b, v, f;

	if (!str_cut(s, ':', &domain, &s) || !str_cut(s, ':', &bus, &s) ||
		!str_cut(s, '.', &dev, &fn)) {
		return false;
	}
	if (domain.n < 4 || domain.n > 8 || bus.n != 2 || dev.n != 2 || fn.n != 1) {
		return false;
	}
	if (!num_hex(domain, UINT32_MAX, &d) || !num_hex(bus, 0xff, &b) ||
		!num_hex(dev, 0x1f, &v) || !num_hex(fn, 7, &f)) {
		return false;
	}
	*out = (struct pci_addr){(uint32_t)d, (uint8_t)b, (uint8_t)v, (uint8_t)f};
	return true;
}

void buf_add_pci(struct buf *b, const struct pci_addr *a)
{
	buf_printf(b, "%04x:%02x:%02x.%x", (unsigned)a->domain, (unsigned)a->bus, (unsigned)a->dev,
		(unsigned)a->fn);
}

bool pci_same(const struct pci_addr *a, const struct pci_addr *b)
{
	return a->domain == b->domain && a->bus == b->bus && a->dev == b->dev && a->fn == b->fn;
}

bool parse_ifname(struct str s)
{
	if (s.n == 0 || s.n >= IFNAMSIZ || str_eq_c(s, ".") || str_eq_c(s, "..")) {
		return false;
	}
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		/* The kernel's isspace() is Latin-1's: 0xa0 is white space to it. */
		if (c <= ' ' || c == 0x7f || c == 0xa0 || c == '/' || c == ':') {
			return false;
		}
	}
	return true;
}

static bool split_listen(struct str s, struct str *host, struct str *port)
{
	struct str rest;

	if (s.n > 0 && s.p[0] == '[') {
		return str_cut(str_skip(s, 1), ']', host, &rest) && rest.n > 0 &&
		       rest.p[0] == ':' && (*port = str_skip(rest, 1), true);
	}
	if (!str_cut(s, ':', host, port)) {
		*host = (struct str)STR_INIT;
		*port = s;
	}
	return true;
}

int parse_listen(struct str s, struct sock_addr *out, struct err *e)
{
	struct str host, port;
	struct sock_addr a;
	char text[INET6_ADDRSTRLEN];
	bool bracket = s.n > 0 && s.p[0] == '[';
	uint32_t p;

	memset(&a, 0, sizeof(a));
	if (!split_listen(s, &host, &port)) {
		return err_set(e, EINVAL, "'%.*s': expected ADDR:PORT or [IPV6]:PORT", STR_ARG(s));
	}
	if (!num_u32(port, 65535, &p)) {
		return err_set(
			e, EINVAL, "'%.*s': port must be a number from 0 to 65535", STR_ARG(s));
	}
	if (!str_copy(host, text, sizeof(text))) {
		return err_set(e, EINVAL, "'%.*s': address is too long", STR_ARG(s));
	}
	if (host.n > 0 && !bracket && inet_pton(AF_INET, text, &a.u.in.sin_addr) == 1) {
		a.u.in.sin_family = AF_INET;
		a.u.in.sin_port = htons((uint16_t)p);
		a.len = sizeof(a.u.in);
	} else if (bracket ? inet_pton(AF_INET6, text, &a.u.in6.sin6_addr) == 1 : host.n == 0) {
		a.u.in6.sin6_family = AF_INET6;
		a.u.in6.sin6_port = htons((uint16_t)p);
		a.len = sizeof(a.u.in6);
	} else {
		return err_set(e, EINVAL, "'%.*s': '%s' is not an %s address", STR_ARG(s), text,
			bracket ? "IPv6" : "IPv4");
	}
	*out = a;
	return 0;
}

void buf_add_sock_addr(struct buf *b, const struct sock_addr *a)
{
	char text[INET6_ADDRSTRLEN] = "?";

	if (a->u.sa.sa_family == AF_INET6) {
		(void)inet_ntop(AF_INET6, &a->u.in6.sin6_addr, text, sizeof(text));
		buf_printf(b, "[%s]:%u", text, (unsigned)ntohs(a->u.in6.sin6_port));
	} else {
		(void)inet_ntop(AF_INET, &a->u.in.sin_addr, text, sizeof(text));
		buf_printf(b, "%s:%u", text, (unsigned)ntohs(a->u.in.sin_port));
	}
}
