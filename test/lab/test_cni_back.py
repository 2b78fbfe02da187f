# SPDX-License-Identifier: MIT
"""VFs come back as they were, whatever has become of the pod, its record, the VF or the node."""

import json

import pytest

from cnitool import ONE, PFS, conf

pytestmark = pytest.mark.beside("test_cni.py")

RECORD = "/run/ferrule/attachments/p1:eth0.json"


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
        assert cni1.rates("enp1s0f0", 0) == (0, 300)
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
    assert cni1.rates("enp1s0f0", 0) == (0, 200)
    cni1.ok("ADD", "p1", conf(annotation=[{"max_tx_rate": 300}]))
    cni1.ok("DEL", "p1", conf(annotation=[{"max_tx_rate": 300}]))
    assert cni1.state() == before


@pytest.mark.parametrize("where", ["host", "pod"])
def test_sick_vf_is_left_out(cni1, where):
    """One VF that cannot be moved: the next one is taken, and everything is undone."""
    before = cni1.state()
    temp = cni1.temp_name("enp1s0f0", 0)
    cni1.pod("p1")
    cni1.node.run("ip", *(["-n", "p1"] if where == "pod" else []),
                  "link", "add", temp, "type", "bridge")
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
            cni1.node.run("ip", "-n", "p1", "link", "add", cni1.temp_name(pf, vf), "type", "bridge")
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
