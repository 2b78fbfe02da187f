/* SPDX-License-Identifier: MIT */
/* See wire.h. Format: gRPC over HTTP2 (PROTOCOL-HTTP2.md of the gRPC project). */
#include "grpc/wire.h"

#include <errno.h>

#include "base/num.h"

static const char *const names[GRPC_STATUSES] = {
	[GRPC_OK] = "OK",
	[GRPC_CANCELLED] = "CANCELLED",
	[GRPC_UNKNOWN] = "UNKNOWN",
	[GRPC_INVALID_ARGUMENT] = "INVALID_ARGUMENT",
	[GRPC_DEADLINE_EXCEEDED] = "DEADLINE_EXCEEDED",
	[GRPC_NOT_FOUND] = "NOT_FOUND",
	[GRPC_ALREADY_EXISTS] = "ALREADY_EXISTS",
	[GRPC_PERMISSION_DENIED] = "PERMISSION_DENIED",
	[GRPC_RESOURCE_EXHAUSTED] = "RESOURCE_EXHAUSTED",
	[GRPC_FAILED_PRECONDITION] = "FAILED_PRECONDITION",
	[GRPC_ABORTED] = "ABORTED",
	[GRPC_OUT_OF_RANGE] = "OUT_OF_RANGE",
	[GRPC_UNIMPLEMENTED] = "UNIMPLEMENTED",
	[GRPC_INTERNAL] = "INTERNAL",
	[GRPC_UNAVAILABLE] = "UNAVAILABLE",
	[GRPC_DATA_LOSS] = "DATA_LOSS",
	[GRPC_UNAUTHENTICATED] = "UNAUTHENTICATED",
};

const char *grpc_status_name(enum grpc_status s)
{
	return (unsigned)s < GRPC_STATUSES ? names[s] : names[GRPC_UNKNOWN];
}

bool grpc_status_parse(struct str s, enum grpc_status *out)
{
	uint32_t v;

	if (!num_u32(s, UINT32_MAX, &v)) {
		return false;
	}
	*out = v < GRPC_STATUSES ? (enum grpc_status)v : GRPC_UNKNOWN;
	return true;
}

/* The gRPC project's http-grpc-status-mapping.md. */
enum grpc_status grpc_status_of_http(uint32_t http)
{
	switch (http) {
	case 400:
		return GRPC_INTERNAL;
	case 401:
		return GRPC_UNAUTHENTICATED;
	case 403:
		return GRPC_PERMISSION_DENIED;
	case 404:
		return GRPC_UNIMPLEMENTED;
	case 429:
	case 502:
	case 503:
	case 504:
		return GRPC_UNAVAILABLE;
	default:
		return GRPC_UNKNOWN;
	}
}

bool grpc_frame_done(const struct grpc_frame *f)
{
	return f->prefix_n == GRPC_PREFIX && f->got == f->length;
}

static int prefix_check(struct grpc_frame *f)
{
	if (f->prefix[0] > 1) {
		return -EBADMSG;
	}
	if (f->prefix[0] == 1) {
		return -ENOTSUP;
	}
	f->length = (uint32_t)f->prefix[1] << 24 | (uint32_t)f->prefix[2] << 16 |
		    (uint32_t)f->prefix[3] << 8 | f->prefix[4];
	return f->length > GRPC_MESSAGE_MAX ? -EMSGSIZE : 0;
}

ssize_t grpc_frame_feed(struct grpc_frame *f, struct str in, struct str *data)
{
	size_t n = 0;

	*data = (struct str){in.p, 0};
	if (f->prefix_n < GRPC_PREFIX) {
		while (n < in.n && f->prefix_n < GRPC_PREFIX) {
			f->prefix[f->prefix_n++] = (uint8_t)in.p[n++];
		}
		if (f->prefix_n == GRPC_PREFIX) {
			int r = prefix_check(f);

			if (r < 0) {
				return r;
			}
		}
		return (ssize_t)n;
	}
	n = f->length - f->got;
	if (n > in.n) {
		n = in.n;
	}
	f->got += (uint32_t)n;
	data->n = n;
	return (ssize_t)n;
}

void grpc_frame_prefix(uint8_t out[static GRPC_PREFIX], uint32_t length)
{
	out[0] = 0;
	out[1] = (uint8_t)(length >> 24);
	out[2] = (uint8_t)(length >> 16);
	out[3] = (uint8_t)(length >> 8);
	out[4] = (uint8_t)length;
}

bool grpc_timeout_parse(struct str s, int64_t *ms)
{
	static const struct {
		char unit;
		uint32_t mul, div;
	} units[] = {{'H', 3600000, 1}, {'M', 60000, 1}, {'S', 1000, 1}, {'m', 1, 1},
		{'u', 1, 1000}, {'n', 1, 1000000}};
	uint64_t v;

	if (s.n < 2 || s.n > 9 || !num_u64((struct str){s.p, s.n - 1}, UINT32_MAX, &v)) {
		return false;
	}
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		if (units[i].unit == s.p[s.n - 1]) {
			*ms = (int64_t)((v * units[i].mul + units[i].div - 1) / units[i].div);
			return true;
		}
	}
	return false;
}

void grpc_text_encode(struct buf *b, struct str text)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (c >= 0x20 && c <= 0x7e && c != '%') {
			buf_add_chr(b, (char)c);
			continue;
		}
		buf_add_chr(b, '%');
		buf_add_chr(b, hex[c >> 4]);
		buf_add_chr(b, hex[c & 15]);
	}
}

void grpc_text_decode(struct buf *b, struct str value)
{
	for (size_t i = 0; i < value.n; i++) {
		char c = value.p[i];

		if (c == '%' && value.n - i > 2 && chr_hex(value.p[i + 1]) >= 0 &&
			chr_hex(value.p[i + 2]) >= 0) {
			c = (char)(chr_hex(value.p[i + 1]) << 4 | chr_hex(value.p[i + 2]));
			i += 2;
		}
		buf_add_chr(b, c);
	}
}
