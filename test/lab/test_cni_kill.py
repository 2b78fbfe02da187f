# SPDX-License-Identifier: MIT
"""rdma-cni killed before its system calls, and random churn: nothing is ever lost.

A sample by default, since this takes long. FERRULE_KILL_POINTS is the number of points of each of
the tests, or "each": every system call with one of the retries, or "all": with every retry;
FERRULE_KILL_RANGE=1-200 is for the calls from the 1st to the 200th only. FERRULE_CHURN_STEPS=500
is for a long history, FERRULE_CHURN_SEED for another one. The nodes work at once, each at its part;
since most of it is waiting for the kernel, more nodes are faster (docs/lab.md)."""

import json
import os
import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from cnitool import Cni, conf
from labtool import TOP, Node

pytestmark = pytest.mark.both

POINTS = os.environ.get("FERRULE_KILL_POINTS", "6")
RANGE = os.environ.get("FERRULE_KILL_RANGE", "1-9999")
NODES = os.environ.get("FERRULE_KILL_NODES", "1-2")
STEPS = int(os.environ.get("FERRULE_CHURN_STEPS", "40"))
SEED = int(os.environ.get("FERRULE_CHURN_SEED", "1"))
RETRIES = ("again", "gc", "gone")
CHUNK = 40  # points in one call over the lab's channel
BEYOND = 8  # calls more than were counted: how often something is waited for is chance

PREV = {"cniVersion": "1.1.0", "dns": {}, "interfaces": [
    {"name": "eth0", "sandbox": "/run/netns/k1", "mac": "02:00:00:00:00:09"}]}
# For GC, too. The addresses come from a plugin that starts faster than a real one.
SHARED = {"version": "1.1.0", "ipam": {"type": "store"}, "cni.dev/valid-attachments": []}
CONFS = {
    "primary": conf(interfaces=[{"min_tx_rate": 100, "max_tx_rate": 200}, {}], **SHARED),
    "chained": conf(interfaces=[{"max_tx_rate": 200}, {}], prevResult=PREV, **SHARED),
    "delegate": conf(interfaces=[], delegate={"type": "store"}, **SHARED),
    "single": conf(interfaces=[{"max_tx_rate": 200}], **dict(SHARED, ipam=None)),
}
for NAME, CONF in CONFS.items():
    CONF["name"] = NAME  # a network has one configuration


def span(text):
    """The numbers of "1-6"."""
    low, _, high = text.partition("-")
    return range(int(low), int(high) + 1)


def prepare(node):
    """One PF with two VFs: what the plugin does with more is the same, only more often."""
    node.reset()
    cni = Cni(node)
    for source, target in (("build/tools/killat", "/tmp/killat"),
                           ("test/lab/guest/kill_cni.sh", "/tmp/kill_cni.sh"),
                           ("test/lab/guest/churn_cni.sh", "/tmp/churn_cni.sh")):
        node.lab.call("push", node.name, os.path.join(TOP, source), target)
    for name, net in CONFS.items():
        node.write(f"/tmp/{name}.conf", json.dumps(net))
    node.init("--pf", "enp1s0f0", "--num-vfs", "2")
    node.wait(lambda: "LOWER_UP" in node.link("enp1s0f0")["flags"], "the PF has a link")
    return cni


def on_all(work, items):
    """work(item) for each, at once."""
    with ThreadPoolExecutor(len(items)) as pool:
        return list(pool.map(work, items))


@pytest.fixture(name="cnis", scope="module")
def fixture_cnis(lab):
    nodes = [Node(lab, number) for number in span(NODES)]
    yield on_all(prepare, nodes)
    for node in nodes:
        node.sh("rm -rf /var/lib/cni/*")


def points(total):
    """(system call, retry) of every point to try."""
    calls = [n for n in span(RANGE) if n <= total + BEYOND]
    if POINTS == "all":
        return [(at, retry) for at in calls for retry in RETRIES]
    if POINTS == "each":
        return [(at, RETRIES[at % 3]) for at in calls]
    n = int(POINTS)
    # Spread over all calls; the retries take turns.
    return [(1 + total * (2 * i + 1) // (2 * n), RETRIES[i % 3]) for i in range(n)]


@pytest.mark.parametrize("mode", ["primary", "chained", "delegate"])
@pytest.mark.parametrize("command", ["ADD", "DEL"])
def test_killed_at_every_system_call(cnis, command, mode):
    """What the runtime does next brings the node back to where it was."""
    net = f"/tmp/{mode}.conf"
    total = int(cnis[0].node.text("/tmp/kill_cni.sh", "count", command, net))
    assert total > 50, "that few calls cannot be all"
    todo = points(total)
    bad = []

    def part(i):
        mine = todo[i::len(cnis)]
        for at in range(0, len(mine), CHUNK):
            lines = "".join(f"{n} {retry}\n" for n, retry in mine[at:at + CHUNK])
            said = cnis[i].node.run("/tmp/kill_cni.sh", command, net, data=lines.encode(),
                                    check=False, timeout=600).stdout.decode(errors="replace")
            good = said == f"passed {lines.count(chr(10))}\n"
            print(f"{cnis[i].node.name} {command} {mode} {at}: {said}", end="", flush=True)
            bad.extend([] if good else [f"{cnis[i].node.name}: {said}"])
        return len(mine)

    tried = sum(on_all(part, range(len(cnis))))
    assert tried == len(todo)
    assert not bad, "\n".join(bad)
    print(f"{command} {mode}: {tried} points tried, {len({n for n, _ in todo})} of "
          f"{total} system calls")


def history(seed, steps):
    """Random lines for churn_cni.sh."""
    rng = random.Random(seed)
    nets = {"c0": "primary", "c1": "single", "c2": "single", "c3": "chained", "c4": "delegate"}
    lines = []
    for _ in range(steps):
        pod = rng.choice(sorted(nets))
        step = rng.choice(["ADD", "ADD", "DEL", "die", "GC", "kill ADD", "kill ADD", "kill DEL"])
        at = f" {rng.randrange(1, 600 if 'ADD' in step else 400)}" if "kill" in step else ""
        lines.append(f"{pod} {nets[pod]} {step}{at}\n")
    return lines, nets


def test_random_churn(cnis):
    """ADD, DEL, GC, kills and namespaces that die, in any order: at the end everything is back."""
    def run(i):
        cni, seed = cnis[i], SEED + i
        lines, nets = history(seed, STEPS)

        def every_pod(*steps):
            churn(cni, [f"{pod} {net} {step}\n" for pod, net in nets.items() for step in steps],
                  f"seed {seed}, {steps}: ")

        every_pod("ADD", "DEL", "die")  # makes what is found later on: lock files, directories
        before = cni.whole()
        for at in range(0, STEPS, CHUNK):
            churn(cni, lines[at:at + CHUNK], f"seed {seed}, steps from {at}: ")
        every_pod("DEL", "die")
        assert cni.whole() == before, f"seed {seed}"
        return STEPS

    print(f"{sum(on_all(run, range(len(cnis))))} steps")


def churn(cni, lines, where):
    said = cni.node.run("/tmp/churn_cni.sh", data="".join(lines).encode(), timeout=600)
    assert said.stdout == b"", where + said.stdout.decode()
