# SPDX-License-Identifier: MIT
"""rdma-cni, the static program, where no hardware is needed: what it makes of odd calls and of records
whose VFs are not there (any more). What it does to VFs is in test/lab."""
import json
import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from simnodes import wait_for

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CNI = os.path.join(ROOT, "build", "bin", "rdma-cni")
BOOT = open("/proc/sys/kernel/random/boot_id", encoding="ascii").read().strip()
NO_VF = "fffe:00:10.1"  # a PCI address that no machine has


class Plugin:
    """One state directory, one folder of IPAM plugins."""

    def __init__(self, base):
        self.base = str(base)
        self.state = os.path.join(self.base, "state")
        self.bin = os.path.join(self.base, "bin")
        self.node = os.path.join(self.base, "node.json")
        os.mkdir(self.bin)
        self.configure({"stateDir": self.state})

    def configure(self, text):
        with open(self.node, "w", encoding="utf-8") as f:
            f.write(text if isinstance(text, str) else json.dumps(text))

    def script(self, name, text):
        path = os.path.join(self.bin, name)
        with open(path, "w", encoding="ascii") as f:
            f.write(f"#!/bin/sh\ncd {self.base}\n{text}\n")
        os.chmod(path, 0o755)

    def said(self, name):
        with open(os.path.join(self.base, name), encoding="utf-8") as f:
            return f.read()

    def conf(self, version="1.0.0", **more):
        return {"cniVersion": version, "name": "rdma", "type": "rdma-cni", "interfaces": [],
                "nodeConfig": self.node, **more}

    def call(self, command, conf=None, cid="c1", stdin=None, **env):
        values = {"CNI_COMMAND": command, "CNI_CONTAINERID": cid, "CNI_IFNAME": "eth0",
                  "CNI_PATH": self.bin, "PATH": os.environ["PATH"]}
        values.update(env)
        if stdin is None:
            data = conf if isinstance(conf, bytes) else json.dumps(conf or self.conf()).encode()
            how = {"input": data}
        else:
            how = {"stdin": stdin}
        done = subprocess.run([CNI], env=values, capture_output=True, timeout=120, check=False, **how)
        out = done.stdout.decode()
        return done.returncode, json.loads(out) if out else "", done.stderr.decode()

    def ok(self, command, *args, **kw):
        status, out, log = self.call(command, *args, **kw)
        assert status == 0, f"{out}\n{log}"
        return out

    def fails(self, command, code, text, *args, **kw):
        status, out, log = self.call(command, *args, **kw)
        assert status == 1, f"{out}\n{log}"
        assert out["code"] == code and text in out["msg"], out

    def record(self, cid="c1", ifname="eth0", **more):
        """As an ADD leaves one. None removes a key."""
        it = {"version": 1, "phase": "attached", "containerId": cid, "ifname": ifname,
              "request": "eth0", "network": "rdma", "ipam": "ipam",
              "netns": {"path": "/run/netns/none", "inode": 1}, "bootId": BOOT, "pf": "pf0", "vf": 0,
              "pci": NO_VF, "minTxRate": 100, "maxTxRate": 0, "addresses": ["10.1.0.5/24"]}
        it.update(more)
        text = json.dumps({k: v for k, v in it.items() if v is not None})
        self.file(f"attachments/{cid}:{ifname}.json", text)

    def file(self, path, text):
        path = os.path.join(self.state, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)

    def files(self, folder="attachments"):
        path = os.path.join(self.state, folder)
        return sorted(os.listdir(path)) if os.path.isdir(path) else []

    def phase(self, name="c1:eth0.json"):
        with open(os.path.join(self.state, "attachments", name), encoding="utf-8") as f:
            return json.load(f)["phase"]


