# SPDX-License-Identifier: MIT
"""rdma-cni under a real container runtime: the distribution's containerd, driven as kubelet does
it."""

import json
import os

import pytest

import expected
from cnitool import ANNOTATIONS, ONE, PFS, THREE, Cni
from cri import Cri, CriError
from labtool import TOOL, TOP

KEY = "rdma_interfaces_required"
PLUGIN = os.path.join(TOP, "build", "bin", "rdma-cni")
SAMPLE = os.path.join(TOP, "deploy", "10-ritk8srdma-cni.conf")
CHAIN = os.path.join(TOP, "deploy", "10-ritk8srdma-cni-chained.conflist")
README = os.path.join(TOP, "cmd", "rdma-cni", "README.md")
NET_D = "/etc/cni/net.d"

# Writes down what it is run with and then becomes the plugin.
RECORDER = """#!/bin/sh
f=/tmp/recorded.$CNI_COMMAND
env >"$f.env"
cat >"$f.conf"
exec /opt/cni/bin/real-rdma-cni <"$f.conf"
"""

# host-local, held up in the command that its name says until somebody removes /tmp/hold.
SLOW = """#!/bin/sh
if [ "$CNI_COMMAND" = %s ] && [ -e /tmp/hold ]; then
    echo >/tmp/held
    while [ -e /tmp/hold ]; do sleep 0.1; done
fi
sed 's/"slow-%s"/"host-local"/' | /opt/cni/bin/host-local
"""

# IPAM of the newest version.
FIXED = """#!/bin/sh
[ "$CNI_COMMAND" != ADD ] || echo '{"cniVersion": "1.1.0", "ips": [{"address": "10.56.9.9/16"}]}'
"""

# Ends containerd and what it left, if a test failed halfway, and removes everything of it.
REMOVE = r"""
for p in /proc/[0-9]*; do
    case "$(cat "$p/comm" 2>/dev/null) $(tr '\0' ' ' <"$p/cmdline" 2>/dev/null)" in
    containerd* | *'busybox sleep 1000000 ') kill -9 "${p#/proc/}" 2>/dev/null || true ;;
    esac
done
grep -o ' /run/containerd/[^ ]*\| /run/netns/[^ ]*' /proc/mounts | sort -r | xargs -r -n 1 umount -l
rm -rf /run/netns/cni-* /run/containerd* /var/lib/containerd /etc/containerd /etc/resolv.conf \
    /etc/cni/net.d/* /opt/cni/bin/rdma-cni /opt/cni/bin/real-rdma-cni /opt/cni/bin/slow-* \
    /opt/cni/bin/fixed-ipam \
    /usr/bin/containerd* /usr/bin/ctr /usr/sbin/runc /usr/share/lab
"""


def sample(path):
    """A configuration of deploy/, for cards that know no minimum rates."""
    with open(path, encoding="utf-8") as f:
        net = json.load(f)
    for plugin in net.get("plugins", [net]):
        if plugin["type"] == "rdma-cni":
            plugin["min_tx_rate"] = "account"
    return net


def steps():
    """The commands that the plugin's README gives for its installation."""
    with open(README, encoding="utf-8") as f:
        text = f.read().partition("## Installation\n")[2].partition("\n## ")[0]
    return "\n".join(line.strip() for line in text.splitlines() if line.startswith("    "))


