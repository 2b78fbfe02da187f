/* SPDX-License-Identifier: MIT */
/* Parsers of the small notations every program meets: MAC, PCI and socket addresses, names. */
#ifndef BASE_PARSE_H
#define BASE_PARSE_H

#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/* All yes/no parsers: outputs untouched on false. */

#define MAC_TEXT_LEN 17 /* "aa:bb:cc:dd:ee:ff" */

bool parse_mac(struct str s, uint8_t mac[static 6]) MUST_CHECK;
void buf_add_mac(struct buf *b, const uint8_t mac[static 6]); /* lower case, as ip(8) prints it */
bool mac_is_zero(const uint8_t mac[static 6]);

#define GUID_TEXT_LEN 23 /* "aa:bb:cc:dd:ee:ff:00:11" */

void buf_add_guid(struct buf *b, uint64_t guid); /* in host byte order; as ip(8) prints it */

/*
 * A PCI address "dddd:bb:dd.f" as the kernel writes it (Documentation/ABI sysfs-bus-pci). Domains
 * may have up to 8 digits (VMD bridges use 5).
 */
struct pci_addr {
	uint32_t domain;
	uint8_t bus, dev, fn;
};

bool parse_pci(struct str s, struct pci_addr *out) MUST_CHECK;
void buf_add_pci(struct buf *b, const struct pci_addr *a);
bool pci_same(const struct pci_addr *a, const struct pci_addr *b); /* padding does not count */

/*
 * parse_ifname: a network interface name the kernel would accept (net/core/dev.c dev_valid_name):
 * 1..15 bytes, not "." or "..", no '/', ':' or white space.
 */
bool parse_ifname(struct str s) MUST_CHECK;

/*
 * parse_listen: "ADDR:PORT", "[V6]:PORT", ":PORT" or "PORT" into a socket address; no address
 * means all of both families (:: with IPV6_V6ONLY off). Port 0 asks the kernel for one.
 * -EINVAL with the reason.
 */
struct sock_addr {
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} u;
	socklen_t len;
};

int parse_listen(struct str s, struct sock_addr *out, struct err *e) MUST_CHECK;
void buf_add_sock_addr(struct buf *b, const struct sock_addr *a); /* "1.2.3.4:80", "[::1]:80" */

#endif
