# SPDX-License-Identifier: MIT
"""rdma-cni on real VFs: pods are network namespaces on two nodes."""

import json
import re

import pytest

import expected
from cnitool import IPAM, PFS, conf

ONE = [{"min_tx_rate": 100, "max_tx_rate": 200}]
THREE = [{"min_tx_rate": 600, "max_tx_rate": 700}, {"min_tx_rate": 500}, {"max_tx_rate": 50}]


@pytest.fixture
def pair(cni1, cni2):
    return cni1, cni2


def rates(node, pf, vf):
    rate = node.link(pf)["vfinfo_list"][vf]["rate"]
    return rate["min_tx"], rate["max_tx"]


def held_rates(cni):
    return sorted(rates(cni.node, pf, vf) for pf, vf in cni.held())


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
    assert held_rates(cni1) == [(0, 200)]
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
        assert held_rates(c) == [(0, 200)]
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
        assert held_rates(c) == [(0, 0), (0, 50), (0, 700)]
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


def test_del_is_idempotent(cni1):
    """Without ADD, ten times after ADD, without namespace, with another configuration."""
    before = cni1.state()
    net = conf(annotation=ONE + ONE)
    cni1.ok("DEL", "p1", net)
    cni1.pod("p1")
    cni1.ok("ADD", "p1", net)
    for i in range(10):
        cni1.ok("DEL", "p1", net, netns=[None, "", "/run/netns/none", "/etc/hostname"][i % 4])
    assert cni1.state() == before
    cni1.ok("ADD", "p1", net)
    cni1.ok("DEL", "p1", conf(ipam={}, vlan="bad"), netns="")
    assert cni1.state() == before


@pytest.mark.parametrize("when", ["gone", "another", "in use elsewhere"])
def test_namespace_deleted_before_del(cni1, when):
    """The kernel brings the VF back under a name of its own; DEL makes it what it was."""
    before = cni1.state()
    net = conf(annotation=ONE + ONE)
    cni1.pod("p1")
    cni1.ok("ADD", "p1", net)
    if when == "in use elsewhere":
        # alive for a while without its name
        cni1.node.sh("ip netns exec p1 setsid sleep 3 >/dev/null 2>&1 & sleep 0.2")
    cni1.node.run("ip", "netns", "del", "p1")
    if when == "another":
        cni1.pod("p1")
    cni1.ok("DEL", "p1", net)
    assert cni1.state() == before


def test_late_del_leaves_the_next_pod_alone(cni1):
    """A VF that has a new owner: the old one's DEL must not touch it."""
    net = conf(annotation=[{"max_tx_rate": 300}])
    before, name = cni1.state(), cni1.node.vf_netdev("enp1s0f0", 0)
    cni1.pod("p1")
    cni1.ok("ADD", "p1", net)
    old = cni1.node.text("cat", "/run/ferrule/attachments/p1:eth0.json")
    cni1.ok("DEL", "p1", net)
    cni1.pod("p2")
    cni1.ok("ADD", "p2", net)
    link = cni1.link("p2")
    for _ in range(2):
        cni1.ok("DEL", "p1", net)
        assert cni1.link("p2") == link
    # even if its record has survived, whichever of the two comes first by name
    for late in ("a1", "z1"):
        path = f"/run/ferrule/attachments/{late}:eth0.json"
        cni1.node.write(path, old.replace('"p1"', f'"{late}"'))
        cni1.ok("DEL", late, net, netns="/run/netns/p1")
        assert cni1.link("p2") == link
        assert rates(cni1.node, "enp1s0f0", 0) == (0, 300)
        assert cni1.held() == [("enp1s0f0", 0)]
    # and it does not keep the VF in the pod that has it
    for late in ("a1", "z1"):
        path = f"/run/ferrule/attachments/{late}:eth0.json"
        cni1.node.write(path, old.replace('"p1"', f'"{late}"'))
        cni1.ok("DEL", "p2", net)
        assert cni1.node.vf_netdev("enp1s0f0", 0) == name
        cni1.ok("DEL", late, net, netns="/run/netns/p1")
        assert cni1.state() == before
        if late == "a1":
            cni1.ok("ADD", "p2", net)


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


