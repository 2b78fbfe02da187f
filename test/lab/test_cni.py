# SPDX-License-Identifier: MIT
"""rdma-cni on real VFs: what pods get, on one node and on two. Pods are network namespaces."""

import json
import re

import pytest

import expected
from cnitool import IPAM, ONE, PFS, THREE, conf


@pytest.fixture
def pair(cni1, cni2):
    return cni1, cni2


def ips(result):
    return [i["address"].partition("/")[0] for i in result["ips"]]


def subnet(third, first):
    """The nodes share a wire, so each needs a range of its own."""
    return {"type": "host-local",
            "ranges": [[{"subnet": f"10.9.{third}.0/24", "rangeStart": f"10.9.{third}.{first}"}]],
            "routes": [{"dst": "0.0.0.0/0"}]}


def ping(node, netns, target, source):
    node.wait(lambda: node.run("ip", "netns", "exec", netns, "ping", "-c", "1", "-W", "2", "-I",
                               source, target, check=False).returncode == 0,
              f"{target} answers {source}")


def transfer(pair, target):
    """3 MB over TCP from p0 on the first node to p1 on the second."""
    pair[0].node.sh("head -c 3000000 /dev/urandom >/tmp/sent")
    pair[1].node.sh("(sleep 60 | ip netns exec p1 nc -l -p 5000 >/tmp/got) >/dev/null 2>&1 & sleep 1")
    pair[0].node.sh('ip netns exec p0 nc -w 30 "$1" 5000 </tmp/sent >/dev/null', target)
    sent = pair[0].node.text("md5sum", "/tmp/sent").split()[0]
    pair[1].node.wait(lambda: pair[1].node.text("md5sum", "/tmp/got").split()[0] == sent,
                      "everything has arrived", lambda: pair[1].node.text("ls", "-l", "/tmp/got"))


def agrees(node, used):
    """/getpfs against ip; used: {PF: {VF: minimum promised}}."""
    for pf in PFS:
        mine = used.get(pf, {})
        expected.compare(node, pf, allocated=set(mine), used_tx_rate=sum(mine.values()))


@pytest.mark.parametrize("version", ["0.2.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"])
def test_one_interface_in_every_version(cni1, version):
    """The result in the shape of the version, the rate on the VF, everything back after DEL."""
    before = cni1.state()
    cni1.pod("p1")
    out = cni1.ok("ADD", "p1", conf(version, ONE))
    assert out["cniVersion"] == version
    link = cni1.node.link("eth0", "p1")
    if version == "0.2.0":
        assert set(out) == {"cniVersion", "ip4", "dns"}
        assert out["ip4"]["routes"] == [{"dst": "0.0.0.0/0"}]
    else:
        want = {"name": "eth0", "mac": link["address"], "sandbox": "/run/netns/p1"}
        if version == "1.1.0":
            want.update({"mtu": 1500, "pciID": cni1.node.vf_pci("enp1s0f0", 0)})
        assert out["interfaces"] == [want]
        assert out["ips"][0]["interface"] == 0
        assert out["ips"][0].get("version") == ("4" if version[0] == "0" else None)
    assert "UP" in link["flags"]
    assert cni1.held_rates() == [(0, 200)]
    assert cni1.ok("DEL", "p1", conf(version, ONE)) == ""
    assert cni1.node.json("ip", "-n", "p1", "-j", "link")[0]["ifname"] == "lo"
    assert cni1.state() == before


def test_pods_on_two_nodes_talk(pair):
    """Ping and a TCP transfer over the VFs, rates read back, /getpfs right at every step."""
    befores = [c.state() for c in pair]
    nets = [conf(annotation=ONE, ipam=subnet(0, 10 + 100 * i)) for i in range(2)]
    for c in pair:
        c.node.serve("--max-age-ms", "0")
        agrees(c.node, {})
    results = []
    for i, c in enumerate(pair):
        c.pod(f"p{i}")
        results.append(c.ok("ADD", f"p{i}", nets[i]))
        agrees(c.node, {"enp1s0f0": {0: 100}})
        assert c.held_rates() == [(0, 200)]
    one, two = (ips(r)[0] for r in results)
    ping(pair[0].node, "p0", two, one)
    ping(pair[1].node, "p1", one, two)
    transfer(pair, two)
    for i, c in enumerate(pair):
        c.ok("DEL", f"p{i}", nets[i])
        agrees(c.node, {})
        assert c.state() == befores[i]


