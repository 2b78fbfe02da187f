# SPDX-License-Identifier: MIT
"""src/nl against the kernel's own rtnetlink: nl_dump beside `ip -j -d link`, in network namespaces of these tests."""

import json
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOLS = {
    "static": ROOT / "build/tools/nl_dump",
    "asan": ROOT / "build/asan/tools/nl_dump",
}
ARPHRD = {"ether": 1, "loopback": 772}
OPERSTATE = {"UNKNOWN": 0, "DOWN": 2, "LOWERLAYERDOWN": 3, "UP": 6}


class Netns:
    """A network namespace that lives as long as a process of ours in it does."""

    def __init__(self):
        self.unshare = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--net", "--map-root-user"]
        self.keeper = subprocess.Popen(
            [*self.unshare, "sh", "-c", "echo up; exec cat"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        if self.keeper.stdout.readline() != "up\n":
            self.close()
            pytest.skip("this machine allows no network namespaces")

    def argv(self, *command):
        user = [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]
        return ["nsenter", "--target", str(self.keeper.pid), "--net", *user, *map(str, command)]

    def run(self, *command, **options):
        return subprocess.run(self.argv(*command), capture_output=True, text=True, timeout=60, **options)

    def ip(self, *args):
        done = self.run("ip", *args)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def links(self):
        return {link["ifname"]: link for link in json.loads(self.ip("-j", "-d", "link"))}

    def close(self):
        self.keeper.stdin.close()
        self.keeper.wait(timeout=20)
        self.keeper.stdout.close()


@pytest.fixture
def netns():
    ns = Netns()
    yield ns
    ns.close()


@pytest.fixture(params=TOOLS)
def tool(request):
    path = TOOLS[request.param]
    assert path.exists(), f"{path} is missing; make tools"
    return path


def dump(netns, tool):
    done = netns.run(tool)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def of_type(objects, kind):
    return [o for o in objects if o["type"] == kind]


def check_same(ours, theirs):
    """One link of nl_dump and the same one of ip, field by field."""
    assert ours["ifindex"] == theirs["ifindex"]
    assert ours["name"] == theirs["ifname"]
    assert ours["mtu"] == theirs["mtu"]
    assert ours["address"] == theirs["address"]
    assert ours["arphrd"] == ARPHRD[theirs["link_type"]]
    assert ours["operstate"] == OPERSTATE[theirs["operstate"]]
    assert ours["promiscuity"] == theirs["promiscuity"]
    assert ours["kind"] == theirs.get("linkinfo", {}).get("info_kind", "")
    assert bool(ours["flags"] & 1) == ("UP" in theirs["flags"])
    assert bool(ours["flags"] & 0x100) == ("PROMISC" in theirs["flags"])
    assert ours.get("netnsid") == theirs.get("link_netnsid")
    assert bool(ours["master"]) == ("master" in theirs)
    assert bool(ours["lower"]) == ("link" in theirs or "link_index" in theirs)
    shown = [ours[f"altname{i}"] for i in range(min(4, ours["altnames_n"]))]
    assert shown == theirs.get("altnames", [])[:4]
    assert ours["altnames_n"] == len(theirs.get("altnames", []))


def test_links_are_those_of_ip(netns, tool):
    other = Netns()
    try:
        netns.ip("link", "add", "va", "type", "veth", "peer", "name", "vb")
        netns.ip("link", "add", "vc", "type", "veth", "peer", "name", "vd")
        netns.ip("link", "add", "br0", "type", "bridge")
        netns.ip("link", "set", "va", "master", "br0")
        netns.ip("link", "set", "vc", "mtu", "9000", "address", "02:00:00:00:00:07", "up", "promisc", "on")
        netns.ip("link", "set", "vd", "netns", other.keeper.pid)
        for name in ("short", "much-longer-than-an-interface-name", "c", "d", "e"):
            netns.ip("link", "property", "add", "dev", "va", "altname", name)
        theirs = netns.links()
        ours = of_type(dump(netns, tool), "link")
        assert sorted(o["name"] for o in ours) == sorted(theirs)
        assert len(ours) == 5
        for link in ours:
            check_same(link, theirs[link["name"]])
    finally:
        other.close()


def test_many_links_come_over_many_datagrams(netns, tool):
    batch = "".join(f"link add v{i} type veth peer name w{i}\n" for i in range(200))
    done = netns.run("ip", "-batch", "-", input=batch)
    assert done.returncode == 0, done.stderr
    names = [o["name"] for o in of_type(dump(netns, tool), "link")]
    assert len(names) == len(set(names)) == 401
    assert set(names) == set(netns.links())


def test_links_that_change_while_they_are_listed(netns, tool):
    """Dumps that the kernel marks as interrupted are repeated: whole lists or a clear refusal, nothing between."""
    batch = "".join(f"link add v{i} type veth peer name w{i}\n" for i in range(100))
    assert netns.run("ip", "-batch", "-", input=batch).returncode == 0
    churn = "while :; do ip link add x type veth peer name y; ip link del x; done"
    changer = subprocess.Popen(netns.argv("sh", "-c", churn), stderr=subprocess.DEVNULL)
    try:
        for _ in range(20):
            done = netns.run(tool)
            if done.returncode != 0:
                assert "the list changed while it was read, 3 times" in done.stderr
                continue
            names = [o["name"] for o in of_type(map(json.loads, done.stdout.splitlines()), "link")]
            assert len(names) == len(set(names))
            assert {f"v{i}" for i in range(100)} <= set(names)
    finally:
        changer.terminate()
        changer.wait(timeout=20)


def test_one_link_by_every_name(netns, tool):
    netns.ip("link", "add", "va", "type", "veth", "peer", "name", "vb")
    netns.ip("link", "property", "add", "dev", "va", "altname", "fifteen-bytes-x")
    netns.ip("link", "property", "add", "dev", "va", "altname", "sixteen-bytes-xx")
    for name in ("va", "fifteen-bytes-x", "sixteen-bytes-xx"):
        done = netns.run(tool, "link", name)
        assert done.returncode == 0, done.stderr
        check_same(json.loads(done.stdout), netns.links()["va"])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nope", "read interface nope: No such device"),
        ("a-name-longer-than-fifteen", "read interface a-name-longer-than-fifteen: No such device"),
        ("", "an interface name has 1 to 127 bytes"),
        ("x" * 128, "an interface name has 1 to 127 bytes"),
    ],
)
def test_names_that_are_none(netns, tool, name, message):
    done = netns.run(tool, "link", name)
    assert done.returncode == 1
    assert done.stdout == ""
    assert message in done.stderr