def test_altname_clash(cni1):
    """A name that another VF has taken meanwhile does not keep this one from coming home."""
    node = cni1.node
    first, second = node.vf_netdev("enp1s0f0", 0), node.vf_netdev("enp1s0f0", 1)
    node.run("ip", "link", "property", "add", "dev", first, "altname", "both")
    before = cni1.state()
    cni1.pod("p1")
    cni1.ok("ADD", "p1", conf(annotation=[{}]))
    node.run("ip", "link", "property", "add", "dev", second, "altname", "both")
    cni1.ok("DEL", "p1", conf(annotation=[{}]))
    node.run("ip", "link", "property", "del", "dev", second, "altname", "both")
    after = cni1.state()
    after[0][first].setdefault("altnames", []).append("both")
    assert after == before


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
    assert cni1.held() == [("enp1s0f0", 0)] or len(cni1.held()) == 1
    cni1.ok("GC", "", dict(other, **{"cni.dev/valid-attachments": []}))
    assert cni1.state() == before


RECORD = "/run/ferrule/attachments/p1:eth0.json"


@pytest.mark.parametrize("record", ['{"version": 1, "torn', '{"version": 2}', None])
def test_damaged_record(cni1, record):
    """Its VF comes back all the same, as it was."""
    before = cni1.state()
    net = conf(annotation=ONE, vlan=5, mtu=1400)
    cni1.pod("p1")
    cni1.ok("ADD", "p1", net)
    if record is None:
        cni1.node.sh("head -c 100 $1 >/tmp/half; mv /tmp/half $1", RECORD)
    else:
        cni1.node.write(RECORD, record)
    cni1.fails("ADD", "p1", net, 7, "DEL comes before")
    cni1.ok("DEL", "p1", net)
    assert cni1.state() == before
    assert cni1.node.text("ls", "/run/ferrule/damaged") != ""
    assert cni1.node.text("ls", "/run/ferrule/lent") == ""


def test_damaged_record_without_a_copy(cni1):
    """The interface in the pod is the only witness: it comes back with default settings."""
    before = cni1.state()
    net = conf(annotation=[{"max_tx_rate": 200}], vlan=5, mtu=1400)
    cni1.pod("p1")
    cni1.ok("ADD", "p1", net)
    cni1.node.sh("rm -r /run/ferrule/lent; echo torn >$1", RECORD)
    cni1.ok("DEL", "p1", net)
    assert cni1.node.json("ip", "-n", "p1", "-j", "link")[0]["ifname"] == "lo"
    link = cni1.node.link("enp1s0f0v0")
    assert link["mtu"] == 1500
    cni1.node.run("ip", "link", "set", "enp1s0f0v0", "name", "eth0")
    assert cni1.state() == before, "defaults are what rdma-ds init has set"


@pytest.mark.parametrize("copy", ["there", "damaged"])
def test_lost_vf_is_not_recorded_dirty(cni1, copy):
    """The record is damaged and the pod's namespace gone: the next user's DEL puts the VF right."""
    before = cni1.state()
    net = conf(annotation=[{"max_tx_rate": 200}], vlan=5, mtu=1400)
    cni1.pod("p1")
    cni1.ok("ADD", "p1", net, ifname="net0")
    cni1.node.sh("echo torn >/run/ferrule/attachments/p1:net0.json")
    if copy == "damaged":
        cni1.node.sh("for f in /run/ferrule/lent/*; do echo torn >$f; done")
    cni1.node.run("ip", "netns", "del", "p1")
    cni1.node.wait(lambda: "net0" in cni1.node.names(), "the kernel has brought it home")
    cni1.pod("p2")
    net2 = conf(annotation=[{}])
    _, _, log = cni1.call("ADD", "p2", net2)
    assert "VF 0 of enp1s0f0 was not given back" in log, log
    info = cni1.node.link("enp1s0f0")["vfinfo_list"][0]
    assert info["vlan_list"][0].get("vlan", 0) == 0 and info["rate"]["max_tx"] == 0
    cni1.ok("DEL", "p2", net2)
    if copy == "damaged":
        cni1.node.run("ip", "link", "set", "enp1s0f0v0", "name", "eth0")
    cni1.ok("DEL", "p1", net, ifname="net0")
    assert cni1.state() == before


def test_namespace_bound_elsewhere(cni1):
    """The recorded path is gone, CNI_NETNS is the same namespace."""
    before = cni1.state()
    net = conf(annotation=ONE)
    cni1.pod("p1")
    cni1.ok("ADD", "p1", net)
    cni1.node.sh("touch /tmp/ns; mount --bind /run/netns/p1 /tmp/ns; ip netns del p1")
    _, _, log = cni1.call("DEL", "p1", net, netns="/tmp/ns")
    state = cni1.state()
    cni1.node.sh("umount /tmp/ns")
    assert state == before, log


