# SPDX-License-Identifier: MIT
"""rdma-cni with plugins that are slow, fail or hang, and calls that cross each other."""

import json

from cnitool import ONE, conf, ready

STORE = {"type": "store"}
CALL = """
export CNI_COMMAND="$1" CNI_CONTAINERID="$2" CNI_NETNS="/run/netns/$2" CNI_IFNAME=eth0 \
    CNI_PATH=/opt/cni/bin:/opt/lab
cat >"/tmp/$2.conf"
(
    status=0
    setsid rdma-cni <"/tmp/$2.conf" >"/tmp/$1.out" 2>"/tmp/$1.log" || status=$?
    echo $status >"/tmp/$1.status"
) >/dev/null 2>&1 &
"""


def on(cni, command, script):
    """What the plugin "store" does first, from now on."""
    cni.node.write(f"/tmp/on.{command}", script)


def start(cni, command, pod, net):
    """A call that is not waited for; see ended()."""
    cni.node.run("sh", "-ec", CALL, "sh", command, pod, data=json.dumps(net).encode())


def ended(cni, command, seconds=90):
    """Exit status and output of the one that was started."""
    node = cni.node
    node.wait(lambda: node.run("test", "-s", f"/tmp/{command}.status", check=False).returncode == 0,
              f"{command} has ended", seconds=seconds)
    out = node.text("cat", f"/tmp/{command}.out")
    return int(node.text("cat", f"/tmp/{command}.status")), json.loads(out) if out else ""


def blocked_add(cni, net):
    """An ADD for p1 that waits in its IPAM until /tmp/go is there."""
    on(cni, "ADD", ">/tmp/inside; while [ ! -e /tmp/go ]; do sleep 0.1; done")
    start(cni, "ADD", "p1", net)
    cni.node.wait(lambda: cni.node.run("test", "-e", "/tmp/inside", check=False).returncode == 0,
                  "IPAM was asked", lambda: cni.node.text("cat", "/tmp/ADD.log"))


def phases(cni):
    """{record: phase}."""
    text = cni.node.text("sh", "-c", "cd /run/ferrule/attachments; grep -o '\"phase\":\"[a-z-]*\"' "
                         "/dev/null * || true")
    return {line.partition(".json:")[0]: line.split('"')[3] for line in text.splitlines()}


def test_del_while_add_is_at_work(cni1):
    """It waits for the ADD, and takes back what that has made."""
    before = cni1.state()
    net = conf(annotation=ONE + ONE, ipam=STORE)
    cni1.pod("p1")
    cni1.pod("p2")
    blocked_add(cni1, net)
    start(cni1, "DEL", "p1", net)
    cni1.node.sh("sleep 0.5; rm /tmp/on.ADD; [ ! -e /tmp/DEL.status ]")
    # Another pod does not wait for it.
    cni1.ok("ADD", "p2", net)
    link = cni1.link("p2")
    cni1.node.sh("touch /tmp/go")
    assert ended(cni1, "ADD")[0] == 0
    assert ended(cni1, "DEL") == (0, "")
    assert set(phases(cni1)) == {"p2:eth0", "p2:eth1"}
    assert cni1.link("p2") == link
    cni1.ok("DEL", "p2", net)
    assert cni1.state() == before


def test_waits_end(cni1):
    """A DEL that has waited long enough for an ADD takes what it can get, and the ADD that goes on
    then gives up; a node that is locked for long is an error. Each wait takes half a minute: here
    they are together."""
    before = cni1.state()
    net = conf(annotation=ONE + ONE, ipam=STORE, ipamTimeoutMs=90000)
    cni1.pod("p1")
    cni1.pod("p2")
    blocked_add(cni1, net)
    cni1.node.sh("setsid flock /run/ferrule/lock sleep 45 >/dev/null 2>&1 &")
    start(cni1, "DEL", "p1", net)
    cni1.fails("ADD", "p2", conf(annotation=ONE), 11, "another program that takes VFs")
    # What the ADD works on stays its own; what it has only planned does not.
    status, out = ended(cni1, "DEL")
    assert status == 1 and out["code"] == 11, out
    assert phases(cni1) == {"p1:eth0": "attaching"}
    cni1.node.sh("rm /tmp/on.ADD; touch /tmp/go")
    cni1.ok("ADD", "p2", conf(annotation=ONE, ipam=STORE))
    link = cni1.link("p2")
    status, out = ended(cni1, "ADD")
    assert status == 1 and "eth1" in out["msg"] and "removed meanwhile" in out["msg"], out
    assert set(phases(cni1)) == {"p2:eth0"}
    assert cni1.link("p2") == link
    cni1.ok("DEL", "p1", net)
    cni1.ok("DEL", "p2", net)
    assert cni1.state() == before


