#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""ADD and DEL in the lab: rdma-cni against the distribution's host-device plugin, on the same VF with
the same IPAM, in turns, each as a runtime runs it; beside them the kernel's part alone (move, rename
and up; down and move), which both of them wait for; then peak memory, and 14 ADDs at once against 14
in a row.

usage: cni.py [ROUNDS]      takes a lab up and down; the figures are those of an emulated machine
"""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lab"))
from labtool import TOP, Lab  # noqa: E402

ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 10

# The clock of /proc/uptime ticks in 1/100 s: the sum over many calls is what counts.
SCRIPT = r"""
export CNI_PATH=/opt/cni/bin CNI_IFNAME=eth0
now() { read -r up rest </proc/uptime; echo "${up%.*}${up#*.}"; }
call() { # PLUGIN COMMAND CONTAINER CONF
    CNI_COMMAND=$2 CNI_CONTAINERID=$3 CNI_NETNS=/run/netns/$3 "$1" <"$4" >/tmp/out 2>/tmp/log ||
        { cat /tmp/out /tmp/log >&2; exit 1; }
}
ipam='"ipam": {"type": "host-local", "ranges": [[{"subnet": "10.9.0.0/24"}]]}'
vf=$(ls /sys/class/net/enp1s0f0/device/virtfn0/net)
for kind in ipam bare; do
    [ $kind = ipam ] && more=", $ipam" || more=
    echo '{"cniVersion": "1.0.0", "name": "b", "type": "rdma-cni", "interfaces": [{}]'"$more}" \
        >/tmp/ours.$kind
    echo '{"cniVersion": "1.0.0", "name": "b", "type": "host-device", "device": "'"$vf"'"'"$more}" \
        >/tmp/theirs.$kind
done
ip netns add b
for kind in ipam bare; do
    i=0
    while [ $i -lt "$1" ]; do
        for who in ours theirs; do
            [ $who = ours ] && plugin=rdma-cni || plugin=/opt/cni/bin/host-device
            for command in ADD DEL; do
                t=$(now)
                call $plugin $command b /tmp/$who.$kind
                echo "$kind $who $command $(($(now) - t))"
            done
        done
        if [ $kind = bare ]; then
            t=$(now)
            /tmp/justmove in /run/netns/b "$vf" eth0
            echo "bare kernel ADD $(($(now) - t))"
            t=$(now)
            /tmp/justmove out /run/netns/b eth0 "$vf"
            echo "bare kernel DEL $(($(now) - t))"
        fi
        i=$((i + 1))
    done
done
for who in ours theirs; do
    [ $who = ours ] && plugin=rdma-cni || plugin=/opt/cni/bin/host-device
    for command in ADD DEL; do
        CNI_COMMAND=$command CNI_CONTAINERID=b CNI_NETNS=/run/netns/b \
            /tmp/peak $plugin </tmp/$who.ipam >/tmp/out 2>/tmp/log
        echo "peak $who $command $(tail -n 1 /tmp/log)"
    done
done
pods=$(seq 14)
for i in $pods; do ip netns add b$i; done
for how in row once; do
    t=$(now)
    for i in $pods; do
        if [ $how = row ]; then call rdma-cni ADD b$i /tmp/ours.ipam; else
            (call() { CNI_COMMAND=ADD CNI_CONTAINERID=b$i CNI_NETNS=/run/netns/b$i rdma-cni \
                </tmp/ours.ipam >/dev/null 2>&1; }; call) & fi
    done
    wait
    echo "many $how ADD $(($(now) - t))"
    for i in $pods; do call rdma-cni DEL b$i /tmp/ours.ipam; done
done
"""


def main():
    lab = Lab()
    lab.up(nodes=1)
    try:
        node = lab.nodes[0]
        node.init("--all-sriov")
        for tool in ("justmove", "peak"):
            lab.call("push", node.name, os.path.join(TOP, "build/tools", tool), f"/tmp/{tool}")
        text = node.run("sh", "-ec", SCRIPT, "sh", str(ROUNDS), timeout=900).stdout.decode()
    finally:
        lab.down()
    sums = {}
    for kind, who, command, ticks in re.findall(r"^(\w+) (\w+) (\w+) (\d+)$", text, re.M):
        sums[kind, who, command] = sums.get((kind, who, command), 0) + int(ticks)
    for kind, name in (("ipam", "with host-local"), ("bare", "without IPAM")):
        for command in ("ADD", "DEL"):
            ours, theirs = (sums[kind, who, command] * 10 / ROUNDS for who in ("ours", "theirs"))
            print(f"  {command} {name:<16} rdma-cni {ours:7.0f} ms  host-device {theirs:7.0f} ms  "
                  f"ratio {ours / max(theirs, 1):.2f}")
    for command in ("ADD", "DEL"):
        kernel = sums["bare", "kernel", command] * 10 / ROUNDS
        rest = [sums["bare", who, command] * 10 / ROUNDS - kernel for who in ("ours", "theirs")]
        print(f"  {command} the kernel alone {kernel:7.0f} ms; on top of it rdma-cni {rest[0]:.0f} ms, "
              f"host-device {rest[1]:.0f} ms")
    for command in ("ADD", "DEL"):
        print(f"  {command} peak memory      rdma-cni {sums['peak', 'ours', command]:6} KiB "
              f"host-device {sums['peak', 'theirs', command]:6} KiB")
    once, row = (sums["many", how, "ADD"] * 10 for how in ("once", "row"))
    print(f"  14 ADDs            at once {once:8.0f} ms  in a row {row:10.0f} ms  "
          f"ratio {once / max(row, 1):.2f}")


main()
