#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs on a node: kill_cni.sh ADD|DEL CONF <POINTS. Each line of POINTS is "N RETRY": rdma-cni's
# command is killed before its Nth system call, and then the runtime does one of
#   again DEL, and ADD (after a DEL that was killed: as the next point's)
#   gc    GC without a valid attachment
#   gone  DEL after the pod's namespace was deleted
# after which links, state directory and IPAM's store must be what they were before; and each ADD
# must do what the first one did. Prints nothing but "passed N" at the end, N points, or what
# differs at the first one that failed.
#
# kill_cni.sh count ADD|DEL CONF: how many system calls there are.
set -u
export CNI_CONTAINERID=k1 CNI_NETNS=/run/netns/k1 CNI_IFNAME=eth0 CNI_PATH=/opt/cni/bin:/opt/lab

fail() {
	echo "failed $command $point: $*"
	cat /tmp/kill.out /tmp/kill.log /tmp/out /tmp/log 2>/dev/null
	exit 1
}

call() {
	CNI_COMMAND=$1 rdma-cni <"$net" >/tmp/out 2>/tmp/log || fail "$1 after it"
}

# Files in the state directory itself are locks: they say who held them last.
state() {
	ip -j -d link
	find /run/ferrule /var/lib/cni | sort
	grep -r "" /run/ferrule/*/ /var/lib/cni 2>/dev/null | sort
}

same() {
	cmp -s "$1" "$2" || fail "$3: $(diff "$1" "$2")"
}

as_before() {
	state >/tmp/state.now
	same /tmp/state.before /tmp/state.now "the state differs"
}

# What an ADD has made of node and pod; in a record only the namespace's inode may differ, and the
# carrier comes when it comes.
added() {
	ip -j -d link
	ip -n k1 -4 -o addr
	ip -n k1 -o link | sed 's/<.*>//; s/ state [A-Z]*//'
	ip -n k1 route | sed 's/ linkdown//'
	find /run/ferrule /var/lib/cni | sort
	cat /run/ferrule/attachments/* 2>/dev/null | sed 's/"inode":[0-9]*//g'
}

add() {
	call ADD
	added >/tmp/added.now
	same /tmp/added /tmp/added.now "an ADD that does something else"
}

retry() {
	case $1 in
	again)
		call DEL
		[ "$command" = ADD ] || return
		as_before
		add
		call DEL
		;;
	gc) (
		unset CNI_CONTAINERID CNI_NETNS CNI_IFNAME
		call GC
	) || exit 1 ;;
	gone)
		ip netns del k1
		call DEL
		return
		;;
	esac
	[ "$(ip -n k1 -br link | wc -l)" = 1 ] || fail "something is left in the pod"
}

count() {
	ip netns add k1
	CNI_COMMAND=ADD /tmp/killat 0 rdma-cni <"$net" 2>/tmp/calls.ADD >/tmp/out || true
	CNI_COMMAND=DEL /tmp/killat 0 rdma-cni <"$net" 2>/tmp/calls.DEL >/tmp/out || true
	ip netns del k1
	tail -n 1 "/tmp/calls.$command"
}

if [ "$1" = count ]; then
	command=$2 net=$3
	count
	exit 0
fi
command=$1 net=$2 point=first passed=0 failed=0
count >/dev/null
state >/tmp/state.before
ip netns add k1
call ADD
added >/tmp/added
call DEL
ip netns del k1

# In a namespace of its own for each point: nothing that one has may help the next one.
try() {
	rm -f /tmp/out /tmp/log
	ip netns add k1
	[ "$command" = ADD ] || add
	CNI_COMMAND=$command /tmp/killat "$1" rdma-cni <"$net" >/tmp/kill.out 2>/tmp/kill.log
	[ $? -le 1 ] || fail "killat"
	retry "$2"
	as_before
	[ "$2" = gone ] || ip netns del k1
}

while read -r n retry; do
	point="$n $retry"
	if (try "$n" "$retry"); then
		passed=$((passed + 1))
		continue
	fi
	# The next points start from where this one has left the node, if DEL cannot repair it.
	ip netns del k1 2>/dev/null
	CNI_COMMAND=DEL rdma-cni <"$net" >/dev/null 2>&1
	state >/tmp/state.before
	failed=$((failed + 1))
	[ "$failed" -lt 3 ] || exit 1
done
ip netns add k1
add
call DEL
ip netns del k1
echo "passed $passed"
