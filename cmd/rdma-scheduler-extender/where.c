/* SPDX-License-Identifier: MIT */
/* See watch.h and names.h: where nodes are. */
#include "watch_priv.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

/* Questions for addresses, as many as the helpers take. */
void where_ask(void)
{
	struct watch *w = the_watch;
	struct err e;

	while (w->unasked != 0) {
		uint32_t i = w->unasked - 1;
		struct link *k = &w->link[i];
		int r = names_ask(
			&w->names, i, ++k->serial, str_from(w->name[i]), k->deadline_ms, &e);

		if (r == -EAGAIN) {
			return;
		}
		w->unasked = k->next;
		if (r < 0) {
			link_failed(k, e.msg);
		}
	}
}

/* --- Addresses */

/* --- Which link has which address: two names for one machine would be promised twice */

static uint32_t *bucket_of(const struct link *k)
{
	const struct sock_addr *a = &k->client.addr;
	uint64_t h =
		hash_str(&the_watch->sched->key, (struct str){(const char *)&a->u, (size_t)a->len});

	return &the_watch->by_addr[h & (WATCH_BUCKETS - 1)];
}

static void list(struct link *k)
{
	uint32_t *bucket = bucket_of(k);

	k->same = *bucket;
	*bucket = link_index(k) + 1;
}

static void unlist(struct link *k)
{
	uint32_t *at = bucket_of(k);

	while (*at != link_index(k) + 1) {
		at = &the_watch->link[*at - 1].same;
	}
	*at = k->same;
	k->owner = false;
}

static bool is_at(const struct link *k, const struct sock_addr *addr);

bool where_owns(struct link *k, char *why, size_t why_n)
{
	struct watch *w = the_watch;
	const struct sched_node *node = w->sched->node;
	uint32_t i = k->owner ? 0 : *bucket_of(k);
	struct link *other;
	bool idle;

	while (i != 0 && (!w->link[i - 1].owner || !is_at(&w->link[i - 1], &k->client.addr))) {
		i = w->link[i - 1].same;
	}
	if (i == 0) {
		k->owner = true;
		return true;
	}
	other = &w->link[i - 1];
	idle = node[link_index(k)].asked_ms - node[i - 1].asked_ms >= WATCH_TWIN_MS;
	if (!idle || node[i - 1].claims > 0) {
		(void)snprintf(why, why_n, "it has the address of node %.64s%s", node[i - 1].name,
			node[i - 1].claims > 0 ? ", where pods are on their way" : "");
		if (idle && other->state == LINK_IDLE && other->fails == 0) {
			/* Claims whose time is up end with its next word, for which nobody else
			 * asks. */
			(void)link_start(other, clock_ms() + w->timeout_ms);
		}
		return false;
	}
	/* A machine that was registered anew: nobody asks about its old name any more. */
	other->owner = false;
	k->owner = true;
	(void)snprintf(why, why_n, "node %.64s has its address now", node[link_index(k)].name);
	link_failed(other, why);
	return true;
}

void link_close(struct link *k)
{
	uint32_t serial = k->serial;

	/* A place that was never used is not written to: it would cost a page. */
	if (!k->ready && !k->named) {
		return;
	}
	link_wait_end(k);
	if (k->ready) {
		unlist(k);
		link_slot_give(k);
		link_reply_give(k);
	}
	*k = (struct link){.state = LINK_IDLE, .serial = serial + 1};
}

/* An IPv4 address in the clothes of IPv6 is the IPv4 address. */
static void normalise(struct sock_addr *a)
{
	struct sockaddr_in in = {.sin_family = AF_INET};

	if (a->u.sa.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&a->u.in6.sin6_addr)) {
		memcpy(&in.sin_addr, &a->u.in6.sin6_addr.s6_addr[12], sizeof(in.sin_addr));
		memset(a, 0, sizeof(*a));
		a->u.in = in;
		a->len = sizeof(in);
	}
}

