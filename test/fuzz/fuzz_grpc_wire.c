/* SPDX-License-Identifier: MIT */
/* Message prefixes whole and in pieces (first byte), timeouts and texts. */
#include <string.h>

#include "base/attr.h"
#include "grpc/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
	ssize_t r;
	size_t consumed, body;
};

static struct outcome feed(struct str s, size_t step)
{
	struct grpc_frame f = {0};
	struct outcome o = {0, 0, 0};

	while (s.n > 0 && !grpc_frame_done(&f)) {
		struct str data;

		o.r = grpc_frame_feed(&f, (struct str){s.p, s.n < step ? s.n : step}, &data);
		if (o.r < 0) {
			return o;
		}
		ASSERT(o.r > 0 && data.n <= (size_t)o.r);
		o.consumed += (size_t)o.r;
		o.body += data.n;
		s = str_skip(s, (size_t)o.r);
	}
	o.r = grpc_frame_done(&f);
	ASSERT(f.length <= GRPC_MESSAGE_MAX && f.got <= f.length && f.got == o.body);
	return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char coded[1 << 16], plain[1 << 16];
	struct outcome whole, pieces;
	struct str s;
	struct buf a, b;
	int64_t ms = -1;

	if (size < 1 || size > sizeof(coded) / 3) {
		return 0;
	}
	s = (struct str){(const char *)data + 1, size - 1};
	whole = feed(s, size);
	pieces = feed(s, data[0] % 16 + 1u);
	ASSERT(whole.r == pieces.r);
	ASSERT(whole.r < 0 || (whole.consumed == pieces.consumed && whole.body == pieces.body));
	ASSERT(!grpc_timeout_parse(s, &ms) || ms >= 0);
	buf_init(&a, coded, sizeof(coded));
	buf_init(&b, plain, sizeof(plain));
	grpc_text_encode(&a, s);
	grpc_text_decode(&b, buf_str(&a));
	ASSERT(buf_ok(&a) && buf_ok(&b) && str_eq(buf_str(&b), s));
	buf_reset(&b);
	grpc_text_decode(&b, s); /* of anything: never longer */
	ASSERT(buf_ok(&b) && b.n <= s.n);
	return 0;
}
