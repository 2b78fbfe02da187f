#!/bin/sh
# SPDX-License-Identifier: MIT
# The demonstration: two nodes with SR-IOV hardware, their VFs brought up, read over HTTP, and given
# to pods that talk to each other.
#
#   scripts/demo-run.sh      after `make`; scripts/demo does everything from the start
#
# Every step is checked; the first that fails ends the demonstration with exit status 1. Whatever
# happens, the lab is taken down.
# shellcheck disable=SC2016 # scripts in single quotes are for the nodes' shells
set -eu
cd "$(dirname "$0")/.."

lab=scripts/lab
pfs=scripts/lab.d/pfs.py
nodes='node1 node2'
step=0
work=

title() {
	step=$((step + 1))
	printf '\n== %s. %s\n' "$step" "$*"
}

ok() {
	printf '   ok: %s\n' "$*"
}

fail() {
	printf '   FAILED: %s\n' "$*" >&2
	exit 1
}

# on NODE SCRIPT [ARGUMENT...]: runs a script on a node; its failure ends the demonstration.
on() {
	node=$1
	script=$2
	shift 2
	$lab exec --timeout 150 "$node" -- sh -ec "$script" sh "$@" ||
		fail "$node: exit status $?"
}

addr_of() {
	echo "10.77.0.1${1#node}"
}

# getpfs NODE: asks the node from the host side of the lab's network.
getpfs() {
	$lab host -- curl -sS --noproxy '*' --fail --max-time 10 "http://$(addr_of "$1"):54005/getpfs"
}

# expect NODE WHAT WANTED PATH...: compares one value of the node's answer; waits a little, since the
# kernel takes namespaces apart in its own time.
expect() {
	expect_node=$1
	what=$2
	wanted=$3
	shift 3
	tries=0
	until got=$(getpfs "$expect_node" | $pfs get "$@") && [ "$got" = "$wanted" ]; do
		tries=$((tries + 1))
		[ $tries -lt 20 ] || fail "$what: $* is '$got', not '$wanted'"
		sleep 0.5
	done
	ok "$what"
}

finish() {
	status=$?
	trap - EXIT INT TERM HUP
	[ -z "$work" ] || rm -rf "$work"
	$lab down >/dev/null 2>&1 || true
	exit $status
}

start_lab() {
	title "Two nodes with a dual-port SR-IOV card each (QEMU's Intel 82576), on one wire"
	$lab up --nodes 2 --pfs 2 || fail "the lab does not start"
	for n in $nodes; do
		printf '   %s, %s:\n' "$n" "$(addr_of "$n")"
		on "$n" 'for d in /sys/class/net/*/device/sriov_totalvfs; do
			i=${d#/sys/class/net/}; i=${i%%/*}
			echo "     $i  up to $(cat "$d") VFs, now $(cat "${d%totalvfs}numvfs")"
		done'
	done
}

add_rdma() {
	title "An RDMA device on every port (soft RoCE), so that rdma-ds takes them by itself"
	for n in $nodes; do
		on "$n" 'modprobe rdma_rxe
			for p in enp1s0f0 enp1s0f1; do rdma link add "rxe_$p" type rxe netdev "$p"; done
			rdma link | sed "s/^/   $(hostname): /"'
	done
}

init_nodes() {
	title "rdma-ds init: create the VFs and set them up"
	for n in $nodes; do
		printf '   %s $ rdma-ds init\n' "$n"
		on "$n" 'status=0
			rdma-ds init >/tmp/init.log 2>&1 || status=$?
			sed "s/^/     /" /tmp/init.log
			ip -br link | grep -c "^eth" >/tmp/vfs
			exit $status'
		[ "$($lab exec "$n" -- cat /tmp/vfs)" = 14 ] || fail "$n does not have 14 VFs"
		ok "$n has 7 VFs on each of its 2 PFs"
	done
}

serve_nodes() {
	title "rdma-ds serve: as the user nobody, with no capability"
	for n in $nodes; do
		on "$n" '(
				setpriv --reuid nobody --regid nogroup --clear-groups --bounding-set -all \
					--inh-caps -all --no-new-privs rdma-ds serve &
				echo $! >/tmp/serve.pid
				status=0
				wait $! || status=$?
				echo $status >/tmp/serve.status
			) >/tmp/serve.log 2>&1 </dev/null &'
		tries=0
		until getpfs "$n" >/dev/null 2>&1; do
			tries=$((tries + 1))
			[ $tries -lt 40 ] || {
				$lab exec "$n" -- cat /tmp/serve.log >&2
				fail "$n does not answer on port 54005"
			}
			sleep 0.25
		done
		ok "$n answers, process $($lab exec "$n" -- cat /tmp/serve.pid)," \
			"$($lab exec "$n" -- sh -c 'grep ^CapEff /proc/$(cat /tmp/serve.pid)/status')"
	done
}