def test_setters(netns, tool):
    netns.ip("link", "add", "va", "type", "veth", "peer", "name", "vb")
    for args in (("up", 1), ("mac", "02:00:00:00:00:2a"), ("name", "eth9")):
        name = "va"
        done = netns.run(tool, "set", name, *args)
        assert done.returncode == 0, done.stderr
    link = netns.links()["eth9"]
    assert link["address"] == "02:00:00:00:00:2a"
    assert "UP" in link["flags"]
    assert netns.run(tool, "set", "eth9", "up", 0).returncode == 0
    assert "UP" not in netns.links()["eth9"]["flags"]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("set", "va", "name", "vb"), "to vb: File exists"),
        (("set", "va", "name", "a/b"), '"a/b" cannot be the name of an interface'),
        (("set", "va", "name", "sixteen-bytes-xx"), "cannot be the name of an interface"),
        (("set", "va", "mac", "01:00:00:00:00:01"), "set address of interface "),
        (("vf", "va", 0, "trust", 1), "set trust of VF 0: "),
        (("vf", "va", 0, "rate", 0, 100), "set rates of VF 0: "),
        (("vf", "va", 0, "vlan", 5, 0, "88a8"), "set VLAN of VF 0: "),
        (("vf", "va", 0, "mac", "02:00:00:00:00:01"), "set MAC address of VF 0: "),
        (("vf", "va", 0, "node_guid", "1"), "set node GUID of VF 0: "),
        (("vf", "va", 0, "vlan", 4095, 0, "8100"), "VLAN 4095 with priority 0 is out of range"),
    ],
)
def test_refused_settings(netns, tool, args, message):
    netns.ip("link", "add", "va", "type", "veth", "peer", "name", "vb")
    before = netns.links()
    done = netns.run(tool, *args)
    assert done.returncode != 0
    assert message in done.stderr
    assert netns.links() == before


def test_setters_without_privilege(netns, tool):
    if os.geteuid() != 0:
        pytest.skip("only root can give up its capabilities for a command")
    netns.ip("link", "add", "va", "type", "veth", "peer", "name", "vb")
    plain = ["setpriv", "--reuid", "65534", "--clear-groups", "--bounding-set", "-all", "--inh-caps", "-all"]
    done = netns.run(*plain, tool, "set", "va", "up", 1)
    if "execvp" in done.stderr or "failed to execute" in done.stderr:
        pytest.skip("the tree is not readable for other users")
    assert done.returncode == 1
    assert "up: Operation not permitted" in done.stderr
    assert "UP" not in netns.links()["va"]["flags"]
    assert netns.run(*plain, tool).returncode == 0  # reading needs none


def test_speed_and_link_state(netns, tool):
    netns.ip("link", "add", "va", "type", "veth", "peer", "name", "vb")
    netns.ip("link", "set", "va", "up")
    index = netns.links()["va"]["ifindex"]
    speeds = {o["ifindex"]: o for o in of_type(dump(netns, tool), "speed")}
    assert speeds[index] == {"type": "speed", "ifindex": index, "mbps": 10000, "known": True, "link": False}
    assert speeds[1]["known"] is False
    assert speeds[1]["mbps"] == 0
    netns.ip("link", "set", "vb", "up")
    speeds = {o["ifindex"]: o for o in of_type(dump(netns, tool), "speed")}
    assert speeds[index]["link"] is True


def test_rdma_is_there_or_not_but_no_error(netns, tool):
    objects = dump(netns, tool)
    present = of_type(objects, "rdma")
    assert len(present) == 1
    if not present[0]["present"]:
        assert not of_type(objects, "rdma_dev")
    assert not of_type(objects, "vf")


def test_bad_command_lines(netns, tool):
    for args in (["link"], ["frob", "lo"], ["vf", "lo", 0], ["set", "lo", "colour", "red"]):
        done = netns.run(tool, *args)
        assert done.returncode != 0
        assert done.stderr.startswith("nl_dump: ")
