/* SPDX-License-Identifier: MIT */
/* See service.h. */
#include "service.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "grpc/dp.h"

#define BODY_MAX (1024 * 1024) /* what one container is given: DEVICES_NODES_MAX long paths fit */

static char body[BODY_MAX]; /* too large for the stack; only what is written becomes resident */

struct service_stream {
	struct service *service;
	struct grpc_call *call;
	struct service_stream *next;
	bool told; /* the state that was sent last */
};

static enum grpc_status status_of(const struct err *e)
{
	switch (e->code) {
	case EBADMSG:
	case EINVAL:
		return GRPC_INVALID_ARGUMENT;
	case ENODEV:
		return GRPC_FAILED_PRECONDITION;
	case ENOMEM:
	case EMSGSIZE:
		return GRPC_RESOURCE_EXHAUSTED;
	default:
		return GRPC_INTERNAL;
	}
}

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "the answer is too large for this connection");
}

static void get_options(void *arg, struct grpc_call *call, struct str request)
{
	static const struct grpc_dp_options none = {false, false};
	static char mem[16];
	struct buf b;
	struct err e;

	(void)arg;
	(void)request;
	buf_init(&b, mem, sizeof(mem));
	if (grpc_dp_put_options(&b, &none, &e) < 0) {
		grpc_call_fail(call, status_of(&e), e.msg);
		return;
	}
	grpc_call_reply(call, buf_str(&b));
}

static void send_list(struct service_stream *st)
{
	st->told = st->service->devices->healthy;
	st->service->lists++;
	grpc_call_send(st->call, devices_list(st->service->devices, st->told));
}

static void stream_sent(void *arg, struct grpc_call *call)
{
	struct service_stream *st = arg;

	(void)call;
	if (st->told != st->service->devices->healthy) {
		send_list(st); /* it changed while the last list was under way */
	}
}

static void stream_closed(void *arg, struct grpc_call *call)
{
	struct service_stream *st = arg;
	struct service *s = st->service;
	struct service_stream **at = &s->streams;

	while (*at != st) {
		at = &(*at)->next;
	}
	*at = st->next;
	s->stream_n--;
	s->stream(s->stream_arg, call, false);
}

static void list_and_watch(void *arg, struct grpc_call *call, struct str request)
{
	static const struct grpc_watch watch = {stream_sent, stream_closed};
	struct service *s = arg;
	struct service_stream *st = grpc_call_mem(call, sizeof(*st));

	(void)request;
	if (st == NULL) {
		grpc_call_fail(call, GRPC_RESOURCE_EXHAUSTED, "no memory left on this connection");
		return;
	}
	st->service = s;
	st->call = call;
	st->next = s->streams;
	s->streams = st;
	s->stream_n++;
	s->opened++;
	grpc_call_watch(call, &watch, st);
	send_list(st);
	s->stream(s->stream_arg, call, true);
}

void service_update(struct service *s)
{
	struct service_stream *st = s->streams;

	/* From the start again after each send, which may end streams; each is told once. */
	while (st != NULL) {
		if (st->told != s->devices->healthy && !grpc_call_sending(st->call)) {
			send_list(st);
			st = s->streams;
		} else {
			st = st->next;
		}
	}
}

static int check_id(const struct service *s, struct str id, uint32_t *index, struct err *e)
{
	if (!devices_index(s->devices, id, index)) {
		return err_set(e, EINVAL, "'%.*s' is none of this plugin's %u devices",
			id.n > 64 ? 64 : (int)id.n, id.p, s->devices->count);
	}
	return 0;
}

/* What a request is: how many containers, and how many of them ask for a device. */
struct asked {
	size_t containers, asking;
};

/* Whether every id is one of ours, and how much is asked for. */
static int check_allocate(
	const struct service *s, struct str request, struct asked *a, struct err *e)
{
	struct grpc_dp_reader r;
	uint32_t index;
	bool asks = false;
	int n;

	*a = (struct asked){0, 0};
	grpc_dp_read(&r, GRPC_DP_ALLOCATE_REQUEST, request);
	while ((n = grpc_dp_next(&r, e)) > 0) {
		if (r.item == GRPC_DP_CONTAINER) {
			a->containers++;
			asks = false;
		} else if (check_id(s, r.id, &index, e) < 0) {
			return -e->code;
		} else if (!asks) {
			a->asking++;
			asks = true;
		}
	}
	return n;
}

/* One answer a container, in order; a container that asks for no device gets an empty one. */
static int put_allocate(struct buf *b, struct str request, struct str one, struct err *e)
{
	struct grpc_dp_reader r;
	bool open = false, asks = false;
	int n;

	grpc_dp_read(&r, GRPC_DP_ALLOCATE_REQUEST, request);
	while ((n = grpc_dp_next(&r, e)) > 0) {
		if (r.item == GRPC_DP_ID) {
			asks = true;
			continue;
		}
		if (open && grpc_dp_put_container(b, asks ? one : (struct str)STR_INIT, e) < 0) {
			return -e->code;
		}
		open = true;
		asks = false;
	}
	if (n == 0 && open) {
		n = grpc_dp_put_container(b, asks ? one : (struct str)STR_INIT, e);
	}
	return n;
}

static int do_allocate(struct service *s, struct grpc_call *call, struct str request,
	struct buf *answer, struct asked *a, struct err *e)
{
	struct buf one;
	size_t size;
	char *mem;
	int r = check_allocate(s, request, a, e);