def test_ipam_that_hangs(cni1):
    """ADD ends with its deadline, and so do the plugin and what that has started."""
    before = cni1.state()
    net = conf(annotation=ONE + ONE, ipam=STORE, ipamTimeoutMs=1000)
    cni1.pod("p1")
    on(cni1, "ADD", '[ $CNI_IFNAME = eth0 ] || { trap "" TERM HUP; sleep 99 & sleep 99; }')
    cni1.fails("ADD", "p1", net, 103, "did not end in time")
    assert cni1.state() == before
    on(cni1, "DEL", "sleep 99 & sleep 99")
    cni1.node.run("rm", "/tmp/on.ADD")
    cni1.ok("ADD", "p1", net)
    cni1.fails("DEL", "p1", net, 103, "did not end in time")
    # Killed is not yet reaped, which is the work of the node's init.
    cni1.node.wait(lambda: cni1.node.run("pidof", "sleep", check=False).returncode == 1,
                   "no child is left")
    cni1.node.run("rm", "/tmp/on.DEL")
    cni1.ok("DEL", "p1", net)
    assert cni1.state() == before


AWAY = """echo '{"cniVersion":"1.1.0","code":11,"msg":"database away"}'; exit 1"""


def test_addresses_that_cannot_be_released(cni1):
    """The VF is back and anybody's; the addresses stay on record for the next DEL or GC."""
    links, _ = before = cni1.state()
    net = conf("1.1.0", annotation=ONE, ipam=STORE)
    for pod in ("p1", "p2", "p3"):
        cni1.pod(pod)
    cni1.ok("ADD", "p1", net)
    on(cni1, "DEL", AWAY)
    for _ in range(2):
        cni1.fails("DEL", "p1", net, 11, "database away")
        assert phases(cni1) == {"p1:eth0": "ipam-pending"}
        assert cni1.state()[0] == links
    cni1.ok("ADD", "p2", net)  # the same VF
    assert cni1.held() == [("enp1s0f0", 0)] * 2
    link = cni1.link("p2")
    cni1.fails("DEL", "p1", net, 11, "database away")
    gc = dict(net, **{"cni.dev/valid-attachments": [{"containerID": "p2", "ifname": "eth0"}]})
    cni1.fails("GC", "", gc, 11, "database away")
    cni1.node.run("rm", "/tmp/on.DEL")
    assert "held" in cni1.node.text("cat", "/var/lib/cni/store/p1:eth0")
    cni1.ok("GC", "", gc)
    assert phases(cni1) == {"p2:eth0": "attached"}
    assert cni1.link("p2") == link
    cni1.ok("DEL", "p2", net)
    assert cni1.state() == before


def test_undoing_that_fails(cni1):
    """The first reason is reported, what is left is said, and DEL gets rid of it."""
    before = cni1.state()
    net = conf(annotation=ONE + ONE, ipam=STORE)
    cni1.pod("p1")
    on(cni1, "ADD", f"[ $CNI_IFNAME = eth0 ] || {{ {AWAY.replace('away', 'full')}; }}")
    on(cni1, "DEL", AWAY)
    out = cni1.fails("ADD", "p1", net, 11, "database full")
    assert "undoing eth0 failed, DEL has to finish it" in out["details"], out
    assert set(phases(cni1).values()) == {"ipam-pending"}
    assert cni1.state()[0] == before[0]
    cni1.fails("ADD", "p1", net, 7, "DEL comes before another ADD")
    cni1.node.sh("rm /tmp/on.*")
    cni1.ok("DEL", "p1", net)
    assert cni1.state() == before