def test_three_interfaces(pair):
    """One subnet, three interfaces: each answers for its own address alone, one default route."""
    befores = [c.state() for c in pair]
    nets = [conf("1.1.0", annotation=THREE, ipam=subnet(0, 10 + 100 * i)) for i in range(2)]
    results = []
    for i, c in enumerate(pair):
        c.pod(f"p{i}")
        results.append(c.ok("ADD", f"p{i}", nets[i]))
        assert [j["name"] for j in results[i]["interfaces"]] == ["eth0", "eth1", "eth2"]
        assert [j["interface"] for j in results[i]["ips"]] == [0, 1, 2]
        assert c.held_rates() == [(0, 0), (0, 50), (0, 700)]
        pfs = [pf for pf, _ in c.held()]
        assert set(pfs) == set(PFS), "600 and 500 do not fit one PF of 1000"
        routes = c.node.json("ip", "-n", f"p{i}", "-j", "route", "show", "default")
        assert [(r["dev"], r.get("metric")) for r in routes] == \
            [("eth0", None), ("eth1", 4097), ("eth2", 4098)]
        assert [r.get("priority") for r in results[i]["routes"]] == [None, 4097, 4098]
    sources, targets = (ips(r) for r in results)
    for source, target in zip(sources, targets):
        ping(pair[0].node, "p0", target, source)
    seen = {n["dst"]: n["lladdr"] for n in pair[0].node.json("ip", "-n", "p0", "-j", "neigh")
            if "lladdr" in n}
    for target, iface in zip(targets, results[1]["interfaces"]):
        assert seen[target] == iface["mac"], "another interface answered ARP for it"
    for i, c in enumerate(pair):
        c.ok("DEL", f"p{i}", nets[i])
        assert c.state() == befores[i]


def test_chained(cni1):
    """prevResult stays as it is; ours follows; its default route keeps winning."""
    before = cni1.state()
    cni1.pod("p1")
    prev = {"cniVersion": "1.0.0", "interfaces": [{"name": "veth9"}, {
        "name": "eth0", "mac": "02:00:00:00:00:09", "sandbox": "/run/netns/p1", "odd": [1, {}]}],
        "ips": [{"interface": 1, "address": "10.1.0.9/16", "gateway": "10.1.0.1"}],
        "routes": [{"dst": "0.0.0.0/0", "gw": "10.1.0.1"}], "dns": {"nameservers": ["10.1.0.1"]},
        "x-unknown": {"\u00e9": "\\"}}
    net = conf(annotation=ONE + ONE, prevResult=prev)
    out = cni1.ok("ADD", "p1", net)
    assert out["interfaces"][:2] == prev["interfaces"]
    assert [i["name"] for i in out["interfaces"][2:]] == ["rdma0", "rdma1"]
    assert out["ips"][:1] == prev["ips"] and [i["interface"] for i in out["ips"][1:]] == [2, 3]
    assert out["routes"][:1] == prev["routes"]
    assert out["dns"] == prev["dns"] and out["x-unknown"] == prev["x-unknown"]
    routes = cni1.node.json("ip", "-n", "p1", "-j", "route", "show", "default")
    assert [(r["dev"], r["metric"]) for r in routes] == [("rdma0", 4097), ("rdma1", 4098)]
    cni1.ok("DEL", "p1", conf(annotation=ONE + ONE, prevResult=out))
    assert cni1.ok("ADD", "p1", conf(annotation=[], prevResult=prev)) == prev
    assert cni1.state() == before


def test_nothing_asked_for(cni1):
    """No interface: an empty result, nothing touched."""
    before = cni1.state()
    cni1.pod("p1")
    for net in (conf(annotation=[]), conf(interfaces=[]), conf(), conf(
            runtimeConfig={"io.kubernetes.cri.pod-annotations": None}, annotation=None)):
        assert cni1.ok("ADD", "p1", net) == {"cniVersion": "1.0.0", "dns": {}}
        cni1.ok("DEL", "p1", net)
    assert cni1.state() == before


def test_unknown_requirement_of_a_pod(cni1):
    """A pod whose annotations nobody passes must not start without its interfaces."""
    cni1.pod("p1")
    cni1.fails("ADD", "p1", conf(), 7, "io.kubernetes.cri.pod-annotations", env={
        "CNI_ARGS": "IgnoreUnknown=1;K8S_POD_NAMESPACE=ns;K8S_POD_NAME=pod;K8S_POD_UID=u-1"})


def test_record_and_log_name_the_pod(cni1):
    cni1.pod("p1")
    args = {"CNI_ARGS": "K8S_POD_UID=u-1;IgnoreUnknown=1;K8S_POD_NAME=pod;K8S_POD_NAMESPACE=ns"}
    _, _, log = cni1.call("ADD", "p1", conf(annotation=ONE), env=args)
    assert re.search(r"^RIT-CNI ADD p1:eth0 pod ns/pod: eth0 is VF 0 of enp1s0f0", log, re.M)
    assert '"pod":{"namespace":"ns","name":"pod","uid":"u-1"}' in \
        cni1.node.text("cat", "/run/ferrule/attachments/p1:eth0.json")
    cni1.ok("DEL", "p1", conf(annotation=ONE), env=args)


