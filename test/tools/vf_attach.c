/* SPDX-License-Identifier: MIT */
/*
 * Lends a VF to a network namespace and takes it back, as rdma-cni does, without CNI around it:
 *
 *	vf_attach [OPTIONS] attach ID IFNAME NETNS PF VF
 *	vf_attach detach ID IFNAME	with what the record says
 *	vf_attach check ID IFNAME	prints the first difference from what attach left; status 2
 *	vf_attach address ID IFNAME CIDR [GATEWAY]
 *
 * --stop STEP ends the program with status 9 right after that step, as a kill would.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/num.h"
#include "base/opts.h"
#include "ledger/write.h"
#include "nl/announce.h"
#include "sriov/attach.h"
#include "sriov/sysfs.h"

static struct {
	const char *state, *stop, *mac;
	uint32_t min, max, vlan, mtu, timeout_ms;
	bool account;
} opts = {.state = "/run/ferrule", .timeout_ms = 5000};

static struct sriov_kernel kernel;
static struct sriov_mover mover;
static struct ledger_store store;
static struct ledger_entry entry;
static struct sriov_pod pod = SRIOV_POD_INIT;

static struct ledger_rec recs[LEDGER_MAX];
static char ledger_mem[LEDGER_MEM];
static struct ledger ledger;

static void stop_after(const char *step)
{
	if (opts.stop != NULL && strcmp(opts.stop, step) == 0) {
		_exit(9);
	}
}

static int store_phase(enum ledger_phase phase, struct err *e)
{
	int r;

	entry.phase = phase;
	r = ledger_store_entry(&store, &entry, e);
	stop_after(ledger_phase_name(phase));
	return r;
}

/* Whether the ledger says that the VF of another interface is away from its name. */
static bool lent(void *arg, const struct pci_addr *pci)
{
	struct err ignored;

	(void)arg;
	if (ledger_read(&ledger, opts.state, &ignored) < 0) {
		return false;
	}
	for (size_t i = 0; i < ledger.n; i++) {
		if (ledger.rec[i].has_pci && memcmp(&ledger.rec[i].pci, pci, sizeof(*pci)) == 0) {
			return true;
		}
	}
	return false;
}

static int open_kernel(struct err *e)
{
	int r = sriov_kernel_open(&kernel, "/sys", e);

	if (r == 0) {
		r = sriov_mover_open(&mover, &kernel, clock_ms() + opts.timeout_ms, e);
	}
	mover.trust = true;
	mover.lent = lent;
	ledger_init(&ledger, recs, ledger_mem, sizeof(ledger_mem));
	return r;
}

static int fill(char **argv, struct sriov_ref *ref, struct err *e)
{
	struct sandbox_netns ns = SANDBOX_NETNS_INIT;
	struct sriov_pf pf;
	struct sriov_vf vf;
	uint32_t index = 0;
	int r;

	if (!str_copy(str_from(argv[0]), entry.container_id, sizeof(entry.container_id)) ||
		!str_copy(str_from(argv[1]), entry.ifname, sizeof(entry.ifname)) ||
		!str_copy(str_from(argv[2]), entry.netns, sizeof(entry.netns)) ||
		!str_copy(str_from(argv[3]), entry.pf, sizeof(entry.pf)) ||
		!num_u32(str_from(argv[4]), UINT32_MAX, &index)) {
		return err_set(e, EINVAL, "an argument is too long");
	}
	r = sandbox_netns_open(&ns, entry.netns, e);
	if (r < 0) {
		return r;
	}
	entry.netns_inode = ns.inode;
	r = sriov_pod_open(&pod, &mover, &ns, e);
	if (r == 0) {
		r = sriov_sysfs_pf(kernel.sysfs, argv[3], &pf, e);
	}
	if (r == 0) {
		r = sriov_sysfs_vf(kernel.sysfs, &pf, index, &vf, e);
	}
	if (r < 0) {
		return r;
	}
	entry.vf = index;
	entry.has_pci = vf.has_pci;
	entry.pci = vf.pci;
	entry.min_tx_rate = opts.min;
	entry.max_tx_rate = opts.max;
	r = ledger_boot_id(entry.boot_id, e);
	return r < 0 ? r : sriov_ref_of(&pf, &vf, ref, e);
}

/* The VF into the ledger, unless another has it. */
static int claim(struct err *e)
{
	cleanup_fd int lock = ledger_lock(store.state, mover.deadline_ms, e);
	int r = lock < 0 ? lock : ledger_read(&ledger, opts.state, e);

	if (r < 0) {
		return r;
	}
	for (size_t i = 0; i < ledger.n; i++) {
		if (memcmp(&ledger.rec[i].pci, &entry.pci, sizeof(entry.pci)) == 0) {
			return err_set(e, EBUSY, "the VF belongs to %s:%s",
				ledger.rec[i].holder.container_id, ledger.rec[i].holder.ifname);
		}
	}
	return store_phase(LEDGER_PLANNED, e);
}