def test_ipam_that_never_ran(cni1):
    """Undoing needs nothing of it: there is no address."""
    node, before = cni1.node, cni1.state()
    cni1.pod("p1")
    on(cni1, "DEL", AWAY)
    # The driver has no minimum rates.
    out = cni1.fails("ADD", "p1", conf(annotation=ONE, ipam=STORE, min_tx_rate="enforce"), 102,
                     "configure")
    assert "details" not in out, out
    assert cni1.state() == before
    # It would run while the interface is moved, but it cannot be executed.
    cni1.plugin("whereabouts", "#!/bin/sh\n")
    node.run("chmod", "644", "/opt/lab/whereabouts")
    try:
        for rate, code, text in (("enforce", 102, "configure"), ("account", 103, "whereabouts")):
            net = conf(annotation=ONE, ipam={"type": "whereabouts"}, min_tx_rate=rate)
            out = cni1.fails("ADD", "p1", net, code, text)
            assert "details" not in out, out
            assert cni1.state() == before
    finally:
        node.run("rm", "/opt/lab/whereabouts")


def test_vf_of_another_record(cni1):
    """A record that was not there when the VF was taken, and is when its turn comes: the VF is not
    touched, and another one taken."""
    node, before = cni1.node, cni1.state()
    net = conf(annotation=ONE, ipam=STORE)
    for pod in ("p1", "p2"):
        cni1.pod(pod)
    cni1.ok("ADD", "p1", net)
    assert cni1.held() == [("enp1s0f0", 0)]
    # The VF is free, but for a copy that its last user left.
    node.sh("cp /run/ferrule/attachments/p1:eth0.json /tmp/record; ls /run/ferrule/lent >/tmp/vf")
    on(cni1, "DEL", AWAY)
    cni1.fails("DEL", "p1", net, 11, "database away")
    node.sh("cp /tmp/record /run/ferrule/lent/$(cat /tmp/vf)")
    on(cni1, "DEL", ">/tmp/inside; while [ ! -e /tmp/go ]; do sleep 0.1; done")
    start(cni1, "DEL", "p1", net)  # has the VF's lock
    node.wait(lambda: node.run("test", "-e", "/tmp/inside", check=False).returncode == 0,
              "IPAM was asked")
    start(cni1, "ADD", "p2", conf(annotation=ONE, ipam={}))
    node.wait(lambda: phases(cni1).get("p2:eth0") == "planned", "ADD has taken a VF")
    assert cni1.held() == [("enp1s0f0", 0)] * 2
    node.sh("sed 's/:\"p1\"/:\"p3\"/' /tmp/record >/run/ferrule/attachments/p3:eth0.json; >/tmp/go")
    assert ended(cni1, "DEL") == (0, "")
    assert ended(cni1, "ADD")[0] == 0
    assert "belongs to p3:eth0" in node.text("cat", "/tmp/ADD.log")
    assert cni1.held() == [("enp1s0f0", 0), ("enp1s0f0", 1)]
    vf = node.vf_netdev("enp1s0f0", 0)
    assert cni1.state()[0][vf] == before[0][vf]
    node.sh("rm /run/ferrule/attachments/p3:eth0.json /run/ferrule/lent/$(cat /tmp/vf) /tmp/on.*")
    cni1.ok("DEL", "p2", conf(annotation=ONE, ipam={}))
    assert cni1.state() == before


def test_delegate_in_status_and_gc(cni1):
    """It is asked, too, and gets the list of what is valid."""
    before = cni1.state()
    net = conf("1.1.0", annotation=[], ipam={}, delegate={"type": "store", "odd": [1]})
    for pod in ("p1", "p2"):
        cni1.pod(pod)
        cni1.ok("ADD", pod, net)
    cni1.ok("STATUS", "", net)
    on(cni1, "STATUS", AWAY.replace("11", "50"))
    cni1.fails("STATUS", "", net, 50, "database away")
    cni1.fails("STATUS", "", dict(net, delegate={"type": "missing"}), 50, "missing")
    on(cni1, "GC", "cat >/tmp/got; env >/tmp/env")
    keep = [{"containerID": "p2", "ifname": "eth0"}]
    cni1.ok("GC", "", dict(net, **{"cni.dev/valid-attachments": keep}))
    got = cni1.node.json("cat", "/tmp/got")
    assert got["cni.dev/valid-attachments"] == got["cni.dev/attachments"] == keep
    assert (got["type"], got["name"], got["odd"]) == ("store", "rdma", [1])
    assert "CNI_CONTAINERID" not in cni1.node.text("cat", "/tmp/env")
    assert cni1.node.text("ls", "/run/ferrule/delegated", "/var/lib/cni/store").split() == [
        "/run/ferrule/delegated:", "p2:eth0.json", "/var/lib/cni/store:", "p2:eth0"]
    on(cni1, "GC", AWAY)
    cni1.fails("GC", "", dict(net, **{"cni.dev/attachments": keep}), 11, "database away")
    cni1.ok("DEL", "p2", net)
    assert cni1.state() == before


