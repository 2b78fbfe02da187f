# SPDX-License-Identifier: MIT
"""A VF lent to a network namespace and taken back: what the kernel shows must be as before."""

import json
import os

import pytest

from labtool import TOP

PF = "enp1s0f0"
TOOL = os.path.join(TOP, "build", "tools", "vf_attach")
RECORDS = "/run/ferrule/attachments"


@pytest.fixture(scope="session")
def pushed(lab):
    assert os.access(TOOL, os.X_OK), f"{TOOL} is missing: run make tools"
    for node in lab.nodes:
        lab.call("push", node.name, TOOL, "/bin/vf_attach")


@pytest.fixture
def node(node1, pushed, rdma_ds):
    """Three VFs, set up, with their PF's link up, and a namespace called pod."""
    del pushed, rdma_ds
    node1.init("--pf", PF, "--num-vfs", "3")
    node1.wait(lambda: "LOWER_UP" in node1.link(PF)["flags"], "the link of the PF is up")
    node1.sh("ip netns add pod")
    yield node1
    node1.sh("for v in $(ip -o link show type veth | sed 's/.*: \\(.*\\)@.*/\\1/'); do "
             "ip link del $v 2>/dev/null || true; done")


def tool(node, *argv, check=True, options=()):
    return node.run("vf_attach", *options, *argv, check=check)


def attach(node, index=0, name="eth0", box="c1", netns="pod", options=(), check=True):
    return tool(node, "attach", box, name, f"/run/netns/{netns}", PF, str(index),
                options=options, check=check)


def detach(node, name="eth0", box="c1", options=(), check=True):
    return tool(node, "detach", box, name, options=options, check=check)


def dump(node):
    """Everything about every link of the host, but what counts up by itself."""
    return json.loads(node.text("ip", "-j", "-d", "link"))


def records(node):
    return node.text("sh", "-c", f"ls {RECORDS}").split()


def said(done):
    return (done.stdout + done.stderr).decode()


def refused(done, *words):
    assert done.returncode == 1
    for word in words:
        assert word in said(done)


def same_as(node, before):
    """At once, or when the kernel has brought home what a dead namespace held."""
    assert dump(node) == before
    assert not records(node)


def test_attach_and_detach_leave_no_trace(node):
    before = dump(node)
    attach(node, options=("--max", "300", "--vlan", "7", "--mtu", "1400"))
    netdev = node.link("eth0", netns="pod")
    assert "UP" in netdev["flags"]
    assert netdev["mtu"] == 1400
    info = node.link(PF)["vfinfo_list"][0]
    assert (info["rate"]["max_tx"], info["vlan_list"][0]["vlan"]) == (300, 7)
    assert netdev["address"] == info["address"]
    assert len(records(node)) == 1
    detach(node)
    same_as(node, before)


def test_every_setting_and_altname_comes_back(node):
    vf = node.vf_netdev(PF, 0)
    node.sh('ip link set "$1" up mtu 1300 promisc on; ip link property add dev "$1" '
            'altname enp1s0f0v0 altname a-much-longer-alternative-name; '
            'ip link set "$2" vf 0 vlan 9 qos 3 trust off spoofchk on max_tx_rate 77',
            vf, PF)
    node.wait(lambda: node.link(vf)["operstate"] == "UP", "the VF's link is up")
    before = dump(node)
    attach(node, options=("--max", "300"))
    inside = node.link("eth0", netns="pod")
    info = node.link(PF)["vfinfo_list"][0]
    assert "PROMISC" not in inside["flags"] and inside["mtu"] == 1500
    assert "altnames" not in inside
    assert info["trust"] is True and info["spoofchk"] is False
    assert info.get("vlan_list", [{}])[0].get("vlan", 0) == 0
    detach(node)
    node.wait(lambda: node.link(vf)["operstate"] == "UP", "the VF's link is up again")
    same_as(node, before)


def test_what_the_pod_changed_is_undone(node):
    before = dump(node)
    attach(node)
    node.sh("ip -n pod link set eth0 down; ip -n pod link set eth0 name data0 mtu 1200; "
            "ip -n pod link set data0 promisc on allmulticast on address 02:00:00:00:77:01; "
            "ip -n pod link property add dev data0 altname the-pod-s-own; "
            "ip -n pod link set data0 up")
    detach(node)
    same_as(node, before)


def test_namespace_deleted_before_detach(node):
    before = dump(node)
    attach(node, options=("--max", "300"))
    node.sh("ip netns del pod")
    detach(node)
    same_as(node, before)


