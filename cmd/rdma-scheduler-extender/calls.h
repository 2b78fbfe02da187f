/* SPDX-License-Identifier: MIT */
/* Requests of schedulers: read, waited for where nodes must be asked, decided, answered. */
#ifndef EXTENDER_CALLS_H
#define EXTENDER_CALLS_H

#include "bodies.h"
#include "http/server.h"
#include "kube/annotation.h"
#include "kube/extender.h"
#include "kube/reply.h"
#include "options.h"
#include "watch.h"

#define CALLS_MAX 32 /* requests that wait for nodes at one time; a scheduler has one or two */

enum call_verb { CALL_FILTER, CALL_PRIORITIZE, CALL_PREEMPT };
#define CALL_VERBS (CALL_PREEMPT + 1)

enum call_outcome {
	CALL_SOME,      /* at least one node passed */
	CALL_NONE,      /* none did */
	CALL_NO_RDMA,   /* the pod asks for none */
	CALL_MALFORMED, /* its annotation is */
	CALL_ERROR,     /* the request is not what it should be, or there is no room for it */
};
#define CALL_OUTCOMES (CALL_ERROR + 1)

struct call {
	bool used;
	uint8_t verb;
	struct calls *calls;
	struct http_conn *conn;  /* set while the answer waits for nodes ... */
	struct loop_timer timer; /* ... until then at most */
	void *body;
	size_t body_n;
	int64_t begun_us;
	uint32_t pending; /* nodes that are being asked */
	struct kube_args args;
	struct kube_annotation need;
	const char *malformed; /* NULL, or why the annotation is */
	char why[200];
	char key[SCHED_UID_MAX]; /* the pod's uid, else its namespace/name */
	size_t key_n;
	char name[SCHED_UID_MAX]; /* namespace/name */
	size_t name_n;
	struct kube_item *item; /* KUBE_ITEMS_MAX, touched as used; so are the two below */
	uint32_t *node;
	uint8_t *verdict;
};

#define CALLS_TIMERS CALLS_MAX

struct calls {
	const struct ext_opts *opts;
	struct sched *sched;
	struct watch *watch;
	struct bodies *bodies;
	struct call call[CALLS_MAX];
	uint32_t waiting; /* of which: for nodes; one is left for requests that need not wait */
	uint64_t steps;   /* of placement, in the preempt request being decided */
	char *text;       /* of annotations, unescaped */
	char *arena;
	/* Numbers for /metrics */
	uint64_t no_place;      /* nodes for which the table had none ... */
	int64_t quiet_until_ms; /* ... of which the log hears no more before then */
	uint64_t outcome[CALL_VERBS][CALL_OUTCOMES];
	uint64_t verdicts[KUBE_VERDICTS];
	struct http_hist time[CALL_VERBS];
};

int calls_init(struct calls *c, const struct ext_opts *o, struct sched *s, struct watch *w,
	struct bodies *b, struct err *e) MUST_CHECK;
void calls_free(struct calls *c);

const char *call_verb_name(enum call_verb v);
const char *call_outcome_name(enum call_outcome o);

/* Routes' functions; arg is the struct calls. */
void *calls_body_get(void *arg, size_t n);
void calls_body_put(void *arg, void *mem);
bool calls_body_grow(void *arg, void *mem, size_t n);
void calls_filter(void *arg, const struct http_req *req, struct http_resp *resp);
void calls_prioritize(void *arg, const struct http_req *req, struct http_resp *resp);
void calls_preempt(void *arg, const struct http_req *req, struct http_resp *resp);

/* calls_bind: says that pods are not bound here. */
void calls_bind(void *arg, const struct http_req *req, struct http_resp *resp);

/* calls_node_done: for struct watch: node i is known now, or will not be. */
void calls_node_done(void *arg, uint32_t node, uint64_t waiters);

#endif
