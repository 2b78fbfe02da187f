/* SPDX-License-Identifier: MIT */
/* What the extender knows of all nodes, what it has promised, and its decisions. No I/O. */
#ifndef SCHED_SCHED_H
#define SCHED_SCHED_H

#include "base/hash.h"
#include "place/place.h"
#include "sched/state.h"

/*
 * Theory of operation. A node has what it said last (sched_node_update) and, beside it, what is
 * free once all claims on it have been taken off. A claim is a promise to a pod, on each of the
 * nodes that the pod's last filter answer let pass, with the PF that carries each interface there.
 * PFs are chosen by place_assign, the code that attaches pods, so that a claim takes what the pod
 * will take. When a node says something new, its claims are placed anew, oldest first. If one of
 * them does not fit any more, the node takes nobody (broken) until it does.
 *
 * A node that has a claim and shows an attachment of the pod ends the claim on all other nodes.
 * There it stays, and counts the interfaces that the node does not show (yet, or any more: an
 * attachment that fails is tried again). An attachment is an interface of the pod with exactly the
 * bandwidth it asked for; what nodes without a claim say about the pod counts nothing. Runtimes
 * that give no uid leave the pod's name alone, which another pod may have had before: where that
 * one may be meant, names count nothing, and claims stay beside attachments until their time is up.
 *
 * When the time of a claim is up it ends on each node as soon as that has said something later, so
 * that there is no moment at which an attachment is in neither account.
 */
struct sched_pf {
	struct sched_pf_state is;
	struct place_pf base; /* free as the node says */
	struct place_pf free; /* and less all claims */
};

#define SCHED_NONE UINT32_MAX

struct sched_node {
	uint64_t hash;
	uint32_t next; /* of the same hash bucket, or the next unused slot */
	uint8_t name_n;
	uint8_t pf_n;
	bool used;   /* the slot holds a node */
	bool known;  /* state was read */
	bool full;   /* it tells who holds what */
	bool broken; /* claims that were promised do not fit any more */
	uint32_t claims;
	uint32_t oldest_on, newest_on; /* of them: index + 1, or 0 */
	uint32_t serial;               /* of the last question that asked for it */
	uint8_t verdict;               /* that question's, enum sched_verdict */
	uint32_t holds, hold_n;
	uint32_t nameless; /* of which tell no uid */
	struct sched_pf few[SCHED_PF_FEW];
	uint32_t more; /* place for more PFs than that, or SCHED_NONE */
	uint32_t pins; /* requests that wait and will be decided by this slot: it stays */
	int64_t asked_ms, known_ms; /* by a scheduler; what it said is true as of then */
	uint64_t revision;
	char name[SCHED_NAME_MAX + 1];
};

struct sched_claim {
	struct sched_claim *newer;
	uint64_t uid_hash, name_hash;
	int64_t at_ms;
	bool late;    /* its time is up */
	bool settled; /* an attachment was seen */
	bool by_name; /* an attachment of that name without a uid is the pod's */
	uint16_t uid_n, name_n;
	uint32_t req_n;
	uint32_t entry_n, live_n; /* nodes; of which still claimed */
	size_t stride, run_bytes;
	unsigned char *run; /* entries by node */
	struct place_request req[PLACE_REQ_MAX];
	char uid[SCHED_UID_MAX];
	char name[SCHED_UID_MAX]; /* namespace/name, for people */
};

struct sched_chunk;
struct sched_kept;
struct sched_order;

struct sched {
	struct hash_key key;     /* of names in bucket */
	struct sched_node *node; /* SCHED_NODES_MAX slots, touched as used */
	uint32_t node_n;         /* slots in use or used before */
	uint32_t nodes;          /* in use */
	uint32_t free_node;
	uint32_t *bucket;
	struct sched_pf (*more)[PLACE_PF_MAX];
	uint32_t more_n, free_more;
	struct sched_chunk *chunk;
	uint32_t chunk_n, free_chunk;
	struct sched_claim *claim; /* SCHED_CLAIMS_MAX */
	struct sched_claim *oldest, *newest, *free_claim;
	struct sched_claim *young; /* the first whose time is not up */
	uint32_t claim_n;
	uint64_t entries;
	uint32_t serial;
	int64_t ttl_ms;
	struct place_work *work;
	struct sched_kept *kept;   /* answers of the question being asked ... */
	struct sched_order *order; /* ... and of parts of it */
	uint64_t steps;            /* of placing claims anew after what nodes said; only grows */
	uint64_t looks;            /* at claims for the sake of one node; only grows */
	/* Numbers for /metrics */
	uint64_t expired, collapsed;
};

