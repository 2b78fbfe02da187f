# SPDX-License-Identifier: MIT
"""How much is asked of the kernel for one interface: as much on a full node as on an empty one."""

import difflib
import json
import os

from cnitool import PFS, Cni, conf
from labtool import TOP

LIST = r"""
for c in ADD DEL; do
    CNI_COMMAND=$c CNI_CONTAINERID=p1 CNI_NETNS=/run/netns/p1 CNI_IFNAME=eth0 CNI_PATH=/opt/cni/bin \
        /tmp/killat list rdma-cni </tmp/cost.conf >/tmp/out 2>/tmp/log || [ $? = 1 ]
    if grep '"code"' /tmp/out >&2; then exit 1; fi
    grep '^call ' /tmp/log
    echo end
done
"""


def has_links(node):
    return all("LOWER_UP" in node.link(pf)["flags"] for pf in PFS)


def bring_up(node, vfs):
    """VFs, and everything that an ADD reads: both links up, and their speeds on record. Making VFs
    takes the links away for a while; rdma-ds records the speed of those that are up."""
    files = [f"/run/ferrule/speed/{node.pci(pf)}" for pf in PFS]

    def on_record():
        if not has_links(node):
            return False
        node.init("--all-sriov", "--num-vfs", str(vfs))
        return node.run("cat", *files, check=False).returncode == 0

    for pf in PFS:
        node.run("sh", "-ec", f"echo 0 >/sys/class/net/{pf}/device/sriov_numvfs")
    node.init("--all-sriov", "--num-vfs", str(vfs))
    node.wait(on_record, "the speeds of both links are on record")


def calls(node):
    """System calls of an ADD of one interface and of its DEL, with both PFs' links up all the time:
    of one without a link the speed is not asked."""
    for _ in range(5):
        node.wait(lambda: has_links(node), "both PFs have links")
        add, delete, _ = node.text("sh", "-ec", LIST).split("end\n")
        if has_links(node):
            return add.splitlines(), delete.splitlines()
    raise AssertionError("the links do not stay")


def settled(node):
    """What it is once nothing new has to be remembered any more."""
    last = [[], []]
    for _ in range(8):
        now = calls(node)
        if [len(i) for i in now] == [len(i) for i in last]:
            return now
        last = now
    raise AssertionError("no two calls in a row are alike")


def test_as_many_system_calls_with_more_vfs_and_netdevs(node1):
    """Without IPAM, whose run takes one call more or less."""
    node1.lab.call("push", node1.name, os.path.join(TOP, "build/tools/killat"), "/tmp/killat")
    node1.write("/tmp/cost.conf", json.dumps(conf(interfaces=[{}], ipam={})))
    Cni(node1).pod("p1")
    bring_up(node1, 3)  # of two, fewer addresses are read
    first = calls(node1)
    few = settled(node1)
    assert 100 < len(few[0]) < len(first[0]), "the PFs were not remembered"
    bring_up(node1, 7)
    node1.sh("for i in $(seq 30); do ip link add c$i type veth peer name d$i; done")
    try:
        many = settled(node1)
    finally:
        node1.sh("for i in $(seq 30); do ip link del c$i; done")
    for command, f, m in zip(("ADD", "DEL"), few, many):  # eight VFs, sixty interfaces more
        more = "\n".join(difflib.unified_diff(f, m, lineterm="", n=1))
        assert len(f) == len(m), f"{command} makes {len(f)}, then {len(m)} calls:\n{more}"
    assert len(few[0]) < 300, few[0]
