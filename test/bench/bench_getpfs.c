/* SPDX-License-Identifier: MIT */
/* How long one recorded rtnetlink reply takes from bytes to /getpfs: bench_getpfs FILE. */
#include <fcntl.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "sriov/render.h"

#define ROUNDS 2001 /* odd: the median is one of them */

static struct nl_vf vf[SRIOV_PF_VF_MAX];
static struct sriov_node node;
static char reply[1 << 20] __attribute__((aligned(8)));
static char page[SRIOV_GETPFS_CAP];

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y ? 1 : 0;
}

/* One round: parse, put into the model, render. Returns the bytes of the page, 0 on failure. */
static size_t one(size_t *vfs)
{
	struct sriov_pf *pf = &node.pf[0];
	struct buf b;
	struct err e;

	if (nl_vf_parse((const struct nlmsghdr *)(const void *)reply, vf, SRIOV_PF_VF_MAX, vfs,
		    &e) < 0) {
		(void)fprintf(stderr, "bench_getpfs: %s\n", e.msg);
		return 0;
	}
	node.pf_n = 1;
	node.vf_n = pf->vf_n = *vfs;
	for (size_t i = 0; i < *vfs; i++) {
		node.vf[i].index = (uint32_t)i;
		node.vf[i].kernel = vf[i];
	}
	buf_init(&b, page, sizeof(page));
	return sriov_getpfs(&b, &node) ? b.n : 0;
}

int main(int argc, char **argv)
{
	static int64_t ns10[ROUNDS]; /* tenths of a microsecond */
	size_t vfs = 0, bytes = 0;
	struct err e;
	ssize_t n;

	if (argc != 2) {
		(void)fprintf(stderr, "usage: bench_getpfs REPLY\n");
		return 100;
	}
	n = file_read(AT_FDCWD, argv[1], reply, sizeof(reply), &e);
	if (n < (ssize_t)sizeof(struct nlmsghdr) ||
		((const struct nlmsghdr *)(const void *)reply)->nlmsg_len > (size_t)n) {
		(void)fprintf(stderr, "bench_getpfs: %s: no netlink message\n", argv[1]);
		return 111;
	}
	memcpy(node.pf[0].name, "enp4s0f0", sizeof("enp4s0f0"));
	for (size_t i = 0; i < ROUNDS; i++) {
		int64_t begin = clock_us();

		/* Ten at a time, since one takes few ticks of the clock. */
		for (int j = 0; j < 10; j++) {
			bytes = one(&vfs);
			if (bytes == 0) {
				return 111;
			}
		}
		ns10[i] = clock_us() - begin;
	}
	qsort(ns10, ROUNDS, sizeof(ns10[0]), by_value);
	return printf("%zu VFs, %zd bytes of netlink to %zu bytes of JSON: median %lld.%lld us, "
		      "p99 "
		      "%lld.%lld us\n",
		       vfs, n, bytes, (long long)ns10[ROUNDS / 2] / 10,
		       (long long)ns10[ROUNDS / 2] % 10, (long long)ns10[ROUNDS * 99 / 100] / 10,
		       (long long)ns10[ROUNDS * 99 / 100] % 10) < 0
		       ? 111
		       : 0;
}