def test_ipam_gets_every_valid_interface(cni1):
    """The runtime knows an attachment by one name, IPAM each interface by its own."""
    net = conf("1.1.0", annotation=ONE + ONE + ONE, ipam=STORE)
    for pod in ("p1", "p2"):
        cni1.pod(pod)
        cni1.ok("ADD", pod, net)
    on(cni1, "GC", "cat >/tmp/got")
    keep = [{"containerID": "p9", "ifname": "net1"}, {"containerID": "p1", "ifname": "eth0"}]
    cni1.ok("GC", "", dict(net, **{"cni.dev/attachments": keep}))
    got = cni1.node.json("cat", "/tmp/got")
    want = sorted([("p9", "net1"), ("p1", "eth0"), ("p1", "eth1"), ("p1", "eth2")])
    for key in ("cni.dev/valid-attachments", "cni.dev/attachments"):
        assert sorted((i["containerID"], i["ifname"]) for i in got[key]) == want
    assert got["ipam"] == STORE and got["name"] == "rdma"
    assert cni1.node.text("ls", "/var/lib/cni/store").split() == ["p1:eth0", "p1:eth1", "p1:eth2"]
    cni1.ok("DEL", "p1", net)


def test_both_families_and_more_routes(cni1):
    """IPv6 beside IPv4, a route with a gateway of its own, in results of every shape."""
    before = cni1.state()
    ipam = {"type": "static", "addresses": [
        {"address": "10.9.0.7/24", "gateway": "10.9.0.1"},
        {"address": "fd00:9::7/64", "gateway": "fd00:9::1"}],
        "routes": [{"dst": "0.0.0.0/0"}, {"dst": "10.20.0.0/16", "gw": "10.9.0.9"},
                   {"dst": "::/0"}, {"dst": "fd00:20::/48", "gw": "fd00:9::9"}]}
    cni1.pod("p1")
    want = {("-4", "default", "10.9.0.1"), ("-4", "10.20.0.0/16", "10.9.0.9"),
            ("-6", "default", "fd00:9::1"), ("-6", "fd00:20::/48", "fd00:9::9")}
    for version in ("0.2.0", "1.0.0"):
        net = conf(version, annotation=ONE, ipam=ipam)
        out = cni1.ok("ADD", "p1", net)
        have = {(family, r["dst"], r["gateway"]) for family in ("-4", "-6")
                for r in cni1.node.json("ip", "-n", "p1", "-j", family, "route") if "gateway" in r}
        assert have == want
        if version == "0.2.0":
            assert [out[k]["ip"] for k in ("ip4", "ip6")] == ["10.9.0.7/24", "fd00:9::7/64"]
            assert [len(out[k]["routes"]) for k in ("ip4", "ip6")] == [2, 2]
        else:
            assert [i["address"] for i in out["ips"]] == ["10.9.0.7/24", "fd00:9::7/64"]
            assert len(out["routes"]) == 4
            cni1.ok("CHECK", "p1", dict(net, prevResult=out))
            cni1.node.run("ip", "-n", "p1", "addr", "del", "fd00:9::7/64", "dev", "eth0")
            cni1.fails("CHECK", "p1", dict(net, prevResult=out), 104, "fd00:9::7/64 is missing")
        cni1.ok("DEL", "p1", net)
    assert cni1.state() == before


