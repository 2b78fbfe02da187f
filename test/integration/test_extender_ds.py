# SPDX-License-Identifier: MIT
"""rdma-scheduler-extender and real rdma-ds programs, with attachments as ledger records."""
import json
import os
import random
import shutil
import tempfile
import time

import pytest

from fakenode import RDMA_DS, FakeNode
from simnodes import FILTER, NO_ROOM, Extender, args, pod, wait_for

PORT = 54005
PFS = ("enp4s0f0", "enp4s0f1")
MBPS, VFS = 10000, 7  # what a veth says of its speed


class Neighbour(FakeNode):
    """Another node in the namespace of the first: its own sysfs and ledger, the same links."""

    def __init__(self, first, addr, max_age_ms=50):
        self.first, self.addr, self.name = first, addr, "node-" + addr
        self.max_age_ms = max_age_ms
        if first is None:
            super().__init__()
        else:
            self.dir = tempfile.mkdtemp(prefix="ferrule-")
            os.chmod(self.dir, 0o755)
            self.sysfs, self.state = self.dir + "/sys", self.dir + "/state"
            self.ns = first.ns
            for d in (self.sysfs + "/class/net", self.sysfs + "/bus/pci/devices",
                      self.state + "/attachments"):
                os.makedirs(d)
        for i, pf in enumerate(PFS):
            self.add_pf(pf, "0000:0%d:00.0" % (4 + i), vfs=VFS, total=VFS)
        self.proc = None
        self.start()

    def ip(self, *argv):
        if self.first is None:
            super().ip(*argv)

    def start(self):
        self.proc = self.popen([RDMA_DS, "serve", "--listen", "%s:%d" % (self.addr, PORT),
                                "--sysfs", self.sysfs, "--state-dir", self.state,
                                "--max-age-ms", str(self.max_age_ms)])

    def stop(self):
        # Before it listens a signal ends it in no order.
        self.run(["curl", "-sS", "-o", os.devnull, "--retry", "20", "--retry-connrefused",
                  "--retry-delay", "1", "http://%s:%d/healthz" % (self.addr, PORT)])
        self.proc.terminate()
        assert self.proc.wait(timeout=10) == 0

    def close(self):
        if self.proc.poll() is None:
            self.stop()
        if self.first is None:
            super().close()
        else:
            shutil.rmtree(self.dir)

    def records(self):
        d = self.state + "/attachments"
        out = []
        for f in os.listdir(d):
            with open(os.path.join(d, f), encoding="utf-8") as r:
                out.append(json.load(r))
        return out

    def room(self, pf):
        mine = [r for r in self.records() if r["pf"] == pf]
        return MBPS - sum(r["minTxRate"] for r in mine), set(range(VFS)) - {r["vf"] for r in mine}

    def attach(self, uid, mbps):
        """As rdma-cni does: the PF with the least room that is enough. False: there is none."""
        fit = sorted((self.room(pf)[0], pf) for pf in PFS
                     if self.room(pf)[0] >= mbps and self.room(pf)[1])
        if not fit:
            return False
        pf = fit[0][1]
        self.record("%s:eth0.json" % uid, containerId=uid, pf=pf, vf=min(self.room(pf)[1]),
                    minTxRate=mbps, pod={"namespace": "default", "name": uid, "uid": uid})
        return True

    def detach(self, uid):
        os.unlink("%s/attachments/%s:eth0.json" % (self.state, uid))


@pytest.fixture
def nodes():
    first = Neighbour(None, "127.0.0.11")
    both = [first, Neighbour(first, "127.0.0.12")]
    yield both
    for n in reversed(both):
        n.close()


@pytest.fixture
def ext(nodes):
    e = Extender(PORT, "--claim-ttl", "5", prefix=("ip", "netns", "exec", nodes[0].ns))
    yield e
    e.stop()


def ready(ext, nodes):
    def known():
        ext.filter(pod("probe", 0), nodes)
        return all(ext.node(n.name)["known"] for n in nodes)
    wait_for(known)


