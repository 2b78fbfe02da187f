#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""ADD and DEL in the lab: rdma-cni against the distribution's host-device plugin, on the same VF with
the same IPAM, in turns, each as a runtime runs it; then 14 ADDs at once against 14 in a row.

usage: cni.py [ROUNDS]      takes a lab up and down; the figures are those of an emulated machine
"""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lab"))
from labtool import Lab  # noqa: E402

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
        i=$((i + 1))
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
    once, row = (sums["many", how, "ADD"] * 10 for how in ("once", "row"))
    print(f"  14 ADDs            at once {once:8.0f} ms  in a row {row:10.0f} ms  "
          f"ratio {once / max(row, 1):.2f}")


main()
