/* SPDX-License-Identifier: MIT */
/* What conn.c needs of server.c and client.c: their callbacks for nghttp2. */
#ifndef GRPC_CALLBACKS_PRIV_H
#define GRPC_CALLBACKS_PRIV_H

#include <nghttp2/nghttp2.h>

#include "grpc/conn.h"

/* user_data of all of them is the struct grpc_conn. */
void grpc_server_callbacks(nghttp2_session_callbacks *cb);
void grpc_client_callbacks(nghttp2_session_callbacks *cb);

/* A header field for nghttp2, which copies it. */
nghttp2_nv grpc_nv(struct str name, struct str value);

/* Whether a Content-Type is application/grpc, alone or followed by '+' or ';'. */
bool grpc_is_content_type(struct str value);

#endif
