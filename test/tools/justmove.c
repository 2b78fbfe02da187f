/* SPDX-License-Identifier: MIT */
/*
 * justmove in NETNS FROM TO, justmove out NETNS FROM TO: the kernel's part of giving an interface
 * to a network namespace and taking it back, and nothing else: in: move, rename, up; out: down,
 * move, rename. For benchmarks: nobody who does the same can be faster than this.
 */
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/netlink.h>

#include "nl/link.h"
#include "sandbox/netns.h"

struct ends {
	struct sandbox_netns home, pod;
	struct nl_sock at_home, in_pod;
};

static int open_ends(struct ends *s, const char *netns, struct err *e)
{
	int r = sandbox_netns_self(&s->home, e), fd;

	r = r < 0 ? r : sandbox_netns_open(&s->pod, netns, e);
	r = r < 0 ? r : nl_sock_open(&s->at_home, NETLINK_ROUTE, 0, e);
	if (r < 0) {
		return r;
	}
	fd = sandbox_netns_socket(&s->pod, &s->home, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE, e);
	return fd < 0 ? fd : nl_sock_adopt(&s->in_pod, fd, NETLINK_ROUTE, 0, e);
}

static int move_in(struct ends *s, const char *from, const char *to, struct err *e)
{
	struct nl_link l;
	int r = nl_link_get_name(&s->at_home, from, &l, e);

	r = r < 0 ? r : nl_link_move(&s->at_home, l.ifindex, s->pod.fd, to, e);
	r = r < 0 ? r : nl_link_get_name(&s->in_pod, to, &l, e);
	return r < 0 ? r : nl_link_set_up(&s->in_pod, l.ifindex, true, e);
}

static int move_out(struct ends *s, const char *from, const char *to, struct err *e)
{
	struct nl_link l;
	int r = nl_link_get_name(&s->in_pod, from, &l, e);

	r = r < 0 ? r : nl_link_set_up(&s->in_pod, l.ifindex, false, e);
	return r < 0 ? r : nl_link_move(&s->in_pod, l.ifindex, s->home.fd, to, e);
}

int main(int argc, char **argv)
{
	static struct ends s = {.home = SANDBOX_NETNS_INIT,
		.pod = SANDBOX_NETNS_INIT,
		.at_home = NL_SOCK_INIT,
		.in_pod = NL_SOCK_INIT};
	struct err e = ERR_INIT;
	int r;

	if (argc != 5 || (strcmp(argv[1], "in") != 0 && strcmp(argv[1], "out") != 0)) {
		(void)fputs("usage: justmove in|out NETNS FROM TO\n", stderr);
		return 100;
	}
	r = open_ends(&s, argv[2], &e);
	if (r == 0) {
		r = strcmp(argv[1], "in") == 0 ? move_in(&s, argv[3], argv[4], &e)
					       : move_out(&s, argv[3], argv[4], &e);
	}
	if (r < 0) {
		(void)fprintf(stderr, "justmove: %s\n", e.msg);
	}
	return r < 0 ? 111 : 0;
}