def test_driver_lost_for_good(cni1):
    """DEL ends; when the VF has a driver again, its next user's DEL puts it right."""
    before = cni1.state()
    net = conf(annotation=[{"max_tx_rate": 200}], vlan=5)
    pci = cni1.node.vf_pci("enp1s0f0", 0)
    cni1.pod("p1")
    cni1.ok("ADD", "p1", net)
    cni1.node.sh("cd /sys/bus/pci/devices/$1; echo none >driver_override; echo $1 >driver/unbind", pci)
    for _ in range(2):
        cni1.ok("DEL", "p1", net)
    assert cni1.held() == []
    cni1.pod("p2")
    cni1.ok("ADD", "p2", net)
    assert cni1.held() == [("enp1s0f0", 1)], "one without a driver is not given to anybody"
    cni1.ok("DEL", "p2", net)
    cni1.node.sh("echo >/sys/bus/pci/devices/$1/driver_override; echo $1 >/sys/bus/pci/drivers_probe", pci)
    _, _, log = cni1.call("ADD", "p2", net)
    assert "VF 0 of enp1s0f0 was not given back by p1:eth0" in log
    cni1.ok("DEL", "p2", net)
    links = cni1.state()[0]
    for link in (before[0]["eth0"], links["eth0"]):
        link.pop("ifindex")
    assert links == before[0]
    assert cni1.state()[1] == before[1]


def test_rate_that_cannot_be_put_back(cni1):
    """igb takes none while the link is down. The next user does not take it for the administrator's."""
    before = cni1.state()
    cni1.pod("p1")
    cni1.ok("ADD", "p1", conf(annotation=[{"max_tx_rate": 200}]))
    cni1.node.run("ip", "link", "set", "enp1s0f0", "down")
    _, _, log = cni1.call("DEL", "p1", conf(annotation=[{"max_tx_rate": 200}]))
    assert "rate cannot be put back" in log, log
    assert cni1.held() == []
    cni1.node.run("ip", "link", "set", "enp1s0f0", "up")
    cni1.node.wait(lambda: "LOWER_UP" in cni1.node.link("enp1s0f0")["flags"], "there is a link")
    assert rates(cni1.node, "enp1s0f0", 0) == (0, 200)
    cni1.ok("ADD", "p1", conf(annotation=[{"max_tx_rate": 300}]))
    cni1.ok("DEL", "p1", conf(annotation=[{"max_tx_rate": 300}]))
    assert cni1.state() == before


@pytest.mark.parametrize("where", ["host", "pod"])
def test_sick_vf_is_left_out(cni1, where):
    """One VF that cannot be moved: the next one is taken, and everything is undone."""
    before = cni1.state()
    pci = cni1.node.vf_pci("enp1s0f0", 0).split(":")
    temp = "frl%x%02x%02x" % (int(pci[0], 16), int(pci[1], 16),
                              int(pci[2][:2], 16) << 3 | int(pci[2][3]))
    cni1.pod("p1")
    cni1.node.run("ip", *(["-n", "p1"] if where == "pod" else []), "link", "add", temp, "type", "bridge")
    net = conf(annotation=ONE + ONE)
    status, out, log = cni1.call("ADD", "p1", net)
    assert status == 0, (out, log)
    assert cni1.held() == [("enp1s0f0", 1), ("enp1s0f0", 2)]
    assert log.count("VF 0 of enp1s0f0 cannot be used") == 1 and "File exists" in log
    assert len(out["ips"]) == 2
    cni1.ok("DEL", "p1", net)
    if where == "host":
        cni1.node.run("ip", "link", "del", temp)
    assert cni1.state() == before


def test_only_sick_vfs(cni1):
    """The reason is the first one's; more VFs than there are is another story."""
    before = cni1.state()
    cni1.pod("p1")
    for pf in PFS:
        for vf in range(7):
            pci = cni1.node.vf_pci(pf, vf).split(":")
            cni1.node.run("ip", "-n", "p1", "link", "add", "frl%x%02x%02x" % (
                int(pci[0], 16), int(pci[1], 16), int(pci[2][:2], 16) << 3 | int(pci[2][3])),
                "type", "bridge")
    out = cni1.fails("ADD", "p1", conf(annotation=ONE), 102, "VF 0 of enp1s0f0")
    assert "File exists" in out["msg"]
    assert cni1.state() == before