def test_two_vfs_with_one_altname_in_one_pod(cni1):
    """Both come home; the name goes to one of them, as it can be only one's."""
    node = cni1.node
    first, second = node.vf_netdev("enp1s0f0", 0), node.vf_netdev("enp1s0f0", 1)
    net = conf(annotation=[{}], ipam={})
    before = cni1.state()
    for order in (("eth0", "net1"), ("net1", "eth0")):
        cni1.pod("p1")
        node.run("ip", "link", "property", "add", "dev", first, "altname", "both")
        cni1.ok("ADD", "p1", net)
        # In the pod it may have that name, too.
        node.run("ip", "-n", "p1", "link", "property", "add", "dev", "eth0", "altname", "both")
        node.run("ip", "link", "property", "add", "dev", second, "altname", "both")
        cni1.ok("ADD", "p1", net, ifname="net1")
        assert len(node.json("ip", "-n", "p1", "-j", "link")) == 3
        for ifname in order:
            cni1.ok("DEL", "p1", net, ifname=ifname)
        links, rest = cni1.state()
        winner = first if order[0] == "eth0" else second
        assert {name for name, link in links.items() if "both" in link.get("altnames", [])} == {
            winner}
        node.run("ip", "link", "property", "del", "dev", winner, "altname", "both")
        node.run("ip", "netns", "del", "p1")
        assert cni1.state() == (before[0], rest) == before


def test_reboot(cni1):
    """The addresses of pods from before are released, their VFs are anybody's, whether the records
    went with the reboot or not."""
    node = cni1.node
    net = conf(annotation=ONE + ONE, ipam=STORE)
    for pod in ("p1", "p2"):
        cni1.pod(pod)
        cni1.ok("ADD", pod, net)
    records, store = (node.run("tar", "-C", "/", "-c", "-f", "-", d).stdout
                      for d in ("run/ferrule", "var/lib/cni"))
    boot = node.text("cat", "/proc/sys/kernel/random/boot_id")
    node.reboot()
    assert node.text("cat", "/proc/sys/kernel/random/boot_id") != boot
    assert node.run("test", "-e", "/run/ferrule", check=False).returncode == 1
    cni = ready(node)
    links = cni.state()[0]
    # /run is empty, IPAM's store is on a disk.
    node.run("tar", "-C", "/", "-x", "-f", "-", data=store)
    cni.ok("DEL", "p1", net)
    assert node.text("ls", "/var/lib/cni/store").split() == ["p2:eth0", "p2:eth1"]
    cni.pod("p3")
    cni.ok("ADD", "p3", net)
    cni.ok("DEL", "p3", net)
    # /run is on the disk, too.
    for archive in (records, store):
        node.run("tar", "-C", "/", "-x", "-f", "-", data=archive)
    cni.pod("p1")
    cni.ok("ADD", "p3", net)
    held = cni.held()
    assert len(held) == 6 and len(set(held)) == 4, f"records of another boot hold no VF: {held}"
    link = [cni.link("p3", name) for name in ("eth0", "eth1")]
    cni.ok("DEL", "p1", net)
    assert set(phases(cni)) == {"p2:eth0", "p2:eth1", "p3:eth0", "p3:eth1"}
    keep = [{"containerID": "p3", "ifname": "eth0"}]
    cni.ok("GC", "", dict(conf("1.1.0", ipam=STORE), **{"cni.dev/attachments": keep}))
    assert set(phases(cni)) == {"p3:eth0", "p3:eth1"}
    assert [cni.link("p3", name) for name in ("eth0", "eth1")] == link
    cni.ok("DEL", "p3", net)
    assert cni.state() == (links, "")


def test_rdma_namespaces_in_exclusive_mode(cni1):
    """Lending works then, too. Soft-RoCE is all the RDMA there is here; the kernel neither moves
    its devices nor keeps them when their interface moves."""
    node = cni1.node
    before, vf = cni1.state(), node.vf_netdev("enp1s0f0", 0)
    node.run("modprobe", "rdma_rxe")
    node.run("rdma", "system", "set", "netns", "exclusive")
    try:
        cni1.pod("p1")
        node.run("rdma", "link", "add", "rxe7", "type", "rxe", "netdev", vf)
        moved = node.run("rdma", "dev", "set", "rxe7", "netns", "p1", check=False)
        assert moved.returncode != 0 and b"not supported" in moved.stderr
        cni1.ok("ADD", "p1", conf(annotation=ONE))
        assert "rxe7" not in node.text("rdma", "dev")
        cni1.ok("DEL", "p1", conf(annotation=ONE))
        assert cni1.state() == before
    finally:
        node.run("ip", "netns", "del", "p1", check=False)
        node.wait(lambda: node.run("rdma", "system", "set", "netns", "shared",
                                   check=False).returncode == 0, "no namespace is left")