def test_sixty_four_adds_for_fourteen_vfs(cni1):
    """Exactly 14 succeed, no VF twice, the others fail clearly and leave nothing."""
    before = cni1.state()
    ids = [f"m{i}" for i in range(64)]
    cni1.node.run("sh", "-c", 'for i in "$@"; do ip netns add $i; done', "sh", *ids)
    net = conf(annotation=ONE)
    done = cni1.many("ADD", ids, net)
    good = [i for i in ids if done[i][0] == 0]
    assert len(good) == 14, [done[i] for i in ids]
    assert len(set(cni1.held())) == 14
    assert len({done[i][1]["interfaces"][0]["mac"] for i in good}) == 14
    assert len({done[i][1]["ips"][0]["address"] for i in good}) == 14
    for i in set(ids) - set(good):
        assert done[i][1]["code"] == 101 and "not enough free RDMA resources" in done[i][1]["msg"]
    assert all(status == 0 for status, _ in cni1.many("DEL", ids, net).values())
    assert cni1.state() == before


def test_does_not_fit(cni1):
    """The reason, and what is free."""
    before = cni1.state()
    cni1.pod("p1")
    for want, why in (([{"min_tx_rate": 1001}], "more than any PF has free"),
                      ([{}] * 15, "fewer VFs are free"), ([{"min_tx_rate": 600}] * 3, ""),
                      ([{"min_tx_rate": 2 ** 63}], "more than any PF has free")):
        out = cni1.fails("ADD", "p1", conf(annotation=want), 101, why)
        assert out["details"] == "enp1s0f0 7 VFs 1000 Mb/s, enp1s0f1 7 VFs 1000 Mb/s"
    assert cni1.state() == before


@pytest.mark.parametrize("want,more,text", [
    ([{"max_tx_rate": 200}, {"max_tx_rate": 2000}], {}, "igb"),
    ([{"min_tx_rate": 100}], {"min_tx_rate": "enforce"}, "igb"),
    ([{}], {"mtu": 9999}, "9999"),
])
def test_refused_by_the_driver(cni1, want, more, text):
    """An error that names driver, PF and VF; all undone."""
    before = cni1.state()
    cni1.pod("p1")
    out = cni1.fails("ADD", "p1", conf(annotation=want, **more), 102, text)
    assert re.search(r"VF \d of enp1s0f[01]", out["msg"]), out
    assert cni1.state() == before


def test_vlan_and_mtu(cni1):
    before = cni1.state()
    cni1.pod("p1")
    net = conf(annotation=[{}], vlan=100, vlanQoS=3, mtu=1400)
    cni1.ok("ADD", "p1", net)
    vlan = cni1.node.link("enp1s0f0")["vfinfo_list"][0]["vlan_list"][0]
    assert (vlan["vlan"], vlan["qos"]) == (100, 3)
    assert cni1.node.link("eth0", "p1")["mtu"] == 1400
    cni1.ok("DEL", "p1", net)
    assert cni1.state() == before


def test_add_sanitises(cni1):
    """Whatever a previous user or a lost DEL left on the VF is not the next pod's."""
    node = cni1.node
    vf = node.vf_netdev("enp1s0f0", 0)
    node.sh('ip link set enp1s0f0 vf 0 vlan 7 max_tx_rate 33 spoofchk on trust off; '
            'ip link set "$1" mtu 1300; ip link set "$1" promisc on', vf)
    before = cni1.state()
    cni1.pod("p1")
    cni1.ok("ADD", "p1", conf(annotation=[{}]))
    info = node.link("enp1s0f0")["vfinfo_list"][0]
    assert info["vlan_list"][0].get("vlan", 0) == 0 and info["rate"]["max_tx"] == 0
    assert info["trust"] is True and info["spoofchk"] is False
    link = node.link("eth0", "p1")
    assert link["mtu"] == 1500 and link["promiscuity"] == 0
    cni1.ok("DEL", "p1", conf(annotation=[{}]))
    assert cni1.state() == before


def test_second_add_is_refused(cni1):
    """The first one's interface stays."""
    net = conf(annotation=ONE)
    cni1.pod("p1")
    cni1.ok("ADD", "p1", net)
    link = cni1.link("p1")
    cni1.fails("ADD", "p1", net, 7, "has an interface eth0 already")
    assert cni1.link("p1") == link
    cni1.ok("DEL", "p1", net)


def test_name_taken_in_the_pod(cni1):
    before = cni1.state()
    cni1.pod("p1")
    cni1.node.run("ip", "-n", "p1", "link", "add", "eth1", "type", "bridge")
    cni1.fails("ADD", "p1", conf(annotation=ONE + ONE), 102, "eth1")
    assert cni1.state() == before