read_nodes() {
	title "What a scheduler sees, asked from outside the nodes"
	printf '   $ curl http://10.77.0.11:54005/getpfs\n'
	getpfs node1 >"$work/answer" || fail "node1 does not answer"
	cut -c 1-300 "$work/answer" | head -n 5 | sed 's/^/     /'
	echo "     ..."
	for n in $nodes; do
		getpfs "$n" >"$work/answer" || fail "$n does not answer"
		$pfs check <"$work/answer" || fail "$n: the answer is not complete"
		printf '   %s:\n' "$n"
		$pfs table <"$work/answer" | sed 's/^/   /'
	done
	for p in enp1s0f0 enp1s0f1; do
		expect node1 "$p has 7 VFs" 7 "$p" capacity_vfs
		expect node1 "none of them is in use" 0 "$p" used_vfs
		expect node1 "it can give 1000 Mb/s" 1000 "$p" capacity_tx_rate
		expect node1 "trust is on, as in the document" ON "$p" 0 trust
	done
}

use_vfs() {
	title "VF 2 of enp1s0f0 moves into a network namespace, on both nodes"
	for n in $nodes; do
		on "$n" 'vf=$(ls /sys/class/net/enp1s0f0/device/virtfn2/net)
			ip netns add pod
			ip link set "$vf" netns pod name eth0
			ip -n pod addr add "192.0.2.$1/24" dev eth0
			ip -n pod link set eth0 up
			echo "   $(hostname): $vf is eth0 with 192.0.2.$1 in the namespace pod"' "${n#node}"
		expect "$n" "$n reports it as allocated" true enp1s0f0 2 allocated
		expect "$n" "$n counts it" 1 enp1s0f0 used_vfs
		expect "$n" "its neighbour is still free" false enp1s0f0 1 allocated
	done
	getpfs node1 | $pfs table | sed -n '1,6p' | sed 's/^/   /'
}

ping_vfs() {
	title "The two VFs talk to each other over the wire"
	tries=0
	until $lab exec --timeout 20 node1 -- ip netns exec pod ping -c 3 -W 2 192.0.2.2 >"$work/ping"; do
		tries=$((tries + 1))
		[ $tries -lt 5 ] || fail "no answer: $(cat "$work/ping")"
	done
	sed 's/^/     /' "$work/ping"
	ok "node1's VF reaches node2's"
}

free_vfs() {
	title "The namespaces end, the VFs come back"
	for n in $nodes; do
		on "$n" 'ip netns del pod'
		expect "$n" "$n reports VF 2 as free again" false enp1s0f0 2 allocated
	done
}

# cni NODE COMMAND: runs rdma-cni for the pod "web", as a container runtime does.
cni() {
	on "$1" 'CNI_COMMAND=$1 CNI_CONTAINERID=web CNI_NETNS=/run/netns/web CNI_IFNAME=eth0 \
		CNI_PATH=/opt/cni/bin rdma-cni </tmp/net.conf 2>/tmp/cni.log || {
			cat /tmp/cni.log >&2
			exit 1
		}
		sed "s/^/     /" /tmp/cni.log' "$2"
}

