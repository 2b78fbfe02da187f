/* SPDX-License-Identifier: MIT */
/* Building requests and walking attributes over libmnl; the only header that shows it. */
#ifndef NL_MSG_PRIV_H
#define NL_MSG_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libmnl/libmnl.h>
#include <linux/netlink.h>

#include "base/err.h"
#include "nl/sock.h"

/* As size_t: the kernel's and libmnl's macros are of type int. */
#define MSG_HDR_BYTES  sizeof(struct nlmsghdr)
#define ATTR_HDR_BYTES sizeof(struct nlattr)

/* nl_align: n rounded up to a multiple of 4, as messages and attributes are padded. */
static inline size_t nl_align(size_t n)
{
	return (n + 3) & ~(size_t)3;
}

/*
 * A request under construction. Everything put into one is bounded by its caller, so running out
 * of room is a bug of ours and asserted.
 */
struct nl_req {
	union {
		struct nlmsghdr h;
		uint8_t mem[NL_REQ_CAP_BYTES];
	} u;
};

/* nl_req_init: start a request with the fixed header (ifinfomsg, genlmsghdr) that follows. */
void nl_req_init(struct nl_req *q, uint16_t type, uint16_t flags, const void *fixed, size_t n);
void nl_req_put(struct nl_req *q, uint16_t type, const void *data, size_t n);
void nl_req_put_u32(struct nl_req *q, uint16_t type, uint32_t v);
void nl_req_put_str(struct nl_req *q, uint16_t type, const char *s); /* with its NUL */
struct nlattr *nl_req_nest(struct nl_req *q, uint16_t type);
void nl_req_nest_end(struct nl_req *q, struct nlattr *nest);

/* A position in a row of attributes: n bytes are left. */
struct attr_walk {
	const uint8_t *p;
	size_t n;
};

/*
 * attr_walk_msg: the attributes of a message behind its fixed header of fixed_n bytes; false if
 * the message is shorter than that. attr_walk_nest: those inside an attribute.
 */
bool attr_walk_msg(const struct nlmsghdr *nlh, size_t fixed_n, struct attr_walk *w) MUST_CHECK;
void attr_walk_nest(const struct nlattr *a, struct attr_walk *w);

/* attr_next: 1 and *a, 0 at the end, -EBADMSG (no struct err) if what is left is no attribute. */
int attr_next(struct attr_walk *w, const struct nlattr **a) MUST_CHECK;

/* attr_type: without the flag bits. */
uint16_t attr_type(const struct nlattr *a);

/*
 * Values: true only if the payload has exactly that size; for attr_str, if it is a string shorter
 * than cap, with or without NUL (outputs untouched on false). attr_bytes takes up to cap bytes.
 */
bool attr_u8(const struct nlattr *a, uint8_t *v) MUST_CHECK;
bool attr_u16(const struct nlattr *a, uint16_t *v) MUST_CHECK;
bool attr_u32(const struct nlattr *a, uint32_t *v) MUST_CHECK;
bool attr_u64(const struct nlattr *a, uint64_t *v) MUST_CHECK;
bool attr_str(const struct nlattr *a, char *dst, size_t cap) MUST_CHECK;
void attr_str_opt(const struct nlattr *a, char *dst, size_t cap); /* too long: "" */
bool attr_bytes(const struct nlattr *a, uint8_t *dst, size_t cap, size_t *n) MUST_CHECK;

/* attr_bad: -EBADMSG, naming the message, the attribute and the size of its payload. */
int attr_bad(const struct nlattr *a, const char *msg, struct err *e);

#endif
