/* SPDX-License-Identifier: MIT */
/* See dp.h. Single entries go through nanopb's structs; lists are walked field by field. */
#include "grpc/dp.h"

#include <errno.h>
#include <string.h>

#include <pb_common.h>
#include <pb_decode.h>
#include <pb_encode.h>

#include "grpc/device_plugin.pb.h"

_Static_assert(sizeof(((v1beta1_Device *)0)->ID) == GRPC_DP_ID_MAX + 1, "as in .options");
_Static_assert(sizeof(((v1beta1_DeviceSpec *)0)->host_path) == GRPC_DP_PATH_MAX + 1, "same");
_Static_assert(
	sizeof(((v1beta1_RegisterRequest *)0)->endpoint) == GRPC_DP_ENDPOINT_MAX + 1, "same");
_Static_assert(
	sizeof(((v1beta1_RegisterRequest *)0)->resource_name) == GRPC_DP_RESOURCE_MAX + 1, "same");

/* One message of a type; entry: as field 1 (all lists have that number or give their own). */
static int put(
	struct buf *b, const pb_msgdesc_t *fields, const void *message, uint32_t tag, struct err *e)
{
	size_t room = b->overflow ? 0 : buf_room(b);
	pb_ostream_t s = pb_ostream_from_buffer((pb_byte_t *)b->p + b->n, room);
	size_t size;
	bool ok;

	if (!pb_get_encoded_size(&size, fields, message)) {
		return err_set(e, EINVAL, "a text in the message is not UTF-8");
	}
	ok = tag == 0 ? pb_encode(&s, fields, message)
		      : pb_encode_tag(&s, PB_WT_STRING, tag) &&
				pb_encode_submessage(&s, fields, message);
	if (!ok) {
		return err_set(e, EMSGSIZE, "no room for a message of %zu bytes", size);
	}
	b->n += s.bytes_written;
	return 0;
}

static int set_text(char *dst, size_t cap, const char *text, const char *what, struct err *e)
{
	return str_copy(str_from(text), dst, cap)
		       ? 0
		       : err_set(e, EINVAL, "%s has more than %zu bytes", what, cap - 1);
}

static v1beta1_DevicePluginOptions options_of(const struct grpc_dp_options *o)
{
	return (v1beta1_DevicePluginOptions){o->pre_start_required, o->preferred_allocation};
}

int grpc_dp_put_options(struct buf *b, const struct grpc_dp_options *o, struct err *e)
{
	v1beta1_DevicePluginOptions m = options_of(o);

	return put(b, v1beta1_DevicePluginOptions_fields, &m, 0, e);
}

int grpc_dp_put_register(struct buf *b, const struct grpc_dp_register *r, struct err *e)
{
	v1beta1_RegisterRequest m = {.version = GRPC_DP_VERSION,
		.has_options = true,
		.options = options_of(&r->options)};

	if (set_text(m.endpoint, sizeof(m.endpoint), r->endpoint, "the name of the socket", e) <
			0 ||
		set_text(m.resource_name, sizeof(m.resource_name), r->resource,
			"the name of the resource", e) < 0) {
		return -e->code;
	}
	return put(b, v1beta1_RegisterRequest_fields, &m, 0, e);
}

int grpc_dp_put_device(struct buf *b, const char *id, bool healthy, struct err *e)
{
	v1beta1_Device m = {.has_topology = false};

	if (set_text(m.ID, sizeof(m.ID), id, "the id of a device", e) < 0 ||
		set_text(m.health, sizeof(m.health), healthy ? "Healthy" : "Unhealthy", "health",
			e) < 0) {
		return -e->code;
	}
	return put(b, v1beta1_Device_fields, &m, v1beta1_ListAndWatchResponse_devices_tag, e);
}

int grpc_dp_put_spec(struct buf *b, const struct grpc_dp_spec *s, struct err *e)
{
	v1beta1_DeviceSpec m;

	if (set_text(m.container_path, sizeof(m.container_path), s->container_path,
		    "the path of a device", e) < 0 ||
		set_text(m.host_path, sizeof(m.host_path), s->host_path, "the path of a device",
			e) < 0) {
		return -e->code;
	}
	if (s->permissions[0] == '\0' || strspn(s->permissions, "rwm") != strlen(s->permissions) ||
		!str_copy(str_from(s->permissions), m.permissions, sizeof(m.permissions))) {
		return err_set(e, EINVAL, "permissions '%s' are not some of 'rwm'", s->permissions);
	}
	return put(
		b, v1beta1_DeviceSpec_fields, &m, v1beta1_ContainerAllocateResponse_devices_tag, e);
}

/* A field of bytes: tag, length, content. */
static int put_bytes(struct buf *b, uint32_t tag, struct str s, struct err *e)
{
	pb_ostream_t o =
		pb_ostream_from_buffer((pb_byte_t *)b->p + b->n, b->overflow ? 0 : buf_room(b));

	if (!pb_encode_tag(&o, PB_WT_STRING, tag) ||
		!pb_encode_string(&o, (const pb_byte_t *)s.p, s.n)) {
		return err_set(e, EMSGSIZE, "no room for a field of %zu bytes", s.n);
	}
	b->n += o.bytes_written;
	return 0;
}