static int give(const struct sriov_ref *ref, struct err *e)
{
	struct sriov_want want = {.min_tx_rate = opts.min,
		.max_tx_rate = opts.max,
		.account_min = opts.account,
		.vlan = opts.vlan,
		.mtu = opts.mtu};
	uint32_t ifindex = 0;
	int r = sriov_vf_read(&mover, ref, NULL, &entry.restore, e);

	want.has_mac = opts.mac != NULL && parse_mac(str_from(opts.mac), want.mac);
	entry.has_restore = true;
	if (r == 0) {
		r = store_phase(LEDGER_ATTACHING, e);
	}
	if (r == 0) {
		r = sriov_vf_prepare(&mover, ref, &entry.restore, &want, e);
		stop_after("prepared");
	}
	if (r == 0) {
		r = sriov_vf_move_in(&mover, ref, &entry.restore, &pod, entry.ifname, &ifindex, e);
		stop_after("moved");
	}
	if (r == 0) {
		r = nl_link_set_up(&pod.route, ifindex, true, e);
	}
	if (r == 0) {
		r = sriov_vf_read(&mover, ref, &pod, &entry.applied, e);
	}
	entry.has_applied = r == 0;
	return r == 0 ? store_phase(LEDGER_ATTACHED, e) : r;
}

static int take_back(struct err *e)
{
	struct sriov_returned back;
	bool touched = entry.phase != LEDGER_PLANNED;
	struct sriov_ref ref;
	int r = touched ? store_phase(LEDGER_RELEASING, e) : 0;

	if (r == 0 && touched) {
		r = sriov_ref_find(&mover, &entry.pci, &ref, e);
		if (r == 0) {
			r = sriov_vf_return(&mover, &ref, &entry.restore,
				pod.ns.fd >= 0 ? &pod : NULL, &back, e);
		}
		r = r == -ENODEV ? 0 : r;
	}
	stop_after("returned");
	return r < 0 ? r
		     : ledger_remove(
			       &store, str_from(entry.container_id), str_from(entry.ifname), e);
}

static int attach(char **argv, struct err *e)
{
	cleanup_fd int busy = -1;
	struct sriov_ref ref;
	struct err why;
	int r = ledger_open(&store, opts.state, e);

	if (r == 0) {
		r = fill(argv, &ref, e);
	}
	if (r == 0) {
		r = claim(e);
	}
	if (r < 0) {
		return r;
	}
	busy = ledger_lock_vf(store.state, &entry.pci, mover.deadline_ms, e);
	r = busy < 0 ? busy : give(&ref, e);
	if (r < 0 && take_back(&why) < 0) {
		fprintf(stderr, "vf_attach: undo: %s\n", why.msg);
	}
	return r;
}

/* The record of the arguments, with its VF's lock held: 1, or 0 when there is none. */
static int load(char **argv, int *busy, struct err *e)
{
	int r = ledger_open_existing(&store, opts.state, e);

	*busy = -1;
	if (r > 0) {
		r = ledger_load(&store, str_from(argv[0]), str_from(argv[1]), &entry, e);
	} else {
		return r;
	}
	if (r == 0) {
		*busy = ledger_lock_vf(store.state, &entry.pci, mover.deadline_ms, e);
		r = *busy < 0
			    ? *busy
			    : ledger_load(&store, str_from(argv[0]), str_from(argv[1]), &entry, e);
	}
	return r == -ENOENT ? 0 : r < 0 ? r : 1;
}

static int enter(struct err *e)
{
	struct sandbox_netns ns;
	int r = sandbox_netns_reopen(&ns, entry.netns, entry.netns_inode, e);

	return r > 0 ? sriov_pod_open(&pod, &mover, &ns, e) : r;
}

static int detach(char **argv, struct err *e)
{
	cleanup_fd int busy = -1;
	int r = load(argv, &busy, e);

	if (r > 0) {
		r = ledger_read(&ledger, opts.state, e);
	} else {
		return r;
	}
	if (r == 0) {
		r = ledger_owns(&ledger, &entry, e);
	}
	if (r == -ESTALE || r == 1) {
		printf("%s\n", e->msg);
		return ledger_remove(
			&store, str_from(entry.container_id), str_from(entry.ifname), e);
	}
	if (r == 0) {
		r = enter(e);
	}
	return r < 0 ? r : take_back(e);
}

