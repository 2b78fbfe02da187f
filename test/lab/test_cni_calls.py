# SPDX-License-Identifier: MIT
"""CHECK, STATUS, GC and VERSION, and calls that are refused as they stand."""

import json

import pytest

from cnitool import IPAM, ONE, conf

pytestmark = pytest.mark.beside("test_cni.py")


def test_check(cni1):
    """Every setting that somebody changes behind the pod's back is named."""
    net = conf("1.1.0", annotation=ONE)
    cni1.pod("p1")
    out = cni1.ok("ADD", "p1", net)
    net = dict(net, prevResult=out)
    cni1.ok("CHECK", "p1", net)
    cni1.fails("CHECK", "p1", conf("1.1.0", annotation=ONE), 7, "prevResult")
    cni1.fails("CHECK", "p1", dict(conf("0.3.1", annotation=ONE), prevResult=out), 1, "0.4.0")
    for change, back, text in (
            ("ip link set enp1s0f0 vf 0 max_tx_rate 100",
             "ip link set enp1s0f0 vf 0 max_tx_rate 200", "100"),
            ("ip link set enp1s0f0 vf 0 vlan 5", "ip link set enp1s0f0 vf 0 vlan 0", "5"),
            ("ip link set enp1s0f0 vf 0 trust off", "ip link set enp1s0f0 vf 0 trust on", "trust"),
            ("ip link set enp1s0f0 vf 0 spoofchk on", "ip link set enp1s0f0 vf 0 spoofchk off",
             "spoof"),
            ("ip -n p1 link set eth0 mtu 1400", "ip -n p1 link set eth0 mtu 1500", "1400"),
            ("ip -n p1 link set eth0 promisc on", "ip -n p1 link set eth0 promisc off", "promisc"),
            ("ip -n p1 addr del 10.9.0.2/24 dev eth0", "ip -n p1 addr add 10.9.0.2/24 dev eth0; ip -n p1 route add default dev eth0 via 10.9.0.1",
             "10.9.0.2/24 is missing"),
            ("ip netns exec p1 sysctl -w net.ipv4.conf.eth0.arp_ignore=0",
             "ip netns exec p1 sysctl -w net.ipv4.conf.eth0.arp_ignore=1", "arp_ignore is 0, not 1"),
            ("ip netns exec p1 sysctl -w net.ipv4.conf.eth0.rp_filter=1",
             "ip netns exec p1 sysctl -w net.ipv4.conf.eth0.rp_filter=2", "rp_filter is 1, not 2"),
            ("ip -n p1 route del default", "ip -n p1 route add default dev eth0 via 10.9.0.1",
             "route to 0.0.0.0/0"),
            ("ip -n p1 link property add dev eth0 altname other",
             "ip -n p1 link property del dev eth0 altname other", "other"),
            ("ip -n p1 link set eth0 name eth7", "ip -n p1 link set eth7 name eth0", "eth7"),
            ("ip -n p1 link set eth0 netns 1 name away", "ip link set away netns p1 name eth0",
             "not in the pod")):
        cni1.node.sh(change)
        cni1.fails("CHECK", "p1", net, 104, text)
        cni1.node.sh(back)
        if "away" not in change:  # a move takes addresses and routes away
            cni1.ok("CHECK", "p1", net)
    cni1.ok("DEL", "p1", net)


def test_check_where_ipam_lists_the_connected_subnet(cni1):
    """The kernel's own route stays, which has no gateway."""
    ipam = dict(IPAM, routes=[{"dst": "10.9.0.0/24"}, {"dst": "10.8.0.0/16"}])
    net = conf("1.0.0", annotation=ONE, ipam=ipam)
    cni1.pod("p1")
    out = cni1.ok("ADD", "p1", net)
    cni1.ok("CHECK", "p1", dict(net, prevResult=out))
    cni1.ok("DEL", "p1", net)


