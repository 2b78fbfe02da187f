/* SPDX-License-Identifier: MIT */
/* What the parts of watch.h share. */
#ifndef EXTENDER_WATCH_PRIV_H
#define EXTENDER_WATCH_PRIV_H

#include "watch.h"

extern struct watch *the_watch; /* callbacks of clients know their link alone */

uint32_t link_index(const struct link *k);

/* --- link.c: what a link holds */

/*
 * Memory of the answer that is arriving: http_call.answer_mem and answer_grow; and back. When all
 * answers together are over WATCH_HELD_MAX the largest one gives way: its link is cut, its pages go
 * at once, and its exchange ends with the next byte or at its deadline.
 */
char *link_reply_mem(void *arg, size_t *cap);
bool link_reply_grow(void *arg, size_t n);
void link_reply_give(struct link *k);

/* Wait for an address (LINK_NAME) or a descriptor (LINK_SLOT) until deadline_ms; wait no more. */
void link_wait(struct link *k, enum link_state state);
void link_wait_end(struct link *k);
void link_wait_arm(struct link_list *list); /* set its timer to the first deadline */

bool link_slot_take(struct link *k);
void link_slot_give(struct link *k); /* closes the connection; others get it from the loop */
bool link_slot_keep(struct link *k); /* the connection may stay open now that it has its answer */

/* --- where.c: addresses */

void where_ask(void); /* questions for addresses, as many as the helpers take */
void where_late(struct loop *l, struct loop_timer *t); /* timer of for_name */
void where_found(
	void *arg, uint32_t node, uint32_t serial, const struct sock_addr *addr, const char *why);

/* Whether the node may be asked: no other has its address. Else why has the reason. */
bool where_owns(struct link *k, char *why, size_t why_n);

void link_close(struct link *k); /* as if nothing had ever been known of it */

/* --- watch.c: questions */

/* Ask the node, for its address first where that must be looked up. false: it failed at once. */
bool link_start(struct link *k, int64_t deadline_ms);
bool link_ask(struct link *k); /* the same, once the address is there */
void link_failed(struct link *k, const char *why);

#endif
