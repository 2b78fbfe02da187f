/* SPDX-License-Identifier: MIT */
/* Every limit of the HTTP code in one place, each with its reason. */
#ifndef HTTP_LIMITS_H
#define HTTP_LIMITS_H

/* Bytes of a message head */
#define HTTP_LINE_MAX   (8 * 1024)  /* request or status line with its CRLF; RFC 9112 3 asks 8000 */
#define HTTP_HEAD_MAX   (16 * 1024) /* line, fields and empty line together: what servers accept */
#define HTTP_FIELDS_MAX 100         /* header fields; real clients send about 10 */
#define HTTP_METHOD_MAX 32          /* a longer method is none that exists (RFC 9112 3: 501) */

/* Bytes of a body */
#define HTTP_IGNORED_BODY_MAX 4096 /* of a request whose route takes none: read, thrown away */
#define HTTP_CHUNK_DIGITS_MAX 16   /* hexadecimal digits of a chunk size: 64 bits */
#define HTTP_CHUNK_LINE_MAX   256  /* a chunk-size line with its extensions */
#define HTTP_TRAILER_MAX      4096 /* trailer fields together, all thrown away */
#define HTTP_CHUNK_FREE       4096 /* framing bytes always granted to a chunked body ... */
#define HTTP_CHUNK_RATIO      8    /* ... and beyond that at most this many a data byte */
#define HTTP_READ_BURST       (128 * 1024) /* taken from one socket before others get their turn */

/* One block of connection memory: request bytes, then the answer's head and text */
#define HTTP_IN_MAX     (HTTP_HEAD_MAX + 4096) /* a full head and room for chunks behind it */
#define HTTP_OUT_HEAD   2048                   /* head of an answer */
#define HTTP_FIELDS_OUT 1024                   /* of which: fields that a handler adds */
#define HTTP_TEXT_MAX   5120                   /* body of an answer kept in the connection */
#define HTTP_BLOCK_MAX  (HTTP_IN_MAX + HTTP_OUT_HEAD + HTTP_FIELDS_OUT + HTTP_TEXT_MAX)

/* Counts of a server */
#define HTTP_CONNS_DEFAULT 256  /* connections: a scheduler, a Prometheus and people with curl */
#define HTTP_CONNS_MAX     4096 /* what a configuration may ask for */
#define HTTP_LISTEN_MAX    4    /* listening sockets */
#define HTTP_ROUTES_MAX    24   /* paths */
#define HTTP_ACCEPT_BURST  16   /* connections accepted in a row */
#define HTTP_REQUEST_BURST 8    /* pipelined requests answered in a row */

/* Milliseconds; all deadlines are absolute, none is extended by a byte that arrives */
#define HTTP_HEAD_MS         10000 /* first byte of a request (or accept) to its empty line: 408 */
#define HTTP_BODY_MS         30000 /* empty line to the last byte of the body: 408 */
#define HTTP_IDLE_MS         60000 /* between two requests; the close is silent */
#define HTTP_WRITE_MS        30000 /* first to last byte of an answer */
#define HTTP_DRAIN_MS        1000  /* after the last answer: a reset would destroy it in flight */
#define HTTP_DRAIN_MAX       (64 * 1024) /* bytes read and thrown away in that time */
#define HTTP_ACCEPT_PAUSE_MS 200         /* after EMFILE, ENFILE, ENOBUFS, ENOMEM */
#define HTTP_STOP_MS         4500        /* signal to the end: under the 5 s that are promised */

/* Client */
#define HTTP_REQUEST_HEAD_MAX 4096 /* head of a request that we send */
#define HTTP_INTERIM_MAX      8    /* 1xx answers skipped before the real one */

_Static_assert(HTTP_LINE_MAX < HTTP_HEAD_MAX, "a legal request line leaves room for fields");
_Static_assert(HTTP_HEAD_MAX < HTTP_IN_MAX, "chunks are read behind a complete head");
_Static_assert(HTTP_CHUNK_LINE_MAX < HTTP_IN_MAX - HTTP_HEAD_MAX, "a chunk-size line fits there");
_Static_assert(HTTP_CHUNK_LINE_MAX > HTTP_CHUNK_DIGITS_MAX + 2, "a size without extension fits");
_Static_assert(HTTP_CHUNK_RATIO > 5, "chunks of one byte cost 5 bytes each and are legal");
_Static_assert(HTTP_BLOCK_MAX % 4096 == 0, "blocks are whole pages: one touched costs no other");
_Static_assert(HTTP_FIELDS_OUT + 512 < HTTP_OUT_HEAD, "fields of a handler fit beside our own");
_Static_assert(HTTP_DRAIN_MS < HTTP_HEAD_MS, "the end of a connection is shorter than its life");
_Static_assert(HTTP_CONNS_DEFAULT <= HTTP_CONNS_MAX, "the default is legal");
_Static_assert(HTTP_REQUEST_HEAD_MAX <= HTTP_HEAD_MAX, "we send no head that we would refuse");

#endif
