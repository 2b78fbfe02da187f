# SPDX-License-Identifier: MIT
"""rdma-cni killed before its system calls, and random churn: nothing is ever lost.

A sample by default, since this takes long; everything with FERRULE_KILL_POINTS=25 and
FERRULE_CHURN_STEPS=500 (FERRULE_CHURN_SEED chooses another history)."""

import json
import os
import random

import pytest

from cnitool import Cni, conf
from labtool import TOP

CHUNK = 25  # points from one call over the lab's channel to the next ...
POINTS = int(os.environ.get("FERRULE_KILL_POINTS", "4"))  # ... of which so many are tried: 25 is all


@pytest.fixture
def cni(node1):
    """One PF with two VFs: what the plugin does with more is the same, only more often."""
    lab = node1.lab
    for source, target in (("build/tools/killat", "/tmp/killat"),
                           ("test/lab/guest/kill_cni.sh", "/tmp/kill_cni.sh")):
        lab.call("push", node1.name, os.path.join(TOP, source), target)
    node1.init("--pf", "enp1s0f0", "--num-vfs", "2")
    node1.wait(lambda: "LOWER_UP" in node1.link("enp1s0f0")["flags"], "the PF has a link")
    it = Cni(node1)
    return it


def configure(cni):
    """One configuration for each kind of retry; a first round makes what later ones find."""
    plain = conf(interfaces=[{"min_tx_rate": 100, "max_tx_rate": 200}])
    newest = dict(conf("1.1.0", interfaces=[{"max_tx_rate": 200}]),
                  **{"cni.dev/valid-attachments": []})
    for i, net in enumerate((plain, plain, newest)):
        cni.node.write(f"/tmp/kill{i}.conf", json.dumps(net))
        cni.pod("k1")
        cni.ok("ADD", "k1", net)
        cni.ok("DEL", "k1", net)
        cni.node.run("ip", "netns", "del", "k1")


@pytest.mark.parametrize("command", ["ADD", "DEL"])
def test_killed_at_every_system_call(cni, command):
    """What the runtime does next brings the node back to where it was."""
    configure(cni)
    at, done = 1, 0
    while True:
        said = cni.node.run("/tmp/kill_cni.sh", command, str(at), str(at + POINTS - 1), check=False,
                            timeout=600).stdout.decode()
        done += said.count("passed ")
        assert "failed" not in said, said
        if "end " in said:
            break
        assert f"passed {at + POINTS - 1}\n" in said, f"stopped: {said}"
        at += CHUNK
    print(f"{command}: killed before {done} of its system calls, the last one near the {at}th")
    assert at > 100, "that few calls cannot be all"


STEPS = int(os.environ.get("FERRULE_CHURN_STEPS", "50"))  # 500 takes some minutes


def test_random_churn(cni):
    """ADD, DEL, kills and namespaces that die, in any order: at the end everything is back."""
    seed = int(os.environ.get("FERRULE_CHURN_SEED", "1"))
    rng = random.Random(seed)
    configure(cni)
    before = cni.state()
    pods = [f"c{i}" for i in range(4)]
    lines = []
    for _ in range(STEPS):
        pod = rng.choice(pods)
        step = rng.choice(["add", "add", "del", "die", f"kill ADD {rng.randrange(1, 400)}",
                           f"kill DEL {rng.randrange(1, 300)}"])
        lines.append(f"{step} {pod}")
    script = r"""
export CNI_IFNAME=eth0 CNI_PATH=/opt/cni/bin
run() {
    export CNI_COMMAND=$1 CNI_CONTAINERID=$2 CNI_NETNS=/run/netns/$2
    shift 2
    "$@" rdma-cni </tmp/kill0.conf >/tmp/out 2>/tmp/log
}
while read -r what a b c; do
    case $what in
    add) [ -e "/run/netns/$a" ] || ip netns add "$a"; run ADD "$a" env || true ;;
    del) run DEL "$a" env || { echo "DEL $a:"; cat /tmp/out /tmp/log; } ;;
    die) [ ! -e "/run/netns/$a" ] || ip netns del "$a" ;;
    kill) [ -e "/run/netns/$c" ] || ip netns add "$c"; run "$a" "$c" /tmp/killat "$b" || true ;;
    esac
done
"""
    for i in range(0, STEPS, 25):
        done = cni.node.run("sh", "-c", script, data="\n".join(lines[i:i + 25]).encode() + b"\n",
                            timeout=600)
        assert done.stdout == b"", f"seed {seed}: {done.stdout.decode()}"
    for pod in pods:
        cni.ok("DEL", pod, conf(interfaces=[{}]))
        cni.node.sh('[ ! -e "/run/netns/$1" ] || ip netns del "$1"', pod)
    assert cni.state() == before, f"seed {seed}"
