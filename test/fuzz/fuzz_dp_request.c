/* SPDX-License-Identifier: MIT */
/* The requests of the device plugin API; the first byte says which. */
#include <errno.h>

#include "grpc/dp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char mem[1 << 16];
	struct grpc_dp_reader r;
	struct str message;
	struct buf b;
	struct err e = ERR_INIT;
	size_t n = 0;
	int got;

	if (size < 1) {
		return 0;
	}
	message = (struct str){(const char *)data + 1, size - 1};
	buf_init(&b, mem, sizeof(mem));
	grpc_dp_read(&r, (enum grpc_dp_kind)(data[0] % 3), message);
	while ((got = grpc_dp_next(&r, &e)) > 0) {
		n++;
		ASSERT(r.item <= GRPC_DP_SIZE);
		if (r.item == GRPC_DP_ID || r.item == GRPC_DP_AVAILABLE ||
			r.item == GRPC_DP_MUST_INCLUDE) {
			ASSERT(r.id.p >= message.p && r.id.p + r.id.n <= message.p + message.n);
			(void)!grpc_dp_put_id(&b, r.id, &e);
		}
	}
	ASSERT(n <= message.n);
	ASSERT(got == 0 || (got == -EBADMSG && e.msg[0] != '\0'));
	return 0;
}
