/* SPDX-License-Identifier: MIT */
/* gRPC on top of HTTP/2, without I/O: message prefix, timeouts, status and its text. */
#ifndef GRPC_WIRE_H
#define GRPC_WIRE_H

#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/str.h"
#include "grpc/limits.h"

/* Numbers of the gRPC protocol (statuscodes.md). */
enum grpc_status {
	GRPC_OK,
	GRPC_CANCELLED,
	GRPC_UNKNOWN,
	GRPC_INVALID_ARGUMENT,
	GRPC_DEADLINE_EXCEEDED,
	GRPC_NOT_FOUND,
	GRPC_ALREADY_EXISTS,
	GRPC_PERMISSION_DENIED,
	GRPC_RESOURCE_EXHAUSTED,
	GRPC_FAILED_PRECONDITION,
	GRPC_ABORTED,
	GRPC_OUT_OF_RANGE,
	GRPC_UNIMPLEMENTED,
	GRPC_INTERNAL,
	GRPC_UNAVAILABLE,
	GRPC_DATA_LOSS,
	GRPC_UNAUTHENTICATED,
	GRPC_STATUSES,
};

const char *grpc_status_name(enum grpc_status s); /* "INVALID_ARGUMENT" */

/* grpc_status_parse: the value of grpc-status; numbers that nobody defined are GRPC_UNKNOWN. */
bool grpc_status_parse(struct str s, enum grpc_status *out) MUST_CHECK;

/* grpc_status_of_http: what an answer with that :status and no grpc-status means. */
enum grpc_status grpc_status_of_http(uint32_t http);

/*
 * One message of a stream of bytes that comes in arbitrary pieces. Start with all zero bytes.
 * length is valid once prefix_n is GRPC_PREFIX.
 */
struct grpc_frame {
	uint8_t prefix[GRPC_PREFIX];
	uint8_t prefix_n;
	uint32_t length, got;
};

/*
 * grpc_frame_feed: take from in. Returns the bytes consumed (> 0 unless in is empty or the message
 * complete); *data is the part of them that belongs to the message, borrowed from in. A call never
 * crosses from the prefix into the message. -ENOTSUP: the message is compressed; -EBADMSG: the
 * first byte is no flag; -EMSGSIZE: it is longer than GRPC_MESSAGE_MAX (length tells).
 */
ssize_t grpc_frame_feed(struct grpc_frame *f, struct str in, struct str *data) MUST_CHECK;
bool grpc_frame_done(const struct grpc_frame *f) MUST_CHECK;

void grpc_frame_prefix(uint8_t out[static GRPC_PREFIX], uint32_t length); /* not compressed */

/* grpc_timeout_parse: "100m": up to 8 digits and one of H M S m u n; rounded up to milliseconds. */
bool grpc_timeout_parse(struct str s, int64_t *ms) MUST_CHECK;

/* The text of a status travels percent-encoded; a malformed escape is taken literally. */
void grpc_text_encode(struct buf *b, struct str text);
void grpc_text_decode(struct buf *b, struct str value);

#endif