	if (r < 0) {
		return r;
	}
	if (devices_scan(s->devices)) {
		service_update(s);
	}
	buf_init(&one, body, sizeof(body));
	r = a->asking == 0 ? 0 : devices_put(s->devices, &one, e);
	if (r < 0) {
		return r;
	}
	size = a->containers * grpc_dp_container_size(one.n);
	mem = size > GRPC_MESSAGE_MAX ? NULL : grpc_call_mem(call, size);
	if (mem == NULL) {
		return no_memory(e);
	}
	buf_init(answer, mem, size);
	return put_allocate(answer, request, buf_str(&one), e);
}

static void allocate(void *arg, struct grpc_call *call, struct str request)
{
	struct service *s = arg;
	struct asked asked;
	struct buf answer;
	struct err e;

	if (do_allocate(s, call, request, &answer, &asked, &e) < 0) {
		s->allocation_failures++;
		log_warn("Allocate refused: %s", e.msg);
		grpc_call_fail(call, status_of(&e), e.msg);
		return;
	}
	s->allocations++;
	log_debug("Allocate: %zu entries for each of %zu of %zu containers",
		s->devices->directory ? 1 : s->devices->n, asked.asking, asked.containers);
	grpc_call_reply(call, buf_str(&answer));
}

/* Which devices were taken for the container at hand. */
struct choice {
	uint8_t taken[(DEVICES_COUNT_MAX + 7) / 8];
	size_t n;
};

static struct choice choice; /* too large for the stack */

static int choose(const struct service *s, struct str id, struct buf *one, struct err *e)
{
	uint32_t i;

	if (check_id(s, id, &i, e) < 0) {
		return -e->code;
	}
	if ((choice.taken[i / 8] >> i % 8 & 1) != 0) {
		return 0;
	}
	choice.taken[i / 8] |= (uint8_t)(1u << i % 8);
	choice.n++;
	return grpc_dp_put_id(one, id, e);
}

/*
 * One container: what it must have, then the first of what is left, for one device is like the
 * other. r stands behind CONTAINER; at the end it stands behind the next one (*more) or at the end.
 */
static int put_preferred(const struct service *s, struct grpc_dp_reader *r, struct buf *one,
	bool *more, struct err *e)
{
	struct grpc_dp_reader again = *r;
	int32_t size = 0;
	int n;

	memset(&choice, 0, sizeof(choice));
	while ((n = grpc_dp_next(r, e)) > 0 && r->item != GRPC_DP_CONTAINER) {
		if (r->item == GRPC_DP_SIZE) {
			size = r->size;
		} else if (r->item == GRPC_DP_MUST_INCLUDE && choose(s, r->id, one, e) < 0) {
			return -e->code;
		}
	}
	if (n < 0) {
		return n;
	}
	*more = n > 0;
	if (size < 0 || choice.n > (size_t)size) {
		return err_set(e, EINVAL, "%d devices are asked for and %zu must be among them",
			size, choice.n);
	}
	while ((n = grpc_dp_next(&again, e)) > 0 && again.item != GRPC_DP_CONTAINER &&
		choice.n < (size_t)size) {
		if (again.item == GRPC_DP_AVAILABLE && choose(s, again.id, one, e) < 0) {
			return -e->code;
		}
	}
	if (n < 0) {
		return n;
	}
	if (choice.n < (size_t)size) {
		return err_set(e, EINVAL, "%d devices are asked for and %zu are available", size,
			choice.n);
	}
	return 0;
}

static int do_preferred(const struct service *s, struct grpc_call *call, struct str request,
	struct buf *answer, struct err *e)
{
	/* Each id and each container takes as much as in the request, lengths aside. */
	size_t size = request.n * 3 + 16;
	char *mem = grpc_call_mem(call, size), *scratch = grpc_call_mem(call, size);
	struct grpc_dp_reader r;
	struct buf one;
	bool more;
	int n;

	if (mem == NULL || scratch == NULL) {
		return no_memory(e);
	}
	buf_init(answer, mem, size);
	buf_init(&one, scratch, size);
	grpc_dp_read(&r, GRPC_DP_PREFERRED_REQUEST, request);
	n = grpc_dp_next(&r, e);
	for (more = n > 0; more && n >= 0;) {
		buf_reset(&one);
		n = put_preferred(s, &r, &one, &more, e);
		if (n >= 0) {
			n = grpc_dp_put_container(answer, buf_str(&one), e);
		}
	}
	return n < 0 ? n : 0;
}

static void preferred(void *arg, struct grpc_call *call, struct str request)
{
	struct buf answer;
	struct err e;

	if (do_preferred(arg, call, request, &answer, &e) < 0) {
		grpc_call_fail(call, status_of(&e), e.msg);
		return;
	}
	grpc_call_reply(call, buf_str(&answer));
}

/* Nothing has to be done to a device; a kubelet that asks all the same is told so. */
static void pre_start(void *arg, struct grpc_call *call, struct str request)
{
	struct grpc_dp_reader r;
	struct err e;
	uint32_t index;
	int n;

	grpc_dp_read(&r, GRPC_DP_PRE_START_REQUEST, request);
	while ((n = grpc_dp_next(&r, &e)) > 0) {
		if (check_id(arg, r.id, &index, &e) < 0) {
			n = -e.code;
			break;
		}
	}
	if (n < 0) {
		grpc_call_fail(call, status_of(&e), e.msg);
		return;
	}
	grpc_call_reply(call, (struct str)STR_INIT);
}

void service_init(struct service *s)
{
	const struct grpc_method methods[SERVICE_METHODS] = {
		{GRPC_DP_OPTIONS, get_options, s},
		{GRPC_DP_LIST_AND_WATCH, list_and_watch, s},
		{GRPC_DP_PREFERRED, preferred, s},
		{GRPC_DP_ALLOCATE, allocate, s},
		{GRPC_DP_PRE_START_CONTAINER, pre_start, s},
	};

	memcpy(s->method, methods, sizeof(methods));
	s->streams = NULL;
	s->stream_n = 0;
}
