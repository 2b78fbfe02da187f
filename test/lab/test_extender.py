# SPDX-License-Identifier: MIT
"""rdma-scheduler-extender beside two nodes: real rdma-ds, attachments by rdma-cni, the kernel's word.

A sample of the steps by default; all with FERRULE_SCHED_STEPS=200 (FERRULE_SCHED_SEED chooses another
history)."""

import json
import os
import random
import sys

import pytest

from cnitool import PFS, conf, ready
from labtool import TOOL, TOP

sys.path.append(os.path.join(TOP, "test", "integration"))
import simnodes  # noqa: E402  pylint: disable=wrong-import-position,import-error

STEPS = int(os.environ.get("FERRULE_SCHED_STEPS", "60"))
SEED = int(os.environ.get("FERRULE_SCHED_SEED", "1"))
MBPS, VFS = 1000, 7  # of each PF
KILL_AT = STEPS // 2  # here the extender is killed and started again


class Pod:
    def __init__(self, number, mins):
        self.uid = f"uid-{number}"
        self.cid = f"c{number}"
        self.mins = mins
        self.interfaces = [{"min_tx_rate": m, "max_tx_rate": m} for m in mins]

    def args(self, nodes):
        return {"Pod": {"metadata": {
            "name": self.cid, "namespace": "lab", "uid": self.uid,
            "annotations": {"rdma_interfaces_required": json.dumps(self.interfaces)}}},
            "Nodes": {"metadata": {}, "items": [
                {"metadata": {"name": n.name}, "status": {"addresses": [
                    {"type": "Hostname", "address": n.name},
                    {"type": "InternalIP", "address": n.addr}]}} for n in nodes]},
            "NodeNames": None}


class Cluster:
    """What a scheduler and kubelets do, and what must be true all the time."""

    def __init__(self, lab):
        self.nodes = lab.nodes
        self.cni = {}
        self.ext = None
        self.bound, self.running, self.count = [], {}, 0
        self.attached = self.refused = 0

    def start(self):
        self.ext = simnodes.Extender(54005, prefix=(TOOL, "host", "--"))

    def known(self):
        return all(n["known"] for n in self.ext.json("/v1/nodes")["nodes"])

    def schedule(self, rng):
        self.count += 1
        pod = Pod(self.count, [rng.choice([100, 200, 300, 500]) for _ in range(rng.choice([1, 1, 2]))])
        res = self.ext.json(simnodes.FILTER, pod.args(self.nodes))
        ok = [i["metadata"]["name"] for i in res["Nodes"]["items"]]
        assert res["Error"] == "" and set(res["FailedNodes"].values()) <= {simnodes.NO_ROOM}
        if ok:
            name = rng.choice(ok)
            self.bound.append((pod, next(n for n in self.nodes if n.name == name)))
        else:
            self.refused += 1
            # With others on their way their order may matter; else what is free is free.
            waiting = {n for c in self.ext.claims().values() for n in c["on"]}
            for n in self.ext.json("/v1/nodes")["nodes"]:
                free = max((p["free_mbps"] for p in n["pfs"] if p["free_vfs"]), default=-1)
                assert n["name"] in waiting or free < max(pod.mins) or len(pod.mins) > 1, n

    def attach(self):
        """In the order of decisions. What was promised must be there."""
        pod, node = self.bound.pop(0)
        cni = self.cni[node.name]
        cni.pod(pod.cid)
        cni.ok("ADD", pod.cid, conf(annotation=pod.interfaces), env={
            "CNI_ARGS": f"IgnoreUnknown=1;K8S_POD_NAMESPACE=lab;K8S_POD_NAME={pod.cid};K8S_POD_UID={pod.uid}"})
        self.running[pod.cid] = (pod, node)
        self.attached += 1
        self.check(node)

    def detach(self, rng):
        pod, node = self.running.pop(rng.choice(sorted(self.running)))
        self.cni[node.name].ok("DEL", pod.cid, conf(annotation=pod.interfaces))
        node.run("ip", "netns", "del", pod.cid)
        self.check(node)

    def check(self, node):
        """The kernel's VFs against what should run there: each pod's rates, on PFs that have them."""
        links = {pf: node.link(pf)["vfinfo_list"] for pf in PFS}
        rates = {pf: sorted(v["rate"]["max_tx"] for v in links[pf] if v["rate"]["max_tx"])
                 for pf in PFS}
        assert all(sum(r) <= MBPS and len(r) <= VFS for r in rates.values()), (node.name, rates)
        want = sorted(m for p, n in self.running.values() if n is node for m in p.mins)
        assert sorted(r for pf in PFS for r in rates[pf]) == want, (node.name, rates)

    def agree(self):
        """The extender, the nodes' /getpfs and the kernel say the same."""
        for node in self.nodes:
            self.check(node)
            said = {p["name"]: (p["used_tx_rate"], p["used_vfs"]) for p in node.getpfs()}

            def believed(node=node):
                return {p["name"]: (p["reserved_mbps"], p["used_vfs"])
                        for p in self.ext.node(node.name)["pfs"]}
            node.wait(lambda said=said, believed=believed: believed() == said,
                      f"the extender believes {said}", lambda believed=believed: str(believed()))
            used = sum(m for p, n in self.running.values() if n is node for m in p.mins)
            assert sum(u for u, _ in said.values()) == used


@pytest.fixture
def cluster(node1, node2):
    it = Cluster(node1.lab)
    for node in (node1, node2):
        it.cni[node.name] = ready(node)
        node.serve("--max-age-ms", "50")
    it.start()
    yield it
    it.ext.stop()
    for node in (node1, node2):
        it.cni[node.name].clean()


def test_random_scheduling_never_over_commits(cluster):
    rng = random.Random(SEED)
    for step in range(STEPS):
        what = rng.randrange(5)
        if what < 2:
            cluster.schedule(rng)
        elif what < 4 and cluster.bound:
            cluster.attach()
        elif cluster.running and rng.randrange(2):
            cluster.detach(rng)
        if step == KILL_AT:
            while cluster.bound:  # promises are forgotten, attachments are not
                cluster.attach()
            cluster.ext.proc.kill()
            cluster.ext.proc.wait()
            cluster.start()
    while cluster.bound:
        cluster.attach()
    cluster.agree()
    print(f"{cluster.count} pods, {cluster.attached} attached, {cluster.refused} refused everywhere")
    assert cluster.attached >= STEPS // 5 and cluster.running
    for _ in range(len(cluster.running)):
        cluster.detach(rng)
    cluster.agree()