def test_namespace_dead_for_a_while(node):
    """The kernel brings the interface back under the pod's name or as devN: both are mended."""
    vf = node.vf_netdev(PF, 0)
    before = dump(node)
    attach(node, name="net1")
    node.sh("ip netns del pod")
    node.wait(lambda: node.vf_netdev(PF, 0) is not None, "the VF is back")
    assert node.vf_netdev(PF, 0) != vf
    detach(node, name="net1")
    same_as(node, before)


def test_another_namespace_at_the_same_path(node):
    before = dump(node)
    attach(node)
    node.sh("ip netns del pod; ip netns add pod; ip -n pod link add eth0 type veth peer name b")
    detach(node)
    assert node.link("eth0", netns="pod")["linkinfo"]["info_kind"] == "veth"
    same_as(node, before)


def test_name_of_the_host_side_taken_meanwhile_by_a_lent_vf(node):
    """VF 1 comes back from its dead namespace under VF 0's name, and VF 0 is released first."""
    names = [node.vf_netdev(PF, i) for i in range(3)]
    before = dump(node)
    node.sh("ip netns add other")
    attach(node, 0)
    attach(node, 1, name=names[0], box="c2", netns="other")
    node.sh("ip netns del other")
    node.wait(lambda: node.vf_netdev(PF, 1) == names[0], "VF 1 is back under VF 0's name")
    detach(node)
    assert node.vf_netdev(PF, 0) == names[0]
    detach(node, name=names[0], box="c2")
    same_as(node, before)


def test_name_of_the_host_side_taken_by_a_stranger(node):
    vf = node.vf_netdev(PF, 0)
    attach(node)
    node.sh('ip link add "$1" type veth peer name b', vf)
    done = detach(node)
    assert "is taken" in said(done)
    assert node.vf_netdev(PF, 0) == f"{PF}v0"
    assert node.link(vf)["linkinfo"]["info_kind"] == "veth"
    assert not records(node)


def test_two_vfs_with_altnames_that_clash_in_the_pod(node):
    """The altname of the second is the name of the first in the pod."""
    node.sh('ip link property add dev "$1" altname net0', node.vf_netdev(PF, 1))
    before = dump(node)
    attach(node, 0, name="net0")
    attach(node, 1, name="net1")
    assert node.link("net1", netns="pod")["ifname"] == "net1"
    detach(node, name="net1")
    detach(node, name="net0")
    same_as(node, before)


def test_name_taken_in_the_pod(node):
    node.sh("ip -n pod link add eth0 type veth peer name b")
    before = dump(node)
    refused(attach(node, check=False), "already has an interface eth0")
    same_as(node, before)
    node.sh("ip -n pod link set eth0 name veth0; "
            "ip -n pod link property add dev veth0 altname eth0")
    refused(attach(node, check=False), "already has an interface eth0")
    same_as(node, before)


def test_detach_many_times_and_of_nothing(node):
    before = dump(node)
    detach(node)
    attach(node)
    for _ in range(3):
        detach(node)
    same_as(node, before)


def test_late_detach_of_a_reused_vf(node):
    attach(node)
    node.sh(f"cp {RECORDS}/c1:eth0.json /tmp/late")
    detach(node)
    attach(node, box="c2", options=("--max", "500"))
    inside = node.link("eth0", netns="pod")
    outside = dump(node)
    detach(node)
    # Even a record that came back from somewhere loses to the one that comes first.
    node.sh(f"sed s/c1/c3/ /tmp/late >'{RECORDS}/c3:eth0.json'")
    assert "belongs to c2:eth0" in said(detach(node, box="c3"))
    assert node.link("eth0", netns="pod") == inside
    assert dump(node) == outside
    assert records(node) == ["c2:eth0.json"]
    refused(attach(node, box="c4", check=False), "belongs to c2:eth0")
    detach(node, box="c2")


@pytest.mark.parametrize("step", ["planned", "attaching", "prepared", "moved", "attached"])
def test_killed_while_attaching(node, step):
    before = dump(node)
    done = attach(node, options=("--stop", step, "--max", "300", "--vlan", "5"), check=False)
    assert done.returncode == 9
    assert len(records(node)) == 1
    detach(node)
    same_as(node, before)