def believed(ext, node):
    return {p["name"]: MBPS - p["reserved_mbps"] for p in ext.node(node.name)["pfs"]}


def test_follows_the_ledger(nodes, ext):
    ready(ext, nodes)
    node = ext.node(nodes[0].name)
    assert node["state"] == "followed" and [p["name"] for p in node["pfs"]] == list(PFS)
    assert [p["capacity_mbps"] for p in node["pfs"]] == [MBPS, MBPS]
    assert nodes[0].attach("a", 9000)
    wait_for(lambda: ext.node(nodes[0].name)["attachments"] == 1)
    assert sum(p["reserved_mbps"] for p in ext.node(nodes[0].name)["pfs"]) == 9000
    nodes[0].detach("a")
    wait_for(lambda: ext.node(nodes[0].name)["attachments"] == 0)


def by_hand(node):
    """curl and the status behind each answer, the node's page, and its revision now."""
    curl = ["curl", "-sS", "-m", "30", "-w", "\n%{http_code}", "--retry", "20",
            "--retry-connrefused", "--retry-delay", "1"]
    url = "http://%s:%d/v1/node" % (node.addr, PORT)
    return curl, url, json.loads(node.run([*curl, url]).stdout.rsplit("\n", 1)[0])["revision"]


def test_long_poll_by_hand(nodes):
    first = nodes[0]
    curl, url, rev = by_hand(first)
    assert rev > 0
    same = first.run([*curl, "%s?after=%d&timeout_s=1" % (url, rev)]).stdout
    assert same.strip() == "204"
    for bad in ("?after=x", "?after=-1", "?timeout_s=301&after=1", "?after", "?vfs=all", "?a=1"):
        assert first.run([*curl, url + bad]).stdout.endswith("400"), bad
    waiting = first.popen([*curl, "%s?vfs=used&after=%d&timeout_s=15" % (url, rev)], stdout=-1,
                          text=True)
    time.sleep(0.3)
    assert first.attach("b", 10)
    out = waiting.communicate(timeout=20)[0]
    assert out.endswith("200")
    doc = json.loads(out.rsplit("\n", 1)[0])
    assert doc["revision"] == rev + 1
    assert [v["holder"]["pod_uid"] for p in doc["pfs"] for v in p["vfs"]] == ["b"]
    # Who waits is let go when the program stops.
    waiting = first.popen([*curl, "%s?after=%d&timeout_s=15" % (url, rev + 1)], stdout=-1,
                          text=True)
    time.sleep(0.3)
    first.stop()
    assert waiting.communicate(timeout=20)[0].strip() == "204"
    first.start()


def test_answers_say_when_the_node_was_read(nodes):
    def ask(query):
        out = nodes[0].run(["curl", "-sS", "-m", "20", "-i", "--retry", "20",
                            "--retry-connrefused", "--retry-delay", "1",
                            "http://%s:%d/v1/node%s" % (nodes[0].addr, PORT, query)]).stdout
        head, body = out.split("\n\n", 1)
        read = [int(x.split(":")[1]) for x in head.split("\n") if x.startswith("Ferrule-Read-Ms:")]
        return int(head.split()[1]), read[0] if read else None, body
    def restart(max_age_ms):
        nodes[0].stop()
        nodes[0].max_age_ms = max_age_ms
        nodes[0].start()
    restart(10000)
    begin = time.monotonic()
    rev = json.loads(ask("")[2])["revision"]
    time.sleep(0.5)
    # Who waits for a shorter time than a reading lasts is not kept waiting for the next one.
    for query in ("?after=%d" % rev, "", "?vfs=used", "?timeout_s=1&after=%d" % rev):
        status, read, _ = ask(query)
        assert time.monotonic() - begin < 10, "the machine is too slow to tell"
        assert status == (204 if "after" in query else 200)
        assert -10000 < read <= -500, "it is the same reading"
    assert ask("?after=x")[:2] == (400, None)
    restart(50)
    rev = json.loads(ask("")[2])["revision"]
    assert ask("?after=%d&timeout_s=1" % rev)[1] > 0, "a reading of the time it waited"
    restart(0)
    assert ask("")[1] >= -1