@pytest.fixture
def cni(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("the plugin works as root")
    it = Plugin(tmp_path)
    # Writes down what it was told; fails with the error in the file "error", if there is one.
    it.script("ipam", 'cat >conf.$CNI_COMMAND; echo "$CNI_COMMAND $CNI_CONTAINERID $CNI_IFNAME" >>calls\n'
              '[ ! -e error ] || { cat error; exit 1; }')
    return it


def test_version_without_stdin(cni):
    """Empty, closed, or open for ever: the answer does not depend on it."""
    versions = ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"]
    want = {"cniVersion": "1.1.0", "supportedVersions": versions}
    assert cni.ok("VERSION", b"") == want
    assert cni.ok("VERSION", b'{"cniVersion":"0.4.0"}') == dict(want, cniVersion="0.4.0")
    with open("/dev/null", "rb") as null:
        assert cni.ok("VERSION", stdin=null) == want
    read, write = os.pipe()
    try:
        assert cni.ok("VERSION", stdin=read) == want  # nobody ever writes or closes it
        os.write(write, b'{"cniVersion":"0.3.1"}')
        assert cni.ok("VERSION", stdin=read) == dict(want, cniVersion="0.3.1")
    finally:
        os.close(read)
        os.close(write)


def test_del_with_an_impossible_namespace(cni):
    """It is one that is gone."""
    for netns in ("", "net", "../x", "/" + "a" * 5000):
        cni.record()
        cni.ok("DEL", CNI_NETNS=netns)
        assert cni.files() == []
    cni.fails("ADD", 4, "absolute path", CNI_NETNS="net")


@pytest.mark.parametrize("more", [
    {"name": None}, {"name": "a/b"}, {"name": 7}, {"ipam": []}, {"ipam": {"type": "../x"}},
    {"prevResult": 1}, {"runtimeConfig": []}, {"vlan": "x"},
    {"name": None, "ipam": 1, "runtimeConfig": {"io.kubernetes.cri.pod-annotations": 1}}])
def test_del_with_a_bad_configuration(cni, more):
    """What is on record is released all the same, addresses with the record's network."""
    conf = {k: v for k, v in cni.conf(**more).items() if v is not None}
    cni.record()
    cni.ok("DEL", conf)
    assert cni.files() == []
    assert json.loads(cni.said("conf.DEL"))["name"] == "rdma"
    assert cni.said("calls") == "DEL c1 eth0\n"


def test_del_with_a_bad_node_configuration(cni):
    """What can be found is released; what may be elsewhere is not said to be."""
    for text in ({"stateDir": cni.state, "unknown": 1}, {"stateDir": cni.state, "pfs": 7},
                 f'{{"vf": 0, "stateDir": "{cni.state}"}}'):
        cni.configure(text)
        cni.record()
        cni.ok("DEL")
        assert cni.files() == []
        cni.fails("DEL", 7, "node.json", cid="c2")
        cni.fails("ADD", 7, "node.json", CNI_NETNS="/proc/self/ns/net")
    cni.configure("{")
    cni.fails("DEL", 7, "node.json", cid="no-such-container")
    cni.file("delegated/c1:eth0.json",
             json.dumps({"network": "rdma", "type": "ipam", "conf": {"cniVersion": "1.0.0"}}))
    cni.configure({"stateDir": cni.state, "unknown": 1})
    cni.ok("DEL")
    assert cni.files("delegated") == []


@pytest.mark.parametrize("key, value", [
    ("nodeConfig", 7), ("nodeConfig", "node.json"), ("NodeConfig", "/etc/node.json")])
def test_del_without_the_node_configuration(cni, key, value):
    """Where its stateDir is cannot be known: that there is no record is no answer."""
    cni.record()
    conf = {k: v for k, v in cni.conf(**{key: value}).items() if k == key or k != "nodeConfig"}
    cni.fails("DEL", 7, "odeConfig", conf)
    cni.fails("GC", 7, "odeConfig", dict(conf, cniVersion="1.1.0", **{"cni.dev/valid-attachments": []}))
    assert cni.files() == ["c1:eth0.json"]
    cni.ok("DEL")
    assert cni.files() == []


@pytest.mark.parametrize("kind", ["../bin/ipam", "./ipam"])
def test_del_calls_no_delegate_that_is_none(cni, kind):
    """A name with a slash is never made a path."""
    cni.ok("DEL", cni.conf(delegate={"type": kind}))
    assert not os.path.exists(os.path.join(cni.base, "calls"))


@pytest.fixture
def netns():
    """The path of a network namespace of its own."""
    with subprocess.Popen(["unshare", "--net", "sleep", "1000"]) as child:
        path = f"/proc/{child.pid}/ns/net"
        try:
            wait_for(lambda: os.readlink(path) != os.readlink("/proc/self/ns/net"))
            yield path
        finally:
            child.kill()


@pytest.mark.parametrize("lock", ["calls", "busy"])
def test_a_lock_that_cannot_be_had_at_all(cni, lock):
    """Trying again later is of no use then."""
    cni.record()
    os.mkdir(os.path.join(cni.state, lock))
    cni.fails("DEL", 5, lock)
    assert cni.files() == ["c1:eth0.json"]


def test_gc_waits_for_an_add_of_the_delegate(cni, netns):
    """Its DEL does not come while the ADD of the same attachment is at work."""
    cni.script("ptp", 'echo "$CNI_COMMAND" >>order; cat >/dev/null\n'
               '[ "$CNI_COMMAND" != ADD ] || { while [ ! -e go ]; do sleep 0.1; done; '
               """echo end >>order; echo '{"cniVersion": "1.1.0", "ips": []}'; }""")
    conf = cni.conf("1.1.0", delegate={"type": "ptp"})
    go = os.path.join(cni.base, "go")
    with ThreadPoolExecutor(2) as pool:
        try:
            add = pool.submit(cni.call, "ADD", conf, CNI_NETNS=netns)
            wait_for(lambda: os.path.exists(os.path.join(cni.base, "order")))
            gc = pool.submit(cni.call, "GC", dict(conf, **{"cni.dev/valid-attachments": []}))
            time.sleep(1)  # enough for a GC that does not wait
        finally:
            open(go, "w", encoding="ascii").close()
        assert add.result()[0] == 0, add.result()
        assert gc.result()[0] == 0, gc.result()
    assert cni.said("order").split()[:3] == ["ADD", "end", "DEL"]
    assert cni.files("delegated") == []


def test_gc_needs_a_name(cni):
    """Whose attachments are to go?"""
    conf = cni.conf("1.1.0", **{"cni.dev/valid-attachments": []})
    del conf["name"]
    cni.record()
    cni.fails("GC", 7, "name", conf)
    assert cni.files() == ["c1:eth0.json"]


def test_delegated_without_records(cni):
    """The folder of records is missing, but not that of delegated networks."""
    cni.file("delegated/c1:eth0.json",
             json.dumps({"network": "rdma", "type": "ipam", "conf": {"cniVersion": "1.0.0"}}))
    cni.ok("DEL")
    assert cni.said("calls") == "DEL c1 eth0\n" and cni.files("delegated") == []


def test_many_environment_variables(cni):
    """A runtime's environment is no reason to keep an address."""
    cni.record()
    cni.ok("DEL", cni.conf(ipam={"type": "ipam"}), **{f"VAR{i}": "x" for i in range(900)})
    assert cni.files() == [] and cni.said("calls") == "DEL c1 eth0\n"


VERSION_ERROR = '{"cniVersion":"1.0.0","code":1,"msg":"version not supported"}'


def test_ipam_del_in_the_version_of_add(cni):
    """The configuration may have been edited since."""
    some = {"ranges": [[{"subnet": "0.0.0.0/0"}]]}
    for ipam, more in (({"type": "ipam", "range": [1]}, {"range": [1]}), ({"type": "other"}, some),
                       ({}, some)):
        cni.record(cniVersion="0.3.1")
        cni.ok("DEL", cni.conf("1.1.0", ipam=ipam))
        told = json.loads(cni.said("conf.DEL"))
        assert told["cniVersion"] == "0.3.1" and told["name"] == "rdma"
        assert told["ipam"] == dict(more, type="ipam")
    cni.record(cniVersion=None)
    cni.ok("DEL", cni.conf("0.4.0", ipam={"type": "ipam"}))
    assert json.loads(cni.said("conf.DEL"))["cniVersion"] == "0.4.0"


def test_ipam_del_in_the_network_of_add(cni):
    """A network that was renamed keeps the rest of its IPAM's configuration."""
    cni.record(network="old")
    cni.ok("DEL", cni.conf(ipam={"type": "ipam", "dataDir": "/d", "ranges": [[{"subnet": "::/64"}]]}))
    told = json.loads(cni.said("conf.DEL"))
    assert told["name"] == "old"
    assert told["ipam"] == {"type": "ipam", "dataDir": "/d", "ranges": [[{"subnet": "::/64"}]]}
    assert cni.files() == []


@pytest.mark.parametrize("error", [VERSION_ERROR, '{"code":11,"msg":"later"}', "no JSON"])
def test_ipam_that_fails_keeps_the_record(cni, error):
    """Also with the code for a version: it did give the address that is on record."""
    conf = cni.conf(ipam={"type": "ipam"})
    cni.file("../error", error)
    cni.record(cniVersion="1.0.0")
    for _ in range(2):
        assert cni.call("DEL", conf)[0] == 1
        assert cni.phase() == "ipam-pending"
    os.remove(os.path.join(cni.base, "error"))
    cni.ok("DEL", conf)
    assert cni.files() == [] and cni.said("calls").count("DEL") == 3


def test_ipam_that_never_gave(cni):
    """An ADD that was killed, with a version that the plugin does not speak: no end to it otherwise."""
    cni.file("../error", VERSION_ERROR)
    cni.record(phase="attaching", addresses=[], cniVersion="1.0.0")
    cni.ok("DEL", cni.conf(ipam={"type": "ipam"}))
    assert cni.files() == []
    cni.file("../error", '{"code":11,"msg":"later"}')
    cni.record(phase="attaching", addresses=[], cniVersion="1.0.0")
    cni.fails("DEL", 11, "later", cni.conf(ipam={"type": "ipam"}))
    assert cni.phase() == "ipam-pending"


def test_record_of_another_boot(cni):
    """A state directory that a reboot does not clear: IPAM is told, and that is all there is to do."""
    cni.record(bootId="8b7c0d5e-3f43-4a8a-9c55-1b9b8d0c6e21")
    _, _, log = cni.call("DEL", cni.conf(ipam={"type": "ipam"}))
    assert "earlier boot" in log
    assert cni.files() == [] and cni.said("calls") == "DEL c1 eth0\n"


def test_damaged_record_with_a_copy(cni):
    """The copy says what there is to release; the damaged one is kept for who wants to know."""
    for text in ("torn", '{"version": 2}', ""):
        cni.record(phase="planned", addresses=[], network="other", cniVersion="0.4.0")
        cni.file(f"lent/{NO_VF}", open(os.path.join(cni.state, "attachments/c1:eth0.json"),
                                       encoding="utf-8").read())
        cni.file("attachments/c1:eth0.json", text)
        _, _, log = cni.call("DEL")
        assert "made anew" in log and "not there any more" in log
        assert cni.files() == [] and cni.files("lent") == []
        told = json.loads(cni.said("conf.DEL"))
        assert told["name"] == "other" and told["cniVersion"] == "0.4.0"
    assert cni.said("calls") == "DEL c1 eth0\n" * 3 and len(cni.files("damaged")) == 3


def test_damaged_record_whose_vf_has_another_owner(cni):
    """Nothing is made of its copy, and the owner keeps what it has."""
    cni.record(cid="c2", phase="planned", addresses=[])
    cni.file(f"lent/{NO_VF}", open(os.path.join(cni.state, "attachments/c2:eth0.json"),
                                   encoding="utf-8").read())
    cni.file("attachments/c2:eth0.json", "torn")
    cni.record(cid="c1")
    cni.ok("DEL", cid="c2")
    assert cni.files() == ["c1:eth0.json"] and cni.files("lent") == [NO_VF]
    assert len(cni.files("damaged")) == 1


def test_damaged_record_without_a_copy(cni):
    """It is set aside, addresses are released as far as the configuration tells."""
    cni.record()
    cni.file("attachments/c1:eth0.json", "torn")
    cni.ok("DEL", cni.conf(ipam={"type": "ipam"}), CNI_NETNS="/proc/self/ns/net")
    assert cni.files() == [] and len(cni.files("damaged")) == 1
    assert cni.said("calls") == "DEL c1 eth0\n"


def test_gc_of_a_damaged_record(cni):
    conf = cni.conf("1.1.0", **{"cni.dev/valid-attachments": []})
    cni.record(phase="planned", addresses=[])
    cni.file(f"lent/{NO_VF}", open(os.path.join(cni.state, "attachments/c1:eth0.json"),
                                   encoding="utf-8").read())
    cni.file("attachments/c1:eth0.json", "torn")
    cni.ok("GC", conf)
    assert cni.files() == [] and cni.files("lent") == [] and len(cni.files("damaged")) == 1


def test_a_vf_that_is_gone(cni):
    """num_vfs was changed, or the card removed: DEL ends, ten times."""
    cni.file(f"lent/{NO_VF}", "{}")
    cni.record()
    for _ in range(10):
        cni.ok("DEL", cni.conf(ipam={"type": "ipam"}))
    assert cni.files() == [] and cni.files("lent") == []


def test_gc_leaves_what_it_cannot_read_of_a_valid_pod(cni):
    """The pod runs: its DEL is for that. IPAM must not take its address away meanwhile."""
    conf = cni.conf("1.1.0", ipam={"type": "ipam"}, **{
        "cni.dev/valid-attachments": [{"containerID": "c1", "ifname": "eth0"}]})
    cni.file("attachments/c1:eth1.json", "torn")
    cni.file("attachments/c2:eth0.json", "torn")
    cni.ok("GC", conf)
    assert cni.files() == ["c1:eth1.json"]
    assert json.loads(cni.said("conf.GC"))["cni.dev/valid-attachments"] == [
        {"containerID": "c1", "ifname": "eth0"}, {"containerID": "c1", "ifname": "eth1"}]


def test_ipam_without_a_record(cni):
    """A reboot cleared the records: every interface is told of, also after one that fails."""
    conf = cni.conf(ipam={"type": "ipam"}, interfaces=[{}, {}, {}])
    cni.file("../error", '{"code":11,"msg":"later"}')
    cni.ok("DEL", conf)
    assert cni.said("calls") == "DEL c1 eth0\nDEL c1 eth1\nDEL c1 eth2\n"