@pytest.mark.parametrize("step", ["releasing", "returned"])
def test_killed_while_detaching(node, step):
    before = dump(node)
    attach(node, options=("--max", "300"))
    assert detach(node, options=("--stop", step), check=False).returncode == 9
    assert len(records(node)) == 1
    detach(node)
    same_as(node, before)


def test_half_done_moves(node):
    """Where a kill inside of a step leaves the interface: in either namespace, by any name."""
    before = dump(node)
    temp = "frl00180"  # 0000:01:10.0
    for steps in ('ip link set "$1" down; ip link set "$1" name "$2"',
                  'ip link set "$1" down; ip link set "$1" name "$2"; '
                  'ip link set "$2" netns pod',
                  'ip link set "$1" netns pod'):
        assert attach(node, options=("--stop", "prepared"), check=False).returncode == 9
        node.sh(steps, node.vf_netdev(PF, 0), temp)
        detach(node)
        same_as(node, before)


def test_leftovers_of_a_lost_record(node):
    """No record tells of the pod before: the next one gets a clean VF all the same."""
    attach(node, options=("--max", "300", "--vlan", "9"))
    node.sh(f"rm {RECORDS}/*; ip netns del pod; ip netns add pod")
    node.wait(lambda: node.vf_netdev(PF, 0) is not None, "the VF is back")
    node.sh('ip link set "$1" name dev7', node.vf_netdev(PF, 0))
    attach(node)
    info = node.link(PF)["vfinfo_list"][0]
    assert info["rate"]["max_tx"] == 0
    assert info.get("vlan_list", [{}])[0].get("vlan", 0) == 0
    detach(node)
    assert node.vf_netdev(PF, 0) == f"{PF}v0"


def test_refused_rates_name_driver_pf_vf_and_limit(node):
    before = dump(node)
    refused(attach(node, options=("--min", "100"), check=False),
            "igb", PF, "VF 0", "Invalid argument", "no minimum")
    refused(attach(node, options=("--max", "2000"), check=False),
            "igb", PF, "VF 0", "2000", "link up")
    same_as(node, before)
    attach(node, options=("--min", "100", "--account"))
    detach(node)
    same_as(node, before)


def test_a_mac_of_the_pod_s_own(node):
    before = dump(node)
    attach(node, options=("--mac", "02:11:22:33:44:55"))
    assert node.link("eth0", netns="pod")["address"] == "02:11:22:33:44:55"
    assert node.link(PF)["vfinfo_list"][0]["address"] == "02:11:22:33:44:55"
    detach(node)
    after = dump(node)
    for link in after:
        # igbvf's idea of it is what the PF had when the interface was brought up last.
        link.pop("permaddr", None)
    assert after == before
    assert not records(node)


def test_check_names_the_first_difference(node):
    attach(node, options=("--max", "300"))
    assert tool(node, "check", "c1", "eth0").returncode == 0
    for change, undo, word in (
            (f"ip link set {PF} vf 0 max_tx_rate 200", f"ip link set {PF} vf 0 max_tx_rate 300",
             "maximum rate is 200, not 300"),
            (f"ip link set {PF} vf 0 vlan 5", f"ip link set {PF} vf 0 vlan 0", "VLAN is 5"),
            ("ip -n pod link set eth0 mtu 1400", "ip -n pod link set eth0 mtu 1500",
             "MTU is 1400, not 1500"),
            ("ip -n pod link set eth0 down", "ip -n pod link set eth0 up", "state is off")):
        node.sh(change)
        done = tool(node, "check", "c1", "eth0", check=False)
        assert done.returncode == 2 and word in said(done)
        node.sh(undo)
    node.sh("ip -n pod link set eth0 down; ip -n pod link set eth0 name x; ip -n pod link set x up")
    assert "name is x, not eth0" in said(tool(node, "check", "c1", "eth0", check=False))
    detach(node)


def test_pf_gone(node):
    """VFs and PF vanish from the bus while a pod has one: nothing is left to be given back."""
    attach(node)
    node.sh('echo 1 >"/sys/bus/pci/devices/$1/remove"', node.pci(PF))
    detach(node)
    assert not records(node)


def test_vf_without_a_driver_gets_one_again(node):
    before = dump(node)
    attach(node)
    pci = node.vf_pci(PF, 0)
    node.sh('echo "$1" >/sys/bus/pci/drivers/igbvf/unbind', pci)
    detach(node)
    after = dump(node)
    assert {i["ifname"] for i in after} == {i["ifname"] for i in before}
    assert not records(node)