static int check(char **argv, struct err *e)
{
	cleanup_fd int busy = -1;
	struct sriov_saved now;
	struct sriov_ref ref;
	char text[256];
	int r = load(argv, &busy, e);

	if (r <= 0) {
		return r < 0 ? r : err_set(e, ENOENT, "no record");
	}
	r = enter(e);
	if (r == 0) {
		r = sriov_ref_find(&mover, &entry.pci, &ref, e);
	}
	if (r == 0) {
		r = sriov_vf_read(&mover, &ref, pod.ns.fd >= 0 ? &pod : NULL, &now, e);
	}
	if (r == 0 && (now.has & SRIOV_HAS_NETDEV) == 0) {
		(void)snprintf(text, sizeof(text), "the interface is not there");
		r = 2;
	} else if (r == 0 &&
		   sriov_saved_diff(&entry.applied, &now, UINT32_MAX, text, sizeof(text))) {
		r = 2;
	}
	if (r == 2) {
		printf("%s\n", text);
	}
	return r;
}

static bool parse_ip(const char *text, struct nl_ip *out)
{
	struct str addr = str_from(text), prefix = STR_INIT;
	char plain[64];
	uint32_t bits = 0;

	memset(out, 0, sizeof(*out));
	out->family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;
	bits = out->family == AF_INET ? 32 : 128;
	if (str_cut(str_from(text), '/', &addr, &prefix) && !num_u32(prefix, 128, &bits)) {
		return false;
	}
	out->prefix = (uint8_t)bits;
	return str_copy(addr, plain, sizeof(plain)) && inet_pton(out->family, plain, out->ip) == 1;
}

static int address(char **argv, struct err *e)
{
	struct nl_route route = {.metric = 100, .has_gw = true};
	cleanup_fd int busy = -1;
	cleanup_fd int packet = -1;
	struct nl_link l;
	struct nl_ip ip;
	int r = load(argv, &busy, e);

	if (r <= 0 || !parse_ip(argv[2], &ip)) {
		return r < 0 ? r : err_set(e, EINVAL, "no record, or no address");
	}
	r = enter(e);
	if (r == 0) {
		r = nl_link_get_name(&pod.route, entry.ifname, &l, e);
	}
	if (r == 0) {
		r = nl_addr_flush(&pod.route, l.ifindex, e);
	}
	if (r == 0) {
		r = nl_addr_add(&pod.route, l.ifindex, &ip, e);
	}
	if (r == 0 && argv[3] != NULL) {
		route.ifindex = l.ifindex;
		route.dst.family = ip.family;
		r = parse_ip(argv[3], &route.gw) ? nl_route_add(&pod.route, &route, e) : -EINVAL;
	}
	if (r == 0) {
		packet = sandbox_netns_socket(&pod.ns, &mover.home, AF_PACKET, SOCK_RAW, 0, e);
		r = packet < 0 ? packet : nl_announce(packet, l.ifindex, &ip, l.addr, e);
	}
	return r;
}

static int usage(const char *why)
{
	fprintf(stderr, "vf_attach: %s\n", why);
	return 100;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int args;
		int (*run)(char **argv, struct err *e);
	} commands[] = {
		{"attach", 5, attach},
		{"detach", 2, detach},
		{"check", 2, check},
		{"address", 3, address},
	};
	const struct opt table[] = {
		{.name = "state", .kind = OPT_STR, .out = &opts.state, .arg = "DIR"},
		{.name = "stop", .kind = OPT_STR, .out = &opts.stop, .arg = "STEP"},
		{.name = "mac", .kind = OPT_STR, .out = &opts.mac, .arg = "MAC"},
		{.name = "min",
			.kind = OPT_U32,
			.out = &opts.min,
			.max = SRIOV_RATE_MAX,
			.arg = "N"},
		{.name = "max",
			.kind = OPT_U32,
			.out = &opts.max,
			.max = SRIOV_RATE_MAX,
			.arg = "N"},
		{.name = "vlan", .kind = OPT_U32, .out = &opts.vlan, .max = 4095, .arg = "N"},
		{.name = "mtu", .kind = OPT_U32, .out = &opts.mtu, .max = 65536, .arg = "N"},
		{.name = "timeout-ms",
			.kind = OPT_U32,
			.out = &opts.timeout_ms,
			.max = 60000,
			.arg = "N"},
		{.name = "account", .kind = OPT_FLAG, .out = &opts.account},
	};
	struct err e = ERR_INIT;
	int first = opts_parse(table, ARRAY_LEN(table), argc, argv, &e);
	int r;

	if (first < 0 || first == argc) {
		return usage(first < 0 ? e.msg : "attach, detach, check or address");
	}
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		if (strcmp(argv[first], commands[i].name) != 0) {
			continue;
		}
		if (argc - first - 1 < commands[i].args) {
			return usage("too few arguments");
		}
		r = open_kernel(&e);
		if (r == 0) {
			r = commands[i].run(argv + first + 1, &e);
		}
		if (r < 0) {
			fprintf(stderr, "vf_attach: %s\n", e.msg);
		}
		return r < 0 ? 1 : r;
	}
	return usage("attach, detach, check or address");
}
