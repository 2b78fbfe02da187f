#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs on a node: kill_cni.sh COMMAND FROM TO. Kills rdma-cni's COMMAND (ADD or DEL) before its
# FROMth, ..., TOth system call, each time followed by what a runtime does next (DEL; DEL, ADD and
# DEL; GC), and compares the node's state with the start. Prints "passed N" for each point, "end N"
# when the command has fewer calls than N, "failed N" and the difference.
set -u
command=$1 at=$2 to=$3
export CNI_CONTAINERID=k1 CNI_NETNS=/run/netns/k1 CNI_IFNAME=eth0 CNI_PATH=/opt/cni/bin:/opt/lab

state() {
	ip -j -d link
	ls -A /run/ferrule/attachments
	cat /run/ferrule/attachments/* 2>/dev/null
	find /var/lib/cni/networks -type f ! -name lock ! -name 'last_reserved_ip*' |
		while read -r f; do echo "$f"; cat "$f"; done
}

call() {
	CNI_COMMAND=$1 rdma-cni <"$net" >/tmp/out 2>/tmp/log || {
		echo "failed $at: $1"
		cat /tmp/out /tmp/log
		exit 1
	}
}

again() {
	case $((at % 3)) in
	0) call DEL ;;
	1)
		call DEL
		call ADD
		call DEL
		;;
	2) (
		unset CNI_CONTAINERID CNI_NETNS CNI_IFNAME
		call GC
	) || exit 1 ;;
	esac
}

state >/tmp/state.before
while [ "$at" -le "$to" ]; do
	net=/tmp/kill$((at % 3)).conf
	ip netns add k1
	[ "$command" = ADD ] || call ADD
	CNI_COMMAND=$command /tmp/killat "$at" rdma-cni <"$net" >/tmp/out 2>/tmp/log
	killed=$?
	again
	[ "$(ip -n k1 -br link | wc -l)" = 1 ] || echo "failed $at: something is left in the pod"
	ip netns del k1
	state >/tmp/state.after
	if ! cmp -s /tmp/state.before /tmp/state.after; then
		echo "failed $at: the state differs"
		diff /tmp/state.before /tmp/state.after
		cat /tmp/log
		exit 1
	fi
	case $killed in
	0) echo "passed $at" ;;
	1)
		echo "end $at"
		exit 0
		;;
	*)
		echo "failed $at: killat"
		exit 1
		;;
	esac
	at=$((at + 1))
done
