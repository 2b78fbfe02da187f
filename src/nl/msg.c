/* SPDX-License-Identifier: MIT */
/* See msg_priv.h. */
#include "nl/msg_priv.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"

void nl_req_init(struct nl_req *q, uint16_t type, uint16_t flags, const void *fixed, size_t n)
{
	struct nlmsghdr *nlh;

	_Static_assert(NL_REQ_CAP_BYTES >= 256, "the largest request is a VF's MAC, 92 bytes");
	ASSERT(n <= 64);
	memset(q, 0, sizeof(*q));
	nlh = mnl_nlmsg_put_header(q->u.mem);
	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = (uint16_t)(flags | NLM_F_REQUEST);
	if (n > 0) {
		memcpy(mnl_nlmsg_put_extra_header(nlh, n), fixed, n);
	}
}

void nl_req_put(struct nl_req *q, uint16_t type, const void *data, size_t n)
{
	bool room = mnl_attr_put_check(&q->u.h, sizeof(q->u.mem), type, n, data);

	ASSERT(room);
}

void nl_req_put_u32(struct nl_req *q, uint16_t type, uint32_t v)
{
	nl_req_put(q, type, &v, sizeof(v));
}

void nl_req_put_str(struct nl_req *q, uint16_t type, const char *s)
{
	nl_req_put(q, type, s, strlen(s) + 1);
}

struct nlattr *nl_req_nest(struct nl_req *q, uint16_t type)
{
	struct nlattr *nest = mnl_attr_nest_start_check(&q->u.h, sizeof(q->u.mem), type);

	ASSERT(nest != NULL);
	return nest;
}

void nl_req_nest_end(struct nl_req *q, struct nlattr *nest)
{
	mnl_attr_nest_end(&q->u.h, nest);
}

bool attr_walk_msg(const struct nlmsghdr *nlh, size_t fixed_n, struct attr_walk *w)
{
	size_t head = MSG_HDR_BYTES + nl_align(fixed_n);

	if (nlh->nlmsg_len < head) {
		return false;
	}
	w->p = (const uint8_t *)nlh + head;
	w->n = nlh->nlmsg_len - head;
	return true;
}

void attr_walk_nest(const struct nlattr *a, struct attr_walk *w)
{
	w->p = mnl_attr_get_payload(a);
	w->n = mnl_attr_get_payload_len(a);
}

int attr_next(struct attr_walk *w, const struct nlattr **a)
{
	const struct nlattr *at = (const void *)w->p;
	size_t step;

	if (w->n == 0) {
		return 0;
	}
	if (w->n < ATTR_HDR_BYTES || at->nla_len < ATTR_HDR_BYTES || at->nla_len > w->n) {
		return -EBADMSG;
	}
	/* The padding of the last attribute may be missing. */
	step = nl_align(at->nla_len);
	step = step < w->n ? step : w->n;
	w->p += step;
	w->n -= step;
	*a = at;
	return 1;
}

uint16_t attr_type(const struct nlattr *a)
{
	return mnl_attr_get_type(a);
}

static bool attr_fixed(const struct nlattr *a, void *v, size_t n)
{
	if (mnl_attr_get_payload_len(a) != n) {
		return false;
	}
	/* Payloads are aligned to 4 bytes only: never read a u64 in place. */
	memcpy(v, mnl_attr_get_payload(a), n);
	return true;
}

bool attr_u8(const struct nlattr *a, uint8_t *v)
{
	return attr_fixed(a, v, sizeof(*v));
}

bool attr_u16(const struct nlattr *a, uint16_t *v)
{
	return attr_fixed(a, v, sizeof(*v));
}

bool attr_u32(const struct nlattr *a, uint32_t *v)
{
	return attr_fixed(a, v, sizeof(*v));
}

bool attr_u64(const struct nlattr *a, uint64_t *v)
{
	return attr_fixed(a, v, sizeof(*v));
}

bool attr_str(const struct nlattr *a, char *dst, size_t cap)
{
	const char *p = mnl_attr_get_payload(a);

	return str_copy((struct str){p, strnlen(p, mnl_attr_get_payload_len(a))}, dst, cap);
}

void attr_str_opt(const struct nlattr *a, char *dst, size_t cap)
{
	if (!attr_str(a, dst, cap)) {
		dst[0] = '\0';
	}
}

bool attr_bytes(const struct nlattr *a, uint8_t *dst, size_t cap, size_t *n)
{
	size_t len = mnl_attr_get_payload_len(a);

	if (len > cap) {
		return false;
	}
	memcpy(dst, mnl_attr_get_payload(a), len);
	*n = len;
	return true;
}

int attr_bad(const struct nlattr *a, const char *msg, struct err *e)
{
	return err_set(e, EBADMSG, "%s: attribute %u cannot have %u bytes", msg, attr_type(a),
		mnl_attr_get_payload_len(a));
}

#ifndef __GLIBC__
/*
 * The static libmnl of a glibc distribution calls glibc's checked fprintf from its debug printer,
 * which we never call. The archive must still link against another libc.
 */
#include <stdarg.h>
#include <stdio.h>

int __fprintf_chk(FILE *f, int flag, const char *fmt, ...) PRINTF_LIKE(3, 4);

int __fprintf_chk(FILE *f, int flag, const char *fmt, ...)
{
	va_list ap;
	int n;

	(void)flag; /* how strictly glibc checks the format */
	va_start(ap, fmt);
	n = vfprintf(f, fmt, ap);
	va_end(ap);
	return n;
}
#endif
