# SPDX-License-Identifier: MIT
"""rdma-scheduler-extender: nodes known by name, more nodes than descriptors, verbs that are refused."""
import json
import os
import signal
import socket
import threading
import time

import pytest

from simnodes import FILTER, NO_INFO, NO_ROOM, Extender, SimNode, args, pick_port, pod, wait_for


class Named:
    """Nodes, and an extender to whom /etc/hosts and /etc/resolv.conf are what the test says."""

    def __init__(self, tmp):
        self.tmp, self.port, self.nodes, self.ext = tmp, pick_port(), [], None
        self.hosts = tmp / "hosts"
        self.hosts.write_text("127.0.0.1 localhost\n")
        # Nobody answers there: whatever is not in hosts stays unknown until the deadline.
        (tmp / "resolv.conf").write_text("nameserver 127.99.99.99\n")

    def add(self, name, **kw):
        n = SimNode("127.78.0.%d" % (len(self.nodes) + 1), self.port, **kw)
        n.name = name
        self.nodes.append(n)
        return n

    def resolve(self, *nodes):
        # In place: the file is what the extender's mount shows.
        self.hosts.write_text("127.0.0.1 localhost\n" + "".join(
            "%s %s\n" % (n.addr, n.name) for n in nodes))

    def start(self, *more, timeout="400"):
        script = ("mount --bind %s/hosts /etc/hosts && mount --bind %s/resolv.conf /etc/resolv.conf"
                  " && exec \"$@\"" % (self.tmp, self.tmp))
        self.ext = Extender(self.port, "--node-timeout", timeout, *more,
                            prefix=("unshare", "-m", "sh", "-c", script, "sh"))
        self.ext.prefix = ()
        return self.ext

    def children(self):
        """Process ids of the helpers."""
        with open("/proc/%d/task/%d/children" % (self.ext.proc.pid, self.ext.proc.pid),
                  encoding="ascii") as f:
            return [int(p) for p in f.read().split()]


