/* SPDX-License-Identifier: MIT */
/* What the parts of src/sched share. For this folder only. */
#ifndef SCHED_SCHED_PRIV_H
#define SCHED_SCHED_PRIV_H

#include "sched/sched.h"

/* Attachments of a node are kept in chunks that follow each other. */
struct sched_chunk {
	uint32_t next, n;
	struct sched_hold hold[SCHED_HOLD_CHUNK];
};

#define SCHED_KEPT 256 /* answers of one question that are kept, a power of two */

struct sched_kept {
	uint32_t serial, pf_n;
	struct place_pf pf[SCHED_PF_FEW];
	uint8_t answer; /* enum place_answer */
	uint8_t at[PLACE_REQ_MAX];
};

/* Whether all pods on their way to a node fit in several orders. */
struct sched_order {
	uint64_t key; /* of the node and the pods */
	uint32_t serial;
	bool fits;
};

#define SCHED_PF_GONE UINT8_MAX       /* in place of a PF: this node is claimed no more */
#define SCHED_PF_LOST (UINT8_MAX - 1) /* claimed, but it does not fit any more */
#define SCHED_PF_HELD (UINT8_MAX - 2) /* attached: the node itself counts it */

void *sched_map(size_t n); /* zeroed, touched as used; NULL when there is no room */
void sched_unmap(void *p, size_t n);

/* An entry of a claim: the node, links of its chain (chain.c), and a PF for each interface. */
#define SCHED_ENTRY_HEAD (3 * sizeof(uint32_t))

unsigned char *sched_entry(const struct sched_claim *c, uint32_t k);
uint32_t sched_entry_node(const unsigned char *entry);
uint8_t *sched_entry_pfs(unsigned char *entry);
unsigned char *sched_entry_find(const struct sched_claim *c, uint32_t node);

/* sched_link: entry k counts on its node from now on. sched_unlink: no more; it is gone. */
void sched_link(struct sched *s, struct sched_claim *c, uint32_t k);
void sched_unlink(struct sched *s, struct sched_claim *c, unsigned char *entry);

/*
 * The claims on a node, oldest first: struct sched_on on = sched_on(s, i); then c and entry are the
 * next one as long as sched_on_next says so. That one may be unlinked or dropped meanwhile.
 */
struct sched_on {
	uint32_t node, next, k;
	struct sched_claim *c;
	unsigned char *entry;
};

struct sched_on sched_on(const struct sched *s, uint32_t i);
bool sched_on_next(struct sched *s, struct sched_on *on);

/*
 * Place the interfaces on what is free there: PLACE_YES and the PFs, PLACE_NO, or PLACE_LIMIT when
 * that took more than the steps left of SCHED_STEPS_MAX; steps counts them.
 */
enum place_answer sched_place(struct sched *s, const struct place_pf *pf, size_t pf_n,
	const struct place_request *req, uint32_t req_n, struct place_out *out, uint64_t *steps);

/* Take from, or give back to, what is free on a node, as pf[] says; what is no PF is passed over.
 */
void sched_take(
	struct sched_pf *at, const uint8_t *pf, const struct place_request *req, uint32_t n);
void sched_give(
	struct sched_pf *at, const uint8_t *pf, const struct place_request *req, uint32_t n);

/*
 * sched_any_order: whether the pod and all that is on its way to node i fit there in several
 * orders, as far as that was looked at (order.c). The pod has no claim there. Answers are kept for
 * like nodes with like pods as long as a question (serial) lasts.
 */
bool sched_any_order(
	struct sched *s, uint32_t i, const struct place_request *req, uint32_t n, uint64_t *steps);

/* sched_replace: what is free on the node, from what it said and the claims on it. */
void sched_replace(struct sched *s, uint32_t i);

/* sched_settle: pods that the node says are attached there need no claim elsewhere any more. */
void sched_settle(struct sched *s, uint32_t i);

/* sched_lapse: claims whose time is up end on node i, if it has said something since. give: what
 * they took is free at once; else sched_replace comes. */
void sched_lapse(struct sched *s, uint32_t i, bool give);

/* sched_held: which interfaces the pod has there by the node's own word, a bit each. */
uint32_t sched_held(const struct sched *s, uint32_t i, const struct sched_claim *c);

/* sched_shows_name: whether the node shows an attachment of a pod of that name, without a uid. */
bool sched_shows_name(const struct sched *s, uint32_t i, uint64_t name_hash);

/* sched_rest: the interfaces of an entry that are not attached: requests, and their indices. */
uint32_t sched_rest(
	const struct sched_claim *c, const uint8_t *pf, struct place_request *rest, uint8_t *which);

/* sched_claim_new: an empty claim at the end of the list, NULL when there are too many. */
struct sched_claim *sched_claim_new(struct sched *s, const struct sched_ask *ask, int64_t now_ms);

/*
 * sched_copy_free: what is free on node i as place_pf[PLACE_PF_MAX]; the number of PFs.
 * sched_free_for: the same for the pod that has this claim (or NULL), which is no hindrance to it.
 */
size_t sched_copy_free(struct sched *s, uint32_t i, struct place_pf *out);
size_t sched_free_for(
	struct sched *s, const struct sched_claim *own, uint32_t i, struct place_pf *free);

#endif