def test_check_prev_result(cni1):
    """What the runtime believes is compared, too."""
    net = conf("1.1.0", annotation=ONE + ONE)
    cni1.pod("p1")
    out = cni1.ok("ADD", "p1", net)
    cni1.ok("CHECK", "p1", dict(net, prevResult=out))
    for change, text in (
            (lambda r: r["interfaces"].pop(), "does not list it"),
            (lambda r: r["interfaces"][1].update(sandbox="/run/netns/p2"), "does not list it"),
            (lambda r: r["interfaces"][1].update(mac="02:00:00:00:00:99"), "another MAC"),
            (lambda r: r["ips"].pop(0), "does not list its address 10.9.0.2/24"),
            (lambda r: r["ips"][0].update(interface=1), "does not list its address 10.9.0.2/24"),
            (lambda r: r.pop("ips"), "does not list its address")):
        prev = json.loads(json.dumps(out))
        change(prev)
        cni1.fails("CHECK", "p1", dict(net, prevResult=prev), 104, text)
    cni1.node.sh("mv /run/ferrule/attachments/p1:eth1.json /tmp")
    cni1.fails("CHECK", "p1", dict(net, prevResult=out), 104, "only 1 of the 2 interfaces")
    cni1.node.sh("mv /tmp/p1:eth1.json /run/ferrule/attachments")
    cni1.ok("DEL", "p1", net)


def test_status(cni1):
    """Why an ADD would not work."""
    net = conf("1.1.0")
    cni1.ok("STATUS", "", net)
    cni1.fails("STATUS", "", conf("1.0.0"), 1, "STATUS needs cniVersion 1.1.0")
    cni1.fails("STATUS", "", conf("1.1.0", ipam={"type": "missing"}), 50, "missing")
    cni1.node.write("/etc/ferrule/node.json", '{"pfs": []}')
    cni1.fails("STATUS", "", net, 50, "no SR-IOV capable PF")
    cni1.node.write("/etc/ferrule/node.json", '{"pfs": 1}')
    cni1.fails("STATUS", "", net, 50, "node.json")
    cni1.node.write("/etc/ferrule/node.json", '{"stateDir": "/proc/none"}')
    cni1.fails("STATUS", "", net, 50, "/proc/none")
    cni1.node.run("rm", "/etc/ferrule/node.json")
    cni1.node.sh("for p in enp1s0f0 enp1s0f1; do ip link set $p down; done")
    cni1.fails("STATUS", "", net, 51, "link of every PF")


def test_status_without_usable_vfs(cni1):
    """A full node works; one whose VFs nobody can have does not."""
    net = conf("1.1.0")
    cni1.pod("p1")
    cni1.ok("ADD", "p1", conf(annotation=[{}] * 14))
    cni1.ok("STATUS", "", net)
    cni1.ok("DEL", "p1", conf(annotation=[{}] * 14))
    cni1.node.sh("cd /sys/bus/pci/drivers/igbvf; for i in 0000:*; do echo $i >unbind; done")
    cni1.fails("STATUS", "", net, 50, "no VF of enp1s0f1 can be given to a pod")
    cni1.node.sh("for i in /sys/class/net/enp1s0f?/device/virtfn*; do "
                 "basename $(readlink $i) >/sys/bus/pci/drivers_probe; done")


def test_gc(cni1):
    """What is not valid goes, with its addresses; the rest stays; other networks are not ours."""
    before = cni1.state()
    net = conf("1.1.0", annotation=ONE + ONE)
    other = conf("1.1.0", annotation=ONE, name="other")
    for pod in ("p1", "p2", "p3"):
        cni1.pod(pod)
    for pod in ("p1", "p2"):
        cni1.ok("ADD", pod, net)
    cni1.ok("ADD", "p3", other)
    cni1.fails("GC", "", net, 7, "valid-attachments")
    keep = [{"containerID": "p1", "ifname": "eth0"}]
    for key in ("cni.dev/valid-attachments", "cni.dev/attachments"):
        cni1.ok("GC", "", dict(net, **{key: keep}))
        assert len(cni1.held()) == 3
        assert len(cni1.node.json("ip", "-n", "p1", "-j", "link")) == 3
        assert len(cni1.node.json("ip", "-n", "p2", "-j", "link")) == 1
    rest = cni1.state()[1]
    assert "p2" not in rest and rest.count("networks/rdma") == 4, rest
    cni1.ok("GC", "", dict(net, **{"cni.dev/valid-attachments": None}))
    assert len(cni1.held()) == 1
    cni1.ok("GC", "", dict(other, **{"cni.dev/valid-attachments": []}))
    assert cni1.state() == before


def test_version(cni1):
    versions = ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"]
    for asked, told in ((b"", "1.1.0"), (b'{"cniVersion":"0.4.0"}', "0.4.0"), (b"{", "1.1.0")):
        status, out, _ = cni1.call("VERSION", "", asked, env={
            "CNI_CONTAINERID": None, "CNI_NETNS": None, "CNI_IFNAME": None, "CNI_PATH": None})
        assert status == 0 and out == {"cniVersion": told, "supportedVersions": versions}


