#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs on a node: does what the lines on stdin say, each "POD CONF ADD|DEL|GC|die" or
# "POD CONF kill ADD|DEL N". Prints what a runtime would not expect: a DEL or GC that fails, an ADD
# that fails for another reason than a pod that has interfaces already (7) or a full node (101).
set -u
export CNI_IFNAME=eth0 CNI_PATH=/opt/cni/bin:/opt/lab

run() {
	export CNI_COMMAND="$1" CNI_CONTAINERID="$2" CNI_NETNS="/run/netns/$2"
	shift 2
	"$@" rdma-cni <"/tmp/$net.conf" >/tmp/out 2>/tmp/log
}

report() {
	echo "$pod $net $what $a $n:"
	cat /tmp/out /tmp/log
}

while read -r pod net what a n; do
	[ -e "/run/netns/$pod" ] || [ "$what" = die ] || ip netns add "$pod"
	case $what in
	ADD) run ADD "$pod" env || grep -Eq '"code":(7|101),' /tmp/out || report ;;
	DEL) run DEL "$pod" env || report ;;
	GC) run GC "$pod" env || report ;;
	die) [ ! -e "/run/netns/$pod" ] || ip netns del "$pod" ;;
	kill)
		run "$a" "$pod" /tmp/killat "$n"
		[ $? -le 1 ] || report
		;;
	esac
done