class Runtime:
    """containerd on a node, with our plugin as its network."""

    def __init__(self, node):
        self.node = node
        self.net = sample(SAMPLE)
        self.cni = self.cri = None

    def bring_up(self):
        """VFs, links, our daemon, and then what an administrator does for the plugin."""
        node = self.node
        node.reset()
        node.init("--all-sriov")
        for pf in PFS:
            node.wait(lambda pf=pf: "LOWER_UP" in node.link(pf)["flags"], f"{pf} has a link")
        node.serve("--max-age-ms", "0")
        self.cni = Cni(node)
        node.write("/tmp/install/10-ritk8srdma-cni.conf", json.dumps(self.net))
        node.lab.call("push", node.name, PLUGIN, "/tmp/install/rdma-cni")
        node.sh("cd /tmp/install\n" + steps())
        node.lab.call("runtime", node.name)
        self.cri = Cri(TOOL, node.addr)

    def network(self, net, suffix="conf"):
        """Makes it the one configuration and waits until containerd uses it."""
        self.node.sh(f"rm -f {NET_D}/*")
        self.node.write(f"{NET_D}/new", json.dumps(net))
        self.node.run("mv", f"{NET_D}/new", f"{NET_D}/10-ritk8srdma-cni.{suffix}")
        self.node.wait(lambda: self.cri.network() == net["name"], f"the network is {net['name']}")

    def plugin(self, name, script):
        self.node.write(f"/opt/cni/bin/{name}", script)
        self.node.run("chmod", "755", f"/opt/cni/bin/{name}")

    def kill(self):
        """containerd alone: what it started goes on."""
        self.node.sh("kill -9 $(pidof containerd)")

    def start(self):
        self.node.run("/etc/lab/containerd")
        self.node.wait(self.cri.ready, "containerd is ready")

    def records(self):
        """What is on record, {interface: record} for each pod."""
        text = self.node.text("sh", "-c", "cat /run/ferrule/attachments/*.json 2>/dev/null || true")
        found = {}
        while text.strip():
            record, end = json.JSONDecoder().raw_decode(text.lstrip())
            text = text.lstrip()[end:]
            found.setdefault(record["containerId"], {})[record["ifname"]] = record
        return found

    def agrees(self):
        """/getpfs says of every PF what ip and the records say."""
        used = [r for of_pod in self.records().values() for r in of_pod.values()]
        for pf in PFS:
            mine = {r["vf"]: r["minTxRate"] for r in used if r["pf"] == pf}
            expected.compare(self.node, pf, allocated=set(mine), used_tx_rate=sum(mine.values()))

    def rate(self, record):
        """The maximum that the PF has for the VF of a record."""
        return self.node.link(record["pf"])["vfinfo_list"][record["vf"]]["rate"]["max_tx"]

    def inside(self, pod, *argv, check=True):
        """Runs a program in the pod's container."""
        return self.node.run("ctr", "-n", "k8s.io", "tasks", "exec", "--exec-id", "test", pod,
                             "/bin/busybox", *argv, check=check).stdout.decode()

    def log(self):
        return self.node.text("cat", "/run/containerd.log")

    def hold(self, command):
        """Makes IPAM wait in that command of the plugin; let_go() ends that."""
        self.plugin(f"slow-{command}", SLOW % (command, command))
        net = sample(SAMPLE)
        net["name"] = f"slow-{command}"
        net["ipam"]["type"] = f"slow-{command}"
        self.network(net)
        self.node.write("/tmp/hold", "")

    def held(self):
        self.node.sh("i=0; until [ -e /tmp/held ]; do [ $i -lt 99 ]; i=$((i + 1)); sleep 0.2; done")

    def let_go(self):
        """Waits for the end of the plugin that was held up, too."""
        self.node.run("rm", "/tmp/hold", "/tmp/held")
        self.node.wait(lambda: self.node.run("pidof", "rdma-cni", check=False).returncode == 1,
                       "rdma-cni has ended")

    def close(self):
        if self.cri:
            self.cri.close()
        self.node.sh(REMOVE)


@pytest.fixture(scope="module")
def runtime(lab):
    it = Runtime(lab.nodes[0])
    try:
        it.bring_up()
        yield it
    finally:
        it.close()


@pytest.fixture
def rt(runtime):
    """Nothing may be left of a test: links, VF settings, records, addresses, pods."""
    before = runtime.cni.state()
    yield runtime
    left = runtime.cri.pods()
    for pod in left:
        runtime.cri.remove_pod(pod)
    if runtime.cri.network() != runtime.net["name"]:
        runtime.network(runtime.net)
    assert not left
    assert runtime.cni.state() == before
    assert runtime.node.text("ls", "/run/netns") == ""
    runtime.agrees()


@pytest.fixture
def recorded(rt):
    """Puts a script in the plugin's place that writes down what it is called with; gives a
    function for environment and configuration of the last call of a command."""
    def read(command):
        env = rt.node.text("cat", f"/tmp/recorded.{command}.env").splitlines()
        conf = json.loads(rt.node.text("cat", f"/tmp/recorded.{command}.conf"))
        return dict(line.split("=", 1) for line in env if line.startswith("CNI_")), conf

    rt.node.run("mv", "/opt/cni/bin/rdma-cni", "/opt/cni/bin/real-rdma-cni")
    rt.plugin("rdma-cni", RECORDER)
    yield read
    rt.node.run("mv", "/opt/cni/bin/real-rdma-cni", "/opt/cni/bin/rdma-cni")


