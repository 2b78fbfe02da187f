/* SPDX-License-Identifier: MIT */
/* Every limit of the gRPC code in one place, each with its reason. */
#ifndef GRPC_LIMITS_H
#define GRPC_LIMITS_H

/* Bytes */
#define GRPC_MESSAGE_MAX (4 * 1024 * 1024) /* one message; grpc-go's own default for receiving */
#define GRPC_PREFIX      5                 /* before each message: flag, 4 bytes of length */
#define GRPC_CONN_MEM    (GRPC_MESSAGE_MAX + 1024 * 1024) /* all that one connection may allocate */
#define GRPC_HEADERS_MAX (16 * 1024) /* of a request or answer, counted as RFC 9113 6.5.2 does */
#define GRPC_FIELD_COST  32  /* what a field counts besides its name and value, same place */
#define GRPC_PATH_MAX    128 /* "/package.Service/Method" and its NUL */
#define GRPC_TEXT_MAX    256 /* text of a status and its NUL; longer ones are cut */
#define GRPC_FRAME_MAX   (16 * 1024) /* payload of a frame: the least that HTTP/2 allows */
#define GRPC_OUT_MAX     (GRPC_FRAME_MAX + 1024) /* one frame with its header and padding */
#define GRPC_READ_MAX    (8 * 1024)              /* taken from a socket at once ... */
#define GRPC_READ_BURST  16                      /* ... this often before others get their turn */

/* Counts */
#define GRPC_CONNS_MAX     16 /* connections of a server: a kubelet has one, two while it restarts */
#define GRPC_CALLS_MAX     64  /* calls open on a connection: one for each pod being started */
#define GRPC_BACKLOG       16  /* connections that wait to be accepted */
#define GRPC_ACKS_MAX      64  /* answers to PING and SETTINGS that a peer leaves unread */
#define GRPC_SETTINGS_MAX  32  /* entries of a SETTINGS frame */
#define GRPC_CONTINUES_MAX 8   /* CONTINUATION frames of one header block */
#define GRPC_RESET_BURST   200 /* streams a peer may reset in a row, and then ... */
#define GRPC_RESET_RATE    20  /* ... a second (CVE-2023-44487) */

/* Milliseconds */
#define GRPC_PREFACE_MS      10000 /* accept to the peer's SETTINGS */
#define GRPC_REQUEST_MS      10000 /* first header of a request to its end */
#define GRPC_SEND_MS         60000 /* a message to its last byte being taken by flow control */
#define GRPC_STALL_MS        30000 /* the socket takes nothing while there is something for it */
#define GRPC_ACCEPT_PAUSE_MS 1000  /* after EMFILE, ENFILE, ENOBUFS, ENOMEM */

_Static_assert(GRPC_CONN_MEM > GRPC_MESSAGE_MAX + 512 * 1024, "HTTP/2 works beside a full message");
_Static_assert(GRPC_OUT_MAX >= GRPC_FRAME_MAX + 9 + 256, "a frame with header and padding fits");

#endif
