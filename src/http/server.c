/* SPDX-License-Identifier: MIT */
/* The pool of connections, listening sockets, start and stop. See server.h, conn.c. */
#include "http/server.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "http/conn_priv.h"

/* --- Pool: slots and blocks that were never used have never been touched either. */

static size_t slots_bytes(uint32_t conns)
{
	size_t n = conns * sizeof(struct http_conn);

	return (n + 4095) / 4096 * 4096; /* blocks begin on a page */
}

static struct http_conn *slot_take(struct http_server *s)
{
	struct http_conn *c = s->free_slot;

	if (c != NULL) {
		s->free_slot = c->next_free;
	} else if (s->slots_used < s->conf.conns) {
		c = &s->slots[s->slots_used++];
	} else {
		return NULL;
	}
	memset(c, 0, sizeof(*c));
	c->s = s;
	return c;
}

/* A free block holds the address of the next one. */
bool http_block_take(struct http_conn *c)
{
	struct http_server *s = c->s;

	if (s->free_block != NULL) {
		c->block = s->free_block;
		memcpy(&s->free_block, c->block, sizeof(s->free_block));
	} else if (s->blocks_used < s->conf.conns) {
		c->block = s->blocks + (size_t)s->blocks_used++ * HTTP_BLOCK_MAX;
	} else {
		return false;
	}
	c->in_n = 0;
	return true;
}

void http_block_give(struct http_conn *c)
{
	if (c->block != NULL) {
		memcpy(c->block, &c->s->free_block, sizeof(c->s->free_block));
		c->s->free_block = c->block;
		c->block = NULL;
		c->in_n = 0;
	}
}

/* --- Accepting */

/* Watch the listening sockets exactly while a connection could be taken. */
static void update_listeners(struct http_server *s)
{
	bool want = !s->paused && s->conns_now < s->conf.conns;

	for (size_t i = 0; i < s->listener_n; i++) {
		loop_mod(s->loop, &s->listener[i].w, want ? EPOLLIN : 0);
	}
}

static void on_timer(struct loop *l, struct loop_timer *t)
{
	struct http_server *s = CONTAINER_OF(t, struct http_server, timer);

	(void)l;
	if (s->stopping) {
		s->stopped(s->stopped_arg);
		return;
	}
	s->paused = false;
	update_listeners(s);
}

/* The report that all is over comes from the loop, never from inside http_server_stop. */
static void report_end(struct http_server *s)
{
	if (s->stopping && s->conns_now == 0) {
		loop_timer_set(s->loop, &s->timer, s->loop->now_ms);
	}
}

void http_conn_release(struct http_conn *c)
{
	struct http_server *s = c->s;

	c->next_free = s->free_slot;
	s->free_slot = c;
	s->conns_now--;
	update_listeners(s);
	report_end(s);
}