/* sched_init: reserve address space; pages come as they are used. -ENOMEM. */
int sched_init(struct sched *s, int64_t ttl_ms, struct err *e) MUST_CHECK;
void sched_free(struct sched *s);

/* --- Nodes */

/* sched_node_find: index of the node of that name, SCHED_NONE if it is not known. */
uint32_t sched_node_find(const struct sched *s, struct str name);

/* sched_node_add: the same, adding it; SCHED_NONE when the table is full. asked_ms becomes now. */
uint32_t sched_node_add(struct sched *s, struct str name, int64_t now_ms);

/*
 * sched_node_update: the node said this, and it was so at as_of_ms or later. sched_node_still: what
 * it said before is still so. sched_node_lost: what it said last is not believed.
 */
void sched_node_update(
	struct sched *s, uint32_t i, const struct sched_state *state, int64_t as_of_ms);
void sched_node_still(struct sched *s, uint32_t i, int64_t as_of_ms);
void sched_node_lost(struct sched *s, uint32_t i);

/* sched_node_drop: forget the node and all claims on it. */
void sched_node_drop(struct sched *s, uint32_t i);

struct sched_pf *sched_pfs(struct sched *s, uint32_t i);
const struct sched_pf *sched_pfs_const(const struct sched *s, uint32_t i);

/* What a pod holds on a node, by the node's own word: interfaces; and per PF if held is given. */
uint32_t sched_holds(const struct sched *s, uint32_t i, uint64_t uid_hash, struct place_pf *held);

/* --- Claims */

/* sched_claim_find: the claim of the pod with that uid, or NULL. */
struct sched_claim *sched_claim_find(const struct sched *s, struct str uid);
void sched_claim_drop(struct sched *s, struct sched_claim *c);

/* sched_expire: end claims older than the time to live. When the next will be: ms, or -1. */
int64_t sched_expire(struct sched *s, int64_t now_ms);

/* The PFs of the pod's interfaces on that node; NULL where it has no claim on it. */
const uint8_t *sched_claim_on(const struct sched_claim *c, uint32_t node);

/* --- Decisions */

struct sched_ask {
	struct str uid;  /* key of the claims: uid, or namespace/name */
	struct str name; /* for people */
	const struct place_request *req;
	uint32_t req_n;
};

enum sched_verdict {
	SCHED_PASS,
	SCHED_NO_ROOM,
	SCHED_NEVER, /* not even on the empty node */
	SCHED_UNKNOWN,
	SCHED_NARROWED,
	SCHED_UNDECIDED, /* placement needs more steps than SCHED_STEPS_MAX; nothing is promised */
};

/*
 * sched_filter: which of the n nodes (indices; SCHED_NONE is SCHED_UNKNOWN; repeats are allowed)
 * can hold the pod beside all that was promised to others. The pod's former claims go, each node
 * that passes is claimed. Without any node nothing happens. narrow > 0: at most that many pass,
 * those with the best score. -ENOSPC: too many pods or nodes are claimed, nothing passes and
 * nothing changes.
 */
int sched_filter(struct sched *s, const struct sched_ask *ask, const uint32_t *node, size_t n,
	uint32_t narrow, bool spread, uint8_t *verdict, int64_t now_ms, struct err *e) MUST_CHECK;

/*
 * sched_score: 0 to 10 for each node, 0 where the pod does not fit. pack prefers nodes that are
 * full already and where the largest free piece of a PF stays whole; spread prefers empty ones.
 * Nothing changes.
 */
void sched_score(struct sched *s, const struct sched_ask *ask, const uint32_t *node, size_t n,
	bool spread, uint8_t *scores);

/*
 * sched_judge_without: whether the pod fits on node i once these pods (hashes of uids in ascending
 * order, none twice) have gone: what they hold and what they were promised there comes back. steps
 * is for all candidates of one question together, 0 at first; SCHED_UNDECIDED when SCHED_STEPS_MAX
 * are used up.
 */
enum sched_verdict sched_judge_without(struct sched *s, const struct sched_ask *ask, uint32_t i,
	const uint64_t *gone, size_t gone_n, uint64_t *steps);

#endif
