/* SPDX-License-Identifier: MIT */
/* See watch_priv.h. */
#include "watch_priv.h"

#include <sys/mman.h>

#include "base/clock.h"

struct watch *the_watch;

uint32_t link_index(const struct link *k)
{
	return (uint32_t)(k - the_watch->link);
}

/* --- Memory of answers */

#define PAGE 4096u /* the least that a byte costs */

static uint32_t *first_or_next(struct watch *w, uint32_t prev)
{
	return prev == 0 ? &w->received : &w->link[prev - 1].reply_next;
}

char *link_reply_mem(void *arg, size_t *cap)
{
	struct link *k = arg;
	struct watch *w = the_watch;
	void *p;

	if (w->keep_n > 0) {
		k->reply = w->keep[--w->keep_n];
	} else {
		p = mmap(NULL, WATCH_REPLY_MAX, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		k->reply = p == MAP_FAILED ? NULL : p;
	}
	*cap = k->reply == NULL ? 0 : WATCH_REPLY_MAX;
	if (k->reply != NULL) {
		k->reply_n = 0;
		k->cut = false;
		k->reply_prev = 0;
		k->reply_next = w->received;
		if (w->received != 0) {
			w->link[w->received - 1].reply_prev = link_index(k) + 1;
		}
		w->received = link_index(k) + 1;
	}
	/* An answer that has begun does not take the time of a long poll. */
	http_client_hurry(&k->client, clock_ms() + w->timeout_ms);
	return k->reply;
}

static void drop_pages(struct link *k)
{
	the_watch->held -= k->reply_n;
	k->reply_n = 0;
	k->cut = true;
	/* Fails only for what is no mapping of ours. */
	(void)madvise(k->reply, WATCH_REPLY_MAX, MADV_DONTNEED);
}

bool link_reply_grow(void *arg, size_t n)
{
	struct link *k = arg, *largest = k;
	struct watch *w = the_watch;

	n = (n + PAGE - 1) / PAGE * PAGE;
	if (k->cut || n <= k->reply_n) {
		return !k->cut;
	}
	if (w->held + (n - k->reply_n) > WATCH_HELD_MAX) {
		for (uint32_t i = w->received; i != 0; i = w->link[i - 1].reply_next) {
			if (w->link[i - 1].reply_n > (largest == k ? n : largest->reply_n)) {
				largest = &w->link[i - 1];
			}
		}
		drop_pages(largest);
		if (largest == k) {
			return false;
		}
	}
	w->held += n - k->reply_n;
	k->reply_n = n;
	return true;
}

/* Much memory goes back to the kernel. */
void link_reply_give(struct link *k)
{
	struct watch *w = the_watch;

	if (k->reply == NULL) {
		return;
	}
	*first_or_next(w, k->reply_prev) = k->reply_next;
	if (k->reply_next != 0) {
		w->link[k->reply_next - 1].reply_prev = k->reply_prev;
	}
	w->held -= k->reply_n;
	if (w->keep_n < WATCH_KEEP && k->reply_n <= WATCH_KEEP_BYTES && !k->cut) {
		w->keep[w->keep_n++] = k->reply;
	} else {
		(void)munmap(k->reply, WATCH_REPLY_MAX); /* a mapping of our own */
	}
	k->reply = NULL;
	k->reply_n = 0;
	k->cut = false;
}

/* --- Links that wait */

static struct link_list *list_of(struct link *k)
{
	return k->state == LINK_NAME ? &the_watch->for_name : &the_watch->for_slot;
}

void link_wait_arm(struct link_list *list)
{
	if (list->first == 0) {
		loop_timer_del(the_watch->loop, &list->timer);
	} else {
		loop_timer_set(the_watch->loop, &list->timer,
			the_watch->link[list->first - 1].deadline_ms);
	}
}

#define ORDER_STEPS 64 /* so far a link is put before those whose deadlines are later */

void link_wait(struct link *k, enum link_state state)
{
	struct link *link = the_watch->link;
	struct link_list *list;
	uint32_t i = link_index(k) + 1, after;

	k->state = (uint8_t)state;
	list = list_of(k);
	after = list->last;
	for (int n = 0; after != 0 && state == LINK_SLOT && n < ORDER_STEPS &&
			link[after - 1].deadline_ms > k->deadline_ms;
		n++) {
		after = link[after - 1].prev;
	}
	k->prev = after;
	k->next = after == 0 ? list->first : link[after - 1].next;
	*(k->prev == 0 ? &list->first : &link[k->prev - 1].next) = i;
	*(k->next == 0 ? &list->last : &link[k->next - 1].prev) = i;
	if (state == LINK_NAME && the_watch->unasked == 0) {
		the_watch->unasked = i;
	}
	if (list->first == i) {
		link_wait_arm(list);
	}
}

void link_wait_end(struct link *k)
{
	struct link *link = the_watch->link;
	struct link_list *list = list_of(k);
	uint32_t i = link_index(k) + 1;

	if (k->state != LINK_NAME && k->state != LINK_SLOT) {
		return;
	}
	if (the_watch->unasked == i) {
		the_watch->unasked = k->next;
	}
	*(k->prev == 0 ? &list->first : &link[k->prev - 1].next) = k->next;
	*(k->next == 0 ? &list->last : &link[k->next - 1].prev) = k->prev;
	k->prev = k->next = 0;
	k->state = LINK_IDLE;
	link_wait_arm(list);
}

/* --- Descriptors */

bool link_slot_take(struct link *k)
{
	struct watch *w = the_watch;

	if (!k->open && w->open < w->open_max) {
		k->open = true;
		w->open++;
	}
	return k->open;
}

/* Close the connection; whoever waits for its descriptor gets it from the loop. */
void link_slot_give(struct link *k)
{
	struct watch *w = the_watch;

	if (k->ready) {
		loop_timer_del(w->loop, &k->pause);
		http_client_close(&k->client);
	}
	w->open -= k->open ? 1 : 0;
	w->kept -= k->kept ? 1 : 0;
	if (k->open && w->for_slot.first != 0) {
		loop_timer_set(w->loop, &w->for_slot.timer, w->loop->now_ms);
	}
	k->open = k->kept = false;
}

/* Whether the connection stays open now that its question was answered. */
bool link_slot_keep(struct link *k)
{
	struct watch *w = the_watch;

	if (!k->kept && w->kept < w->kept_max) {
		k->kept = true;
		w->kept++;
	}
	return k->kept;
}