def want(interfaces):
    return {KEY: json.dumps(interfaces), "other": "x"}


def addresses(records):
    return [r["addresses"][0].partition("/")[0] for _, r in sorted(records.items())]


def test_two_pods_talk(rt):
    """What the annotations ask for, in the pods, on the PFs and in /getpfs."""
    calls = [rt.cri.start_pod("p1", want(ONE)), rt.cri.start_pod("p2", want(THREE))]
    pods = [rt.cri.answer(call)["podSandboxId"] for call in calls]
    assert len({(r["pf"], r["vf"]) for pod in pods for r in rt.records()[pod].values()}) == 4
    log = rt.log()
    for pod, caps in zip(pods, ([200], [700, 0, 50])):
        records = rt.records()[pod]
        assert sorted(records) == [f"eth{i}" for i in range(len(caps))]
        assert [rt.rate(r) for _, r in sorted(records.items())] == caps
        assert all(a.startswith("10.56.0.") for a in addresses(records))
        assert rt.cri.addresses(pod) == addresses(records)[:1], "containerd knows those of eth0"
        seen = rt.inside(pod, "ip", "-o", "-4", "addr")
        for name, record in records.items():
            assert f"{name}    inet {record['addresses'][0]}" in seen
        assert f"RIT-CNI ADD {pod}:eth0 pod default/" in log
    rt.agrees()
    one, two = (rt.cri.addresses(pod)[0] for pod in pods)
    rt.node.wait(lambda: " 0% packet loss" in rt.inside(
        pods[0], "ping", "-c", "1", "-W", "2", "-I", one, two, check=False), f"{two} answers {one}")
    rt.cri.stop_pod(pods[1])
    assert list(rt.records()) == pods[:1]
    rt.agrees()
    for pod in pods:
        rt.cri.remove_pod(pod)


def test_pod_without_rdma(rt, recorded):
    """Without any annotation: the network in `delegate`."""
    pod = rt.cri.run_pod("p1")
    assert recorded("ADD")[1]["runtimeConfig"] == {ANNOTATIONS: None}
    assert rt.records() == {}
    assert rt.cri.addresses(pod)[0].startswith("10.57.0.")
    rt.cri.remove_pod(pod)


@pytest.mark.parametrize("asked,said", [
    (json.dumps([{"min_tx_rate": 5000}]), "one interface is more than any PF has free"),
    (json.dumps([{}, {"max_tx_rate": 20000}]), "VF 1 of enp1s0f"),
    ('[{"min": 1}]', "unknown key"),
])
def test_refused_pods(rt, asked, said):
    """Whoever asked for the pod reads why it cannot be."""
    with pytest.raises(CriError) as why:
        rt.cri.run_pod("p1", {KEY: asked})
    assert said in str(why.value) and 'plugin type="rdma-cni"' in str(why.value)


@pytest.mark.parametrize("change,said", [
    ({"ipam": {}}, "failed to find network info"),
    ({"cniVersion": "1.1.0", "ipam": {"type": "fixed-ipam"}}, "1.1.0"),
])
def test_networks_that_containerd_cannot_use(rt, change, said):
    """No address for eth0, and a version that its CNI library does not know."""
    rt.plugin("fixed-ipam", FIXED)
    rt.network(dict(rt.net, name="refused", **change))
    with pytest.raises(CriError) as why:
        rt.cri.run_pod("p1", want(ONE))
    assert said in str(why.value)


def test_containerd_killed_in_between(rt):
    """The pod lives on, and the next containerd takes it down."""
    pod = rt.cri.run_pod("p1", want(THREE))
    records = rt.records()
    rt.kill()
    rt.start()
    assert rt.cri.pods() == {pod: True}
    assert rt.cri.addresses(pod) == addresses(records[pod])[:1]
    assert rt.records() == records
    rt.cri.remove_pod(pod)


