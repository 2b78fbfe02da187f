/* SPDX-License-Identifier: MIT */
/* Connections to nodes: asking those whose state is not known, following those that can be. */
#ifndef EXTENDER_WATCH_H
#define EXTENDER_WATCH_H

#include "http/client.h"
#include "names.h"
#include "sched/sched.h"

#define WATCH_REPLY_MAX (8u << 20) /* of one node; 4096 VFs in full take 3 MB */
/*
 * Answers that are arriving, all together: room for 5,000 nodes of 240 VFs that say all they have
 * (50 KB) at the same moment.
 */
#define WATCH_HELD_MAX    (256u << 20)
#define WATCH_POLL_S      10           /* how long a node may have nothing new */
#define WATCH_HEAD_MAX    384          /* of a request */
#define WATCH_BACKOFF_MS  1000         /* after a failure; doubles each time ... */
#define WATCH_BACKOFF_MAX 16000        /* ... up to this */
#define WATCH_KEEP        64           /* reply buffers kept for the next ones ... */
#define WATCH_KEEP_BYTES  (128u << 10) /* ... that are no larger than this */

#define WATCH_POLL_MS     10000 /* how often nodes are asked that cannot all be followed ... */
#define WATCH_VALID_MS    20000 /* ... how long their answer counts ... */
#define WATCH_ASKED_MS    60000 /* ... and how long after a scheduler asked about them */
#define WATCH_LOGGED      20    /* lines a second about nodes that do not answer ... */
#define WATCH_QUIET_MS    60000 /* ... and between two failures of one node that are told */

#define WATCH_PLAIN_MS    60000 /* a node that knows only /getpfs is asked for more so often */
#define WATCH_REFUSED_MS  5000  /* a node that does not let itself be followed is asked instead */
#define WATCH_PAUSE_MS    50    /* between two answers of a node that is followed ... */
#define WATCH_PAUSE_BYTES 20000 /* ... and a millisecond for so many bytes ... */
#define WATCH_PAUSE_STEPS 3200  /* ... or steps of placing claims, ten times what they take */

_Static_assert(WATCH_HELD_MAX >= 5000u * 52u * 1024u, "nodes of the documented scale at once");
_Static_assert(WATCH_HELD_MAX >= 2 * WATCH_REPLY_MAX, "the largest answer has room");

#define WATCH_BUCKETS (2u * SCHED_NODES_MAX) /* a power of two */
/* A name without claims that is not asked about for so much longer gives up its address. */
#define WATCH_TWIN_MS 15000

enum link_state { LINK_IDLE, LINK_NAME, LINK_SLOT, LINK_FETCH, LINK_FOLLOW, LINK_PAUSE };
enum link_kind { LINK_NEW, LINK_FULL, LINK_PLAIN }; /* what the node speaks */

/* One node's connection; its index is the node's. */
struct link {
	struct http_client client;
	struct http_call call;
	uint8_t state, kind;
	bool ready;          /* has an address, client is initialised */
	bool named;          /* the address is what watch.name stands for */
	bool open;           /* counted in watch.open */
	bool kept;           /* and in watch.kept: the connection stays open between questions */
	bool owner;          /* its address is asked for it, not for another name */
	bool cut;            /* the answer being received has lost its memory */
	bool again;          /* it was asked again since it broke the question it was followed by */
	bool told;           /* the log knows that it does not answer */
	uint8_t fails;       /* in a row */
	uint32_t serial;     /* of the last question for an address */
	uint32_t prev, next; /* in one of the lists of watch: index + 1, or 0 */
	uint32_t same;       /* the next link of the same bucket of addresses: index + 1 */
	uint64_t waiters;    /* requests that wait for it, one bit each */
	int64_t retry_ms, deadline_ms, quiet_ms; /* the last: its failures are not told until */
	int64_t sent_ms, plain_ms,
		unfollowed_ms; /* last question; found plain; not followed until */
	struct loop_timer pause;
	char *reply;                     /* memory of the answer being received ... */
	size_t reply_n;                  /* ... and how much of it is written, in whole pages */
	uint32_t reply_prev, reply_next; /* among those being received: index + 1, or 0 */
	char path[80], host[64];
	char head[WATCH_HEAD_MAX];
	char why[128]; /* the last failure, empty when there was none since the last success */
};

/* Links that wait for the same thing, by their deadlines, which come in the order of arrival. */
struct link_list {
	uint32_t first, last; /* index + 1, or 0 */
	struct loop_timer timer;
};

struct watch {
	struct loop *loop;
	struct sched *sched;
	struct link *link;                /* SCHED_NODES_MAX, touched as used */
	char (*name)[SCHED_NAME_MAX + 1]; /* of nodes whose address is looked up; so are these */
	uint32_t *by_addr;                /* WATCH_BUCKETS: links by address, index + 1 */
	uint32_t timeout_ms, forget_ms;
	uint16_t port;
	/* A fetch has ended, well or not. waiters are those of the link, which has none any more.
	 */
	void (*done)(void *arg, uint32_t node, uint64_t waiters);
	void *arg;
	struct names names;
	struct link_list for_name, for_slot;
	uint32_t unasked;        /* of for_name, from here on: no helper has them yet */
	uint32_t open, open_max; /* connections, and how many there may be */
	uint32_t kept, kept_max; /* of which stay open; the rest is for questions that are short */
	struct loop_timer tick, poll;
	uint32_t poll_at;          /* the node to look at next */
	struct sched_state *state; /* scratch for what a node says */
	char *keep[WATCH_KEEP];
	size_t keep_n;
	size_t held;       /* bytes of all answers being received, WATCH_HELD_MAX at most */
	uint32_t received; /* the first of them: index + 1, or 0 */
	uint32_t logged;   /* lines this second */
	/* Numbers for /metrics */
	uint64_t fetches, failures, changes;
};

/* Timers that may be set at one time. */
#define WATCH_TIMERS (2 * SCHED_NODES_MAX + 4)

/* watch_init: files is how many descriptors may be open for connections to nodes. */
int watch_init(struct watch *w, struct loop *loop, struct sched *s, uint32_t files,
	struct err *e) MUST_CHECK;
void watch_free(struct watch *w);

/*
 * watch_address: where node i is. Nothing happens when that is known; another address means another
 * machine, of which nothing is known yet. false: text is no IP address.
 */
bool watch_address(struct watch *w, uint32_t i, struct str ip);

/*
 * watch_name: the same by a host name, which is looked up before the node is asked for the first
 * time and after each failure. Nothing happens where watch_address has said where the node is.
 */
void watch_name(struct watch *w, uint32_t i, struct str name);

/*
 * watch_ask: make the state of node i current. true: it is being asked for, and done will say so;
 * bit is among the waiters then. false: it is current, or it cannot be had for the time being (then
 * the node is not known to the scheduler's model).
 */
bool watch_ask(struct watch *w, uint32_t i, unsigned bit);

/* watch_word: how node i is watched, in a word; why: what is wrong with it, or NULL. */
const char *watch_word(const struct watch *w, uint32_t i, const char **why);
#define WATCH_WORDS                                                                                \
	{                                                                                          \
		"followed", "polled", "asking", "asked-each-time", "failed"                        \
	}

#endif
