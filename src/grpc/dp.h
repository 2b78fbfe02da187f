/* SPDX-License-Identifier: MIT */
/* Messages of the kubelet's device plugin API v1beta1 (device_plugin.proto), read and written. */
#ifndef GRPC_DP_H
#define GRPC_DP_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#define GRPC_DP_VERSION "v1beta1"

/* Methods, as :path has them. */
#define GRPC_DP_REGISTER            "/v1beta1.Registration/Register"
#define GRPC_DP_OPTIONS             "/v1beta1.DevicePlugin/GetDevicePluginOptions"
#define GRPC_DP_LIST_AND_WATCH      "/v1beta1.DevicePlugin/ListAndWatch"
#define GRPC_DP_PREFERRED           "/v1beta1.DevicePlugin/GetPreferredAllocation"
#define GRPC_DP_ALLOCATE            "/v1beta1.DevicePlugin/Allocate"
#define GRPC_DP_PRE_START_CONTAINER "/v1beta1.DevicePlugin/PreStartContainer"

/* Texts longer than these (without a NUL) cannot be written. */
#define GRPC_DP_ID_MAX       63
#define GRPC_DP_PATH_MAX     511
#define GRPC_DP_ENDPOINT_MAX 107
#define GRPC_DP_RESOURCE_MAX 319

struct grpc_dp_options {
	bool pre_start_required, preferred_allocation;
};

/*
 * Writers append one message to b. -EINVAL: a text that is too long or not UTF-8, or a permission
 * that is none of "rwm"; -EMSGSIZE: it does not fit in b. Nothing is appended then.
 */
int grpc_dp_put_options(struct buf *b, const struct grpc_dp_options *o, struct err *e) MUST_CHECK;

struct grpc_dp_register {
	const char *endpoint; /* name of the plugin's socket, in the kubelet's folder */
	const char *resource;
	struct grpc_dp_options options;
};

int grpc_dp_put_register(struct buf *b, const struct grpc_dp_register *r, struct err *e) MUST_CHECK;

/* grpc_dp_put_device: one entry of a ListAndWatchResponse; the message is all its entries. */
int grpc_dp_put_device(struct buf *b, const char *id, bool healthy, struct err *e) MUST_CHECK;

/* grpc_dp_put_spec: one device of a ContainerAllocateResponse. */
struct grpc_dp_spec {
	const char *container_path, *host_path, *permissions;
};

int grpc_dp_put_spec(struct buf *b, const struct grpc_dp_spec *s, struct err *e) MUST_CHECK;

/* grpc_dp_put_id: one device of a ContainerPreferredAllocationResponse. */
int grpc_dp_put_id(struct buf *b, struct str id, struct err *e) MUST_CHECK;

/*
 * grpc_dp_put_container: one entry of an AllocateResponse or PreferredAllocationResponse, whose
 * content is one. grpc_dp_container_size: how many bytes it takes.
 */
int grpc_dp_put_container(struct buf *b, struct str one, struct err *e) MUST_CHECK;
size_t grpc_dp_container_size(size_t one);

/*
 * Reading requests with lists of any length, one item at a time. Unknown fields are skipped.
 * AllocateRequest: CONTAINER, then its IDs (ID), then the next CONTAINER.
 * PreferredAllocationRequest: CONTAINER, then AVAILABLE, MUST_INCLUDE and SIZE as they come.
 * PreStartContainerRequest: ID only.
 */
enum grpc_dp_kind {
	GRPC_DP_ALLOCATE_REQUEST,
	GRPC_DP_PREFERRED_REQUEST,
	GRPC_DP_PRE_START_REQUEST
};
enum grpc_dp_item {
	GRPC_DP_CONTAINER,
	GRPC_DP_ID,
	GRPC_DP_AVAILABLE,
	GRPC_DP_MUST_INCLUDE,
	GRPC_DP_SIZE,
};

struct grpc_dp_reader {
	enum grpc_dp_kind kind;
	struct str outer, inner; /* what is still to be read */

	enum grpc_dp_item item;
	struct str id; /* of ID, AVAILABLE, MUST_INCLUDE; borrowed from the message, valid UTF-8 */
	int32_t size;  /* of SIZE */
};

void grpc_dp_read(struct grpc_dp_reader *r, enum grpc_dp_kind kind, struct str message);

/* grpc_dp_next: > 0 an item was read, 0 there are no more, -EBADMSG: the message is malformed. */
int grpc_dp_next(struct grpc_dp_reader *r, struct err *e) MUST_CHECK;

#endif