@pytest.fixture
def named(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("needs root for a mount namespace")
    c = Named(tmp_path)
    yield c
    if c.ext is not None and c.ext.proc.poll() is None:
        c.ext.stop()
    for n in c.nodes:
        n.close()


# --- Names

def test_names_alone_are_resolved(named):
    a, b = named.add("node-a"), named.add("node-b.example.org")
    named.resolve(a, b)
    ext = named.start()
    assert ext.filter(pod("u1", 1000), [a, b], names=True)[0] == [a.name, b.name]
    assert ext.node(a.name)["state"] == "followed"
    helpers = named.children()
    assert len(helpers) == 8
    for p in helpers:
        with open("/proc/%d/status" % p, encoding="ascii") as f:
            status = f.read()
        assert "CapEff:\t0000000000000000" in status and "NoNewPrivs:\t1" in status
        assert len(os.listdir("/proc/%d/fd" % p)) == 3, "nothing but the socket and the log"
    ext.stop()
    assert not any(os.path.exists("/proc/%d" % p) for p in helpers)


def test_a_name_without_an_address_fails_alone(named):
    a, lost = named.add("node-a"), named.add("node-lost")
    named.resolve(a)
    ext = named.start()
    assert ext.filter(pod("u1", 1000), [a, lost], names=True) == ([a.name], {lost.name: NO_INFO})
    assert "no address" in ext.node(lost.name)["problem"]
    # It comes into the file: tried again in the background.
    named.resolve(a, lost)
    wait_for(lambda: ext.node(lost.name)["known"])
    assert ext.filter(pod("u2", 1000), [lost], names=True)[0] == [lost.name]


def test_internal_dns_is_resolved_and_internal_ip_goes_first(named):
    a, b = named.add("node-a"), named.add("node-b")
    named.resolve(a)
    ext = named.start()
    item = {"metadata": {"name": "x"}, "status": {"addresses": [
        {"type": "Hostname", "address": "node-b"}, {"type": "InternalDNS", "address": "node-a"}]}}
    body = args(pod("u1", 1000), [])
    body["Nodes"]["items"] = [item]
    assert len(ext.json(FILTER, body)["Nodes"]["items"]) == 1
    assert a.requests and not b.requests
    item["status"]["addresses"].append({"type": "InternalIP", "address": b.addr})
    assert len(ext.json(FILTER, body)["Nodes"]["items"]) == 1
    assert b.requests
    # An object without an address is not looked up by its name: the API says that there is none.
    body["Nodes"]["items"] = [{"metadata": {"name": "node-a"}}]
    assert ext.json(FILTER, body)["FailedNodes"] == {"node-a": NO_INFO}


def test_requests_with_names_leave_internal_dns_alone(named):
    a = named.add("node-a")
    named.resolve(a)
    ext = named.start()
    body = args(pod("u1", 1000), [])
    body["Nodes"]["items"] = [{"metadata": {"name": "x"}, "status": {"addresses": [
        {"type": "InternalDNS", "address": "node-a"}]}}]
    assert len(ext.json(FILTER, body)["Nodes"]["items"]) == 1
    wait_for(lambda: len(a.requests) == 2)  # asked, and followed since
    victims = {"x": {"Pods": [{"metadata": {"uid": "v"}}]}}
    res = ext.json(FILTER + "/preempt", {"Pod": pod("hi", 1), "NodeNameToVictims": victims})
    assert list(res["NodeNameToMetaVictims"]) == ["x"]
    assert ext.json(FILTER, {"Pod": pod("u2", 1), "NodeNames": ["x"]})["NodeNames"] == ["x"]
    assert ext.node("x")["state"] == "followed" and len(a.requests) == 2


def test_a_node_that_moves_is_found_again(named):
    a = named.add("node-a")
    named.resolve(a)
    ext = named.start()
    assert ext.filter(pod("u1", 1000), [a], names=True)[0] == [a.name]
    a.close()
    wait_for(lambda: not ext.node(a.name)["known"])
    moved = named.add("node-a", mbps=50)
    named.resolve(moved)
    wait_for(lambda: ext.node("node-a")["known"])
    assert ext.filter(pod("u2", 1000), [moved], names=True) == ([], {"node-a": NO_ROOM})


@pytest.mark.parametrize("name", ["-a", "a b", "a/b", "\\u0000", "x" * 254, "%s", "a\\nb"])
def test_what_is_no_host_name_is_not_looked_up(named, name):
    ext = named.start()
    text = '{"Pod":%s,"NodeNames":["%s"]}' % (json.dumps(pod("u1", 1)), name)
    res = json.loads(ext.curl(FILTER, text)[1])
    if len(name) > 253:
        assert "no name" in res["Error"]
    else:
        assert list(res["FailedNodes"].values()) == [NO_INFO] and not res["NodeNames"]
    assert named.children() == []


def test_helpers_that_die_are_replaced(named):
    a, b = named.add("node-a"), named.add("node-b")
    named.resolve(a)
    ext = named.start()
    assert ext.filter(pod("u1", 1000), [a], names=True)[0] == [a.name]
    first = named.children()
    os.kill(first[0], signal.SIGKILL)
    wait_for(lambda: first[0] not in named.children() and len(named.children()) == 8)
    assert set(first[1:]) < set(named.children())
    for p in first[1:]:
        os.kill(p, signal.SIGKILL)
    wait_for(lambda: not set(first) & set(named.children()) and len(named.children()) == 8)
    named.resolve(a, b)
    wait_for(lambda: ext.filter(pod("u2", 1000), [b], names=True)[0] == [b.name])
    assert ext.filter(pod("u3", 1000), [a, b], names=True)[0] == [a.name, b.name]


class NameServer:
    """Knows every name, as 127.78.0.1, and says so only when it is told to."""

    def __init__(self, addr):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((addr, 53))
        self.asked, self.tell = [], threading.Event()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                query, peer = self.sock.recvfrom(512)
            except OSError:
                return
            self.asked.append(query[12:])
            threading.Thread(target=self.answer, args=(query, peer), daemon=True).start()

    def answer(self, query, peer):
        self.tell.wait(20)
        a = query[-4:] == b"\0\1\0\1"
        out = query[:2] + b"\x81\x80\0\1" + (b"\0\1" if a else b"\0\0") + b"\0" * 4 + query[12:]
        if a:
            out += b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + socket.inet_aton("127.78.0.1")
        try:
            self.sock.sendto(out, peer)
        except OSError:
            pass  # closed: the test is over


def test_a_helper_that_dies_takes_no_other_look_up_along(named):
    a = named.add("node-a")
    server = NameServer("127.99.99.99")
    ext = named.start(timeout="15000")
    answer = {}

    def ask():
        answer.update(ext.json(FILTER, {"Pod": pod("u1", 1), "NodeNames": [a.name]}))
    t = threading.Thread(target=ask)
    t.start()
    wait_for(lambda: server.asked)
    # Who looks up has a socket for it beside what all have.
    idle = [p for p in named.children() if len(os.listdir("/proc/%d/fd" % p)) == 3]
    assert len(idle) == 7
    os.kill(idle[0], signal.SIGKILL)
    wait_for(lambda: idle[0] not in named.children())
    server.tell.set()
    t.join()
    server.sock.close()
    assert answer["NodeNames"] == [a.name]


def test_many_names_nobody_knows_harm_no_other(named):
    a = named.add("node-a")
    named.resolve(a)
    ext = named.start()
    assert ext.filter(pod("u1", 1000), [a], names=True)[0] == [a.name]
    names = ["n%05d" % i for i in range(20000)] + [a.name]
    res = ext.json(FILTER, {"Pod": pod("u2", 1000), "NodeNames": names})
    assert res["NodeNames"] == [a.name] and len(res["FailedNodes"]) == 20000
    assert len([line for line in ext.log if "no address" in line]) <= 25, "one line for many"


# --- Descriptors

class Many:
    def __init__(self, n, **kw):
        self.port = pick_port()
        self.nodes = [SimNode("127.79.0.%d" % (i + 1), self.port, **kw) for i in range(n)]

    def start(self, files, *more):
        self.ext = Extender(self.port, *more,
                            prefix=("sh", "-c", "ulimit -n %d; exec \"$@\"" % files, "sh"))
        self.ext.prefix = ()
        return self.ext

    def close(self):
        self.ext.stop()
        for n in self.nodes:
            n.close()


FILES = 340  # 320 are the program's own: 20 connections to nodes, of which 18 may stay


@pytest.mark.parametrize("plain", [False, True])
def test_more_nodes_than_descriptors(plain):
    many = Many(60, plain=plain)
    names = [n.name for n in many.nodes]
    ext = many.start(FILES)
    try:
        assert ext.filter(pod("u1", 1000), many.nodes)[0] == names
        for i in range(3):
            assert ext.filter(pod("v%d" % i, 1000), many.nodes)[0] == names
        states = [n["state"] for n in ext.json("/v1/nodes")["nodes"]]
        if plain:
            assert states == ["asked-each-time"] * 60
        else:
            assert sorted(set(states)) == ["followed", "polled"] and states.count("followed") == 18
            assert all(len(n.requests) <= 2 for n in many.nodes), "what is known is not asked for"
        assert "ferrule_extender_node_connections_limit 20" in ext.curl("/metrics")[1]
        with os.scandir("/proc/%d/fd" % ext.proc.pid) as fds:
            assert len(list(fds)) < 50
    finally:
        many.close()


def test_a_polled_node_is_asked_in_the_background_and_claims_last_until_then():
    many = Many(30)
    ext = many.start(FILES, "--claim-ttl", "3")
    try:
        ext.filter(pod("u1", 60000), many.nodes)
        polled = [n for n in many.nodes if ext.node(n.name)["state"] == "polled"]
        assert len(polled) == 12
        ext.filter(pod("u2", 60000), polled[:1])
        polled[0].attach("u1", 0, 60000)
        polled[0].attach("u2", 1, 60000)
        # Nobody has told the extender yet; the claims' time is up before somebody does.
        while not ext.node(polled[0].name)["attachments"]:
            assert ext.filter(pod("u3", 60000), polled[:1]) == ([], {polled[0].name: NO_ROOM})
            time.sleep(0.3)
        assert ext.filter(pod("u3", 60000), polled[:1]) == ([], {polled[0].name: NO_ROOM})
    finally:
        many.close()


def test_nodes_that_hang_on_the_last_descriptors(tmp_path):
    def hang(_c, _path):
        time.sleep(30)
    port = pick_port()
    nodes = [SimNode("127.79.1.%d" % (i + 1), port, fault=hang if i < 40 else None)
             for i in range(60)]
    many = Many(0)
    many.port, many.nodes = port, nodes
    ext = many.start(FILES, "--node-timeout", "500")
    try:
        good = {n.name for n in nodes[40:]}
        # 20 descriptors, all with nodes that hang: the others come when those have been given up.
        def all_good():
            passed = set(ext.filter(pod("u1", 1000), nodes)[0])
            assert passed <= good
            return passed == good
        wait_for(all_good)
    finally:
        many.close()


# --- Verbs that are not there

def test_bind_is_refused_with_a_reason():
    ext = Extender(1)
    good = {"PodName": "p", "PodNamespace": "d", "PodUID": "u", "Node": "n"}
    try:
        for path in (FILTER + "/bind", "/scheduler/bind"):
            res = ext.json(path, good)
            assert list(res) == ["Error"] and "bindVerb" in res["Error"]
        assert any("bindVerb" in line for line in ext.log)
        for bad in ({}, {"PodName": "p"}, dict(good, Node=""), dict(good, Node=3), []):
            assert ext.json(FILTER + "/bind", bad)["Error"] != ""
        for bad in ("", "x", "{", '{"PodName":"p"}x'):
            assert ext.curl(FILTER + "/bind", bad)[0] == 400
        assert ext.curl(FILTER + "/bind")[0] == 405
    finally:
        ext.stop()


# --- Privilege

def test_has_no_privilege():
    ext = Extender(1)
    try:
        assert ext.curl("/healthz")[0] == 200
        with open("/proc/%d/status" % ext.proc.pid, encoding="ascii") as f:
            status = dict(line.split(":\t", 1) for line in f.read().splitlines() if ":\t" in line)
        for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            if name != "CapBnd" or os.geteuid() == 0:
                assert int(status[name], 16) == 0, name
        assert status["NoNewPrivs"] == "1"
    finally:
        ext.stop()