add_pods() {
	title "A pod on each node asks for two interfaces: rdma-cni ADD"
	asked='[{"min_tx_rate": 600, "max_tx_rate": 700}, {"min_tx_rate": 500, "max_tx_rate": 800}]'
	printf '   annotation: %s\n' "$asked"
	for n in $nodes; do
		on "$n" 'ip -j -d link >/tmp/links.before
			ip netns add web
			cat >/tmp/net.conf <<EOF
			{"cniVersion": "1.0.0", "name": "demo", "type": "rdma-cni", "min_tx_rate": "account",
			 "runtimeConfig": {"io.kubernetes.cri.pod-annotations": {"rdma_interfaces_required": "$2"}},
			 "ipam": {"type": "host-local",
			  "ranges": [[{"subnet": "198.51.100.0/24", "rangeStart": "198.51.100.${1}0"}]]}}
EOF' "${n#node}" "$(printf %s "$asked" | sed 's/"/\\"/g')"
		printf '   %s $ CNI_COMMAND=ADD ... rdma-cni\n' "$n"
		cni "$n" ADD >"$work/answer"
		sed 's/^ *\({\)/     \1/' "$work/answer" | cut -c 1-160
	done
	getpfs node1 | $pfs table | sed 's/^/   /'
	used=$(getpfs node1 | $pfs get enp1s0f0 used_tx_rate)
	other=$(getpfs node1 | $pfs get enp1s0f1 used_tx_rate)
	[ $((used + other)) = 1100 ] || fail "$used and $other Mb/s are reserved, not 1100 together"
	ok "600 and 500 Mb/s do not fit one port of 1000: one on each, $used and $other reserved"
}

ping_pods() {
	title "The pods talk to each other, each interface with its own address"
	for i in 0 1; do
		tries=0
		until $lab exec --timeout 20 node1 -- ip netns exec web ping -c 2 -W 2 -I "eth$i" \
			"198.51.100.2$i" >"$work/ping"; do
			tries=$((tries + 1))
			[ $tries -lt 5 ] || fail "no answer: $(cat "$work/ping")"
		done
		ok "node1 eth$i reaches 198.51.100.2$i on node2"
	done
}

del_pods() {
	title "rdma-cni DEL: every VF is exactly as it was"
	for n in $nodes; do
		cni "$n" DEL
		on "$n" 'ip netns del web; ip -j -d link | cmp - /tmp/links.before'
		ok "$n: the kernel says the same of every link as before"
	done
}

stop_all() {
	title "The end: the servers are told to stop, the nodes are taken down"
	for n in $nodes; do
		on "$n" 'pid=$(cat /tmp/serve.pid); kill -TERM "$pid"
			i=0; while [ ! -s /tmp/serve.status ]; do
				i=$((i + 1)); [ $i -lt 50 ] || { cat /tmp/serve.log; exit 1; }; sleep 0.1
			done
			[ "$(cat /tmp/serve.status)" = 0 ] || { cat /tmp/serve.log; exit 1; }'
		ok "$n: rdma-ds serve has ended with exit status 0"
	done
	$lab down || fail "the lab does not end"
	[ "$($lab status)" = down ] || fail "the lab is still up"
	ok "nothing is left"
}

[ -x build/bin/rdma-ds ] || fail "build/bin/rdma-ds is missing: run make first"
if [ "$($lab status)" != down ]; then
	fail "a lab is up already: take it down with scripts/lab down"
fi
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
work=$(mktemp -d)
start_lab
add_rdma
init_nodes
serve_nodes
read_nodes
use_vfs
ping_vfs
free_vfs
add_pods
ping_pods
del_pods
stop_all
printf '\nAll steps passed.\n'