def test_containerd_killed_during_add(rt):
    """An ADD whose result nobody can hear of any more takes back what it has done."""
    rt.hold("ADD")
    call = rt.cri.start_pod("p1", want(ONE))
    rt.held()
    assert len(rt.records()) == 1
    rt.kill()
    with pytest.raises(CriError, match="UNAVAILABLE"):
        rt.cri.answer(call)
    rt.let_go()
    assert rt.records() == {}
    rt.start()
    (left, ready), = rt.cri.pods().items()
    assert not ready
    rt.cri.remove_pod(left)
    rt.cri.remove_pod(rt.cri.run_pod("p1", want(ONE), attempt=1))


def test_containerd_killed_during_del(rt):
    """The DEL goes on without it; the next containerd's finds nothing left."""
    rt.hold("DEL")
    pod = rt.cri.run_pod("p1", want(ONE))
    call = rt.cri.start("StopPodSandbox", {"podSandboxId": pod})
    rt.held()
    rt.kill()
    with pytest.raises(CriError, match="UNAVAILABLE"):
        rt.cri.answer(call)
    rt.let_go()
    assert rt.records() == {}
    rt.start()
    rt.cri.remove_pod(pod)


def test_namespace_gone_before_the_pod(rt):
    """containerd then calls DEL without a namespace."""
    pod = rt.cri.run_pod("p1", want(THREE))
    path = rt.records()[pod]["eth0"]["netns"]["path"]
    rt.node.sh('umount "$1" && rm "$1"', path)
    rt.cri.remove_pod(pod)


def test_network_renamed(rt):
    """A pod from before /etc/cni/net.d was edited can still end."""
    pod = rt.cri.run_pod("p1", want(ONE))
    rt.network(dict(rt.net, name="renamed"))
    rt.cri.remove_pod(pod)
    rt.node.sh("rm -rf /var/lib/cni/results")  # containerd's own, under the old name


def test_chained(rt):
    """Behind ptp: the cluster's network first, the VF as rdma0."""
    rt.network(sample(CHAIN), "conflist")
    pod = rt.cri.run_pod("p1", want(ONE))
    records = rt.records()[pod]
    assert list(records) == ["rdma0"] and rt.rate(records["rdma0"]) == 200
    assert rt.cri.addresses(pod)[0].startswith("10.57.0.")
    seen = rt.inside(pod, "ip", "-o", "-4", "addr")
    assert "eth0    inet 10.57.0." in seen
    assert f"rdma0    inet {records['rdma0']['addresses'][0]}" in seen
    default = [r for r in rt.inside(pod, "ip", "route").splitlines() if r.startswith("default")]
    assert len(default) == 1 and "dev eth0" in default[0]
    rt.cri.remove_pod(pod)


def test_what_containerd_sends(rt, recorded):
    """What docs/compatibility.md says of containerd's calls."""
    pod = rt.cri.run_pod("p1", want(ONE))
    record = rt.records()[pod]["eth0"]
    calls = [recorded("ADD")]
    rt.cri.stop_pod(pod)
    calls.append(recorded("DEL"))
    rt.cri.remove_pod(pod)
    calls.append(recorded("DEL"))
    path = record["netns"]["path"]
    results = []
    for (env, conf), netns in zip(calls, (path, path, "")):
        assert set(env) == {"CNI_COMMAND", "CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_PATH",
                            "CNI_ARGS"}
        assert (env["CNI_CONTAINERID"], env["CNI_IFNAME"]) == (pod, "eth0")
        assert (env["CNI_NETNS"], env["CNI_PATH"]) == (netns, "/opt/cni/bin")
        assert set(env["CNI_ARGS"].split(";")) == {
            "IgnoreUnknown=1", "K8S_POD_NAMESPACE=default", "K8S_POD_NAME=p1",
            "K8S_POD_UID=uid-p1", f"K8S_POD_INFRA_CONTAINER_ID={pod}"}
        assert conf.pop("runtimeConfig") == {ANNOTATIONS: want(ONE)}
        results.append(conf.pop("prevResult", None))
        assert conf == rt.net
    assert path.startswith("/var/run/netns/cni-")
    assert results[0] is None and results[2] is None
    assert results[1]["interfaces"] == [
        {"name": "eth0", "mac": record["applied"]["mac"], "sandbox": path}]