def test_who_is_let_go_hears_what_is_known(nodes):
    first = nodes[0]
    first.stop()
    first.max_age_ms = 4000
    first.start()
    url = "http://%s:%d/v1/node" % (first.addr, PORT)
    curl = ["curl", "-sS", "-m", "20", "-w", "\n%{http_code}", "--retry", "20",
            "--retry-connrefused", "--retry-delay", "1"]

    def revision():
        return json.loads(first.run([*curl, url]).stdout.rsplit("\n", 1)[0])["revision"]
    rev = revision()
    time.sleep(2)
    waiting = first.popen([*curl, "%s?after=%d&timeout_s=15" % (url, rev)], stdout=-1, text=True)
    time.sleep(0.3)
    assert first.attach("b", 10)
    # Another question reads the node anew before the one that waits is due.
    wait_for(lambda: revision() == rev + 1)
    first.stop()
    out = waiting.communicate(timeout=20)[0]
    assert out.endswith("200") and json.loads(out.rsplit("\n", 1)[0])["revision"] == rev + 1
    first.start()


def test_200_random_steps_agree_and_never_over_commit(nodes, ext):
    ready(ext, nodes)
    rng = random.Random(5)
    running, bound, count, attached = {}, {}, 0, 0
    for step in range(200):
        what = rng.randrange(5)
        if what < 2:
            count += 1
            uid, mbps = "p%d" % count, rng.choice([500, 1000, 2000, 3000])
            ok, failed = ext.filter(pod(uid, mbps), nodes)
            assert set(failed.values()) <= {NO_ROOM}
            if ok:
                bound[uid] = (rng.choice([n for n in nodes if n.name in ok]), mbps)
        elif what < 4 and bound:
            uid = next(iter(bound))  # in the order of decisions, as promised
            node, mbps = bound.pop(uid)
            # Only a claim that has expired may be worth nothing.
            if node.attach(uid, mbps):
                running[uid] = node
                attached += 1
            else:
                assert uid not in ext.claims(), "step %d: %s was promised room" % (step, uid)
        elif what == 4 and running and rng.randrange(2):
            uid = rng.choice(sorted(running))
            running.pop(uid).detach(uid)
        for n in nodes:
            for pf in PFS:
                assert n.room(pf)[0] >= 0
    for n in nodes:
        # The number of attachments alone may be an older state's: one went and another came.
        wait_for(lambda n=n: believed(ext, n) == {pf: n.room(pf)[0] for pf in PFS})
        assert ext.node(n.name)["attachments"] == len(n.records())
    assert attached >= 20


def test_a_node_program_that_restarts(nodes, ext):
    ready(ext, nodes)
    assert nodes[1].attach("a", MBPS) and nodes[1].attach("b", MBPS)
    wait_for(lambda: ext.node(nodes[1].name)["attachments"] == 2)
    nodes[1].stop()
    wait_for(lambda: not ext.node(nodes[1].name)["known"])
    nodes[1].detach("a")
    nodes[1].start()
    wait_for(lambda: ext.node(nodes[1].name)["known"])
    assert ext.filter(pod("u", MBPS), [nodes[1]])[0] == [nodes[1].name]
    assert ext.json(FILTER, args(pod("v", MBPS), [nodes[1]]))["FailedNodes"] == {
        nodes[1].name: NO_ROOM}


def test_a_65th_who_waits_takes_the_place_of_the_first(nodes):
    first = nodes[0]
    curl, url, rev = by_hand(first)
    ask = [*curl, "%s?after=%d&timeout_s=20" % (url, rev)]
    eldest = first.popen(ask, stdout=-1, text=True)
    time.sleep(0.5)
    others = [first.popen(ask, stdout=-1, text=True) for _ in range(64)]
    assert eldest.communicate(timeout=15)[0].strip() == "204"
    assert first.attach("c", 10)
    for p in others:
        assert p.communicate(timeout=20)[0].endswith("200")