def test_vf_elsewhere_is_waited_for_and_then_an_error(node):
    node.sh("ip netns add third")
    before = dump(node)
    attach(node)
    node.sh("ip -n pod link set eth0 netns third")
    refused(detach(node, options=("--timeout-ms", "500"), check=False), "another network namespace")
    assert len(records(node)) == 1
    node.sh("ip netns del third")
    detach(node)
    same_as(node, before)


def test_addresses_and_routes(node):
    attach(node)
    tool(node, "address", "c1", "eth0", "10.9.0.2/24", "10.9.0.1")
    addrs = node.json("ip", "-n", "pod", "-j", "addr", "show", "dev", "eth0")[0]["addr_info"]
    assert [(a["local"], a["prefixlen"], a["broadcast"]) for a in addrs
            if a["family"] == "inet"] == [("10.9.0.2", 24, "10.9.0.255")]
    routes = node.json("ip", "-n", "pod", "-j", "route")
    assert {(r["dst"], r.get("gateway"), r.get("metric")) for r in routes} == \
        {("default", "10.9.0.1", 100), ("10.9.0.0/24", None, None)}
    tool(node, "address", "c1", "eth0", "fd00:9::2/64", "fd00:9::1")
    routes = node.json("ip", "-n", "pod", "-j", "-6", "route")
    assert ("default", "fd00:9::1", 100) in \
        {(r["dst"], r.get("gateway"), r.get("metric")) for r in routes}
    addrs = node.json("ip", "-n", "pod", "-j", "addr", "show", "dev", "eth0")[0]["addr_info"]
    assert [a["local"] for a in addrs if a["scope"] == "global"] == ["fd00:9::2"]
    detach(node)


@pytest.mark.parametrize("pod, peer", [("10.9.0.2/24", "10.9.0.1/24"),
                                       ("fd00:9::2/64", "fd00:9::1/64")])
def test_neighbours_learn_the_new_address_at_once(node, node2, pod, peer):
    """The other node has the pod's address at a MAC of before, and is told without asking."""
    stale = "02:99:99:99:99:99"
    plain = pod.partition("/")[0]
    node2.sh('ip link set "$1" up; ip addr add "$2" dev "$1" $4; '
             'ip neigh replace "$3" lladdr 02:99:99:99:99:99 nud stale dev "$1"',
             PF, peer, plain, "nodad" if ":" in peer else "")
    attach(node)
    mac = node.link("eth0", netns="pod")["address"]
    node.wait(lambda: node.link("eth0", netns="pod")["operstate"] == "UP", "the VF's link is up")
    node2.wait(lambda: "LOWER_UP" in node2.link(PF)["flags"], "the peer's link is up")

    def neighbour():
        return node2.json("ip", "-j", "neigh", "show", plain, "dev", PF)[0]["lladdr"]

    assert neighbour() == stale
    tool(node, "address", "c1", "eth0", pod)
    node2.wait(lambda: neighbour() == mac, "the neighbour's entry is corrected", neighbour)
    detach(node)
    node2.sh('ip addr flush dev "$1"', PF)


def test_namespaces_that_are_none(node):
    before = dump(node)
    node.sh("touch /run/netns/file; mkfifo /run/netns/fifo; ln -s /proc/1/ns/net /run/netns/own; "
            "ln -s /proc/1/ns/mnt /run/netns/mnt")
    for name, word in (("none", "does not exist"), ("file", "is no network namespace"),
                       ("fifo", "is no network namespace"), ("mnt", "is no network namespace"),
                       ("own", "the host's own")):
        refused(attach(node, netns=name, check=False), word)
    node.sh("rm /run/netns/file /run/netns/fifo /run/netns/own /run/netns/mnt")
    same_as(node, before)


def test_state_directory_that_cannot_be_written(node):
    before = dump(node)
    node.sh("mkdir -p /tmp/full /tmp/ro; mount -t tmpfs -o size=8k tmpfs /tmp/full; "
            "mkdir -p /tmp/full/s/attachments /tmp/full/s/speed; "
            "cat /dev/zero >/tmp/full/fill 2>/dev/null || true; "
            "mount -t tmpfs -o ro tmpfs /tmp/ro")
    for state, word in (("/tmp/full/s", "No space left"), ("/tmp/ro/s", "Read-only file system"),
                        ("/tmp/none/s", "No such file"), ("/etc/passwd", "Not a directory")):
        refused(attach(node, options=("--state", state), check=False), word)
        assert dump(node) == before
    node.sh("umount /tmp/full /tmp/ro")
