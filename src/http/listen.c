/* SPDX-License-Identifier: MIT */
/* See listen.h. */
#include "http/listen.h"

#include <errno.h>

#include "http/server.h"

int http_listen_parse(
	struct http_listen *l, const char *otherwise, const char *source, struct err *e)
{
	if (l->opt.n > 0) {
		source = "--listen";
	} else if (otherwise != NULL) {
		l->opt.v[l->opt.n++] = otherwise;
	}
	for (size_t i = 0; i < l->opt.n; i++) {
		if (parse_listen(str_from(l->opt.v[i]), &l->addr[i], e) < 0) {
			return err_wrap(e, "%s", source);
		}
	}
	return 0;
}

int http_listen_all(const struct http_listen *l, struct http_server *s, http_listen_opened *opened,
	struct err *e)
{
	char text[64];
	struct buf b;

	for (size_t i = 0; i < l->opt.n; i++) {
		struct sock_addr addr = {.len = sizeof(addr.u)};
		int fd = http_server_listen(s, &l->addr[i], e);

		if (fd < 0) {
			return fd;
		}
		if (getsockname(fd, &addr.u.sa, &addr.len) < 0) {
			return err_sys(e, errno, "getsockname");
		}
		buf_init(&b, text, sizeof(text));
		buf_add_sock_addr(&b, &addr);
		opened(&addr, buf_str(&b));
	}
	return 0;
}