def test_ipam_trouble(cni1):
    """Missing, failing, garbage, megabytes, no address, hanging: an error, all undone."""
    before = cni1.state()
    cni1.pod("p1")
    plugins = {
        "fails": 'echo \'{"cniVersion":"1.0.0","code":11,"msg":"pool empty","details":"d"}\'; exit 1',
        "silent": "exit 3",
        "garbage": "echo '{\"cniVersion\": '",
        "flood": "cat /dev/zero",
        "nothing": "echo '{\"cniVersion\":\"1.0.0\",\"ips\":[]}'",
        "killed": "kill -9 $$",
        "hangs": "trap '' TERM; sleep 1000 & wait; sleep 1000",
    }
    cni1.node.run("mkdir", "-p", "/tmp/ipam")
    for name, script in plugins.items():
        cni1.node.write(f"/tmp/ipam/{name}", "#!/bin/sh\n[ $CNI_COMMAND = ADD ] || exit 0\n"
                        f"[ $CNI_IFNAME = eth0 ] && exec /opt/cni/bin/static\n{script}\n")
    cni1.node.sh("chmod 755 /tmp/ipam/*")
    for name, code, text in (
            ("fails", 11, "pool empty"), ("silent", 103, "exit status 3"),
            ("garbage", 103, "answer"), ("flood", 103, "more than"), ("nothing", 103, "no address"),
            ("killed", 103, "signal 9"), ("hangs", 103, "did not end in time"),
            ("missing", 103, "no plugin 'missing'")):
        net = conf(annotation=ONE + ONE, ipamTimeoutMs=3000, ipam={
            "type": name, "addresses": [{"address": "10.9.0.7/24"}]})
        out = cni1.fails("ADD", "p1", net, code, text,
                         env={"CNI_PATH": "/opt/cni/bin:/tmp/ipam"})
        assert name in out["msg"]
        assert cni1.state() == before, name
    assert cni1.node.run("pidof", "sleep", check=False).returncode == 1, "the group was not killed"


def test_delegate(cni1):
    """Pods without RDMA get the other network, and it takes its interface back."""
    before = cni1.state()
    cni1.pod("p1")
    net = conf(annotation=[], delegate={
        "type": "ptp", "ipam": {"type": "host-local", "subnet": "10.8.0.0/24"}})
    out = cni1.ok("ADD", "p1", net)
    assert out["interfaces"][1]["name"] == "eth0" and out["ips"][0]["address"] == "10.8.0.2/24"
    assert "10.8.0.2" in cni1.state()[1]
    # with what it was added with, whatever the configuration says by now
    cni1.ok("DEL", "p1", conf(annotation=[]))
    assert cni1.state() == before
    # after a reboot nothing is on record
    cni1.ok("ADD", "p1", net)
    cni1.node.sh("rm -rf /run/ferrule")
    cni1.ok("DEL", "p1", net)
    assert "10.8.0.2" not in cni1.state()[1]
    bad = conf(annotation=[], delegate={"type": "none"})
    cni1.fails("ADD", "p1", bad, 103, "no plugin 'none'")


@pytest.mark.parametrize("output", [">/dev/full", "2>&1 | true"])
@pytest.mark.parametrize("more", [
    {"annotation": ONE + ONE},
    {"annotation": [], "delegate": {"type": "ptp", "ipam": {"type": "host-local",
                                                            "subnet": "10.8.0.0/24"}}}])
def test_nobody_hears_the_result(cni1, output, more):
    """An ADD whose runtime has gone takes back what it has done."""
    before = cni1.state()
    cni1.pod("p1")
    cni1.node.run("env", "CNI_COMMAND=ADD", "CNI_CONTAINERID=p1", "CNI_NETNS=/run/netns/p1",
                  "CNI_IFNAME=eth0", "CNI_PATH=/opt/cni/bin", "sh", "-c",
                  f"{{ sleep 0.3; rdma-cni; echo $? >/tmp/status; }} {output}",
                  data=json.dumps(conf(**more)).encode())
    assert cni1.node.text("cat", "/tmp/status") == "1\n"
    assert len(cni1.node.json("ip", "-n", "p1", "-j", "link")) == 1
    assert cni1.state() == before


def test_ipam_is_optional(cni1):
    """Without IPAM the interface is up and has no IPv4 address."""
    cni1.pod("p1")
    net = conf(annotation=[{}], ipam={})
    out = cni1.ok("ADD", "p1", net)
    assert "ips" not in out and len(out["interfaces"]) == 1
    assert "inet " not in cni1.node.text("ip", "-n", "p1", "addr")
    cni1.ok("DEL", "p1", net)
    assert IPAM["type"] not in cni1.state()[1]
