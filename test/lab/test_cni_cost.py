# SPDX-License-Identifier: MIT
"""How much is asked of the kernel for one interface: as much on a full node as on an empty one."""

import json
import os

from cnitool import PFS, Cni, conf
from labtool import TOP

COUNT = r"""
for c in ADD DEL; do
    CNI_COMMAND=$c CNI_CONTAINERID=p1 CNI_NETNS=/run/netns/p1 CNI_IFNAME=eth0 CNI_PATH=/opt/cni/bin \
        /tmp/killat 0 rdma-cni </tmp/cost.conf >/tmp/out 2>/tmp/log || [ $? = 1 ]
    grep -q '"code"' /tmp/out && cat /tmp/out >&2 && exit 1
    tail -n 1 /tmp/log
done
"""


def count(node):
    """System calls of an ADD of one interface and of its DEL."""
    return [int(i) for i in node.text("sh", "-ec", COUNT).split()]


def bring_up(node, vfs):
    """A PF with a link is asked for its speed, so the links must be there for both counts."""
    node.init("--all-sriov", "--num-vfs", vfs)
    for pf in PFS:
        node.wait(lambda pf=pf: "LOWER_UP" in node.link(pf)["flags"], f"{pf} has a link")


def test_as_many_system_calls_with_more_vfs_and_netdevs(node1):
    """Without IPAM, whose run takes one call more or less."""
    node1.lab.call("push", node1.name, os.path.join(TOP, "build/tools/killat"), "/tmp/killat")
    node1.write("/tmp/cost.conf", json.dumps(conf(interfaces=[{}], ipam={})))
    cni = Cni(node1)
    cni.pod("p1")
    bring_up(node1, "2")
    first = count(node1)
    few = count(node1)
    assert few[0] < first[0], "the PFs were not remembered"
    assert few == count(node1)
    for pf in PFS:
        node1.run("sh", "-ec", f"echo 0 >/sys/class/net/{pf}/device/sriov_numvfs")
    bring_up(node1, "7")
    node1.sh("for i in $(seq 30); do ip link add c$i type veth peer name d$i; done")
    try:
        count(node1)  # init had the PFs forgotten
        many = count(node1)
    finally:
        node1.sh("for i in $(seq 30); do ip link del c$i; done")
    assert many == few
    assert few[0] < 300, few