BAD = [
    (b"", 6, "configuration"), (b"{", 6, "line 1"), (b"[]", 6, "object"), (b"\xff{}", 6, ""),
    (b'{"cniVersion":"1.0.0","cniVersion":"1.0.0","name":"a"}', 6, "cniVersion"),
    ({"cniVersion": "9.0.0", "name": "a"}, 1, "9.0.0"), ({"cniVersion": 1, "name": "a"}, 6, "string"),
    ({"cniVersion": "1.0.0"}, 7, "name"), (conf(name="a/b"), 7, "name"),
    (conf(ipam={"type": "../x"}), 7, "ipam.type"), (conf(ipam=[]), 7, "ipam"),
    (conf(interfaces={}), 7, "interfaces"), (conf(mtu="1500"), 7, "mtu"), (conf(vlan=4095), 7, "vlan"),
    (conf(vlanQoS=1), 7, "vlanQoS"), (conf(vlanProto="x"), 7, "vlanProto"),
    (conf(Min_Tx_Rate="account"), 7, "min_tx_rate"), (conf(**{"if-name-prefix": "x"}), 7,
                                                      "ifNamePrefix"),
    (conf(ifNamePrefix="a/b"), 7, "ifNamePrefix"), (conf(ifNamePrefix="a" * 13), 7, "ifNamePrefix"),
    (conf(delegate={}), 7, "type"), (conf(delegate={"plugins": []}), 7, "chain"),
    (conf(prevResult=[]), 7, "prevResult"), (conf(prevResult={"ips": {}}), 7, "ips"),
    (conf(prevResult={"cniVersion": "0.4.0"}), 1, "0.4.0"), (conf(nodeConfig="x"), 7, "nodeConfig"),
    (conf(nodeConfig="/none"), 7, "/none"), (conf(annotation={}), 100, "list"),
    (conf(annotation=[{"min": 1}]), 100, "unknown key"),
    (conf(annotation=[{"min_tx_rate": 9, "max_tx_rate": 5}]), 100, "[0]"),
    (conf(interfaces=[{}] * 33), 100, "32"), (conf(ipam={"type": "x" * 300}), 7, "ipam.type"),
    (b" " * (1 << 20) + b"{}", 6, "longer than"),
]


def test_bad_configurations(cni1):
    before = cni1.state()
    cni1.pod("p1")
    done = cni1.each([("ADD", "p1", net, None) for net, _, _ in BAD])
    for result, (_, code, text) in zip(done, BAD):
        cni1.failed(result, code, text)
    assert cni1.state() == before


BAD_ENV = [
    ({"CNI_COMMAND": None}, 4, "CNI_COMMAND"), ({"CNI_COMMAND": "Add"}, 4, "'Add'"),
    ({"CNI_CONTAINERID": None, "CNI_PATH": None}, 4, "CNI_CONTAINERID, CNI_PATH"),
    ({"CNI_CONTAINERID": "a" * 300}, 4, "300 bytes"), ({"CNI_CONTAINERID": "a/b"}, 4, "a/b"),
    ({"CNI_IFNAME": "a/b"}, 4, "a/b"), ({"CNI_IFNAME": "a" * 16}, 4, "CNI_IFNAME"),
    ({"CNI_IFNAME": ".."}, 4, "CNI_IFNAME"), ({"CNI_NETNS": "run/netns/p1"}, 4, "absolute"),
    ({"CNI_NETNS": "/run/netns/none"}, 8, "/run/netns/none"),
    ({"CNI_NETNS": "/etc/passwd"}, 8, "CNI_NETNS"), ({"CNI_NETNS": "/proc/self/ns/net"}, 8, "own"),
    ({"CNI_NETNS": "/proc/1/ns/mnt"}, 8, "CNI_NETNS"), ({"CNI_NETNS": "/tmp/fifo"}, 8, "CNI_NETNS"),
]


def test_bad_environment(cni1):
    before = cni1.state()
    cni1.pod("p1")
    cni1.node.sh("[ -e /tmp/fifo ] || mkfifo /tmp/fifo")
    done = cni1.each([("ADD", "p1", conf(annotation=ONE), env) for env, _, _ in BAD_ENV])
    for result, (_, code, text) in zip(done, BAD_ENV):
        cni1.failed(result, code, text)
    assert cni1.state() == before