static bool parse_ip(struct str ip, struct sock_addr *a)
{
	char text[INET6_ADDRSTRLEN];

	memset(a, 0, sizeof(*a));
	if (!str_copy(ip, text, sizeof(text))) {
		return false;
	}
	if (inet_pton(AF_INET, text, &a->u.in.sin_addr) == 1) {
		a->u.in.sin_family = AF_INET;
		a->len = sizeof(a->u.in);
		return true;
	}
	if (inet_pton(AF_INET6, text, &a->u.in6.sin6_addr) == 1) {
		a->u.in6.sin6_family = AF_INET6;
		a->len = sizeof(a->u.in6);
		return true;
	}
	return false;
}

static void set_port(struct sock_addr *a, uint16_t port)
{
	normalise(a);
	*(a->u.sa.sa_family == AF_INET6 ? &a->u.in6.sin6_port : &a->u.in.sin_port) = htons(port);
}

static bool is_at(const struct link *k, const struct sock_addr *addr)
{
	return k->ready && k->client.addr.len == addr->len &&
	       memcmp(&k->client.addr.u, &addr->u, addr->len) == 0;
}

static void set_address(struct link *k, const struct sock_addr *addr)
{
	struct buf b;

	if (k->ready) {
		unlist(k);
	}
	http_client_init(&k->client, the_watch->loop, addr);
	k->ready = true;
	list(k);
	buf_init(&b, k->host, sizeof(k->host));
	buf_add_sock_addr(&b, addr);
	buf_add_chr(&b, '\0');
}

bool watch_address(struct watch *w, uint32_t i, struct str ip)
{
	struct link *k = &w->link[i];
	struct sock_addr addr;
	uint64_t waiters;

	if (!parse_ip(ip, &addr)) {
		return false;
	}
	set_port(&addr, w->port);
	if (is_at(k, &addr)) {
		k->named = false;
		return true;
	}
	waiters = k->waiters;
	link_close(k);
	k->waiters = waiters;
	sched_node_lost(w->sched, i);
	set_address(k, &addr);
	if (waiters != 0) {
		/* failures are told to those who wait */
		(void)link_start(k, clock_ms() + w->timeout_ms);
	}
	return true;
}

void watch_name(struct watch *w, uint32_t i, struct str name)
{
	struct link *k = &w->link[i];
	uint64_t waiters;

	if ((k->ready && !k->named) || (k->named && str_eq_c(name, w->name[i])) ||
		watch_address(w, i, name)) {
		return;
	}
	waiters = k->waiters;
	link_close(k);
	k->waiters = waiters;
	sched_node_lost(w->sched, i);
	k->named = str_copy(name, w->name[i], sizeof(w->name[i]));
	if (waiters != 0) {
		/* failures are told to those who wait */
		(void)link_start(k, clock_ms() + w->timeout_ms);
	}
}

void where_found(
	void *arg, uint32_t node, uint32_t serial, const struct sock_addr *addr, const char *why)
{
	struct watch *w = arg;
	struct link *k = &w->link[node];
	struct sock_addr at;
	char text[112];
	struct buf b;

	if (k->state == LINK_NAME && k->serial == serial && addr != NULL) {
		at = *addr;
		set_port(&at, w->port);
		link_wait_end(k);
		if (!is_at(k, &at)) {
			set_address(k, &at);
		}
		(void)link_ask(k); /* failures are told to those who wait */
	} else if (k->state == LINK_NAME && k->serial == serial) {
		buf_init(&b, text, sizeof(text));
		buf_printf(&b, "no address for the node's name: %.64s", why);
		buf_add_chr(&b, '\0');
		link_failed(k, text);
	}
	where_ask();
}

void where_late(struct loop *l, struct loop_timer *t)
{
	struct watch *w = the_watch;

	(void)t;
	while (w->for_name.first != 0) {
		struct link *k = &w->link[w->for_name.first - 1];

		if (l->now_ms < k->deadline_ms) {
			break;
		}
		link_failed(k, "no address for the node's name in time");
	}
	link_wait_arm(&w->for_name);
}