int grpc_dp_put_id(struct buf *b, struct str id, struct err *e)
{
	return put_bytes(b, v1beta1_ContainerPreferredAllocationResponse_deviceIDs_tag, id, e);
}

_Static_assert(v1beta1_AllocateResponse_container_responses_tag ==
		       v1beta1_PreferredAllocationResponse_container_responses_tag,
	"grpc_dp_put_container is for both");

int grpc_dp_put_container(struct buf *b, struct str one, struct err *e)
{
	return put_bytes(b, v1beta1_AllocateResponse_container_responses_tag, one, e);
}

size_t grpc_dp_container_size(size_t one)
{
	size_t n = 2 + one; /* tag, first byte of the length */

	for (size_t rest = one >> 7; rest > 0; rest >>= 7) {
		n++;
	}
	return n;
}

void grpc_dp_read(struct grpc_dp_reader *r, enum grpc_dp_kind kind, struct str message)
{
	memset(r, 0, sizeof(*r));
	r->kind = kind;
	r->outer = message;
	if (kind == GRPC_DP_PRE_START_REQUEST) { /* no containers: the ids are the message */
		r->inner = message;
		r->outer.n = 0;
	}
}

static int malformed(struct err *e, const pb_istream_t *s)
{
	return err_set(e, EBADMSG, "the message is malformed: %s", PB_GET_ERROR(s));
}

/* What one field of a message holds: bytes, or a number; skipped: something else. */
struct field {
	uint32_t tag;
	pb_wire_type_t type;
	struct str bytes;
	uint64_t number;
};

/* Takes one field off the front of s. */
static int next_field(struct str *s, struct field *f, struct err *e)
{
	pb_istream_t in = pb_istream_from_buffer((const pb_byte_t *)s->p, s->n);
	uint32_t length;
	bool eof = false;

	if (!pb_decode_tag(&in, &f->type, &f->tag, &eof)) {
		return malformed(e, &in);
	}
	if (f->type == PB_WT_STRING) {
		if (!pb_decode_varint32(&in, &length)) {
			return malformed(e, &in);
		}
		if (length > in.bytes_left) {
			return err_set(e, EBADMSG, "the message is malformed: it is cut short");
		}
		f->bytes = (struct str){s->p + (s->n - in.bytes_left), length};
		*s = str_skip(*s, s->n - in.bytes_left + length);
		return 0;
	}
	if (f->type == PB_WT_VARINT ? !pb_decode_varint(&in, &f->number)
				    : !pb_skip_field(&in, f->type)) {
		return malformed(e, &in);
	}
	*s = str_skip(*s, s->n - in.bytes_left);
	return 0;
}

/* pb_validate_utf8 wants a NUL at the end: ids are short, so a copy is cheap; a longer one is none
 * of ours, and which bytes it has does not matter. */
static bool utf8(struct str s)
{
	char copy[4 * GRPC_DP_ID_MAX];

	return s.n >= sizeof(copy) || (str_copy(s, copy, sizeof(copy)) && pb_validate_utf8(copy));
}

static int take_id(
	struct grpc_dp_reader *r, const struct field *f, enum grpc_dp_item item, struct err *e)
{
	if (f->type != PB_WT_STRING || !utf8(f->bytes)) {
		return err_set(e, EBADMSG, "the message is malformed: a device id is no text");
	}
	r->item = item;
	r->id = f->bytes;
	return 1;
}

/* A field inside a container's request: > 0 it is an item, 0 it is of no interest. */
static int inner_field(struct grpc_dp_reader *r, const struct field *f, struct err *e)
{
	if (r->kind != GRPC_DP_PREFERRED_REQUEST) {
		return f->tag == v1beta1_ContainerAllocateRequest_devices_ids_tag
			       ? take_id(r, f, GRPC_DP_ID, e)
			       : 0;
	}
	switch (f->tag) {
	case v1beta1_ContainerPreferredAllocationRequest_available_deviceIDs_tag:
		return take_id(r, f, GRPC_DP_AVAILABLE, e);
	case v1beta1_ContainerPreferredAllocationRequest_must_include_deviceIDs_tag:
		return take_id(r, f, GRPC_DP_MUST_INCLUDE, e);
	case v1beta1_ContainerPreferredAllocationRequest_allocation_size_tag:
		if (f->type != PB_WT_VARINT) {
			return err_set(e, EBADMSG, "the message is malformed: a size is no number");
		}
		r->item = GRPC_DP_SIZE;
		r->size = (int32_t)(uint32_t)f->number;
		return 1;
	default:
		return 0;
	}
}

int grpc_dp_next(struct grpc_dp_reader *r, struct err *e)
{
	struct field f = {0, PB_WT_VARINT, STR_INIT, 0};
	int n = 0;

	while (n == 0 && (r->inner.n > 0 || r->outer.n > 0)) {
		bool inside = r->inner.n > 0;

		if (next_field(inside ? &r->inner : &r->outer, &f, e) < 0) {
			return -e->code;
		}
		if (inside) {
			n = inner_field(r, &f, e);
		} else if (f.tag == v1beta1_AllocateRequest_container_requests_tag) {
			if (f.type != PB_WT_STRING) {
				return err_set(e, EBADMSG,
					"the message is malformed: a container is no message");
			}
			r->inner = f.bytes;
			r->item = GRPC_DP_CONTAINER;
			n = 1;
		}
	}
	return n;
}
