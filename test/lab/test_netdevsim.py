# SPDX-License-Identifier: MIT
"""A simulated PF with 126 VFs: minimum rates, and the scale of a big card.

Its VFs are no PCI functions: no pod can be given one, so all of them count as allocated.
"""

import json
import random

import pytest

from expected import compare
from labtool import AS_NOBODY

pytestmark = pytest.mark.usefixtures("rdma_ds")

VFS = 126
ALL = tuple(range(VFS))
CAPACITY = 100000


@pytest.fixture
def big(node1):
    """(node1, the simulated PF's name), with all VFs enabled."""
    node1.sh("""modprobe netdevsim
        echo "5 1" >/sys/bus/netdevsim/new_device
        echo $1 >/sys/kernel/debug/netdevsim/netdevsim5/max_vfs
        echo $1 >/sys/bus/netdevsim/devices/netdevsim5/sriov_numvfs""", str(VFS))
    name = node1.text("ls", "/sys/bus/netdevsim/devices/netdevsim5/net").split()[0]
    node1.write("/etc/ferrule/node.json",
                json.dumps({"pfs": [{"name": name, "capacityMbps": CAPACITY}]}))
    return node1, name


def set_everything(node, name, seed):
    """Gives every VF settings of its own, in one batch."""
    rng = random.Random(seed)
    lines = []
    for vf in range(VFS):
        low = rng.choice([0, 1, 100, 999])
        high = rng.choice([0, low, low + 1, 40000])
        lines += [
            f"link set {name} vf {vf} mac 02:00:00:00:{rng.randrange(256):02x}:{vf:02x}",
            f"link set {name} vf {vf} vlan {rng.randrange(1, 4095)} qos {rng.randrange(8)} "
            f"proto {rng.choice(['802.1q', '802.1ad'])}" if rng.random() < 0.7 else
            f"link set {name} vf {vf} vlan 0",
            f"link set {name} vf {vf} min_tx_rate {low} max_tx_rate {high}",
            f"link set {name} vf {vf} spoofchk {rng.choice(['on', 'off'])}",
            f"link set {name} vf {vf} trust {rng.choice(['on', 'off'])}",
            f"link set {name} vf {vf} state {rng.choice(['auto', 'enable', 'disable'])}",
        ]
    node.run("ip", "-batch", "-", data=("\n".join(lines) + "\n").encode())


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_126_vfs_with_rates_agree_with_ip(big, seed):
    node, name = big
    set_everything(node, name, seed)
    node.serve(prefix=AS_NOBODY)
    got = compare(node, name, allocated=ALL, capacity=CAPACITY, used_tx_rate=0)
    assert got["capacity_vfs"] == VFS
    assert len({v["min_tx_rate"] for v in got["vfs"]}) > 2
    assert len({v["link_state"] for v in got["vfs"]}) == 3


def test_changes_are_seen_while_running(big):
    node, name = big
    node.serve()
    compare(node, name, allocated=ALL, capacity=CAPACITY, used_tx_rate=0)
    set_everything(node, name, 4)
    compare(node, name, allocated=ALL, capacity=CAPACITY, used_tx_rate=0)


def test_fewer_vfs_and_none(big):
    node, name = big
    node.serve()
    for n in (0, 1, 125):
        node.sh('echo $1 >/sys/bus/netdevsim/devices/netdevsim5/sriov_numvfs', "0")
        node.sh('echo $1 >/sys/bus/netdevsim/devices/netdevsim5/sriov_numvfs', str(n))
        if n:
            node.wait(lambda n=n: [p["capacity_vfs"] for p in node.getpfs()] == [n], f"{n} VFs")
        else:
            node.wait(lambda: node.getpfs() == [], "no PF has VFs")


def test_init_sets_simulated_vfs(big):
    node, name = big
    done = node.init("--pf", name)
    assert f"{name}: {VFS} VFs, {VFS} set up" in done.stderr.decode()
    infos = node.link(name)["vfinfo_list"]
    assert len({i["address"] for i in infos}) == VFS
    assert all(int(i["address"][:2], 16) & 3 == 2 for i in infos)  # local, unicast
    assert all(i["trust"] is True and i["spoofchk"] is False for i in infos)
    done = node.init("--pf", name)
    assert f"{name}: {VFS} VFs, all as they should be" in done.stderr.decode()
    done = node.init("--pf", name, "--num-vfs", "5", check=False)
    assert done.returncode == 100
    assert "does not say how many it can have" in done.stderr.decode()


def test_the_ledger_says_what_is_reserved(big):
    """On each VF that has a record the larger of promise and card counts, on the others nothing."""
    node, name = big
    set_everything(node, name, 5)
    promised = {0: 0, 3: 500, 50: 1, 125: 20000}
    for vf, rate in promised.items():
        node.write(f"/run/ferrule/attachments/c{vf}:eth0.json", json.dumps({
            "version": 1, "phase": "attached", "containerId": f"c{vf}", "ifname": "eth0",
            "pf": name, "vf": vf, "minTxRate": rate, "maxTxRate": 0}))
    node.serve()
    said = {p["name"]: p for p in json.loads(node.fetch("/v1/node").stdout)["pfs"]}
    assert (said[name]["used_vfs"], said[name]["free_vfs"]) == (len(promised), 0)
    card = {i["vf"]: i["rate"]["min_tx"] for i in node.link(name)["vfinfo_list"]}
    assert sum(card.values()) > sum(card[vf] for vf in promised), "no rate is left on a free VF"
    compare(node, name, allocated=ALL, capacity=CAPACITY,
            used_tx_rate=sum(max(rate, card[vf]) for vf, rate in promised.items()))
