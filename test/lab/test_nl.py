# SPDX-License-Identifier: MIT
"""src/nl on virtual functions of a kernel's own: nl_dump beside ip, and lists too long for ip."""

import json
import os

import pytest

from labtool import TOP

TOOL = "/tmp/nl_dump"
PF = "enp1s0f0"
LINK_STATES = {"auto": 0, "enable": 1, "disable": 2}


@pytest.fixture
def node(lab, node1):
    lab.call("push", node1.name, os.path.join(TOP, "build", "tools", "nl_dump"), TOOL)
    return node1


@pytest.fixture
def pf(node):
    """A PF that is up, with four VFs."""
    node.sh("""ip link set "$1" up
        i=0
        until [ "$(cat "/sys/class/net/$1/operstate")" = up ] || [ $i = 100 ]; do i=$((i + 1)); sleep 0.1; done
        echo 4 >"/sys/class/net/$1/device/sriov_numvfs" """, PF)
    return PF


def dump(node, kind):
    objects = [json.loads(line) for line in node.text(TOOL).splitlines()]
    return [o for o in objects if o["type"] == kind]


def vfs_of(node, netdev):
    index = node.link(netdev)["ifindex"]
    return [o for o in dump(node, "vf") if o["pf"] == index]


def check_same(node, netdev):
    ours, theirs = vfs_of(node, netdev), node.link(netdev)["vfinfo_list"]
    assert [o["vf"] for o in ours] == [t["vf"] for t in theirs] == list(range(len(ours)))
    for our, their in zip(ours, theirs):
        assert our["mac"] == their["address"]
        assert our["spoofchk"] == their["spoofchk"]
        assert our["trust"] == their["trust"]
        assert our["link_state"] == LINK_STATES[their["link_state"]]
        assert our["min_tx_rate"] == their["rate"]["min_tx"]
        assert our["max_tx_rate"] == their["rate"]["max_tx"]
        vlan = their["vlan_list"][0]
        assert (our["vlan"], our["qos"]) == (vlan.get("vlan", 0), vlan.get("qos", 0))
    return ours


def setting(node, netdev, *args):
    return node.run(TOOL, "vf", netdev, *map(str, args), check=False)


def test_igb_settings_are_what_ip_says(node, pf):
    check_same(node, pf)
    for args in ((0, "mac", "02:00:00:00:00:10"), (1, "trust", 1), (1, "spoofchk", 0), (2, "rate", 0, 500),
                 (3, "vlan", 100, 2, "8100")):
        done = setting(node, pf, *args)
        assert done.returncode == 0, done.stderr
    ours = check_same(node, pf)
    assert ours[0]["mac"] == "02:00:00:00:00:10"
    assert (ours[1]["trust"], ours[1]["spoofchk"]) == (True, False)
    assert ours[2]["max_tx_rate"] == 500
    assert (ours[3]["vlan"], ours[3]["qos"], ours[3]["proto"]) == (100, 2, 0x8100)
    assert ours[0]["rss_query"] is None  # igb has no such setting


REFUSED = [
    ((2, "rate", 10, 500), "set rates of VF 2: Invalid argument"),
    ((2, "rate", 0, 5000), "set rates of VF 2: Invalid argument"),
    ((4, "trust", 1), "set trust of VF 4: "),
    ((1, "mac", "01:00:00:00:00:01"), "set MAC address of VF 1: "),
    ((3, "vlan", 100, 2, "88a8"), "set VLAN of VF 3: "),
    ((3, "link_state", 1), "set link state of VF 3: "),
    ((1, "node_guid", "1122334455667788"), "set node GUID of VF 1: "),
    ((1, "port_guid", "1122334455667788"), "set port GUID of VF 1: "),
]


def test_igb_refuses(node, pf):
    before = vfs_of(node, pf)
    for args, message in REFUSED:
        done = setting(node, pf, *args)
        assert done.returncode != 0
        assert message in done.stderr.decode()
    assert vfs_of(node, pf) == before


def test_netdev_elsewhere_parent_and_speed(node, pf):
    node.sh("ip netns add away; ip link set eth1 netns away")
    assert len(check_same(node, pf)) == 4
    link = next(o for o in dump(node, "link") if o["name"] == pf)
    assert (link["parent_bus"], link["parent_dev"]) == ("pci", "0000:01:00.0")
    assert link["perm_address"] == node.link(pf)["address"]
    speed = next(o for o in dump(node, "speed") if o["ifindex"] == link["ifindex"])
    assert (speed["mbps"], speed["known"], speed["link"]) == (1000, True, True)


def test_soft_roce_leads_to_its_netdev(node, pf):
    node.sh("""modprobe rdma_rxe; rdma link add rxe7 type rxe netdev "$1" """, pf)
    dev = next(o for o in dump(node, "rdma_dev") if o["name"] == "rxe7")
    port = next(o for o in dump(node, "rdma_port") if o["dev"] == dev["index"])
    assert dev["protocol"] == "roce"
    assert (port["port"], port["netdev"], port["ifindex"]) == (1, pf, node.link(pf)["ifindex"])
    node.run("rdma", "link", "delete", "rxe7")
    assert not dump(node, "rdma_dev")


@pytest.mark.parametrize("count", [334, 335, 1000])
def test_more_vfs_than_an_attribute_can_hold(node, count):
    """Above 334 VFs the kernel's list length overflows, which ip reports as a truncated list."""
    netdev = node.sh("""modprobe netdevsim
        echo "5 1" >/sys/bus/netdevsim/new_device
        echo "$1" >/sys/kernel/debug/netdevsim/netdevsim5/max_vfs
        echo "$1" >/sys/bus/netdevsim/devices/netdevsim5/sriov_numvfs
        ls /sys/bus/netdevsim/devices/netdevsim5/net""", str(count)).stdout.decode().strip()
    marks = sorted({0, 1, count // 2, count - 1})
    for vf in marks:
        done = setting(node, netdev, vf, "rate", 1 + vf, 2000 + vf)
        assert done.returncode == 0, done.stderr
    assert setting(node, netdev, count, "trust", 1).returncode != 0
    vfs = vfs_of(node, netdev)
    assert [v["vf"] for v in vfs] == list(range(count))
    for vf in vfs:
        want = (1 + vf["vf"], 2000 + vf["vf"]) if vf["vf"] in marks else (0, 0)
        assert (vf["min_tx_rate"], vf["max_tx_rate"]) == want
    link = next(o for o in dump(node, "link") if o["name"] == netdev)
    assert (link["parent_bus"], link["parent_dev"]) == ("netdevsim", "netdevsim5")