def test_many_altnames(cni1):
    """A pod with NET_ADMIN can give its interface any number of them."""
    before = cni1.state()
    net = conf(annotation=ONE)
    for pod in ("lives", "dies"):
        cni1.pod(pod)
        cni1.ok("ADD", pod, net)
        cni1.node.sh("for i in $(seq 50); do "
                     "ip -n $1 link property add dev eth0 altname left-by-a-pod-$i; done", pod)
        if pod == "dies":
            cni1.node.run("ip", "netns", "del", pod)
        cni1.ok("DEL", pod, net)
        assert cni1.state() == before
    # And with nobody to give it back.
    vf = cni1.node.vf_netdev("enp1s0f0", 0)
    cni1.node.sh("for i in $(seq 50); do ip link property add dev $1 altname left-$i; done", vf)
    cni1.pod("p2")
    cni1.ok("ADD", "p2", net)
    assert cni1.held() == [("enp1s0f0", 0)]
    assert "altnames" not in cni1.link("p2")
    cni1.ok("DEL", "p2", net)


def test_record_of_another_boot(cni1):
    """A state directory that survives a reboot: the VF is free, the old DEL leaves it to its new owner."""
    before = cni1.state()
    net = conf(annotation=ONE)
    cni1.pod("p1")
    cni1.ok("ADD", "p1", net)
    old = cni1.node.text("cat", RECORD)
    cni1.ok("DEL", "p1", net)
    boot = json.loads(old)["bootId"]
    cni1.node.write(RECORD.replace("p1", "p9"), old.replace('"p1"', '"p9"').replace(boot, boot[::-1]))
    cni1.ok("ADD", "p1", net)
    assert cni1.held() == [("enp1s0f0", 0)] * 2
    link = cni1.node.link("eth0", "p1")
    _, _, log = cni1.call("DEL", "p9", net, netns="/run/netns/p1")
    assert "earlier boot" in log
    assert cni1.node.link("eth0", "p1") == link
    assert cni1.held() == [("enp1s0f0", 0)]
    cni1.ok("DEL", "p1", net)
    assert cni1.state() == before


def test_vfs_gone(cni1):
    """num_vfs is set to 0 under the pod: DEL ends, addresses are released."""
    net = conf(annotation=ONE + ONE)
    cni1.pod("p1")
    cni1.ok("ADD", "p1", net)
    cni1.node.sh("echo 0 >/sys/class/net/enp1s0f0/device/sriov_numvfs")
    for _ in range(2):
        cni1.ok("DEL", "p1", net)
    links, rest = cni1.state()
    assert rest == "" and not any(i.startswith("frl") for i in links)
    assert cni1.node.text("ls", "/run/ferrule/lent") == ""


def test_state_directory_trouble(cni1):
    """A clear error before anything is touched."""
    before = cni1.state()
    net = conf(annotation=ONE)
    cni1.pod("p1")
    cni1.node.sh("mv /run/ferrule /run/old; mkdir -p /run/ferrule; "
                 "mount -t tmpfs -o size=4k,nr_inodes=8 none /run/ferrule; "
                 "mkdir /run/ferrule/attachments; head -c 9000 /dev/zero >/run/ferrule/fill || true")
    cni1.fails("ADD", "p1", net, 5, "No space left")
    cni1.node.sh("mount -o remount,ro /run/ferrule")
    cni1.fails("ADD", "p1", net, 5, "Read-only")
    cni1.node.sh("umount /run/ferrule; rmdir /run/ferrule; mv /run/old /run/ferrule")
    assert cni1.state() == before


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


def test_version(cni1):
    versions = ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"]
    for asked, told in ((b"", "1.1.0"), (b'{"cniVersion":"0.4.0"}', "0.4.0"), (b"{", "1.1.0")):
        status, out, _ = cni1.call("VERSION", "", asked, env={
            "CNI_CONTAINERID": None, "CNI_NETNS": None, "CNI_IFNAME": None, "CNI_PATH": None})
        assert status == 0 and out == {"cniVersion": told, "supportedVersions": versions}


def test_ipam_is_optional(cni1):
    """Without IPAM the interface is up and has no IPv4 address."""
    cni1.pod("p1")
    net = conf(annotation=[{}], ipam={})
    out = cni1.ok("ADD", "p1", net)
    assert "ips" not in out and len(out["interfaces"]) == 1
    assert "inet " not in cni1.node.text("ip", "-n", "p1", "addr")
    cni1.ok("DEL", "p1", net)
    assert IPAM["type"] not in cni1.state()[1]