/* Takes fd over. */
static int open_conn(struct http_server *s, int fd, const struct sock_addr *peer, struct err *e)
{
	struct http_conn *c = slot_take(s);
	const int one = 1;

	if (c == NULL) {
		(void)close(fd); /* nothing was written yet */
		return err_set(e, EBUSY, "all %u connections are in use", s->conf.conns);
	}
	/* Fails on sockets that are not TCP, which do not delay either. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	stream_socket(&c->stream, fd);
	c->w.fd = fd;
	c->peer = *peer;
	if (loop_add(s->loop, &c->w, EPOLLIN, e) < 0) {
		c->stream.ops->close(&c->stream);
		c->next_free = s->free_slot;
		s->free_slot = c;
		return -e->code;
	}
	s->accepted++;
	s->conns_now++;
	s->conns_max = s->conns_now > s->conns_max ? s->conns_now : s->conns_max;
	http_conn_open(c);
	return 0;
}

static void pause_accept(struct http_server *s)
{
	s->accept_errors++;
	s->paused = true;
	loop_timer_set(s->loop, &s->timer, s->loop->now_ms + HTTP_ACCEPT_PAUSE_MS);
	update_listeners(s);
}

/* One connection; false: no more for now. */
static bool accept_one(struct http_server *s, int fd)
{
	struct sock_addr peer = {.len = sizeof(peer.u)};
	struct err e;
	int conn = accept4(fd, &peer.u.sa, &peer.len, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (conn >= 0) {
		/* Out of memory for another watched descriptor (ENOSPC, ENOMEM). */
		if (open_conn(s, conn, &peer, &e) < 0) {
			pause_accept(s);
			return false;
		}
		return true;
	}
	if (errno == EAGAIN) {
		return false;
	}
	/* Errors of the connection that was to be accepted (accept(2), "Error handling"). */
	if (errno == ECONNABORTED || errno == EPROTO || errno == ENETDOWN || errno == ENETUNREACH ||
		errno == EHOSTUNREACH || errno == EHOSTDOWN) {
		return true;
	}
	pause_accept(s); /* EMFILE, ENFILE, ENOBUFS, ENOMEM: asking again at once would spin */
	return false;
}

static void on_accept(struct loop *l, struct loop_fd *w, uint32_t events)
{
	struct http_server *s = CONTAINER_OF(w, struct http_listener, w)->server;

	(void)l;
	(void)events;
	for (int i = 0; i < HTTP_ACCEPT_BURST; i++) {
		if (s->conns_now == s->conf.conns) {
			s->table_full++;
			update_listeners(s);
			return;
		}
		if (!accept_one(s, w->fd)) {
			return;
		}
	}
}

int http_server_listen_fd(struct http_server *s, int fd, struct err *e)
{
	struct http_listener *li = &s->listener[s->listener_n];

	if (s->listener_n == HTTP_LISTEN_MAX) {
		(void)close(fd); /* nothing was written */
		return err_set(e, EINVAL, "more than %d listening sockets", HTTP_LISTEN_MAX);
	}
	li->server = s;
	li->w = (struct loop_fd){.fd = fd, .fn = on_accept};
	if (loop_add(s->loop, &li->w, EPOLLIN, e) < 0) {
		(void)close(fd); /* nothing was written */
		return -e->code;
	}
	s->listener_n++;
	update_listeners(s);
	return fd;
}

static int listen_on(const struct sock_addr *addr, struct err *e)
{
	cleanup_fd int fd = -1;
	const int one = 1, zero = 0;
	char text[64];
	struct buf b;

	buf_init(&b, text, sizeof(text));
	buf_add_sock_addr(&b, addr);
	fd = socket(addr->u.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		return err_sys(e, errno, "socket for %.*s", STR_ARG(buf_str(&b)));
	}
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0) {
		return err_sys(e, errno, "SO_REUSEADDR");
	}
	if (addr->u.sa.sa_family == AF_INET6 &&
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero)) < 0) {
		return err_sys(e, errno, "IPV6_V6ONLY");
	}
	if (bind(fd, &addr->u.sa, addr->len) < 0 || listen(fd, SOMAXCONN) < 0) {
		return err_sys(e, errno, "listen on %.*s", STR_ARG(buf_str(&b)));
	}
	return steal_fd(&fd);
}

int http_server_listen(struct http_server *s, const struct sock_addr *addr, struct err *e)
{
	struct sock_addr v4 = {.len = sizeof(v4.u.in)};
	int fd = listen_on(addr, e);

	if (fd < 0 && (e->code == EAFNOSUPPORT || e->code == EADDRNOTAVAIL) &&
		addr->u.sa.sa_family == AF_INET6 &&
		IN6_IS_ADDR_UNSPECIFIED(&addr->u.in6.sin6_addr)) {
		v4.u.in.sin_family = AF_INET;
		v4.u.in.sin_port = addr->u.in6.sin6_port;
		fd = listen_on(&v4, e);
	}
	return fd < 0 ? fd : http_server_listen_fd(s, fd, e);
}

int http_server_adopt(struct http_server *s, int fd, struct err *e)
{
	struct sock_addr peer = {.len = sizeof(peer.u)};
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) {
		err_sys(e, errno, "descriptor %d", fd);
		(void)close(fd); /* nothing was written */
		return -e->code;
	}
	if (getpeername(fd, &peer.u.sa, &peer.len) < 0) {
		memset(&peer, 0, sizeof(peer));
	}
	return open_conn(s, fd, &peer, e);
}

/* --- Date (RFC 9110 5.6.7), made once a second */

const char *http_server_date(struct http_server *s)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t now = time(NULL);
	struct tm tm;
	struct buf b;

	if (now != s->date_s && gmtime_r(&now, &tm) != NULL) {
		s->date_s = now;
		buf_init(&b, s->date, sizeof(s->date));
		buf_printf(&b, "%.3s, %02d %.3s %d %02d:%02d:%02d GMT", days + 3 * tm.tm_wday,
			tm.tm_mday, months + 3 * tm.tm_mon, tm.tm_year + 1900, tm.tm_hour,
			tm.tm_min, tm.tm_sec);
	}
	return s->date;
}

