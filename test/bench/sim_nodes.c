/* SPDX-License-Identifier: MIT */
/*
 * Many nodes for benchmarks: every address of 127.0.0.0/8 answers as a node with 2 PFs of 120 VFs.
 *
 *	sim_nodes PORT PROCESSES [plain]
 *
 * /getpfs is about 50 KB; /v1/node?vfs=used has no VF, for none is in use, and nothing ever
 *changes. plain: /getpfs alone. Runs until its standard input ends.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <signal.h>
#include <unistd.h>

#include "base/num.h"
#include "base/log.h"
#include "http/server.h"
#include "json/write.h"

#define VFS      120
#define TEXT_CAP (512 * 1024)

static char getpfs_text[TEXT_CAP], node_text[TEXT_CAP];
static struct buf getpfs, node;
static struct loop loop;
static struct loop_timer *heap[HTTP_SERVER_TIMERS(HTTP_CONNS_MAX)];
static struct http_server server;

static void put_vf(struct json_writer *w, uint64_t i)
{
	json_put_object(w, NULL);
	json_put_u64(w, "vf", i);
	json_put_cstr(w, "mac", "7a:90:db:7b:30:ac");
	json_put_u64(w, "vlan", 0);
	json_put_u64(w, "qos", 0);
	json_put_cstr(w, "vlan_proto", "N/A");
	json_put_cstr(w, "spoof_check", "OFF");
	json_put_cstr(w, "trust", "ON");
	json_put_cstr(w, "link_state", "Follow");
	json_put_u64(w, "min_tx_rate", 0);
	json_put_u64(w, "max_tx_rate", 0);
	json_put_cstr(w, "vgt_plus", "OFF");
	json_put_u64(w, "rate_group", 0);
	json_put_bool(w, "allocated", false);
	json_put_end_object(w);
}

static void put_pfs(struct json_writer *w, const char *key, bool full)
{
	json_put_array(w, key);
	for (int p = 0; p < 2; p++) {
		json_put_object(w, NULL);
		json_put_cstr(w, "name", p == 0 ? "enp4s0f0" : "enp4s0f1");
		json_put_u64(w, full ? "reserved_mbps" : "used_tx_rate", 0);
		json_put_u64(w, full ? "capacity_mbps" : "capacity_tx_rate", 100000);
		json_put_u64(w, "used_vfs", 0);
		json_put_u64(w, full ? "num_vfs" : "capacity_vfs", VFS);
		json_put_array(w, "vfs");
		for (uint64_t i = 0; i < VFS && !full; i++) {
			put_vf(w, i);
		}
		json_put_end_array(w);
		json_put_end_object(w);
	}
	json_put_end_array(w);
}

static void make_texts(void)
{
	struct json_writer w;

	buf_init(&getpfs, getpfs_text, sizeof(getpfs_text));
	json_writer_init(&w, &getpfs);
	put_pfs(&w, NULL, false);
	ASSERT(json_writer_done(&w));
	buf_init(&node, node_text, sizeof(node_text));
	json_writer_init(&w, &node);
	json_put_object(&w, NULL);
	json_put_u64(&w, "revision", 1);
	put_pfs(&w, "pfs", true);
	json_put_end_object(&w);
	ASSERT(json_writer_done(&w));
}

static void serve(void *arg, const struct http_req *req, struct http_resp *resp)
{
	const struct buf *text = arg;

	if (str_starts(req->query, STR("vfs=used&after=1&"))) {
		(void)http_resp_later(resp); /* nothing changes: it is never answered */
		return;
	}
	resp->type = "application/json";
	resp->body = (struct http_body){text->p, text->n, NULL, NULL};
}

static const struct http_route routes[] = {
	{.path = "/getpfs", .methods = HTTP_BIT(HTTP_GET), .fn = serve, .arg = &getpfs},
	{.path = "/v1/node", .methods = HTTP_BIT(HTTP_GET), .fn = serve, .arg = &node},
};

static int listen_shared(uint16_t port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
	const int one = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) < 0 ||
		bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, 8192) < 0) {
		perror("sim_nodes: listen");
		exit(1);
	}
	return fd;
}

static void run(uint16_t port, bool plain)
{
	const struct http_server_conf conf = {.conns = HTTP_CONNS_MAX, .idle_ms = 600000};
	struct err e;
	int r = loop_init(&loop, heap, ARRAY_LEN(heap), &e);

	if (r == 0) {
		r = http_server_init(&server, &loop, routes, plain ? 1 : 2, &conf, &e);
	}
	if (r == 0) {
		r = http_server_listen_fd(&server, listen_shared(port), &e);
	}
	if (r >= 0) {
		r = loop_run(&loop, &e);
	}
	if (r < 0) {
		log_error("sim_nodes: %s", e.msg);
		exit(1);
	}
}

int main(int argc, char **argv)
{
	struct rlimit lim;
	uint32_t port = 0, procs = 0;
	char c;

	if (argc < 3 || !num_u32(str_from(argv[1]), 65535, &port) ||
		!num_u32(str_from(argv[2]), 64, &procs)) {
		(void)fprintf(stderr, "usage: sim_nodes PORT PROCESSES [plain]\n");
		return 100;
	}
	if (getrlimit(RLIMIT_NOFILE, &lim) == 0) {
		lim.rlim_cur = lim.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &lim); /* what there is must do */
	}
	(void)signal(SIGPIPE, SIG_IGN);
	make_texts();
	for (uint32_t i = 0; i < procs; i++) {
		pid_t pid = fork();

		if (pid < 0) {
			perror("sim_nodes: fork");
			return 1;
		}
		if (pid == 0) {
			(void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* else the end of tests does it */
			run((uint16_t)port, argc > 3);
			_exit(1);
		}
	}
	(void)printf("getpfs %zu bytes, node %zu bytes\n", getpfs.n, node.n);
	(void)fflush(stdout);
	while (read(0, &c, 1) > 0) {
	}
	return 0;
}