/* --- Life of a server */

static int check_routes(const struct http_route *r, size_t n, struct err *e)
{
	const unsigned known = HTTP_BIT(HTTP_METHODS) - HTTP_BIT(HTTP_GET);

	if (n > HTTP_ROUTES_MAX) {
		return err_set(e, EINVAL, "more than %d HTTP routes", HTTP_ROUTES_MAX);
	}
	for (size_t i = 0; i < n; i++) {
		if (!http_is_path(str_from(r[i].path)) || r[i].fn == NULL || r[i].methods == 0 ||
			(r[i].methods & ~known) != 0 || r[i].max_body > SIZE_MAX ||
			(r[i].max_body > 0 && (!r[i].body_get || !r[i].body_put))) {
			return err_set(e, EINVAL, "HTTP route %zu is incomplete", i);
		}
	}
	return 0;
}

static void set_default(uint32_t *v, uint32_t otherwise)
{
	if (*v == 0) {
		*v = otherwise;
	}
}

int http_server_init(struct http_server *s, struct loop *loop, const struct http_route *routes,
	size_t route_n, const struct http_server_conf *conf, struct err *e)
{
	size_t slots;

	memset(s, 0, sizeof(*s));
	if (check_routes(routes, route_n, e) < 0) {
		return -e->code;
	}
	s->conf = *conf;
	set_default(&s->conf.conns, HTTP_CONNS_DEFAULT);
	set_default(&s->conf.head_ms, HTTP_HEAD_MS);
	set_default(&s->conf.body_ms, HTTP_BODY_MS);
	set_default(&s->conf.idle_ms, HTTP_IDLE_MS);
	set_default(&s->conf.write_ms, HTTP_WRITE_MS);
	set_default(&s->conf.drain_ms, HTTP_DRAIN_MS);
	if (s->conf.conns > HTTP_CONNS_MAX) {
		return err_set(e, EINVAL, "more than %d HTTP connections", HTTP_CONNS_MAX);
	}
	slots = slots_bytes(s->conf.conns);
	s->mem_size = slots + (size_t)s->conf.conns * HTTP_BLOCK_MAX;
	s->mem =
		mmap(NULL, s->mem_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (s->mem == MAP_FAILED) {
		s->mem = NULL;
		return err_sys(e, errno, "memory of %u HTTP connections", s->conf.conns);
	}
	s->slots = s->mem;
	s->blocks = (char *)s->mem + slots;
	s->loop = loop;
	s->route = routes;
	s->route_n = route_n;
	s->timer.fn = on_timer;
	return 0;
}

static void close_listeners(struct http_server *s)
{
	while (s->listener_n > 0) {
		struct loop_fd *w = &s->listener[--s->listener_n].w;

		loop_del(s->loop, w);
		(void)close(w->fd); /* nothing was written */
	}
}

void http_server_drop_body(struct http_server *s, const void *arg)
{
	for (uint32_t i = 0; i < s->slots_used; i++) {
		http_conn_drop_body(&s->slots[i], arg);
	}
}

uint64_t http_server_sent(const struct http_server *s, const void *mem)
{
	for (uint32_t i = 0; i < s->slots_used; i++) {
		if (s->slots[i].state == CONN_WRITE && s->slots[i].body == mem) {
			return s->slots[i].out_at;
		}
	}
	return 0;
}

void http_server_stop(struct http_server *s, void (*done)(void *arg), void *arg)
{
	close_listeners(s);
	s->stopping = true;
	s->stopped = done;
	s->stopped_arg = arg;
	loop_timer_del(s->loop, &s->timer);
	for (uint32_t i = 0; i < s->slots_used; i++) {
		http_conn_stop(&s->slots[i]);
	}
	report_end(s);
}

void http_server_free(struct http_server *s)
{
	if (s->mem == NULL) {
		return;
	}
	close_listeners(s);
	for (uint32_t i = 0; i < s->slots_used; i++) {
		if (s->slots[i].state != CONN_FREE) {
			http_conn_close(&s->slots[i]);
		}
	}
	loop_timer_del(s->loop, &s->timer);
	(void)munmap(s->mem, s->mem_size); /* cannot fail for a mapping of our own */
	s->mem = NULL;
}
